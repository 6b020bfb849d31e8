"""Whether a model's confidence means what it says, and what leaving out unsure sentences gains.

Pure functions of sentences' confidences and whether their status was right. Where these pairs come from is in
`metrics.judged`; how a model is calibrated, in `commitments.train.run`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

BINS = 15


class Bin(msgspec.Struct, frozen=True):
    """Sentences of like confidence: how many, their mean confidence, and the share that is right."""

    sentences: int
    confidence: float
    right: float


class Point(msgspec.Struct, frozen=True):
    """What a model is like that decides only what it is sure of.

    Attributes:
        threshold: least confidence of what it decides.
        coverage: share of the sentences that it decides.
        risk: share of these that is wrong.
    """

    threshold: float
    coverage: float
    risk: float


class Calibration(msgspec.Struct, frozen=True):
    """Figures of a model's confidence.

    Attributes:
        sentences: how many were read; those that their role settles are not counted.
        error: expected calibration error, see `error`.
        bins: what it is made of.
        area: under the curve of risk over coverage; less is better.
        curve: that curve at some thresholds.
    """

    sentences: int
    error: float
    bins: tuple[Bin, ...]
    area: float
    curve: tuple[Point, ...]


def bins(judged: Iterable[tuple[float, bool]], count: int = BINS) -> tuple[Bin, ...]:
    """Sentences ordered by confidence and cut into bins of equal size, as far as that goes.

    Bins of equal width would hold nearly all sentences in the last one.

    >>> [b.right for b in bins([(0.9, True), (0.5, False), (0.8, True), (0.6, True)], 2)]
    [0.5, 1.0]
    """
    ordered = sorted(judged)
    size = len(ordered)
    found = []
    for n in range(count):
        part = ordered[n * size // count : (n + 1) * size // count]
        if part:
            mean = sum(confidence for confidence, _ in part) / len(part)
            found.append(Bin(len(part), mean, sum(right for _, right in part) / len(part)))
    return tuple(found)


def error(of: Sequence[Bin]) -> float:
    """Expected calibration error: mean distance of confidence and share of right ones, by sentences.

    M. Naeini et al., AAAI 2015; C. Guo et al., ICML 2017.

    >>> error([Bin(3, 0.9, 0.8), Bin(1, 0.5, 0.5)])
    0.075
    """
    whole = sum(b.sentences for b in of)
    return round(sum(b.sentences * abs(b.confidence - b.right) for b in of) / whole, 12) if whole else 0.0


def curve(judged: Iterable[tuple[float, bool]], thresholds: Iterable[float]) -> tuple[Point, ...]:
    """Risk and coverage at some thresholds (R. El-Yaniv & Y. Wiener, JMLR 11, 2010).

    >>> curve([(0.9, True), (0.5, False)], [0.0, 0.6])
    (Point(threshold=0.0, coverage=1.0, risk=0.5), Point(threshold=0.6, coverage=0.5, risk=0.0))
    """
    rows = list(judged)
    found = []
    for threshold in thresholds:
        kept = [right for confidence, right in rows if confidence >= threshold]
        risk = 1 - sum(kept) / len(kept) if kept else 0.0
        found.append(Point(threshold, len(kept) / len(rows) if rows else 0.0, risk))
    return tuple(found)


def area(judged: Iterable[tuple[float, bool]]) -> float:
    """Mean risk over all coverages (Y. Geifman & R. El-Yaniv, NeurIPS 2017); less is better.

    >>> area([(0.9, True), (0.5, False)])
    0.25
    """
    ordered = sorted(judged, key=lambda pair: -pair[0])
    wrong, total = 0, 0.0
    for n, (_, right) in enumerate(ordered, 1):
        wrong += not right
        total += wrong / n
    return total / len(ordered) if ordered else 0.0


def measure(judged: Iterable[tuple[float, bool]]) -> Calibration:
    """All figures of a model's confidence."""
    rows = list(judged)
    cut = bins(rows)
    steps = (0.0, *(n / 20 for n in range(8, 20)), 0.98)
    return Calibration(len(rows), error(cut), cut, area(rows), curve(rows, steps))
