"""What the library returns: a Reply with its sentences, asks and sections.

Everything here is frozen data. Offsets are half-open, in characters of the text that the caller gave, and
``reply.text[x.start:x.end] == x.text`` holds for everything that has them. How these are found is not here;
how they leave Python (dict, JSON, table, HTML) is in `export` and `view`, called from the methods below.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from commitments.terms import (
    ActorRole,
    AskOrigin,
    DeadlineKind,
    Disposition,
    Grain,
    How,
    Kind,
    QuantityRole,
    Role,
    Status,
    Strength,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from commitments.score import Scores


class Span(msgspec.Struct, frozen=True):
    """A stretch of the reply's text: ``text[start:end] == span.text``."""

    start: int
    end: int
    text: str


class CharSpan(NamedTuple):
    """Where words stand: ``reply.text[start:end]``. Unpacks like a pair."""

    start: int
    end: int


class Deadline(msgspec.Struct, frozen=True):
    """A time by which, from which or over which a measure is due (期限).

    Attributes:
        text: the words, ``reply.text[span.start:span.end]``.
        span: where they stand in the reply's text.
        kind: how it bounds: by its end, from its start, …
        grain: the unit of the calendar that it names.
        start: first day of the interval; ``None`` where it is open or not known.
        end: last day of the interval, itself included; ``None`` where it is open or not known.
        note: why the interval is not known, where a reader would ask.
    """

    text: str
    span: CharSpan
    kind: DeadlineKind
    grain: Grain
    start: datetime.date | None = None
    end: datetime.date | None = None
    note: str = ""


class Condition(msgspec.Struct, frozen=True):
    """What must come first (条件): 待资金落实后, 条件成熟时. It names no date, and none is made up.

    Attributes:
        text: the words.
        span: where they stand in the reply's text.
    """

    text: str
    span: CharSpan


class Quantity(msgspec.Struct, frozen=True):
    """How much or how many (数量).

    Attributes:
        text: number, unit and comparator as written: 近3.4亿元.
        span: where they stand in the reply's text.
        value: in base units (万 and 亿 multiplied out: 340000000 for 3.4亿元); ``None`` for a range, and
            where it cannot be told.
        unit: as written, without 万 and 亿: 元, 个, 公里; ``%`` of all ways to write a percentage.
        low: the lower end of a range.
        high: the upper end of a range.
        comparator: the word that bounds it (近, 超过, 不少于, 以上) or tells its movement (增长, 降至).
        role: what it is in its measure.
        note: why there is no value, where a reader would ask.
    """

    text: str
    span: CharSpan
    value: float | None = None
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    comparator: str | None = None
    role: QuantityRole = QuantityRole.OTHER
    note: str = ""


class Actor(msgspec.Struct, frozen=True):
    """A body that acts in a measure (主体).

    Attributes:
        text: its name as written.
        span: where it stands in the reply's text; ``None`` of the replying body where its name is not in it.
        role: what it does.
        implied: whether the sentence names no body, and this is the one that replies.
    """

    text: str
    span: CharSpan | None
    role: ActorRole = ActorRole.ACT
    implied: bool = False


class Action(msgspec.Struct, frozen=True):
    """The head verb of a measure and its object (动作): 新增 + 停车位. For grouping like measures.

    Attributes:
        text: both, put together without what stands between them: 新增停车位.
        span: from the verb's first character to the object's last in the reply's text.
        verb: the verb.
        object: the head of its object; empty where there is none.
    """

    text: str
    span: CharSpan
    verb: str
    object: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """Why a sentence has its status.

    Attributes:
        rule: id of the rule, such as ``P001``; ids are never reused.
        how: whether the words stand in the sentence itself, or where it inherits from.
        status: the status that the words speak for.
        points: how strongly, in the tagger's own unit; of cues, by how much the rule lifts the status above
            the mean of the others.
        start: where the words stand in the reply's text; ``None`` when no words do (a default, or the role).
        end: where they end.
        text: the words.
    """

    rule: str
    how: How
    status: Status
    points: float = 0.0
    start: int | None = None
    end: int | None = None
    text: str = ""


class Ask(msgspec.Struct, frozen=True):
    """One thing that the suggestion asks for (诉求).

    Attributes:
        id: ``S1``, ``S2`` … in the order given or found.
        text: the ask's words.
        origin: where it comes from.
        spans: where the reply states it; ``None`` when the caller gave it.
        disposition: what becomes of it; ``None`` where there is no letter to tell.
        reason: of the disposition, in words: the measures counted.
    """

    id: str
    text: str
    origin: AskOrigin = AskOrigin.GIVEN
    spans: tuple[Span, ...] | None = None
    disposition: Disposition | None = None
    reason: str = ""


class ResultCode(msgspec.Struct, frozen=True):
    """The body's own mark for the result of the whole matter (办理结果).

    Attributes:
        code: as written, such as ``A`` or ``解决采纳``.
        meaning: what it means there, in Chinese; ``None`` when that is not known: A is not the same
            everywhere.
        disposition: the term that the meaning comes nearest to.
        source: where the meaning is laid down; ``None`` of words that say what they mean.
    """

    code: str
    meaning: str | None = None
    disposition: Disposition | None = None
    source: str | None = None


class Section(msgspec.Struct, frozen=True):
    """A heading and what stands under it.

    Attributes:
        index: its place in ``reply.sections``.
        title: the heading as written, without its ordinal.
        level: 1 for the outermost.
        start: where its heading begins.
        end: where the last sentence under it ends, sections inside it included.
        parent: index of the section around it, or ``None``.
        asks: ids of the asks that its heading names.
    """

    index: int
    title: str
    level: int
    start: int
    end: int
    parent: int | None = None
    asks: tuple[str, ...] = ()


class Link(msgspec.Struct, frozen=True):
    """Which asks a measure answers.

    Attributes:
        asks: ids; ``("*",)`` is all of them; empty when it answers none or the linker abstains.
        by: the rule that decided, such as ``section`` or ``content``.
        reason: in words, also for an abstention.
        score: between 0 and 1.
    """

    asks: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""
    score: float = 0.0


class Sentence(msgspec.Struct, frozen=True):
    """One sentence of the reply: the unit that has a status.

    Attributes:
        start: offset of its first character in ``reply.text``.
        end: offset after its last character.
        text: ``reply.text[start:end]``, hard line breaks included.
        status: what the responding side says of its act.
        also: further statuses of a mixed sentence.
        confidence: of the status, between 0 and 1. Of a trained model it is calibrated: of the sentences with
            0.9, nine in ten are right on letters like those that it was calibrated on. Of ``cues`` it is not.
        evidence: why, strongest first.
        by: what decided: model name and version.
        link: which asks it answers, with the reason.
        section: index into ``reply.sections``; ``None`` before the first heading.
        role: what it is in the letter.
        clean: its text with hard wraps and stray spaces mended.
        undecided: whether the confidence is below what was asked for (``load(abstain=…)``); ``status`` is
            then only the likeliest, and the sentence is not among ``reply.measures``.
        deadlines: of a measure, the times by which it is due, in order (期限).
        conditions: what must come first (条件).
        quantities: how much or how many (数量).
        actors: the bodies that it names as doing something, in order (主体).
        actor: the main one; the body that replies where none is named, ``None`` where that is not known.
        strength: of a pledge, firm or soft (承诺力度).
        strength_cue: the words that made it so.
        action: its head verb and object (动作).
    """

    start: int
    end: int
    text: str
    status: Status = Status.NONE
    also: tuple[Status, ...] = ()
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    by: str = ""
    link: Link = Link()
    section: int | None = None
    role: Role = Role.BODY
    clean: str = ""
    undecided: bool = False
    deadlines: tuple[Deadline, ...] = ()
    conditions: tuple[Condition, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    actors: tuple[Actor, ...] = ()
    actor: Actor | None = None
    strength: Strength | None = None
    strength_cue: Span | None = None
    action: Action | None = None

    @property
    def deadline(self) -> Deadline | None:
        """The main deadline: the last with a date, else the first; ``None`` where there is none.

        A mixed sentence is about its last act, and so is its main deadline.
        """
        dated = [d for d in self.deadlines if d.end or d.start]
        return dated[-1] if dated else next(iter(self.deadlines), None)

    @property
    def asks(self) -> tuple[str, ...]:
        """Ids of the asks that the sentence answers; ``("*",)`` is all of them."""
        return self.link.asks


class Reply(msgspec.Struct, frozen=True):
    r"""A reply letter, read (答复).

    >>> import commitments
    >>> reply = commitments.load()("现答复如下：\n我局已建成公园3个。下一步，我局将再建2个。")
    >>> [(s.status.value, s.text) for s in reply.measures]
    [('completed', '我局已建成公园3个。'), ('pledge', '下一步，我局将再建2个。')]

    Attributes:
        text: the text that the caller gave, unchanged.
        sentences: in order; they do not overlap, and only white space and page separators lie between them.
        asks: what the suggestion asks for, given or found.
        sections: headings, in order.
        name: the file or row that it came from.
        kind: what it answers: suggestion (建议), proposal (提案), message (留言) or, of a report, report.
        agency: the body that replies.
        date: the date of the reply.
        recipient: who is addressed.
        title: of the letter.
        doc_number: 发文字号, as written.
        result_code: 办理结果 as written (``A``, ``解决采纳`` …): its meaning differs by place.
        result: the same with its meaning there, where that is known.
        publicity: 公开属性, as written.
        fields: where the fields above were found.
        steps: what cleaning did.
        warnings: what a reader should know, such as a doubtful structure.
        model: name and version of the tagger.
    """

    text: str
    sentences: tuple[Sentence, ...] = ()
    asks: tuple[Ask, ...] = ()
    sections: tuple[Section, ...] = ()
    name: str | None = None
    kind: Kind | None = None
    agency: str | None = None
    date: datetime.date | None = None
    recipient: str | None = None
    title: str | None = None
    doc_number: str | None = None
    result_code: str | None = None
    result: ResultCode | None = None
    publicity: str | None = None
    fields: dict[str, Span] = {}
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    model: str = ""

    @property
    def measures(self) -> tuple[Sentence, ...]:
        """Sentences whose status is not none (举措), those left undecided not included."""
        return tuple(s for s in self.sentences if s.status is not Status.NONE and not s.undecided)

    @property
    def completed(self) -> tuple[Sentence, ...]:
        """Sentences that tell what was done (已完成举措)."""
        return self._of(Status.COMPLETED)

    @property
    def ongoing(self) -> tuple[Sentence, ...]:
        """Sentences that tell what is being done (持续推进举措)."""
        return self._of(Status.ONGOING)

    @property
    def pledges(self) -> tuple[Sentence, ...]:
        """Sentences that promise (未来承诺)."""
        return self._of(Status.PLEDGE)

    @property
    def undecided(self) -> tuple[Sentence, ...]:
        """Sentences left undecided (存疑), where ``load(abstain=…)`` asked for that."""
        return tuple(s for s in self.sentences if s.undecided)

    def _of(self, status: Status) -> tuple[Sentence, ...]:
        return tuple(s for s in self.sentences if s.status is status and not s.undecided)

    @property
    def scores(self) -> Scores:
        """Coverage, shares, specificity, concreteness and boilerplate; see `commitments.score` (评分)."""
        from commitments import score

        return score.scores(self)

    def answers(self, ask: str) -> tuple[Sentence, ...]:
        """Measures that answer one ask, those that answer all of them included.

        Args:
            ask: its id, such as ``"S1"``.

        Raises:
            KeyError: there is no such ask.
        """
        if ask not in {a.id for a in self.asks}:
            raise KeyError(f"no ask {ask!r}: this reply has {', '.join(a.id for a in self.asks) or 'none'}")
        return tuple(s for s in self.measures if ask in s.asks or "*" in s.asks)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python objects, as `from_dict` takes them back."""
        from commitments import export

        return export.to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Reply:
        """The Reply that `to_dict` described.

        Raises:
            SchemaError: a field is missing or wrong, or a span does not fit the text.
        """
        from commitments import export

        return export.from_dict(data)

    def to_json(self, *, indent: int | None = None) -> str:
        """The same as JSON text; Chinese characters stay readable."""
        from commitments import export

        return export.to_json(self, indent=indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Reply:
        """The Reply that `to_json` wrote.

        Raises:
            SchemaError: it is no JSON, or not that of a Reply.
        """
        from commitments import export

        return export.from_json(text)

    def to_frame(self, *, level: Literal["sentence", "measure", "reply"] = "sentence") -> pd.DataFrame:
        """One row a sentence, or one row a measure, as a pandas DataFrame (extra ``pandas``).

        Args:
            level: ``"sentence"``, ``"measure"`` or ``"reply"``.
        """
        from commitments import table

        return table.to_frame(self, level=level)

    def to_arrow(self, *, level: Literal["sentence", "measure", "reply"] = "sentence") -> pa.Table:
        """The same as an Arrow table (extra ``arrow``).

        Args:
            level: ``"sentence"``, ``"measure"`` or ``"reply"``.
        """
        from commitments import table

        return table.to_arrow(self, level=level)

    def to_html(self, *, lang: Literal["en", "zh"] = "en") -> str:
        """A self-contained page that shows the letter marked up.

        Args:
            lang: of the page's labels, ``"en"`` or ``"zh"`` (中文).

        Raises:
            ValueError: there are no labels in that language.
        """
        from commitments import view

        return view.to_html(self, lang=lang)

    def _repr_html_(self) -> str:
        from commitments import view

        return view.fragment(self)
