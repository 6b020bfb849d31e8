"""Everything that one run measured, as data: speed, growth, start and accuracy, with where it comes from.

How each is measured is in the modules of their names; what people read is written by `card` from this alone.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

import commitments
from commitments import corpus, evaluate, lexicon
from commitments.benchmark import growth, speed, start
from commitments.benchmark.growth import Growth
from commitments.benchmark.speed import Texts
from commitments.benchmark.start import Start
from commitments.errors import SchemaError
from commitments.pipeline import load

ROOT = Path(__file__).resolve().parents[2]

SEED = "seeds/yangpu-2023-C-064"

OPEN_SETS = {
    "seed": f"{SEED}.gold.jsonl",
    "dev": "seeds/letters/dev.jsonl",
    "test": "seeds/letters/test.jsonl",
}
"""What accuracy is measured on, by name, in the order of the report."""

HIDDEN_SET, HIDDEN_TEXTS = "real/gold-dev.jsonl", "real/gold-train.jsonl"
"""Real replies that may not be published: to measure accuracy, and speed."""

DIGITS = 6
"""Significant digits that are kept."""


class Machine(msgspec.Struct, frozen=True):
    """What it was measured on, as far as it bears on speed; nothing that names one machine."""

    processor: str
    cores: int
    system: str
    python: str
    spacy: str | None = None


class Model(msgspec.Struct, frozen=True):
    """The cues: name with version, rows, and the gold files that their points were fitted on."""

    name: str
    rows: int
    units: int
    fitted_on: dict[str, str]


class Figures(msgspec.Struct, frozen=True):
    """What a run found; parts that it did not measure are empty.

    Attributes:
        library: version of this library.
        commit: of its source checkout, ``-dirty`` when changed since.
        machine: where speed was measured.
        model: what was measured.
        speed: on each set of texts.
        growth: of the time with the length.
        start: what starting costs.
        speed_of: name and version of the model that the last three were measured with.
        accuracy: reports of `commitments.evaluate` by the name of the gold.
    """

    library: str
    commit: str | None
    machine: Machine
    model: Model
    speed: tuple[Texts, ...] = ()
    growth: tuple[Growth, ...] = ()
    start: Start | None = None
    speed_of: str | None = None
    accuracy: dict[str, evaluate.Report] = {}

    def to_json(self) -> str:
        """Indented JSON, floats rounded to `DIGITS` significant digits."""
        plain = rounded(msgspec.to_builtins(self))
        return msgspec.json.format(msgspec.json.encode(plain), indent=1).decode() + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Figures:
        """Read what `to_json` wrote.

        Raises:
            SchemaError: it is something else.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise SchemaError(f"no figures of a benchmark: {error}") from error


def provenance() -> Figures:
    """Figures of nothing yet: version, machine and model."""
    points = lexicon.table("points")
    rows = len(lexicon.table("cues")["cue"])
    model = Model(load("cues").name, rows, int(points["units"]), dict(points["fitted_on"]))
    return Figures(commitments.__version__, evaluate.source_commit(), this_machine(), model)


def shared() -> Path | None:
    """The folder of letters that may not be published, if it is there: COMMITMENTS_SHARED, or ../shared."""
    path = Path(os.environ.get("COMMITMENTS_SHARED") or ROOT.parent / "shared")
    return path if path.is_dir() else None


def texts(paths: Iterable[str | Path] = ()) -> dict[str, list[str]]:
    """The texts to measure speed on, by the name of their set.

    Args:
        paths: gold files; when there are none, the letters in ``seeds`` and the replies in `shared`.

    Raises:
        SchemaError: a file is missing or wrong.
    """
    found = {str(path): [d.text for d in corpus.load(path)] for path in paths}
    if found:
        return found
    letters = [d.text for side in corpus.SIDES for d in corpus.load(ROOT / f"seeds/letters/{side}.jsonl")]
    found = {"letters": [seed_letter(), *letters]}
    hidden = shared()
    if hidden and (hidden / HIDDEN_TEXTS).is_file():
        found["real replies"] = [d.text for d in corpus.load(hidden / HIDDEN_TEXTS)]
    return found


def seed_letter() -> str:
    """The real letter in ``seeds``.

    Raises:
        SchemaError: it is not there, as where only the library is installed.
    """
    path = ROOT / f"{SEED}.txt"
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SchemaError(f"{path}: cannot be read: {error.strerror}; run in a source checkout") from error


def measure(
    paths: Sequence[str | Path] = (), rounds: int = speed.ROUNDS, *, longest: int = growth.LONGEST
) -> Figures:
    """Measure speed, growth and start.

    Args:
        paths: as for `texts`.
        rounds: of `speed`, and half as many again of `start`.
        longest: characters of the shapes of `growth`; ordinary letters grow to five times as much.
    """
    seed = seed_letter()
    sets = texts(paths)
    begun = start.measure(seed, rounds + rounds // 2, 5 * longest)
    nlp = load("cues")
    fast = tuple(speed.measure(name, of_set, rounds) for name, of_set in sets.items())
    grown = (growth.repeated(seed, nlp, 5 * longest), *growth.adversarial(nlp, longest))
    return msgspec.structs.replace(provenance(), speed=fast, growth=grown, start=begun, speed_of=nlp.name)


def accuracy() -> dict[str, evaluate.Report]:
    """Reports on the gold in ``seeds`` and, when they are there, on the real replies in `shared`."""
    paths = {name: ROOT / path for name, path in OPEN_SETS.items()}
    hidden = shared()
    if hidden and (hidden / HIDDEN_SET).is_file():
        paths["real"] = hidden / HIDDEN_SET
    found = {}
    for name, path in paths.items():
        report = evaluate.run([path], "cues", baselines=("keywords", "majority"))
        # The commit stands in the whole; ids of letters are no figures.
        found[name] = msgspec.structs.replace(report, commit=None, no_links=())
    return found


def this_machine() -> Machine:
    """The machine that this runs on."""
    try:
        from importlib.metadata import version

        spacy: str | None = version("spacy")
    except ImportError:
        spacy = None
    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux, or a processor without a name
    return Machine(processor, os.cpu_count() or 1, platform.system(), platform.python_version(), spacy)


def rounded(value: Any) -> Any:
    """Plain data with its floats cut to `DIGITS`."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
