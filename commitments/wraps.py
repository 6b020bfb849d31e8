"""Lines broken inside a sentence, and the page numbers between them: two repairs of `commitments.clean`.

A hard wrap (硬换行) is told from a paragraph's end by what the two lines are (a heading, a salutation, a
date, a field of the header and a list item stay alone), by the mark before and after the break, and by the
width that all broken lines of a letter share: as printed, or as a program counts characters.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from commitments.offsets import Edit

_FINAL = "。！？!?；;：:…"
_CLOSERS = "”’）)》】」』"
_HOLDS = "，,、（(《“‘[【〔"  # no paragraph ends in one of these
_HANGS = "但将把被和或而且按至各的第"  # nor in a word that needs a next one
_HELD = "，,。；;、）)》”’！？!?％%"  # nor begins with one of these
_CLAUSE = re.compile("[，,。；;！？!?：:]")
_ITEM = re.compile(
    r"(?:[一二三四五六七八九十]{1,3}(?:、|是|[.．])|其[一二三四五六七八九十][，,是]|[（(][一二三四五六七八九十\d]{1,3}[）)]"
    r"|\d{1,2}(?:[、)）]|[.．](?!\d))|[①-⑳○●◆■★▲◇□]|第[一二三四五六七八九十]{1,3}[，,、章节部]|建议[一二三四五六七八九十])"
)
_FIELD = re.compile(
    r"[（(【\[]?(?:附件|抄[送报]|附[：:]|主题[词分]|\[返回|上一[篇条]|下一[篇条]|共印|(?:联\s*系\s*(?:人|电\s*话|方式|单位)|联络员"
    r"|承\s*办|经\s*办|办理[人结]|主\s*办|签发人|责任编辑|电\s*话|邮\s*(?:编|政编码)|地\s*址|来源|信息来源|信息时间|发布|发文|索\s*引\s*号"
    r"|公开|类别|办复|字[号体]|浏览|打印)[^，。；\n]{0,12}[：: \u3000])"
)
_LABEL = re.compile(r"[（(【\[]?[\u4e00-\u9fff \u3000]{2,8}[：:]")
_SALUTATION = re.compile(
    r".{0,30}(?:代表|委员|同志|先生|女士|网友|朋友)(?:[^。]{0,8}[：:]|们?[，,]?\s?[您你]们?好[！!])$|[^，。；、：:]{2,24}[委会社党联团局府处部室][：:]$"
)
_DATE = re.compile(
    r"[12二一][\d〇○OＯ零一二三四五六七八九]{3}\s?年\s?[\d一二三四五六七八九十]{1,3}\s?月\s?[\d一二三四五六七八九十]{1,3}\s?日$"
)
_TITLE = ("答复", "的函", "意见", "建议", "提案", "复函", "回复")
_ADDRESSED = re.compile("您|你|贵|[二两三]位|现将|提案|代表")  # “你们提出的……的建议⏎收悉” is no title
_TITLE_END = re.compile(r"[^，。；：:]{0,20}(?:答复|函|意见|回复)")
_OPENER = re.compile(
    r"至于|您|你|感谢|再次|为此|下一?步|今后|目前|同时|另外|此外|以上|特此|此复|专此|关于|针对|根据|对于|最后|首先|其次|综上|总之"
    r"|我[局委镇乡县市区省办部厅们院校中]|各位|随着|今年|去年|近年|截[至止]"
)
_AMOUNT = re.compile(r"\d(?:[万亿]?[元人户个次吨亩条家件名]|%|％|公里|万?平方米)$")
_SLACK = 3.0  # by how much a full line may be shorter: no mark begins a line, no Latin word is broken
_LINE = re.compile(r"[^\r\n\f]+")
_PAGE = re.compile(
    r"[—–\-－―─·•]{1,3}\s?\d{1,3}\s?[—–\-－―─·•]{1,3}|第\s?\d{1,3}\s?页(?:[\s,，/、]{0,3}共\s?\d{1,3}\s?页)?"
    r"|[Pp]age\s?\d{1,3}(?:\s?(?:of|/)\s?\d{1,3})?"
)


class _Lines:
    """The lines of a text that are not empty, and what is known of their breaks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: list[tuple[int, int, int]] = []  # raw start, start and end without white space
        at = 0
        for line in text.split("\n"):
            bare = line.strip()
            if bare:
                start = at + line.index(bare[0])
                self.spans.append((at, start, start + len(bare)))
            at += len(line) + 1
        self._judged = False
        self._width = 0.0
        self._widths: list[float] = []
        self._ragged = False
        self._indented = False

    def line(self, k: int) -> str:
        return self.text[self.spans[k][1] : self.spans[k][2]]

    def open(self, k: int) -> bool:
        """Whether a line and the next could be one sentence at all."""
        _, start, end = self.spans[k]
        while end > start and self.text[end - 1] in _CLOSERS:
            end -= 1
        return end > start and self.text[end - 1] not in _FINAL

    def _cells(self, k: int) -> float:
        """Width as printed, in Chinese characters, indent included: ASCII is half as wide."""
        raw, _, end = self.spans[k]
        return len(self.text[raw:end].encode("gbk", "replace")) / 2

    def _count(self, k: int) -> float:
        """Width as programs count that break lines after so many characters."""
        raw, _, end = self.spans[k]
        return float(end - raw)

    def _wrapped_at(self, widths: Sequence[float], broken: Sequence[int]) -> tuple[float, int]:
        """The width that most broken lines share (0: none does), and how many stop at one place."""
        some = sorted(w for k in broken if (w := widths[k]) >= 12)
        best, width = 0, 0.0
        for i, w in enumerate(some):
            count = i + 1 - bisect_left(some, w - _SLACK)
            if count >= best:
                best, width = count, w
        if best < 3 or best * 2 < len(some):
            return 0.0, 0
        if sum(w > width + 1.5 for w in widths) * 8 > len(widths):
            return 0.0, 0
        near = Counter(w for w in some if w >= width - _SLACK)
        return width, max(near[w] + near[w - 0.5] for w in set(near))

    def _judge(self) -> None:
        """Learn the width at which the text is wrapped, and whether it is broken at any place."""
        self._judged = True
        last = len(self.spans) - 1
        broken = [k for k in range(last) if self.open(k)]
        close = 0
        for measure in (self._cells, self._count):
            widths = [measure(k) for k in range(len(self.spans))]
            width, sharing = self._wrapped_at(widths, broken)
            if sharing > close:
                self._widths, self._width, close = widths, width, sharing
        sure = sum(self._sure(self.line(k), self.line(k + 1)) for k in broken)
        self._ragged = sure >= 2 and sure * 4 >= len(broken)
        self._indented = sum(self.indented(k) for k in range(last)) >= 3

    @staticmethod
    def _sure(before: str, after: str) -> bool:
        """Whether no paragraph could end and begin so."""
        if before[-1] in _HOLDS or after[0] in _HELD:
            return True
        if len(before) < (4 if after[0].isdigit() else 8) or (
            _ITEM.match(before) and not _CLAUSE.search(before)
        ):
            return False
        clause = _CLAUSE.search(after, 0, 4)
        broken = clause and 0 < clause.start() <= 2 and clause.group() not in "：:"  # “…总投资5亿⏎元。”
        return before[-1] in _HANGS or (bool(broken) and not _OPENER.match(after))

    def runs_on(self, k: int, following: int, joined: bool) -> bool:
        """Whether one line and a following one are parts of one sentence.

        Args:
            k: number of the line.
            following: number of the next, or of a later one if what lies between is a page number.
            joined: whether the line goes on from the one before.
        """
        if not self.open(k):
            return False
        before, after = self.line(k), self.line(following)
        if _FIELD.match(after) or _SALUTATION.match(after) or _DATE.match(after):
            return False
        full = self.full(k)
        if before[-1] in _HOLDS:
            return full or not _ITEM.match(after)
        if _ITEM.match(after):
            return False
        if before.endswith(_TITLE) and not _CLAUSE.search(before) and not _ADDRESSED.match(before):
            return full and bool(_TITLE_END.fullmatch(after))
        if not joined and _FIELD.match(before):
            return False
        if self._sure(before, after):
            return True
        raw, start, _ = self.spans[following]
        if self.text[raw:start].count("\u3000") > 1:  # as a paragraph begins
            return False
        if full:  # two headings of one width may stand across an empty line
            near = raw - self.spans[k][2] < 3
            return near or bool(_CLAUSE.search(before) or _CLAUSE.search(after))
        if _PAGE.fullmatch(before) or _LABEL.match(after) or not _CLAUSE.search(after):
            return False
        if not (joined or _CLAUSE.search(before)) or _OPENER.match(after):
            return False
        if _AMOUNT.search(before[-8:]) and not self._ragged:
            return False
        return len(before) >= 40 or (self._ragged and not _ITEM.match(before))

    def indented(self, k: int) -> bool:
        """Whether a line begins as a Chinese paragraph does."""
        raw, start, _ = self.spans[k]
        return start - raw > 1

    def full(self, k: int) -> bool:
        """Whether a line is as wide as the page."""
        if not self._judged:
            self._judge()
        return self._width > 0 and self._widths[k] >= self._width - _SLACK

    def same_paragraph(self, k: int) -> bool:
        """Whether a sentence that fills its line ends there but its paragraph does not.

        It is known only where the first lines of paragraphs are indented and the next line is not.
        """
        if self.open(k) or not self.full(k) or not self._indented or self.indented(k + 1):
            return False
        after = self.line(k + 1)
        alone = _ITEM.match(after) or _FIELD.match(after) or _SALUTATION.match(after) or _DATE.match(after)
        return not alone and self.line(k)[-1] not in "：:" and bool(_CLAUSE.search(after))

    def parted_at(self, at: int) -> bool:
        """Whether the line at a place parts two lines of one sentence."""
        k = bisect_right(self.spans, (at, len(self.text), 0)) - 1
        if not 0 < k < len(self.spans) - 1 or self.line(k - 1)[-1].isascii():  # “PM⏎10⏎浓度” is a subscript
            return False
        return self.runs_on(k - 1, k + 1, False)


def hard_wraps(text: str) -> list[Edit]:
    r"""Join the lines of a sentence that was broken, across an empty line too, or a paragraph.

    >>> hard_wraps("全市共新建改造城乡公园18个、绿道120公里，总投资超过5\n\n亿元。\n二、下一步打算\n")
    [Edit(start=29, end=31, new='')]
    """
    if "\n" not in text:
        return []
    lines = _Lines(text)
    out = []
    joined = False
    for k in range(len(lines.spans) - 1):
        joined = lines.runs_on(k, k + 1, joined)
        if joined or lines.same_paragraph(k):
            end, start = lines.spans[k][2], lines.spans[k + 1][1]
            a, b = text[end - 1], text[start]
            latin = a.isascii() and b.isascii() and a.isalpha() and b.isalpha()
            out.append(Edit(end, start, " " if latin else ""))
    return out


def page_numbers(text: str) -> list[Edit]:
    r"""Remove lines that hold a page number; a bare number only at a page's edge or in a count.

    >>> page_numbers("我局将\n— 3 —\n继续努力。\n第4页 共5页")
    [Edit(start=4, end=10, new=''), Edit(start=16, end=23, new='')]
    """
    out = []
    bare: list[tuple[int, int, int, bool]] = []
    for m in _LINE.finditer(text):
        start, end = m.span()
        word = m.group().strip() if end - start < 60 else ""
        if not word or len(word) > 20:
            continue
        after = end
        while after < len(text) and text[after] == "\r":
            after += 1
        after += text[after : after + 1] == "\n"
        if _PAGE.fullmatch(word):
            out.append(Edit(start, after, ""))
        elif len(word) <= 3 and word.isascii() and word.isdigit():
            feed = "\f" in text[end : after + 1] or text[max(0, start - 1) : start] == "\f"
            bare.append((int(word), start, after, feed))
    lines = _Lines(text) if bare else None
    for i, (number, start, after, feed) in enumerate(bare):
        near = [n for n, *_ in bare[max(0, i - 1) : i + 2]]
        counts = number - 1 in near[:1] or number + 1 in near[-1:]
        if feed or counts or (lines and lines.parted_at(start)):
            out.append(Edit(start, after, ""))
    return sorted(out)
