"""The command: ``python -m commitments.benchmark``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from commitments.benchmark import card, figures, growth, speed
from commitments.errors import CommitmentsError


def main(argv: Sequence[str] | None = None) -> int:
    """Measure speed, growth and start, and print them; with ``--write`` also accuracy, into the README."""
    parser = argparse.ArgumentParser(prog="python -m commitments.benchmark", description=main.__doc__)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures there")
    parser.add_argument(
        "--gold", type=Path, nargs="+", default=(), metavar="FILE", help="measure speed on these"
    )
    parser.add_argument("--repeat", type=int, default=speed.ROUNDS, metavar="N", help="rounds (%(default)s)")
    parser.add_argument(
        "--longest", type=int, default=growth.LONGEST, metavar="N", help="characters (%(default)s)"
    )
    parser.add_argument(
        "--write", type=Path, metavar="README", help="write figures there and into models/cues"
    )
    parser.add_argument(
        "--speed-from", type=Path, metavar="JSON", help="take speed from an earlier run, do not measure it"
    )
    given = parser.parse_args(argv)
    if given.repeat < 1 or given.longest < 1_000:
        parser.error("--repeat must be at least 1, --longest at least 1000")
    try:
        if given.speed_from:
            found = _earlier(given.speed_from)
        else:
            print("measuring; this takes a few minutes", file=sys.stderr)
            found = figures.measure(given.gold, given.repeat, longest=given.longest)
        if given.write:
            if figures.shared() is None:
                print("the unpublished replies are not here: their rows will be missing", file=sys.stderr)
            found = msgspec.structs.replace(found, accuracy=figures.accuracy())
        print(card.screen(found))
        if given.json:
            given.json.write_text(found.to_json(), encoding="utf-8")
        if given.write:
            print("written: " + ", ".join(map(str, card.write(found, given.write))))
    except (CommitmentsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _earlier(path: Path) -> figures.Figures:
    """The speed of an earlier run, under what is true of the library now."""
    old = figures.Figures.from_json(path.read_bytes())
    now = figures.provenance()
    measured = {name: getattr(old, name) for name in ("machine", "speed", "growth", "start", "speed_of")}
    return msgspec.structs.replace(now, **measured)


if __name__ == "__main__":
    sys.exit(main())
