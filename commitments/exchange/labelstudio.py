"""Label Studio: tasks to import there, a labelling config for them, and what is exported from there.

A task is a letter. A sentence is a region with its status as label; what it is also, the asks that it
answers and the strength of a pledge are choices of that region; actors, deadlines, quantities and conditions
are regions of a second set of labels. Read is the export named JSON, not JSON-MIN, which loses which choice
belongs to which region.

Label Studio counts characters since the middle of 2022 and UTF-16 code units before, which differ after an
emoji or a rare character (𠮷). Its regions repeat their words, so that the right way is found by looking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec

from commitments.corpus import ALL_ASKS, GoldDocument, encode
from commitments.errors import SchemaError
from commitments.exchange import (
    SPAN_KINDS,
    STRENGTHS,
    Counting,
    Mark,
    Note,
    Offsets,
    OnError,
    Piece,
    assemble,
    from_header,
    header,
    marks,
    raw,
    squeezed,
    status_of,
)
from commitments.terms import Status

_COLORS = {"completed": "#2e7d32", "ongoing": "#1565c0", "pledge": "#ef6c00", "none": "#9e9e9e"}
_COLORS |= {"actor": "#6a1b9a", "deadline": "#c62828", "quantity": "#00838f", "condition": "#795548"}


class Prediction(msgspec.Struct, frozen=True):
    """What a model says of a letter.

    Attributes:
        document: in the form of a gold letter, as `commitments.exchange.predicted` makes it.
        model: name and version.
        confidence: of each unit, by its offsets.
        notes: what the annotator should see at a unit, by its offsets.
    """

    document: GoldDocument
    model: str
    confidence: Mapping[tuple[int, int], float] = {}
    notes: Mapping[tuple[int, int], str] = {}


def task(
    gold: GoldDocument | None, *, predicted: Prediction | None = None, counting: Counting = "chars"
) -> dict[str, Any]:
    """One letter as a task.

    Args:
        gold: its labels become an annotation.
        predicted: what a model says becomes a prediction; its score is the mean confidence of its sentences,
            so that the Data Manager can put the least certain letters first.
        counting: ``"utf16"`` for a Label Studio from before the middle of 2022.

    Raises:
        SchemaError: neither is given, or the two are of different texts.

    >>> from commitments.corpus import GoldUnit
    >>> letter = GoldDocument("a", "将修路。", (), (GoldUnit(0, 4, Status.PLEDGE),))
    >>> task(letter)["annotations"][0]["result"][0]["value"]
    {'start': 0, 'end': 4, 'text': '将修路。', 'labels': ['pledge']}
    """
    letter = gold or (predicted and predicted.document)
    if not letter:
        raise SchemaError("a task needs a gold letter or a prediction")
    if gold and predicted and gold.text != predicted.document.text:
        raise SchemaError(f"the prediction is not of the text of {gold.id}")
    asks = "\n".join(f"{ask.id} {ask.text}" for ask in letter.asks)
    data = {"text": letter.text, "id": letter.id, "title": letter.title or "", "asks": asks}
    row: dict[str, Any] = {"data": {**data, "letter": header(letter)}}
    if gold:
        row["annotations"] = [{"result": _result(gold, None, counting)}]
    if predicted:
        made: dict[str, Any] = {"model_version": predicted.model}
        if predicted.confidence:
            made["score"] = round(sum(predicted.confidence.values()) / len(predicted.confidence), 4)
        row["predictions"] = [{**made, "result": _result(predicted.document, predicted, counting)}]
    return row


def _result(letter: GoldDocument, told: Prediction | None, counting: Counting) -> list[dict[str, Any]]:
    offsets = Offsets(letter.text, counting)
    out: list[dict[str, Any]] = []

    def region(name: str, control: str, start: int, end: int, key: str, values: list[str]) -> dict[str, Any]:
        place = {"start": offsets.out(start), "end": offsets.out(end), "text": letter.text[start:end]}
        row = {"id": name, "from_name": control, "to_name": "text", "type": key}
        return {**row, "value": {**place, key: values}}

    for i, (unit, mark) in enumerate(zip(letter.units, marks(letter), strict=True)):
        name, where = f"u{i}", (unit.start, unit.end)
        main = region(name, "status", *where, "labels", [unit.label.value])
        if told and where in told.confidence:
            main["score"] = round(told.confidence[where], 4)
        if told and where in told.notes:
            main["meta"] = {"text": [told.notes[where]]}
        out.append(main)
        choices = {"also": [s.value for s in mark.statuses[1:]], "asks": [*unit.links]}
        choices["strength"] = [unit.strength] if unit.strength else []
        out += [region(name, key, *where, "choices", values) for key, values in choices.items() if values]
        for j, span in enumerate(unit.spans):
            out.append(region(f"{name}s{j}", "attribute", span.start, span.end, "labels", [span.kind]))
    return out


def config(documents: Iterable[GoldDocument]) -> str:
    """The labelling config for these letters: paste it into the project's settings, under Labeling Interface.

    Args:
        documents: the letters; the config offers every ask that one of them has.

    >>> '<Label value="pledge" alias="pledge"' in config([])
    True
    """
    asks = list(dict.fromkeys([ask.id for document in documents for ask in document.asks]))
    lines = ["<View>", '  <Header value="$title"/>', '  <Text name="question" value="$asks"/>']
    lines.append('  <Labels name="status" toName="text" choice="single" showInline="true">')
    for s in Status:
        lines.append(_label(s.value, f"{s.value} {s.zh}"))
    lines += ["  </Labels>", '  <Labels name="attribute" toName="text" choice="single" showInline="true">']
    lines += [_label(kind, kind) for kind in SPAN_KINDS]
    lines.append("  </Labels>")
    lines.append('  <Text name="text" value="$text" saveTextResult="yes" granularity="symbol"/>')
    for name, many, values in (
        ("also", "multiple", [s.value for s in Status]),
        ("asks", "multiple", [*asks, ALL_ASKS]),
        ("strength", "single-radio", [*STRENGTHS]),
    ):
        shown = 'perRegion="true" visibleWhen="region-selected" whenTagName="status"'
        lines.append(f'  <View {shown.split(" ", 1)[1]}><Header value="{name}" size="5"/>')
        lines.append(f'    <Choices name="{name}" toName="text" choice="{many}" showInline="true" {shown}>')
        lines += [f"      <Choice value={quoteattr(value)}/>" for value in values]
        lines += ["    </Choices>", "  </View>"]
    return "\n".join([*lines, "</View>", ""])


def _label(value: str, hint: str) -> str:
    alias = f'value="{value}" alias="{value}"'
    return f'    <Label {alias} hint={quoteattr(hint)} background="{_COLORS[value]}"/>'


def dumps(tasks: Iterable[Mapping[str, Any]]) -> str:
    r"""Tasks as a file that Label Studio imports.

    >>> dumps([])
    '[]\n'
    """
    return "[" + ",\n".join(msgspec.json.encode(row).decode() for row in tasks) + "]\n"


class _Region(msgspec.Struct, frozen=True):
    """An entry of a result, as far as it is read."""

    value: dict[str, Any] | None = None
    from_name: str | None = None
    type: str | None = None
    id: str | int | None = None


class _Annotation(msgspec.Struct, frozen=True):
    result: list[_Region]
    id: str | int | None = None
    completed_by: int | str | dict[str, Any] | None = None
    was_cancelled: bool | None = False
    ground_truth: bool | None = False
    updated_at: str | int | None = None
    created_at: str | int | None = None


class _Task(msgspec.Struct, frozen=True):
    data: dict[str, Any]
    id: str | int | None = None
    annotations: list[_Annotation] | None = None
    completions: list[_Annotation] | None = None


class _Place(msgspec.Struct, frozen=True):
    start: int
    end: int
    text: str | None = None
    labels: list[str] | None = None
    choices: list[str] | None = None


def load(
    path: str | Path,
    *,
    annotator: str | None = None,
    counting: Counting | None = None,
    on_error: OnError | None = None,
    note: Note = lambda _: None,
) -> Iterator[GoldDocument]:
    """Read an export, letter by letter.

    Of several annotations of a letter that of `annotator` is taken, or else the one marked as ground truth,
    or else the last; of one annotator's several, too. A letter with none, or with cancelled ones only, is
    passed over; `note` is told.

    Args:
        path: of the export named JSON.
        annotator: number, name or e-mail address of the one whose annotations are wanted.
        counting: how offsets were counted; found out from the regions' words when not given.
        on_error: is told of a letter that is wrong; without it the first such letter ends the reading.
        note: is told of what was chosen, put right or left out.

    Raises:
        SchemaError: the file is no such export, or, without `on_error`, a letter is wrong; the message names
            file, task and region.
    """
    path = Path(path)
    try:
        rows = msgspec.json.decode(raw(path))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SchemaError(f"{path}: no JSON: {error}") from error
    if not isinstance(rows, list):
        raise SchemaError(
            f"{path}: expected a list of tasks, as Label Studio exports them under the name JSON"
        )
    seen: dict[str, str] = {}
    for i, row in enumerate(rows):
        name = f"{path}: task {_number(row, i)}"
        say = _prefixed(note, name)
        try:
            document = _read(row, i, annotator, counting, say)
            if document is None:
                continue
            if document.id in seen:
                raise SchemaError(f"letter {document.id!r} is {seen[document.id]} already")  # noqa: TRY301
            encode(document)
        except (SchemaError, UnicodeError) as error:
            wrong = SchemaError(f"{name}: {error}")
            if on_error is None:
                raise wrong from error
            on_error(name, wrong)
            continue
        seen[document.id] = f"task {_number(row, i)}"
        yield document


def _prefixed(note: Note, name: str) -> Note:
    return lambda line: note(f"{name}: {line}")


def _number(row: object, i: int) -> str:
    """What a task is called in messages: Label Studio's number of it, or its place in the file."""
    number = row.get("id") if isinstance(row, dict) else None
    return str(number) if isinstance(number, str | int) else f"at $[{i}]"


def _read(
    row: object, i: int, annotator: str | None, counting: Counting | None, note: Note
) -> GoldDocument | None:
    try:
        found = msgspec.convert(row, _Task)
    except (msgspec.ValidationError, RecursionError) as error:
        hint = ""
        if isinstance(row, dict) and "data" not in row and "text" in row:
            hint = "; this looks like JSON-MIN: export as JSON"
        raise SchemaError(f"{error}{hint}") from error
    text = found.data.get("text")
    if not isinstance(text, str):
        raise SchemaError("has no text - at `$.data.text`")
    chosen = _chosen([*(found.annotations or ()), *(found.completions or ())], annotator, note)
    if chosen is None:
        return None
    name = found.data.get("id")
    name = str(name) if isinstance(name, str | int) and str(name) else f"task-{_number(row, i)}"
    bare = from_header(found.data.get("letter"), text, name=name)
    made, pieces = _marks(text, chosen.result, counting, note)
    return assemble(bare, made, pieces, note)


def _chosen(annotations: Sequence[_Annotation], annotator: str | None, note: Note) -> _Annotation | None:
    valid = [a for a in annotations if not a.was_cancelled]
    if annotator is not None:
        valid = [a for a in valid if annotator in _names(a.completed_by)]
    if not valid:
        by = f" by {annotator}" if annotator is not None else ""
        cancelled = " but cancelled ones" if any(a.was_cancelled for a in annotations) else ""
        note(f"passed over: it has no annotation{by}{cancelled}")
        return None
    best = [a for a in valid if a.ground_truth] or valid
    last = max(range(len(best)), key=lambda i: (str(best[i].updated_at or best[i].created_at or ""), i))
    if len(valid) > 1:
        why = "marked as ground truth" if best[last].ground_truth else "the last"
        by = ", ".join(sorted(_names(best[last].completed_by))) or "unknown"
        note(f"took annotation {best[last].id or last + 1} by {by}, {why} of {len(valid)}")
    return best[last]


def _names(by: int | str | dict[str, Any] | None) -> set[str]:
    if isinstance(by, dict):
        names = [by.get(key) for key in ("id", "email", "username")]
        return {str(name) for name in names if isinstance(name, int | str) and name != ""}
    return set() if by is None else {str(by)}


def _marks(
    text: str, result: Sequence[_Region], counting: Counting | None, note: Note
) -> tuple[list[Mark], list[Piece]]:
    entries: list[tuple[str, _Region, _Place]] = []
    for j, region in enumerate(result):
        if region.value is None or region.type not in ("labels", "choices"):
            continue  # relations, and whatever else a config of one's own has
        if "start" not in region.value and region.type == "choices":
            continue  # a choice of the whole letter
        name = f"region {region.id if region.id is not None else f'at result[{j}]'}"
        try:
            entries.append((name, region, msgspec.convert(region.value, _Place)))
        except msgspec.ValidationError as error:
            raise SchemaError(f"{name}: {error}") from error
    places = _placed(text, entries, counting, note)
    chosen: dict[tuple[str | int | None, str], list[str]] = {}
    for name, region, place in entries:
        if region.type == "choices" and region.from_name:
            if place.choices is None:
                raise SchemaError(f"{name}: has no choices")
            chosen[region.id if region.id is not None else name, region.from_name] = place.choices
    made: list[Mark] = []
    pieces: list[Piece] = []
    for (name, region, place), (start, end) in zip(entries, places, strict=True):
        if region.type != "labels":
            continue
        kinds = [kind for kind in SPAN_KINDS if kind in (place.labels or ())]
        statuses = [status for label in place.labels or () if (status := status_of(label)) is not None]
        if len(kinds) + len(statuses) < len(place.labels or ()):
            note(f"{name}: passed over the labels {place.labels} as far as they are none of this library")
        elif not place.labels:
            note(f"{name}: left out, it has no label")
        pieces += [Piece(start, end, kind, name) for kind in kinds]
        if statuses:
            key = region.id if region.id is not None else name
            also = [_known(word, name) for word in chosen.get((key, "also"), ())]
            strength = next((s for s in STRENGTHS if s in chosen.get((key, "strength"), ())), None)
            links = tuple(dict.fromkeys(chosen.get((key, "asks"), ())))
            made.append(Mark(start, end, (*statuses, *also), links, strength, str(region.id or "")))
    return made, pieces


def _known(word: str, name: str) -> Status:
    status = status_of(word)
    if status is None:
        raise SchemaError(f"{name}: {word!r} is no status")
    return status


def _placed(
    text: str, entries: Sequence[tuple[str, _Region, _Place]], counting: Counting | None, note: Note
) -> list[tuple[int, int]]:
    """Where the regions stand, in characters; each must fit its words."""
    known: tuple[Counting, ...] = (counting,) if counting else ("chars", "utf16")
    ways = {way: Offsets(text, way) for way in known}
    fits = {way: [_fit(text, place, offsets) for *_, place in entries] for way, offsets in ways.items()}
    # Most regions decide for those that fit in both ways, or that carry no words.
    best = max(fits, key=lambda way: sum(fit is not None and fit[2] for fit in fits[way]))
    order = [best, *(way for way in fits if way != best)]
    if best == "utf16" and counting is None:
        note("its offsets count UTF-16 code units")
    places = []
    for k, (name, _, place) in enumerate(entries):
        fit = next((fits[way][k] for way in order if fits[way][k] is not None), None)
        if fit is None:
            at = f"[{place.start}, {place.end})"
            if not 0 <= place.start < place.end <= len(text):
                raise SchemaError(f"{name}: {at} is no part of a text of {len(text)} characters")
            there, said = text[place.start : place.end][:40], (place.text or "")[:40]
            raise SchemaError(f"{name}: says {said!r}, but the text has {there!r} at {at}")
        places.append(fit[:2])
    return places


def _fit(text: str, place: _Place, offsets: Offsets) -> tuple[int, int, bool] | None:
    start, end = offsets.back(place.start), offsets.back(place.end)
    if start is None or end is None or start >= end:
        return None
    if place.text is None:
        return start, end, False
    return (start, end, True) if squeezed(text[start:end]) == squeezed(place.text) else None
