"""The command line: `commitments show`, `explain`, `evaluate`, `models` and `train`.

The commands only find what to read, call the library and choose where the result goes; how a letter looks is
in `terminal` and `view`, what the figures mean in `metrics`. Exit codes: 0 all well; 1 something could not be
read, and the rest was still done; 2 the command was not understood.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import commitments
from commitments.errors import CommitmentsError, MissingExtra, ModelError, ReadError, SchemaError
from commitments.models import DEFAULT

if TYPE_CHECKING:
    from commitments.pipeline import Pipeline
    from commitments.readers import Source
    from commitments.reply import Reply

app = typer.Typer(
    help="Reads Chinese government replies (答复): what was done, is being done, is promised.",
    add_completion=False,
    no_args_is_help=True,
    # Plain help and errors: they read the same in a terminal, a pipe and a log.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


class Lang(str, Enum):
    """Language of a page's labels."""

    EN = "en"
    ZH = "zh"


Files = Annotated[
    list[str],
    typer.Argument(metavar="FILES", help="Letters: files, folders, or - for standard input."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", help="Model to read with: a name that `models` lists, or a model's folder."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Suggestion = Annotated[
    list[str] | None,
    typer.Option("--suggestion", "-s", metavar="TEXT", help="What was asked: once, or once for each ask."),
]
SuggestionFile = Annotated[
    Path | None,
    typer.Option(
        "--suggestion-file", metavar="FILE", help="The same, from a file.", exists=True, dir_okay=False
    ),
]
Date = Annotated[
    datetime.datetime | None,
    typer.Option("--date", metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], help="Date of the reply."),
]


def main() -> None:
    """Run the command line."""
    from commitments import terminal

    terminal.ready(sys.stdout)
    terminal.ready(sys.stderr)
    app(prog_name="commitments")


def _version(value: bool) -> None:
    if value:
        typer.echo(f"commitments {commitments.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    pass


@app.command(short_help="Show letters with the status of each sentence.")
def show(
    files: Files,
    model: Model = DEFAULT,
    suggestion: Suggestion = None,
    suggestion_file: SuggestionFile = None,
    date: Date = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="OUT.html", help="Write a page for a browser instead.", dir_okay=False
        ),
    ] = None,
    lang: Annotated[Lang, typer.Option("--lang", help="Language of that page's labels.")] = Lang.EN,
    as_json: AsJson = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say also why: cues, links, reasons.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The sentences and errors, no more.")] = False,
) -> None:
    """Show letters: each sentence with its status and the asks that it answers.

    The marks are ✓ completed (已完成), ▸ ongoing (持续推进) and ◇ pledge (未来承诺). With --json there is one
    object a letter, each on its line; with --html one page holds all the letters.

    \b
    Examples:
      commitments show seeds/yangpu-2023-C-064.txt
      commitments show -v letter.docx --suggestion 增设公交站 --suggestion 延长运营时间
      commitments show letters/ --html letters.html --lang zh
      commitments show - --json < letter.html
    """  # noqa: D301 - typer wants the character itself
    from commitments import terminal, view

    if html and any(html.exists() and Path(f).exists() and html.samefile(f) for f in files):
        raise typer.BadParameter(f"{html} is a letter to be read; name another file", param_hint="--html")
    nlp = _load(model)
    given = _suggestion(suggestion, suggestion_file)
    failures: list[str] = []
    out = terminal.Terminal(sys.stdout)
    pages: list[Reply] = []
    if as_json:
        _utf8()
    for n, reply in enumerate(_replies(nlp, files, given, date, failures)):
        if html:
            pages.append(reply)
        if as_json:
            try:
                typer.echo(reply.to_json())
            except CommitmentsError as error:
                _fail(reply.name or "reply", str(error), failures)
        elif not html:
            if n and not quiet:
                out.text("")
            out.reply(reply, verbose=verbose, quiet=quiet)
    if html and pages:
        _write_page(html, view.page(pages, lang="zh" if lang is Lang.ZH else "en"), failures, quiet=quiet)
    _leave(failures)


@app.command(short_help="Tell all that is known of one sentence.")
def explain(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The letter: a file, or - for standard input.")],
    sentence: Annotated[int, typer.Option("--sentence", "-n", min=1, help="Its number, as `show` gives it.")],
    letter: Annotated[
        str | None,
        typer.Option("--letter", metavar="NAME", help="Which one, of several: its name as `show` gives it."),
    ] = None,
    model: Model = DEFAULT,
    suggestion: Suggestion = None,
    suggestion_file: SuggestionFile = None,
    date: Date = None,
    as_json: AsJson = False,
) -> None:
    """Tell all that is known of one sentence: scorecard, asks, place, neighbours.

    The scorecard lists every rule that counted, also those that speak for another status, with the points
    that it gives to each status. The points add up to the totals; the highest total is the status.

    \b
    Examples:
      commitments explain seeds/yangpu-2023-C-064.txt --sentence 12
      commitments explain seeds/yangpu-2023-C-064.txt -n 12 --json
      commitments explain letters.jsonl --letter letters.jsonl:2 -n 12
    """  # noqa: D301 - typer wants the character itself
    from commitments import terminal

    nlp = _load(model)
    failures: list[str] = []
    given = _suggestion(suggestion, suggestion_file)
    found = _sources([file])
    if letter is not None:
        found = (source for source in found if source.name == letter)
    sources = list(_readable(found, failures))
    if letter is not None and not sources and not failures:
        raise typer.BadParameter(f"{file} holds no letter of that name", param_hint="--letter")
    if len(sources) > 1:
        name = sources[0].name
        raise typer.BadParameter(
            f"{file} holds {len(sources)} letters; choose one by its name: --letter {name}", param_hint="FILE"
        )
    for source in sources:
        try:
            told = nlp.explain(source, sentence, suggestion=given, date=date.date() if date else None)
        except SchemaError as error:
            raise typer.BadParameter(str(error), param_hint="--sentence") from error
        if as_json:
            _write_json(told.to_dict())
        else:
            terminal.Terminal(sys.stdout).explanation(told)
    _leave(failures)


@app.command(short_help="Measure a model on labelled letters.")
def evaluate(
    gold: Annotated[list[Path], typer.Argument(metavar="GOLD", help="Files of labelled letters (JSONL).")],
    model: Model = DEFAULT,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="MODEL",
            help="A model to compare with; may be repeated. Left out: cues, keywords, majority.",
        ),
    ] = None,
    fitted_on: Annotated[
        list[Path] | None,
        typer.Option(
            "--train", metavar="GOLD", help="Letters to fit the baseline tfidf on; may be repeated."
        ),
    ] = None,
    no_links: Annotated[
        list[str] | None,
        typer.Option(
            "--no-links", metavar="ID", help="A letter to leave out of the figures of links; may be repeated."
        ),
    ] = None,
    no_links_file: Annotated[
        Path | None,
        typer.Option(
            "--no-links-file", metavar="FILE", help="The same, ids line by line.", exists=True, dir_okay=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a model on labelled letters, beside others on the same letters, with intervals by letter.

    Several files are measured together, with the figures of each. A file that is wrong is named, the others
    are still measured, and the exit code is 1. The format is described in seeds/README.md.

    \b
    Examples:
      commitments evaluate seeds/letters/dev.jsonl
      commitments evaluate seeds/letters/dev.jsonl --no-links L1-005 --json
      commitments evaluate dev.jsonl --against fast --against tfidf --train train.jsonl
    """  # noqa: D301 - typer wants the character itself
    from commitments import evaluate as evaluation

    if "tfidf" in (against or ()) and not fitted_on:
        raise typer.BadParameter("tfidf needs letters to be fitted on", param_hint="--train")
    left_out = {*(no_links or ()), *_lines(no_links_file)}
    failures: list[str] = []
    try:
        report = evaluation.run(
            gold,
            model=model,
            baselines=against or evaluation.BASELINES,
            train=fitted_on or (),
            no_links=left_out,
            on_error=lambda path, error: _fail(str(path), str(error), failures),
        )
    except ModelError as error:
        raise typer.BadParameter(str(error), param_hint="--model or --against") from error
    except (SchemaError, MissingExtra) as error:
        if not failures:  # else each file has been named
            _fail("evaluate", str(error), failures)
    else:
        # A misspelt id would change nothing, and nobody would know; a file may serve several sets of letters.
        if unknown := [name for name in no_links or () if name not in report.no_links]:
            raise typer.BadParameter(f"no letter has the id {unknown[0]!r}", param_hint="--no-links")
        if as_json:
            _write_json(report.to_dict())
        else:
            typer.echo(report.render())
    _leave(failures)


@app.command("models", short_help="List the models, and check that they are whole.")
def list_models(
    name: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="A model to check: its name or folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the models that come with the library, and check every byte of their files.

    \b
    Examples:
      commitments models
      commitments models my-model/ --json
    """  # noqa: D301 - typer wants the character itself
    from commitments import models
    from commitments.pipeline import RULES

    failures: list[str] = []
    rows: list[dict[str, Any]] = []
    for of in [name] if name else [*models.available()]:
        try:
            (folder,) = models.verify(of)
        except ModelError as error:
            _fail(of, str(error), failures)
            continue
        size = sum((folder.path / file).stat().st_size for file in folder.manifest.files)
        rows.append(
            {
                "name": folder.manifest.name,
                "kind": folder.manifest.kind,
                "version": folder.manifest.version,
                "megabytes": round(size / 1e6, 1),
                "default": folder.manifest.name == DEFAULT,
                "path": str(folder.path),
            }
        )
    if name is None:
        for rule in RULES:
            version = commitments.load(rule).tagger.version
            rows.append(
                {"name": rule, "kind": "rules", "version": version, "megabytes": 0.0, "default": False}
            )
    if as_json:
        _write_json({"models": rows})
    else:
        for row in rows:
            mark = "*" if row["default"] else " "
            size_text = f"{row['megabytes']:>6.1f} MB" if row["megabytes"] else " " * 9
            line = f"{mark} {row['name']:<10} {row['kind']:<8} {row['version']:<28} {size_text}"
            typer.echo(f"{line}  {row.get('path', '')}".rstrip())
    _leave(failures)


@app.command(short_help="Train a model, or train one on with letters of your own.")
def train(
    what: Annotated[
        list[Path],
        typer.Argument(
            metavar="CONFIG | GOLD...", help="A training config (.toml, .json), or labelled letters (JSONL)."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="Folder to write; the model's name when left out."
        ),
    ] = None,
    start: Annotated[
        str, typer.Option("--from", metavar="MODEL", help="With GOLD: the model to go on with.")
    ] = DEFAULT,
    dev: Annotated[
        list[Path] | None,
        typer.Option("--dev", metavar="GOLD", help="With GOLD: letters to calibrate on; may be repeated."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="How often the letters are shown.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of everything random.")] = None,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
) -> None:
    """Train a model and write its folder, which --model and commitments.load() take.

    With labelled letters of your own, the model goes on from one that comes with the library: a hundred
    letters take some minutes on two cores. A run that was stopped goes on after its last finished epoch when
    the same command is given again. Needs the extra `train`.

    \b
    Examples:
      commitments train my-gold.jsonl --out my-model
      commitments train my-gold.jsonl --dev my-dev.jsonl --from fast --out my-model --epochs 5
      commitments train models/base/training.json --out base
    """  # noqa: D301 - typer wants the character itself
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    try:
        from commitments.train import config as configs
        from commitments.train import run
    except ImportError as error:
        _fail("train", str(MissingExtra("Training", "train")) + f" ({error})", [])
        raise typer.Exit(1) from error
    try:
        if configs.is_config(what[0]):
            if len(what) > 1:
                raise typer.BadParameter("give one config, or letters", param_hint="CONFIG")
            config = configs.read(what[0])
        else:
            config = configs.further(what, dev or (), start, name=out.name if out else "my-model")
        config = configs.changed(config, epochs=epochs, seed=seed)
        target = out or Path(config.name)
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            transient=True,
            disable=not sys.stderr.isatty(),
        ) as bar:
            task = bar.add_task("training", total=None)

            def told(at: dict[str, float]) -> None:
                words = f"epoch {at['epoch']:.0f}, loss {at['loss']:.3f}"
                bar.update(task, completed=at["step"], total=at["steps"], description=words)

            folder = run.train(
                config,
                target,
                device=device,
                told=told,
                said=lambda line: bar.console.print(line, highlight=False),
            )
    except (SchemaError, ModelError) as error:
        _fail("train", str(error), [])
        raise typer.Exit(1) from error
    typer.echo(f"wrote {folder.path}: {folder.manifest.name}-{folder.manifest.version}")


def _lines(path: Path | None) -> list[str]:
    """The lines of a file, without blank ones."""
    if path is None:
        return []
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}", param_hint="--no-links-file") from error


def _load(model: str) -> Pipeline:
    try:
        return commitments.load(model)
    except ModelError as error:
        raise typer.BadParameter(str(error), param_hint="--model") from error


def _suggestion(texts: list[str] | None, file: Path | None) -> str | list[str] | None:
    """What was asked: one text, which is split into its asks, or the asks themselves."""
    if file is None:
        return texts[0] if texts and len(texts) == 1 else texts or None
    if texts:
        raise typer.BadParameter(
            "give --suggestion or --suggestion-file, not both", param_hint="--suggestion"
        )
    try:
        text: str = commitments.read(file).text
    except CommitmentsError as error:
        raise typer.BadParameter(str(error), param_hint="--suggestion-file") from error
    return text


def _replies(
    nlp: Pipeline,
    files: list[str],
    suggestion: str | list[str] | None,
    date: datetime.datetime | None,
    failures: list[str],
) -> Iterator[Reply]:
    """Read letters one by one; one that fails is told of and passed over."""
    for source in _readable(_sources(files), failures):
        try:
            yield nlp(source, suggestion=suggestion, date=date.date() if date else None)
        except CommitmentsError as error:
            _fail(source.name or "reply", str(error), failures)


def _readable(found: Iterable[Source | ReadError], failures: list[str]) -> Iterator[Source]:
    for source in found:
        if isinstance(source, ReadError):
            _fail(source.name, source.reason, failures)
        else:
            yield source


def _sources(files: list[str]) -> Iterator[Source | ReadError]:
    for file in files:
        if file == "-":
            yield from _standard_input()
        else:
            yield from commitments.read_all(file)


def _standard_input() -> Iterator[Source | ReadError]:
    """One letter of any format, or many as rows of JSON."""
    from commitments.readers import ReadConfig
    from commitments.readers.rows import read_rows

    config = ReadConfig()
    data = sys.stdin.buffer.read(config.max_bytes + 1)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") and len(data) <= config.max_bytes:
        yield from read_rows(data, "-", config)
        return
    try:
        yield commitments.read(data, name="-", config=config)
    except ReadError as error:
        yield error
    except MissingExtra as error:
        yield ReadError("-", str(error))


def _write_page(path: Path, page: str, failures: list[str], *, quiet: bool) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        _fail(str(path), error.strerror or str(error), failures)
    else:
        if not quiet:
            typer.echo(f"wrote {path}", err=True)


def _utf8() -> None:
    """JSON is UTF-8, whatever the terminal's encoding."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]


def _write_json(data: dict[str, Any]) -> None:
    _utf8()
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _fail(name: str, reason: str, failures: list[str]) -> None:
    from commitments.terminal import plain

    # An error that carries its name already does not say it twice.
    line = reason if reason.startswith(f"{name}: ") else f"{name}: {reason}"
    failures.append(plain(line))
    typer.echo(failures[-1], err=True)


def _leave(failures: list[str]) -> None:
    if failures:
        raise typer.Exit(1)


if __name__ == "__main__":
    main()
