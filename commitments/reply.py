"""What the library returns: a Reply with its sentences, asks and sections.

Everything here is frozen data. Offsets are half-open, in characters of the text that the caller gave, and
``reply.text[x.start:x.end] == x.text`` holds for everything that has them. How these are found is not here;
how they leave Python (dict, JSON, table, HTML) is in `export` and `view`, called from the methods below.
"""

from __future__ import annotations

import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    import pandas as pd


class _Term(str, Enum):
    """A string enum whose members carry their Chinese term."""

    zh: str

    def __new__(cls, value: str, zh: str) -> _Term:
        """Make a member that is the English string and remembers the Chinese one."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh = zh
        return member

    def __str__(self) -> str:
        return str(self.value)


class Status(_Term):
    """What the responding side says of the act that a sentence is about (举措状态).

    >>> Status.PLEDGE == "pledge", Status.PLEDGE.zh
    (True, '未来承诺')
    """

    COMPLETED = "completed", "已完成举措"
    ONGOING = "ongoing", "持续推进举措"
    PLEDGE = "pledge", "未来承诺"
    NONE = "none", "非举措"


class Role(_Term):
    """What a sentence is in the letter (句子在信中的位置).

    Only `BODY` and `OPENING` sentences are read for a status by default; see `commitments.tag`.
    """

    METADATA = "metadata", "公文要素"
    TITLE = "title", "标题"
    SALUTATION = "salutation", "称谓"
    OPENING = "opening", "开头"
    HEADING = "heading", "小标题"
    LEAD = "lead", "领起句"
    BODY = "body", "正文"
    CLOSING = "closing", "结尾"
    SIGNATURE = "signature", "落款"
    CONTACT = "contact", "联系方式"
    ATTACHMENT = "attachment", "附件"
    SUGGESTION = "suggestion", "建议原文"
    OUTSIDE = "outside", "信外文字"


class Kind(_Term):
    """What the letter answers, told by the body addressed (答复对象)."""

    SUGGESTION = "suggestion", "建议"
    PROPOSAL = "proposal", "提案"
    MESSAGE = "message", "留言"
    REPORT = "report", "政府工作报告"


class AskOrigin(_Term):
    """Where an ask was found (诉求来源)."""

    GIVEN = "given", "调用者给出"
    SUGGESTION = "suggestion", "建议原文"
    HEADING = "heading", "小标题"
    ORDINAL = "ordinal", "建议序号"
    OPENING = "opening", "开头"
    TITLE = "title", "标题"


class How(_Term):
    """How a piece of evidence bears on a decision (依据类型)."""

    CUE = "cue", "线索词"
    INHERITED = "inherited", "承前"
    ROLE = "role", "位置"
    DEFAULT = "default", "默认"
    MODEL = "model", "模型"
    OCCLUSION = "occlusion", "遮盖"


class Span(msgspec.Struct, frozen=True):
    """A stretch of the reply's text: ``text[start:end] == span.text``."""

    start: int
    end: int
    text: str


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
    """

    id: str
    text: str
    origin: AskOrigin = AskOrigin.GIVEN
    spans: tuple[Span, ...] | None = None


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

    def to_frame(self) -> pd.DataFrame:
        """One row a sentence, as a pandas DataFrame (extra ``pandas``)."""
        from commitments import export

        return export.to_frame(self)

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
