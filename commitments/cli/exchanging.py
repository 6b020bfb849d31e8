"""Commands that exchange letters with annotation tools: `export`, `import` and `review`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from commitments.cli.app import app
from commitments.cli.shared import (
    AsJson,
    Files,
    Model,
    fail,
    leave,
    load,
    readable,
    sources,
    write_json,
)
from commitments.errors import CommitmentsError, MissingExtra, ReadError, SchemaError
from commitments.models import DEFAULT

if TYPE_CHECKING:
    from commitments.corpus import GoldDocument
    from commitments.exchange import Counting
    from commitments.exchange.labelstudio import Prediction
    from commitments.exchange.review import Item
    from commitments.readers import Source


class To(str, Enum):
    """What letters can be written for."""

    LABELSTUDIO = "labelstudio"
    DOCCANO = "doccano"
    BRAT = "brat"
    SPACY = "spacy"


class Origin(str, Enum):
    """What labelled letters can come from."""

    LABELSTUDIO = "labelstudio"
    DOCCANO = "doccano"
    BRAT = "brat"


class Count(str, Enum):
    """How a tool counts offsets."""

    CHARS = "chars"
    UTF16 = "utf16"


Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
Offsets = Annotated[
    Count | None,
    typer.Option(
        "--offsets",
        help="How the tool counts: characters, or UTF-16 code units as JavaScript does. Matters after emoji "
        "and rare characters only. Left out: as the tool's present version does, checked where it can be.",
    ),
]


@app.command("export", short_help="Write letters for an annotation tool, or for spaCy.")
def export_letters(
    files: Files,
    to: Annotated[To, typer.Option("--to", "-t", help="The tool.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT", help="File to write; a folder for brat.")
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help=f"Model to label letters with that have no labels yet [default: {DEFAULT}]. Given for gold "
            "letters, what it says stands beside their labels; labelstudio only.",
        ),
    ] = None,
    offsets: Offsets = None,
    overwrite: Overwrite = False,
) -> None:
    """Write letters for an annotation tool: gold letters with their labels, others with what a model says.

    Label Studio gets tasks, with gold as annotations and what a model says as predictions, and beside them
    the labelling config (OUT with .xml). doccano gets JSONL and its labels (OUT with .labels.json); allow
    overlapping spans in the project. brat gets a folder of .txt and .ann files with its configuration; other
    tools read these too, not all of them with attributes. `commitments import` reads all three back.

    \b
    Examples:
      commitments export seeds/letters/dev.jsonl --to labelstudio -o tasks.json
      commitments export letters/ --to labelstudio --model base -o tasks.json
      commitments export letter.docx --to brat -o brat/
      commitments export my-gold.jsonl --to spacy -o gold.spacy
    """  # noqa: D301 - typer wants the character itself
    failures: list[str] = []
    golds: list[str] = []
    others: list[str] = []
    for file in files:
        (golds if _is_gold(file) else others).append(file)
    if model is not None and golds and to is not To.LABELSTUDIO:
        raise typer.BadParameter(
            f"{golds[0]} is labelled already; only labelstudio shows a model's labels beside",
            param_hint="--model",
        )
    pairs: list[tuple[GoldDocument | None, Prediction | None]] = []
    for file in golds:
        pairs += _gold(file, model, failures)
    if others:
        pairs += [(None, said) for said in _said(sources(others), model or DEFAULT, failures)]
    if not pairs:
        if not failures:
            fail("export", "there is no letter to write", failures)
        leave(failures)
    counting = _counting(offsets)
    ready = _unique(map(_document, pairs), failures)
    kept = {id(document) for document in ready.values()}
    pairs = [pair for pair in pairs if id(_document(pair)) in kept]
    documents = list(ready.values())
    if to is To.LABELSTUDIO:
        from commitments.exchange import labelstudio

        tasks = [labelstudio.task(gold, predicted=said, counting=counting or "chars") for gold, said in pairs]
        made = {out: labelstudio.dumps(tasks), out.with_suffix(".xml"): labelstudio.config(documents)}
    elif to is To.DOCCANO:
        from commitments.exchange import doccano

        made = {
            out: doccano.dumps(documents, counting=counting or "utf16"),
            out.with_suffix(".labels.json"): doccano.labels(),
        }
    elif to is To.BRAT:
        from commitments.exchange import standoff

        made = {out / name: content for name, content in standoff.files(documents).items()}
    else:
        _spacy(documents, out, failures, overwrite=overwrite)
        leave(failures)
        return
    _write(made, failures, overwrite=overwrite, folder=out if to is To.BRAT else None)
    leave(failures)


@app.command("import", short_help="Read what people have labelled in an annotation tool.")
def import_letters(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILES", help="What the tool exported: files; folders or .ann files of brat."),
    ],
    origin: Annotated[Origin, typer.Option("--from", "-f", help="The tool.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="GOLD.jsonl", help="Gold file to write.")],
    annotator: Annotated[
        str | None,
        typer.Option(
            "--annotator",
            metavar="NAME",
            help="Whose annotations to take, of several people's: number or e-mail address as Label Studio "
            "has it. Left out: those marked as ground truth, or else the last.",
        ),
    ] = None,
    fill_none: Annotated[
        bool, typer.Option("--fill-none", help="Label as none every sentence that nobody labelled.")
    ] = False,
    offsets: Offsets = None,
    overwrite: Overwrite = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say errors only, not what was chosen or put right.")
    ] = False,
) -> None:
    """Read labelled letters back and write them as gold letters, which `train` and `evaluate` take.

    From Label Studio comes the export named JSON (not JSON-MIN), from doccano JSONL, from brat and INCEpTION
    a folder of .txt and .ann files. Every region is held against its words. A letter that is wrong is named
    with file, letter and region, the others are still written, and the exit code is 1.

    \b
    Examples:
      commitments import project-1.json --from labelstudio -o gold.jsonl
      commitments import project-1.json --from labelstudio --annotator li@example.org -o li.jsonl
      commitments import brat/ --from brat -o gold.jsonl
      commitments train gold.jsonl --out my-model
    """  # noqa: D301 - typer wants the character itself
    from commitments import corpus, exchange
    from commitments.exchange import doccano, labelstudio, standoff

    if annotator is not None and origin is not Origin.LABELSTUDIO:
        raise typer.BadParameter("only Label Studio's exports name annotators", param_hint="--annotator")
    failures: list[str] = []
    notes = 0

    def note(line: str) -> None:
        nonlocal notes
        notes += 1
        if not quiet:
            typer.echo(f"note: {_plain(line)}", err=True)

    told: dict[str, Any] = {"on_error": lambda name, error: fail(name, str(error), failures), "note": note}
    found: list[GoldDocument] = []
    for file in files:
        try:
            if origin is Origin.LABELSTUDIO:
                read: Iterator[GoldDocument] = labelstudio.load(
                    file, annotator=annotator, counting=_counting(offsets), **told
                )
            elif origin is Origin.DOCCANO:
                read = doccano.load(file, counting=_counting(offsets), **told)
            else:
                read = standoff.load(file, **told)
            found += [exchange.filled(document) if fill_none else document for document in read]
        except CommitmentsError as error:
            fail(str(file), str(error), failures)
    ready = _unique(found, failures)
    if not ready:
        if not failures:
            fail("import", "there is no labelled letter", failures)
        leave(failures)
    lines = "".join(corpus.encode(document) + "\n" for document in ready.values())
    if _write({out: lines}, failures, overwrite=overwrite) and not quiet:
        units = sum(len(document.units) for document in ready.values())
        typer.echo(f"{len(ready)} letters, {units} labelled sentences", err=True)
    leave(failures)


@app.command(short_help="List the sentences worth correcting first.")
def review(
    files: Files,
    model: Model = DEFAULT,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many sentences at most.")] = 200,
    below: Annotated[
        float,
        typer.Option("--below", min=0, max=1, help="Confidence under which the model counts as unsure."),
    ] = 0.8,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="TASKS.json",
            help="Write Label Studio tasks instead: the letters, the worthiest first.",
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
) -> None:
    """List the sentences worth correcting first: the model is unsure, or the rules read them otherwise.

    Of sentences that say almost the same only one is listed. With --out the letters that they stand in are
    written as Label Studio tasks, with what the model says as predictions and the reasons at the sentences.
    Corrected there, they come back with `commitments import` and teach with `commitments train`.

    \b
    Examples:
      commitments review letters/ --limit 50
      commitments review letters/ --model fast --json > review.json
      commitments review letters/ -o tasks.json
    """  # noqa: D301 - typer wants the character itself
    from commitments.exchange import labelstudio
    from commitments.exchange import review as reviewing

    failures: list[str] = []
    config = reviewing.ReviewConfig(below=below)
    items, said = reviewing.review(
        readable(sources(files), failures),
        load(model),
        limit=limit,
        config=config,
        on_error=lambda name, error: fail(name, str(error), failures),
    )
    if out is not None:
        ready = _unique([made.document for made in said.values()], failures)
        tasks = [
            labelstudio.task(None, predicted=made) for made in said.values() if made.document.id in ready
        ]
        made_of = {out: labelstudio.dumps(tasks), out.with_suffix(".xml"): labelstudio.config(ready.values())}
        _write(made_of, failures, overwrite=overwrite)
    if as_json:
        write_json({"sentences": list(reviewing.rows(items))})
    elif out is None:
        _table(items)
    leave(failures)


def _table(items: Iterable[Item]) -> None:
    from commitments import terminal
    from commitments.exchange import review as reviewing

    lines = reviewing.table(items)
    terminal.ready(sys.stdout)
    for line in lines:
        typer.echo(line)


def _plain(line: str) -> str:
    from commitments.terminal import plain

    return plain(line)


def _counting(offsets: Count | None) -> Counting | None:
    return None if offsets is None else "utf16" if offsets is Count.UTF16 else "chars"


def _is_gold(file: str) -> bool:
    """Whether the first row of a file is a gold letter's."""
    path = Path(file)
    if file == "-" or path.suffix.lower() != ".jsonl" or not path.is_file():
        return False
    try:
        with path.open("rb") as lines:
            first = next((line for line in lines if line.strip(b"\xef\xbb\xbf \t\r\n")), b"")
        row = msgspec.json.decode(first.removeprefix(b"\xef\xbb\xbf"))
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return isinstance(row, dict) and "units" in row and "text" in row


def _gold(
    file: str, model: str | None, failures: list[str]
) -> Iterator[tuple[GoldDocument | None, Prediction | None]]:
    from commitments import corpus
    from commitments.exchange.review import prediction

    nlp = load(model) if model is not None else None
    try:
        documents = corpus.load(file)
    except SchemaError as error:
        fail(file, str(error), failures)
        return
    for document in documents:
        said = None
        if nlp is not None:
            asks = [ask.text for ask in document.asks if ask.text]
            try:
                said = prediction(nlp(document.text, suggestion=asks or None, date=document.day))
            except CommitmentsError as error:
                fail(f"{file}: {document.id}", str(error), failures)
        yield document, said


def _said(found: Iterable[Source | ReadError], model: str, failures: list[str]) -> Iterator[Prediction]:
    from commitments.exchange.review import prediction

    nlp = load(model)
    for source in readable(found, failures):
        try:
            yield prediction(nlp(source))
        except CommitmentsError as error:
            fail(source.name or "reply", str(error), failures)


def _document(pair: tuple[GoldDocument | None, Prediction | None]) -> GoldDocument:
    gold, said = pair
    if gold is not None:
        return gold
    assert said is not None  # noqa: S101 - one of the two is there
    return said.document


def _unique(documents: Iterable[GoldDocument], failures: list[str]) -> dict[str, GoldDocument]:
    """Letters by id; of two with one id the first."""
    found: dict[str, GoldDocument] = {}
    for document in documents:
        if document.id in found:
            fail(document.id, "a second letter has this id; it is left out", failures)
        else:
            found[document.id] = document
    return found


def _write(
    made: dict[Path, str], failures: list[str], *, overwrite: bool, folder: Path | None = None
) -> bool:
    """Write files, none of them where one of them may not be written."""
    from commitments.exchange import write

    there = [path for path in made if path.exists()]
    if there and not overwrite:
        fail(str(there[0]), "is there already; give --overwrite, or another name", failures)
        return False
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        for path, content in made.items():
            write(path, content, overwrite=overwrite)
    except (OSError, UnicodeEncodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        fail(str(getattr(error, "filename", None) or next(iter(made))), reason or str(error), failures)
        return False
    for path in [folder] if folder is not None else made:
        typer.echo(f"wrote {path}", err=True)
    return True


def _spacy(documents: list[GoldDocument], out: Path, failures: list[str], *, overwrite: bool) -> None:
    try:
        to_docbin: Callable[[list[GoldDocument]], Any] = importlib.import_module(
            "commitments.spacy"
        ).to_docbin
    except ImportError as error:
        fail(
            "export",
            str(error if isinstance(error, MissingExtra) else MissingExtra("spaCy", "spacy")),
            failures,
        )
        return
    if out.exists() and not overwrite:
        fail(str(out), "is there already; give --overwrite, or another name", failures)
        return
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_bytes(to_docbin(documents).to_bytes())
        part.replace(out)
    except OSError as error:
        fail(str(out), error.strerror or str(error), failures)
    else:
        typer.echo(f"wrote {out}", err=True)
    finally:
        part.unlink(missing_ok=True)
