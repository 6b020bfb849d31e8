"""doccano: JSONL for a project of the kind Sequence Labeling, and its exports.

A line is a letter with spans as ``[start, end, label]``. Labels are the statuses, ``also:STATUS`` on the same
span, and the kinds of attributes: switch on “Allow overlapping spans” in the project. What a span cannot
carry, which asks a sentence answers and how firm a pledge is, travels in the letter's metadata, with what the
letter says of itself; a sentence that people have moved takes it from the one that it overlaps most.

doccano counts UTF-16 code units, as its users report (its issue 2290), unless the project counts graphemes,
which this module does not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from commitments.corpus import GoldDocument, Strength, encode
from commitments.errors import SchemaError
from commitments.exchange import (
    SPAN_KINDS,
    Counting,
    Mark,
    Note,
    Offsets,
    OnError,
    Piece,
    assemble,
    from_header,
    header,
    raw,
    status_of,
)
from commitments.terms import Status

ALSO = "also:"
_COLORS = {"completed": "#2e7d32", "ongoing": "#1565c0", "pledge": "#ef6c00", "none": "#9e9e9e"}


def line(document: GoldDocument, *, counting: Counting = "utf16") -> str:
    """One letter as a line, without the line break.

    Args:
        document: the letter; what a model says of it can be made one by `commitments.exchange.predicted`.
        counting: how doccano shall count.

    >>> from commitments.corpus import GoldUnit
    >>> letter = GoldDocument("a", "将修路。", (), (GoldUnit(0, 4, Status.PLEDGE),))
    >>> msgspec.json.decode(line(letter))["label"]
    [[0, 4, 'pledge']]
    """
    offsets = Offsets(document.text, counting)
    label: list[tuple[int, int, str]] = []
    for unit in document.units:
        where = offsets.out(unit.start), offsets.out(unit.end)
        label += [(*where, word) for word in (unit.label.value, *(ALSO + s.value for s in unit.also))]
        label += [(offsets.out(s.start), offsets.out(s.end), s.kind) for s in unit.spans]
    kept = {
        "sha256": _hash(document.text),
        "counting": counting,
        "units": [(u.start, u.end, (u.label, *u.also), u.links, u.strength) for u in document.units],
        "letter": header(document),
    }
    row = {
        "text": document.text,
        "label": label,
        "letter_id": document.id,
        "title": document.title or "",
        "asks": "; ".join(f"{ask.id} {ask.text}" for ask in document.asks),
        # One string: doccano keeps strings as they are, whatever it does to the rest.
        "kept": msgspec.json.encode(kept).decode(),
    }
    return msgspec.json.encode(row).decode()


def labels() -> str:
    """The labels, for doccano's “Import Labels”.

    >>> len(msgspec.json.decode(labels()))
    12
    """
    words = [s.value for s in Status] + [ALSO + s.value for s in Status] + [*SPAN_KINDS]
    rows = [
        {
            "text": word,
            "background_color": _COLORS.get(word.removeprefix(ALSO), "#6a1b9a"),
            "text_color": "#ffffff",
        }
        for word in words
    ]
    return msgspec.json.format(msgspec.json.encode(rows), indent=1).decode() + "\n"


class _Entity(msgspec.Struct, frozen=True):
    label: str
    start_offset: int
    end_offset: int


class _Row(msgspec.Struct, frozen=True):
    text: str
    label: list[tuple[int, int, str]] | None = None
    labels: list[tuple[int, int, str]] | None = None
    entities: list[_Entity] | None = None
    id: str | int | None = None
    letter_id: str | int | None = None
    kept: str | None = None
    meta: dict[str, Any] | None = None


class _Kept(msgspec.Struct, frozen=True):
    sha256: str
    counting: Counting
    units: list[tuple[int, int, tuple[Status, ...], tuple[str, ...], Strength | None]]
    letter: dict[str, Any]


def load(
    path: str | Path,
    *,
    counting: Counting | None = None,
    on_error: OnError | None = None,
    note: Note = lambda _: None,
) -> Iterator[GoldDocument]:
    """Read an export, letter by letter: the formats JSONL and JSONL(relation), one line a letter.

    A sentence without links in a letter with one ask is taken to answer it, when it is new.

    Args:
        path: of the export.
        counting: how offsets were counted; when not given, as they were written, or in UTF-16 code units.
        on_error: is told of a letter that is wrong; without it the first such letter ends the reading.
        note: is told of what was put right or left out.

    Raises:
        SchemaError: the file cannot be read, or, without `on_error`, a letter is wrong; the message names
            file and line.
    """
    path = Path(path)
    seen: dict[str, int] = {}
    for number, content in enumerate(raw(path).split(b"\n"), 1):
        if not content.strip():
            continue
        name = f"{path}:{number}"
        try:
            document = _read(content, number, counting, _prefixed(note, name))
            if document.id in seen:
                raise SchemaError(f"letter {document.id!r} stands in line {seen[document.id]} already")  # noqa: TRY301
            encode(document)
        except (SchemaError, UnicodeError) as error:
            wrong = SchemaError(f"{name}: {error}")
            if on_error is None:
                raise wrong from error
            on_error(name, wrong)
            continue
        seen[document.id] = number
        yield document


def dumps(documents: Iterable[GoldDocument], *, counting: Counting = "utf16") -> str:
    """Letters as a file that doccano imports.

    >>> dumps([])
    ''
    """
    return "".join(line(document, counting=counting) + "\n" for document in documents)


def _prefixed(note: Note, name: str) -> Note:
    return lambda said: note(f"{name}: {said}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(content: bytes, number: int, counting: Counting | None, note: Note) -> GoldDocument:
    try:
        row = msgspec.json.decode(content, type=_Row)
        # Older versions keep what travels along in a field of its own.
        told = row.kept if row.kept is not None else (row.meta or {}).get("kept")
        kept = None if told is None else msgspec.json.decode(str(told), type=_Kept)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SchemaError(str(error)) from error
    if kept and kept.sha256 != _hash(row.text):
        raise SchemaError(
            "the text is not the one that was exported, so that nothing can be put to its place"
        )
    if row.label is None and row.labels is None and row.entities is None:
        raise SchemaError("has no field label, labels or entities")
    spans = [*(row.label or ()), *(row.labels or ())]
    spans += [(e.start_offset, e.end_offset, e.label) for e in row.entities or ()]
    offsets = Offsets(row.text, counting or (kept.counting if kept else "utf16"))
    mains: dict[tuple[int, int], list[Status]] = {}
    also: dict[tuple[int, int], list[Status]] = {}
    pieces: list[Piece] = []
    for k, (start, end, label) in enumerate(spans):
        here, there = offsets.back(start), offsets.back(end)
        if here is None or there is None or here >= there:
            raise SchemaError(f"[{start}, {end}) {label!r} is no part of a text of {offsets.size} - at [{k}]")
        kind = next((kind for kind in SPAN_KINDS if kind == label), None)
        status = status_of(label.removeprefix(ALSO))
        if kind:
            pieces.append(Piece(here, there, kind))
        elif status is None:
            note(f"passed over the label {label!r}, which is none of this library")
        else:
            (also if label.startswith(ALSO) else mains).setdefault((here, there), []).append(status)
    for where in also.keys() - mains.keys():
        raise SchemaError(f"[{where[0]}, {where[1]}) is also {also[where][0]}, but has no status of its own")
    before = [Mark(*unit) for unit in kept.units] if kept else []
    name = row.letter_id if row.letter_id is not None else row.id
    bare = from_header(
        kept.letter if kept else None, row.text, name=str(name if name is not None else f"line-{number}")
    )
    one = bare.asks[0].id if len(bare.asks) == 1 else None
    made = []
    for where, statuses in mains.items():
        for status in dict.fromkeys(statuses):
            every = (status, *also.get(where, ()))
            links, strength = _kept_of(where, before, every, one)
            made.append(Mark(*where, every, links, strength))
    return assemble(bare, made, pieces, note)


def _kept_of(
    where: tuple[int, int], before: Sequence[Mark], every: Sequence[Status], one: str | None
) -> tuple[tuple[str, ...], Strength | None]:
    """Links and strength of the exported sentence that this one overlaps most; of a new one, the only ask."""
    best, most = None, 0
    for unit in before:
        shared = min(unit.end, where[1]) - max(unit.start, where[0])
        if shared > most:
            best, most = unit, shared
    if best and (best.start, best.end) == where and best.statuses == tuple(every):
        return best.links, best.strength  # nobody has touched it
    if set(every) == {Status.NONE}:
        return (), None
    # What was none has no links to hand on.
    links = (best.links if best else ()) or ((one,) if one else ())
    return links, best.strength if best and Status.PLEDGE in every else None
