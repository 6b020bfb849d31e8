"""Figures as people read them: the table on the screen, the block in the README, the model's card.

All are written from `Figures` alone, so that the same JSON makes the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import floor, log10
from pathlib import Path

from commitments.benchmark.figures import Figures
from commitments.benchmark.growth import TELLING
from commitments.benchmark.speed import CUES, KEYWORDS, METHODS, REGEX, SPACY, STAGES, Rate, Spread, Texts
from commitments.errors import SchemaError
from commitments.evaluate import MEANING, Report, bounded, columns, number
from commitments.metrics import CONFIDENCE, LABELS

BEGIN, END = "<!-- figures:start -->", "<!-- figures:end -->"

SETS = {
    "seed": "the Yangpu letter, real",
    "dev": "project letters `dev`, fiction",
    "test": "project letters `test`, fiction",
    "real": "real replies, not published",
}
"""The gold by the names in `Figures`, in words."""

MODELS = ("cues", "keywords", "majority")


def write(figures: Figures, readme: str | Path) -> list[Path]:
    """Write the README's block, and beside it ``models/cues/eval.json`` and ``models/cues/README.md``.

    Args:
        figures: with accuracy and speed.
        readme: the file; all but the block stays as it is.

    Returns:
        The files written.

    Raises:
        SchemaError: the README has no place for the block.
    """
    readme = Path(readme)
    figures = Figures.from_json(figures.to_json())  # rounded, so that the JSON makes the same words
    try:
        text = insert(readme.read_text(encoding="utf-8"), block(figures))
    except OSError as error:
        raise SchemaError(f"{readme}: cannot be read: {error.strerror}") from error
    except SchemaError as error:
        raise SchemaError(f"{readme}: {error}") from error
    folder = readme.parent / "models" / "cues"
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        readme: text,
        folder / "eval.json": figures.to_json(),
        folder / "README.md": card(figures),
    }
    for path, content in files.items():
        path.write_text(content, encoding="utf-8", newline="\n")
    return list(files)


def insert(text: str, figures: str, begin: str = BEGIN, end: str = END) -> str:
    r"""A text with the block in its place.

    >>> insert(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\nnew\n{END}\nb"
    True
    """
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise SchemaError(f"expected one {begin} and one {end} after it")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{figures}\n{end}{rest.split(end)[1]}"


def block(figures: Figures) -> str:
    """The README's figures, in Markdown."""
    hashes = [f"{name} {report.data[0].sha256[:8]}" for name, report in figures.accuracy.items()]
    hashes += [f"{of.name} (speed) {of.sha256[:8]}" for of in figures.speed]
    versions = [f"{m} is {v}" for r in figures.accuracy.values() for m, v in r.versions.items() if m != v]
    return filled(
        "block.md",
        accuracy=_accuracy(figures),
        confidence=f"{CONFIDENCE:.0%}",
        speed=_speed(figures.speed),
        also=_also(figures),
        library=figures.library,
        versions=", ".join(dict.fromkeys(versions)) + _earlier(figures),
        hashes=", ".join(hashes),
    )


def card(figures: Figures) -> str:
    """The model's card, in Markdown."""
    model, machine = figures.model, figures.machine
    classes: list[str] = []
    rows = [["data", "letters", "sentences", "sha256"]]
    for name, report in figures.accuracy.items():
        classes += ["" if not classes else "\n", f"### {_title(name)}\n", *of_report(report)]
        data = report.data[0]
        rows.append([_title(name), f"{data.letters:,}", f"{data.units:,}", f"`{data.sha256[:16]}`"])
    for of in figures.speed:
        rows.append([f"{of.name}, for speed", f"{of.texts:,}", "", f"`{of.sha256[:16]}`"])
    return (
        filled(
            "card.md",
            name=model.name,
            rows=str(model.rows),
            units=f"{model.units:,}",
            fitted_on=table([["file", "hash"], *([f"`{k}`", f"`{v}`"] for k, v in model.fitted_on.items())]),
            accuracy=_accuracy(figures),
            confidence=f"{CONFIDENCE:.0%}",
            classes=classes[1:],
            speed=_speed(figures.speed),
            also=_also(figures),
            stages=_stages(figures.speed),
            library=figures.library,
            commit=figures.commit or "unknown",
            processor=machine.processor,
            system=machine.system,
            python=machine.python,
            spacy=machine.spacy or "not installed",
            earlier=_earlier(figures),
            data=table(rows),
        )
        + "\n"
    )


def filled(template: str, **values: str | Sequence[str]) -> str:
    """One of the Markdown files beside this module, with its places filled."""
    words = {k: v if isinstance(v, str) else "\n".join(v) for k, v in values.items()}
    text = Path(__file__).with_name(template).read_text(encoding="utf-8").format(**words)
    return re.sub("\n{3,}", "\n\n", text).strip()


def screen(figures: Figures) -> str:
    """What was measured of speed, as plain text."""
    machine = figures.machine
    lines = [
        f"commitments {figures.library} ({figures.model.name}), commit {figures.commit or 'unknown'}",
        f"{machine.processor}, {machine.system}, Python {machine.python}",
    ]
    for of in figures.speed:
        title = f"{of.name}: {of.texts:,} texts, {of.characters:,} characters, sha256 {of.sha256[:16]}"
        rows = [["", "characters/s", "[least, most]", "time, cues = 1"]]
        named = {**of.methods, **{f"  {stage}": rate for stage, rate in of.stages.items()}}
        for name, rate in named.items():
            low, high = _count(rate.per_second.low), _count(rate.per_second.high)
            rows.append([name, _count(rate.per_second.median), f"[{low}, {high}]", _spread(rate.cues)])
        lines += ["", title, *columns(rows)]
        lines += [f"  {name}: not measured, {why}" for name, why in of.skipped.items()]
    if figures.growth:
        rows = [["", "characters", "seconds", "last doubling", ""]]
        for of_kind in figures.growth:
            ratio = "—" if of_kind.ratio is None else f"× {of_kind.ratio:.2f}"
            verdict = "" if of_kind.linear else "stopped" if of_kind.stopped else "not linear"
            rows.append(
                [of_kind.name, f"{of_kind.sizes[-1]:,}", f"{of_kind.seconds[-1]:.3f}", ratio, verdict]
            )
        lines += ["", "Time with length (in linear time, × 2)", *columns(rows)]
    if figures.start:
        begun = figures.start
        lines += ["", "Start, seconds: median [least, most]"]
        for name, spent in (
            ("bare Python", begun.python),
            ("import commitments, beyond that", begun.imported),
            ('commitments.load("cues")', begun.load),
            ("first letter", begun.first),
        ):
            lines.append(f"  {name:<32}{spent.median:.3f} [{spent.low:.3f}, {spent.high:.3f}]")
        steps = ("bare Python", "loaded", "one letter", f"a text of {begun.long:,} characters")
        for name, peak in zip(steps, begun.memory, strict=False):
            lines.append(f"  peak memory, {name:<32}{peak / 2**20:,.0f} MiB")
    return "\n".join(lines)


def _accuracy(figures: Figures) -> list[str]:
    rows = [["gold", "letters", "sentences", *(f"`{m}`" for m in MODELS), "soft", "links", "boundaries"]]
    for name, report in figures.accuracy.items():
        found = report.measured.figures
        own = found[MODELS[0]]
        macro = [bounded(found[m]["macro_f1"]) for m in MODELS]
        rest = [number(own[key].value) for key in ("soft", "links", "boundaries_f1")]
        data = report.data[0]
        rows.append(
            [_title(name), f"{data.letters:,}", f"{data.units:,}", f"**{macro[0]}**", *macro[1:], *rest]
        )
    return table(rows)


def _speed(sets: Sequence[Texts]) -> list[str]:
    if not sets:
        return ["Speed was not measured."]
    rows = [["characters a second, one core", *(of.name for of in sets)]]
    for method, words in METHODS.items():
        cells = [_cell(of.methods.get(method), method, of) for of in sets]
        rows.append([f"**{method}**: {words}", *cells])
    return table(rows)


def _cell(rate: Rate | None, method: str, of: Texts) -> str:
    if rate is None:
        return "not installed" if method in of.skipped else "—"
    speed = rounded(rate.per_second.median)
    return speed if method == CUES else f"{speed} (cues: × {short(rate.cues.median)})"


def _also(figures: Figures) -> str:
    """Ratios, growth and start in a sentence each."""
    said = []
    ratios = []
    for method in (KEYWORDS, REGEX, SPACY):
        found = [of.methods[method].cues for of in figures.speed if method in of.methods]
        if found:
            low, high = min(r.low for r in found), max(r.high for r in found)
            ratios.append(f"{short(low)} to {short(high)} times that of {method}")
    if ratios:
        said.append(f"Round by round in one process, the speed of cues is {', '.join(ratios)}.")
    letter = next((g for g in figures.growth if g.name == "letter"), None)
    if letter and letter.ratio:
        size = f"A text of {letter.sizes[-1]:,} characters"
        said.append(f"{size} takes {letter.ratio:.1f} times as long as one of half the length.")
    shapes = [g for g in figures.growth if g.name != "letter"]
    if shapes:
        bad = [g.name for g in shapes if not g.linear]
        most = max((g.ratio or 0.0 for g in shapes if g.seconds[-1] >= TELLING), default=0.0)
        words = f"Of {len(shapes)} kinds of text made to be slow, twice the length takes at most"
        said.append(
            f"{words} {most:.1f} times as long" + (f" (not linear: {', '.join(bad)})." if bad else ".")
        )
    if begun := figures.start:
        imported, load = (f"{of.median * 1000:.0f} ms" for of in (begun.imported, begun.load))
        words = f"`import commitments` takes {imported} beyond Python's own start, `load('cues')` {load}"
        said.append(
            words + (f"; memory peaks at {begun.memory[2] / 2**20:.0f} MiB." if begun.memory else ".")
        )
    return " ".join(said)


def _earlier(figures: Figures) -> str:
    """Says so when speed was not measured on this very model."""
    other = figures.speed_of not in (None, figures.model.name)
    return f" (speed was measured on {figures.speed_of})" if other else ""


def of_report(report: Report, models: Sequence[str] = MODELS) -> list[str]:
    """Figures by class and kind of the first of some models, beside the others, in Markdown."""
    rows = [["class", "precision", "recall", "F1", *(f"F1 `{m}`" for m in models[1:]), "sentences"]]
    own = report.measured.figures[models[0]]
    for label in LABELS:
        of = report.classes[models[0]][label.value]
        rivals = [number(report.classes[m][label.value].f1) for m in models[1:]]
        f1 = bounded(own[f"f1_{label.value}"])
        rows.append(
            [f"`{label.value}`", number(of.precision), number(of.recall), f1, *rivals, f"{of.support:,}"]
        )
    lines = table(rows)
    rows = [["gold \\ predicted", *(label.value for label in LABELS)]]
    for gold, cells in report.confusion[models[0]].items():
        rows.append([gold, *(f"{cell:,}" for cell in cells.values())])
    lines += ["", *table(rows), ""]
    kinds = [group for group in report.groups if group.by == "kind"]
    if kinds:
        rows = [["kind", "letters", "sentences", *(f"`{m}`" for m in models)]]
        for group in kinds:
            found = [bounded(group.measured.figures[m]["macro_f1"]) for m in models]
            rows.append([group.name, f"{group.measured.letters:,}", f"{group.measured.units:,}", *found])
        lines += [*table(rows), ""]
    keys = ("accuracy", "soft", "links", "links_all", "boundaries_f1", "exact_units")
    return [*lines, *(f"- {key}: {bounded(own[key])} ({MEANING[key]})" for key in keys)]


def _stages(sets: Iterable[Texts]) -> list[str]:
    sets = list(sets)
    if not sets:
        return []
    rows = [["stage, share of the time of all", *(of.name for of in sets)]]
    for stage in STAGES:
        cells = []
        for of in sets:
            cells.append(f"{100 * of.stages[stage].cues.median:.0f} %" if stage in of.stages else "—")
        rows.append([stage, *cells])
    return table(rows)


def _title(name: str) -> str:
    return SETS.get(name, name)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; the first row is its head, all columns but the first are numbers."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return [head, "| --- |" + " ---: |" * (len(rows[0]) - 1), *body]


def _count(value: float) -> str:
    return f"{value:,.0f}"


def rounded(value: float) -> str:
    """Two significant digits: more would be noise.

    >>> rounded(314159), rounded(9_870_000)
    ('310,000', '9,900,000')
    """
    return f"{round(value, 1 - floor(log10(value))):,.0f}" if value > 0 else "0"


def short(value: float) -> str:
    """Two significant digits of a ratio.

    >>> short(12.34), short(1.234), short(0.01234)
    ('12', '1.2', '0.012')
    """
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _spread(found: Spread) -> str:
    return f"{found.median:,.2f} [{found.low:,.2f}, {found.high:,.2f}]"
