"""Words that a unit and an ask (诉求) share, and how much each tells.

A word here is a pair of neighbouring characters: Chinese needs no segmenter for that. Pairs that stand in
every letter (工作, 建议) are left out; the lexicon table ``structure`` lists them. What follows from shared
words is decided in `commitments.link`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from commitments.lexicon import table


class Weighing(NamedTuple):
    """How shared words are weighed; see `commitments.link.LinkConfig`, the home of the values."""

    smooth: float
    length: float
    spread: float
    words: int


def words(text: str) -> set[str]:
    """Pairs of neighbouring characters that are Chinese, letters or digits, stock words left out.

    >>> sorted(words("关于修路的建议，"))
    ['于修', '修路', '路的']
    """
    return {pair for pair in _pairs(text) - _stock() if pair.isalnum()}


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


@cache
def _stock() -> frozenset[str]:
    return frozenset(table("structure")["link"]["stock"])


class Likeness:
    """How alike headings are to asks.

    Args:
        asks: their texts.

    >>> [round(x, 2) for x in Likeness(["关于修建步道的建议", "关于增开公交的建议"]).of("修建步道")]
    [1.0, 0.0]
    """

    def __init__(self, asks: Sequence[str]) -> None:
        self._asks = [words(ask) for ask in asks]
        self._shared = Counter(word for ask in self._asks for word in ask)
        # fsum: a result must not hang on the order of a set.
        self._whole = [math.fsum(1.0 / self._shared[word] for word in ask) for ask in self._asks]

    def of(self, title: str) -> list[float]:
        """For each ask, the share of the smaller's words that both hold; words of several asks count less."""
        own = words(title)
        return [
            math.fsum(1.0 / self._shared[word] for word in own & ask) / max(1.0, min(float(len(own)), whole))
            for ask, whole in zip(self._asks, self._whole, strict=True)
        ]


def points(
    asks: Sequence[str], units: Mapping[int, str], named: Mapping[int, int | None], how: Weighing
) -> dict[int, list[float]]:
    """For each unit and ask, the weight of the words that they share.

    A word weighs the more, the fewer units and the fewer asks hold it (idf). An ask is known by its own words
    and, at a discount, by those of the units that a heading gives to it.

    Args:
        asks: their texts.
        units: texts of the units by index.
        named: for each unit that a heading or an ordinal speaks for, its ask, or ``None`` for several.
        how: what the weights depend on.

    >>> how = Weighing(smooth=0.5, length=0.6, spread=0.2, words=4000)
    >>> row = points(["修建步道", "增开公交"], {0: "步道已完工。", 1: "公交已加密。"}, {}, how)[0]
    >>> row[0] > row[1] == 0
    True
    """
    count = len(asks)
    index: dict[str, dict[int, float]] = {}
    for k, ask in enumerate(asks):
        for word in sorted(words(ask[: 2 * how.words]))[: how.words]:
            index.setdefault(word, {})[k] = 1.0
    pairs = {i: _pairs(text) for i, text in units.items()}
    # Only units that no heading speaks for need the words of the sections.
    unnamed: set[str] = (
        set().union(*(held for i, held in pairs.items() if i not in named)) if named else set()
    )
    if unnamed:
        _spread(index, unnamed - _stock(), pairs, named, count, how.spread)
    known = index.keys()
    held = {i: sorted(found & known) for i, found in pairs.items()}
    frequency = Counter(word for found in held.values() for word in found)
    rarest = math.log(len(units) + 1)
    weight = {
        word: math.log((len(units) + 1) / n)
        / rarest
        * math.log((count + how.smooth) / sum(index[word].values()))
        for word, n in frequency.items()
    }
    mass = [math.fsum(index[w].get(k, 0.0) * value for w, value in weight.items()) for k in range(count)]
    mean = sum(mass) / count or 1.0
    norms = [max((m / mean) ** how.length, 0.2) for m in mass]
    found: dict[int, list[float]] = {}
    for i in units:
        row = [0.0] * count
        for word in held[i]:
            for k, share in index[word].items():
                row[k] += share * weight[word]
        found[i] = [x / norm for x, norm in zip(row, norms, strict=True)]
    return found


def _spread(
    index: dict[str, dict[int, float]],
    wanted: set[str],
    pairs: Mapping[int, set[str]],
    named: Mapping[int, int | None],
    count: int,
    spread: float,
) -> None:
    """Let an ask be known by words of its section too, when they stand mostly there."""
    size = [0] * count
    counts: dict[str, list[int]] = {}
    for i, k in named.items():
        if k is None:
            continue
        size[k] += 1
        for word in sorted(pairs[i] & wanted):
            counts.setdefault(word, [0] * count)[k] += 1
    for word, of in counts.items():
        if sum(of) < 2 or not word.isalnum():
            continue
        rates = [n / (s + 2) for n, s in zip(of, size, strict=True)]
        top = max(rates)
        if top >= 0.6 * sum(rates):
            k = rates.index(top)
            known = index.setdefault(word, {})
            known[k] = max(known.get(k, 0.0), spread * top / sum(rates))
