"""Gold letters: their format, how they are loaded, checked, written, divided and counted.

Here lives what is known of labelled letters as data. What a label means is in the annotation guideline; how
predictions are compared with labels is in `metrics`. A gold file is JSONL, one letter a line; the fields are
those of `GoldDocument`. People edit ``.letter`` files instead (see `letters`), from which
``python -m commitments.corpus build FOLDER`` makes the JSONL.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from commitments.errors import CommitmentsError, SchemaError
from commitments.terms import Kind, Status

Strength = Literal["firm", "soft"]
SpanKind = Literal["actor", "deadline", "quantity", "condition"]
Disposition = Literal["adopted", "solved", "in_progress", "planned", "declined", "explained", "unanswered"]

ALL_ASKS = "*"


class GoldSpan(msgspec.Struct, frozen=True):
    """An attribute of a measure, marked in the text: ``document.text[start:end] == span.text``."""

    kind: SpanKind
    start: int
    end: int
    text: str


class GoldUnit(msgspec.Struct, frozen=True):
    """A labelled sentence.

    Attributes:
        start: offset of its first character in the document's text.
        end: offset after its last.
        label: its status.
        also: the further statuses of a mixed unit.
        links: ids of the asks that it answers; ``*`` is all of them.
        strength: of a pledge, ``firm`` or ``soft``; ``None`` where it was not annotated.
        spans: actors, deadlines, quantities and conditions, where they were annotated.
    """

    start: int
    end: int
    label: Status
    also: tuple[Status, ...] = ()
    links: tuple[str, ...] = ()
    strength: Strength | None = None
    spans: tuple[GoldSpan, ...] = ()


class GoldAsk(msgspec.Struct, frozen=True):
    """One demand of the suggestion (诉求), with what the reply decides on it (办理结果)."""

    id: str
    text: str
    disposition: Disposition | None = None


class GoldDocument(msgspec.Struct, frozen=True):
    """A labelled reply.

    Attributes:
        id: unique in its file.
        text: the reply, to which all offsets refer.
        asks: what it answers, in order.
        units: its sentences, in order.
        url: where it was published.
        kind: what it answers; written in Chinese in the file (建议, 提案, 留言, 政府工作报告).
        agency: the body that replies.
        date: as written; `day` reads it.
        title: of the letter.
        doc_number: 发文字号.
        message: the whole message answered, of a 留言.
        disposition: of the letter as a whole.
        follows: id of an earlier letter of the same matter.
    """

    id: str
    text: str
    asks: tuple[GoldAsk, ...]
    units: tuple[GoldUnit, ...]
    url: str | None = None
    kind: Kind | None = None
    agency: str | None = None
    date: str | None = None
    title: str | None = None
    doc_number: str | None = None
    message: str | None = None
    disposition: Disposition | None = None
    follows: str | None = None

    @property
    def day(self) -> datetime.date | None:
        """The date as a date, or ``None`` when no full date is given.

        >>> GoldDocument("a", "", (), (), date="2016/8/8 9:42:06").day
        datetime.date(2016, 8, 8)
        >>> GoldDocument("a", "", (), (), date="2023").day is None
        True
        """
        found = re.match(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)", self.date or "")
        if not found:
            return None
        try:
            return datetime.date(*map(int, found.groups()))
        except ValueError:
            return None


_KINDS = {kind.zh: kind.value for kind in Kind}
# What a line says first, and what it leaves out when it is not known.
_ORDER = ("id", "url", "kind", "agency", "date", "doc_number", "title", "disposition", "follows", "message")


def decode(line: str | bytes) -> GoldDocument:
    """Read and check one line of a gold file. Fields that are not known are passed over.

    Raises:
        SchemaError: it is no JSON, a field is missing or wrong, or offsets and links do not fit.

    >>> decode('{"id": "a", "text": "好。", "asks": [], "units": [{"start": 0, "end": 2, "label": "no"}]}')
    Traceback (most recent call last):
    ...
    commitments.errors.SchemaError: Invalid enum value 'no' - at `$.units[0].label`
    """
    try:
        row = msgspec.json.decode(line)
        if isinstance(row, dict) and isinstance(row.get("kind"), str):
            row["kind"] = _KINDS.get(row["kind"], row["kind"])
        document = msgspec.convert(row, GoldDocument)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(str(error)) from error
    check(document)
    return document


def check(document: GoldDocument) -> None:
    """Check what types alone cannot say.

    Raises:
        SchemaError: offsets outside the text, units out of order or overlapping, a span outside its unit or
            unlike its text, two asks with one id, a link to an unknown ask. The message names the JSON path.
    """
    size = len(document.text)
    known: set[str] = set()
    for i, ask in enumerate(document.asks):
        if ask.id in known or ask.id == ALL_ASKS:
            raise SchemaError(f"ask id {ask.id!r} is taken - at `$.asks[{i}].id`")
        known.add(ask.id)
    before = 0
    for i, unit in enumerate(document.units):
        at = f"`$.units[{i}]`"
        if not 0 <= unit.start < unit.end <= size:
            raise SchemaError(f"[{unit.start}, {unit.end}) is no part of a text of {size} - at {at}")
        if unit.start < before:
            raise SchemaError(f"starts at {unit.start}, before {before}, where the last one ends - at {at}")
        before = unit.end
        for j, link in enumerate(unit.links):
            if link != ALL_ASKS and link not in known:
                asks = ", ".join(sorted(known)) or "none"
                raise SchemaError(
                    f"links to {link!r}, but the asks are {asks} - at `$.units[{i}].links[{j}]`"
                )
        for j, span in enumerate(unit.spans):
            at = f"`$.units[{i}].spans[{j}]`"
            if not unit.start <= span.start < span.end <= unit.end:
                raise SchemaError(f"[{span.start}, {span.end}) lies outside its unit - at {at}")
            if document.text[span.start : span.end] != span.text:
                raise SchemaError(f"the text there is not {span.text!r} - at {at}")


def iterate(path: str | Path) -> Iterator[GoldDocument]:
    """Read a gold file letter by letter; blank lines are passed over.

    Args:
        path: of a JSONL file in UTF-8.

    Raises:
        SchemaError: the file cannot be opened or a line is wrong; the message names file, line and JSON path.
    """
    path = Path(path)
    seen: dict[str, int] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if not line.strip():
                    continue
                try:
                    document = decode(line)
                    if document.id in seen:
                        first = seen[document.id]
                        raise SchemaError(f"id {document.id!r} stands in line {first} already - at `$.id`")  # noqa: TRY301
                except SchemaError as error:
                    raise SchemaError(f"{path}:{number}: {error}") from error
                seen[document.id] = number
                yield document
    except OSError as error:
        raise SchemaError(f"{path}: cannot be read: {error.strerror or error}") from error


def load(path: str | Path) -> tuple[GoldDocument, ...]:
    """Read a whole gold file.

    Raises:
        SchemaError: as `iterate`, or there is no letter in the file.
    """
    documents = tuple(iterate(path))
    if not documents:
        raise SchemaError(f"{path}: holds no letter; expected one JSON object a line")
    return documents


def encode(document: GoldDocument) -> str:
    """One line of a gold file, without the line break; what is unknown or empty is left out.

    >>> decode(encode(decode('{"id": "a", "kind": "提案", "text": "", "asks": [], "units": []}'))).kind.zh
    '提案'
    """
    row: dict[str, Any] = msgspec.to_builtins(document)
    if document.kind:
        row["kind"] = document.kind.zh
    for ask in row["asks"]:
        if ask["disposition"] is None:
            del ask["disposition"]
    for unit in row["units"]:
        for key in ("strength", "spans"):
            if not unit[key]:
                del unit[key]
    head = {key: row[key] for key in _ORDER if row[key] is not None}
    whole = {**head, "text": row["text"], "asks": row["asks"], "units": row["units"]}
    return msgspec.json.encode(whole).decode()


def dump(documents: Iterable[GoldDocument], path: str | Path) -> None:
    """Write a gold file, one letter a line."""
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            file.write(encode(document) + "\n")


def load_dataset(name: str | Path = "letters", split: str | None = None, *, streaming: bool = False) -> Any:
    """Gold letters as a `datasets.Dataset`; see `commitments.datasets.load_dataset`.

    Raises:
        MissingExtra: datasets is not installed.
        SchemaError: there is no such set or split, or a letter is wrong.
    """
    from commitments import datasets

    return datasets.load_dataset(name, split, streaming=streaming)


STATUS_LETTERS = {"N": Status.NONE, "C": Status.COMPLETED, "O": Status.ONGOING, "P": Status.PLEDGE}
"""How people and files that must be short write a status."""


class Labels(msgspec.Struct, frozen=True):
    """The labels of a reply whose text may not be passed on.

    Attributes:
        id: of the reply, in the file that holds its text.
        sha256: the first 16 hex digits of the text's hash.
        units: start, end, and statuses as letters (N, C, O, P), the main one first.
    """

    id: str
    sha256: str
    units: tuple[tuple[int, int, str], ...]


def join(labels: str | Path, replies: str | Path) -> Iterator[GoldDocument]:
    """Put labels and texts together again.

    Args:
        labels: JSONL of `Labels`, as ``seeds/replies/labels.jsonl``.
        replies: JSONL of replies (fields ``id``, ``reply``, ``subject``, ``message``, ``answered``).

    Returns:
        Gold letters with one ask, the subject of the message; replies that are not in both are left out.

    Raises:
        SchemaError: a file is missing or wrong, or a text is not the one that was labelled.
    """
    try:
        rows = [msgspec.json.decode(line) for line in Path(replies).read_bytes().splitlines() if line.strip()]
        lines = [line for line in Path(labels).read_bytes().splitlines() if line.strip()]
        known = {found.id: found for found in (msgspec.json.decode(line, type=Labels) for line in lines)}
    except OSError as error:
        raise SchemaError(f"{error.filename}: cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise SchemaError(f"{labels}, {replies}: {error}") from error
    for row in rows:
        found = known.get(row.get("id"))
        if found is None:
            continue
        text = str(row.get("reply", ""))
        if hashlib.sha256(text.encode()).hexdigest()[:16] != found.sha256:
            raise SchemaError(f"{replies}: the text of {found.id} is not the one that was labelled")
        units = []
        for start, end, letters in found.units:
            if not letters or set(letters) - STATUS_LETTERS.keys():
                raise SchemaError(f"{labels}: {found.id}: {letters!r} are no statuses")
            label, *also = (STATUS_LETTERS[letter] for letter in letters)
            links = () if label is Status.NONE else ("S1",)
            units.append(GoldUnit(start, end, label, tuple(also), links))
        document = GoldDocument(
            id=found.id,
            text=text,
            asks=(GoldAsk("S1", str(row.get("subject", ""))),),
            units=tuple(units),
            kind=Kind.MESSAGE,
            date=row.get("answered"),
            title=row.get("subject"),
            message=row.get("message"),
        )
        check(document)
        yield document


SIDES: Mapping[str, float] = {"train": 0.7, "dev": 0.1, "test": 0.2}


def series(document: GoldDocument) -> str:
    """The part of its id before the first ``-``: ``L3`` of ``L3-004``."""
    return document.id.partition("-")[0]


def split(
    documents: Iterable[GoldDocument],
    shares: Mapping[str, float] = SIDES,
    *,
    stratum: Callable[[GoldDocument], str] = series,
    seed: int = 0,
) -> dict[str, tuple[GoldDocument, ...]]:
    """Divide letters, not sentences, so that nothing of a letter is on two sides.

    Letters that follow one another (`GoldDocument.follows`) stay together. Within each stratum the letters
    are taken in the order of a hash of their ids, and each goes to the side that lacks most: the result
    does not depend on the order given, nor on the platform.

    Args:
        documents: letters with distinct ids.
        shares: how much of the whole each side shall have.
        stratum: what the sides shall be alike in.
        seed: another seed is another division.

    Returns:
        The letters of each side, ordered by id.

    Raises:
        ValueError: a share is not positive.
    """
    if not shares or min(shares.values()) <= 0:
        raise ValueError(f"shares must be positive, not {dict(shares)}")
    by_id = {document.id: document for document in documents}
    leader = {name: name for name in by_id}

    def head(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for document in by_id.values():
        if document.follows in by_id:
            one, other = sorted((head(document.id), head(document.follows)))
            leader[other] = one
    groups: defaultdict[str, list[GoldDocument]] = defaultdict(list)
    for name in sorted(by_id):
        groups[head(name)].append(by_id[name])
    strata: defaultdict[str, list[list[GoldDocument]]] = defaultdict(list)
    for group in groups.values():
        strata[stratum(group[0])].append(group)

    total = sum(shares.values())
    sides: dict[str, list[GoldDocument]] = {side: [] for side in shares}
    for layer in strata.values():
        size = sum(map(len, layer))
        lack = {side: share / total * size for side, share in shares.items()}
        for group in sorted(layer, key=lambda g: hashlib.sha256(f"{seed}:{g[0].id}".encode()).digest()):
            side = max(lack, key=lambda s: lack[s])
            lack[side] -= len(group)
            sides[side] += group
    return {side: tuple(sorted(of_side, key=lambda d: d.id)) for side, of_side in sides.items()}


def figures(named: Mapping[str, Sequence[GoldDocument]]) -> str:
    """A Markdown table that counts what each set of letters holds."""
    rows: dict[str, Counter[str]] = {}
    for name, documents in named.items():
        count = rows[name] = Counter()
        for document in documents:
            count.update(["letters", document.kind.zh if document.kind else "kind unknown"])
            count.update({"asks": len(document.asks), "characters": len(document.text)})
            count["letters with several asks"] += len(document.asks) > 1
            for unit in document.units:
                count.update(["units", unit.label.value])
                count["mixed units"] += bool(unit.also)
                count["soft pledges"] += unit.strength == "soft"
                count.update(f"{span.kind} spans" for span in unit.spans)
    lines = ["letters", *(kind.zh for kind in Kind), "kind unknown", "letters with several asks", "asks"]
    lines += ["characters", "units", *(status.value for status in Status), "mixed units", "soft pledges"]
    lines += [f"{kind} spans" for kind in get_args(SpanKind)]
    table = ["| | " + " | ".join(rows) + " |", "| --- |" + " ---: |" * len(rows)]
    for line in lines:
        if any(count[line] for count in rows.values()):
            table.append(f"| {line} | " + " | ".join(f"{count[line]:,}" for count in rows.values()) + " |")
    return "\n".join(table)


def main(argv: Sequence[str] | None = None) -> int:
    """Work on gold files.

    ``build FOLDER`` makes the JSONL; ``figures FILE…`` counts; ``check FILE…`` only reads; ``join LABELS
    REPLIES OUT`` puts labels to texts.
    """
    parser = argparse.ArgumentParser(prog="python -m commitments.corpus", description=main.__doc__)
    parser.add_argument("what", choices=("build", "figures", "check", "join"))
    parser.add_argument("paths", nargs="+", type=Path)
    given = parser.parse_args(argv)
    try:
        if given.what == "build":
            from commitments.letters import build

            for folder in given.paths:
                for side, documents in build(folder).items():
                    if documents:
                        dump(documents, folder / f"{side}.jsonl")
        elif given.what == "join":
            if len(given.paths) != 3:
                parser.error("join takes LABELS, REPLIES and OUT")
            dump(join(*given.paths[:2]), given.paths[2])
        else:
            named = {path.stem: load(path) for path in given.paths}
            if given.what == "figures":
                print(figures(named))
    except CommitmentsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
