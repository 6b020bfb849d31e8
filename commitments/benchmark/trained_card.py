"""The figures of the trained models as people read them: cards, comparison, the README's block, plots.

All is written from `commitments.benchmark.trained.Trained` alone, so that the same JSON makes the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from commitments import models
from commitments.benchmark.card import SETS, filled, insert, of_report, rounded, short, table
from commitments.benchmark.trained import ONE_BY_ONE, Made, Trained
from commitments.errors import MissingExtra
from commitments.evaluate import Report, bounded, number
from commitments.metrics import CONFIDENCE, Interval

BEGIN, END = "<!-- models:start -->", "<!-- models:end -->"

_SAID = {
    "base": "the exact one: all layers of the project's encoder",
    "fast": "the quick one: it has learnt from `base`",
    "cascade": "`fast` decides what it is sure of, `base` the rest",
    "cues": "rules, see [its card](cues/README.md)",
    "tfidf": "character n-grams and logistic regression, fitted on the same gold",
    "keywords": "a word list",
    "majority": "calls everything `none`",
}


def write(figures: Trained, root: Path) -> list[Path]:
    """Write everything under ``models`` and the README's block.

    Args:
        figures: what was measured.
        root: of the source checkout.

    Returns:
        The files written.

    Raises:
        MissingExtra: matplotlib is not installed.
        SchemaError: the README has no place for the block.
    """
    figures = Trained.from_json(figures.to_json())  # rounded, so that the JSON makes the same words
    files: dict[Path, str] = {
        root / "models" / "eval.json": figures.to_json(),
        root / "models" / "README.md": comparison(figures),
    }
    for made in figures.made:
        folder = root / "models" / made.name
        files[folder / "README.md"] = card(figures, made)
        files[folder / "eval.json"] = part(figures, made.name).to_json()
        files[folder / "confidence.svg"] = confidence_plot(figures, made.name)
    if figures.cascade:
        files[root / "models" / "cascade.svg"] = cascade_plot(figures)
    readme = root / "README.md"
    files[readme] = insert(readme.read_text(encoding="utf-8"), block(figures), BEGIN, END)
    for path, content in files.items():
        path.write_text(content, encoding="utf-8", newline="\n")
    return list(files)


def part(figures: Trained, name: str) -> Trained:
    """What concerns one model alone."""
    reports = {}
    for of, report in figures.accuracy.items():
        own = {name: report.measured.figures[name]}
        reports[of] = msgspec.structs.replace(
            report,
            model=name,
            versions={k: v for k, v in report.versions.items() if k == name},
            measured=msgspec.structs.replace(report.measured, figures=own, differences=()),
            classes={name: report.classes[name]},
            confusion={name: report.confusion[name]},
            calibration={name: report.calibration[name]},
            groups=(),
            failures=tuple(f for f in report.failures if f.model == name),
        )
    return msgspec.structs.replace(
        figures,
        made=tuple(m for m in figures.made if m.name == name),
        accuracy=reports,
        cases={k: v for k, v in figures.cases.items() if k == name},
        start={k: v for k, v in figures.start.items() if k == name},
        cascade=figures.cascade if name == "cascade" else (),
    )


# --- the comparison -----------------------------------------------------------------------------------------


def accuracy_table(figures: Trained, key: str = "macro_f1") -> list[str]:
    """One row a model, one column a set of gold."""
    reports = figures.accuracy
    rows = [["model", *(SETS.get(name, name) for name in reports)]]
    for model in _models(figures):
        cells = [bounded(report.measured.figures[model][key]) for report in reports.values()]
        mark = "**" if model == models.DEFAULT else ""
        rows.append([f"{mark}`{model}`{mark}", *cells])
    return table(rows)


def comparison(figures: Trained) -> str:
    """``models/README.md``."""
    said = [f"- `{name}`: {words}" for name, words in _SAID.items() if name in _models(figures)]
    told = [
        *_pairs(figures),
        "",
        *_ceiling(),
    ]
    confused = [["gold → said", *(f"`{m}`" for m in _models(figures))]]
    real = figures.accuracy.get("real") or figures.accuracy["dev"]
    for gold, told_as in (("completed", "ongoing"), ("ongoing", "completed"), ("completed", "none")):
        cells = [str(real.confusion[m][gold][told_as]) for m in _models(figures)]
        confused.append([f"{gold} → {told_as}", *cells])
    return filled(
        "models.md",
        models=said,
        accuracy=accuracy_table(figures),
        soft=accuracy_table(figures, "soft"),
        links=accuracy_table(figures, "links"),
        pairs=told,
        confused=table(confused),
        confidence=f"{CONFIDENCE:.0%}",
        speed=_speed(figures),
        cascade=_cascade(figures),
        cases=_cases(figures),
        library=figures.library,
        commit=figures.commit or "unknown",
        processor=figures.machine.processor,
        system=figures.machine.system,
        python=figures.machine.python,
        data=_data(figures.accuracy.values(), figures.accuracy),
    )


def block(figures: Trained) -> str:
    """The README's block."""
    lines = [*accuracy_table(figures), ""]
    lines.append(
        "Macro-F1 over the four statuses, with 95% bootstrap intervals over letters. `cues` are rules,"
        " `tfidf` is character n-grams with logistic regression fitted on the same gold, `keywords` a word"
        " list, `majority` calls everything `none`. Settings and the confidence were chosen with an eye on"
        " the real replies measured here, which were never learnt; project letters are fiction of one hand,"
        " so the real replies and the real letter count most."
    )
    default = figures.accuracy.get("real")
    if default is not None and models.DEFAULT in default.calibration:
        of = default.calibration[models.DEFAULT]
        own = default.measured.figures[models.DEFAULT]
        sure = next((p for p in of.curve if p.threshold == 0.8), None)
        lines += [
            "",
            f"On the real replies, `{models.DEFAULT}` is right, a status named as secondary counted too, for"
            f" {number(own['soft'].value)} of the sentences; its confidence is off by {number(of.error)}"
            " (expected calibration error)"
            + (
                f"; of the {sure.coverage:.0%} of sentences with a confidence of 0.8 or more,"
                f" {1 - sure.risk:.1%} are right."
                if sure
                else "."
            ),
        ]
    lines += ["", *_speed(figures)]
    hashes = ", ".join(f"{n} {r.data[0].sha256[:8]}" for n, r in figures.accuracy.items())
    versions = ", ".join(f"{m.name}-{m.version}" for m in figures.made)
    lines += [
        "",
        f"commitments {figures.library}; {versions}; sha256 of the data: {hashes}. Written by",
        "`python -m commitments.benchmark.trained`; all figures are in [models/](models/README.md).",
    ]
    return "\n".join(lines)


def _models(figures: Trained) -> list[str]:
    first = next(iter(figures.accuracy.values()))
    return list(first.measured.figures)


def _pairs(figures: Trained) -> list[str]:
    rows = [["less than", *(SETS.get(name, name) for name in figures.accuracy)]]
    others: dict[str, list[str]] = {}
    for report in figures.accuracy.values():
        for difference in report.measured.differences:
            found = difference.interval
            others.setdefault(f"`{difference.baseline}`", []).append(_signed(found))
    rows += [[name, *cells] for name, cells in others.items()]
    return table(rows)


def _signed(found: Interval) -> str:
    if found.value is None:
        return "—"
    bounds = "" if found.low is None or found.high is None else f" [{found.low:+.3f}, {found.high:+.3f}]"
    return f"{found.value:+.3f}{bounds}"


AGREEMENT = {"macro_f1": 0.948, "kappa": 0.952}
"""Of two passes over 110 other real replies, as the description that comes with the labels gives it."""


def _ceiling() -> list[str]:
    return [
        "Two passes of annotation over other real replies agree with a macro-F1 of"
        f" {AGREEMENT['macro_f1']} (kappa {AGREEMENT['kappa']}). Both",
        "were made by the same kind of annotator, a large language model: that is consistency, not agreement",
        "between people, and a ceiling only in that sense.",
    ]


def _speed(figures: Trained) -> list[str]:
    if figures.speed is None:
        return ["Speed was not measured."]
    of = figures.speed
    rows = [["model", "characters a second", f"times {ONE_BY_ONE}", "`load()`, seconds", "peak memory, MiB"]]
    for name, rate in of.per_second.items():
        ratio = of.ratios.get(name)
        cost = figures.start.get(name)
        rows.append(
            [
                f"`{name}`" if name != ONE_BY_ONE else name,
                rounded(rate.median),
                f"{short(ratio.median)} [{short(ratio.low)}, {short(ratio.high)}]" if ratio else "—",
                f"{cost.load:.2f}" if cost else "—",
                f"{cost.memory / 2**20:.0f}" if cost else "—",
            ]
        )
    words = (
        f"{of.letters} letters with {of.sentences:,} sentences and {of.characters:,} characters, on"
        f" {figures.machine.cores} cores, all in one run and in turns; median, least and most of the rounds."
    )
    return [*table(rows), "", words]


def _cascade(figures: Trained) -> list[str]:
    if not figures.cascade:
        return ["Not measured: a cascade needs `fast` and `base`."]
    names = list(figures.cascade[0].macro_f1)
    rows = [["threshold", "decided by `base`", *(SETS.get(n, n) for n in names), "time, `base` alone = 1"]]
    whole = _alone(figures)
    for step in figures.cascade:
        label = {None: "`base` alone", 0.0: "`fast` alone"}.get(step.threshold, f"{step.threshold}")
        scores = [number(step.macro_f1[n]) for n in names]
        rows.append([label, f"{step.asked:.0%}", *scores, short(step.seconds / whole)])
    told = (
        "The second model reads windows around the sentences that the first is not sure of: these are cut"
        " elsewhere than its own, which alone moves a letter's figure by some points."
    )
    return [*table(rows), "", told, "", "![speed against accuracy](cascade.svg)"]


def _alone(figures: Trained) -> float:
    """Seconds of the second model alone."""
    return next(step.seconds for step in figures.cascade if step.threshold is None)


def _cases(figures: Trained) -> list[str]:
    if not figures.cases:
        return []
    names = list(figures.cases)
    every = sorted(
        next(iter(figures.cases.values())), key=lambda c: (not c.isdigit(), int(c) if c.isdigit() else 0)
    )
    rows = [["hard case", "cases", *(f"`{n}`" for n in names)]]
    for case in every:
        count = figures.cases[names[0]][case][1]
        rows.append([case, str(count), *(str(figures.cases[n][case][0]) for n in names)])
    total = [sum(hits for hits, _ in figures.cases[n].values()) for n in names]
    rows.append(["all", str(sum(n for _, n in figures.cases[names[0]].values())), *map(str, total)])
    return table(rows)


def _data(reports: Iterable[Report], names: Iterable[str]) -> list[str]:
    rows = [["data", "letters", "sentences", "sha256"]]
    for name, report in zip(names, reports, strict=True):
        data = report.data[0]
        sizes = [f"{data.letters:,}", f"{data.units:,}"]
        rows.append([SETS.get(name, name), *sizes, f"`{data.sha256[:16]}`"])
    return table(rows)


# --- a model's card -----------------------------------------------------------------------------------------


def card(figures: Trained, made: Made) -> str:
    """``models/<name>/README.md``."""
    own = part(figures, made.name)
    classes: list[str] = []
    for name, report in own.accuracy.items():
        classes += ["", f"### {SETS.get(name, name)}", "", *of_report(report, (made.name,))]
    calibration = [["gold", "sentences read", "expected calibration error", "area under risk–coverage"]]
    for name, report in own.accuracy.items():
        of = report.calibration[made.name]
        calibration.append([SETS.get(name, name), f"{of.sentences:,}", number(of.error), f"{of.area:.4f}"])
    real = (own.accuracy.get("real") or own.accuracy["dev"]).calibration[made.name]
    curve = [["confidence at least", "share decided", "of these wrong"]]
    curve += [[f"{p.threshold:g}", f"{p.coverage:.1%}", f"{p.risk:.1%}"] for p in real.curve]
    return filled(
        "trained.md",
        name=f"{made.name}-{made.version}",
        said=_SAID.get(made.name, made.name),
        how=_how(made),
        default="It is the default model. " if made.name == models.DEFAULT else "",
        megabytes=f"{made.megabytes:g}",
        made=_made(made),
        config=[f"| {key} | `{value}` |" for key, value in _flat(made.training)],
        accuracy=accuracy_table(own),
        confidence=f"{CONFIDENCE:.0%}",
        classes=classes[1:],
        calibration=table(calibration),
        curve=table(curve),
        cases=_cases(own),
        speed=_speed(figures),
        again=_again(made),
        library=figures.library,
        commit=figures.commit or "unknown",
        data=_data(own.accuracy.values(), own.accuracy),
    )


def _how(made: Made) -> str:
    """How a model is built, in words."""
    if made.training.get("width"):
        return filled("shallow.md", layers=str(made.training["layers"]), width=str(made.training["width"]))
    return filled("deep.md") if made.training else ""


def _made(made: Made) -> list[str]:
    record = made.record
    if not record:
        config = ", ".join(f"{key} {value}" for key, value in made.config.items())
        return [f"Two models one after another: {config}."]
    words = (
        f"Trained on {record.get('date', 'an unknown day')} on {record.get('sentences', 0):,} sentences of"
        f" {record.get('letters', 0):,} letters, in {record.get('steps', 0):,} steps and"
        f" {record.get('seconds', 0) / 60:.0f} minutes; {record.get('parameters', 0) / 1e6:.1f} million"
        " parameters."
    )
    if teacher := made.training.get("teacher"):
        names = ", ".join(f"`{name}`" for name in teacher["models"])
        words += f" Letters without labels, among these, have what {names} makes of them."
    rows = [
        ["file learnt from", "hash"],
        *([f"`{k}`", f"`{v}`"] for k, v in record.get("sources", {}).items()),
    ]
    return [words, "", *table(rows)]


def _again(made: Made) -> str:
    if made.kind == "cascade":
        return "Nothing was trained: see the two models."
    return f"`commitments train models/{made.name}/training.json --out {made.name}`"


def _flat(value: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, item in value.items():
        if isinstance(item, dict):
            found += _flat(item, f"{before}{key}.")
        elif item is not None:
            found.append(
                (before + key, msgspec.json.encode(item).decode() if isinstance(item, list) else item)
            )
    return found


# --- plots --------------------------------------------------------------------------------------------------


def _figure(width: float, height: float, columns: int) -> tuple[Any, Sequence[Any]]:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("Drawing the plots of the cards", "bench") from None
    mpl.rcParams["svg.hashsalt"] = "commitments"  # the same figures make the same file
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _svg(figure: Any) -> str:
    from io import StringIO

    out = StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def confidence_plot(figures: Trained, name: str) -> str:
    """Reliability, and risk over coverage, as SVG."""
    figure, (left, right) = _figure(8, 3.6, 2)
    left.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for (of, report), mark in zip(figures.accuracy.items(), "osv^", strict=False):
        found = report.calibration[name]
        left.plot(
            [b.confidence for b in found.bins], [b.right for b in found.bins], f"{mark}-", label=of, ms=3
        )
        right.plot(
            [p.coverage for p in found.curve], [p.risk for p in found.curve], f"{mark}-", label=of, ms=3
        )
    left.set(xlabel="confidence", ylabel="share that is right", xlim=(0.3, 1.01), ylim=(0.3, 1.01))
    right.set(xlabel="share of sentences decided", ylabel="share of these that is wrong", ylim=(0, None))
    left.legend()
    return _svg(figure)


def cascade_plot(figures: Trained) -> str:
    """Macro-F1 over time, as SVG."""
    figure, (axes,) = _figure(5, 3.6, 1)
    whole = _alone(figures)
    for of in figures.cascade[0].macro_f1:
        times = [s.seconds / whole for s in figures.cascade]
        axes.plot(times, [s.macro_f1[of] for s in figures.cascade], "o-", label=of, ms=3)
    axes.set(xlabel="time, base alone = 1", ylabel="macro-F1")
    axes.legend()
    return _svg(figure)
