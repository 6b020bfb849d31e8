"""A run over a corpus: read, score, write, and go on after a crash (批量评分).

The stages are elsewhere: `inputs` cuts the corpus into shards, an engine scores them, `store` keeps what is
done, `outputs` makes the table. Here they are put in order, counted and checked.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import pyarrow as pa

import commitments
from commitments import models
from commitments.batch import outputs
from commitments.batch.annotate import AnnotateConfig, schema
from commitments.batch.engines import Engine, Failure, Limits, Processes, Serial
from commitments.batch.inputs import fingerprint, rows, shards
from commitments.batch.store import Entry, OutputError, Store
from commitments.errors import SchemaError
from commitments.pipeline import RULES, load

EngineName = Literal["serial", "processes", "ray", "spark"]


class RunConfig(msgspec.Struct, frozen=True):
    """How a corpus is run over; the rows do not depend on it.

    Attributes:
        engine: what does the work.
        workers: number of processes; 0 is one a core that this process may use.
        limits: for one letter; kept by ``processes`` alone.
        shard_letters: letters of a shard, the unit of what a crash loses.
        shard_characters: a shard ends when it has as many.
        limit: stop after so many letters; 0 reads all.
        strict: stop at the first letter that cannot be read.
        excel: CSV with a byte-order mark, and with cells that no spreadsheet takes for a formula.
    """

    engine: EngineName = "processes"
    workers: int = 0
    limits: Limits = Limits()
    shard_letters: int = 256
    shard_characters: int = 500_000
    limit: int = 0
    strict: bool = False
    excel: bool = False


class Progress(msgspec.Struct, frozen=True):
    """How far a run is.

    Attributes:
        letters: done, those of an earlier run included.
        rows: written.
        errors: letters that could not be read.
        characters: read.
        resumed: letters that an earlier run had done.
        seconds: since this run began.
    """

    letters: int = 0
    rows: int = 0
    errors: int = 0
    characters: int = 0
    resumed: int = 0
    seconds: float = 0.0


class Summary(msgspec.Struct, frozen=True):
    """What a run did; also written beside the output, as ``OUT.summary.json``.

    Attributes:
        output: the table.
        letters: that went in.
        rows: that came out.
        errors: letters that could not be read.
        failures: the first hundred of them.
        characters: of the letters, as far as they were text columns.
        resumed: letters that an earlier run had done.
        seconds: by stage: ``all``; ``reading`` the corpus, ``scoring`` (summed over workers), ``writing``.
        manifest: what the result depends on.
        machine: on which it was made.
    """

    output: str
    letters: int
    rows: int
    errors: int
    failures: tuple[Failure, ...]
    characters: int
    resumed: int
    seconds: dict[str, float]
    manifest: dict[str, Any]
    machine: dict[str, Any]


def score(
    inputs: str | Path | Sequence[str | Path],
    output: str | Path,
    config: AnnotateConfig = AnnotateConfig(),  # noqa: B008
    run: RunConfig = RunConfig(),  # noqa: B008
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Score a corpus, and write the table.

    Args:
        inputs: files (JSONL, CSV, XLSX, Parquet, letters), folders, globs, or ``-``.
        output: ``.parquet``, ``.jsonl`` or ``.csv``; any other name is a folder of Parquet files.
        config: what the columns are, and what the rows shall be.
        run: how it is run over.
        resume: go on with an unfinished run on this output; one that is finished is left as it is.
        overwrite: begin anew, whatever is there.
        progress: is told how far it is, after each shard.

    Returns:
        What was done.

    Raises:
        ReadError: an input does not exist.
        SchemaError: a column does not exist, or the output is there already.
        OutputError: the output cannot be written, or holds the run of another input, model or configuration.
        ModelError: there is no such model.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = score("seeds/letters/dev.jsonl", f"{folder}/a.jsonl", AnnotateConfig(model="cues"),
    ...                  RunConfig(engine="serial", limit=2))
    >>> done.letters, done.errors
    (2, 0)
    """
    began = time.perf_counter()
    given = [str(i) for i in ([inputs] if isinstance(inputs, str | Path) else inputs)]
    target = outputs.Target.of(output)
    if resume and overwrite:
        raise SchemaError("resume goes on with a run, overwrite begins anew: choose one")
    told = _told(given, config, run)
    done = target.finished()
    if done is not None and resume:
        return _again(done, told)
    if target.path.exists() and not target.is_partial() and not overwrite:
        raise OutputError(f"{target.path}: is there already; name another, or say --overwrite")
    store = Store(target.work)
    opened = False
    try:
        if overwrite:
            store.clear()
        store.open(told, resume=resume)
        opened = True
        if overwrite:
            target.forget()
        counted, resumed, reading = _through(given, store, config, run, progress, began)
        wrote = time.perf_counter()
        entries = [store.entries[i] for i in range(counted)]
        wanted = schema(config)
        target.write([store.path(e.index) for e in entries], wanted, excel=run.excel)
        seconds = {"reading": reading, "writing": time.perf_counter() - wrote}
        summary = _summary(target, entries, told, seconds, began, resumed)
        store.write(target.summary, msgspec.json.format(msgspec.json.encode(summary), indent=1))
        store.finish(keep=target.is_folder)
    except BaseException:
        store.leave(worthless=opened and not store.entries)
        raise
    return summary


def _through(
    given: list[str],
    store: Store,
    config: AnnotateConfig,
    run: RunConfig,
    progress: Callable[[Progress], None] | None,
    began: float,
) -> tuple[int, int, float]:
    """Score what is not done yet; how many shards there are, letters that were done, seconds of reading."""
    at = {"letters": 0, "rows": 0, "errors": 0, "characters": 0, "resumed": 0}
    reading = 0.0

    def count(entry: Entry, resumed: int = 0) -> None:
        at["letters"] += entry.letters
        at["rows"] += entry.rows
        at["errors"] += len(entry.failures)
        at["characters"] += entry.characters
        at["resumed"] += resumed
        if progress:
            progress(Progress(**at, seconds=time.perf_counter() - began))
        if run.strict and entry.failures:
            first = entry.failures[0]
            raise SchemaError(f"{first.name}: {first.reason} (strict: stopped at the first error)")

    found = _limited(rows(given, config), run.limit)
    stream = shards(found, config, letters=run.shard_letters, characters=run.shard_characters)
    engine: Engine | None = None
    held: dict[int, Any] = {}
    number = 0
    try:
        while True:
            before = time.perf_counter()
            shard = next(stream, None)
            reading += time.perf_counter() - before
            if shard is not None:
                number += 1
                if store.has(shard):
                    count(store.entries[shard.index], resumed=shard.letters)
                    continue
                if engine is None:
                    engine = make_engine(config, run)
                engine.submit(shard)
                held[shard.index] = shard
            while engine is not None and held and (shard is None or len(held) >= engine.slots):
                scored = engine.next()
                count(store.add(held.pop(scored.index), scored))
            if shard is None:
                break
    finally:
        if engine is not None:
            engine.close()
    lost = [i for i in range(number) if i not in store.entries]
    if lost or any(store.entries[i].letters < len(store.entries[i].failures) for i in range(number)):
        raise OutputError(f"{store.folder}: shards {lost[:10]} are not accounted for; go on with --resume")
    return number, at["resumed"], reading


def make_engine(config: AnnotateConfig, run: RunConfig) -> Engine:
    """The engine of a run, with its workers started.

    Raises:
        SchemaError: there is no such engine.
        MissingExtra: it needs a library that is not installed.
    """
    workers = run.workers or cores()
    if run.engine == "serial":
        return Serial(config)
    if run.engine == "processes":
        return Processes(config, workers, run.limits)
    if run.engine == "ray":
        from commitments.batch.ray import RayEngine

        return RayEngine(config, workers)
    if run.engine == "spark":
        from commitments.batch.spark import SparkEngine

        return SparkEngine(config, workers)
    raise SchemaError(f"no engine {run.engine!r}; there are {', '.join(get_args(EngineName))}")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _limited(found: Iterator[dict[str, Any]], limit: int) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(found):
        if limit and number >= limit:
            return
        yield row


def _told(given: list[str], config: AnnotateConfig, run: RunConfig) -> dict[str, Any]:
    """What the result depends on, so that nothing else is joined to it."""
    schema(config)
    name = config.model
    version = load(name).tagger.version if name in RULES else models.find(name).manifest.version
    return {
        "library": commitments.__version__,
        "model": {"name": name, "version": version},
        "config": msgspec.to_builtins(config),
        "limit": run.limit,
        "shard": {"letters": run.shard_letters, "characters": run.shard_characters},
        "max_seconds": run.limits.seconds,
        "input": fingerprint(given),
    }


def _again(done: Summary, told: dict[str, Any]) -> Summary:
    """A run that is finished already is not done twice, unless it was another."""
    if done.manifest != msgspec.json.decode(msgspec.json.encode(told)):
        raise OutputError(
            f"{done.output}: is the finished table of another input, model or configuration; "
            "name another output, or say --overwrite"
        )
    return msgspec.structs.replace(done, resumed=done.letters)


def _summary(
    target: outputs.Target,
    entries: list[Entry],
    told: dict[str, Any],
    seconds: dict[str, float],
    began: float,
    resumed: int,
) -> Summary:
    failures = [failure for entry in entries for failure in entry.failures]
    return Summary(
        output=str(target.path),
        letters=sum(entry.letters for entry in entries),
        rows=sum(entry.rows for entry in entries),
        errors=len(failures),
        failures=tuple(failures[:100]),
        characters=sum(entry.characters for entry in entries),
        resumed=resumed,
        seconds={
            "all": round(time.perf_counter() - began, 3),
            "scoring": round(sum(entry.seconds for entry in entries), 3),
            **{stage: round(value, 3) for stage, value in seconds.items()},
        },
        manifest=told,
        machine={
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": cores(),
            "pyarrow": pa.__version__,
        },
    )
