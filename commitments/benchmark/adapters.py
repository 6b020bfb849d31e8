"""What the adapters cost: the library's way to read letters, beside the bare `Pipeline`, in one run.

``python -m commitments.benchmark.adapters`` prints a JSON object. Whoever adds an adapter registers with
`adapter` a function that imports its library when called, so that this module needs none of them.

Time is processor time, with one thread, and both sides take turns: only ratios of one run should be compared.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

from commitments import corpus
from commitments.benchmark import card
from commitments.benchmark.figures import ROOT
from commitments.benchmark.speed import Spread, digest
from commitments.errors import CommitmentsError
from commitments.pipeline import Pipeline, load

GOLD = ("seeds/letters/dev.jsonl", "seeds/letters/test.jsonl")
"""Letters that are read where none are given."""

BEGIN, END = "<!-- adapters:start -->", "<!-- adapters:end -->"
MODEL = "fast"
ROUNDS = 5

Reader = Callable[[Sequence[str]], object]
"""Reads all letters, as a user of the library would."""


class Adapter(NamedTuple):
    """How an adapter is measured.

    Attributes:
        library: its distribution, which is asked for its version.
        make: makes the reader for a model and its pipeline. What it does is not timed.
    """

    library: str
    make: Callable[[str, Pipeline], Reader]


ADAPTERS: dict[str, Adapter] = {}
"""The adapters by name; `adapter` adds to them."""


def adapter(
    name: str, library: str
) -> Callable[[Callable[[str, Pipeline], Reader]], Callable[[str, Pipeline], Reader]]:
    """Register a function that makes the reader of an adapter.

    Args:
        name: in the report.
        library: the distribution behind it.
    """

    def register(make: Callable[[str, Pipeline], Reader]) -> Callable[[str, Pipeline], Reader]:
        ADAPTERS[name] = Adapter(library, make)
        return make

    return register


@adapter("spacy", "spacy")
def _spacy(model: str, pipeline: Pipeline) -> Reader:
    """A blank Chinese pipeline, tokenizer ``char``, with the component."""
    import spacy

    import commitments.spacy  # noqa: F401 - registers the component

    nlp = spacy.blank("zh")
    nlp.add_pipe("commitments", config={"model": model, "threads": 1})
    return lambda texts: [len(doc.spans["measures"]) for doc in nlp.pipe(texts)]


@adapter("pandas", "pandas")
def _pandas(model: str, pipeline: Pipeline) -> Reader:
    """A frame with one row a sentence."""
    import pandas as pd

    from commitments.frames import tag_frame

    return lambda texts: tag_frame(pd.DataFrame({"reply": texts}), nlp=pipeline)


@adapter("datasets", "datasets")
def _datasets(model: str, pipeline: Pipeline) -> Reader:
    """``map`` in this process, kept in memory and not taken from the cache."""
    import datasets

    def reader(texts: Sequence[str]) -> object:
        letters = datasets.Dataset.from_dict({"text": list(texts)})
        return letters.map(pipeline.annotate, batched=True, keep_in_memory=True, load_from_cache_file=False)

    return reader


class Cost(msgspec.Struct, frozen=True):
    """What one adapter costs.

    Attributes:
        adapter: its name.
        library: the distribution behind it.
        version: of the library.
        seconds: for all letters.
        bare: seconds of the bare pipeline on the same letters, in the same rounds.
        ratio: of the two, round by round.
    """

    adapter: str
    library: str
    version: str
    seconds: Spread
    bare: Spread
    ratio: Spread


class Costs(msgspec.Struct, frozen=True):
    """What one run found.

    Attributes:
        model: name and version.
        letters: how many.
        characters: in all.
        sha256: of the texts in their order, each ended by a zero.
        rounds: in each, every side reads all letters once.
        rows: the adapters.
        skipped: adapters whose library is not installed, with the reason.
    """

    model: str
    letters: int
    characters: int
    sha256: str
    rounds: int
    rows: tuple[Cost, ...]
    skipped: dict[str, str]


def measure(
    texts: Iterable[str], names: Iterable[str] | None = None, *, model: str = MODEL, rounds: int = ROUNDS
) -> Costs:
    """Measure adapters on letters.

    Args:
        texts: at least one.
        names: of the adapters; all when not given.
        model: as `commitments.load` takes it.
        rounds: of each adapter.

    Raises:
        ValueError: there is no letter or no round.
        KeyError: there is no such adapter.
        ModelError: there is no such model.
    """
    texts = list(texts)
    if not texts or rounds < 1:
        raise ValueError("a benchmark needs at least one letter and one round")
    pipeline = load(model, threads=1)
    rows, skipped = [], {}
    for name in ADAPTERS if names is None else names:
        library, make = ADAPTERS[name]
        try:
            reader = make(model, pipeline)
        except ImportError as error:
            skipped[name] = f"not installed: {error}"
            continue
        seconds, bare = _paired(reader, lambda letters: list(pipeline.pipe(letters)), texts, rounds)
        ratios = [own / other for own, other in zip(seconds, bare, strict=True)]
        rows.append(
            Cost(name, library, version(library), Spread.of(seconds), Spread.of(bare), Spread.of(ratios))
        )
    size = sum(map(len, texts))
    return Costs(pipeline.name, len(texts), size, digest(texts), rounds, tuple(rows), skipped)


def _paired(one: Reader, other: Reader, texts: Sequence[str], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of both sides in each round; which begins changes from round to round."""
    sides: tuple[list[float], list[float]] = [], []
    for reader in (one, other):  # what is made at first use is not counted
        reader(texts[:1])
    for number in range(rounds):
        order = (0, 1) if number % 2 else (1, 0)
        for side in order:
            gc.collect()
            began = time.process_time()
            (one, other)[side](texts)
            sides[side].append(max(time.process_time() - began, 1e-9))
    return sides


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the adapters cost, and print it as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m commitments.benchmark.adapters", description=main.__doc__
    )
    parser.add_argument("gold", nargs="*", type=Path, metavar="FILE", help="gold letters to read")
    parser.add_argument("--adapter", action="append", choices=tuple(ADAPTERS), help="only this one")
    parser.add_argument("--model", default=MODEL, help="%(default)s when not given")
    parser.add_argument("--write", type=Path, metavar="README", help="write the figures there")
    parser.add_argument("--repeat", type=int, default=ROUNDS, metavar="N", help="rounds (%(default)s)")
    given = parser.parse_args(argv)
    if given.repeat < 1:
        parser.error("--repeat must be at least 1")
    try:
        files = given.gold or [ROOT / file for file in GOLD]
        texts = [document.text for file in files for document in corpus.load(file)]
        found = measure(texts, given.adapter, model=given.model, rounds=given.repeat)
    except CommitmentsError as error:
        print(error, file=sys.stderr)
        return 1
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        given.write.write_text(card.insert(text, block(found), BEGIN, END), encoding="utf-8")
    return 0


def block(found: Costs) -> str:
    """The figures as Markdown."""
    rows = [["library", "version", "time over the bare pipeline"]]
    rows += [
        [row.library, row.version, f"{row.ratio.median:.2f} × ({row.ratio.low:.2f}–{row.ratio.high:.2f})"]
        for row in found.rows
    ]
    told = (
        f"Median and range of {found.rounds} rounds, `{found.model}`, {found.letters} letters, one thread. "
        "Written by `python -m commitments.benchmark.adapters --write README.md`."
    )
    return "\n".join([*card.table(rows), "", told])


if __name__ == "__main__":
    sys.exit(main())
