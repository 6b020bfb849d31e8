"""Cases by origin: one JSON object a line under ``tests/cases``, each with its source and a comment.

``in_the_wild`` are phenomena of published letters in words of our own, ``negative`` what must not be found,
``synthetic`` the rest; ``known_failures`` tell the limits, and must fail: one that passes is to be moved.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ORIGINS = {"in_the_wild", "negative", "synthetic", "known_failures"}


def load(name: str) -> list[dict[str, Any]]:
    """The cases of one file."""
    path = Path(__file__).parent / "cases" / f"{name}.jsonl"
    with path.open(encoding="utf-8") as lines:  # not splitlines: cases hold other line separators
        return [json.loads(line) for line in lines]


def parametrize(cases: list[dict[str, Any]]) -> pytest.MarkDecorator:
    """Run a test on each case; known failures are strict expected failures."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(
                case,
                id=f"{case['origin']}-{number}",
                marks=[pytest.mark.xfail(strict=True, reason=case["comment"])]
                if case["origin"] == "known_failures"
                else [],
            )
            for number, case in enumerate(cases)
        ],
    )
