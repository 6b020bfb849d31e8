"""The command that shows a corpus: `report`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from commitments.cli.app import app
from commitments.cli.shared import Lang, fail, leave, write_page
from commitments.errors import CommitmentsError


@app.command(short_help="Show a scored corpus as a page.")
def report(
    table: Annotated[
        Path,
        typer.Argument(metavar="TABLE", help="What `score` wrote: .parquet, .jsonl, .csv or a folder."),
    ],
    html: Annotated[
        Path, typer.Option("--html", metavar="OUT.html", help="The page to write.", dir_okay=False)
    ],
    lang: Annotated[Lang, typer.Option("--lang", help="Language of its labels.")] = Lang.EN,
    today: Annotated[
        datetime.datetime | None,
        typer.Option(
            "--today",
            metavar="YYYY-MM-DD",
            formats=["%Y-%m-%d"],
            help="Day by which pledges are overdue; that of the newest letter when not given.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors, no more.")] = False,
) -> None:
    """Show a scored corpus as a page: statuses by agency and year, overdue pledges, every letter.

    \b
    Examples:
      commitments report sentences.parquet --html report.html
      commitments report sentences.parquet --html report.html --lang zh --today 2026-01-01
    """  # noqa: D301 - typer wants the character itself
    from commitments import report as pages

    if html.exists() and table.exists() and html.samefile(table):
        raise typer.BadParameter(f"{html} is the table to be read; name another file", param_hint="--html")
    failures: list[str] = []
    try:
        made = pages.page(
            pages.read(table),
            lang="zh" if lang is Lang.ZH else "en",
            today=today.date() if today else None,
        )
    except CommitmentsError as error:
        fail(str(table), str(error), failures)
    else:
        write_page(html, made, failures, quiet=quiet)
    leave(failures)
