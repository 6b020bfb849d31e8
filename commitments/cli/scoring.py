"""The command that reads corpora: `score`."""

from __future__ import annotations

import json
import sys
import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commitments.cli.app import app
from commitments.cli.shared import Model, fail, leave, utf8
from commitments.errors import CommitmentsError, MissingExtra
from commitments.models import DEFAULT

if TYPE_CHECKING:
    from commitments.batch import AnnotateConfig, Progress, RunConfig, Summary


class EngineChoice(str, Enum):
    """What does the work."""

    SERIAL = "serial"
    PROCESSES = "processes"
    RAY = "ray"
    SPARK = "spark"


class LevelChoice(str, Enum):
    """What a row is."""

    SENTENCE = "sentence"
    MEASURE = "measure"
    REPLY = "reply"


@app.command(short_help="Score a corpus of letters into a table.")
def score(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="JSONL, CSV, XLSX, Parquet, letters, folders, globs, or - for standard input.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Table to write: .parquet, .jsonl or .csv; else a folder of Parquet.",
        ),
    ],
    text_column: Annotated[
        str | None, typer.Option("--text-column", metavar="NAME", help="Column with the letter's text.")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id-column", metavar="NAME", help="Column that names the letter.")
    ] = None,
    suggestion_column: Annotated[
        str | None, typer.Option("--suggestion-column", metavar="NAME", help="Column with what was asked.")
    ] = None,
    date_column: Annotated[
        str | None, typer.Option("--date-column", metavar="NAME", help="Column with the letter's date.")
    ] = None,
    keep: Annotated[
        str, typer.Option("--keep", metavar="NAMES", help="Columns of the input to carry over, by commas.")
    ] = "",
    level: Annotated[LevelChoice, typer.Option("--level", help="What a row is.")] = LevelChoice.SENTENCE,
    columns: Annotated[
        str,
        typer.Option("--columns", metavar="NAMES", help="Columns of the output, by commas; all if empty."),
    ] = "",
    model: Model = DEFAULT,
    abstain: Annotated[
        float | None,
        typer.Option("--abstain", min=0, max=1, help="Leave sentences below this confidence undecided."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-w", min=0, help="Processes; 0 is one a core.")] = 0,
    engine: Annotated[EngineChoice, typer.Option("--engine", help="What does the work.")] = (
        EngineChoice.PROCESSES
    ),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was broken off.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew, whatever is there.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Stop after so many letters.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show columns, first rows and the time it would take.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first letter that fails.")] = False,
    seconds: Annotated[
        float, typer.Option("--max-seconds", min=0.1, help="The most that one letter may take.")
    ] = 60.0,
    megabytes: Annotated[
        int, typer.Option("--max-memory", min=0, metavar="MB", help="The most memory of a worker; 0 for any.")
    ] = 4096,
    excel: Annotated[
        bool, typer.Option("--excel", help="CSV for spreadsheets: with a mark, and no formulas.")
    ] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Tell the progress as JSON lines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors, no more.")] = False,
) -> None:
    """Score a corpus of letters into a table, on all cores; a run that is broken off can go on.

    A letter that cannot be read has a row with an error, the run goes on, and the exit code is 1. What was
    done is told in OUT.summary.json.

    \b
    Examples:
      commitments score replies.jsonl -o sentences.parquet --text-column reply --workers 2
      commitments score replies.jsonl -o sentences.parquet --text-column reply --workers 2 --resume
      commitments score 答复.csv -o letters.csv --excel --level reply --text-column 答复内容 --id-column 编号
      commitments score letters/ "more/**/*.pdf" -o scores/ --model fast
      commitments score big.parquet -o out.parquet --dry-run
    """  # noqa: D301 - typer wants the character itself
    try:
        from commitments import batch
    except MissingExtra as error:
        raise typer.BadParameter(str(error), param_hint="score") from error

    config = batch.AnnotateConfig(
        model=model,
        text=text_column,
        id=id_column,
        suggestion=suggestion_column,
        date=date_column,
        level=level.value,
        columns=_names(columns),
        keep=_names(keep),
        abstain=abstain,
    )
    run = batch.RunConfig(
        engine=engine.value,
        workers=workers,
        limits=batch.Limits(seconds, megabytes),
        limit=limit,
        strict=strict,
        excel=excel,
    )
    failures: list[str] = []
    try:
        if dry_run:
            _dry(inputs, config, run)
            return
        with _Teller(quiet=quiet, as_json=log_json) as told:
            done = batch.score(
                [*inputs], output, config, run, resume=resume, overwrite=overwrite, progress=told.progress
            )
    except KeyboardInterrupt:
        typer.echo("stopped; what is done is kept: the same command with --resume goes on", err=True)
        raise typer.Exit(130) from None
    except CommitmentsError as error:
        fail("score", str(error), failures)
        leave(failures)
        return
    for failure in done.failures[:20]:
        fail(failure.name, failure.reason, failures)
    if done.errors > 20:
        typer.echo(f"… and {done.errors - 20} more; the rows with an error tell them all", err=True)
    if not quiet:
        _end(done, as_json=log_json)
    leave(failures)


def _names(given: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.split(",") if name.strip())


def _end(done: Summary, *, as_json: bool) -> None:
    if as_json:
        line = {"event": "done", "letters": done.letters, "rows": done.rows, "errors": done.errors}
        typer.echo(json.dumps({**line, "seconds": done.seconds["all"], "output": done.output}), err=True)
        return
    rate = done.letters / max(done.seconds["all"], 1e-9)
    before = f", {done.resumed:,} of them by an earlier run" if done.resumed else ""
    typer.echo(
        f"wrote {done.output}: {done.letters:,} letters{before}, {done.rows:,} rows, {done.errors:,} errors; "
        f"{done.seconds['all']:.1f} s, {rate:,.0f} letters a second",
        err=True,
    )


class _Teller:
    """Tells how far a run is: a bar in a terminal, a line now and then elsewhere."""

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self._quiet, self._json = quiet, as_json
        self._last = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> _Teller:
        if not self._quiet and not self._json and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("starting", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def progress(self, at: Progress) -> None:
        """Tell of it."""
        if self._quiet:
            return
        fresh = max(at.letters - at.resumed, 0)
        rate = fresh / max(at.seconds, 1e-9)
        if self._bar is not None:
            self._bar.update(self._task, description=_line(at, rate))
            return
        now = time.monotonic()
        if now - self._last < 10 and not (self._json and at.letters == at.resumed == 0):
            return
        self._last = now
        if self._json:
            fields = ("letters", "rows", "errors", "characters", "resumed", "seconds")
            told = {"event": "progress", **{name: getattr(at, name) for name in fields}}
            typer.echo(json.dumps(told), err=True)
        else:
            typer.echo(_line(at, rate), err=True)


def _line(at: Progress, rate: float) -> str:
    speed = at.characters / max(at.seconds, 1e-9) if not at.resumed else 0
    tail = f", {speed:,.0f} characters/s" if speed else ""
    return f"{at.letters:,} letters, {at.rows:,} rows, {at.errors:,} errors; {rate:,.1f} letters/s{tail}"


_SAMPLE = 64


def _dry(inputs: list[str], config: AnnotateConfig, run: RunConfig) -> None:
    """What a run would do: the columns, a few rows, and about how long it would take."""
    from itertools import islice

    from commitments.batch import annotator, schema
    from commitments.batch.inputs import make_shard, rows, shards
    from commitments.batch.run import cores

    utf8()
    found = rows(inputs, config)
    head = list(islice(found, min(_SAMPLE, run.limit or _SAMPLE)))
    shown = schema(config)
    for field in shown:
        told = (field.metadata or {}).get(b"description", b"").decode()
        typer.echo(f"{field.name:<16} {field.type!s:<12} {told}")
    shard = next(shards(iter(head), config, letters=_SAMPLE, characters=10**9), None)
    if shard is None:
        typer.echo("\nno letters")
        return
    read = annotator(config, 1)
    read(make_shard(0, shard.table().slice(0, 1), 0).table())
    began = time.perf_counter()
    table = read(shard.table())
    each = (time.perf_counter() - began) / len(head)
    typer.echo()
    for row in table.slice(0, 5).to_pylist():
        typer.echo(json.dumps({k: v for k, v in row.items() if v}, ensure_ascii=False, default=str))
    total = len(head) + sum(1 for _ in found)
    total = min(total, run.limit) if run.limit else total
    workers = 1 if run.engine == "serial" else run.workers or cores()
    typer.echo(f"\n{total:,} letters; about {_time(each * total / workers)} with {workers} workers")


def _time(seconds: float) -> str:
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} seconds"
