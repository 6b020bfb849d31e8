"""A corpus as people have it, read as a stream of batches of letters.

JSON lines, CSV as spreadsheets in China write it, XLSX, Parquet, folders and globs of letters, standard
input.
A row that cannot be read keeps its place and has an error; nothing is passed over. How batches are cut
depends on the rows alone, so that a run that is resumed cuts them in the same places.
"""

from __future__ import annotations

import codecs
import csv
import glob
import hashlib
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa

from commitments.batch.annotate import ASKED, ERROR, NAME, OWN, PATH, AnnotateConfig
from commitments.errors import MissingExtra, ReadError, SchemaError
from commitments.readers import SUFFIXES, walk
from commitments.readers.rows import TEXT

Row = dict[str, Any]

MAX_LINE = 64_000_000
"""Bytes of the longest line that is held; a longer one is an error, and the next line is read."""

_TABLES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_MAX_JSON = 1_000_000_000


def rows(inputs: Sequence[str], config: AnnotateConfig) -> Iterator[Row]:
    """Every letter of these inputs, as a dict with the columns that are needed.

    Args:
        inputs: files, folders, globs, or ``-`` for standard input.
        config: names the columns.

    Yields:
        Rows with `NAME`, and text, `PATH` or `ERROR`.

    Raises:
        ReadError: an input does not exist, or is no table.
        SchemaError: a table lacks a column that was named.

    >>> [row["__name__"] for row in rows(["seeds/yangpu-2023-C-064.txt"], AnnotateConfig())]
    ['seeds/yangpu-2023-C-064.txt']
    """
    for path in files(inputs):
        if isinstance(path, ReadError):
            yield {NAME: path.name, ERROR: path.reason}
        elif str(path) == "-":
            yield from _standard_input(config)
        elif (kind := _TABLES.get(path.suffix.lower())) is not None:
            yield from _table(path, kind, config)
        else:
            yield {NAME: str(path), PATH: str(path)}


def files(inputs: Sequence[str]) -> Iterator[Path | ReadError]:
    """The files that are meant, in order; folders and globs sorted.

    Raises:
        ReadError: there is no such file, or a glob matches none.
    """
    for given in inputs:
        path = Path(given)
        if given == "-":
            yield path
        elif path.is_dir():
            found = False
            for file in walk(path, frozenset(SUFFIXES) | frozenset(_TABLES)):
                found = True
                yield file
            if not found:
                raise ReadError(given, "holds no files to read")
        elif path.exists():
            yield path
        elif glob.has_magic(given):
            matches = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 - absolute patterns too
            if not matches:
                raise ReadError(given, "matches no file")
            for match in matches:
                yield from files([match])
        else:
            raise ReadError(given, "there is no such file or folder")


def fingerprint(inputs: Sequence[str]) -> dict[str, str]:
    """What a run's input is: each file with its size and the SHA-256 of its bytes.

    Standard input cannot be read twice, and has none.
    """
    told: dict[str, str] = {}
    for path in files(inputs):
        if isinstance(path, ReadError):
            told[path.name] = f"error: {path.reason}"
        elif str(path) == "-":
            told["-"] = "standard input"
        else:
            digest, size = hashlib.sha256(), 0
            try:
                with path.open("rb") as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
                        size += len(block)
                told[str(path)] = f"{size} bytes, sha256 {digest.hexdigest()}"
            except OSError as error:
                told[str(path)] = f"error: {error.strerror or error}"
    return told


class Shard(msgspec.Struct, frozen=True):
    """Some letters in a row, scored and written as one.

    Attributes:
        index: from 0.
        batch: as Arrow IPC stream.
        letters: number of them.
        characters: of their texts, as far as they are known.
        digest: of the batch.
    """

    index: int
    batch: bytes
    letters: int
    characters: int
    digest: str

    def table(self) -> pa.RecordBatch:
        """The letters."""
        with pa.ipc.open_stream(self.batch) as stream:
            return stream.read_next_batch()

    def alone(self, number: int) -> Shard:
        """A shard of one of its letters."""
        return make_shard(self.index, self.table().slice(number, 1), 0)


def make_shard(index: int, batch: pa.RecordBatch, characters: int) -> Shard:
    """A shard of a batch."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    raw = sink.getvalue().to_pybytes()
    return Shard(index, raw, batch.num_rows, characters, hashlib.sha256(raw).hexdigest())


def shards(
    found: Iterable[Row], config: AnnotateConfig, *, letters: int = 256, characters: int = 500_000
) -> Iterator[Shard]:
    """Cut a stream of rows into shards.

    Args:
        found: rows as `rows` gives them.
        config: of the run.
        letters: the most of a shard.
        characters: a shard ends when it has as many, so that long letters spread over workers.
    """
    index, size, held = 0, 0, []
    for row in found:
        held.append(row)
        size += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(held) >= letters or size >= characters:
            yield make_shard(index, as_batch(held, config), size)
            index, size, held = index + 1, 0, []
    if held:
        yield make_shard(index, as_batch(held, config), size)


def as_batch(held: list[Row], config: AnnotateConfig) -> pa.RecordBatch:
    """Rows as a batch; every column is text, but a list of asks stays one."""
    texts = (config.text,) if config.text else TEXT
    if any(isinstance(value, list) for row in held for value in row.values()):
        held = [_apart(row, texts, config) for row in held]
    names = dict.fromkeys([NAME, PATH, ERROR])
    # A column that was named is there even where these rows lack it: whether the input has it was looked at.
    for row in held:
        names |= dict.fromkeys(row)
    names |= dict.fromkeys(n for n in (config.text, config.id, config.date, *config.keep) if n)
    names |= dict.fromkeys([config.suggestion] if config.suggestion else [])
    columns: dict[str, pa.Array] = {}
    for name in names:
        values = [row.get(name) for row in held]
        lists = any(isinstance(value, list) for value in values)
        if lists:
            made = [v if isinstance(v, list) or v is None else [_text(v)] for v in values]
            plain = [v and [_text(x) for x in v if x is not None] for v in made]
            columns[name] = pa.array(plain, pa.list_(pa.string()))
        else:
            columns[name] = pa.array([None if v is None else _text(v) for v in values], pa.string())
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _apart(row: Row, texts: tuple[str, ...], config: AnnotateConfig) -> Row:
    """The row, so that it is read as it would be alone: a column with a list in one row has lists in all."""
    asked = config.asked(row)
    if asked is not None and not isinstance(asked, list):
        row = {**row, ASKED: _text(asked)}
    wrong = [name for name in texts if isinstance(row.get(name), list)]
    if not wrong:
        return row
    row = {name: value for name, value in row.items() if name not in wrong}
    if any(row.get(name) for name in texts):
        return row
    return {ERROR: f"holds no text: its {wrong[0]!r} is a list", **row}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float | dict | list):
        return msgspec.json.encode(value).decode()
    return str(value)


def as_row(row: Row, wanted: Sequence[str], name: str) -> Row:
    """The columns that are needed; text that no file can carry is an error."""
    kept: Row = {NAME: name}
    for column in wanted:
        value = row.get(column)
        if value is None or column in OWN:
            continue
        try:
            for part in value if isinstance(value, list) else [value]:
                _text(part).encode()
        except UnicodeEncodeError as error:
            return {NAME: name, ERROR: f"{column!r} cannot be decoded at character {error.start}"}
        kept[column] = value
    return kept


def _table(path: Path, kind: str, config: AnnotateConfig) -> Iterator[Row]:
    readers = {"jsonl": _jsonl_file, "json": _json, "csv": _csv_file, "xlsx": _xlsx, "parquet": _parquet}
    try:
        if not path.is_file():
            raise ReadError(str(path), "is no regular file")  # noqa: TRY301
        yield from readers[kind](path, config)
    except OSError as error:
        yield {NAME: str(path), ERROR: f"cannot be read: {error.strerror or error}"}
    except ReadError as error:
        yield {NAME: error.name, ERROR: error.reason}
    except MissingExtra as error:
        yield {NAME: str(path), ERROR: str(error)}


def _standard_input(config: AnnotateConfig) -> Iterator[Row]:
    stream: Any = sys.stdin.buffer
    head = stream.peek(4096)[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        raise ReadError("-", "is empty")
    yield from (_jsonl if head.startswith(b"{") else _csv)(stream, "-", config)


def _jsonl_file(path: Path, config: AnnotateConfig) -> Iterator[Row]:
    with path.open("rb") as stream:
        yield from _jsonl(stream, str(path), config)


def _jsonl(stream: IO[bytes], called: str, config: AnnotateConfig) -> Iterator[Row]:
    number, found = 0, False
    seen: set[str] = set()
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        name = f"{called}:{number}"
        if len(line) > MAX_LINE:
            while not line.endswith(b"\n") and (line := stream.readline(MAX_LINE)):
                pass
            found = True
            yield {NAME: name, ERROR: f"the line is longer than {MAX_LINE:,} bytes"}
            continue
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line.strip():
            continue
        found = True
        try:
            row = msgspec.json.decode(line)
        except UnicodeDecodeError as error:
            yield {NAME: name, ERROR: f"is no UTF-8 at byte {error.start}"}
            continue
        except (msgspec.DecodeError, RecursionError) as error:
            yield {NAME: name, ERROR: f"is no JSON: {error}"}
            continue
        if not isinstance(row, dict):
            yield {NAME: name, ERROR: "a row must be an object with keys"}
            continue
        seen |= row.keys()
        kept = as_row(row, config.needed(tuple(row)), name)
        yield _with_text(kept, row, name, config)
    if not found:
        raise ReadError(called, "holds no rows")
    for column in _named(config):
        if column not in seen:
            raise SchemaError(f"{called}: no row has {column!r}; there are {', '.join(sorted(seen)[:20])}")


def _with_text(kept: Row, row: Row, name: str, config: AnnotateConfig) -> Row:
    """A row of JSON may lack the column that the others have, or hold something else in it."""
    if ERROR in kept:
        return kept
    if config.text is not None and config.text not in row:
        shown = ", ".join(map(repr, list(row)[:12])) or "none"
        return {**kept, ERROR: f"has no {config.text!r}; it has {shown}"}
    column = config.text or next((column for column in TEXT if row.get(column) is not None), None)
    value = row.get(column) if column else None
    if value is not None and not isinstance(value, str):
        return {**kept, ERROR: f"its {column!r} must hold text, not {_text(value)[:40]}"}
    return kept


def _named(config: AnnotateConfig) -> list[str]:
    return [c for c in (config.text, config.id, config.suggestion, config.date, *config.keep) if c]


def _json(path: Path, config: AnnotateConfig) -> Iterator[Row]:
    if path.stat().st_size > _MAX_JSON:
        raise ReadError(str(path), "is more than 1 GB of one JSON value; write it as JSON lines")
    data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from _jsonl_file(path, config)
        return
    for number, row in enumerate(value if isinstance(value, list) else [value], 1):
        name = f"{path}:{number}"
        if isinstance(row, dict):
            kept = as_row(row, config.needed(tuple(row)), name)
            yield _with_text(kept, row, name, config)
        else:
            yield {NAME: name, ERROR: "a row must be an object with keys"}


def _csv_file(path: Path, config: AnnotateConfig) -> Iterator[Row]:
    with path.open("rb") as stream:
        yield from _csv(stream, str(path), config)


def _csv(stream: Any, called: str, config: AnnotateConfig) -> Iterator[Row]:
    """CSV with a header; encoding and separator are told by the first bytes.

    Spreadsheets in China write GB18030 or UTF-8 with a mark, and tabs when asked for “Unicode text”.
    """
    head = stream.peek(1 << 16)[: 1 << 16]
    encoding = _encoding(head)
    # What cannot be decoded is kept as half characters, which `as_row` finds in their row.
    text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="")
    first = head.decode(encoding, errors="ignore").partition("\n")[0]
    separator = max(",\t;|", key=first.count)
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(_physical(text), delimiter=separator)
    header = next(reader, None)
    if not header:
        raise ReadError(called, "is empty")
    names = [name.strip().removeprefix("\ufeff") for name in header]
    wanted = _wanted(names, called, config)
    number = 1
    while True:
        number += 1
        name = f"{called}:{number}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield {NAME: name, ERROR: f"is no row of CSV: {error}"}
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            yield {NAME: name, ERROR: f"has {len(cells)} cells, the header {len(names)}: is a quote missing?"}
            continue
        values = {n: cell for n, cell in zip(names, cells, strict=False) if cell != ""}
        yield as_row(values, wanted, name)


def _physical(text: Iterable[str]) -> Iterator[str]:
    for line in text:
        yield line.replace("\0", "")


def _encoding(head: bytes) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError as wrong_utf8:
        try:
            codecs.getincrementaldecoder("gb18030")("strict").decode(head)
        except UnicodeDecodeError as wrong_gb:
            return "gb18030" if wrong_gb.start > wrong_utf8.start else "utf-8"
        return "gb18030"
    return "utf-8"


def _wanted(names: list[str], called: str, config: AnnotateConfig) -> list[str]:
    for column in _named(config):
        if column not in names:
            raise SchemaError(f"{called}: there is no column {column!r}; there are {', '.join(names[:20])}")
    return config.needed(tuple(names))


def _xlsx(path: Path, config: AnnotateConfig) -> Iterator[Row]:
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtra("Reading .xlsx", "files") from error
    import zipfile

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(item.file_size for item in packed.infolist()) > _MAX_JSON:
                raise ReadError(str(path), "unpacks to more than 1 GB; save it as CSV")  # noqa: TRY301
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except ReadError:
        raise
    except Exception as error:  # openpyxl raises whatever its parts raise
        raise ReadError(str(path), f"is no .xlsx: {error}") from error
    try:
        sheet = book.worksheets[0]
        cells = sheet.iter_rows(values_only=True)
        names = [str(value).strip() if value is not None else "" for value in next(cells, ())]
        wanted = _wanted(names, str(path), config)
        for number, values in enumerate(cells, 2):
            row = {n: v for n, v in zip(names, values, strict=False) if n and v is not None}
            if row:
                yield as_row(row, wanted, f"{path}:{number}")
    finally:
        book.close()


def _parquet(path: Path, config: AnnotateConfig) -> Iterator[Row]:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise ReadError(str(path), f"is no Parquet file: {error}") from error
    with file:
        wanted = _wanted(list(file.schema_arrow.names), str(path), config)
        number = 0
        for group in range(file.num_row_groups):
            try:
                for batch in file.iter_batches(256, row_groups=[group], columns=wanted):
                    for row in batch.to_pylist():
                        number += 1
                        yield as_row(row, wanted, f"{path}:{number}")
            except (pa.ArrowException, OSError) as error:
                lost = file.metadata.row_group(group).num_rows
                yield {
                    NAME: f"{path}:{number + 1}",
                    ERROR: f"row group {group} of {lost} rows is damaged: {error}",
                }
