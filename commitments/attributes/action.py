"""The action (动作) of a measure: its head verb and the object of it, for grouping like measures.

There is no parser here. The head verb is the first verb of the lexicon table ``verbs`` in the last clause
that has one; the object is what follows it in its clause, without quantities, adverbs and what stands before
的.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from commitments.lexicon import alternatives, table

_CLAUSE = re.compile(r"[^，,。；;：:！!？?]+")
_SKIP = re.compile(
    r"[了好着起来完\s]*(?:更多|一批|一些|一个|全部|相关|有关|各类|各项|部分|本|该|其|新的?|进一步|积极)*"
)
_CUT = re.compile(
    r"[、（(“”《》）)]|以及|和|与|及|并|用于|给予|工作(?=$)|力度(?=$)|等(?=$)|以?(?:确保|保障|满足|方便|便于|推动|促进|提高|提升)"
)
_NOUN = re.compile(r"[一-鿿A-Za-z0-9]+")
_LONGEST = 8
_HEAD = 16
"""Characters of a clause within which its head verb stands."""
_TRIED = 4
"""Verbs of a clause that are tried for an object."""


class Found(NamedTuple):
    """A verb and its object, as offsets into the sentence; the object may be empty."""

    verb: tuple[int, int]
    object: tuple[int, int]


def find(text: str, quantities: Sequence[tuple[int, int]] = ()) -> Found | None:
    """The head verb of a measure and its object; ``None`` when the lexicon knows no verb of it.

    Args:
        text: of the sentence.
        quantities: their spans, which belong to no object.

    >>> text = "我局将在城区新增停车位1200个。"
    >>> found = find(text, [(11, 16)])
    >>> text[slice(*found.verb)], text[slice(*found.object)]
    ('新增', '停车位')
    """
    best: Found | None = None
    for clause in reversed(list(_CLAUSE.finditer(text))):
        verbs = [m for m in _verbs().finditer(text, clause.start(), clause.end()) if not _noun(text, m)]
        if not verbs:
            continue
        near = clause.start() + _HEAD  # a verb far into its clause is mostly part of a name
        strong = [m for m in verbs if m.group() not in _light() and m.start() < near]
        for m in (*strong[:_TRIED], *verbs[:_TRIED]):
            found = Found(m.span(), _object(text, m.end(), clause.end(), quantities))
            if found.object[0] < found.object[1]:
                return found
            best = best or found
    return best


def _noun(text: str, m: re.Match[str]) -> bool:
    return text.endswith(_before(), 0, m.start())


def _object(text: str, start: int, end: int, quantities: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The noun that follows a verb."""
    start = _SKIP.match(text, start, end).end()  # type: ignore[union-attr]
    for low, high in quantities:
        if low <= start < high:
            start = high
        elif start < low < end:
            end = low
    if cut := _CUT.search(text, start + 1, end):
        end = cut.start()
    of = text.rfind("的", start, end)
    if of >= 0 and of + 1 < end:
        start = of + 1
    m = _NOUN.search(text, start, end)
    if m is None:
        return start, start
    start, end = m.span()
    return (end - _LONGEST if end - start > _LONGEST else start), end


@cache
def _verbs() -> re.Pattern[str]:
    words = {*table("verbs")["strong"]["words"], *table("verbs")["light"]["words"]}
    return re.compile(alternatives(words))


@cache
def _light() -> frozenset[str]:
    return frozenset(table("verbs")["light"]["words"])


@cache
def _before() -> tuple[str, ...]:
    return tuple(table("verbs")["not_before"]["words"])
