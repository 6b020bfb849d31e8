"""The same rows from a Spark cluster (extra ``spark``).

`map` is for a DataFrame; `SparkEngine` runs ``commitments score --engine spark``, with its manifest and its
resuming. The model is loaded once a Python worker; Spark does a task that failed again.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from commitments.batch.annotate import AnnotateConfig, annotate, annotator, schema
from commitments.batch.engines import Scored, score_shard
from commitments.batch.inputs import Shard
from commitments.errors import MissingExtra

try:
    from pyspark.sql import SparkSession
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
except ImportError as missing:
    raise MissingExtra("Running on Spark", "spark") from missing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def map(
    frame: DataFrame,
    config: AnnotateConfig = AnnotateConfig(),  # noqa: B008
) -> DataFrame:
    """Read the letters of a DataFrame, by ``mapInArrow``.

    Args:
        frame: one letter a row; give it a column for `AnnotateConfig.id`, since a cluster has no order.
        config: what the columns are, and what the rows shall be.

    Returns:
        Rows with the columns of `commitments.batch.schema`.
    """
    target = schema(config, to_arrow_schema(frame.schema))

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield annotate(batch, config).cast(target)

    return frame.mapInArrow(work, from_arrow_schema(target))


def _score(pair: tuple[Shard, AnnotateConfig]) -> Scored:
    shard, config = pair
    return score_shard(shard, annotator(config))


class SparkEngine:
    """Scores shards as tasks of the Spark session that is active, or of a local one.

    Shards are gathered until every worker has some, because each job costs Spark a moment.

    Args:
        config: of the run.
        workers: cores of a local session; tasks at a time in any case.
    """

    def __init__(self, config: AnnotateConfig, workers: int) -> None:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        self._config, self._workers = config, workers
        active = SparkSession.getActiveSession()
        self._started = active is None
        self._session = active or (
            SparkSession.builder.master(f"local[{workers},4]")
            .appName("commitments")
            .config("spark.ui.enabled", "false")
            .getOrCreate()
        )
        self._held: list[Shard] = []
        self._done: deque[Scored] = deque()
        self.slots = workers * 8

    def submit(self, shard: Shard) -> None:
        """Take a shard."""
        self._held.append(shard)

    def next(self) -> Scored:
        """A shard that is done; runs all that are held when there is none."""
        if not self._done:
            pairs: list[Any] = [(shard, self._config) for shard in self._held]
            self._held = []
            context = self._session.sparkContext
            self._done.extend(context.parallelize(pairs, len(pairs)).map(_score).collect())
        return self._done.popleft()

    def close(self) -> None:
        """Stop the session if it was started here."""
        if self._started:
            self._session.stop()
