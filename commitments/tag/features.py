"""What the cues say of each sentence, as numbers beside an encoder's reading.

The rules themselves, and what they decide alone, are in `commitments.tag.cues`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log1p

from commitments.draft import Draft
from commitments.tag import READ_ROLES
from commitments.tag.cues import LETTER, MESSAGE, Cues, Term, register
from commitments.terms import Role

NAMES = (
    *(f"share_{status}" for status in ("completed", "ongoing", "pledge", "none")),
    *(f"sum_{status}" for status in ("completed", "ongoing", "pledge", "none")),
    *(f"other_{status}" for status in ("completed", "ongoing", "pledge", "none")),
    "letter",
    "message",
    "opening",
    "read",
    "from_start",
    "from_end",
    "length",
)
"""The columns of `features`: the scorecard's shares and sums in the letter's register, its shares in the
other register, and the place of the sentence."""


def features(
    draft: Draft, cues: Cues, terms: Sequence[Sequence[Term]] | None = None
) -> list[tuple[float, ...]]:
    """One row of `NAMES` for each unit.

    Args:
        draft: the letter.
        cues: the rules.
        terms: what these find in the letter, if it is known already.
    """
    own = register(draft)
    other = LETTER if own == MESSAGE else MESSAGE
    sums = cues.sums(cues.terms(draft) if terms is None else terms)
    count = len(draft.units)
    rows = []
    for i, unit in enumerate(draft.units):
        totals = [value / cues.scale for value in sums[own][i]]
        rivals = [value / cues.scale for value in sums[other][i]]
        rows.append(
            (
                *_softmax(totals),
                *(max(-4.0, min(4.0, value / 2)) for value in totals),
                *_softmax(rivals),
                float(own == LETTER),
                float(own == MESSAGE),
                float(unit.role is Role.OPENING),
                float(unit.role in READ_ROLES),
                1 / (1 + i),
                1 / (count - i),
                log1p(len(unit.text)) / 5,
            )
        )
    return rows


def _softmax(values: Sequence[float]) -> list[float]:
    top = max(values)
    parts = [exp(value - top) for value in values]
    whole = sum(parts)
    return [part / whole for part in parts]
