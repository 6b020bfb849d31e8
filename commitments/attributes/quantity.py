"""Quantities (数量) of a measure: number, unit and comparator, and the value in base units.

No quantities: dates and deadlines, numbers of documents, telephones, roads and buildings, codes, names of
plans, ordinals, a bare 一个. Units and comparators are in the lexicon table ``units``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from commitments.attributes.numerals import number
from commitments.attributes.weights import keeps
from commitments.lexicon import alternatives, table
from commitments.terms import QuantityRole, Status

_BOUND = re.compile(r"余|多|来|几")


class Found(msgspec.Struct, frozen=True):
    """A quantity in a sentence; see `commitments.reply.Quantity` for what the fields mean."""

    start: int
    end: int
    value: float | None
    unit: str | None
    low: float | None = None
    high: float | None = None
    comparator: str | None = None
    role: QuantityRole = QuantityRole.OTHER
    note: str = ""


class Grammar:
    """Scans a sentence for quantities.

    >>> found = grammar().scan("投资近3.4亿元，新建2—3处，提高到百分之八十。")
    >>> [(x.value, x.unit, x.low, x.high) for x in found]
    [(340000000.0, '元', None, None), (None, '处', 2.0, 3.0), (80.0, '%', None, None)]
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self._group: dict[str, str] = {}
        arabic: set[str] = set()
        for row in data["unit"]:
            for word in row["words"]:
                self._group.setdefault(word, row["group"])
            arabic |= set(row.get("arabic", ()))
        self._arabic = arabic
        words = data["comparator"]
        self._movement = re.compile(f"(?:{alternatives(words['movement'])})(?:了|约|近)?$")
        han = "零〇一二三四五六七八九十百千两半"
        digits = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?: \d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?"
        numeral = rf"(?:{digits}|[{han}]+(?:点[{han}]+)?)\s?[千百]?"
        scale = r"(?:[万亿]+(?!元店)|万亿)?"
        inside = "余|多|来|几"
        link = r"\s?(?:—{1,2}|－|–|-|~|～|至|到)\s?"
        unit = alternatives(sorted(self._group))
        self._pattern = re.compile(
            rf"(?P<before>{alternatives(words['before'])})?\s?"
            rf"(?:(?P<hundredth>百分之|千分之|万分之)(?P<share>[{han}]+(?:点[{han}]+)?|\d+(?:\.\d+)?)"
            rf"(?:{link}(?:百分之|千分之|万分之)?(?P<share2>[{han}]+(?:点[{han}]+)?|\d+(?:\.\d+)?))?"
            rf"|(?P<half>过半|半数)"
            rf"|(?<![\d.A-Za-z第])(?P<n1>{numeral})(?P<s1>{scale})(?P<i1>{inside})?(?P<u1>%|％|个|元|公里|米|分钟|倍|岁|周岁|吨|天)?"
            rf"{link}(?P<n2>{numeral})(?P<s2>{scale})(?P<i2>{inside})?\s?(?P<sep2>个)?(?P<u2>{unit})"
            rf"|(?<![\d.A-Za-z第])(?P<n>(?:{numeral})|几)(?P<i>{inside})?\s?(?P<s>{scale})(?P<i3>{inside})?\s?(?P<sep>个)?(?P<u>{unit})?)"
            rf"(?P<per>(?:/|每)(?:{unit}))?(?:（[^（）]{{1,3}}）)?(?:\s?(?P<after>{alternatives(words['after'])}))?"
        )

    def scan(self, text: str) -> list[Found]:
        """All numbers with a unit in a text, in order, without overlaps; roles are not told here."""
        out = []
        for m in self._pattern.finditer(text):
            found = self._read(m, text)
            if found is not None:
                out.append(found)
        return out

    def group(self, unit: str | None) -> str:
        """What kind of unit it is: money, measure, time, share, person or count."""
        return self._group.get(unit or "", "count")

    def _read(self, m: re.Match[str], text: str) -> Found | None:
        start, end = m.span()
        while start < end and text[start].isspace():
            start += 1
        before = m["before"]
        if not before and (move := self._movement.search(text, max(0, start - 8), start)):
            moved: str | None = move.group()
        else:
            moved = None
        comparator = before or m["after"] or m["i"] or m["i3"] or m["i2"] or moved
        if m["hundredth"]:
            return self._hundredth(m, start, end, comparator)
        if m["half"]:
            return (
                Found(start, end, 50.0, "%", comparator=comparator or "过") if m["half"] == "过半" else None
            )
        if m["n1"]:
            return self._range(m, start, end, comparator)
        return self._single(m, text, start, end, comparator)

    def _hundredth(self, m: re.Match[str], start: int, end: int, comparator: str | None) -> Found | None:
        unit = {"百": "%", "千": "‰", "万": "‱"}[m["hundredth"][0]]
        low = number(m["share"])
        if m["share2"]:
            return Found(start, end, None, unit, low, number(m["share2"]), comparator)
        return Found(start, end, low, unit, comparator=comparator)

    def _range(self, m: re.Match[str], start: int, end: int, comparator: str | None) -> Found | None:
        unit = m["u2"]
        if unit in {"年", "月", "日", "号", "级"} or (m["u1"] and m["u1"] != unit and m["u1"] != "个"):
            return None
        scale = m["s1"] or m["s2"]
        if m["u1"]:
            scale = m["s1"]
        low, high = number(m["n1"] + scale), number(m["n2"] + m["s2"])
        if low is None or high is None:
            return None
        low, high, unit = _tenths(low, high, unit)
        if high < low:
            return Found(start, end, None, unit, comparator=comparator, note="the range runs backwards")
        return Found(start, end, None, unit, low, high, comparator)

    def _single(
        self, m: re.Match[str], text: str, start: int, end: int, comparator: str | None
    ) -> Found | None:
        figures, unit = m["n"], m["u"]
        arabic = figures[0].isdigit()
        if not unit:
            # 7.3万 without a unit counts what stands before it; a bare number is none.
            if not (arabic and m["s"]) or m["sep"]:
                if m["sep"] and not m["u"]:
                    unit = "个"
                else:
                    return None
        elif m["sep"] and unit not in {"工作日", "月", "百分点", "基点", "小时", "季度", "星期"}:
            # 3个村: the measure word is 个, what follows is the thing counted.
            end = m.end("sep")
            unit = "个"
        if unit == "月" and not m["sep"]:
            return None
        if not arabic and not self._chinese_counts(figures, unit, bool(m["s"])):
            return None
        if len(figures) > _LONGEST:
            return Found(
                start, end, None, unit, comparator=comparator, note="too many figures to be a number"
            )
        value = number(figures + m["s"])
        if value is None:
            if figures == "几" or not arabic:
                return None
            return Found(start, end, None, unit, comparator=comparator, note="not a number that can be read")
        low = high = None
        if unit == "成":
            value, unit = value * 10, "%"
        elif unit in {"％", "﹪"}:
            unit = "%"
        if m["sep"] and unit in {"百分点", "基点"}:
            unit = "个" + unit
        if m["per"] and unit:
            unit += m["per"]
        return Found(start, end, value, unit, low, high, comparator)

    def _chinese_counts(self, figures: str, unit: str | None, scaled: bool) -> bool:
        """Whether Chinese figures count something here: 两次 does, 一个 and 三农 do not."""
        if figures in {"一", "零", "〇", "半"} and not scaled:
            return unit in {"小时", "年"} and figures == "半"
        return unit is not None and (unit not in self._arabic or scaled or len(figures) > 2)


_LONGEST = 24
_LARGE = 20


def _tenths(low: float, high: float, unit: str) -> tuple[float, float, str]:
    if unit == "成":
        return low * 10, high * 10, "%"
    return low, high, "%" if unit in {"％", "﹪"} else unit


_NOT_BEFORE = re.compile(
    r"(?:第|[〔\[【]\s?|No\.?|(?:[GgSsXxY]|国道|省道|县道|乡道)|编号|邮编|门牌|[“\"][一-鿿\d＋+]{0,6}[＋+\-—]?|[＋+×∶]|\d[:：]|\d[.．/]|[上下每]|连续|年(?=逾))$"
)
_NOT_AFTER = re.compile(
    r"\s?(?:号(?!线)|时许|点(?!位)|个?(?:五年)?规划|条例|次性|步到位|[+＋×∶]|中全会|次会议|届)|[〕\]】]"
)
# 由150元提高到200元: what it was is no result. The end is bounded so that a long sentence costs no more.
_BASE_BEFORE = re.compile(r"(?:由|从)[^，,。；;]{0,8}$")
_BASE_AFTER = re.compile(
    r"[^，,。；;]{0,6}?(?:提高|提升|增加|增长|上升|扩大|延长|提|增|升|扩|上调|调整|降低|下降|减少|缩短|压缩|压减|精简|减|降|缩|压|下调|变|改)(?:为|到|至|成)"
)


def candidates(
    text: str, statuses: frozenset[Status], taken: Sequence[tuple[int, int]] = ()
) -> list[tuple[Found, list[str]]]:
    """Every number with a unit that is nothing else, with its features; for `find` and training."""
    out = []
    dates = [m.span() for m in _DATE.finditer(text)]
    busy = sorted((*taken, *dates))
    first = 0
    for x in grammar().scan(text):
        while first < len(busy) and busy[first][1] <= x.start:
            first += 1
        if any(start < x.end and x.start < end for start, end in busy[first : first + 3]):
            continue
        before, after = text[max(0, x.start - 12) : x.start], text[x.end : x.end + 12]
        if _NOT_BEFORE.search(before) or _NOT_AFTER.match(after):
            continue
        x = msgspec.structs.replace(x, role=_role(text, x, statuses))
        out.append((x, _features(text, x, statuses, before, after)))
    return out


def _plain(text: str, x: Found) -> bool:
    """Whether Chinese figures are too large to be a way of speaking: 一千二百盏, unlike 两手."""
    han = not re.search(r"\d", text[x.start : x.end])
    return han and x.value is not None and x.value >= _LARGE and x.unit not in {"%", "年", "天"}


def find(
    text: str,
    statuses: frozenset[Status],
    taken: Sequence[tuple[int, int]] = (),
    register: str = "letter",
) -> list[Found]:
    """The quantities of one measure.

    Args:
        text: of the sentence.
        statuses: its status and further ones.
        taken: spans that are something else, such as deadlines.
        register: of the reply; see `commitments.attributes.weights.keeps`.

    >>> [x.role.value for x in find("已投资3亿元，建成公园3个。", frozenset({Status.COMPLETED}))]
    ['money', 'result']
    """
    return [
        x
        for x, features in candidates(text, statuses, taken)
        if _plain(text, x) or keeps("quantity", [*features, *(f"{register}:{f}" for f in features)], register)
    ]


def _features(text: str, x: Found, statuses: frozenset[Status], before: str, after: str) -> list[str]:
    words = text[x.start : x.end]
    group = grammar().group((x.unit or "").split("/")[0])
    han = "A" if re.search(r"\d", words) else "H"
    main = "P" if Status.PLEDGE in statuses else "C" if Status.COMPLETED in statuses else "O"
    base = bool(_BASE_BEFORE.search(before) and _BASE_AFTER.match(after))
    features = [
        f"group={group},{han}",
        f"group={group},{han},{main}",
        f"unit={x.unit},{han}",
        f"unit={x.unit},{main}",
        f"l1={before[-1:] or '^'}",
        f"l2={before[-2:] or '^'}",
        f"r1={after[:1] or '$'}",
        f"r2={after[:2] or '$'}",
        f"r1={after[:1] or '$'},{group},{han}",
        f"l1={before[-1:] or '^'},{group},{han}",
        f"base={base}",
        f"range={x.low is not None}",
        f"role={x.role}",
    ]
    if x.comparator and x.comparator in words:
        features.append(f"comparator={x.comparator}")
    if x.value is not None and x.value < 4:
        features.append(f"value={x.value:g},{group},{han}")
    if re.match(r"(?:以上|以下|以内)?的", after) or words.endswith(("以上的", "以下的")):
        features.append(f"of,{group}")
    if re.search(r"每[^，。；]{0,6}$", before):
        features.append("each")
    return features


_DATE = re.compile(
    r"(?:\d{4}|[一二][〇○零一二三四五六七八九]{3})\s?(?:[—\-–~～至到]+\s?\d{4}\s?)?年(?:度|底|初|末)?|(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s?月(?:份)?(?:\s?(?:\d{1,2}|[一二三四五六七八九十廿]{1,3})\s?[日号])?"
    r"|\d{1,2}[日号](?![均产处])|\d{1,2}[:：]\d{2}|《[^》]*》|〔\d+〕\d+号?|[\[【]\d{4}[\]】]|\d{7,}(?![\d.]*\s?[元万亿])|[A-Za-z]+\d+[一-鿿]|1\d{10}|\d{3,4}-\d{7,8}"
)


def _role(text: str, x: Found, statuses: frozenset[Status]) -> QuantityRole:
    group = grammar().group((x.unit or "").split("/")[0])
    before = text[max(0, x.start - 6) : x.start]
    if re.search(r"第|排名|位列|位居|居", before):
        return QuantityRole.RANK
    if group == "money":
        return QuantityRole.MONEY
    if group == "share" and re.search(r"占|占比|比例", before):
        return QuantityRole.SHARE
    if Status.PLEDGE in statuses and Status.COMPLETED not in statuses:
        return QuantityRole.TARGET
    if group in {"measure", "time"}:
        return QuantityRole.OTHER
    if Status.COMPLETED in statuses:
        return QuantityRole.RESULT
    return QuantityRole.SHARE if group == "share" else QuantityRole.COUNT


@cache
def grammar() -> Grammar:
    """The grammar of the lexicon's table, made once."""
    return Grammar(table("units"))
