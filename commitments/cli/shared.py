"""What the commands share: their options, how they read letters, and how they end.

Exit codes: 0 all well; 1 something could not be read, and the rest was still done; 2 the command was not
understood.
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
from commitments.errors import CommitmentsError, MissingExtra, ModelError, ReadError

if TYPE_CHECKING:
    from commitments.pipeline import Pipeline
    from commitments.readers import Source
    from commitments.reply import Reply


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


def lines(path: Path | None) -> list[str]:
    """The lines of a file, without blank ones."""
    if path is None:
        return []
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}", param_hint="--no-links-file") from error


def load(model: str) -> Pipeline:
    """The pipeline of a model; one that cannot be had is a wrong option."""
    try:
        return commitments.load(model)
    except ModelError as error:
        raise typer.BadParameter(str(error), param_hint="--model") from error


def asked(texts: list[str] | None, file: Path | None) -> str | list[str] | None:
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


def replies(
    nlp: Pipeline,
    files: list[str],
    suggestion: str | list[str] | None,
    date: datetime.datetime | None,
    failures: list[str],
) -> Iterator[Reply]:
    """Read letters one by one; one that fails is told of and passed over."""
    for source in readable(sources(files), failures):
        try:
            yield nlp(source, suggestion=suggestion, date=date.date() if date else None)
        except CommitmentsError as error:
            fail(source.name or "reply", str(error), failures)


def readable(found: Iterable[Source | ReadError], failures: list[str]) -> Iterator[Source]:
    """What could be read; of the rest it is told."""
    for source in found:
        if isinstance(source, ReadError):
            fail(source.name, source.reason, failures)
        else:
            yield source


def sources(files: list[str]) -> Iterator[Source | ReadError]:
    """The letters of files and folders; ``-`` is standard input."""
    for file in files:
        if file == "-":
            yield from standard_input()
        else:
            yield from commitments.read_all(file)


def standard_input() -> Iterator[Source | ReadError]:
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


def write_page(path: Path, page: str, failures: list[str], *, quiet: bool) -> None:
    """Write a page, and say so."""
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        fail(str(path), error.strerror or str(error), failures)
    else:
        if not quiet:
            typer.echo(f"wrote {path}", err=True)


def utf8() -> None:
    """JSON is UTF-8, whatever the terminal's encoding."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]


def write_json(data: dict[str, Any]) -> None:
    """Write JSON that people can read."""
    utf8()
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def fail(name: str, reason: str, failures: list[str]) -> None:
    """Tell of a failure at once, and remember it."""
    from commitments.terminal import plain

    # An error that carries its name already does not say it twice.
    line = reason if reason.startswith(f"{name}: ") else f"{name}: {reason}"
    failures.append(plain(line))
    typer.echo(failures[-1], err=True)


def leave(failures: list[str]) -> None:
    """End with exit code 1 when something failed."""
    if failures:
        raise typer.Exit(1)
