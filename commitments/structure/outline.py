"""Headings, list items and lead-ins: the order inside a letter.

`item` reads the ordinal at the start of a unit; `outline` finds headings (小标题) and lead-ins (领起句) and
builds the sections. Which asks the headings name is `asks`' work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from commitments.draft import Unit
from commitments.lexicon import table
from commitments.reply import Section
from commitments.structure.frame import alternatives
from commitments.terms import Role

_N = "一二三四五六七八九十"
_ITEM = re.compile(
    rf"(?P<chapter>[{_N}]{{1,3}}[、．.](?![{_N}][、是产级类线])\s*)"
    rf"|(?P<paren>[（(][{_N}]{{1,3}}[）)][、．.]?\s*)"
    r"|(?P<number>\d{1,2}\s?[、．.](?!\d)\s*)"
    r"|(?P<bracket>[（(]\d{1,2}[）)][、．.]?\s*)"
    r"|(?P<circle>[①-⑳]\s*)"
    rf"|(?P<one>[{_N}]{{1,2}}[是要](?![{_N}要否不因为什]))"
    r"|(?P<first>(?:首先|其次|再次|再者)(?:[，,、]|是(?!否)|要))"
    rf"|(?P<nth>(?:第[{_N}]{{1,2}}|其[一二三四五六七八九])[，,、：:是])"
    rf"|(?P<point>(?:关于|针对|对于?|就)?(?:您|你|你们|委员|代表|贵\S)?(?:在?(?:提案|建议)中)?(?:提出的|提到的|所提的?)?第[{_N}\d]{{1,2}}[、第{_N}\d和]{{0,8}}(?:个|条|点|项|件)(?:建议|意见|问题|诉求|事|提案)?(?=[，,、：:。“]|$)[，,、：:]?"
    rf"|(?:您|你们?|代表|委员)?(?:提出)?的?(?:建议|问题|意见|诉求)[{_N}](?=[，,、：:。\s]|$)[，,、：:]?\s*|[{_N}]问)"
    rf"|(?P<part>第[{_N}]{{1,2}}(?:部分|章|篇)[：:、，\s]*)"
    r"|(?P<bullet>(?:——|[■●◆▲★◇□►▶•·]|○(?=\s))\s*)"
    r"|(?P<box>【[^】]{1,30}】)"
)
AHEAD = re.compile(r"下一?步|今后|接下来|最后|下一阶段|综上|总之|再次")
_DIGIT = {c: n for n, c in enumerate("〇一二三四五六七八九")}
_SECTION_KINDS = frozenset(
    {"part", "chapter", "paren", "number", "bracket", "circle", "bullet", "box", "point", "topic", "plain"}
)
_ROW = re.compile(r"\s[|｜]\s")  # cells of a table
# “一、完善制度我局起草了……”: where the answer runs on behind its title, it opens with one of these.
_ANSWERS = re.compile(r"我[局委厅部办院们]|今年|去年|近年|截至|下一?步|(?:19|20)\d\d年")
_ENDS = "。.；;！!？?：:，,、 　"


class Item(NamedTuple):
    """An ordinal at the start of a unit."""

    kind: str
    end: int
    number: int | None


def number(text: str) -> int | None:
    """The first number in an ordinal, Chinese or Arabic.

    >>> number("第十二条"), number("（三）"), number("4."), number("——")
    (12, 3, 4, None)
    """
    if m := re.search(r"\d{1,3}", text):
        return int(m.group())
    if m := re.search(r"[①-⑳]", text):
        return ord(m.group()) - ord("①") + 1
    m = re.search(rf"[{_N}]+", text)
    if not m:
        return None
    word = m.group()
    tens, ten, ones = word.rpartition("十")
    if not ten:
        return _DIGIT[word[0]]
    return (_DIGIT.get(tens, 1) if tens else 1) * 10 + (_DIGIT.get(ones, 0) if ones else 0)


def item(text: str) -> Item | None:
    """The ordinal that a unit starts with.

    >>> item("（二）完善服务。").kind, item("一是加强宣传。").number, item("一、二、三产业增速较快。")
    ('paren', 1, None)
    """
    m = _ITEM.match(text)
    if not m:
        return None
    kind = str(m.lastgroup)
    return Item(kind, m.end(), None if kind in ("bullet", "box") else number(m.group()))


class _Leads:
    def __init__(self) -> None:
        lead = table("structure")["lead"]
        self.blockers = re.compile(
            rf"{alternatives(lead['blockers'])}|\d|[一二两三四五六七八九十百]+(?:个|条|所|处|次|项|家|人|名|万|亿)"
        )
        self.verbs = re.compile(alternatives(lead["verbs"]))
        # “关于路灯不亮的问题。” is a topic wherever it stands; so is “具体做法有：” and “经查：”.
        self.named = re.compile(
            r"(?:关于|针对)[^，。；]{2,60}(?:问题|情况|事宜|现象|建议|意见|诉求|咨询|事项|方面)[。：:]$"
            r"|抓[^，。；\d]{1,8}。$"
        )
        self.announces = re.compile(r"[^，。；、\d]{0,17}[：:]$|[^，。；、\d]{2,14}如下。$")
        self.topics = re.compile(
            r"(?:(?:再|先|最后|接着)(?:说|谈|讲|报告|汇报)[^，。]{1,14}|(?:关于|针对|至于)[^，。；：:]{2,40}"
            r"|[^，。；：:]{2,30}(?:方面|环节|上)|在[^，。；：:]{2,30}(?:方面|上|中))[。：:]?$"
        )


@cache
def _leads() -> _Leads:
    return _Leads()


class Outline(NamedTuple):
    """What `outline` found."""

    roles: dict[int, Role]
    sections: list[Section]
    unit_section: dict[int, int]
    heads: list[int]
    kinds: list[str]


def heading_title(text: str, start: int, alone: bool) -> str:
    """The title in a unit that opens a section, when its answer may follow on the same line.

    Args:
        text: of the unit.
        start: where its ordinal ends.
        alone: whether nothing else stands on its line.

    >>> heading_title("一、关于修路的建议我局已修路三公里。", 2, alone=False)
    '关于修路的建议'
    """
    rest = text[start:]
    if m := re.match(r"【([^】]{1,30})】", text):
        # “【问题一】怎么推进？”: the box holds only the ordinal.
        return text.strip(_ENDS) if alone and len(text) <= 60 and m.end() < len(text) - 1 else m.group(1)
    if not rest.strip(_ENDS):
        return text.strip(_ENDS)
    if not alone or len(rest) > 60 or rest[-1:] in ("。", "；", ";"):
        if m := re.match(
            r"(?:关于|针对|对|就)[^。；：:]{2,60}?(?:的建议|的问题|的提案|建议|问题|方面|事宜|情况)(?=[^的和与、）”》]|$)",
            rest,
        ):
            return m.group().strip(_ENDS)
        m = re.match(r"[^。；：:，,！？?]{1,40}", rest)
        if not m:
            return ""
        title = m.group().strip(_ENDS)
        answer = None if rest[m.end() : m.end() + 1] in tuple("。；：:") else _ANSWERS.search(title, 4)
        if answer:
            title = title[: answer.start()]
        quoted = re.fullmatch(r"“([^“”]+)”", title)
        return quoted[1] if quoted else title
    return rest.strip(_ENDS)


def outline(
    units: Sequence[Unit],
    letter: Sequence[int],
    frame_roles: Mapping[int, Role],
    opens: Sequence[bool],
    alone: Sequence[bool],
    lead_length: int,
) -> Outline:
    """Find headings and lead-ins, and nest the sections.

    Args:
        units: all units of the draft.
        letter: indices of those that belong to the letter.
        frame_roles: roles already given.
        opens: for each unit, whether it starts its line.
        alone: for each unit, whether nothing else stands on its line.
        lead_length: longest lead-in, in characters.

    Returns:
        Roles of headings and lead-ins, the sections, the section of each unit, and the unit and the kind of
        ordinal that open each section.
    """
    body = [i for i in letter if i not in frame_roles]
    items = {i: item(units[i].text) for i in body}
    roles = _lead_roles(units, body, items, opens, alone, lead_length)
    titles: list[str] = []
    levels: list[int] = []
    parents: list[int | None] = []
    starts: list[int] = []
    ends: list[int] = []
    heads: list[int] = []
    kinds: list[str] = []
    stack: list[tuple[str, int]] = []
    unit_section: dict[int, int] = {}
    for i in body:
        unit, it, role = units[i], items[i], roles.get(i)
        kind = _opens_section(unit.text, it, role, opens[i], alone[i])
        # “…方面。” opens one paragraph: it holds neither a heading nor a closing part that looks ahead.
        ahead = opens[i] and AHEAD.match(unit.text)
        if stack and stack[-1][0] == "topic" and (ahead or (kind and role is Role.HEADING)):
            stack.pop()
        if kind:
            while any(kind == known for known, _ in stack):
                if stack.pop()[0] == kind:
                    break
            titles.append(heading_title(unit.text, it.end if it and kind != "box" else 0, alone[i]))
            parents.append(stack[-1][1] if stack else None)
            stack.append((kind, len(heads)))
            levels.append(len(stack))
            starts.append(unit.start)
            ends.append(unit.end)
            heads.append(i)
            kinds.append(kind)
        if stack:
            unit_section[i] = stack[-1][1]
            ends[stack[-1][1]] = unit.end
    for index in range(len(heads) - 1, -1, -1):
        parent = parents[index]
        if parent is not None:
            ends[parent] = max(ends[parent], ends[index])
    sections = [Section(n, titles[n], levels[n], starts[n], ends[n], parents[n]) for n in range(len(heads))]
    return Outline(roles, sections, unit_section, heads, kinds)


def _opens_section(text: str, it: Item | None, role: Role | None, opens: bool, alone: bool) -> str:
    """The kind of section that a unit opens; empty when it opens none."""
    if it is None:
        if role is Role.HEADING:
            return "" if _ROW.search(text) else "plain"
        return "topic" if role is Role.LEAD and opens and _leads().topics.match(text) else ""
    if it.kind not in _SECTION_KINDS:
        return ""
    named = role in (Role.HEADING, Role.LEAD) or it.kind in ("part", "chapter", "point", "box")
    # “（一）机构和队伍，按……组建到位。……”: the answer follows its title on the same line.
    return it.kind if named or (it.kind in ("paren", "number") and opens and not alone) else ""


def _lead_roles(
    units: Sequence[Unit],
    body: Sequence[int],
    items: Mapping[int, Item | None],
    opens: Sequence[bool],
    alone: Sequence[bool],
    lead_length: int,
) -> dict[int, Role]:
    """HEADING and LEAD, for the units that are certainly one."""
    leads = _leads()
    roles: dict[int, Role] = {}
    for n, i in enumerate(body):
        text = units[i].text
        if len(text) > 70:
            continue
        it = items[i]
        after = body[n + 1] if n + 1 < len(body) else None
        if alone[i]:
            # What ends like a sentence is a heading only if it is spelled out below.
            bare = it is not None and text[-1] in "。！!" and not _spelled_out(it, after, items)
            if not bare and _is_heading(text, it, leads):
                roles[i] = Role.HEADING
            continue
        if after is None or units[after].paragraph != units[i].paragraph:
            continue
        rest = text[it.end :] if it else text
        if leads.named.match(rest) or (len(rest) <= 18 and leads.announces.match(rest)):
            roles[i] = Role.LEAD
            continue
        if len(rest) > lead_length or text[-1] not in "。：:":
            continue
        following = items[after]
        if it:
            if following and following.kind == it.kind:
                continue
            if leads.blockers.search(rest):
                continue
            roles[i] = Role.LEAD
        elif opens[i] and _is_topic(text, leads):
            roles[i] = Role.LEAD
    _agree(units, body, items, roles)
    return roles


def _spelled_out(it: Item, after: int | None, items: Mapping[int, Item | None]) -> bool:
    """Whether text follows an item, and not the next item of its list."""
    if after is None:
        return False
    following = items[after]
    return following is None or following.kind != it.kind


def _is_topic(text: str, leads: _Leads) -> bool:
    """Whether a short sentence at the start of a paragraph only names what the paragraph is about."""
    if leads.topics.match(text):
        return True
    if len(text) > 22 or not leads.verbs.match(text) or leads.blockers.search(text):
        return False
    return "，" not in text or text.startswith(("抓", "立足", "聚焦", "坚持"))


def _is_heading(text: str, it: Item | None, leads: _Leads) -> bool:
    """Whether a unit that has its line to itself is a heading."""
    last = text[-1]
    if it and it.kind != "one":
        if last in "；;，,":
            return False
        if last in "。！!：:":
            return len(text) <= 40 and not leads.blockers.search(text[it.end :])
        return len(text) <= 60 and not re.search(r"[，,].*[，,].*[，,]", text)
    if last in "。；;！!，,：:、…" or len(text) > 30:
        return False
    return not re.search(r"\d{4}|[，,；]", text)


def _agree(
    units: Sequence[Unit], body: Sequence[int], items: Mapping[int, Item | None], roles: dict[int, Role]
) -> None:
    """Items of one series are of one make: one that lists measures (一是…。二是…。) has no lead-ins."""
    series: dict[str, list[tuple[int, bool]]] = {}

    def close(kind: str) -> None:
        members = series.pop(kind, [])
        if len(members) > 1 and sum(lead for _, lead in members) * 2 <= len(members):
            for i, _ in members:
                if roles.get(i) is Role.LEAD or (i in roles and units[i].text[-1] in "。！!"):
                    del roles[i]

    for i in body:
        it = items[i]
        if not it or it.kind not in (
            "one",
            "first",
            "nth",
            "number",
            "bracket",
            "circle",
            "paren",
            "chapter",
        ):
            continue
        if it.number == 1:
            close(it.kind)
        series.setdefault(it.kind, []).append((i, roles.get(i) in (Role.LEAD, Role.HEADING)))
    for kind in list(series):
        close(kind)
