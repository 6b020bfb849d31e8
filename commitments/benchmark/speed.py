"""Characters a second: the whole pipeline, its stages, and simpler methods on the same texts in one process.

All methods take turns, so that a busy minute of the machine falls on all of them; only ratios from one run
should be compared. Time is processor time of this process, which runs on one core.
"""

from __future__ import annotations

import gc
import hashlib
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from commitments.attributes import attributes
from commitments.clean import clean
from commitments.draft import Draft
from commitments.link import link
from commitments.pipeline import Pipeline, _reply, load
from commitments.readers.source import Source
from commitments.segment import segment
from commitments.structure import structure
from commitments.tag.baselines import Keywords
from commitments.terms import Status

In = TypeVar("In")
Out = TypeVar("Out")

ROUNDS = 7

CUES = "cues"
KEYWORDS = "keywords"
REGEX = "regex loop"
SPACY = "spaCy sentencizer"

METHODS = {
    CUES: "the whole pipeline, from a page's text to a Reply",
    KEYWORDS: "the same with that baseline for a tagger",
    REGEX: "sentences split by a regular expression, three alternations searched in each; nothing else",
    SPACY: "blank `zh`; sentences only",
}

STAGES = ("locate", "clean", "segment", "structure", "tag", "link", "attributes", "reply")


class Spread(msgspec.Struct, frozen=True):
    """Median, least and greatest of the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value.

        >>> Spread.of([3, 1, 2])
        Spread(median=2, low=1, high=3)
        """
        return cls(statistics.median(values), min(values), max(values))


class Rate(msgspec.Struct, frozen=True):
    """How fast one method is.

    Attributes:
        per_second: characters a second.
        cues: how many times as fast as this the whole cues pipeline is, in the same round.
    """

    per_second: Spread
    cues: Spread


class Texts(msgspec.Struct, frozen=True):
    """The rates on one set of texts.

    Attributes:
        name: of the set.
        texts: how many.
        characters: in all.
        sha256: of the texts in their order, each ended by a zero.
        methods: by the names of `METHODS`.
        stages: of the cues pipeline, by the names of `STAGES`.
        skipped: methods that could not be measured, and why.
    """

    name: str
    texts: int
    characters: int
    sha256: str
    methods: dict[str, Rate]
    stages: dict[str, Rate]
    skipped: dict[str, str]


_SENTENCE = re.compile(r"[^。！？；\n]+[。！？；]?")


def regex_loop(text: str) -> list[tuple[str, Status]]:
    """What a researcher writes in ten minutes: no page, no offsets, no asks, no evidence.

    >>> [(sentence, status.value) for sentence, status in regex_loop("已建成公园。将再建2个。")]
    [('已建成公园。', 'completed'), ('将再建2个。', 'pledge')]
    """
    found = []
    for sentence in _SENTENCE.findall(text):
        for status, pattern in Keywords.words:
            if pattern.search(sentence):
                found.append((sentence, status))
                break
        else:
            found.append((sentence, Status.NONE))
    return found


def methods() -> tuple[dict[str, Callable[[str], object]], dict[str, str]]:
    """What is measured, by the names of `METHODS`; and what cannot be, with the reason."""
    found: dict[str, Callable[[str], object]] = {
        CUES: load("cues"),
        KEYWORDS: load("keywords"),
        REGEX: regex_loop,
    }
    try:
        import spacy
    except ImportError as error:
        return found, {SPACY: f"not installed ({error}); it comes with the extra `bench`"}
    nlp = spacy.blank("zh")
    nlp.add_pipe("sentencizer")
    found[SPACY] = lambda text: [sentence.text for sentence in nlp(text).sents]
    return found, {}


def measure(name: str, texts: Iterable[str], rounds: int = ROUNDS) -> Texts:
    """Measure all methods and stages on texts.

    Args:
        name: of the set, for the report.
        texts: at least one.
        rounds: in each, every method reads all texts once.

    Raises:
        ValueError: there is no text or no round.
    """
    texts = list(texts)
    size = sum(map(len, texts))
    if not size or rounds < 1:
        raise ValueError("a benchmark needs at least one character and one round")
    callables, skipped = methods()
    pipeline = load("cues")
    for run in callables.values():  # what is made at first use is not counted
        run(texts[0])
    seconds: dict[str, list[float]] = {method: [] for method in callables}
    stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
    order = list(callables)
    for number in range(rounds):
        first = number % len(order)
        for method in order[first:] + order[:first]:
            seconds[method].append(_timed(callables[method], texts)[0])
        for stage, spent in stage_seconds(pipeline, texts).items():
            stages[stage].append(spent)
    whole = seconds[CUES]
    return Texts(
        name,
        len(texts),
        size,
        digest(texts),
        {method: _rate(size, spent, whole) for method, spent in seconds.items()},
        {stage: _rate(size, spent, whole) for stage, spent in stages.items()},
        skipped,
    )


def stage_seconds(pipeline: Pipeline, texts: Sequence[str]) -> Mapping[str, float]:
    """Seconds that each stage needs for all texts, one stage after another."""
    config = pipeline.config
    spent: dict[str, float] = {}
    spent["locate"], sources = _timed(Source.from_text, texts)
    spent["clean"], cleaned = _timed(lambda s: clean(s.text, s.regions, config.clean), sources)
    spent["segment"], units = _timed(lambda c: segment(c.match, c.regions, config.segment), cleaned)
    drafts = [
        Draft(text=c.match, regions=c.regions, suggestion=s.suggestion, units=u)
        for s, c, u in zip(sources, cleaned, units, strict=True)
    ]
    spent["structure"], drafts = _timed(lambda draft: structure(draft, config.structure), drafts)
    spent["tag"], decisions = _timed(pipeline.tagger.tag, drafts)
    pairs = zip(drafts, decisions, strict=True)
    drafts = [msgspec.structs.replace(draft, decisions=decided) for draft, decided in pairs]
    spent["link"], drafts = _timed(lambda draft: link(draft, config.link), drafts)
    spent["attributes"], drafts = _timed(lambda draft: attributes(draft, config.attributes), drafts)
    parts = list(zip(sources, cleaned, drafts, strict=True))
    spent["reply"], _ = _timed(lambda part: _reply(*part, pipeline.name), parts)
    return spent


def digest(texts: Iterable[str]) -> str:
    """One hash of texts in their order."""
    found = hashlib.sha256()
    for text in texts:
        found.update(text.encode() + b"\0")
    return found.hexdigest()


def _timed(run: Callable[[In], Out], items: Sequence[In]) -> tuple[float, list[Out]]:
    gc.collect()
    began = time.process_time()
    results = [run(item) for item in items]
    return time.process_time() - began, results


def _rate(size: int, spent: Sequence[float], whole: Sequence[float]) -> Rate:
    spent = [max(seconds, 1e-9) for seconds in spent]  # a coarse clock may see no time pass
    ratios = [own / cues for own, cues in zip(spent, (max(w, 1e-9) for w in whole), strict=True)]
    return Rate(Spread.of([size / seconds for seconds in spent]), Spread.of(ratios))
