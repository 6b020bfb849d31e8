"""Commands that measure: `evaluate` and `attributes`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commitments.cli.app import app
from commitments.cli.shared import (
    AsJson,
    Model,
    fail,
    leave,
    lines,
    load,
    write_json,
)
from commitments.errors import MissingExtra, ModelError, SchemaError
from commitments.models import DEFAULT

if TYPE_CHECKING:
    pass


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
    left_out = {*(no_links or ()), *lines(no_links_file)}
    failures: list[str] = []
    try:
        report = evaluation.run(
            gold,
            model=model,
            baselines=against or evaluation.BASELINES,
            train=fitted_on or (),
            no_links=left_out,
            on_error=lambda path, error: fail(str(path), str(error), failures),
        )
    except ModelError as error:
        raise typer.BadParameter(str(error), param_hint="--model or --against") from error
    except (SchemaError, MissingExtra) as error:
        if not failures:  # else each file has been named
            fail("evaluate", str(error), failures)
    else:
        # A misspelt id would change nothing, and nobody would know; a file may serve several sets of letters.
        if unknown := [name for name in no_links or () if name not in report.no_links]:
            raise typer.BadParameter(f"no letter has the id {unknown[0]!r}", param_hint="--no-links")
        if as_json:
            write_json(report.to_dict())
        else:
            typer.echo(report.render())
    leave(failures)


@app.command(short_help="Measure deadlines, quantities, actors and the rest on labelled letters.")
def attributes(
    gold: Annotated[list[Path], typer.Argument(metavar="GOLD", help="Files of labelled letters (JSONL).")],
    values: Annotated[
        Path | None,
        typer.Option(
            "--values",
            metavar="FILE",
            help="Attributes of these letters with dates and values (JSONL). Left out: the spans in GOLD.",
            dir_okay=False,
        ),
    ] = None,
    model: Model = DEFAULT,
    gold_statuses: Annotated[
        bool,
        typer.Option("--gold-statuses", help="Let gold say what is a measure, not the model."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure what is read off measures: spans, dates, values, strength, dispositions; intervals by letter.

    \b
    Examples:
      commitments attributes seeds/letters/test.jsonl --values seeds/attributes/letters-test.jsonl
      commitments attributes seeds/letters/dev.jsonl --gold-statuses --json
    """  # noqa: D301 - typer wants the character itself
    import msgspec

    from commitments import attribute_metrics

    nlp = load(model)
    failures: list[str] = []
    try:
        found = attribute_metrics.run(gold, nlp, values, statuses="gold" if gold_statuses else "model")
    except SchemaError as error:
        fail("attributes", str(error), failures)
    else:
        if as_json:
            write_json(msgspec.to_builtins(found))
        else:
            typer.echo(attribute_metrics.render(found))
    leave(failures)
