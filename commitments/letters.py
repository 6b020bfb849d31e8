"""The ``.letter`` format, in which people mark letters up, and how gold files are made from it.

Here lives only the way from marked-up text to `commitments.corpus.GoldDocument`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from commitments.corpus import SIDES, STATUS_LETTERS, GoldDocument, SpanKind, decode
from commitments.errors import SchemaError
from commitments.terms import Status

_MARKS: dict[str, SpanKind] = {"a": "actor", "d": "deadline", "q": "quantity", "c": "condition"}
_TAG = re.compile(r"([NCOP](?:\+[NCOP])*)(?::([S\d,*]*))?(?::([sf]))?\s(.*)", re.DOTALL)
_MARK = re.compile(r"⟦([a-z]):([^⟦⟧]+)⟧")
_FIELDS = frozenset({"url", "kind", "agency", "date", "title", "doc_number", "message", "follows"})


def parse(text: str, name: str) -> GoldDocument:
    r"""Read a marked-up letter: one unit a line.

    A line ``#! key: value`` is a field of the letter; ``#! ask:`` is repeated, and the n-th
    ``#! ask_disposition:`` belongs to the n-th ask. Every other line is a tag, a space and the unit's words.
    The tag is one letter for each status, the main one first (``N`` none, ``C`` completed, ``O`` ongoing,
    ``P`` pledge, joined by ``+``); then, after a colon, the asks (``S1,S2`` or ``*``; where there is but one
    they may be left out); then ``:s`` for a soft pledge. ``¶`` begins a paragraph, ``⏎`` is a hard line break
    inside the unit, and ``⟦a:…⟧``, ``⟦d:…⟧``, ``⟦q:…⟧``, ``⟦c:…⟧`` mark an actor, a deadline, a quantity, a
    condition.

    Args:
        text: of the file.
        name: id of the letter; errors name it.

    Raises:
        SchemaError: with the number of the line.

    >>> letter = parse("#! ask: 修路\nN ¶李代表：\nP:S1:s ¶力争⟦d:年底前⟧修好。", "x")
    >>> letter.text, letter.units[1].strength, letter.units[1].spans[0].text
    ('李代表：\n力争年底前修好。', 'soft', '年底前')
    """
    fields: dict[str, str] = {}
    asks: list[str] = []
    dispositions: list[str] = []
    units: list[dict[str, Any]] = []
    whole = ""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = line.rstrip()
        if not line:
            continue
        if line.startswith("#!"):
            key, _, value = (part.strip() for part in line[2:].partition(":"))
            if key == "ask":
                asks.append(value)
            elif key == "ask_disposition":
                dispositions.append(value)
            elif key in _FIELDS and key not in fields:
                fields[key] = value
            else:
                raise SchemaError(f"{name}:{number}: field {key!r} is unknown or given twice")
            continue
        try:
            whole, unit = _parse_unit(whole, line, len(asks))
        except SchemaError as error:
            raise SchemaError(f"{name}:{number}: {error}") from error
        units.append(unit)
    if len(dispositions) > len(asks):
        raise SchemaError(f"{name}: {len(dispositions)} dispositions for {len(asks)} asks")
    row = {
        "id": name,
        **fields,
        "text": whole,
        "asks": [
            {"id": f"S{i}", "text": ask, "disposition": disposition}
            for i, (ask, disposition) in enumerate(
                zip(asks, dispositions + [None] * (len(asks) - len(dispositions)), strict=True), 1
            )
        ],
        "units": units,
    }
    try:
        return decode(msgspec.json.encode(row))
    except SchemaError as error:
        raise SchemaError(f"{name}: {error}") from error


def _parse_unit(whole: str, line: str, asks: int) -> tuple[str, dict[str, Any]]:
    """The letter's text with one more unit, and the unit."""
    found = _TAG.fullmatch(line)
    if not found:
        raise SchemaError(f"expected a tag, a space and words, found {line[:30]!r}")
    tag, targets, strength, body = found.groups()
    labels = [STATUS_LETTERS[letter] for letter in tag.split("+")]
    links = [target for target in (targets or "").split(",") if target]
    if labels[0] is Status.NONE:
        links = []
    elif not links:
        if asks > 1:
            raise SchemaError(f"there are {asks} asks: name the one that the measure answers")
        links = ["S1"] * asks
    if body.startswith("¶"):
        body = body[1:].lstrip()
        whole += "\n" if whole else ""
    # White space at a unit's edges stays in the text but belongs to no unit.
    bare = body.lstrip()
    whole += body[: len(body) - len(bare)].replace("⏎", "\n")
    start = len(whole)
    spans = []
    cursor = 0
    for mark in _MARK.finditer(bare):
        if mark[1] not in _MARKS:
            raise SchemaError(f"unknown mark in {mark[0]}: expected one of {', '.join(_MARKS)}")
        whole += bare[cursor : mark.start()].replace("⏎", "\n")
        words = mark[2].replace("⏎", "\n")
        end = len(whole) + len(words)
        spans.append({"kind": _MARKS[mark[1]], "start": len(whole), "end": end, "text": words})
        whole += words
        cursor = mark.end()
    whole += bare[cursor:].replace("⏎", "\n")
    if "⟦" in whole[start:] or "⟧" in whole[start:]:
        raise SchemaError("a mark ⟦…⟧ is not closed, or stands inside another")
    unit: dict[str, Any] = {"start": start, "end": len(whole), "label": labels[0], "also": labels[1:]}
    unit |= {"links": links, "spans": spans}
    if Status.PLEDGE in labels:
        unit["strength"] = "soft" if strength == "s" else "firm"
    return whole, unit


def build(folder: str | Path) -> dict[str, tuple[GoldDocument, ...]]:
    """Read the letters under ``FOLDER/source/SIDE/*.letter``; the folder that a letter lies in is its side.

    Returns:
        The letters of each side, ordered by id, as ``FOLDER/SIDE.jsonl`` shall hold them.

    Raises:
        SchemaError: a letter is wrong, stands on two sides, or is not on the side of the one that it follows.
    """
    sides: dict[str, tuple[GoldDocument, ...]] = {}
    where: dict[str, str] = {}
    for side in SIDES:
        documents = []
        for path in sorted(Path(folder, "source", side).glob("*.letter")):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise SchemaError(f"{path}: cannot be read: {error}") from error
            document = parse(text, path.stem)
            if document.id in where:
                raise SchemaError(f"{path}: the same letter stands in {where[document.id]}")
            where[document.id] = side
            documents.append(document)
        sides[side] = tuple(documents)
    if not where:
        raise SchemaError(f"{folder}: no letter stands in source/{{{','.join(SIDES)}}}/*.letter")
    for side, of_side in sides.items():
        for document in of_side:
            # A letter that follows one of another folder is on its own.
            if document.follows and where.get(document.follows, side) != side:
                raise SchemaError(f"{document.id} in {side} follows {document.follows}, which is not there")
    return sides
