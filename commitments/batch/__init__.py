"""Corpora: one function that turns a batch of letters into a batch of rows, and runs of it (批量处理).

`annotate` is that function. `score` runs it over files of any size, on all cores, and goes on after a crash;
``commitments score`` is the same on the command line. `commitments.batch.ray` and `commitments.batch.spark`
run it on a cluster.
"""

from __future__ import annotations

from commitments.batch.annotate import (
    ERROR_COLUMN,
    AnnotateConfig,
    Annotator,
    annotate,
    annotator,
    schema,
)
from commitments.batch.engines import Failure, Limits
from commitments.batch.run import Progress, RunConfig, Summary, score
from commitments.batch.store import OutputError

__all__ = [
    "ERROR_COLUMN",
    "AnnotateConfig",
    "Annotator",
    "Failure",
    "Limits",
    "OutputError",
    "Progress",
    "RunConfig",
    "Summary",
    "annotate",
    "annotator",
    "schema",
    "score",
]
