"""Expressions of time in running text, and the stretch of the calendar that each names.

Here lives the grammar: 明年 + 10月 + 底 + 前. Its words are in the lexicon table ``periods``. Which of the
expressions is the time by which a measure is due is not decided here, but in
`commitments.attributes.deadline`.
"""

from __future__ import annotations

import calendar
import datetime
import re
from functools import cache, cached_property
from typing import Any

import msgspec

from commitments.attributes.numerals import number
from commitments.errors import MissingExtra
from commitments.lexicon import alternatives, table
from commitments.terms import DeadlineKind, Grain

FIRST, LAST = 1949, 2099
"""Years that a letter may speak of; what lies outside is a slip, and its interval is left open."""

_DAY = datetime.timedelta(days=1)
_SPANS = {"年": "years", "学年": "years", "学期": "", "季度": "quarters", "月": "months", "周": "weeks"}
_SPANS |= {"星期": "weeks", "天": "days", "日": "days", "小时": "hours", "工作日": "workdays"}
_SPANS |= {"周年": "years", "分钟": "hours"}
_LONGEST = 200
"""The longest span in years that is counted; what is longer is no plan."""

Day = datetime.date | None


class Expression(msgspec.Struct, frozen=True):
    """An expression of time, found and read.

    Attributes:
        start: offset into the text scanned.
        end: after its last character.
        kind: how it bounds.
        first: first day of the interval that it names; ``None`` where open or not known.
        last: its last day.
        grain: the unit that it names.
        bare: whether it stands without 前、底、内、起 … that would make it a time by which.
        year: whether it says its year, or one counted from the letter's.
        note: why the interval is open, where that is not plain.
    """

    start: int
    end: int
    kind: DeadlineKind
    first: Day = None
    last: Day = None
    grain: Grain = Grain.DAY
    bare: bool = False
    year: bool = False
    note: str = ""


class _Part(msgspec.Struct, frozen=True):
    """What a date says: the pieces of the grammar that matched, read."""

    year: int | None
    given: bool  # whether a year is said
    first: tuple[int, int] | None  # month, day
    last: tuple[int, int] | None
    grain: Grain
    by: bool = False  # 年底、月底: the time by which, also without 前
    feast: dict[str, Any] | None = None
    event: bool = False
    note: str = ""


class Grammar:
    """Scans a text for expressions of time.

    >>> import datetime
    >>> found = grammar().scan("2024年底前建成，三年内再建2个。", datetime.date(2023, 5, 10))
    >>> [(x.kind.value, str(x.first), str(x.last)) for x in found]
    [('by', 'None', '2024-12-31'), ('within', '2023-05-10', '2026-05-10')]
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self._years = _index(data["year"])
        self._parts = _index(data["part"])
        self._months = _index(data["month"])
        self._tendays = _index(data["tenday"])
        self._feasts = _index(data["feast"])
        self._events = _index(data["event"])
        self._plans: dict[str, int] = data["plan"][0]["first"]
        self._recurring = _index(data["recurring"])
        self._vague = _index(data["vague"])
        self._plan_ends = _index(data["plan"])

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        digit = "零〇○Oo一二两三四五六七八九十"
        year = rf"(?:(?P<year>(?:\d{{4}}|[一二][{digit}]{{3}}))\s?年度?|(?P<relyear>{_any(self._years)}))"
        month = (
            r"(?P<month>\d{1,2}|[一二三四五六七八九十]{1,2}|元)\s?月份?"
            rf"|(?P<relmonth>{_any(self._months)})"
        )
        day = rf"(?P<day>\d{{1,2}}|[{digit}廿]{{1,3}})\s?[日号](?!报|常|均|产|处理|线)"
        tenday = rf"(?P<tenday>{_any(self._tendays)})"
        alone = {w: r for w, r in self._parts.items() if r.get("alone", True)}
        part = rf"(?P<part>{_any(self._parts)}|底|末|初|中(?![小期学央部心等])|内)"
        # Words such as 春季 or 底 are times only after a year: (?(y)…) asks whether one was said.
        sole = rf"(?P<sole>{_any(alone)})"
        feast = rf"(?P<feast>{_any(self._feasts)})(?:假期|黄金周|小长假|长假)?"
        term = rf"(?:{_any(self._events)})(?:来临|到来|结束)?"
        event = rf"(?P<event>{_any(self._events)})(?:来临|到来|结束)?"
        in_month = rf"(?:{month})(?:\s?(?:{tenday}|{day}))?(?:{term}(?=[前起]))?"
        # What is not in the lexicon may still bound a year: 2024年新薯上市前.
        free = r"(?P<free>[一-鿿]{2,6}?(?=之前|以前|前(?![期述列三两几往端沿])))"
        monthend = r"(?P<monthend>(?:月底|月末|月内))"
        date = (
            rf"(?:(?P<iso>\d{{4}}[.\-/]\d{{1,2}}[.\-/]\d{{1,2}})(?!\d)|(?P<y>{year}\s?的?)?"
            rf"(?:{in_month}|{feast}|{event}|{monthend}|{sole}(?P<late>[底末])?|(?(y)(?:{part}(?P<late2>[底末])?(?:{term})?|{free})?|(?!))))"
        )
        close = (
            r"(?P<close>之前|以前|前后|前(?![期述列三两几往端沿])|左右|之内|以内|内|期间|起始|开始起|开始(?=[，,、])|开始(?=.)|起(?![草到诉动步来])|之后|以后|后(?![续期勤备])"
            r"|时(?=[，,]))?"
        )
        link = r"\s?(?:至|到|—{1,2}|－|–|-|~|～)\s?"
        short = (
            rf"(?P<from>\d{{4}}|[一二][{digit}]{{3}})\s?年?{link}(?P<to>\d{{4}}|[一二][{digit}]{{3}})\s?年度?"
        )
        months = (
            rf"(?:(?P<ry>\d{{4}})\s?年|(?P<rrel>{_any(self._years)}))?(?P<rm1>\d{{1,2}})\s?月?份?"
            rf"(?:(?P<rd1>\d{{1,2}})[日号])?{link}(?:(?P<ry2>\d{{4}})\s?年|(?P<rrel2>{_any(self._years)}))?"
            rf"(?:(?P<rm2>\d{{1,2}})\s?月份?)?(?:(?P<rd2>\d{{1,2}})[日号])?(?<=[月日号份])"
        )
        plan = (
            r"(?P<plan>[“\"‘']?(?P<which>十[一二三四五六七]?|九)五[”\"’']?(?:规划|计划|发展规划)?"
            rf"(?:{_any(self._plan_ends)})(?:前|之前|以前)?)"
        )
        amount = rf"(?P<amount>\d+(?:\.\d+)?|[{digit}]{{1,3}}|半)"
        unit = r"(?P<unit>工作日|学年|学期|季度|周年|星期|年|月|周|天|日|小时|分钟)"
        within = (
            rf"(?:(?P<ahead>未来|今后|接下来|近|此后)(?:的)?)?{amount}\s?个?(?P<half>半)?{unit}(?:的?时间)?(?P<within>之内|以内|内|左右)?"
            r"(?P<later>之后|以后|后)?"
        )
        recurring = rf"(?P<recurring>{_any(self._recurring)})"
        vague = rf"(?P<vague>{_any(self._vague)})"
        return re.compile(
            rf"(?<![\d.])(?:{plan}|(?P<range>{short}|{months})(?P<rclose>期间|内)?"
            rf"|{recurring}|{vague}|(?P<date>{date}){close}|(?P<span>{within}))"
        )

    def scan(self, text: str, anchor: Day) -> list[Expression]:
        """All expressions of time in a text, in order, without overlaps.

        Args:
            text: such as a sentence.
            anchor: the letter's date, from which relative expressions count; ``None`` when not known.
        """
        if anchor and not FIRST <= anchor.year <= LAST:
            anchor = None
        found: list[Expression] = []
        known: Day = None  # the last day that was named with its year: 明年5月动工，10月建成
        for m in self._pattern.finditer(text):
            made = self._read(m, anchor, known)
            if made is None:
                continue
            if made.year:
                known = made.last or made.first or known
            found.append(made)
        return found

    def _read(self, m: re.Match[str], anchor: Day, known: Day) -> Expression | None:
        start, end = m.span()
        if m["plan"]:
            return self._plan(m)
        if m["range"]:
            return self._range(m, anchor, known)
        if m["recurring"]:
            return Expression(start, m.end("recurring"), DeadlineKind.RECURRING, grain=Grain.SPAN)
        if m["vague"]:
            return Expression(start, end, DeadlineKind.VAGUE, grain=Grain.SPAN)
        if m["span"]:
            return _within(m, anchor)
        return self._date(m, anchor, known)

    def _plan(self, m: re.Match[str]) -> Expression | None:
        first = self._plans.get(m["which"])
        if first is None:
            return None
        words = m["plan"]
        if words.endswith("前"):
            late: Day = datetime.date(first + 4 if "末" in words else first - 1, 12, 31)
            return Expression(*m.span(), DeadlineKind.BY, None, late, Grain.PLAN, year=True)
        if "末" in words or words.endswith("内"):
            return Expression(
                *m.span(), DeadlineKind.BY, None, datetime.date(first + 4, 12, 31), Grain.PLAN, year=True
            )
        begin, last = datetime.date(first, 1, 1), datetime.date(first + 4, 12, 31)
        return Expression(*m.span(), DeadlineKind.PERIOD, begin, last, Grain.PLAN, year=True)

    def _range(self, m: re.Match[str], anchor: Day, known: Day) -> Expression | None:
        if m["from"]:
            years = number(m["from"]), number(m["to"])
            if not all(y and 1000 <= y < 3500 for y in years):
                return None
            low, high = (int(y or 0) for y in years)
            note = _year_note(low) or _year_note(high) or ("the range runs backwards" if high < low else "")
            if note:
                return Expression(*m.span(), DeadlineKind.PERIOD, grain=Grain.YEAR, year=True, note=note)
            first, last = datetime.date(low, 1, 1), datetime.date(high, 12, 31)
            return Expression(*m.span(), DeadlineKind.PERIOD, first, last, Grain.YEAR, year=True)
        if "月" not in m["range"]:
            return None
        given = bool(m["ry"] or m["rrel"])
        year = int(m["ry"]) if m["ry"] else self._relative(m["rrel"], anchor)
        month1, month2 = int(m["rm1"]), int(m["rm2"] or m["rm1"])
        day1, day2 = int(m["rd1"] or 1), int(m["rd2"] or 0)
        grain = Grain.DAY if day2 else Grain.MONTH
        year2 = int(m["ry2"]) if m["ry2"] else self._relative(m["rrel2"], anchor) if m["rrel2"] else None
        if year is None and year2 is None and anchor:
            year = _forward(anchor, known, month2, day2 or _last_day(anchor.year, month2))
        if year is None and year2 is not None:
            year = year2
        kind = DeadlineKind.PERIOD
        if year is None:
            return Expression(*m.span(), kind, grain=grain, note=_NO_ANCHOR)
        over = year2 if year2 is not None else year + (1 if month2 < month1 else 0)
        begin, problem1 = _make(year, month1, day1)
        end, problem2 = _make(over, month2, day2 or _last_day(over, month2))
        note = problem1 or problem2 or ("the range runs backwards" if begin and end and end < begin else "")
        if note:
            return Expression(*m.span(), kind, grain=grain, year=given, note=note)
        return Expression(*m.span(), kind, begin, end, grain, year=given)

    def _date(self, m: re.Match[str], anchor: Day, known: Day) -> Expression | None:
        part = self._part(m, anchor)
        if part is None:
            return None
        close = m["close"] or ""
        where = m.span()
        led = m.string[max(0, m.start() - 1) : m.start()] in ("从", "自")
        if close == "开始" and not led and not m.string.startswith(("，", ",", "、"), m.end()):
            close, where = "", (m.start(), m.start("close"))  # 11月开始装表: a verb
        if (
            part.event
            and m["event"]
            and not close
            and not part.given
            and not self._events[m["event"]]["bare"]
        ):
            return None
        if part.event:
            kind = {"期间": DeadlineKind.PERIOD, "前后": DeadlineKind.PERIOD}.get(close, DeadlineKind.BY)
            if close in _FROM:
                kind = DeadlineKind.FROM
            elif not close:
                kind = DeadlineKind.PERIOD
            return Expression(
                *where, kind, grain=Grain.EVENT, bare=not close, note="its dates differ by place and year"
            )
        if part.note:
            return Expression(*where, DeadlineKind.BY, grain=part.grain, year=part.given, note=part.note)
        first, last, note = self._interval(part, anchor, known)
        if note or first is None or last is None:
            return Expression(
                *where,
                _kind(part, close),
                grain=part.grain,
                bare=not close and not part.by,
                year=part.given,
                note=note,
            )
        return _closed(where, part, close, first, last)

    def _relative(self, word: str | None, anchor: Day) -> int | None:
        return anchor.year + int(self._years[word]["offset"]) if word and anchor else None

    def _part(self, m: re.Match[str], anchor: Day) -> _Part | None:
        """Read the pieces of a date."""
        given = bool(m["year"] or m["relyear"] or m["iso"])
        year: int | None = None
        if m["iso"]:
            y, mo, d = (int(x) for x in re.split(r"[.\-/]", m["iso"]))
            note = _year_note(y) or ("" if _make(y, mo, d)[0] else f"there is no {m['iso']}")
            return _Part(y, True, (mo, d), (mo, d), Grain.DAY, note=note)
        if m["year"]:
            value = number(m["year"])
            if value is None or not 1000 <= value <= 9999:
                return None
            year = int(value)
            if note := _year_note(year):
                return _Part(year, True, None, None, Grain.YEAR, note=note)
        elif m["relyear"]:
            year = self._relative(m["relyear"], anchor)
            if year is None:
                return _Part(None, True, None, None, Grain.YEAR, note=_NO_ANCHOR)
        if m["monthend"]:
            if anchor is None:
                return _Part(None, False, None, None, Grain.MONTH, by=True, note=_NO_ANCHOR)
            day = _last_day(anchor.year, anchor.month)
            return _Part(anchor.year, True, (anchor.month, 1), (anchor.month, day), Grain.MONTH, by=True)
        if m["feast"]:
            return _Part(year, given, None, None, Grain.DAY, feast=self._feasts[m["feast"]])
        if m["event"] or m["free"]:
            return _Part(year, given, None, None, Grain.EVENT, event=True)
        if m["month"] or m["relmonth"]:
            return self._month(m, year, given, anchor)
        word = m["part"] or m["sole"]
        if word:
            row = self._parts.get(word) or self._parts["年" + word]
            low, high = row["months"]
            grain = {1: Grain.MONTH, 3: Grain.QUARTER, 6: Grain.HALF}.get(high - low + 1, Grain.YEAR)
            if not row.get("alone", True):
                grain = Grain.SEASON
            by = row.get("kind") == "by" or bool(m["late"] or m["late2"])
            if row.get("kind") == "by":
                grain = Grain.YEAR
            return _Part(year, given, (low, 1), (high, 0), grain, by=by)
        return _Part(year, given, (1, 1), (12, 31), Grain.YEAR)

    def _month(self, m: re.Match[str], year: int | None, given: bool, anchor: Day) -> _Part | None:
        if m["relmonth"]:
            if anchor is None:
                return _Part(None, True, None, None, Grain.MONTH, note=_NO_ANCHOR)
            ahead = anchor.month - 1 + int(self._months[m["relmonth"]]["offset"])
            year, month, given = anchor.year + ahead // 12, ahead % 12 + 1, True
        else:
            value = 1.0 if m["month"] == "元" else number(m["month"])
            if value is None:
                return None
            month = int(value)
            if not 1 <= month <= 12:
                return _Part(year, given, None, None, Grain.MONTH, note=f"there is no month {month}")
        if m["day"]:
            value = number(m["day"])
            if value is None:
                return None
            day = int(value)
            if not 1 <= day <= _last_day(2024, month):
                return _Part(year, given, None, None, Grain.DAY, note=f"{month}月 has no day {day}")
            return _Part(year, given, (month, day), (month, day), Grain.DAY)
        if m["tenday"]:
            row = self._tendays[m["tenday"]]
            low, high = row["days"]
            grain = Grain.MONTH if low == high else Grain.TENDAY
            return _Part(year, given, (month, 1 if low == high else low), (month, high), grain, by=True)
        return _Part(year, given, (month, 1), (month, 0), Grain.MONTH)

    def _interval(self, part: _Part, anchor: Day, known: Day) -> tuple[Day, Day, str]:
        """First and last day of what a date names, before 前、起 … bound it; and why it is open."""
        if part.feast is not None:
            return _feast(part.feast, part.year, anchor, known)
        if part.first is None or part.last is None:
            return None, None, part.note
        year = part.year
        month, day = part.last
        if year is None:
            if anchor is None:
                return None, None, _NO_ANCHOR
            year = _forward(anchor, known, month, day or 28)
        over = year + (month - 1) // 12
        month = (month - 1) % 12 + 1
        first, problem = _make(year, part.first[0], part.first[1])
        last, wrong = _make(
            over, month, min(day or 31, _last_day(over, month)) if part.grain != Grain.DAY else day
        )
        return first, last, problem or wrong


_FROM = frozenset({"起", "起始", "开始", "开始起", "后", "之后", "以后"})
_BEFORE = frozenset({"前", "之前", "以前"})
_NO_ANCHOR = "the letter's date is not known"


def _kind(part: _Part, close: str) -> DeadlineKind:
    """How a date bounds, told by the word that closes it."""
    if close in _FROM:
        return DeadlineKind.FROM
    if close in _BEFORE:
        return DeadlineKind.BY
    if close in {"期间", "前后"}:
        return DeadlineKind.PERIOD
    if part.by or close in {"内", "之内", "以内", "时"} or part.grain in {Grain.MONTH, Grain.DAY}:
        return DeadlineKind.BY
    return DeadlineKind.PERIOD


def _closed(
    where: tuple[int, int], part: _Part, close: str, first: datetime.date, last: datetime.date
) -> Expression:
    """A date with the word that closes it: 10月前 ends before it, 10月起 begins with it."""
    kind = _kind(part, close)
    bare = not close and not part.by
    if kind is DeadlineKind.FROM:
        begin = (
            first if close.startswith(("起", "开始")) else last if part.grain is Grain.DAY else last + _DAY
        )
        return Expression(*where, kind, begin, None, part.grain, bare, part.given)
    if kind is DeadlineKind.BY:
        # 10月前 and 2025年前 are done by the end of what they name (the guideline); 春节前 ends on the eve.
        if close in _BEFORE and part.feast is not None:
            return Expression(*where, kind, None, first - _DAY, part.grain, bare, part.given)
        return Expression(*where, kind, None, last, part.grain, bare, part.given)
    return Expression(*where, kind, first, last, part.grain, bare, part.given)


def _within(m: re.Match[str], anchor: Day) -> Expression | None:
    """三年内, 未来五年, 半年后; a bare 三年 too."""
    unit = _SPANS[m["unit"]]
    amount = number(m["amount"])
    if amount is None:
        return None
    if m["half"]:
        amount += 0.5
    where = m.span()
    kind = DeadlineKind.FROM if m["later"] else DeadlineKind.WITHIN
    bare = not (m["within"] or m["ahead"] or m["later"])
    if bare and m["unit"] not in {"年", "月", "工作日", "天"}:
        return None
    if re.search(r"(?:后|之日起)$", m.string[max(0, m.start() - 4) : m.start()]):
        return Expression(*where, kind, grain=Grain.SPAN, bare=bare, note="counted from what comes before")
    if anchor is None:
        return Expression(*where, kind, grain=Grain.SPAN, bare=bare, note=_NO_ANCHOR)
    last, note = _after(anchor, amount, unit)
    if kind is DeadlineKind.FROM:
        return Expression(*where, kind, last, None, Grain.SPAN, bare, note=note)
    return Expression(*where, kind, anchor if last else None, last, Grain.SPAN, bare, note=note)


def _after(day: datetime.date, amount: float, unit: str) -> tuple[Day, str]:
    """The day that lies a span after another."""
    months = {"years": 12, "quarters": 3, "months": 1}.get(unit)
    if not unit:
        return None, "the length of a term differs"
    if amount > _LONGEST * 366 or (months and amount * months > 12 * _LONGEST):
        return None, "the span is too long to be one"
    if months:
        whole = int(amount * months)
        ahead = day.month - 1 + whole
        year, month = day.year + ahead // 12, ahead % 12 + 1
        made = datetime.date(year, month, min(day.day, _last_day(year, month)))
        rest = amount * months - whole
        return (made + datetime.timedelta(days=round(rest * 30))), ""
    if unit == "workdays":
        left = int(amount)
        while left > 0:
            day += _DAY
            left -= day.weekday() < 5
        return day, "counted from Monday to Friday: public holidays are not known"
    days = {"weeks": 7.0, "days": 1.0, "hours": 1 / 24}[unit]
    return day + datetime.timedelta(
        days=int(amount * days + 0.999) if unit == "hours" else round(amount * days)
    ), ""


def _forward(anchor: datetime.date, known: Day, month: int, day: int) -> int:
    """The year of a month that is named without one: the first in which it is not over yet.

    It is not before a day named earlier in the sentence (明年5月动工，10月建成).
    """
    since = (
        max(anchor.replace(day=1), known)
        if known and known.year <= anchor.year + 5
        else anchor.replace(day=1)
    )
    year = since.year
    month_of, over = (month - 1) % 12 + 1, (month - 1) // 12
    if (year + over, month_of) < (since.year, since.month):
        return year + 1
    return year


def _feast(row: dict[str, Any], year: int | None, anchor: Day, known: Day) -> tuple[Day, Day, str]:
    """The day of a feast in a year, or the next one after the letter."""
    if year is None and anchor is None:
        return None, None, _NO_ANCHOR
    for y in (
        (year,) if year is not None else (anchor.year, anchor.year + 1, anchor.year + 2) if anchor else ()
    ):
        day = _feast_day(tuple(row.get("solar", ())), tuple(row.get("lunar", ())), row.get("term", ""), y)
        if day is None:
            return None, None, f"the feast's date in {y} is not known"
        if year is not None or (anchor and day > anchor):
            return day, day, ""
    return None, None, _NO_ANCHOR


@cache
def _feast_day(solar: tuple[int, ...], lunar: tuple[int, ...], term: str, year: int) -> Day:
    if not 1901 <= year <= LAST:
        return None
    if solar:
        return datetime.date(year, solar[0], solar[1])
    try:
        from borax.calendars.festivals2 import FestivalError, TermFestival
        from borax.calendars.lunardate import LunarDate
    except ImportError as error:  # pragma: no cover - borax is a dependency; only a broken install lacks it
        raise MissingExtra("The date of a lunar feast", "borax") from error
    try:
        if lunar:
            made: datetime.date = LunarDate(year, lunar[0], lunar[1]).to_solar_date()
        else:
            made = TermFestival(name=term).at(year=year)
    except (ValueError, FestivalError):
        return None
    return datetime.date(made.year, made.month, made.day)


def _make(year: int, month: int, day: int) -> tuple[Day, str]:
    if note := _year_note(year):
        return None, note
    try:
        return datetime.date(year, month, day), ""
    except ValueError:
        return None, f"there is no day {year}-{month}-{day}"


def _year_note(year: int) -> str:
    return "" if FIRST <= year <= LAST else f"{year} is no year that a letter speaks of"


def _last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1] if 1 <= month <= 12 and 1 <= year <= 9999 else 31


def _index(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {word: row for row in rows for word in row["words"]}


def _any(words: dict[str, Any]) -> str:
    """Words as alternatives, each with what must not stand at its edges."""
    rows = {word: row for word, row in words.items() if isinstance(row, dict)}
    return alternatives(
        words,
        {word: row["not_after"] for word, row in rows.items() if "not_after" in row},
        {word: row["not_before"] for word, row in rows.items() if "not_before" in row},
    )


@cache
def grammar() -> Grammar:
    """The grammar of the lexicon's table, made once."""
    return Grammar(table("periods"))
