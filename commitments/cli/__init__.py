"""The command line, ``commitments show`` and the others.

The commands only find what to read, call the library and choose where the result goes; how a letter looks is
in `terminal` and `view`, what the figures mean in `metrics` and `attribute_metrics`. Each module here holds
the commands of one kind; they register themselves with `app`.
"""

from __future__ import annotations

import sys

from commitments.cli import (  # noqa: F401 - their commands register themselves
    exchanging,
    letters,
    making,
    measuring,
    reporting,
    scoring,
)
from commitments.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line."""
    from commitments import terminal

    terminal.ready(sys.stdout)
    terminal.ready(sys.stderr)
    app(prog_name="commitments")
