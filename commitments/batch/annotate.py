"""The one function under every engine: a batch of letters in, a batch of rows out.

It is pure: what comes out depends on what goes in and on the configuration alone, not on the size of the
batch, nor on what was read before. Processes, Ray, Spark, pandas and `datasets` call it and nothing else.
"""

from __future__ import annotations

import datetime
import math
import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from commitments import models, table
from commitments.errors import CommitmentsError, MissingExtra, ReadError, SchemaError
from commitments.pipeline import Pipeline, load
from commitments.readers import ReadConfig, Source, read
from commitments.readers.rows import METADATA, SUGGESTION, TEXT
from commitments.structure.header import parse_date
from commitments.table import Level

try:
    import pyarrow as pa
except ImportError as missing:
    raise MissingExtra("Reading and writing tables", "arrow") from missing

NAME, PATH, ERROR, ASKED = "__name__", "__path__", "__error__", "__asked__"
"""Columns of a shard with a meaning of their own: what a letter is called; the file to read it from; why it
could not be read; a suggestion that is one text, where the column has lists in other rows. Only
`commitments.batch.inputs` writes them: a table from elsewhere must not name files to be read."""

OWN = frozenset((NAME, PATH, ERROR, ASKED))

ERROR_COLUMN = "error"
"""The last column of every output: why a letter has no other values; null where all is well."""

_REMEMBERED = 5_000
"""Rows that an annotator keeps, for letters that come again."""


class AnnotateConfig(msgspec.Struct, frozen=True):
    """How letters are turned into rows.

    Attributes:
        model: name of a model, or path of its folder.
        text: column with the letter's text; when not given, the first of the usual names that is there
            (``text``, ``reply``, ``答复内容`` …).
        id: column with the letter's name; when not given, its place in the batch or file.
        suggestion: column with what was asked, a text or a list of asks; as for `text` when not given.
        date: column with the letter's date, which wins over the date in the letter; a value that is no
            date leaves the letter's own.
        level: what a row is.
        columns: those of the output, in this order; all when empty. ``error`` always is there.
        keep: input columns to carry over; one whose name the output has is called ``input_…``.
        abstain: confidence below which a sentence is left undecided; the model's own when not given.
        max_chars: the longest letter that is read.
    """

    model: str = models.DEFAULT
    text: str | None = None
    id: str | None = None
    suggestion: str | None = None
    date: str | None = None
    level: Level = "sentence"
    columns: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    abstain: float | None = None
    max_chars: int = 2_000_000

    def needed(self, names: tuple[str, ...]) -> list[str]:
        """Which of these input columns are looked at.

        >>> AnnotateConfig(keep=("city",)).needed(("id", "reply", "city", "photo"))
        ['id', 'reply', 'city']
        """
        wanted = {self.text, self.id, self.suggestion, self.date, *self.keep}
        wanted |= {*TEXT, *SUGGESTION, *METADATA}
        return [name for name in names if name in wanted and name not in OWN]

    def asked(self, row: Mapping[str, Any]) -> Any:
        """What the letter of a row answers, as the row has it.

        >>> AnnotateConfig().asked({"reply": "将建公园。", "message": "请建公园。"})
        '请建公园。'
        """
        if self.suggestion:
            return row.get(self.suggestion)
        texts = (self.text,) if self.text else TEXT
        return next((row[c] for c in SUGGESTION if c not in texts and row.get(c)), None)


def schema(config: AnnotateConfig, given: pa.Schema | None = None) -> pa.Schema:
    """The schema of the rows that letters of a batch become.

    Args:
        config: of the run.
        given: schema of the input, for the types of the columns that are kept; text when not given.

    Raises:
        SchemaError: a column is asked for that there is not.

    >>> schema(AnnotateConfig(level="reply", columns=("name", "coverage"), keep=("city", "name"))).names
    ['city', 'input_name', 'name', 'coverage', 'error']
    """
    whole = table.schema(config.level)
    fields = []
    for name in config.keep:
        called = f"input_{name}" if name in whole.names or name == ERROR_COLUMN else name
        fields.append(
            pa.field(
                called, given.field(name).type if given is not None and name in given.names else pa.string()
            )
        )
    for name in config.columns or whole.names:
        if name == ERROR_COLUMN:
            continue
        if name not in whole.names:
            raise SchemaError(f"there is no column {name!r}; there are {', '.join(whole.names)}")
        fields.append(whole.field(name))
    told = {"description": "why the letter could not be read; empty where all is well"}
    return pa.schema([*fields, pa.field(ERROR_COLUMN, pa.string(), metadata=told)])


def annotate(
    batch: pa.RecordBatch,
    config: AnnotateConfig = AnnotateConfig(),  # noqa: B008
    *,
    nlp: Pipeline | None = None,
) -> pa.RecordBatch:
    """Read a batch of letters, and give their sentences, measures or scores as rows.

    A letter that cannot be read has one row, with `ERROR_COLUMN`; the others are not touched by it. With
    level ``"measure"`` a letter without measures has no row.

    Args:
        batch: one letter a row.
        config: what the columns are, and what the rows shall be.
        nlp: the pipeline; by default that of `AnnotateConfig.model`, loaded once a process.

    Returns:
        Rows with the columns of `schema`, letters in the order given.

    Raises:
        SchemaError: there is no column with text, or a column is asked for that there is not.
        ModelError: there is no such model.

    >>> import pyarrow as pa
    >>> batch = pa.RecordBatch.from_pydict({"id": ["a", "b"], "reply": ["将建公园。", None]})
    >>> rows = annotate(batch, AnnotateConfig(model="cues", id="id", columns=("name", "status")))
    >>> rows.to_pylist()[0]
    {'name': 'a', 'status': 'pledge', 'error': None}
    >>> rows.to_pylist()[1]
    {'name': 'b', 'status': None, 'error': "holds no text: its 'reply' is null"}
    """
    worker = Annotator(config, nlp) if nlp is not None else annotator(config)
    return worker(batch.select([name for name in batch.schema.names if name not in OWN]))


def annotator(config: AnnotateConfig, threads: int = 1) -> Annotator:
    """An `Annotator`, made once a process; one that a fork inherits would wait for threads that are gone.

    Args:
        config: of the run.
        threads: of a trained model; the rows do not depend on it.
    """
    return _annotator(config, threads, os.getpid())


@cache
def _annotator(config: AnnotateConfig, threads: int, process: int) -> Annotator:
    return Annotator(config, load(config.model, abstain=config.abstain, threads=threads))


def nested(batch: Mapping[str, Sequence[Any]], nlp: Pipeline) -> dict[str, list[Any]]:
    """Read columns of letters into columns of the same length; see `Pipeline.annotate`."""
    letters = max(map(len, batch.values()), default=0)
    config = AnnotateConfig()
    given = {name: list(batch[name]) for name in config.needed(tuple(batch)) if name != "id"}
    given[NAME] = [str(number) for number in range(letters)]
    found = Annotator(config, nlp)(pa.RecordBatch.from_pydict(given)).to_pylist()
    sentences: list[list[dict[str, Any]]] = [[] for _ in range(letters)]
    errors = [""] * letters
    for row in found:
        number = int(row["name"])
        if row[ERROR_COLUMN] is not None:
            errors[number] = row[ERROR_COLUMN]
        else:
            sentences[number].append({name: _plain(name, row[name]) for name in table.SENTENCE_COLUMNS})
    return {"sentences": sentences, ERROR_COLUMN: errors}


def _plain(name: str, value: Any) -> Any:
    """A value whose type shows, so that a first batch without any does not settle it wrongly."""
    if value is None:
        return {"value": math.nan, "actor_implied": False}.get(name, "")
    return value.isoformat() if isinstance(value, datetime.date) else table.cell(value)


class Annotator:
    """Turns batches into rows, and keeps the model loaded.

    The same letter is read once: its rows are remembered, up to a bound, and given again under its other
    names.

    Args:
        config: of the run.
        nlp: the pipeline.
    """

    def __init__(self, config: AnnotateConfig, nlp: Pipeline) -> None:
        schema(config)  # a wrong column is an error before anything is read
        self.config = config
        self.nlp = nlp
        self._known: OrderedDict[tuple[Any, ...], list[dict[str, Any]]] = OrderedDict()
        self._held = 0

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `annotate`."""
        target = schema(self.config, batch.schema)
        texts = self._text_columns(batch.schema.names)
        rows: list[dict[str, Any]] = []
        for number, row in enumerate(batch.to_pylist()):
            rows += self._letter(row, texts, number)
        return pa.RecordBatch.from_pylist(rows, schema=target)

    def _text_columns(self, names: list[str]) -> tuple[str, ...]:
        config = self.config
        for what, name in (("text", config.text), ("id", config.id), ("date", config.date)):
            _there(what, name, names)
        _there("suggestion", config.suggestion, names)
        for name in config.keep:
            _there("keep", name, names)
        if config.text:
            return (config.text,)
        found = tuple(name for name in TEXT if name in names)
        if not found and PATH not in names and ERROR not in names:
            shown = ", ".join(map(repr, names[:12])) or "none"
            raise SchemaError(
                f"no column with the letters' text ({', '.join(TEXT[:4])} …); there are: {shown}"
            )
        return found

    def _letter(self, row: dict[str, Any], texts: tuple[str, ...], number: int) -> list[dict[str, Any]]:
        config = self.config
        given = row.get(config.id) if config.id else None
        name = str(row.get(NAME) or number) if given is None else str(given)
        kept = {}
        for column in config.keep:
            taken = column in table.columns(config.level) or column == ERROR_COLUMN
            kept[f"input_{column}" if taken else column] = row.get(column)
        try:
            found = self._rows(row, texts, name)
        except ReadError as error:
            return [{**kept, "name": name, ERROR_COLUMN: error.reason}]
        except CommitmentsError as error:
            return [{**kept, "name": name, ERROR_COLUMN: str(error)}]
        except MemoryError:
            return [{**kept, "name": name, ERROR_COLUMN: "needs more memory than is allowed"}]
        except Exception as error:  # a bug of ours must not take the other letters with it
            return [{**kept, "name": name, ERROR_COLUMN: f"unexpected {type(error).__name__}: {error}"}]
        return [{**kept, **one, "name": name} for one in found]

    def _rows(self, row: dict[str, Any], texts: tuple[str, ...], name: str) -> list[dict[str, Any]]:
        if row.get(ERROR):
            raise ReadError(name, row[ERROR])
        if row.get(PATH):
            source = read(row[PATH], name=name, config=ReadConfig())
            return self._read(source, row)
        source = self._source(row, texts, name)
        asked, date = self._asked(row), self._date(row)
        key = (source.text, str(asked), date, tuple(sorted(source.metadata.items())))
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        rows = self._read(source, row)
        self._known[key] = rows
        self._held += len(rows)
        while self._held > _REMEMBERED:
            self._held -= len(self._known.popitem(last=False)[1])
        return rows

    def _read(self, source: Source, row: dict[str, Any]) -> list[dict[str, Any]]:
        if len(source.text) > self.config.max_chars:
            raise ReadError(
                source.name,
                f"is {len(source.text):,} characters; more than {self.config.max_chars:,} are not read",
            )
        reply = self.nlp(source, suggestion=self._asked(row), date=self._date(row))
        return table.rows(reply, self.config.level)

    def _source(self, row: dict[str, Any], texts: tuple[str, ...], name: str) -> Source:
        values = {column: row.get(column) for column in texts}
        text = next((v for v in values.values() if isinstance(v, str) and v.strip()), None)
        if text is None:
            raise ReadError(name, _no_text(values))
        if len(text) > self.config.max_chars:  # before anything looks at it
            raise ReadError(
                name, f"is {len(text):,} characters; more than {self.config.max_chars:,} are not read"
            )
        source = Source.from_text(text, name=name)
        told: dict[str, str] = {}
        for column, target in METADATA.items():
            value = row.get(column)
            if column not in texts and value is not None and str(value).strip():
                told.setdefault(target, str(value).strip())
        return msgspec.structs.replace(source, format="json", metadata={**source.metadata, **told})

    def _asked(self, row: dict[str, Any]) -> str | list[str] | None:
        asked = row.get(ASKED) or self.config.asked(row)
        if isinstance(asked, list):
            return [str(ask) for ask in asked if ask is not None] or None
        return str(asked).strip() or None if asked is not None else None

    def _date(self, row: dict[str, Any]) -> datetime.date | None:
        value = row.get(self.config.date) if self.config.date else None
        if isinstance(value, datetime.datetime):
            return value.date()
        if value is None or isinstance(value, datetime.date):
            return value
        return parse_date(str(value))


def _there(what: str, name: str | None, names: list[str]) -> None:
    if name and name not in names:
        shown = ", ".join(map(repr, [n for n in names if n not in OWN][:20])) or "none"
        raise SchemaError(f"{what}: there is no column {name!r}; there are {shown}")


def _no_text(values: dict[str, Any]) -> str:
    column, value = next(iter(values.items()), ("text", None))
    kind = "null" if value is None else "empty" if isinstance(value, str) else f"a {type(value).__name__}"
    return f"holds no text: its {column!r} is {kind}"
