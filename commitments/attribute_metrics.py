"""How well attributes are found: spans, values, strengths and dispositions, against gold.

A gold span is found *exactly* when a predicted one of its kind has the same ends, and *by overlap* when one
shares a character with it; each predicted span is used once. Values are judged on spans found by overlap.
Sums are over letters, and intervals come from resampling letters, as everywhere (`commitments.metrics`).
"""

from __future__ import annotations

import datetime
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from commitments import corpus, metrics
from commitments.corpus import GoldDocument
from commitments.draft import Decision
from commitments.errors import SchemaError
from commitments.metrics import Interval
from commitments.pipeline import Pipeline
from commitments.reply import Deadline, Quantity, Reply
from commitments.terms import DeadlineKind, Disposition

KINDS = ("deadline", "condition", "quantity", "actor")
_DISPOSITIONS = {one.value: one for one in Disposition}
_DATED = frozenset({"by", "from", "within", "period"})
_MERGED = {Disposition.IN_PROGRESS: Disposition.PLANNED}


class GoldAttribute(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to", "sort": "type"}):
    """An attribute of a measure with its values, as a line of an attributes file lists it.

    Attributes:
        kind: actor, deadline, quantity or condition.
        start: offset into the letter's text.
        end: after its last character.
        unit: index of its sentence.
        sort: of a deadline, how it bounds; ``type`` in the file.
        first: of a deadline, the first day; ``from`` in the file.
        last: its last day; ``to`` in the file.
        value: of a quantity, in base units; ``None`` for a range.
        low: the lower end of a range.
        high: the upper end.
        unit_of: unit of a quantity.
        role: of a quantity or an actor.
    """

    kind: corpus.SpanKind
    start: int
    end: int
    unit: int = 0
    sort: str | None = None
    first: datetime.date | None = None
    last: datetime.date | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit_of: str | None = None
    role: str | None = None


class _Row(msgspec.Struct, frozen=True):
    id: str
    attributes: tuple[GoldAttribute, ...]


def load(path: str | Path) -> dict[str, tuple[GoldAttribute, ...]]:
    """Read an attributes file: JSONL, one letter a line, ``{"id": …, "attributes": […]}``.

    Returns:
        The attributes of each letter by its id.

    Raises:
        SchemaError: the file cannot be read, or a line is wrong; the message names file and line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path}: cannot be read: {error}") from error
    found: dict[str, tuple[GoldAttribute, ...]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=_Row)
        except msgspec.MsgspecError as error:
            raise SchemaError(f"{path}:{number}: {error}") from error
        found[row.id] = row.attributes
    return found


class Figures(msgspec.Struct, frozen=True):
    """What was found of one set of letters.

    Attributes:
        letters: how many were read.
        spans: gold spans by kind.
        figures: each with its interval; see `MEANING`.
    """

    letters: int
    spans: dict[str, int]
    figures: dict[str, Interval]


MEANING = {
    "exact": "F1 of spans, both ends right",
    "overlap": "F1 of spans that share a character",
    "dated_exact": "exact, of deadlines that name a date or a span (not 每年, not 尽快)",
    "dated_overlap": "overlap, of these",
    "interval": "first and last day both right, of dated deadlines found",
    "end": "last day right, of dated deadlines found",
    "kind": "kind right, of deadlines found",
    "value": "value or range right, of quantities found",
    "role": "role right, of spans found",
    "strength": "firm or soft right, of gold pledges found",
    "disposition": "macro-F1 of the asks' dispositions",
    "disposition_merged": "the same, in_progress and planned as one",
    "disposition_accuracy": "share of asks with the right disposition",
}
"""The figures, in words."""


def gold_reply(pipeline: Pipeline, document: GoldDocument) -> Reply:
    """A gold letter read with its gold statuses, so that attributes are judged by themselves."""
    edges = [(unit.start, unit.end) for unit in document.units]

    def decide(start: int, end: int) -> Decision:
        shared = [min(end, high) - max(start, low) for low, high in edges]
        best = max(range(len(shared)), key=shared.__getitem__, default=None)
        if best is None or shared[best] <= 0:
            return Decision()
        return Decision(document.units[best].label, document.units[best].also)

    asks = [ask.text for ask in document.asks]
    return pipeline.decided(document.text, decide, suggestion=asks or None, date=document.day)


_Pair = tuple[int, int]  # hits and chances
_Count = dict[str, list[int]]


def measure(
    documents: Iterable[GoldDocument],
    replies: Iterable[Reply],
    attributes: Mapping[str, Sequence[GoldAttribute]] | None = None,
    *,
    resamples: int = metrics.RESAMPLES,
    seed: int = metrics.SEED,
) -> Figures:
    """Compare what was read with gold.

    Args:
        documents: gold letters.
        replies: what a pipeline made of each.
        attributes: their attributes with values, from `load`; when not given, the spans of the gold units are
            used, which have no values. Letters without any are passed over.
        resamples: rounds of the bootstrap.
        seed: of the bootstrap.
    """
    rows: list[_Count] = []
    spans: Counter[str] = Counter()
    asked: list[tuple[Disposition, Disposition | None]] = []
    of_letter: list[list[tuple[Disposition, Disposition | None]]] = []
    for document, reply in zip(documents, replies, strict=True):
        gold = _gold(document, attributes)
        if gold is None:
            continue
        spans.update(item.kind for item in gold)
        row: _Count = {}
        _count_spans(gold, reply, row)
        _count_strength(document, reply, row)
        pairs = _dispositions(document, reply)
        asked += pairs
        rows.append(row)
        of_letter.append(pairs)
    names = sorted({name for row in rows for name in row})

    def figures(chosen: Sequence[int]) -> dict[str, float | None]:
        sums = {
            name: [sum(column) for column in zip(*(rows[i].get(name, _NO) for i in chosen), strict=True)]
            for name in names
        }
        out: dict[str, float | None] = {name: _ratio(name, sums[name]) for name in names}
        pairs = [pair for i in chosen for pair in of_letter[i]]
        return out | _disposition_figures(pairs)

    every = list(range(len(rows)))
    point = figures(every)
    lot = random.Random(seed)  # noqa: S311 - no secret
    drawn: dict[str, list[float]] = {name: [] for name in point}
    for _ in range(resamples if len(rows) > 1 else 0):
        for name, value in figures(lot.choices(every, k=len(every))).items():
            if value is not None:
                drawn[name].append(value)
    return Figures(
        letters=len(rows),
        spans=dict(sorted(spans.items())),
        figures={name: _interval(value, drawn[name]) for name, value in point.items()},
    )


_NO = [0, 0, 0, 0]


def _ratio(name: str, sums: Sequence[int]) -> float | None:
    """F1 of (found, gold, right, predicted), or a share of (hits, chances)."""
    if not sums:
        return None
    if name.rpartition("_")[2] in {"exact", "overlap"}:
        found, gold, right, predicted = sums
        if not gold:  # what was never marked cannot be found
            return None
        return (found + right) / (gold + predicted)
    return sums[0] / sums[1] if sums[1] else None


def _interval(value: float | None, drawn: list[float]) -> Interval:
    if value is None or not drawn:
        return Interval(value, None, None)
    drawn = sorted(drawn)
    tail = (1 - metrics.CONFIDENCE) / 2
    low, high = drawn[int(tail * (len(drawn) - 1))], drawn[round((1 - tail) * (len(drawn) - 1))]
    return Interval(value, low, high)


def _gold(
    document: GoldDocument, attributes: Mapping[str, Sequence[GoldAttribute]] | None
) -> Sequence[GoldAttribute] | None:
    if attributes is not None:
        return attributes.get(document.id)
    found = [
        GoldAttribute(span.kind, span.start, span.end, i)
        for i, unit in enumerate(document.units)
        for span in unit.spans
    ]
    return found or None


class _Seen(msgspec.Struct, frozen=True):
    """A predicted span."""

    start: int
    end: int
    item: Deadline | Quantity | None
    role: str | None = None


def _predicted(reply: Reply, kind: str) -> list[_Seen]:
    out: list[_Seen] = []
    for s in reply.sentences:
        if kind == "deadline":
            out += [_Seen(*d.span, d) for d in s.deadlines]
        elif kind == "condition":
            out += [_Seen(*c.span, None) for c in s.conditions]
        elif kind == "quantity":
            out += [_Seen(*q.span, q, q.role.value) for q in s.quantities]
        else:
            out += [_Seen(*a.span, None, a.role.value) for a in s.actors if a.span]
    return out


def pair(gold: Sequence[_Pair], predicted: Sequence[_Pair]) -> list[tuple[int, int]]:
    """Indices of gold and predicted spans that belong together: same ends first, then by overlap, in order.

    >>> pair([(0, 3), (5, 9)], [(0, 3), (4, 6), (8, 9)])
    [(0, 0), (1, 1)]
    """
    free = dict.fromkeys(range(len(predicted)))
    out: dict[int, int] = {}
    where = {span: j for j, span in reversed(list(enumerate(predicted)))}
    for i, span in enumerate(gold):
        j = where.get(span)
        if j is not None and j in free:
            out[i] = j
            del free[j]
    for i, (start, end) in enumerate(gold):
        if i in out:
            continue
        for j in free:
            if predicted[j][0] < end and start < predicted[j][1]:
                out[i] = j
                del free[j]
                break
    return sorted(out.items())


def _count_spans(gold: Sequence[GoldAttribute], reply: Reply, row: _Count) -> None:
    for kind in KINDS:
        wanted = [item for item in gold if item.kind == kind]
        seen = _predicted(reply, kind)
        pairs = pair([(w.start, w.end) for w in wanted], [(s.start, s.end) for s in seen])
        exact = sum((wanted[i].start, wanted[i].end) == (seen[j].start, seen[j].end) for i, j in pairs)
        row[f"{kind}_exact"] = [exact, len(wanted), exact, len(seen)]
        row[f"{kind}_overlap"] = [len(pairs), len(wanted), len(pairs), len(seen)]
        if kind == "deadline":
            _count_deadlines(wanted, seen, pairs, row)
        elif kind == "quantity":
            judged = [(wanted[i], seen[j].item) for i, j in pairs if _valued(wanted[i])]
            row["quantity_value"] = [sum(_value_right(w, q) for w, q in judged), len(judged), 0, 0]
        roles = [(wanted[i].role, seen[j].role) for i, j in pairs if wanted[i].role]
        if roles:
            row[f"{kind}_role"] = [sum(a == b for a, b in roles), len(roles), 0, 0]


def _count_deadlines(
    wanted: Sequence[GoldAttribute], seen: Sequence[_Seen], pairs: Sequence[tuple[int, int]], row: _Count
) -> None:
    kinds = [s.item.kind if isinstance(s.item, Deadline) else DeadlineKind.BY for s in seen]
    if any(w.sort for w in wanted) or not wanted:
        dated = [i for i, w in enumerate(wanted) if w.sort in _DATED]
        told = [j for j, kind in enumerate(kinds) if kind.value in _DATED]
        inner = [(i, j) for i, j in pairs if i in dated and j in told]
        exact = sum((wanted[i].start, wanted[i].end) == (seen[j].start, seen[j].end) for i, j in inner)
        row["deadline_dated_exact"] = [exact, len(dated), exact, len(told)]
        row["deadline_dated_overlap"] = [len(inner), len(dated), len(inner), len(told)]
        judged = [(wanted[i], seen[j].item) for i, j in pairs if wanted[i].first or wanted[i].last]
        ends = [(w, d) for w, d in judged if isinstance(d, Deadline) and w.last]
        row["deadline_end"] = [sum(w.last == d.end for w, d in ends), len(ends), 0, 0]
        both = sum(isinstance(d, Deadline) and _interval_right(w, d) for w, d in judged)
        row["deadline_interval"] = [both, len(judged), 0, 0]
        sorts = [(wanted[i].sort, kinds[j].value) for i, j in pairs if wanted[i].sort]
        row["deadline_kind"] = [sum(a == b for a, b in sorts), len(sorts), 0, 0]


def _interval_right(w: GoldAttribute, d: Deadline) -> bool:
    """Whether both days are right; of a time *by* which, annotators may or may not name a first day."""
    if w.sort == "by":
        return w.last == d.end
    return (w.first, w.last) == (d.start, d.end)


def _valued(w: GoldAttribute) -> bool:
    return w.value is not None or w.low is not None


def _value_right(w: GoldAttribute, q: Deadline | Quantity | None) -> bool:
    if not isinstance(q, Quantity):
        return False
    if w.value is None:
        return _close(w.low, q.low) and _close(w.high, q.high)
    return _close(w.value, q.value)


def _close(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= 1e-6 * max(1.0, abs(a))


def _count_strength(document: GoldDocument, reply: Reply, row: _Count) -> None:
    found = metrics.align(
        [(u.start, u.end) for u in document.units], [(s.start, s.end) for s in reply.sentences]
    )
    judged = [
        (unit.strength, reply.sentences[j].strength)
        for unit, j in zip(document.units, found, strict=True)
        if unit.strength and j is not None and reply.sentences[j].strength
    ]
    row["strength"] = [sum(a == b for a, b in judged), len(judged), 0, 0]


def _dispositions(document: GoldDocument, reply: Reply) -> list[tuple[Disposition, Disposition | None]]:
    told = {ask.text: ask.disposition for ask in reply.asks}
    return [(_DISPOSITIONS[ask.disposition], told.get(ask.text)) for ask in document.asks if ask.disposition]


def _disposition_figures(pairs: Sequence[tuple[Disposition, Disposition | None]]) -> dict[str, float | None]:
    if not pairs:
        return {}
    merged = [(_MERGED.get(a, a), _MERGED.get(b, b) if b else b) for a, b in pairs]
    return {
        "disposition": _macro(pairs),
        "disposition_merged": _macro(merged),
        "disposition_accuracy": sum(a == b for a, b in pairs) / len(pairs),
    }


def _macro(pairs: Sequence[tuple[Disposition, Disposition | None]]) -> float:
    """Mean F1 over the dispositions that gold has."""
    scores = []
    for one in {a for a, _ in pairs}:
        hits = sum(a == b == one for a, b in pairs)
        scores.append(2 * hits / (sum(a == one for a, _ in pairs) + sum(b == one for _, b in pairs)))
    return sum(scores) / len(scores)


def run(
    gold: Sequence[str | Path],
    pipeline: Pipeline,
    attributes: str | Path | None = None,
    *,
    statuses: Literal["model", "gold"] = "model",
    resamples: int = metrics.RESAMPLES,
) -> Figures:
    """Measure a pipeline's attributes on gold files.

    Args:
        gold: of letters.
        pipeline: what reads them.
        attributes: a file of attributes with values, for those letters.
        statuses: whose statuses decide what a measure is: the pipeline's own, or gold's.
        resamples: rounds of the bootstrap.

    Raises:
        SchemaError: a file is missing or wrong.
    """
    known = None if attributes is None else load(attributes)
    documents = [document for path in gold for document in corpus.load(path)]
    if known is not None:
        documents = [document for document in documents if document.id in known]
    else:
        documents = [document for document in documents if any(unit.spans for unit in document.units)]
    if not documents:
        raise SchemaError("no letter of these files has attributes")
    from commitments.evaluate import read

    reader: Callable[[Pipeline, GoldDocument], Reply] = gold_reply if statuses == "gold" else read
    return measure(documents, [reader(pipeline, d) for d in documents], known, resamples=resamples)


def render(found: Figures) -> str:
    """The figures as plain text, for people."""
    from commitments.evaluate import bounded, columns

    spans = ", ".join(f"{count:,} {kind}" for kind, count in found.spans.items())
    table = [[name, bounded(figure)] for name, figure in found.figures.items() if figure.value is not None]
    lines = [f"{found.letters:,} letters: {spans}", "", *columns(table), "", "What the figures are"]
    width = max(map(len, MEANING))
    return "\n".join([*lines, *(f"  {key.ljust(width)}  {words}" for key, words in MEANING.items())])
