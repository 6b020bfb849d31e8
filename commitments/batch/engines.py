"""Where shards are scored: in this process, or in others that may die without taking the run with them.

An engine is given shards and gives them back scored, in any order. Each calls `score_shard`, which is
`annotate` and the encoding of its rows, and nothing else. Ray and Spark have modules of their own.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from commitments.batch.annotate import ERROR_COLUMN, NAME, AnnotateConfig, Annotator, annotator, schema
from commitments.batch.inputs import Shard
from commitments.errors import CommitmentsError


class Limits(msgspec.Struct, frozen=True):
    """What one letter may take before its worker is stopped.

    Attributes:
        seconds: for one letter.
        megabytes: of memory that a worker may take beside what it has once the model is loaded; 0 for no
            limit. Kept where the system can (not on Windows).
    """

    seconds: float = 60.0
    megabytes: int = 4096


class Failure(msgspec.Struct, frozen=True):
    """A letter that could not be read.

    Attributes:
        name: of the letter.
        reason: why.
    """

    name: str
    reason: str


class Scored(msgspec.Struct, frozen=True):
    """A shard's rows.

    Attributes:
        index: of the shard.
        parquet: the rows, as the bytes of a Parquet file.
        rows: number of them.
        letters: number of letters that went in.
        failures: those of them that could not be read.
        seconds: of reading the letters.
    """

    index: int
    parquet: bytes
    rows: int
    letters: int
    failures: tuple[Failure, ...]
    seconds: float


class Engine(Protocol):
    """Scores shards.

    Attributes:
        slots: how many shards it can hold at a time; more are not to be submitted.
    """

    slots: int

    def submit(self, shard: Shard) -> None:
        """Take a shard."""
        ...

    def next(self) -> Scored:
        """Wait for a shard to be done."""
        ...

    def close(self) -> None:
        """Stop at once; what was not given back is lost."""
        ...


def score_shard(shard: Shard, read: Annotator) -> Scored:
    """Read a shard's letters, and encode their rows."""
    began = time.perf_counter()
    return _scored(shard, read(shard.table()), time.perf_counter() - began)


def _scored(shard: Shard, rows: pa.RecordBatch | pa.Table, seconds: float) -> Scored:
    told = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    sink = pa.BufferOutputStream()
    pq.write_table(told, sink, compression="zstd")
    wrong = told.filter(pc.is_valid(told[ERROR_COLUMN]))
    names = wrong["name"].to_pylist() if "name" in told.schema.names else [""] * wrong.num_rows
    failures = tuple(map(Failure, (name or "" for name in names), wrong[ERROR_COLUMN].to_pylist()))
    return Scored(shard.index, sink.getvalue().to_pybytes(), told.num_rows, shard.letters, failures, seconds)


class Serial:
    """Scores in this process. A letter that takes the process down takes the run down."""

    slots = 1

    def __init__(self, config: AnnotateConfig, *, threads: int = 0) -> None:
        self._read = annotator(config, threads)
        self._held: deque[Shard] = deque()

    def submit(self, shard: Shard) -> None:
        """Take a shard."""
        self._held.append(shard)

    def next(self) -> Scored:
        """Score the first one."""
        return score_shard(self._held.popleft(), self._read)

    def close(self) -> None:
        """There is nothing to stop."""


class _Job(msgspec.Struct, frozen=True):
    shard: Shard
    letter: int | None = None  # only this one of its letters


class _Worker:
    """A process, and the job that it has."""

    def __init__(self, config: AnnotateConfig, limits: Limits) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, config, limits), daemon=True)
        self.process.start()
        theirs.close()
        self.job: _Job | None = None
        self.began = time.monotonic()

    def start(self, job: _Job) -> None:
        self.job, self.began = job, time.monotonic()
        self.pipe.send(job.shard if job.letter is None else job.shard.alone(job.letter))

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


class Processes:
    """Scores in worker processes.

    A worker that dies, or is stopped because a letter took too long or too much memory, is replaced. The
    letters of its shard are then read one by one; one that fails again has its reason for a row.

    Args:
        config: of the run.
        workers: number of processes; each takes one core.
        limits: for one letter.
    """

    def __init__(self, config: AnnotateConfig, workers: int, limits: Limits = Limits()) -> None:  # noqa: B008
        self.slots = workers * 2
        self._config, self._limits = config, limits
        self._waiting: deque[_Job] = deque()
        self._ready: deque[Scored] = deque()
        self._parts: dict[int, dict[int, Scored | Failure]] = {}
        self._workers = [_Worker(config, limits) for _ in range(workers)]
        self._deaths = 0

    def submit(self, shard: Shard) -> None:
        """Take a shard."""
        self._waiting.append(_Job(shard))
        self._feed()

    def next(self) -> Scored:
        """Wait for a shard to be done."""
        while True:
            self._feed()
            if self._ready:
                return self._ready.popleft()
            by_pipe: dict[Any, tuple[_Worker, _Job]] = {w.pipe: (w, w.job) for w in self._workers if w.job}
            for ready in wait(list(by_pipe)):
                if (done := self._take(*by_pipe[ready])) is not None:
                    return done

    def close(self) -> None:
        """Stop all workers at once."""
        for worker in self._workers:
            worker.end()

    def _feed(self) -> None:
        """Give every worker that has nothing to do a job."""
        for place in range(len(self._workers)):
            while self._waiting and (worker := self._workers[place]).job is None:
                job = self._waiting.popleft()
                try:
                    worker.start(job)
                except OSError:  # it is gone, perhaps because it could not even hold what it was given
                    reason = self._reason(worker)
                    self._replace(worker)
                    if (done := self._died(job, reason)) is not None:
                        self._ready.append(done)

    def _take(self, worker: _Worker, job: _Job) -> Scored | None:
        """What a worker has to say: a shard that is done, or none yet."""
        try:
            told: Scored | CommitmentsError = worker.pipe.recv()
        except (EOFError, OSError):
            reason = self._reason(worker)
            self._replace(worker)
            return self._died(job, reason)
        worker.job = None
        self._deaths = 0
        if isinstance(told, CommitmentsError):
            raise told
        return told if job.letter is None else self._part(job, job.letter, told)

    def _reason(self, worker: _Worker) -> str:
        worker.process.join(5)
        code, took = worker.process.exitcode, time.monotonic() - worker.began
        if code == 1 and took >= self._limits.seconds:
            return f"took longer than {self._limits.seconds:g} seconds"
        name = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
        return f"its worker ended ({name}); perhaps it needs more than {self._limits.megabytes} MB"

    def _died(self, job: _Job, reason: str) -> Scored | None:
        if job.letter is not None:
            [row] = job.shard.alone(job.letter).table().to_pylist()
            given = row.get(self._config.id) if self._config.id else None
            return self._part(job, job.letter, Failure(str(given or row[NAME]), reason))
        self._parts[job.shard.index] = {}
        self._waiting.extendleft(_Job(job.shard, n) for n in reversed(range(job.shard.letters)))
        return None

    def _part(self, job: _Job, letter: int, told: Scored | Failure) -> Scored | None:
        """A letter of a shard that is read one by one; the shard, when it was the last."""
        parts = self._parts[job.shard.index]
        parts[letter] = told
        if len(parts) < job.shard.letters:
            return None
        del self._parts[job.shard.index]
        target = schema(self._config)
        tables, seconds = [], 0.0
        for n in range(job.shard.letters):
            part = parts[n]
            if isinstance(part, Failure):
                row = {"name": part.name, ERROR_COLUMN: part.reason}
                [given] = job.shard.alone(n).table().to_pylist()
                row |= {target.names[i]: given.get(column) for i, column in enumerate(self._config.keep)}
                tables.append(pa.Table.from_pylist([row], schema=target))
            else:
                seconds += part.seconds
                tables.append(pq.read_table(pa.BufferReader(part.parquet)).cast(target))
        return _scored(job.shard, pa.concat_tables(tables), seconds)

    def _replace(self, worker: _Worker) -> None:
        worker.end()
        self._deaths += 1
        if self._deaths > 20 + 3 * len(self._workers):
            raise CommitmentsError(
                f"{self._deaths} workers in a row ended without reading a letter "
                f"({self._reason(worker)}): allow them more memory, or use fewer; a script that starts "
                "workers must be a file, and do so under `if __name__ == '__main__':`"
            )
        self._workers[self._workers.index(worker)] = _Worker(self._config, self._limits)


def _work(pipe: Connection, config: AnnotateConfig, limits: Limits) -> None:
    """What a worker process does: shard after shard, until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    try:
        read = _Watched(annotator(config, 1), limits)
        _bound_memory(limits)
        while True:
            pipe.send(score_shard(pipe.recv(), read))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except MemoryError:
        sys.exit(3)
    except CommitmentsError as error:
        pipe.send(CommitmentsError(str(error)))


class _Watched(Annotator):
    """Reads letters, and ends the process when one takes too long, even inside a library."""

    def __init__(self, read: Annotator, limits: Limits) -> None:
        super().__init__(read.config, read.nlp)
        self._seconds = limits.seconds
        self._quiet = open(os.devnull, "w")  # noqa: PTH123, SIM115 - held as long as the process

    def _letter(self, row: dict[str, Any], texts: tuple[str, ...], number: int) -> list[dict[str, Any]]:
        faulthandler.dump_traceback_later(self._seconds, exit=True, file=self._quiet)
        try:
            return super()._letter(row, texts, number)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _bound_memory(limits: Limits) -> None:
    if not limits.megabytes or sys.platform == "win32":
        return
    import resource

    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123 - no path of the user's
            pages = int(file.read().split()[0])
    except OSError:
        return
    bound = pages * os.sysconf("SC_PAGE_SIZE") + limits.megabytes * 1_000_000
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (bound if hard < 0 else min(bound, hard), hard))
