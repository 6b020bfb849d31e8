"""Commands that read letters: `show`, `explain` and `followup`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commitments.cli.app import app
from commitments.cli.shared import (
    AsJson,
    Date,
    Files,
    Lang,
    Model,
    Suggestion,
    SuggestionFile,
    asked,
    fail,
    leave,
    load,
    readable,
    replies,
    sources,
    utf8,
    write_json,
    write_page,
)
from commitments.errors import CommitmentsError, SchemaError
from commitments.models import DEFAULT

if TYPE_CHECKING:
    from commitments.reply import Reply


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
    nlp = load(model)
    given = asked(suggestion, suggestion_file)
    failures: list[str] = []
    out = terminal.Terminal(sys.stdout)
    pages: list[Reply] = []
    if as_json:
        utf8()
    for n, reply in enumerate(replies(nlp, files, given, date, failures)):
        if html:
            pages.append(reply)
        if as_json:
            try:
                typer.echo(reply.to_json())
            except CommitmentsError as error:
                fail(reply.name or "reply", str(error), failures)
        elif not html:
            if n and not quiet:
                out.text("")
            out.reply(reply, verbose=verbose, quiet=quiet)
    if html and pages:
        write_page(html, view.page(pages, lang="zh" if lang is Lang.ZH else "en"), failures, quiet=quiet)
    leave(failures)


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

    nlp = load(model)
    failures: list[str] = []
    given = asked(suggestion, suggestion_file)
    found = sources([file])
    if letter is not None:
        found = (source for source in found if source.name == letter)
    every = list(readable(found, failures))
    if letter is not None and not every and not failures:
        raise typer.BadParameter(f"{file} holds no letter of that name", param_hint="--letter")
    if len(every) > 1:
        name = every[0].name
        raise typer.BadParameter(
            f"{file} holds {len(every)} letters; choose one by its name: --letter {name}", param_hint="FILE"
        )
    for source in every:
        try:
            told = nlp.explain(source, sentence, suggestion=given, date=date.date() if date else None)
        except SchemaError as error:
            raise typer.BadParameter(str(error), param_hint="--sentence") from error
        if as_json:
            write_json(told.to_dict())
        else:
            terminal.Terminal(sys.stdout).explanation(told)
    leave(failures)


@app.command(short_help="Tell what became of earlier pledges.")
def followup(
    files: Annotated[
        list[str], typer.Argument(metavar="FILES", help="Earlier letters: files, folders, or -.")
    ],
    later: Annotated[
        list[str],
        typer.Option(
            "--later", metavar="FILE", help="A later letter or report, or a folder; may be repeated."
        ),
    ],
    model: Model = DEFAULT,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="OUT.html", help="Write a page for a browser.", dir_okay=False),
    ] = None,
    lang: Annotated[Lang, typer.Option("--lang", help="Language of that page's labels.")] = Lang.EN,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The pledges and errors, no more.")] = False,
) -> None:
    """Tell what later letters say of the pledges of earlier ones: kept, under way, promised again, dropped.

    Candidates are proposed with a score and the words that both share; a pledge of which nothing is found
    gets none. Repeated and overdue pledges are listed.

    \b
    Examples:
      commitments followup 2022.txt --later 2023.txt
      commitments followup 2021/ 2022/ --later 2023/ --later report-2024.txt --html kept.html
    """  # noqa: D301 - typer wants the character itself
    import msgspec

    from commitments import followup as tracking
    from commitments import followup_view

    nlp = load(model)
    failures: list[str] = []
    before = list(replies(nlp, files, None, None, failures))
    after = list(replies(nlp, later, None, None, failures))
    try:
        found = tracking.followup(before, after)
    except SchemaError as error:
        if not failures:
            fail("followup", str(error), failures)
    else:
        if html:
            write_page(
                html, followup_view.page(found, lang="zh" if lang is Lang.ZH else "en"), failures, quiet=quiet
            )
        if as_json:
            write_json(msgspec.to_builtins(found))
        elif not html:
            typer.echo(followup_view.plain(found, quiet=quiet))
    leave(failures)
