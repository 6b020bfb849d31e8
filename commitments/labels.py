"""The labels of the pages, in English and in Chinese (页面用语).

A page is written in one language. Where `Labels.both` is set, each label also carries the other one, and the
page's script, `switch.js`, puts it in its place. What a letter says itself is never a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Literal

import msgspec

from commitments.terms import Term

Lang = Literal["en", "zh"]

Pair = tuple[str, str]
"""A label in English and in Chinese."""

# Control characters, those that turn the direction of writing, and halves of surrogate pairs.
_UNSEEN = dict.fromkeys(
    (
        *(c for c in range(0xA0) if (c < 0x20 or c > 0x7E) and chr(c) not in "\t\n\r"),
        *range(0x200E, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
    ),
    "�",
)


def visible(text: str) -> str:
    """The text with what cannot be seen, or would turn the direction of writing, made visible.

    >>> visible("a\u202eb")
    'a�b'
    """
    return text.translate(_UNSEEN)


def safe(text: str) -> str:
    """Text that a browser shows and does nothing else with; what cannot be seen is made visible.

    >>> safe("<b>")
    '&lt;b&gt;'
    """
    return escape(visible(text), quote=True)


class Labels(msgspec.Struct, frozen=True):
    """The labels of one page.

    Attributes:
        words: each label by its key.
        lang: that is shown, ``"en"`` or ``"zh"``.
        both: whether the page can switch to the other.
    """

    words: Mapping[str, Pair]
    lang: Lang = "en"
    both: bool = False

    def __post_init__(self) -> None:
        """Refuse a language that there are no labels in."""
        if self.lang not in ("en", "zh"):
            raise ValueError(f"lang is {self.lang!r}; there are labels in 'en', 'zh'")

    def show(self, pair: Pair) -> str:
        """The markup of a label.

        >>> Labels({}, "zh", both=True).show(("sentence", "句"))
        '<span data-o="sentence">句</span>'
        """
        here, other = self._turned(pair)
        return self.element("span", pair) if self.both and here != other else safe(here)

    def element(self, tag: str, pair: Pair) -> str:
        """A label as all that an element holds.

        >>> Labels({}).element("title", ("sentence", "句"))
        '<title>sentence</title>'
        """
        here, other = self._turned(pair)
        more = f' data-o="{safe(other)}"' if self.both and here != other else ""
        return f"<{tag}{more}>{safe(here)}</{tag}>"

    def word(self, key: str, **values: object) -> str:
        """The markup of a label by its key, with values put into it."""
        return self.show(self.pair(key, **values))

    def term(self, term: Term) -> str:
        """The markup of a term."""
        return self.show(named(term))

    def attribute(self, name: Literal["title", "aria-label"], pair: Pair) -> str:
        """A label as an attribute, with a space before it.

        >>> Labels({}).attribute("title", ("pledge", "未来承诺"))
        ' title="pledge"'
        """
        here, other = self._turned(pair)
        more = f' data-o-{name}="{safe(other)}"' if self.both and here != other else ""
        return f' {name}="{safe(here)}"{more}'

    def pair(self, key: str, **values: object) -> Pair:
        """A label by its key, in both languages."""
        en, zh = self.words[key]
        return (en.format(**values), zh.format(**values)) if values else (en, zh)

    def plain(self, pair: Pair) -> str:
        """A label as text, in the page's language."""
        return self._turned(pair)[0]

    def _turned(self, pair: Pair) -> Pair:
        return pair if self.lang == "en" else (pair[1], pair[0])


def named(term: Term) -> Pair:
    """A term in both languages.

    >>> from commitments.terms import Status
    >>> named(Status.PLEDGE)
    ('pledge', '未来承诺')
    """
    return term.value.replace("_", " "), term.zh


LETTER: dict[str, Pair] = {
    "asks": ("What is asked", "诉求"),
    "contents": ("Letters", "答复目录"),
    "letter": ("The letter", "答复全文"),
    "unanswered": ("no measure answers it", "未见举措回应"),
    "general": ("All asks", "全部诉求"),
    "no_asks": ("No ask was found in the letter.", "信中未找到诉求。"),
    "outside": ("Not of the letter", "信外文字"),
    "suggestion": ("The suggestion", "建议原文"),
    "filter": ("Show", "显示"),
    "default": ("no rule speaks", "无规则命中"),
    "links": ("answers", "回应"),
    "no_link": ("answers no ask", "未回应诉求"),
    "also": ("also", "兼"),
    "sentence": ("sentence", "句"),
    "confidence": ("confidence", "置信度"),
    "undecided": ("undecided", "存疑"),
    "warnings": ("Note", "提示"),
    "untitled": ("Untitled letter", "无题"),
    "due": ("due", "期限"),
    "condition": ("condition", "条件"),
    "quantity": ("quantity", "数量"),
    "actor": ("actor", "主体"),
    "implied": ("the replying body", "答复单位"),
    "strength": ("strength", "力度"),
    "action": ("action", "动作"),
    "deadlines": ("Deadlines", "期限"),
    "written": ("the letter", "答复日期"),
    "copy": ("Copy as CSV", "复制为 CSV"),
    "copied": ("Copied", "已复制"),
    "undated": ("no day told", "无具体日期"),
    "judged": ("Whether they were kept is not judged here.", "是否兑现，此处不作判断。"),
}
"""The labels of a letter's page, `commitments.view`."""

REPORT: dict[str, Pair] = {
    "title": ("Replies and what they commit to", "答复与承诺"),
    "letters": ("letters", "封答复"),
    "measures": ("measures", "项举措"),
    "sentences": ("sentences", "句"),
    "errors": ("not read", "封未能读取"),
    "answering": ("letters with a measure that answers an ask, of {n}", "封有举措回应诉求（共 {n} 封）"),
    "by_agency": ("By agency", "按承办单位"),
    "by_year": ("By year of the letter", "按答复年份"),
    "others": ("others", "其他"),
    "unknown": ("not told", "未注明"),
    "overdue": ("Pledges whose time has passed", "已到期的承诺"),
    "before": ("Their last day is before {today}.", "期限在 {today} 之前。"),
    "kept": ("These letters do not tell whether they were kept.", "是否兑现，从这些答复中无从得知。"),
    "more": ("{n} more are not listed.", "另有 {n} 条未列出。"),
    "none_overdue": ("None has a last day before {today}.", "没有期限在 {today} 之前的承诺。"),
    "per_letter": ("Measures a letter", "每封答复的举措数"),
    "confidence": ("Confidence of measures", "举措的置信度"),
    "list": ("Letters", "答复列表"),
    "filter": ("Find in names, agencies, titles, dates and measures", "按名称、单位、标题、日期、举措查找"),
    "agency": ("Agency", "单位"),
    "date": ("Date", "日期"),
    "due": ("Last day", "最后期限"),
    "pledge": ("Pledge", "承诺"),
    "shown": ("shown", "条"),
    "by": ("read by", "所用模型"),
    "bad": ("Letters that could not be read", "未能读取的答复"),
    "open": ("Show the measures", "显示举措"),
    "cut": (
        "The list holds the first {n} letters, so that the page stays quick; all are counted above.",
        "为使页面流畅，列表只含前 {n} 封；上面的统计包括全部。",
    ),
    "newest": ("That is the date of the newest letter.", "即最新一封答复的日期。"),
    "undated": (
        "No letter has a date; without a day to go by, none is counted.",
        "答复均无日期；未给定日期，故不作统计。",
    ),
    "name": ("Letter", "答复"),
    "told": ("{letters} letters: {counts}", "{letters} 封：{counts}"),
    "most": ("most: {n}", "最多 {n}"),
}
"""The labels of a corpus, `commitments.report`."""
