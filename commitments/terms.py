"""The closed lists of terms that the library uses, each English word with its Chinese one.

Every list is an enum of strings: ``Status.PLEDGE == "pledge"`` holds, and ``Status.PLEDGE.zh`` is 未来承诺.
What carries these terms is in `commitments.reply`.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class Term(str, Enum):
    """A string enum whose members carry their Chinese term."""

    zh: str

    def __new__(cls, value: str, zh: str) -> Term:
        """Make a member that is the English string and remembers the Chinese one."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh = zh
        return member

    @classmethod
    def of(cls, value: str) -> Any:
        """The member with this English word.

        Raises:
            ValueError: there is none.

        >>> Status.of("pledge").zh
        '未来承诺'
        """
        return cls(value)  # type: ignore[call-arg]

    def __str__(self) -> str:
        return str(self.value)


class Status(Term):
    """What the responding side says of the act that a sentence is about (举措状态).

    >>> Status.PLEDGE == "pledge", Status.PLEDGE.zh
    (True, '未来承诺')
    """

    COMPLETED = "completed", "已完成举措"
    ONGOING = "ongoing", "持续推进举措"
    PLEDGE = "pledge", "未来承诺"
    NONE = "none", "非举措"


class Role(Term):
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


class Kind(Term):
    """What the letter answers, told by the body addressed (答复对象)."""

    SUGGESTION = "suggestion", "建议"
    PROPOSAL = "proposal", "提案"
    MESSAGE = "message", "留言"
    REPORT = "report", "政府工作报告"


class AskOrigin(Term):
    """Where an ask was found (诉求来源)."""

    GIVEN = "given", "调用者给出"
    SUGGESTION = "suggestion", "建议原文"
    HEADING = "heading", "小标题"
    ORDINAL = "ordinal", "建议序号"
    OPENING = "opening", "开头"
    TITLE = "title", "标题"


class How(Term):
    """How a piece of evidence bears on a decision (依据类型)."""

    CUE = "cue", "线索词"
    INHERITED = "inherited", "承前"
    ROLE = "role", "位置"
    DEFAULT = "default", "默认"
    MODEL = "model", "模型"
    OCCLUSION = "occlusion", "遮盖"


class Strength(Term):
    """How firmly a pledge binds (承诺力度)."""

    FIRM = "firm", "坚定"
    SOFT = "soft", "留有余地"


class DeadlineKind(Term):
    """How an expression of time bounds a measure (期限类型)."""

    BY = "by", "截止"
    FROM = "from", "起始"
    WITHIN = "within", "自今起算"
    PERIOD = "period", "期间"
    RECURRING = "recurring", "周期"
    VAGUE = "vague", "笼统"


class Grain(Term):
    """The unit of the calendar that an expression of time names (时间粒度)."""

    DAY = "day", "日"
    TENDAY = "tenday", "旬"
    MONTH = "month", "月"
    QUARTER = "quarter", "季度"
    SEASON = "season", "季节"
    HALF = "half", "半年"
    YEAR = "year", "年"
    PLAN = "plan", "五年规划期"
    SPAN = "span", "时长"
    EVENT = "event", "时节"


class QuantityRole(Term):
    """What a quantity is in its measure (数量的作用)."""

    TARGET = "target", "目标"
    RESULT = "result", "成效"
    MONEY = "money", "金额"
    SHARE = "share", "占比"
    COUNT = "count", "数目"
    RANK = "rank", "位次"
    OTHER = "other", "其他"


class ActorRole(Term):
    """What a body does in a measure (主体角色)."""

    ACT = "act", "实施"
    LEAD = "lead", "牵头"
    SUPPORT = "support", "配合"
    WITH = "with", "会同"
    ORDERED = "ordered", "受令"
    UPWARD = "upward", "向上争取"


class Disposition(Term):
    """What becomes of an ask, as the reply decides it (办理结果).

    `ADOPTED` is that of an ask that was done as asked, `SOLVED` that of a problem that is gone; the guideline
    keeps them apart in gold, and calls both A类.
    """

    ADOPTED = "adopted", "已采纳"
    SOLVED = "solved", "已解决"
    IN_PROGRESS = "in_progress", "正在解决"
    PLANNED = "planned", "列入计划"
    DECLINED = "declined", "不予采纳"
    EXPLAINED = "explained", "解释说明"
    UNANSWERED = "unanswered", "未予回应"
