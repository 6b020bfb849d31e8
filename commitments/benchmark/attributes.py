"""Figures of the attributes, for the README: ``python -m commitments.benchmark.attributes``.

Measured are the spans and values on the letters' test side and, where they are at hand, on real replies that
may not be published; with gold's statuses and with those of the trained models; and, on the same items,
other libraries: jionlp for times, cn2an for numerals. How bodies are found by sequence labelling instead is
`commitments.train.actors`' matter; its figures are read from a file. All figures are kept as JSON, so that a
test can hold the README to them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

import commitments
from commitments import attribute_metrics, corpus, followup_metrics
from commitments.attribute_metrics import Figures, GoldAttribute
from commitments.attributes import attributes, calendar, quantity
from commitments.corpus import GoldDocument
from commitments.link import link
from commitments.metrics import Interval
from commitments.pipeline import Pipeline

STORED = Path("seeds", "attributes", "eval.json")
START, END = "<!-- attributes:start -->", "<!-- attributes:end -->"
ROWS = {
    "deadline_exact": "deadlines, both ends",
    "deadline_overlap": "deadlines, by overlap",
    "deadline_dated_exact": "… that name a date or a span, both ends",
    "deadline_dated_overlap": "… by overlap",
    "deadline_interval": "… both days right, of those found",
    "deadline_end": "… last day right",
    "condition_overlap": "conditions, by overlap",
    "quantity_exact": "quantities, both ends",
    "quantity_overlap": "quantities, by overlap",
    "quantity_value": "… value right, of those found",
    "actor_exact": "bodies, both ends",
    "actor_overlap": "bodies, by overlap",
    "actor_role": "… role right, of those found",
    "strength": "strength of pledges right",
    "disposition": "dispositions of asks, macro-F1",
    "disposition_merged": "… planned and in progress as one",
}


_PLURAL = {
    "actor": "bodies",
    "condition": "conditions",
    "deadline": "deadlines",
    "quantity": "quantities",
}


class Told(msgspec.Struct, frozen=True):
    """Everything that the README's block says.

    Attributes:
        figures: by set of letters and by whose statuses were used.
        followup: of pairs made by hand, by side and by whose statuses were used.
        others: other libraries on the same items: set, task, method, share right.
        bodies: figures of `commitments.train.actors`.
        speed: characters a second, and the attributes' share of a model's time.
        library: version.
    """

    figures: dict[str, dict[str, Figures]]
    followup: dict[str, dict[str, followup_metrics.Figures]]
    others: dict[str, dict[str, dict[str, float]]]
    bodies: dict[str, dict[str, dict[str, float]]]
    speed: dict[str, float]
    library: str = commitments.__version__


def sets() -> dict[str, tuple[Path, Path]]:
    """The sets of letters at hand: gold file and file of values."""
    found = {
        "letters `test`, fiction": (
            Path("seeds/letters/test.jsonl"),
            Path("seeds/attributes/letters-test.jsonl"),
        )
    }
    shared = os.environ.get("COMMITMENTS_SHARED")
    if shared:
        real = Path(shared, "real")
        found["real replies, not published"] = (
            real / "gold-dev.jsonl",
            real / "gold-dev.attributes.jsonl",
        )
    return found


def measure(models: Sequence[str] = ("base", "fast"), bodies: Path | None = None) -> Told:
    """Measure everything.

    Args:
        models: whose statuses are used, beside gold's.
        bodies: JSON of `commitments.train.actors`.
    """
    pipelines = {name: commitments.load(name) for name in models}
    rules = commitments.load("cues")
    figures: dict[str, dict[str, Figures]] = {}
    others: dict[str, dict[str, dict[str, float]]] = {}
    for name, (gold, values) in sets().items():
        known = attribute_metrics.load(values)
        documents = [d for d in corpus.load(gold) if d.id in known]
        figures[name] = {"gold": attribute_metrics.run([gold], rules, values, statuses="gold")}
        for model, pipeline in pipelines.items():
            figures[name][model] = attribute_metrics.run([gold], pipeline, values)
        others[name] = {
            "last day of a time": times(documents, known),
            "value of a number": numerals(documents, known),
        }
    trained = json.loads(bodies.read_text(encoding="utf-8"))["figures"] if bodies else {}
    return Told(figures, followups(pipelines), others, trained, speed(pipelines))


def followups(pipelines: Mapping[str, Pipeline]) -> dict[str, dict[str, followup_metrics.Figures]]:
    """How well pledges are followed on the project's pairs."""
    letters = [f"seeds/{part}/{side}.jsonl" for part in ("letters", "followup") for side in ("dev", "test")]
    letters.append("seeds/letters/train.jsonl")
    documents = {d.id: d for path in letters for d in corpus.load(path)}
    found = {}
    for side in ("dev", "test"):
        pairs = followup_metrics.load(f"seeds/followup/{side}.pairs.jsonl")
        found[side] = {
            "gold": followup_metrics.measure(
                pairs, documents, next(iter(pipelines.values())), statuses="gold"
            ),
            **{
                name: followup_metrics.measure(pairs, documents, pipeline)
                for name, pipeline in pipelines.items()
            },
        }
    return found


def times(
    documents: Sequence[GoldDocument], known: Mapping[str, Sequence[GoldAttribute]]
) -> dict[str, float]:
    """Share of gold times whose last day is right when only their words and the letter's date are given."""

    def ours(words: str, document: GoldDocument) -> str | None:
        found = calendar.grammar().scan(words, document.day)
        return str(found[-1].last) if found and found[-1].last else None

    methods: dict[str, Callable[[str, GoldDocument], str | None]] = {"commitments": ours}
    try:
        import jionlp
    except ImportError:
        pass
    else:

        def theirs(words: str, document: GoldDocument) -> str | None:
            day = document.day
            base = {"year": day.year, "month": day.month, "day": day.day} if day else time.time()
            try:
                told = jionlp.parse_time(words, time_base=base)["time"]
            except Exception:
                return None
            return str(told[-1])[:10] if isinstance(told, list) else None

        methods["jionlp"] = theirs
    return _shares(documents, known, "deadline", methods, lambda item: str(item.last) if item.last else None)


def numerals(
    documents: Sequence[GoldDocument], known: Mapping[str, Sequence[GoldAttribute]]
) -> dict[str, float]:
    """Share of gold quantities whose value is right when only their words are given."""

    def ours(words: str, _: GoldDocument) -> float | None:
        found = quantity.grammar().scan(words)
        return found[0].value if found else None

    methods: dict[str, Callable[[str, GoldDocument], float | None]] = {"commitments": ours}
    try:
        import cn2an
    except ImportError:
        pass
    else:

        def theirs(words: str, _: GoldDocument) -> float | None:
            token = re.search(
                r"百分之[零一二三四五六七八九十百点\d.]+|[\d.零一二三四五六七八九十百千万亿两]+", words
            )
            try:
                return float(cn2an.cn2an(token.group(), "smart")) if token else None
            except Exception:
                return None

        methods["cn2an"] = theirs
    return _shares(documents, known, "quantity", methods, lambda item: item.value)


def _shares(
    documents: Sequence[GoldDocument],
    known: Mapping[str, Sequence[GoldAttribute]],
    kind: str,
    methods: Mapping[str, Callable[[str, GoldDocument], Any]],
    wanted: Callable[[GoldAttribute], Any],
) -> dict[str, float]:
    right = dict.fromkeys(methods, 0)
    count = 0
    for document in documents:
        for item in known[document.id]:
            if item.kind != kind or wanted(item) is None:
                continue
            count += 1
            for name, method in methods.items():
                found = method(document.text[item.start : item.end], document)
                right[name] += _same(found, wanted(item))
    return {"items": float(count), **{name: hits / max(1, count) for name, hits in right.items()}}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-6 * max(1.0, abs(b))
    return bool(a == b)


def speed(pipelines: Mapping[str, Pipeline], rounds: int = 5) -> dict[str, float]:
    """The attributes' share of each model's time, and the deadline grammar's characters a second."""
    documents = corpus.load(Path("seeds/letters/test.jsonl"))[:20]
    texts = [document.text for document in documents]
    size = sum(map(len, texts))
    found: dict[str, float] = {}
    for name, pipeline in pipelines.items():
        ratios = []
        for _ in range(rounds):
            began = time.process_time()
            for text in texts:
                pipeline(text)
            whole = time.process_time() - began
            drafts = []
            for text in texts:
                _, draft = pipeline.draft(text)
                draft = msgspec.structs.replace(draft, decisions=pipeline.tagger.tag(draft))
                drafts.append(link(draft, pipeline.config.link))
            began = time.process_time()
            for draft in drafts:
                attributes(draft)
            ratios.append((time.process_time() - began) / whole)
        found[f"share of {name}"] = sorted(ratios)[len(ratios) // 2]
    rates = []
    for _ in range(rounds):
        began = time.process_time()
        for document in documents:
            for unit in document.units:
                calendar.grammar().scan(document.text[unit.start : unit.end], document.day)
        rates.append(size / (time.process_time() - began))
    found["deadline grammar, characters a second"] = sorted(rates)[len(rates) // 2]
    return found


def block(told: Told) -> str:
    """The README's block."""
    names = list(told.figures)
    heads = [f"{name}: {whose}" for name in names for whose in told.figures[name]]
    lines = [
        "| | " + " | ".join(_head(head) for head in heads) + " |",
        "| --- |" + " ---: |" * len(heads),
    ]
    for key, words in ROWS.items():
        cells = [
            _cell(told.figures[name][whose].figures.get(key))
            for name in names
            for whose in told.figures[name]
        ]
        if any(cell != "—" for cell in cells):
            lines.append(f"| {words} | " + " | ".join(cells) + " |")
    counts = "; ".join(
        f"{name}: {found['gold'].letters} letters, "
        + ", ".join(f"{n} {_PLURAL[kind]}" for kind, n in found["gold"].spans.items())
        for name, found in told.figures.items()
    )
    lines += [
        "",
        "F1 of spans and shares right, with 95% bootstrap intervals over letters; *gold* takes the statuses "
        "from gold, the",
        f"other columns from that model. {counts}.",
        "",
        "| only the words given | set | " + " | ".join(_methods(told)) + " |",
        "| --- | --- |" + " ---: |" * len(_methods(told)),
    ]
    for name, tasks in told.others.items():
        for task, shares in tasks.items():
            cells = [f"{shares[m]:.3f}" if m in shares else "—" for m in _methods(told)]
            lines.append(f"| {task}, {shares['items']:.0f} items | {name} | " + " | ".join(cells) + " |")
    if told.bodies:
        methods = list(dict.fromkeys(m for found in told.bodies.values() for m in found))
        lines += [
            "",
            "| bodies, exact / by overlap | " + " | ".join(methods) + " |",
            "| --- |" + " ---: |" * len(methods),
        ]
        for name, of_set in told.bodies.items():
            cells = [
                f"{of_set[m]['exact']:.3f} / {of_set[m]['overlap']:.3f}" if m in of_set else "—"
                for m in methods
            ]
            lines.append(f"| {name}, gold statuses | " + " | ".join(cells) + " |")
        lines += [
            "",
            "All three were fitted on the same sentences; the grammar that ships has learnt from more.",
        ]
    lines += [
        "",
        "| followup of pledges | pledges | recall | precision | silence | relation | outcome |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for side, of_side in told.followup.items():
        for whose, f in of_side.items():
            cells = [f"{x:.3f}" for x in (f.recall, f.precision, f.silence, f.relation, f.outcome)]
            lines.append(f"| {side}, statuses of {whose} | {f.pledges} | " + " | ".join(cells) + " |")
    times_taken = ", ".join(
        f"{value:.0%} of `{key.removeprefix('share of ')}`'s time"
        for key, value in told.speed.items()
        if key.startswith("share of ")
    )
    rate = told.speed["deadline grammar, characters a second"]
    lines += [
        "",
        f"Attributes take {times_taken}; the deadline grammar reads {float(f'{rate:.2g}'):,.0f} characters a "
        "second. Written by",
        f"`python -m commitments.benchmark.attributes --write README.md`, commitments {told.library}.",
    ]
    return "\n".join(lines)


def _head(head: str) -> str:
    name, _, whose = head.rpartition(": ")
    return f"{name}: {whose if whose == 'gold' else f'`{whose}`'}"


def _methods(told: Told) -> list[str]:
    return list(
        dict.fromkeys(m for tasks in told.others.values() for s in tasks.values() for m in s if m != "items")
    )


def _cell(found: Interval | None) -> str:
    if found is None or found.value is None:
        return "—"
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def write(told: Told, readme: Path) -> None:
    """Put the block into the README, and keep the figures."""
    text = readme.read_text(encoding="utf-8")
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    readme.write_text(f"{head}{START}\n{block(told)}\n{END}{tail}", encoding="utf-8")
    stored = readme.parent / STORED
    stored.write_text(
        msgspec.json.format(msgspec.json.encode(told), indent=1).decode() + "\n", encoding="utf-8"
    )


def stored(root: Path) -> Told:
    """The figures that were kept."""
    return msgspec.json.decode((root / STORED).read_bytes(), type=Told)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the attributes and print the README's block; with --write, put it there."""
    parser = argparse.ArgumentParser(
        prog="python -m commitments.benchmark.attributes", description=main.__doc__
    )
    parser.add_argument("--bodies", type=Path, metavar="JSON", help="figures of commitments.train.actors")
    parser.add_argument("--write", type=Path, metavar="README", help="write the block there")
    given = parser.parse_args(arguments)
    told = measure(bodies=given.bodies)
    print(block(told))
    if given.write:
        write(told, given.write)


if __name__ == "__main__":
    main()
