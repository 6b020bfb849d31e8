"""The fields of the header: agency, date, recipient, title, document number, result code, publicity, kind.

Values are kept as written and come with the span where they stand. Which units are header lines is `frame`'s
decision; a field is looked for only there, so that laws and letters cited in the matter give none.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from commitments.draft import Draft, Header, Unit
from commitments.reply import Span
from commitments.structure.frame import DATE, Frame, frame
from commitments.terms import Kind, Role

_PARTS = re.compile(
    r"(?P<y>(?:\d\s?){4}|[一二三四五六七八九〇零○ＯOo0]{4})\s?[年\-/.．]\s?"
    r"(?P<m>\d{1,2}|[一二三四五六七八九十元]{1,2})\s?[月\-/.．]\s?(?P<d>\d{1,2}|[一二三四五六七八九十廿]{1,3})"
)
_DIGITS = {c: n for n, c in enumerate("〇一二三四五六七八九")} | dict.fromkeys("零○ＯOo0", 0)
_TITLE_CODE = re.compile(r"[（(](?P<value>[A-DＡ-Ｄ]\d?(?:\s?类)?)[）)][\s　]*$")
_PREFIX = re.compile(
    r"(?P<agency>[一-鿿A-Za-z（）()、·]{2,36}?)(?:关于|对(?=[一-鿿\d]{0,8}(?:人大|政协|届|第|人民)))"
)


def parse_date(text: str) -> datetime.date | None:
    """The first date in a text, in Chinese or Arabic figures; ``None`` when it is missing or does not exist.

    >>> parse_date("二〇二三年六月十二日"), parse_date("2023.6.12"), parse_date("2019年13月1日")
    (datetime.date(2023, 6, 12), datetime.date(2023, 6, 12), None)
    """
    m = _PARTS.search(text)
    if not m:
        return None
    year = m["y"].replace(" ", "")
    if not year.isdigit():
        year = "".join(str(_DIGITS[c]) for c in year)
    try:
        return datetime.date(int(year), _small(m["m"]), _small(m["d"]))
    except ValueError:
        return None


def _small(word: str) -> int:
    """A number up to 31, as months and days are written."""
    if word.isdigit():
        return int(word)
    word = word.replace("元", "一").replace("廿", "二十")
    tens, ten, ones = word.rpartition("十")
    if not ten:
        return _DIGITS[word] if len(word) == 1 else 0
    return (_DIGITS.get(tens, 0) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)


class _Found:
    """The fields found so far, and the candidates for those that may stand in several places."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: dict[str, Span] = {}
        self.titles: list[Unit] = []
        self.names: list[tuple[int, int]] = []
        self.signed: list[tuple[int, int, datetime.date]] = []  # dates of signatures
        self.printed: list[tuple[int, int, datetime.date]] = []  # dates that the header or a table tells

    def put(self, field: str, start: int, end: int) -> None:
        """Set a field; what was found first stands."""
        if start < end:
            self.spans.setdefault(field, Span(start, end, self.text[start:end]))

    def value(self, field: str) -> str | None:
        span = self.spans.get(field)
        return span.text if span else None


def header(draft: Draft, units: Sequence[Unit], first_body: int) -> Header:
    """Read the header fields off the units that are header, salutation or signature.

    Args:
        draft: its date wins over the one written.
        units: with their roles.
        first_body: index of the first unit that is the letter's matter; the head ends there.
    """
    f = frame()
    found = _Found(draft.text)
    for i, unit in enumerate(units):
        in_head = i < first_body
        if unit.role is Role.METADATA:
            _metadata(f, unit, found, in_head)
        elif unit.role is Role.TITLE and in_head:
            found.titles.append(unit)
        elif unit.role is Role.SALUTATION and in_head:
            _recipient(f, unit, found)
        elif unit.role is Role.SIGNATURE:
            _signature(f, unit, found)
        elif unit.role is Role.OPENING and (m := f.addressed.match(unit.text)):
            found.put("recipient", unit.start + m.start("who"), unit.start + m.end("who"))
    _title(f, found)
    # The longest name is the fullest.
    for start, end in sorted(found.names, key=lambda s: (-len(draft.text[s[0] : s[1]].strip()), s)):
        found.put("agency", start, end - _trailing(draft.text[start:end]))
    date = draft.date
    written = found.signed or found.printed
    if written:
        start, end, latest = max(written, key=lambda d: d[2])
        found.put("date", start, end)
        date = date or latest
    return Header(
        kind=_kind(f, found.value("recipient") or "", found.value("title") or "", units, first_body),
        agency=found.value("agency"),
        date=date,
        recipient=found.value("recipient"),
        title=found.value("title"),
        doc_number=found.value("doc_number"),
        result_code=found.value("result_code"),
        publicity=found.value("publicity"),
        spans=found.spans,
    )


def _signature(f: Frame, unit: Unit, found: _Found) -> None:
    m = f.signature.match(unit.text)
    if m:
        _add_date(found.signed, unit, m.start("date"), m.end("date"))
        if m["agency"]:
            found.names.append((unit.start + m.start("agency"), unit.start + m.end("agency")))
    elif not f.month_only.match(unit.text):
        found.names.append((unit.start, unit.end))


def _trailing(text: str) -> int:
    """How many characters at the end of a name are not of it: spaces, （盖章）."""
    return len(text) - len(re.sub(r"[（(](?:代?章|盖章|印章|公章)[）)]$", "", text.rstrip()).rstrip())


def _add_date(dates: list[tuple[int, int, datetime.date]], unit: Unit, start: int, end: int) -> None:
    found = parse_date(unit.text[start:end])
    if found:
        dates.append((unit.start + start, unit.start + end, found))


def _metadata(f: Frame, unit: Unit, found: _Found, in_head: bool) -> None:
    """Result code, publicity and document number, which may share one line; and what index tables tell."""
    text, base, put = unit.text, unit.start, found.put

    def put_value(field: str, m: re.Match[str] | None) -> None:
        if m:
            put(field, base + m.start("value"), base + m.end("value"))

    if m := f.date_row.search(text):
        _add_date(found.printed, unit, m.start("value"), m.end("value"))
    if m := f.agency_row.search(text):
        found.names.append((base + m.start("value"), base + m.end("value")))
    elif in_head and not f.index.match(text) and f.agency.match(text):
        found.names.append((base, unit.end))
    put_value("result_code", f.result.search(text))
    if f.publicity_line.match(text) or f.publicity_label.search(text):
        put_value("publicity", f.publicity.search(text))
    if not in_head:
        return
    put_value("result_code", f.code_line.match(text))
    m = f.doc_number.search(text)
    if m:
        label = re.match(r"发文字号|文号", m.group())
        put("doc_number", base + m.start() + (label.end() if label else 0), base + m.end())
        put_value("publicity", f.publicity.search(text, m.end()))
    elif f.doc_line.match(text) and (m := re.search(r"[一-鿿]{2,12}第\d{1,5}号", text)):
        put("doc_number", base + m.start(), base + m.end())
    if f.doc_line.match(text):
        put_value("result_code", f.code_tail.search(text))


def _recipient(f: Frame, unit: Unit, found: _Found) -> None:
    text, base, put = unit.text, unit.start, found.put
    if m := f.code_tail.search(text):
        put("result_code", base + m.start("value"), base + m.end("value"))
    m = re.match(
        rf"(?:{DATE}[\s　]*)?(?:尊敬的|亲爱的)?[\s　]*(?P<who>[^：:！!，,。]*?)[\s　]*"
        r"(?:(?:您|你|您们|你们|大家)好|[：:！!，,。]|$)",
        text,
    )
    if m and m["who"]:
        put("recipient", base + m.start("who"), base + m.end("who"))


def _title(f: Frame, found: _Found) -> None:
    """The title; one that the page broke is one stretch of text, one that stands twice is taken once."""
    if not found.titles:
        return
    first = found.titles[0]
    end = first.end
    if len(found.titles) > 1 and not f.title.match(first.text):
        end = found.titles[1].end
    found.put("title", first.start, end)
    for unit in found.titles:
        if m := _TITLE_CODE.search(unit.text):
            found.put("result_code", unit.start + m.start("value"), unit.start + m.end("value"))
    m = _PREFIX.match(found.text[first.start : end])
    if m and not m["agency"].startswith(("关于", "对")):
        found.names.append((first.start + m.start("agency"), first.start + m.end("agency")))


def _kind(f: Frame, who: str, title: str, units: Sequence[Unit], first_body: int) -> Kind | None:
    """Suggestion or proposal by who is addressed; the title only when the address does not tell."""
    if who and not (f.agency.match(who) and not f.party.search(who)):
        if f.member.search(who):
            return Kind.PROPOSAL
        if f.deputy.search(who):
            return Kind.SUGGESTION
        if re.search("人大", who):
            return Kind.SUGGESTION
        if f.citizen.search(who) or who in ("您", "你"):
            return Kind.MESSAGE
    near = title or "".join(u.text for u in units[: first_body + 2])[:400]
    proposal = bool(re.search("政协|提案", near))
    suggestion = bool(re.search("人大|人民代表大会|代表建议|号建议|议案", near))
    if proposal != suggestion:
        return Kind.PROPOSAL if proposal else Kind.SUGGESTION
    if "政府工作报告" in title:
        return Kind.REPORT
    return Kind.MESSAGE if re.search("网友|网民|留言|来信", near) else None
