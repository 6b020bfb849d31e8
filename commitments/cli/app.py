"""The application that the commands belong to."""

from __future__ import annotations

from typing import Annotated

import typer

import commitments

app = typer.Typer(
    help="Reads Chinese government replies (答复): what was done, is being done, is promised.",
    add_completion=True,
    no_args_is_help=True,
    # Plain help and errors: they read the same in a terminal, a pipe and a log.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


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
