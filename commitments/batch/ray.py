"""The same rows from a Ray cluster (extra ``ray``).

`map` is for a `ray.data.Dataset`; `RayEngine` runs ``commitments score --engine ray``, with its manifest and
its resuming. Each worker is an actor that loads the model once; an actor that dies is started again, and its
batch is done again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from commitments.batch.annotate import AnnotateConfig, annotate, annotator
from commitments.batch.engines import Scored, score_shard
from commitments.batch.inputs import Shard
from commitments.errors import MissingExtra

try:
    import ray
except ImportError as missing:
    raise MissingExtra("Running on Ray", "ray") from missing


class _Mapper:
    """An actor's model, and what it does with a batch."""

    def __init__(self, config: AnnotateConfig) -> None:
        self._config = config
        annotator(config)

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        for batch in table.combine_chunks().to_batches():
            yield pa.Table.from_batches([annotate(batch, self._config)])


def map(
    dataset: ray.data.Dataset,
    config: AnnotateConfig = AnnotateConfig(),  # noqa: B008
    *,
    workers: int = 2,
    batch_size: int = 256,
) -> ray.data.Dataset:
    """Read the letters of a dataset.

    Args:
        dataset: one letter a row; give it a column for `AnnotateConfig.id`, since a cluster has no order.
        config: what the columns are, and what the rows shall be.
        workers: actors, each with a core of its own and the model loaded once.
        batch_size: letters that an actor is given at a time.

    Returns:
        Rows with the columns of `commitments.batch.schema`.
    """
    return dataset.map_batches(
        _Mapper,
        fn_constructor_args=(config,),
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )


class _Scorer:
    """An actor's model, for `RayEngine`."""

    def __init__(self, config: AnnotateConfig) -> None:
        self._read = annotator(config)

    def pid(self) -> int:
        """Of its process."""
        return os.getpid()

    def score(self, shard: Shard) -> Scored:
        return score_shard(shard, self._read)


class RayEngine:
    """Scores shards on the actors of a Ray cluster: the one that is connected, or a local one.

    Args:
        config: of the run.
        workers: actors, each with a core of its own.
    """

    def __init__(self, config: AnnotateConfig, workers: int) -> None:
        self._started = not ray.is_initialized()
        if self._started:
            ray.init(
                num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
            )
        actor: Any = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=3)(_Scorer)
        self._actors = [actor.remote(config) for _ in range(workers)]
        self._free = list(self._actors) * 2
        self._running: dict[Any, Any] = {}
        self.slots = len(self._free)

    def submit(self, shard: Shard) -> None:
        """Take a shard."""
        actor = self._free.pop(0)
        self._running[actor.score.remote(shard)] = actor

    def next(self) -> Scored:
        """Wait for a shard to be done."""
        [done], _ = ray.wait(list(self._running))
        self._free.append(self._running.pop(done))
        scored: Scored = ray.get(done)
        return scored

    def close(self) -> None:
        """Stop the actors, and the cluster if it was started here."""
        for actor in self._actors:
            ray.kill(actor)
        if self._started:
            ray.shutdown()
