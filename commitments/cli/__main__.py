"""``python -m commitments.cli`` is ``commitments``."""

from commitments.cli import main

main()
