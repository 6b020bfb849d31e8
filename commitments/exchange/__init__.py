"""Exchange with annotation tools: letters go out to be labelled or corrected, and come back as gold letters.

Each tool has a module: `labelstudio`, `doccano`, and `standoff` for brat and what reads its files. All of
them write and read gold letters (`commitments.corpus.GoldDocument`); what a model says of a letter becomes
one first, with `predicted`. What is worth correcting first is in `review`.

This module holds what they share: how labels that people have moved, deleted and added become the units of
a gold letter again (`assemble`), in what a tool may count characters (`Counting`), and how a file is written
(`write`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from commitments.corpus import (
    GoldAsk,
    GoldDocument,
    GoldSpan,
    GoldUnit,
    SpanKind,
    Strength,
    check,
    decode,
    encode,
)
from commitments.errors import SchemaError
from commitments.reply import Reply
from commitments.terms import Role, Status

SPAN_KINDS: tuple[SpanKind, ...] = get_args(SpanKind)
STRENGTHS: tuple[Strength, ...] = get_args(Strength)
OnError = Callable[[str, SchemaError], None]
"""Is told the name of a letter and what is wrong with it; the others are then still read."""
Note = Callable[[str], None]
"""Is told what was put right, left out or chosen, in a line that names file and letter."""

Counting = Literal["chars", "utf16"]
"""In what offsets are counted: characters, as Python counts, or UTF-16 code units, as JavaScript does."""


class Mark(msgspec.Struct, frozen=True):
    """A sentence as labelled in a tool: a unit before it is checked.

    Attributes:
        start: offset of its first character.
        end: offset after its last.
        statuses: the main one first, then those that it has also.
        links: ids of the asks that it answers.
        strength: of a pledge.
        name: what the tool calls it, for messages.
    """

    start: int
    end: int
    statuses: tuple[Status, ...]
    links: tuple[str, ...] = ()
    strength: Strength | None = None
    name: str = ""


class Piece(msgspec.Struct, frozen=True):
    """An attribute as marked in a tool; its sentence is the one that it lies in."""

    start: int
    end: int
    kind: SpanKind
    name: str = ""


def assemble(
    bare: GoldDocument, marks: Iterable[Mark], pieces: Iterable[Piece], note: Note = lambda _: None
) -> GoldDocument:
    """The gold letter that marks make, in whatever order and state people have left them.

    White space at the edges of a mark is no part of the unit; the same sentence marked twice with the same
    labels is one; a sentence that is none answers no ask, and one without a pledge has no strength, whatever
    was left there when its status was changed; an attribute that lies in no labelled sentence is left out.
    `note` is told.

    Args:
        bare: the letter without units.
        marks: its sentences.
        pieces: its attributes.
        note: is told of what was put right.

    Raises:
        SchemaError: two sentences overlap, one has two main statuses, an attribute crosses the edge of its
            sentence, an ask is not one of the letter's.

    >>> letter = GoldDocument("a", "已修路。年底前通车。", (), ())
    >>> marks = [Mark(4, 10, (Status.PLEDGE,)), Mark(0, 4, (Status.COMPLETED,))]
    >>> [u.label.value for u in assemble(letter, marks, [Piece(4, 7, "deadline")]).units]
    ['completed', 'pledge']
    """
    text = bare.text
    kept: list[Mark] = []
    for mark in marks:
        start, end = _trimmed(text, mark.start, mark.end)
        if start == end:
            note(f"left out {_called(mark, text)}: it holds nothing but white space")
        else:
            kept.append(_consistent(msgspec.structs.replace(mark, start=start, end=end), text, note))
    kept.sort(key=lambda m: (m.start, m.end))
    units: list[Mark] = []
    for mark in kept:
        before = units[-1] if units else None
        if before is None or mark.start >= before.end:
            units.append(mark)
        elif (before.start, before.end) != (mark.start, mark.end):
            raise SchemaError(f"{_called(mark, text)} overlaps {_called(before, text)}: move or delete one")
        elif (before.statuses, before.links, before.strength) == (mark.statuses, mark.links, mark.strength):
            note(f"{_called(mark, text)} is there twice")
        else:
            raise SchemaError(
                f"{_called(mark, text)} is labelled twice, {before.statuses[0]} and {mark.statuses[0]}: "
                "leave the main status, and put the other into also"
            )
    spans: dict[int, list[GoldSpan]] = {}
    for piece in pieces:
        start, end = piece.start, piece.end
        i = next((i for i, u in enumerate(units) if u.start < end and start < u.end), None)
        if i is not None and not units[i].start <= start < end <= units[i].end:
            start, end = _trimmed(text, start, end)
        words = f"the {piece.kind} {_short(text[start:end])} [{start}, {end})"
        if i is None or not text[start:end].strip():
            note(f"left out {words}: it lies in no labelled sentence")
        elif not units[i].start <= start < end <= units[i].end:
            raise SchemaError(f"{words} crosses the edge of {_called(units[i], text)}: move one of them")
        else:
            span = GoldSpan(piece.kind, start, end, text[start:end])
            if span in spans.setdefault(i, []):
                note(f"{words} is there twice")
            else:
                spans[i].append(span)
    document = msgspec.structs.replace(
        bare,
        units=tuple(
            GoldUnit(
                u.start,
                u.end,
                u.statuses[0],
                tuple(dict.fromkeys(s for s in u.statuses[1:] if s is not u.statuses[0])),
                u.links,
                u.strength,
                tuple(sorted(spans.get(i, ()), key=lambda s: (s.start, s.end))),
            )
            for i, u in enumerate(units)
        ),
    )
    check(document)
    return document


def marks(document: GoldDocument) -> tuple[Mark, ...]:
    """The units of a gold letter as marks, in order.

    >>> unit = GoldUnit(0, 4, Status.PLEDGE, (Status.COMPLETED,))
    >>> marks(GoldDocument("a", "将修路。", (), (unit,)))[0].statuses
    (<Status.PLEDGE: 'pledge'>, <Status.COMPLETED: 'completed'>)
    """
    return tuple(Mark(u.start, u.end, (u.label, *u.also), u.links, u.strength) for u in document.units)


def predicted(reply: Reply) -> GoldDocument:
    """What a model says of a letter, in the form of a gold letter, for people to correct.

    Dispositions are left open: they are counted from statuses, and nobody would have looked at them. What is
    not of the letter (the page around it, the suggestion printed beside it) is not among its units.

    Args:
        reply: what the pipeline returned.

    >>> import commitments
    >>> predicted(commitments.load("cues")("将建公园。")).units[0].label.value
    'pledge'
    """
    units = []
    for s in reply.sentences:
        if s.role in (Role.OUTSIDE, Role.SUGGESTION) or s.start == s.end:
            continue
        found: list[tuple[SpanKind, int, int]] = []
        found += [("deadline", *d.span) for d in s.deadlines]
        found += [("condition", *c.span) for c in s.conditions]
        found += [("quantity", *q.span) for q in s.quantities]
        found += [("actor", *a.span) for a in s.actors if a.span is not None and not a.implied]
        spans = {
            GoldSpan(kind, start, end, reply.text[start:end])
            for kind, start, end in found
            if s.start <= start < end <= s.end
        }
        strength = s.strength.value if s.strength else None
        units.append(
            GoldUnit(
                s.start,
                s.end,
                s.status,
                s.also,
                s.asks,
                strength,
                tuple(sorted(spans, key=lambda span: (span.start, span.end, span.kind))),
            )
        )
    return GoldDocument(
        id=reply.name or "letter",
        text=reply.text,
        asks=tuple(GoldAsk(ask.id, ask.text) for ask in reply.asks),
        units=tuple(units),
        kind=reply.kind,
        agency=reply.agency,
        date=reply.date.isoformat() if reply.date else None,
        title=reply.title,
        doc_number=reply.doc_number,
    )


def filled(document: GoldDocument) -> GoldDocument:
    r"""The same letter, in which every sentence that nobody labelled is labelled as none.

    For those who mark measures only. A sentence that a unit touches counts as labelled.

    >>> letter = GoldDocument("a", "李代表：\n将修路。", (), (GoldUnit(5, 9, Status.PLEDGE),))
    >>> [(u.label.value, u.start, u.end) for u in filled(letter).units]
    [('none', 0, 4), ('pledge', 5, 9)]
    """
    import commitments

    cleaned, draft = commitments.load("cues").draft(document.text)
    units = list(document.units)
    for sentence in draft.units:
        start, end = cleaned.offsets.to_source(sentence.start, sentence.end)
        start, end = _trimmed(document.text, start, end)
        if start < end and not any(u.start < end and start < u.end for u in document.units):
            units.append(GoldUnit(start, end, Status.NONE))
    whole = msgspec.structs.replace(document, units=tuple(sorted(units, key=lambda u: u.start)))
    check(whole)
    return whole


def header(document: GoldDocument) -> dict[str, Any]:
    """All that a gold letter says of itself, without its text and its units, as JSON takes it."""
    row: dict[str, Any] = msgspec.json.decode(encode(document))
    return {key: value for key, value in row.items() if key not in ("text", "units")}


def from_header(row: object, text: str, *, name: str) -> GoldDocument:
    """The letter that `header` described, without units; without a header only id and text are known.

    Args:
        row: what `header` gave, or anything else that came back in its place.
        text: of the letter.
        name: its id, where the header names none.

    Raises:
        SchemaError: a field is wrong; the message names it as a JSON path.

    >>> from_header({"id": "a", "asks": [{"id": "S1", "text": "修路"}]}, "好。", name="1").asks[0].text
    '修路'
    """
    if row is None:
        return GoldDocument(name, text, (), ())
    if not isinstance(row, Mapping):
        raise SchemaError(f"expected an object that describes the letter, got {_short(str(row))}")
    try:
        return decode(msgspec.json.encode({"id": name, "asks": [], **row, "text": text, "units": []}))
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"what describes the letter is wrong: {error}") from error


class Offsets:
    """Offsets of a text in one way of counting, and back.

    Args:
        text: the letter.
        counting: what the tool counts.

    >>> emoji = Offsets("🚌来了", "utf16")
    >>> emoji.out(1), emoji.back(2)
    (2, 1)
    """

    def __init__(self, text: str, counting: Counting) -> None:
        self.size = len(text)
        self._out: list[int] | None = None
        if counting == "utf16" and any(ord(c) > 0xFFFF for c in text):
            self._out = [0]
            for c in text:
                self._out.append(self._out[-1] + 1 + (ord(c) > 0xFFFF))
            self._back = {out: at for at, out in enumerate(self._out)}

    def out(self, at: int) -> int:
        """An offset in characters, as the tool counts it."""
        return at if self._out is None else self._out[at]

    def back(self, at: int) -> int | None:
        """An offset of the tool, in characters; ``None`` where it is none, or inside a character."""
        if self._out is None:
            return at if 0 <= at <= self.size else None
        return self._back.get(at)


def write(path: Path, content: str, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all.

    Args:
        path: where to.
        content: written as UTF-8, line breaks as they are.
        overwrite: whether a file that is there may be replaced.

    Raises:
        FileExistsError: it is there, and may not be replaced.
        OSError: it cannot be written.
    """
    if path.exists() and not overwrite:
        raise FileExistsError(17, "is there already; give --overwrite, or another name", str(path))
    part = path.with_name(f".{path.name[:80]}.{os.getpid()}.part")
    try:
        part.write_text(content, encoding="utf-8", newline="")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def raw(path: Path, *, mark: bool = False) -> bytes:
    """The bytes of a file, without a byte order mark unless `mark` is wanted.

    Raises:
        SchemaError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise SchemaError(f"{path}: cannot be read: {reason or error}") from error
    return content if mark else content.removeprefix(b"\xef\xbb\xbf")


def status_of(word: str) -> Status | None:
    """The status that a label names, in English or Chinese, in any case; ``None`` of another label.

    >>> status_of("Pledge"), status_of("未来承诺"), status_of("actor") is None
    (<Status.PLEDGE: 'pledge'>, <Status.PLEDGE: 'pledge'>, True)
    """
    return next((s for s in Status if word.strip().lower() in (s.value, s.zh)), None)


def squeezed(words: str) -> str:
    """A text without white space, for comparing: tools write line breaks in their own ways."""
    return "".join(words.replace("\\n", "").replace("\\r", "").split())


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return start, max(start, end - (len(words) - len(words.rstrip())))


def _consistent(mark: Mark, text: str, note: Note) -> Mark:
    if mark.links and set(mark.statuses) == {Status.NONE}:
        note(f"{_called(mark, text)} is none: it answers no ask")
        mark = msgspec.structs.replace(mark, links=())
    if mark.strength and Status.PLEDGE not in mark.statuses:
        note(f"{_called(mark, text)} is no pledge: it has no strength")
        mark = msgspec.structs.replace(mark, strength=None)
    return mark


def _called(mark: Mark, text: str) -> str:
    name = f" {mark.name}" if mark.name else ""
    return f"sentence{name} [{mark.start}, {mark.end}) {_short(text[mark.start : mark.end])}"


def _short(words: str) -> str:
    return repr(words if len(words) <= 20 else words[:19] + "…")
