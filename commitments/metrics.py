"""What is counted for a letter, what figures the counts make, and how sure the figures are.

Pure functions of gold letters and predicted ones; running models over gold files and writing the report is
in `evaluate`. Counts add up over letters: that is why letters can be resampled quickly, and why no figure
here is a mean of figures of single letters.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from commitments.corpus import ALL_ASKS, GoldDocument, GoldUnit
from commitments.reply import Reply, Sentence
from commitments.tag import READ_ROLES
from commitments.terms import Status

LABELS = tuple(Status)
"""The classes, in the order of a confusion matrix's rows (gold) and columns (predicted)."""

CONFIDENCE = 0.95
RESAMPLES = 1000
SEED = 20230612


class Counts(msgspec.Struct, frozen=True):
    """What a letter, or several added up, contributes to every figure.

    Each pair is the number of hits and the number of chances.

    Attributes:
        confusion: units by gold label (rows) and predicted status (columns), row after row.
        soft: units whose predicted status is the label or in ``also``.
        also_found: secondary statuses of gold units that are also predicted, as secondary ones.
        also_right: predicted secondary statuses that are also gold.
        links: gold measures of letters with several asks that were predicted as measures; a hit has the
            same set of asks.
        links_all: every gold measure of those letters; one that was missed is no hit.
        links_any: as ``links``, over letters with any number of asks.
        links_all_any: as ``links_all``, over letters with any number of asks.
        boundaries_found: gold starts and ends that are also predicted.
        boundaries_right: predicted starts and ends that are also gold.
        units: gold units predicted with both their ends.
    """

    confusion: tuple[int, ...] = (0,) * len(LABELS) ** 2
    soft: tuple[int, int] = (0, 0)
    also_found: tuple[int, int] = (0, 0)
    also_right: tuple[int, int] = (0, 0)
    links: tuple[int, int] = (0, 0)
    links_all: tuple[int, int] = (0, 0)
    links_any: tuple[int, int] = (0, 0)
    links_all_any: tuple[int, int] = (0, 0)
    boundaries_found: tuple[int, int] = (0, 0)
    boundaries_right: tuple[int, int] = (0, 0)
    units: tuple[int, int] = (0, 0)

    def flat(self) -> tuple[int, ...]:
        """All numbers in one row, as `of` takes them back."""
        return sum((getattr(self, name) for name in self.__struct_fields__[1:]), self.confusion)

    @classmethod
    def of(cls, row: Sequence[int]) -> Counts:
        """The counts that `flat` laid out.

        >>> Counts.of(Counts(soft=(3, 4)).flat()).soft
        (3, 4)
        """
        cells = len(LABELS) ** 2
        pairs = zip(row[cells::2], row[cells + 1 :: 2], strict=True)
        return cls(tuple(row[:cells]), *pairs)


def total(counts: Iterable[Counts]) -> Counts:
    """The sum over letters."""
    return Counts.of(
        [sum(column) for column in zip(Counts().flat(), *(c.flat() for c in counts), strict=True)]
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The same stretch without white space at its edges, which is nobody's mistake."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _edges(text: str, stretches: Iterable[GoldUnit | Sentence]) -> list[tuple[int, int]]:
    return [_trimmed(text, stretch.start, stretch.end) for stretch in stretches]


def align(gold: Sequence[tuple[int, int]], predicted: Sequence[tuple[int, int]]) -> list[int | None]:
    """For each gold stretch the predicted one that shares most characters with it; the first of equals.

    Both must be in order and without overlaps. Where units are cut differently, a gold unit thus gets the
    status of the sentence that holds most of it: a wrong cut costs what it spoils.

    >>> align([(0, 4), (4, 9), (9, 12)], [(0, 5), (5, 9)])
    [0, 1, None]
    """
    best: list[int | None] = []
    first = 0
    for start, end in gold:
        while first < len(predicted) and predicted[first][1] <= start:
            first += 1
        choice, most, j = None, 0, first
        while j < len(predicted) and predicted[j][0] < end:
            shared = min(end, predicted[j][1]) - max(start, predicted[j][0])
            if shared > most:
                choice, most = j, shared
            j += 1
        best.append(choice)
    return best


def expand(links: Iterable[str], asks: Collection[str]) -> frozenset[str]:
    """The asks that links name, with ``*`` spelt out.

    >>> sorted(expand(["*"], ["S1", "S2"]))
    ['S1', 'S2']
    """
    named = frozenset(links)
    return named - {ALL_ASKS} | frozenset(asks) if ALL_ASKS in named else named


def linkable(document: GoldDocument) -> bool:
    """Whether its links can be judged: where two asks have the same words, nothing tells them apart."""
    return len({ask.text for ask in document.asks}) == len(document.asks) > 0


def count(document: GoldDocument, reply: Reply | None, *, links: bool = True) -> Counts:
    """Compare one letter's labels with its prediction.

    Args:
        document: the gold letter.
        reply: what was read from ``document.text``; ``None`` when reading failed: all is none, nothing cut.
        links: whether the letter takes part in the figures of links; see also `linkable`.

    Returns:
        Counts that can be added up over letters with `total`.
    """
    text = document.text
    sentences: tuple[Sentence, ...] = reply.sentences if reply else ()
    gold, cuts = _edges(text, document.units), _edges(text, sentences)
    # The asks were given in the gold's order, so they are the same by position whatever their ids.
    names = {ask.id: own.id for ask, own in zip(reply.asks if reply else (), document.asks, strict=False)}
    asks = [ask.id for ask in document.asks]
    links = links and linkable(document)

    confusion = [0] * len(LABELS) ** 2
    soft = seen = hits = measures = told = held = shared = 0
    for unit, j in zip(document.units, align(gold, cuts), strict=True):
        status = Status.NONE if j is None else sentences[j].status
        confusion[LABELS.index(unit.label) * len(LABELS) + LABELS.index(status)] += 1
        soft += status is unit.label or status in unit.also
        further = set(sentences[j].also) - {status} if j is not None else set()
        wanted = set(unit.also) - {unit.label}
        told, held, shared = told + len(further), held + len(wanted), shared + len(further & wanted)
        if links and unit.label is not Status.NONE and unit.links:
            measures += 1
            if j is not None and status is not Status.NONE:
                seen += 1
                answered = [names.get(ask, ask) for ask in sentences[j].asks]
                hits += expand(answered, asks) == expand(unit.links, asks)
    several = len(asks) > 1
    edges = [{edge[side] for edge in gold} & {edge[side] for edge in cuts} for side in (0, 1)]
    common = sum(map(len, edges))
    return Counts(
        tuple(confusion),
        soft=(soft, len(gold)),
        also_found=(shared, held),
        also_right=(shared, told),
        links=(hits, seen) if several else (0, 0),
        links_all=(hits, measures) if several else (0, 0),
        links_any=(hits, seen),
        links_all_any=(hits, measures),
        boundaries_found=(common, 2 * len(gold)),
        boundaries_right=(common, 2 * len(cuts)),
        units=(len(set(gold) & set(cuts)), len(gold)),
    )


def judged(document: GoldDocument, reply: Reply | None) -> list[tuple[float, bool]]:
    """Confidence and whether the status is right, of each gold unit whose sentence was read for a status.

    Units that their role settles, such as headings, are left out: nothing was decided there.
    """
    sentences = reply.sentences if reply else ()
    gold, cuts = _edges(document.text, document.units), _edges(document.text, sentences)
    found = []
    for unit, j in zip(document.units, align(gold, cuts), strict=True):
        if j is not None and sentences[j].role in READ_ROLES:
            found.append((sentences[j].confidence, sentences[j].status is unit.label))
    return found


def _ratio(hits: float, chances: float) -> float | None:
    return hits / chances if chances else None


class ClassFigures(msgspec.Struct, frozen=True):
    """Precision, recall and F1 of one class; ``support`` is how many gold units have it."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


def by_class(confusion: Sequence[int]) -> dict[Status, ClassFigures]:
    """Precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN), class by class.

    A figure without any case to judge it by is ``None``.
    """
    size = len(LABELS)
    found = {}
    for i, label in enumerate(LABELS):
        right = confusion[i * size + i]
        gold = sum(confusion[i * size : i * size + size])
        predicted = sum(confusion[i::size])
        f1 = _ratio(2 * right, gold + predicted)
        found[label] = ClassFigures(_ratio(right, predicted), _ratio(right, gold), f1, gold)
    return found


def figures(counts: Counts) -> dict[str, float | None]:
    """Every figure that the counts make; ``None`` where there was nothing to judge by.

    ``macro_f1`` is the unweighted mean of the classes' F1 (Sokolova and Lapalme 2009), over the classes that
    occur in the gold or in the prediction, as scikit-learn's ``f1_score(average="macro")`` does. ``soft``
    also accepts a status named in ``also``. The ``links`` figures are exact matches of sets of asks; see
    `Counts`.
    """
    classes = by_class(counts.confusion)
    f1 = {label: of_class.f1 for label, of_class in classes.items()}
    present = [value for value in f1.values() if value is not None]
    right = sum(counts.confusion[:: len(LABELS) + 1])
    found, right_cuts = counts.boundaries_found, counts.boundaries_right
    return {
        "macro_f1": _ratio(sum(present), len(present)),
        **{f"f1_{label.value}": value for label, value in f1.items()},
        "accuracy": _ratio(right, sum(counts.confusion)),
        "soft": _ratio(*counts.soft),
        "also_f1": _ratio(2 * counts.also_found[0], counts.also_found[1] + counts.also_right[1]),
        "links": _ratio(*counts.links),
        "links_all": _ratio(*counts.links_all),
        "links_any": _ratio(*counts.links_any),
        "links_all_any": _ratio(*counts.links_all_any),
        "boundaries_recall": _ratio(*found),
        "boundaries_precision": _ratio(*right_cuts),
        "boundaries_f1": _ratio(2 * found[0], found[1] + right_cuts[1]),
        "exact_units": _ratio(*counts.units),
    }


class Interval(msgspec.Struct, frozen=True):
    """A figure and the interval that it lies in; no bounds when there are too few letters to tell."""

    value: float | None
    low: float | None = None
    high: float | None = None


def resample(
    models: Mapping[str, Sequence[Counts]], resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, list[Counts]]:
    """Draw letters with replacement, as many as there are, again and again, and add up their counts.

    The letter is drawn, not the sentence (a cluster bootstrap; Field and Welsh 2007): sentences of one letter
    are alike, and drawing them one by one would make the intervals too narrow. In each round all models get
    the same letters, so that differences between models can be taken round by round.

    Args:
        models: for each model the counts of each letter, the letters in one order.
        resamples: number of rounds.
        seed: of the drawing; the same seed draws the same.

    Returns:
        For each model the summed counts of each round.
    """
    rows = [sum((c.flat() for c in letter), ()) for letter in zip(*models.values(), strict=True)]
    if not rows:
        return {name: [] for name in models}
    # One big integer a letter, 64 bits a count: summing integers is the fastest loop that plain Python has.
    pack = struct.Struct(f"<{len(rows[0])}Q")
    packed = [int.from_bytes(pack.pack(*row), "little") for row in rows]
    draw = random.Random(seed).random  # noqa: S311 - statistics, not secrets
    n, width = len(packed), len(Counts().flat())
    drawn: dict[str, list[Counts]] = {name: [] for name in models}
    for _ in range(resamples):
        summed = sum([packed[int(draw() * n)] for _ in range(n)])
        row = pack.unpack(summed.to_bytes(pack.size, "little"))
        for i, name in enumerate(models):
            drawn[name].append(Counts.of(row[i * width : (i + 1) * width]))
    return drawn


def interval(value: float | None, drawn: Iterable[float | None]) -> Interval:
    """Percentile bootstrap (Efron 1979): the middle 95 % of the figure's values over the resamples.

    Resamples in which the figure does not exist are left out; if they are the most, there are no bounds.
    """
    drawn = list(drawn)
    values = sorted(v for v in drawn if v is not None)
    if value is None or 2 * len(values) <= len(drawn):
        return Interval(value)
    tail = (1 - CONFIDENCE) / 2
    return Interval(value, _quantile(values, tail), _quantile(values, 1 - tail))


def _quantile(values: Sequence[float], share: float) -> float:
    """Linear between the two nearest order statistics."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


class Difference(msgspec.Struct, frozen=True):
    """How much better one model is than another on the same letters.

    Attributes:
        model: the one.
        baseline: the other.
        figure: in which figure.
        interval: the difference, model less baseline.
        not_better: share of resamples in which the model was not better.
    """

    model: str
    baseline: str
    figure: str
    interval: Interval
    not_better: float | None


class Measured(msgspec.Struct, frozen=True):
    """Figures of several models on the same letters, with intervals, and their differences from the first."""

    letters: int
    units: int
    figures: dict[str, dict[str, Interval]]
    differences: tuple[Difference, ...]


def measure(
    models: Mapping[str, Sequence[Counts]], *, resamples: int = RESAMPLES, seed: int = SEED
) -> Measured:
    """All figures of all models with their intervals; the first model is compared with each other one.

    Args:
        models: at least one; for each the counts of each letter, the letters in one order.
        resamples: rounds of resampling; with fewer than two letters there are no intervals.
        seed: of the drawing.
    """
    sums = {name: total(counts) for name, counts in models.items()}
    points = {name: figures(counts) for name, counts in sums.items()}
    letters = min(map(len, models.values()))
    rounds: dict[str, list[dict[str, float | None]]] = {name: [] for name in models}
    if letters > 1:
        for name, drawn in resample(models, resamples, seed).items():
            rounds[name] = [figures(counts) for counts in drawn]
    table = {
        name: {key: interval(value, [r[key] for r in rounds[name]]) for key, value in of_model.items()}
        for name, of_model in points.items()
    }
    differences = []
    first, *others = models
    for other in others:
        both = zip(rounds[first], rounds[other], strict=True)
        pairs = [_minus(a["macro_f1"], b["macro_f1"]) for a, b in both]
        known = [pair for pair in pairs if pair is not None]
        point = _minus(points[first]["macro_f1"], points[other]["macro_f1"])
        not_better = _ratio(sum(pair <= 0 for pair in known), len(known))
        differences.append(Difference(first, other, "macro_f1", interval(point, pairs), not_better))
    return Measured(letters, sums[first].soft[1], table, tuple(differences))


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
