"""brat standoff: a ``.txt`` and an ``.ann`` for each letter, which other tools read too.

A sentence is a text-bound annotation (T) whose type is its status; an attribute is one of its kind. What a
sentence is also, the asks that it answers and its strength are attributes of it (A). Relations (R) are not
needed: an attribute belongs to the sentence that it lies in. A tool that reads T lines only, as INCEpTION's
importer may, keeps statuses and spans, and loses what stands in A lines. brat wants no line break inside an
annotation, so that one over several lines has several fragments; a break at the edge of an attribute is lost.

What a letter says of itself has no place in these files and stands beside them, in ``letters.json``; without
it the name of the file is the letter's id, and its asks have numbers and no words. Offsets are in characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from commitments.corpus import ALL_ASKS, GoldAsk, GoldDocument, Strength, encode
from commitments.errors import SchemaError
from commitments.exchange import (
    SPAN_KINDS,
    STRENGTHS,
    Mark,
    Note,
    OnError,
    Piece,
    assemble,
    from_header,
    header,
    raw,
    squeezed,
    status_of,
)
from commitments.terms import Status

HEADERS = "letters.json"
_ALSO, _ANSWERS, _STRENGTH = "Also_", "Answers_", "Strength"
_COLORS = {"completed": "#a5d6a7", "ongoing": "#90caf9", "pledge": "#ffcc80", "none": "#e0e0e0"}


def ann(document: GoldDocument) -> str:
    r"""The ``.ann`` of a letter.

    >>> from commitments.corpus import GoldUnit
    >>> letter = GoldDocument("a", "将\n修路。", (), (GoldUnit(0, 5, Status.PLEDGE, strength="firm"),))
    >>> ann(letter)
    'T1\tpledge 0 1;2 5\t将 修路。\nA1\tStrength T1 firm\n'
    """
    places = {ask.id: str(n) for n, ask in enumerate(document.asks, 1)} | {ALL_ASKS: "all"}
    bound: list[str] = []
    attributes: list[str] = []

    def add(kind: str, start: int, end: int) -> str:
        # Every character that some reader takes for the end of a line ends a fragment.
        parts = [
            m.span() for m in re.finditer(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+", document.text[start:end])
        ]
        parts = parts or [(0, end - start)]
        where = ";".join(f"{start + a} {start + b}" for a, b in parts)
        words = " ".join(document.text[start + a : start + b] for a, b in parts)
        name = f"T{len(bound) + 1}"
        bound.append(f"{name}\t{kind} {where}\t{words}\n")
        return name

    def say(words: str) -> None:
        attributes.append(f"A{len(attributes) + 1}\t{words}\n")

    for unit in document.units:
        name = add(unit.label.value, unit.start, unit.end)
        for status in unit.also:
            say(f"{_ALSO}{status.value} {name}")
        for link in unit.links:
            say(f"{_ANSWERS}{places[link]} {name}")
        if unit.strength:
            say(f"{_STRENGTH} {name} {unit.strength}")
        for span in unit.spans:
            add(span.kind, span.start, span.end)
    return "".join(bound + attributes)


def files(documents: Iterable[GoldDocument]) -> dict[str, str]:
    """The files of a brat collection, by name: letters, ``annotation.conf``, ``visual.conf``, `HEADERS`.

    Args:
        documents: letters; their ids name the files, as far as a file may be called so.

    >>> sorted(files([GoldDocument("a/b", "好。", (), ())]))
    ['a_b.ann', 'a_b.txt', 'annotation.conf', 'letters.json', 'visual.conf']
    """
    found: dict[str, str] = {}
    headers: dict[str, Any] = {}
    most = 0
    for document in documents:
        stem = base = re.sub(r"[^\w.-]|^\.", "_", document.id)[:60] or "_"
        n = 1
        while stem.lower() in {name.lower() for name in headers}:
            n += 1
            stem = f"{base}-{n}"
        headers[stem] = header(document)
        most = max(most, len(document.asks))
        found[f"{stem}.txt"] = document.text
        found[f"{stem}.ann"] = ann(document)
    kinds = [s.value for s in Status]
    conf = ["[entities]", *kinds, *SPAN_KINDS, "[relations]", "[events]", "[attributes]"]
    conf += [f"{_ALSO}{kind}\tArg:{'|'.join(kinds)}" for kind in kinds]
    conf += [f"{_ANSWERS}{n}\tArg:{'|'.join(kinds)}" for n in [*range(1, most + 1), "all"]]
    conf.append(f"{_STRENGTH}\tArg:{'|'.join(kinds)}, Value:{'|'.join(STRENGTHS)}")
    visual = ["[labels]", *(f"{s.value} | {s.value} {s.zh} | {s.value}" for s in Status), "[drawing]"]
    visual += ["SPAN_DEFAULT\tfgColor:black, bgColor:#d1c4e9, borderColor:darken"]
    visual += [f"{kind}\tbgColor:{color}" for kind, color in _COLORS.items()]
    found["annotation.conf"] = "\n".join(conf) + "\n"
    found["visual.conf"] = "\n".join(visual) + "\n"
    found[HEADERS] = msgspec.json.format(msgspec.json.encode(headers), indent=1).decode() + "\n"
    return found


def load(
    path: str | Path, *, on_error: OnError | None = None, note: Note = lambda _: None
) -> Iterator[GoldDocument]:
    """Read a folder of ``.txt`` and ``.ann`` files, letter by letter in the order of their names.

    A letter without ``.ann`` has not been labelled and is passed over; `note` is told.

    Args:
        path: of the folder, or of one ``.ann`` in it.
        on_error: is told of a letter that is wrong; without it the first such letter ends the reading.
        note: is told of what was put right or left out.

    Raises:
        SchemaError: there is nothing to read, or, without `on_error`, a letter is wrong; the message names
            file and line.
    """
    path = Path(path)
    try:
        folder = path if path.is_dir() else path.parent
        texts = sorted(folder.glob("*.txt")) if path.is_dir() else [path.with_suffix(".txt")]
        if not texts:
            raise SchemaError(f"{path}: holds no .txt; give the folder of .txt and .ann files")
        headers = _headers(folder / HEADERS) if (folder / HEADERS).exists() else None
    except (OSError, ValueError) as error:
        raise SchemaError(f"{path}: cannot be read: {error}") from error
    seen: dict[str, Path] = {}
    for text in texts:
        file = text.with_suffix(".ann")
        try:
            if path.is_dir() and not file.exists():
                note(f"{text}: passed over: there is no {file.name}")
                continue
            document = _read(text, file, headers, note)
            if document.id in seen:
                raise SchemaError(f"{text}: letter {document.id!r} stands in {seen[document.id]} already")  # noqa: TRY301
            encode(document)
        except SchemaError as error:
            if on_error is None:
                raise
            on_error(str(file), error)
            continue
        seen[document.id] = text
        yield document


def _headers(path: Path) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(raw(path))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SchemaError(f"{path}: no JSON: {error}") from error
    if not isinstance(found, dict):
        raise SchemaError(f"{path}: expected an object with a letter for each file")
    return found


def _read(path: Path, file: Path, headers: Mapping[str, Any] | None, note: Note) -> GoldDocument:
    try:
        # To brat a byte order mark is a character as any other.
        text, lines = raw(path, mark=True).decode(), raw(file).decode().split("\n")
    except UnicodeDecodeError as error:
        raise SchemaError(f"{file}: it or its .txt is no UTF-8: {error}") from error
    known = (headers or {}).get(path.stem)
    try:
        bare = from_header(known, text, name=path.stem)
    except SchemaError as error:
        raise SchemaError(f"{path.parent / HEADERS}: {path.stem}: {error}") from error
    try:
        bound, attributes = parse(text, lines, note=lambda said: note(f"{file}{said}"))
    except SchemaError as error:
        raise SchemaError(f"{file}{error}") from error
    if known is None:
        numbers = [
            int(name[len(_ANSWERS) :]) for name, *_ in attributes if re.fullmatch(r"Answers_\d{1,3}", name)
        ]
        if numbers:
            asks = tuple(GoldAsk(f"S{n}", "") for n in range(1, max(numbers) + 1))
            bare = msgspec.structs.replace(bare, asks=asks)
            note(f"{file}: {HEADERS} does not tell of this letter; its asks have no words")
    try:
        marks, pieces = _marks(bare, bound, attributes)
        return assemble(bare, marks, pieces, lambda said: note(f"{file}: {said}"))
    except SchemaError as error:
        raise SchemaError(f"{file}: {error}") from error


def parse(
    text: str, lines: Sequence[str], note: Note = lambda _: None
) -> tuple[dict[str, tuple[str, int, int]], list[tuple[str, str, str]]]:
    r"""Read the lines of an ``.ann``.

    Args:
        text: of the letter.
        lines: of the file.
        note: is told of lines that are passed over; the line's number comes first, after a colon.

    Returns:
        Type, start and end of each T, by its id; and name, target and value of each A, in order.

    Raises:
        SchemaError: a line is wrong; its number comes first, after a colon.

    >>> parse("将修路。", ["T1\tpledge 0 4\t将修路。", "A1\tStrength T1 soft"])
    ({'T1': ('pledge', 0, 4)}, [('Strength', 'T1', 'soft')])
    """
    bound: dict[str, tuple[str, int, int]] = {}
    attributes: list[tuple[str, str, str]] = []
    passed = 0
    for number, line in enumerate(lines, 1):
        fields = line.rstrip("\r").split("\t", 2)
        if not line.strip():
            continue
        if line[0] in "AM":
            words = fields[1].split() if len(fields) > 1 else []
            if not 2 <= len(words) <= 3:
                raise SchemaError(
                    f":{number}: expected a name, a target and perhaps a value, got {line[:60]!r}"
                )
            attributes.append((words[0], words[1], words[2] if len(words) == 3 else ""))
        elif line[0] == "T":
            if len(fields) < 3 or fields[0] in bound:
                why = "this id stands above already" if fields[0] in bound else "expected id, place and words"
                raise SchemaError(f":{number}: {why}, got {line[:60]!r}")
            bound[fields[0]] = _bound(text, fields[1], fields[2], number)
        elif line[0] not in "RE*#N":
            raise SchemaError(f":{number}: is no line of brat's: {line[:60]!r}")
        else:
            passed += 1
    if passed:
        note(f": {passed} relations, events or notes were passed over")
    return bound, attributes


def _bound(text: str, place: str, words: str, number: int) -> tuple[str, int, int]:
    found = re.fullmatch(r"(\S+) ([0-9]{1,9} [0-9]{1,9}(?:;[0-9]{1,9} [0-9]{1,9})*)", place.strip())
    if not found:
        raise SchemaError(f":{number}: expected a type and offsets, as in 'pledge 0 12', got {place[:60]!r}")
    parts = [tuple(map(int, part.split())) for part in found[2].split(";")]
    last = 0
    for start, end in parts:
        if not last <= start < end <= len(text):
            raise SchemaError(
                f":{number}: [{start}, {end}) is no part of a text of {len(text)}, or out of order"
            )
        if last and text[last:start].strip():
            raise SchemaError(f":{number}: has a gap at [{last}, {start}), which a sentence cannot have")
        last = end
    whole = "".join(text[start:end] for start, end in parts)
    if squeezed(whole) != squeezed(words):
        raise SchemaError(f":{number}: says {words[:40]!r}, but the text has {whole[:40]!r} there")
    return found[1], parts[0][0], last


def _marks(
    bare: GoldDocument, bound: Mapping[str, tuple[str, int, int]], attributes: Sequence[tuple[str, str, str]]
) -> tuple[list[Mark], list[Piece]]:
    also: dict[str, list[Status]] = {}
    links: dict[str, list[str]] = {}
    strength: dict[str, Strength] = {}
    asks = {str(n): ask.id for n, ask in enumerate(bare.asks, 1)} | {"all": ALL_ASKS}
    for name, target, value in attributes:
        if target not in bound:
            raise SchemaError(f"{name} {target}: there is no {target}")
        if name.startswith(_ALSO) and (status := status_of(name[len(_ALSO) :])):
            also.setdefault(target, []).append(status)
        elif name.startswith(_ANSWERS):
            if name[len(_ANSWERS) :] not in asks:
                raise SchemaError(f"{name} {target}: the letter has {len(bare.asks)} asks")
            links.setdefault(target, []).append(asks[name[len(_ANSWERS) :]])
        elif name == _STRENGTH and value:
            known = next((s for s in STRENGTHS if s == value), None)
            if known is None:
                raise SchemaError(f"{name} {target}: expected {' or '.join(STRENGTHS)}, got {value[:20]!r}")
            strength[target] = known
    marks, pieces = [], []
    for name, (kind, start, end) in bound.items():
        piece = next((k for k in SPAN_KINDS if k == kind.lower()), None)
        main = status_of(kind)
        if piece:
            pieces.append(Piece(start, end, piece, name))
        elif main:
            every = (main, *also.get(name, ()))
            marks.append(Mark(start, end, every, tuple(links.get(name, ())), strength.get(name), name))
        else:
            raise SchemaError(f"{name}: {kind[:40]!r} is neither a status nor a kind of attribute")
    return marks, pieces
