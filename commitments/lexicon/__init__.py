"""The library's linguistic knowledge, as data: cues, headings, agencies, units, periods.

Each table is a TOML file in this folder, with comments, examples and counter-examples. This module only finds
and parses them; what a table means is said in the table and in the stage that reads it.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from commitments.errors import SchemaError


@cache
def table(name: str) -> dict[str, Any]:
    """Parse one table of the lexicon.

    Args:
        name: of the file, without ``.toml``.

    Raises:
        SchemaError: there is no such table, or it is no TOML.

    >>> "cue" in table("cues")
    True
    """
    path = Path(__file__).with_name(f"{name}.toml")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.toml")))
        raise SchemaError(f"lexicon has no table {name!r}; it has {known}") from None
    except tomllib.TOMLDecodeError as error:
        raise SchemaError(f"{path.name}: {error}") from error
