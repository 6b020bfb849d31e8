"""The table that a run leaves: Parquet, JSON lines or CSV, in one file or as a folder of Parquet files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from commitments.batch.store import JOURNAL, MANIFEST, OutputError, replacing
from commitments.table import cell

if TYPE_CHECKING:
    from commitments.batch.run import Summary

_ROWS = 65_536
"""Rows of a row group: many enough to compress well, few enough to hold."""


class Target(msgspec.Struct, frozen=True):
    """Where a run's table goes.

    Attributes:
        path: of the table.
        kind: ``parquet``, ``jsonl``, ``csv``, or ``folder``.
    """

    path: Path
    kind: str

    @classmethod
    def of(cls, output: str | Path) -> Target:
        """By the suffix.

        >>> Target.of("a.csv").kind, Target.of("scores").kind
        ('csv', 'folder')
        """
        path = Path(output)
        suffix = path.suffix.lower()
        if suffix in (".gz", ".zip", ".xlsx", ".xls", ".json", ".tsv"):
            raise OutputError(f"{path}: {suffix} is not written; there are .parquet, .jsonl and .csv")
        kinds = {
            ".parquet": "parquet",
            ".pq": "parquet",
            ".jsonl": "jsonl",
            ".ndjson": "jsonl",
            ".csv": "csv",
        }
        return cls(path, "folder" if path.is_dir() else kinds.get(suffix, "folder"))

    @property
    def is_folder(self) -> bool:
        """Whether the shards themselves are the table."""
        return self.kind == "folder"

    @property
    def work(self) -> Path:
        """The folder that a run works in."""
        return self.path if self.is_folder else self.path.with_name(f"{self.path.name}.parts")

    @property
    def summary(self) -> Path:
        """What a finished run tells of itself."""
        if self.is_folder:
            return self.path / "_summary.json"
        return self.path.with_name(f"{self.path.name}.summary.json")

    def finished(self) -> Summary | None:
        """What the run told that made the table, if it is whole; None when there is none."""
        from commitments.batch.run import Summary

        if not self.path.exists():
            return None
        try:
            return msgspec.json.decode(self.summary.read_bytes(), type=Summary)
        except (OSError, msgspec.MsgspecError):
            return None

    def is_partial(self) -> bool:
        """Whether a folder holds an unfinished run, or nothing."""
        if not self.is_folder or not self.path.is_dir():
            return False
        names = {path.name for path in self.path.iterdir()}
        return not names or bool(names & {MANIFEST, JOURNAL})

    def forget(self) -> None:
        """Remove an earlier table."""
        self.summary.unlink(missing_ok=True)
        if not self.is_folder:
            self.path.unlink(missing_ok=True)

    def write(self, parts: Sequence[Path], schema: pa.Schema, *, excel: bool = False) -> None:
        """Join the shards, in their order, into the table.

        Raises:
            OutputError: it cannot be written.
        """
        if self.is_folder:
            return
        with replacing(self.path) as file:
            if self.kind == "parquet":
                with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                    for table in _joined(parts, schema):
                        writer.write_table(table, row_group_size=_ROWS)
            elif self.kind == "jsonl":
                for row in _rows(parts, schema):
                    file.write(msgspec.json.encode(row) + b"\n")
            else:
                text = io.TextIOWrapper(file, "utf-8-sig" if excel else "utf-8", newline="")
                writer = csv.writer(text)
                writer.writerow(schema.names)
                for row in _rows(parts, schema):
                    writer.writerow([cell(value, inert=excel) for value in row.values()])
                text.flush()
                text.detach()


def _joined(parts: Sequence[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for part in parts:
        held.append(pq.read_table(part).cast(schema))
        if sum(table.num_rows for table in held) >= _ROWS:
            yield pa.concat_tables(held).combine_chunks()
            held = []
    if held:
        yield pa.concat_tables(held).combine_chunks()


def _rows(parts: Sequence[Path], schema: pa.Schema) -> Iterator[dict[str, Any]]:
    for part in parts:
        yield from pq.read_table(part).cast(schema).to_pylist()
