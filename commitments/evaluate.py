"""Models run over gold letters, and the report of how well they did beside the baselines.

What the figures mean and how they are computed is in `metrics`; the gold format is in `corpus`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

import commitments
from commitments import calibration, corpus, metrics
from commitments.calibration import Calibration
from commitments.corpus import GoldDocument
from commitments.errors import CommitmentsError, SchemaError
from commitments.metrics import LABELS, ClassFigures, Counts, Interval, Measured
from commitments.models import DEFAULT
from commitments.reply import Reply

BASELINES = ("cues", "keywords", "majority")

MEANING = {
    "macro_f1": "mean of the four classes' F1",
    "accuracy": "share of units with the right status",
    "soft": "the same, a status named as secondary counts too",
    "also_f1": "F1 of the secondary statuses of mixed units",
    "links": "right set of asks, of measures found, letters with several asks",
    "links_all": "the same, of all gold measures: a missed one is wrong",
    "links_any": "as links, letters with any number of asks",
    "links_all_any": "as links_all, letters with any number of asks",
    "boundaries_recall": "gold starts and ends that are found",
    "boundaries_precision": "predicted starts and ends that are gold",
    "boundaries_f1": "harmonic mean of the two",
    "exact_units": "gold units found with both ends",
}
"""The figures in the order in which a report shows them, in words."""


class Failure(msgspec.Struct, frozen=True):
    """A letter that a model could not read; it counts as if all were none."""

    model: str
    id: str
    error: str


class Data(msgspec.Struct, frozen=True):
    """What was measured on: a set of letters and a hash that tells whether another run saw the same."""

    name: str
    letters: int
    units: int
    sha256: str


class Group(msgspec.Struct, frozen=True):
    """Figures on a part of the letters: of one kind, or from one file."""

    by: str
    name: str
    measured: Measured


class Report(msgspec.Struct, frozen=True):
    """Everything that an evaluation found.

    Attributes:
        model: name of the model measured; the others are what it is compared with.
        versions: of each model, as its replies say.
        data: all letters, then those of each source.
        measured: figures, intervals, differences.
        classes: precision, recall, F1 and support, by model and class.
        confusion: units by model, gold label and predicted status.
        calibration: what each model's confidence is worth, over the sentences that it read.
        groups: the same figures for each kind and each source, where there are several.
        failures: letters that could not be read.
        no_links: ids of letters left out of the figures of links, as asked or because two of their asks have
            the same words.
        resamples: rounds of the bootstrap.
        seed: of the bootstrap.
        library: version of this library.
        commit: of its source checkout, ``-dirty`` when changed since; ``None`` elsewhere.
    """

    model: str
    versions: dict[str, str]
    data: tuple[Data, ...]
    measured: Measured
    classes: dict[str, dict[str, ClassFigures]]
    confusion: dict[str, dict[str, dict[str, int]]]
    calibration: dict[str, Calibration] = {}
    groups: tuple[Group, ...] = ()
    failures: tuple[Failure, ...] = ()
    no_links: tuple[str, ...] = ()
    resamples: int = metrics.RESAMPLES
    seed: int = metrics.SEED
    library: str = commitments.__version__
    commit: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain Python objects, ready for JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def render(self) -> str:
        """The report as plain text, for people."""
        return _render(self)


def evaluate(
    pipelines: Mapping[str, Callable[..., Reply]],
    documents: Iterable[GoldDocument],
    *,
    sources: Sequence[str] = (),
    no_links: Collection[str] = (),
    resamples: int = metrics.RESAMPLES,
    seed: int = metrics.SEED,
) -> Report:
    """Run models on the same gold letters and compare them.

    Each letter is read as ``pipeline(text, suggestion=[the asks], date=its date)``; the labels are not shown.
    The order of the letters does not matter.

    Args:
        pipelines: models by name, the one to be judged first: each a `commitments.Pipeline` or callable
            like one.
        documents: gold letters.
        sources: the source of each letter, in the same order, if figures by source are wanted.
        no_links: ids of letters to leave out of the figures of links.
        resamples: rounds of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: there is no model or no letter, or not as many sources as letters.
    """
    gold = list(documents)
    if not pipelines or not gold:
        raise ValueError("evaluation needs at least one model and one letter")
    if sources and len(sources) != len(gold):
        raise ValueError(f"{len(sources)} sources for {len(gold)} letters")
    where = sources or [""] * len(gold)
    items = sorted(zip(gold, where, strict=True), key=lambda item: (item[0].id, item[1], item[0].text))

    counts, versions, failures, judged = _read_all(pipelines, [document for document, _ in items], no_links)

    def measure(labels: Sequence[str], wanted: str) -> Measured:
        rows = [i for i, label in enumerate(labels) if label == wanted]
        part = {name: [of_model[i] for i in rows] for name, of_model in counts.items()}
        return metrics.measure(part, resamples=resamples, seed=seed)

    data = [_describe("all", [document for document, _ in items])]
    if sources:
        data += [_describe(name, [d for d, s in items if s == name]) for name in sorted(set(sources))]
    kinds = [document.kind.value if document.kind else "unknown" for document, _ in items]
    groups = []
    for by, labels in (("kind", kinds), ("source", [source for _, source in items])):
        names = sorted(set(labels))
        groups += [Group(by, name, measure(labels, name)) for name in names if len(names) > 1]

    skipped = {d.id for d in gold if d.id in no_links or (d.asks and not metrics.linkable(d))}
    sums = {name: metrics.total(of_model).confusion for name, of_model in counts.items()}
    return Report(
        model=next(iter(pipelines)),
        versions=versions,
        data=tuple(data),
        measured=measure([""] * len(items), ""),
        classes={n: {k.value: v for k, v in metrics.by_class(c).items()} for n, c in sums.items()},
        confusion={name: _matrix(cells) for name, cells in sums.items()},
        calibration={name: calibration.measure(pairs) for name, pairs in judged.items()},
        groups=tuple(groups),
        failures=tuple(failures),
        no_links=tuple(sorted(skipped)),
        resamples=resamples,
        seed=seed,
        commit=source_commit(),
    )


def read(pipeline: Callable[..., Reply], document: GoldDocument) -> Reply:
    """A gold letter as a model reads it: with its asks and its date, without its labels."""
    asks = [ask.text for ask in document.asks]
    return pipeline(document.text, suggestion=asks or None, date=document.day)


def timed(pipeline: Callable[..., Reply], documents: Iterable[GoldDocument]) -> tuple[list[Reply], float]:
    """What a model makes of gold letters, and the seconds that it takes."""
    began = time.perf_counter()
    replies = [read(pipeline, document) for document in documents]
    return replies, time.perf_counter() - began


def _read_all(
    pipelines: Mapping[str, Callable[..., Reply]],
    documents: Sequence[GoldDocument],
    no_links: Collection[str],
) -> tuple[dict[str, list[Counts]], dict[str, str], list[Failure], dict[str, list[tuple[float, bool]]]]:
    """For each model the counts of each letter, its version, and confidences; and what could not be read."""
    counts: dict[str, list[Counts]] = {}
    versions: dict[str, str] = {}
    failures: list[Failure] = []
    judged: dict[str, list[tuple[float, bool]]] = {}
    for name, pipeline in pipelines.items():
        counts[name] = []
        judged[name] = []
        for document in documents:
            reply = None
            try:
                reply = read(pipeline, document)
            except CommitmentsError as error:
                failures.append(Failure(name, document.id, str(error)))
            else:
                versions.setdefault(name, reply.model)
            counts[name].append(metrics.count(document, reply, links=document.id not in no_links))
            judged[name] += metrics.judged(document, reply)
    return counts, versions, failures, judged


def run(
    paths: Sequence[str | Path],
    model: str = DEFAULT,
    *,
    baselines: Sequence[str] = BASELINES,
    train: Sequence[str | Path] = (),
    no_links: Collection[str] = (),
    resamples: int = metrics.RESAMPLES,
    seed: int = metrics.SEED,
    on_error: Callable[[Path, SchemaError], None] | None = None,
) -> Report:
    """Measure a model on gold files, with the baselines on the same letters.

    Args:
        paths: of gold files, each read once; with several there are figures for each.
        model: a name or folder that `commitments.load` takes.
        baselines: what to compare it with; ``tfidf`` is fitted first, on `train`.
        train: gold files to fit ``tfidf`` on.
        no_links: ids of letters to leave out of the figures of links.
        resamples: rounds of the bootstrap.
        seed: of the bootstrap.
        on_error: told of a file that is missing or wrong, which is then passed over.

    Raises:
        SchemaError: a file is missing or wrong and nobody is to be told; or there is no letter in any file.
        ModelError: there is no such model.
        MissingExtra: ``tfidf`` is wanted, and scikit-learn is not installed.
    """
    from commitments.pipeline import Pipeline, load

    pipelines: dict[str, Pipeline] = {}
    for name in dict.fromkeys((model, *baselines)):
        if name == "tfidf":
            from commitments.train.tfidf import Tfidf

            pipelines[name] = Pipeline(Tfidf(d for path in train for d in corpus.load(path)))
        else:
            pipelines[name] = load(name)
    documents: list[GoldDocument] = []
    sources: list[str] = []
    files = list(dict.fromkeys(map(Path, paths)))
    alike = len({path.name for path in files}) < len(files)
    for path in files:
        try:
            found = corpus.load(path)
        except SchemaError as error:
            if on_error is None:
                raise
            on_error(path, error)
            continue
        documents += found
        sources += [str(path) if alike else path.name] * len(found)
    if not documents:
        raise SchemaError(f"no letter to measure on in {', '.join(map(str, files)) or 'no file'}")
    return evaluate(pipelines, documents, sources=sources, no_links=no_links, resamples=resamples, seed=seed)


def _describe(name: str, documents: Sequence[GoldDocument]) -> Data:
    """Letters, units, and the hash of the letters as `corpus.encode` writes them, ordered by id."""
    digest = hashlib.sha256()
    for document in documents:
        digest.update(corpus.encode(document).encode() + b"\n")
    units = sum(len(document.units) for document in documents)
    return Data(name, len(documents), units, digest.hexdigest())


def _matrix(cells: Sequence[int]) -> dict[str, dict[str, int]]:
    rows = iter(cells)
    return {gold.value: {predicted.value: next(rows) for predicted in LABELS} for gold in LABELS}


def source_commit() -> str | None:
    """The commit of the checkout that this package lies in; ``None`` when it is installed elsewhere."""
    root = Path(__file__).resolve().parent.parent
    git = shutil.which("git")
    # An installed package may lie inside somebody else's repository: that one's commit would be a lie.
    if git is None or not (root / ".git").exists() or not (root / "pyproject.toml").is_file():
        return None
    # Only look: without this, git may write its index while somebody else is using it.
    ask = [git, "--no-optional-locks", "-C", str(root)]
    ask += ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        told = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return told.stdout.strip() or None if told.returncode == 0 else None


def number(value: float | None) -> str:
    """A figure as reports write it; a dash where there is none."""
    return "—" if value is None else f"{value:.3f}"


def bounded(found: Interval) -> str:
    """A figure with its interval, where it has one."""
    if found.low is None or found.high is None:
        return number(found.value)
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side; the first is aligned to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join(["  " + first.ljust(widths[0]), *cells]).rstrip())
    return lines


def _render(report: Report) -> str:
    models = list(report.measured.figures)
    everything = report.data[0]
    lines = [
        f"{report.model} on {everything.letters:,} letters, {everything.units:,} units",
        f"  data sha256 {everything.sha256}",
        f"  commitments {report.library}" + (f", commit {report.commit}" if report.commit else ""),
        "  models: " + ", ".join(f"{name} ({report.versions.get(name, 'none')})" for name in models),
    ]
    if everything.letters > 1:
        rounds = f"{report.resamples:,} resamples"
        lines.append(f"  [ ]: {metrics.CONFIDENCE:.0%} percentile bootstrap over letters, {rounds}")
    else:
        lines.append("  no intervals: they need at least two letters")

    table = [["", *models]]
    for key in MEANING:
        table.append([key, *(bounded(report.measured.figures[name][key]) for name in models)])
    lines += ["", "Figures", *columns(table)]

    if report.measured.differences:
        lines += ["", "Difference in macro_f1 on the same letters"]
        for d in report.measured.differences:
            lines.append(f"  {d.model} - {d.baseline}: {bounded(d.interval)}")

    table = [["", "precision", "recall", "f1", *(f"f1 {name}" for name in models[1:]), "units"]]
    for label in LABELS:
        own = report.classes[report.model][label.value]
        rivals = [number(report.classes[name][label.value].f1) for name in models[1:]]
        f1 = bounded(report.measured.figures[report.model][f"f1_{label.value}"])
        figures = [number(own.precision), number(own.recall), f1, *rivals]
        table.append([label.value, *figures, f"{own.support:,}"])
    lines += ["", f"Classes, {report.model}", *columns(table)]

    table = [["gold \\ predicted", *(label.value for label in LABELS)]]
    for gold, cells in report.confusion[report.model].items():
        table.append([gold, *(f"{cell:,}" for cell in cells.values())])
    lines += ["", f"Confusion, {report.model}", *columns(table)]

    for by in dict.fromkeys(group.by for group in report.groups):
        table = [["", "letters", "units", *(f"macro_f1 {name}" for name in models), "soft", "links_all"]]
        for group in (group for group in report.groups if group.by == by):
            of_group = group.measured
            row = [bounded(of_group.figures[name]["macro_f1"]) for name in models]
            row += [number(of_group.figures[report.model][key].value) for key in ("soft", "links_all")]
            table.append([group.name, f"{of_group.letters:,}", f"{of_group.units:,}", *row])
        lines += ["", f"By {by}", *columns(table)]

    of = report.calibration.get(report.model)
    if of is not None and of.sentences:
        told = [p for p in of.curve if p.threshold in (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)]
        table = [["confidence at least", "sentences decided", "of these wrong"]]
        table += [[f"{p.threshold:.1f}", number(p.coverage), number(p.risk)] for p in told]
        title = f"Confidence, {report.model}: expected calibration error {number(of.error)},"
        lines += ["", f"{title} over {of.sentences:,} sentences read", *columns(table)]

    if report.failures:
        lines += ["", "Could not be read, counted as none"]
        lines += [f"  {failure.model}: {failure.id}: {failure.error}" for failure in report.failures]
    if report.no_links:
        lines += ["", "Left out of the figures of links", "  " + ", ".join(report.no_links)]
    lines += ["", "What the figures are"]
    width = max(map(len, MEANING))
    lines += [f"  {key.ljust(width)}  {words}" for key, words in MEANING.items()]
    return "\n".join(lines)
