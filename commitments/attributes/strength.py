"""How firmly a pledge binds (承诺力度): 将、确保、计划 are firm, 力争、探索、研究、适时 are soft.

The cues are rows of the lexicon table ``strength``. Of a mixed sentence only the clauses that promise are
read, because the strength of a mixed pledge is that of its pledge.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from commitments.attributes.clauses import clauses
from commitments.lexicon import table
from commitments.terms import Strength


class Judged(NamedTuple):
    """A strength, and where its cue stands in the sentence (``None`` when it is firm without a cue)."""

    strength: Strength
    start: int | None = None
    end: int | None = None


def judge(text: str, mixed: bool, dated: bool) -> Judged:
    """The strength of a pledge.

    Args:
        text: of the sentence.
        mixed: whether it has a further status.
        dated: whether it has a deadline with a date.

    >>> judge("力争年底前完成。", mixed=False, dated=True).strength.value
    'soft'
    >>> judge("将于年底前完成。", mixed=False, dated=True)
    Judged(strength=<Strength.FIRM: 'firm'>, start=0, end=1)
    """
    soft, firm = _rows()
    skip = [(c.start, c.end) for c in clauses(text) if mixed and c.done and not c.due]
    for pattern, unless, weak in soft:
        if (weak and dated) or (unless and unless.search(text)):
            continue
        for m in pattern.finditer(text):
            if not any(start <= m.start() < end for start, end in skip):
                start = m.start() + (text[m.start()] in "，。；：、")
                return Judged(Strength.SOFT, start, m.end())
    for pattern in firm:
        if found := pattern.search(text):
            return Judged(Strength.FIRM, found.start(), found.end())
    return Judged(Strength.FIRM)


@cache
def _rows() -> tuple[list[tuple[re.Pattern[str], re.Pattern[str] | None, bool]], list[re.Pattern[str]]]:
    data = table("strength")
    soft = [
        (
            re.compile(row["pattern"]),
            re.compile(row["unless"]) if "unless" in row else None,
            row.get("dated") == "firm",
        )
        for row in data["soft"]
    ]
    return soft, [re.compile(row["pattern"]) for row in data["firm"]]
