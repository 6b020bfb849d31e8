"""What the trained models are worth, beside rules and baselines: measured here, told by `trained_card`.

``python -m commitments.benchmark.trained`` measures all models on the same letters and writes
``models/<name>/eval.json`` and ``README.md`` for each trained one, and ``models/README.md`` for all. The
rules' own benchmark is in `commitments.benchmark.figures`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

import commitments
from commitments import corpus, evaluate, metrics, models
from commitments.benchmark.figures import (
    HIDDEN_SET,
    HIDDEN_TEXTS,
    OPEN_SETS,
    ROOT,
    Machine,
    rounded,
    seed_letter,
    shared,
    this_machine,
)
from commitments.benchmark.speed import Spread
from commitments.errors import CommitmentsError, MissingExtra, SchemaError
from commitments.evaluate import Report
from commitments.models import Folder
from commitments.pipeline import Pipeline, load
from commitments.tag import READ_ROLES, Tagger

BASELINES = ("cues", "tfidf", "keywords", "majority")
ONE_BY_ONE = "torch, one sentence at a time"
"""The same encoder as most people would run it: each sentence alone, in 32 bits."""

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)


class Made(msgspec.Struct, frozen=True):
    """A model as its folder tells it.

    Attributes:
        name: such as ``base``.
        version: of its files.
        kind: ``encoder`` or ``cascade``.
        megabytes: of its files.
        training: the config of its training.
        record: what the training saw and did.
        config: as the tagger reads it.
    """

    name: str
    version: str
    kind: str
    megabytes: float
    training: dict[str, Any]
    record: dict[str, Any]
    config: dict[str, Any]


class Speed(msgspec.Struct, frozen=True):
    """How fast the models are on the same letters, in one run, in turns.

    Attributes:
        letters: how many.
        characters: in all.
        sentences: in all.
        sha256: of the texts.
        per_second: characters a second, by model, and of `ONE_BY_ONE` where torch is installed.
        ratios: how many times as fast as `ONE_BY_ONE`, by model, round by round.
    """

    letters: int
    characters: int
    sentences: int
    sha256: str
    per_second: dict[str, Spread]
    ratios: dict[str, Spread] = {}


class Cost(msgspec.Struct, frozen=True):
    """What starting a model costs, in a new process: seconds of ``load()``, and peak bytes after a letter."""

    load: float
    memory: int


class Step(msgspec.Struct, frozen=True):
    """The cascade at one threshold.

    Attributes:
        threshold: confidence of the first model from which its decision stands; ``None`` for the second
            alone.
        asked: share of the sentences read that the second model decides.
        macro_f1: by the name of the gold.
        seconds: for all letters of these sets.
    """

    threshold: float | None
    asked: float
    macro_f1: dict[str, float]
    seconds: float


class Trained(msgspec.Struct, frozen=True):
    """All figures of the trained models.

    Attributes:
        library: version of this library.
        commit: of its source checkout, ``-dirty`` when changed since.
        machine: where speed was measured.
        made: the models.
        accuracy: reports by the name of the gold; the default model first.
        cases: passed and all cases, by model and hard case of the guideline.
        speed: of all models.
        start: by model.
        cascade: at some thresholds; empty where there are no two models.
        fitted_on: files that the baseline ``tfidf`` was fitted on, with hashes; empty when it was left out.
    """

    library: str
    commit: str | None
    machine: Machine
    made: tuple[Made, ...]
    accuracy: dict[str, Report]
    cases: dict[str, dict[str, tuple[int, int]]] = {}
    speed: Speed | None = None
    start: dict[str, Cost] = {}
    cascade: tuple[Step, ...] = ()
    fitted_on: dict[str, str] = {}

    def to_json(self) -> str:
        """Indented JSON, floats rounded."""
        plain = rounded(msgspec.to_builtins(self))
        return msgspec.json.format(msgspec.json.encode(plain), indent=1).decode() + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Trained:
        """Read what `to_json` wrote.

        Raises:
            SchemaError: it is something else.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise SchemaError(f"no figures of trained models: {error}") from error


def describe(folder: Folder) -> Made:
    """What a folder says of its model."""

    def told(name: str) -> dict[str, Any]:
        if name not in folder.manifest.files:
            return {}
        found: dict[str, Any] = msgspec.json.decode(folder.read(name))
        return found

    size = sum((folder.path / name).stat().st_size for name in folder.manifest.files)
    manifest = folder.manifest
    return Made(
        manifest.name,
        manifest.version,
        manifest.kind,
        round(size / 1e6, 1),
        told("training.json"),
        told("record.json"),
        told(models.CONFIG),
    )


def sets() -> dict[str, Path]:
    """The gold to measure on, by name: that in ``seeds``, and the real replies where they are at hand."""
    paths = {name: ROOT / path for name, path in OPEN_SETS.items()}
    hidden = shared()
    if hidden and (hidden / HIDDEN_SET).is_file():
        paths["real"] = hidden / HIDDEN_SET
    return paths


def tfidf_gold() -> tuple[Path, ...]:
    """What the baseline ``tfidf`` is fitted on: the gold of ours; nothing where some is missing."""
    hidden = shared()
    if not hidden:
        return ()
    names = (HIDDEN_TEXTS, "real/gold-reports-train.jsonl")
    paths = (ROOT / "seeds/letters/train.jsonl", *(hidden / name for name in names))
    return paths if all(path.is_file() for path in paths) else ()


def accuracy(names: Sequence[str], told: Callable[[str], None] = lambda _: None) -> dict[str, Report]:
    """Reports on each gold, all models on the same letters."""
    pipelines: dict[str, Pipeline] = {name: load(name) for name in names}
    fitted = tfidf_gold()
    for name in BASELINES:
        if name != "tfidf":
            pipelines[name] = load(name)
        elif fitted:
            from commitments.train.tfidf import Tfidf

            pipelines[name] = Pipeline(Tfidf(d for path in fitted for d in corpus.load(path)))
    found = {}
    for of, path in sets().items():
        told(f"accuracy on {of}")
        report = evaluate.evaluate(pipelines, corpus.load(path))
        # The commit stands in the whole; ids of letters are no figures.
        found[of] = msgspec.structs.replace(report, commit=None, no_links=())
    return found


def cases(names: Sequence[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """Cases passed, by model and hard case; empty outside a source checkout, where the cases are not."""
    path = ROOT / "tests" / "cases" / "status.jsonl"
    if not path.is_file():
        return {}
    rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line.strip()]
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for name in names:
        nlp = load(name)
        of_model: dict[str, tuple[int, int]] = {}
        for row in rows:
            status = {s.text: s.status.value for s in nlp(row["text"]).sentences}
            passed = all(status.get(e["sentence"]) == e["status"] for e in row["expect"])
            hits, count = of_model.get(str(row["case"]), (0, 0))
            of_model[str(row["case"])] = (hits + passed, count + 1)
        found[name] = of_model
    return found


# --- speed --------------------------------------------------------------------------------------------------


def speed(names: Sequence[str], rounds: int = 3, letters: int = 40) -> Speed:
    """Characters a second of models on letters and, where they are at hand, real replies; all in turns."""
    texts = [seed_letter(), *(d.text for d in corpus.load(ROOT / OPEN_SETS["dev"])[: letters // 2])]
    hidden = shared()
    if hidden and (hidden / HIDDEN_SET).is_file():
        texts += [d.text for d in corpus.load(hidden / HIDDEN_SET)[: letters // 2]]
    runs: dict[str, Callable[[str], Any]] = {name: load(name) for name in names}
    single = _one_by_one()
    if single is not None:
        runs[ONE_BY_ONE] = single
    count = sum(len(load("majority")(text).sentences) for text in texts)
    for run in runs.values():
        run(texts[0])
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for n in range(rounds):
        order = list(runs)[n % len(runs) :] + list(runs)[: n % len(runs)]
        for name in order:
            began = time.perf_counter()
            for text in texts:
                runs[name](text)
            seconds[name].append(time.perf_counter() - began)
    size = sum(map(len, texts))
    rates = {name: Spread.of([size / s for s in spent]) for name, spent in seconds.items()}
    ratios = {}
    if single is not None:
        slow = seconds[ONE_BY_ONE]
        for name in names:
            ratios[name] = Spread.of([a / b for a, b in zip(slow, seconds[name], strict=True)])
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return Speed(len(texts), size, count, digest, rates, ratios)


def _one_by_one() -> Callable[[str], Any] | None:
    """The encoder of ``base`` in torch, each sentence alone; ``None`` where torch is not installed."""
    try:
        import torch
        from tokenizers import Tokenizer

        from commitments.train import export
    except ImportError:
        return None
    from commitments.tag.encoder import GRAPH, TOKENIZER, EncoderConfig
    from commitments.tag.features import NAMES
    from commitments.tag.windows import BOS, EOS

    folder = models.find("base")
    told: EncoderConfig = folder.config(EncoderConfig)
    network = export.restore(folder.path / GRAPH, len(NAMES), heads=told.heads).encoder
    coder = Tokenizer.from_str(folder.read(TOKENIZER).decode())
    nlp = load("majority")

    @torch.no_grad()
    def read(text: str) -> list[Any]:
        found = []
        for sentence in nlp(text).sentences:
            if sentence.role in READ_ROLES:
                ids = coder.encode(sentence.text, add_special_tokens=False).ids[:500]
                row = torch.tensor([[BOS, *ids, EOS]])
                found.append(network(row, attention_mask=torch.ones_like(row)).last_hidden_state.mean(1))
        return found

    return read


_START = """
import sys, time
text = sys.stdin.buffer.read().decode()
began = time.perf_counter()
import commitments
nlp = commitments.load(sys.argv[1])
loaded = time.perf_counter() - began
nlp(text)
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
print(loaded, peak)
"""


def start(names: Sequence[str], runs: int = 3) -> dict[str, Cost]:
    """Seconds of ``load()``, and peak memory after a letter; empty where the system does not tell."""
    if not Path("/proc/self/status").is_file():
        return {}
    text = seed_letter().encode()
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    found = {}
    for name in names:
        told = []
        for _ in range(runs):
            done = subprocess.run(  # noqa: S603 - our own code
                [sys.executable, "-c", _START, name],
                input=text,
                capture_output=True,
                env={**os.environ, "PYTHONPATH": path},
                check=True,
            )
            told.append(tuple(map(float, done.stdout.split())))
        found[name] = Cost(statistics.median(row[0] for row in told), int(max(row[1] for row in told)))
    return found


# --- the cascade --------------------------------------------------------------------------------------------


def cascade(first: str, second: str, thresholds: Sequence[float] = THRESHOLDS) -> tuple[Step, ...]:
    """Accuracy and time of two models one after another, over thresholds; then of the second alone."""
    from commitments.tag.cascade import Cascade
    from commitments.tag.encoder import Encoder

    gold = {name: corpus.load(path) for name, path in sets().items() if name != "test"}
    quick, exact = Encoder(models.find(first)), Encoder(models.find(second))
    taggers: dict[float | None, Tagger] = {t: Cascade(quick, exact, t) for t in thresholds}
    steps = []
    for threshold, tagger in (taggers | {None: exact}).items():
        scores: dict[str, float] = {}
        seconds, asked, read = 0.0, 0, 0
        for name, documents in gold.items():
            replies, spent = evaluate.timed(Pipeline(tagger), documents)
            counts = [metrics.count(d, reply) for d, reply in zip(documents, replies, strict=True)]
            scores[name] = metrics.figures(metrics.total(counts))["macro_f1"] or 0.0
            decided = [s for reply in replies for s in reply.sentences if s.role in READ_ROLES]
            read += len(decided)
            asked += sum(s.evidence[0].rule == exact.label for s in decided)
            seconds += spent
        steps.append(Step(threshold, asked / max(read, 1), scores, seconds))
    return tuple(steps)


# --- the command --------------------------------------------------------------------------------------------


def measure(told: Callable[[str], None] = lambda _: None, *, quick: bool = False) -> Trained:
    """Measure all models that come with the library.

    Args:
        told: is told in a line what is being measured.
        quick: leave speed, start and cascade out.
    """
    folders = {name: models.find(name) for name in models.available()}
    default = [name for name in (models.DEFAULT,) if name in folders]
    names = list(dict.fromkeys([*default, *sorted(folders)]))
    made = tuple(describe(folders[name]) for name in names)
    fitted = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in tfidf_gold()}
    reports = accuracy(names, told)
    told("hard cases")
    passed = cases([*names, "cues", "keywords"])
    if quick:
        return Trained(
            commitments.__version__,
            evaluate.source_commit(),
            this_machine(),
            made,
            reports,
            passed,
            fitted_on=fitted,
        )
    told("speed")
    fast = speed([*names, "cues"])
    told("start")
    begun = start([*names, "cues"])
    steps: tuple[Step, ...] = ()
    if {"fast", "base"} <= set(names):
        told("cascade")
        steps = cascade("fast", "base")
    return Trained(
        commitments.__version__,
        evaluate.source_commit(),
        this_machine(),
        made,
        reports,
        passed,
        fast,
        begun,
        steps,
        fitted,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the trained models, and write their cards."""
    from commitments.benchmark import trained_card

    parser = argparse.ArgumentParser(prog="python -m commitments.benchmark.trained", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="only accuracy; speed as it was measured before")
    parser.add_argument("--again", action="store_true", help="write the cards from the stored figures alone")
    given = parser.parse_args(argv)
    stored = ROOT / "models" / "eval.json"
    try:
        if given.again:
            found = Trained.from_json(stored.read_bytes())
        else:
            found = measure(lambda line: print(line, file=sys.stderr), quick=given.quick)
            if given.quick and stored.is_file():
                old = Trained.from_json(stored.read_bytes())
                kept: Mapping[str, Any] = {
                    k: getattr(old, k) for k in ("machine", "speed", "start", "cascade")
                }
                found = msgspec.structs.replace(found, **kept)
        for path in trained_card.write(found, ROOT):
            print(f"wrote {path}")
    except (CommitmentsError, MissingExtra, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
