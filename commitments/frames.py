"""Columns of pandas and polars: letters in, a table of sentences, measures or scores out.

All work is that of `commitments.batch.annotate`, and the columns are those of `commitments.table`. Importing
this module registers ``series.commitments`` with pandas, where that is installed; polars does not need it.

>>> import pandas as pd
>>> import commitments.frames
>>> replies = pd.Series(["我局已建成公园3个。将再建2个。", "将建公园。"], index=["甲", "乙"])
>>> replies.commitments.tag(model="cues")[["status", "quantities"]].to_dict("list")
{'status': ['completed', 'pledge', 'pledge'], 'quantities': [['3个'], ['2个'], []]}
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from commitments import models, table
from commitments.batch.annotate import ERROR_COLUMN, AnnotateConfig, Annotator, annotator
from commitments.batch.inputs import as_batch, as_row
from commitments.errors import MissingExtra, SchemaError
from commitments.table import Level

try:
    import pandas as pd
except ImportError:  # those who use polars need not have it
    pd = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from commitments.pipeline import Pipeline
    from commitments.reply import Reply

Frame = TypeVar("Frame")

_STEP = 256
"""Letters that are turned to Arrow at a time."""


def tag_frame(
    frame: Frame,
    text: str = "reply",
    suggestion: str | None = None,
    date: str | None = None,
    *,
    level: Level = "sentence",
    columns: Iterable[str] = (),
    model: str = models.DEFAULT,
    abstain: float | None = None,
    nlp: Pipeline | None = None,
) -> Frame:
    """Read the letters of a column.

    Args:
        frame: of pandas or polars, one letter a row.
        text: column with the letters.
        suggestion: column with what was asked, texts or lists of asks; when not given, one with a usual name
            (``message``, ``suggestion``, ``建议内容`` …).
        date: column with the letters' dates, which win over those in the letters. What columns with usual
            names tell (``date``, ``agency``, ``title`` …) fills in what a letter leaves open.
        level: one row a ``"sentence"``, a ``"measure"`` or a ``"reply"``.
        columns: those that are wanted, of `commitments.table.columns`; all when empty.
        model: to read with.
        abstain: confidence below which a sentence is left undecided.
        nlp: a pipeline to read with, instead of `model` and `abstain`.

    Returns:
        A frame of the same library with the columns of the level and ``error``, which says why a letter could
        not be read. In pandas its index holds that of `frame`, repeated as ``explode`` does, so that
        ``frame.join(tagged)`` puts them together; where both have a column of one name, give `columns`, or
        ``frame.join(tagged, rsuffix="_read")``. ``name`` is the row's index; in polars, its number.

    Raises:
        MissingExtra: pyarrow is not installed, or the frame's library is not.
        SchemaError: there is no such column, or several of that name, or it is no frame.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"reply": ["将建公园。", None], "city": ["甲", "乙"]})
    >>> tagged = tag_frame(frame, model="cues", columns=["status"])
    >>> frame.join(tagged)[["city", "status"]].to_numpy().tolist(), tagged["error"][1]
    ([['甲', 'pledge'], ['乙', nan]], "holds no text: its 'reply' is null")
    """
    labels = _labels(frame)
    names = [str(label) for label in labels]
    for what, name in (("text", text), ("suggestion", suggestion), ("date", date)):
        if name is not None and name not in names:
            raise SchemaError(f"{what}: there is no column {name!r}; there are {', '.join(names) or 'none'}")
    config = AnnotateConfig(
        model=model, text=text, suggestion=suggestion, date=date, level=level, abstain=abstain
    )
    wanted = list(dict.fromkeys([columns] if isinstance(columns, str) else columns)) or [
        *table.columns(level)
    ]
    for name in wanted:
        if name not in table.columns(level) and name != ERROR_COLUMN:
            raise SchemaError(f"there is no column {name!r}; there are {', '.join(table.columns(level))}")
    read = annotator(config) if nlp is None else Annotator(config, nlp)
    used = config.needed(tuple(names))
    for name in used:
        if names.count(name) > 1:
            raise SchemaError(f"there are {names.count(name)} columns {name!r}")
    known = dict(zip(names, labels, strict=True))
    shown = [*(name for name in wanted if name != ERROR_COLUMN), ERROR_COLUMN]
    tagged: Callable[..., Any] = _pandas if pd is not None and isinstance(frame, pd.DataFrame) else _polars
    return cast(Frame, tagged(frame, read, {name: known[name] for name in used}, shown))


def _labels(frame: object) -> list[Hashable]:
    """The names of a frame's columns; in pandas they may be other than text."""
    polars = sys.modules.get("polars")  # whoever has a frame of it has imported it
    if pd is not None and isinstance(frame, pd.DataFrame):
        return list(frame.columns)
    if polars is not None and isinstance(frame, polars.DataFrame):
        return list(frame.columns)
    if polars is not None and isinstance(frame, polars.LazyFrame):
        raise SchemaError("expected a DataFrame, not a LazyFrame: collect() it first")
    if pd is None:
        raise MissingExtra("Tagging a DataFrame of pandas", "pandas")
    raise SchemaError(f"expected a DataFrame of pandas or polars, not {type(frame).__name__}")


def _read(
    read: Annotator, used: list[str], given: list[list[Any]], count: int
) -> tuple[list[dict[str, Any]], list[int]]:
    """Rows, and the number of the letter that each is of."""
    rows: list[dict[str, Any]] = []
    for start in range(0, count, _STEP):
        letters = [
            as_row(
                {name: _plain(values[n]) for name, values in zip(used, given, strict=True)},
                used,
                str(n),
            )
            for n in range(start, min(start + _STEP, count))
        ]
        rows += read(as_batch(letters, read.config)).to_pylist()
    return rows, [int(row["name"]) for row in rows]


def _plain(value: Any) -> Any:
    """A cell as Python has it: Parquet's lists come as arrays, and what is missing comes in many ways."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [part for part in map(_plain, value) if part is not None]
    if pd is not None and (value is pd.NA or value is pd.NaT):
        return None
    return None if isinstance(value, float) and math.isnan(value) else value


def _pandas(frame: pd.DataFrame, read: Annotator, used: dict[str, Hashable], shown: list[str]) -> Any:
    level = read.config.level
    given = [frame[label].tolist() for label in used.values()]
    rows, places = _read(read, list(used), given, len(frame))
    made = pd.DataFrame(rows, columns=[*table.columns(level), ERROR_COLUMN])
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        made["name"] = [", ".join(map(str, index[place])) for place in places]
    else:
        made["name"] = [str(index[place]) for place in places]
    made.index = index[places]
    return table.typed(made, level)[shown]


def _polars(frame: Any, read: Annotator, used: dict[str, Hashable], shown: list[str]) -> Any:
    import polars as pl
    import pyarrow as pa

    given = [frame[label].to_list() for label in used.values()]
    rows, _ = _read(read, list(used), given, frame.height)
    whole = table.schema(read.config.level).append(pa.field(ERROR_COLUMN, pa.string()))
    made: Any = pl.from_arrow(pa.Table.from_pylist(rows, schema=whole))
    return made.select(shown)


def concat(replies: Iterable[Reply], *, level: Level = "sentence") -> pd.DataFrame:
    """One table of many replies.

    Args:
        replies: as from ``nlp.pipe(texts)``.
        level: one row a ``"sentence"``, a ``"measure"`` or a ``"reply"``.

    Raises:
        MissingExtra: pandas is not installed.

    >>> import commitments
    >>> len(concat(commitments.load("cues").pipe(["将建公园。", "已建成公园。"])))
    2
    """
    return table.to_frame(*replies, level=level)


class Letters:
    """``series.commitments``: a pandas Series of letters.

    Args:
        series: one letter an item.
    """

    def __init__(self, series: pd.Series[str]) -> None:
        self._series = series

    def tag(
        self,
        suggestion: pd.Series[str] | None = None,
        date: pd.Series[Any] | None = None,
        *,
        level: Level = "sentence",
        columns: Iterable[str] = (),
        model: str = models.DEFAULT,
        abstain: float | None = None,
        nlp: Pipeline | None = None,
    ) -> pd.DataFrame:
        """Read the letters; as `tag_frame`, with the other columns as Series of the same length."""
        parts = [self._series.reset_index(drop=True).rename("reply")]
        for name, series in (("message", suggestion), ("date", date)):
            if series is not None:
                if len(series) != len(self._series):
                    raise SchemaError(f"{name}: {len(series)} items for {len(self._series)} letters")
                parts.append(series.reset_index(drop=True).rename(name))
        frame: pd.DataFrame = tag_frame(
            pd.concat(parts, axis=1).set_axis(self._series.index),
            suggestion="message" if suggestion is not None else None,
            date="date" if date is not None else None,
            level=level,
            columns=columns,
            model=model,
            abstain=abstain,
            nlp=nlp,
        )
        return frame


if pd is not None:
    pd.api.extensions.register_series_accessor("commitments")(Letters)
