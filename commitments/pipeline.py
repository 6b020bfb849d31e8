"""Where the stages meet: `load` a Pipeline, call it on a text, get a Reply.

Each stage is in its own module and knows nothing of the others; this one orders them, and maps the offsets
of the cleaned text back to the caller's once, when the Reply is made. The command line and every adapter call
a Pipeline and have no logic of their own.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from commitments import __version__, models
from commitments.attributes import NOTHING, AttributesConfig, attributes
from commitments.clean import CleanConfig, Cleaned, clean
from commitments.draft import Attributes, Decision, Draft, Header
from commitments.errors import ModelError, SchemaError
from commitments.explanation import Explanation, Summand
from commitments.link import LinkConfig, link
from commitments.readers.source import Source
from commitments.reply import (
    Actor,
    Ask,
    CharSpan,
    Condition,
    Deadline,
    Evidence,
    Quantity,
    Reply,
    Section,
    Sentence,
    Span,
)
from commitments.segment import SegmentConfig, segment
from commitments.structure import StructureConfig, structure
from commitments.structure.header import parse_date
from commitments.tag import READ_ROLES, OccludingTagger, ScoringTagger, Tagger
from commitments.tag.baselines import Keywords, Majority
from commitments.tag.cues import Cues, CuesConfig

Suggestion = str | Sequence[str] | None
"""A suggestion as one text, or its asks one by one."""


class PipelineConfig(msgspec.Struct, frozen=True):
    """The configuration of every stage; each stage's own class holds its defaults.

    Attributes:
        clean: of the cleaning.
        segment: of the cutting into sentences.
        structure: of finding the letter's parts.
        cues: of the rules.
        link: of the links.
        attributes: of deadlines, quantities, actors and what else is read off a measure.
        abstain: confidence below which a sentence is left undecided; 0 decides all.
    """

    clean: CleanConfig = CleanConfig()
    segment: SegmentConfig = SegmentConfig()
    structure: StructureConfig = StructureConfig()
    cues: CuesConfig = CuesConfig()
    link: LinkConfig = LinkConfig()
    attributes: AttributesConfig = AttributesConfig()
    abstain: float = 0.0


class Pipeline:
    """Reads reply letters (答复).

    Args:
        tagger: gives each sentence its status.
        config: of the other stages.

    >>> import commitments
    >>> nlp = commitments.load()
    >>> reply = nlp("我局已建成公园3个。下一步，我局将再建2个。", suggestion=["多建公园"], date="2023-06-12")
    >>> [(s.status.value, s.asks) for s in reply.sentences]
    [('completed', ('S1',)), ('pledge', ('S1',))]
    """

    def __init__(self, tagger: Tagger, config: PipelineConfig = PipelineConfig()) -> None:  # noqa: B008
        self.tagger = tagger
        self.config = config
        self._origin: tuple[str, PipelineConfig, int] | None = None

    def __repr__(self) -> str:
        return f"Pipeline({self.name!r})"

    @property
    def name(self) -> str:
        """Name and version of the tagger, as each Reply's ``model`` says."""
        return f"{self.tagger.name}-{self.tagger.version}"

    def __call__(
        self,
        text: str | Source,
        *,
        suggestion: Suggestion = None,
        date: str | datetime.date | None = None,
    ) -> Reply:
        """Read one letter.

        Args:
            text: the letter, or the page that holds it; or a Source from `commitments.read`.
            suggestion: what the letter answers: one text, which is split into its asks, or the asks one by
                one. When not given, it is taken from the page, or the asks are found in the letter.
            date: of the letter, as ``2023-06-12`` or a date. When not given, the letter's own is used.

        Raises:
            SchemaError: an argument is of another type, or the date is none.
        """
        source = _source(text)
        cleaned, draft = self._draft(source, suggestion, date)
        return self._finish(source, cleaned, draft)

    def explain(
        self,
        text: str | Source,
        sentence: int,
        *,
        suggestion: Suggestion = None,
        date: str | datetime.date | None = None,
    ) -> Explanation:
        """Read one letter, and tell everything that counted for the status of one of its sentences.

        Args:
            text: as for the pipeline itself.
            sentence: its number, from 1.
            suggestion: as for the pipeline itself.
            date: as for the pipeline itself.

        Raises:
            SchemaError: as for the pipeline itself, or there is no such sentence.

        >>> import commitments
        >>> told = commitments.load("cues").explain("我局已建成公园3个。", 1)
        >>> told.scorecard.totals[told.sentence.status] == max(told.scorecard.totals.values())
        True
        """
        source = _source(text)
        cleaned, draft = self._draft(source, suggestion, date)
        reply = self._finish(source, cleaned, draft)
        if not isinstance(sentence, int) or not 1 <= sentence <= len(reply.sentences):
            raise SchemaError(
                f"there is no sentence {sentence!r}: the letter has {len(reply.sentences)} sentences"
            )
        card = None
        if isinstance(self.tagger, ScoringTagger):
            card = self.tagger.scorecards(draft)[sentence - 1]
        if card is not None:
            rows = tuple(_in_source(source, cleaned, row) for row in card.summands)
            card = msgspec.structs.replace(card, summands=rows)
        moved: tuple[Evidence, ...] = ()
        if isinstance(self.tagger, OccludingTagger):
            moved = tuple(_in_source(source, cleaned, e) for e in self.tagger.occlude(draft, sentence - 1))
        return Explanation(reply, sentence, card, moved)

    def decided(
        self,
        text: str | Source,
        decide: Callable[[int, int], Decision],
        *,
        suggestion: Suggestion = None,
        date: str | datetime.date | None = None,
    ) -> Reply:
        """Read one letter whose statuses come from elsewhere, such as from people.

        Args:
            text: as for the pipeline itself.
            decide: is given the offsets of a sentence in `text`, and gives what is to be said of it.
            suggestion: as for the pipeline itself.
            date: as for the pipeline itself.

        Raises:
            SchemaError: as for the pipeline itself.

        >>> import commitments
        >>> from commitments.draft import Decision
        >>> pledge = lambda start, end: Decision(commitments.Status.PLEDGE)
        >>> reply = commitments.load("cues").decided("年底前建成公园3个。", pledge, date="2023-06-12")
        >>> reply.pledges[0].deadline.end
        datetime.date(2023, 12, 31)
        """
        source = _source(text)
        cleaned, draft = self._draft(source, suggestion, date)
        decisions = tuple(decide(*cleaned.offsets.to_source(u.start, u.end)) for u in draft.units)
        return self._assembled(source, cleaned, draft, decisions, "given")

    def _finish(self, source: Source, cleaned: Cleaned, draft: Draft) -> Reply:
        decisions = self.tagger.tag(draft)
        if self.config.abstain:
            decisions = tuple(
                msgspec.structs.replace(decision, undecided=True)
                if unit.role in READ_ROLES and decision.confidence < self.config.abstain
                else decision
                for unit, decision in zip(draft.units, decisions, strict=True)
            )
        return self._assembled(source, cleaned, draft, decisions, self.name)

    def _assembled(
        self, source: Source, cleaned: Cleaned, draft: Draft, decisions: tuple[Decision, ...], by: str
    ) -> Reply:
        """What follows from the statuses, and the Reply."""
        draft = msgspec.structs.replace(draft, decisions=decisions)
        draft = link(draft, self.config.link)
        draft = attributes(draft, self.config.attributes)
        return _reply(source, cleaned, draft, by)

    def pipe(
        self,
        texts: Iterable[str | Source],
        *,
        suggestions: Iterable[Suggestion] | None = None,
        dates: Iterable[str | datetime.date | None] | None = None,
    ) -> Iterator[Reply]:
        """Read many letters, one after another as they come; the same results as one by one.

        Args:
            texts: letters.
            suggestions: one for each letter.
            dates: one for each letter.

        Raises:
            SchemaError: as for one letter, or there are not as many suggestions or dates as letters.

        >>> import commitments
        >>> nlp = commitments.load()
        >>> [len(reply.pledges) for reply in nlp.pipe(["将建公园。", "已建成公园。"])]
        [1, 0]
        """
        if isinstance(texts, str | Source) or not isinstance(texts, Iterable):
            raise SchemaError("pipe() takes many letters; call the pipeline itself on one")
        beside: dict[str, Iterable[Any] | None] = {"suggestions": suggestions, "dates": dates}
        rows = {what: iter(values) for what, values in beside.items() if values is not None}
        for text in texts:
            given = {what: next(values, _MISSING) for what, values in rows.items()}
            for what, value in given.items():  # no letter may be dropped in silence
                if value is _MISSING:
                    raise SchemaError(f"there are fewer {what} than letters")
            yield self(text, suggestion=given.get("suggestions"), date=given.get("dates"))
        for what, values in rows.items():
            if next(values, _MISSING) is not _MISSING:
                raise SchemaError(f"there are more {what} than letters")

    def annotate(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Read a batch of letters, as ``dataset.map(nlp.annotate, batched=True, num_proc=2)`` gives it.

        Args:
            batch: columns; one of them holds the letters (``text``, ``reply``, ``答复内容`` …).

        Returns:
            Columns of the same length: ``sentences``, for each letter a list of rows with the columns of
            `commitments.table.SENTENCE_COLUMNS`, and ``error``, which says why a letter could not be read.
            So that every batch has the same types, lists are joined by ``; ``, dates written out, and what
            is not known is an empty text or not a number.

        Raises:
            MissingExtra: pyarrow is not installed.
            SchemaError: there is no column with the letters.

        >>> import commitments
        >>> told = commitments.load("cues").annotate({"text": ["将建公园。", ""]})
        >>> [[s["status"] for s in letter] for letter in told["sentences"]], told["error"]
        ([['pledge'], []], ['', "holds no text: its 'text' is empty"])
        """
        from commitments.batch.annotate import nested

        return nested(batch, self)

    def __reduce__(self) -> tuple[Any, ...]:
        """As what it was loaded from: weights do not travel, and equal pipelines hash alike.

        The library's version is part of it, since what a release reads off a sentence is not the tagger's.
        """
        if self._origin is None:
            return super().__reduce__()  # type: ignore[return-value]
        return _loaded_again, (*self._origin, self.tagger.version, __version__)

    def draft(
        self,
        text: str | Source,
        *,
        suggestion: Suggestion = None,
        date: str | datetime.date | None = None,
    ) -> tuple[Cleaned, Draft]:
        """Everything before the tagger: the cleaned text, and the draft with units, sections and asks.

        For those who write or train a tagger.
        """
        return self._draft(_source(text), suggestion, date)

    def _draft(
        self, source: Source, suggestion: Suggestion, date: str | datetime.date | None
    ) -> tuple[Cleaned, Draft]:
        given = _suggestion(source.suggestion if suggestion is None else suggestion)
        cleaned = clean(source.text, source.regions, self.config.clean)
        draft = Draft(
            text=cleaned.match,
            regions=cleaned.regions,
            suggestion=given,
            date=_date(date),
            units=segment(cleaned.match, cleaned.regions, self.config.segment),
        )
        draft = structure(draft, self.config.structure)
        return cleaned, msgspec.structs.replace(draft, header=_completed(draft.header, source))


def load(
    name: str | Path = models.DEFAULT,
    config: PipelineConfig | None = None,
    *,
    abstain: float | None = None,
    threads: int = 0,
) -> Pipeline:
    """A pipeline, ready to read letters.

    Args:
        name: a model that comes with the library (``commitments models`` lists them), the path of a model
            folder, ``cues`` (rules), or a baseline that any method must beat: ``keywords`` or ``majority``.
        config: of the stages; the defaults when not given.
        abstain: confidence below which a sentence is left undecided, such as 0.6; the config's when not
            given.
        threads: of a trained model; 0 is one a core. The result does not depend on it.

    Raises:
        ModelError: there is no such model, or a file of it is missing or changed.
        SchemaError: `abstain` is no share.

    >>> load("cues").tagger.name
    'cues'
    >>> len(load(abstain=1.0)("我局已建成公园3个。").measures), len(load()("我局已建成公园3个。").measures)
    (0, 1)
    """
    config = config or PipelineConfig()
    if abstain is not None:
        if not 0 <= abstain <= 1:
            raise SchemaError(f"abstain={abstain!r} is no share; give a confidence between 0 and 1")
        config = msgspec.structs.replace(config, abstain=abstain)
    if isinstance(name, str) and name in _TAGGERS:
        return _from(name, config, threads, _TAGGERS[name](config))
    if not isinstance(name, str | Path) or not str(name):
        raise ModelError(f"no model {name!r}; give the name of one, or the path of its folder")
    found = models.find(name)
    known = name if found.path == models.available().get(str(name)) else found.path.absolute()
    return _from(str(known), config, threads, _trained(found, config, threads))


def _from(origin: str, config: PipelineConfig, threads: int, tagger: Tagger) -> Pipeline:
    pipeline = Pipeline(tagger, config)
    pipeline._origin = origin, config, threads
    return pipeline


def _loaded_again(
    name: str, config: PipelineConfig, threads: int, version: str, library: str = __version__
) -> Pipeline:
    """A pipeline that has travelled to another process."""
    if library != __version__:
        raise ModelError(f"{name}: comes from commitments {library}; here is {__version__}")
    pipeline = load(name, config, threads=threads)
    if pipeline.tagger.version != version:
        raise ModelError(f"{name}: is version {pipeline.tagger.version} here, not {version}")
    return pipeline


def _trained(folder: models.Folder, config: PipelineConfig, threads: int) -> Tagger:
    """The tagger that reads a model folder."""
    if folder.manifest.kind == "encoder":
        from commitments.tag.encoder import Encoder

        return Encoder(folder, cues=_cues(config.cues), threads=threads)
    if folder.manifest.kind == "cascade":
        from commitments.tag.cascade import Cascade

        return Cascade.load(folder, cues=_cues(config.cues), threads=threads)
    raise ModelError(
        f"{folder.path}: is of kind {folder.manifest.kind!r}, which this version of the library does not know"
    )


@lru_cache(maxsize=8)
def _cues(config: CuesConfig) -> Cues:
    return Cues(config)


_TAGGERS: dict[str, Callable[[PipelineConfig], Tagger]] = {
    "cues": lambda config: _cues(config.cues),
    "keywords": lambda _: Keywords(),
    "majority": lambda _: Majority(),
}
RULES = tuple(_TAGGERS)
"""Names of the taggers that need no model folder."""


def _source(text: str | Source) -> Source:
    if not isinstance(text, str | Source):
        raise SchemaError(
            f"expected one text or a Source, not {type(text).__name__}; use pipe() for many letters"
        )
    try:
        (text if isinstance(text, str) else text.text).encode()
    except UnicodeEncodeError as error:
        raise SchemaError(
            f"character {error.start} of the text is half a character; decode with errors='replace'"
        ) from error
    return Source.from_text(text) if isinstance(text, str) else text


def _completed(header: Header, source: Source) -> Header:
    """The header, and what it leaves open as the page or the row around the letter tells it."""
    if source.format in {"docx", "pdf"}:  # what these say of themselves is their template's
        return header
    told = {name: source.metadata.get(name) for name in ("agency", "title", "doc_number", "result_code")}
    known = {name: value for name, value in told.items() if value and getattr(header, name) is None}
    date = header.date or parse_date(source.metadata.get("date", ""))
    return msgspec.structs.replace(header, date=date, **known)


def _suggestion(given: Suggestion) -> str | tuple[str, ...] | None:
    if given is None or isinstance(given, str):
        return given or None
    if not isinstance(given, Iterable) or isinstance(given, bytes | bytearray | Mapping | Set):
        raise SchemaError(f"a suggestion is a text or a list of asks, not {type(given).__name__}")
    asks = tuple(given)
    if wrong := [ask for ask in asks if not isinstance(ask, str)]:
        raise SchemaError(
            f"a suggestion is a text or a list of asks, not a list with {type(wrong[0]).__name__}"
        )
    return asks


def _date(given: str | datetime.date | None) -> datetime.date | None:
    if isinstance(given, datetime.datetime):
        return given.date()
    if given is None or isinstance(given, datetime.date):
        return given
    try:
        return datetime.date.fromisoformat(given)
    except (TypeError, ValueError):
        raise SchemaError(f"date {given!r} is no date; write it as 2023-06-12") from None


_Told = TypeVar("_Told", Evidence, Summand)
_Placed = TypeVar("_Placed", Deadline, Condition, Quantity, Actor)


def _in_source(source: Source, cleaned: Cleaned, item: _Told) -> _Told:
    """The same, with offsets and words of the caller's text."""
    if item.start is None or item.end is None:
        return item
    start, end = cleaned.offsets.to_source(item.start, item.end)
    return msgspec.structs.replace(item, start=start, end=end, text=source.text[start:end])


def _reply(source: Source, cleaned: Cleaned, draft: Draft, model: str) -> Reply:
    """The draft as the caller sees it: offsets and words of their own text."""

    def span(start: int, end: int) -> Span:
        start, end = cleaned.offsets.to_source(start, end)
        return Span(start, end, source.text[start:end])

    def words(value: str | None, where: Span | None) -> str | None:
        """A value that the draft has folded for matching, as written."""
        if where is None or value != where.text:
            return value
        return cleaned.text[where.start : where.end]

    def ask(item: Ask) -> Ask:
        if not item.spans:
            return item
        text = words(item.text, item.spans[0]) or item.text
        return msgspec.structs.replace(item, text=text, spans=tuple(span(s.start, s.end) for s in item.spans))

    def chars(where: CharSpan) -> CharSpan:
        return CharSpan(*cleaned.offsets.to_source(where.start, where.end))

    def placed(item: _Placed) -> _Placed:
        """An attribute, with offsets and words of the caller's text."""
        if item.span is None:
            return item
        where = chars(item.span)
        return msgspec.structs.replace(item, span=where, text=source.text[where.start : where.end])

    def told_of(item: Attributes) -> dict[str, Any]:
        cue, done = item.strength_cue, item.action
        return {
            "deadlines": tuple(map(placed, item.deadlines)),
            "conditions": tuple(map(placed, item.conditions)),
            "quantities": tuple(map(placed, item.quantities)),
            "actors": tuple(map(placed, item.actors)),
            "actor": item.actor and placed(item.actor),
            "strength": item.strength,
            "strength_cue": cue and span(cue.start, cue.end),
            "action": done and msgspec.structs.replace(done, span=chars(done.span)),
        }

    def section(item: Section) -> Section:
        at = draft.text.find(item.title, item.start, item.end)
        title = cleaned.text[at : at + len(item.title)] if at >= 0 else item.title
        where = span(item.start, item.end)
        return msgspec.structs.replace(item, title=title, start=where.start, end=where.end)

    untouched = cleaned.match == source.text  # most texts need no repair, so that nothing is to be mapped
    sentences = []
    for unit, decision, answer, found in zip(
        draft.units, draft.decisions, draft.links, draft.attributes, strict=True
    ):
        where = span(unit.start, unit.end)
        sentences.append(
            Sentence(
                start=where.start,
                end=where.end,
                text=where.text,
                status=decision.status,
                also=decision.also,
                confidence=decision.confidence,
                undecided=decision.undecided,
                evidence=decision.evidence
                if untouched
                else tuple(_in_source(source, cleaned, item) for item in decision.evidence),
                by=model,
                link=answer,
                section=unit.section,
                role=unit.role,
                clean=cleaned.text[unit.start : unit.end],
                **(told_of(found) if found is not NOTHING else {}),
            )
        )
    header: Header = draft.header
    told = {name: words(getattr(header, name), header.spans.get(name)) for name in _WORDS}
    return Reply(
        text=source.text,
        sentences=tuple(sentences),
        asks=tuple(ask(item) for item in draft.asks),
        sections=tuple(section(item) for item in draft.sections),
        name=source.name,
        kind=header.kind,
        date=draft.date or header.date,
        fields={name: span(where.start, where.end) for name, where in header.spans.items()},
        steps=(*source.repairs, *(step.name for step in cleaned.steps)),
        warnings=draft.warnings,
        model=model,
        result=draft.result,
        **told,
    )


_MISSING: Any = object()
_WORDS = ("agency", "recipient", "title", "doc_number", "result_code", "publicity")
