"""Commands about models: `models` and `train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import commitments
from commitments.cli.app import app
from commitments.cli.shared import (
    AsJson,
    fail,
    leave,
    write_json,
)
from commitments.errors import MissingExtra, ModelError, SchemaError
from commitments.models import DEFAULT

if TYPE_CHECKING:
    pass


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
            fail(of, str(error), failures)
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
        write_json({"models": rows})
    else:
        for row in rows:
            mark = "*" if row["default"] else " "
            size_text = f"{row['megabytes']:>6.1f} MB" if row["megabytes"] else " " * 9
            line = f"{mark} {row['name']:<10} {row['kind']:<8} {row['version']:<28} {size_text}"
            typer.echo(f"{line}  {row.get('path', '')}".rstrip())
    leave(failures)


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
        fail("train", str(MissingExtra("Training", "train")) + f" ({error})", [])
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
        fail("train", str(error), [])
        raise typer.Exit(1) from error
    typer.echo(f"wrote {folder.path}: {folder.manifest.name}-{folder.manifest.version}")
