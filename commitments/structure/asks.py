"""What is asked (诉求): given, split from the suggestion, or found in the reply itself.

The reply names what it answers in headings, as “建议一”, in its opening or in its title; the first of these
that yields something is taken. Which measure answers which ask is `commitments.link`'s work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from commitments.draft import Header, Unit
from commitments.reply import Ask, Span
from commitments.structure.outline import Outline, item
from commitments.terms import AskOrigin, Role

_N = "一二三四五六七八九十"
# A heading that names an ask: “关于……的建议”, “关于……问题”, “第二条建议”.
_ASKING = re.compile(
    r"^(?:关于|针对|对于?|就)(?:您|你|你们|代表|委员|提案)?(?:提出的|所提的?|反映的)?.{2,}|(?:建议|提案|问题|诉求|意见)$|^第.{1,3}(?:条|点|个|项)"
)
_NOT_ASKING = re.compile(
    r"下一步|下步|今后|打算|工作(?:情况|安排|计划|思路|措施|重点|进展|成效|开展)|基本情况|总体情况|现状|存在(?:的)?(?:问题|困难)|办理情况"
    r"|主要做法|已(?:经)?(?:开展|做)|目前|取得|处理(?:情况|意见|结果)|调查(?:情况|结果)|核实|回复如下|背景|处置情况|几点(?:意见|说明)|工作建议|意见建议$|相关政策|政策依据"
)
_QUOTED = re.compile(r"《(?P<book>[^《》]{4,120})》|“(?P<quote>[^“”]{4,120})”|\"(?P<plain>[^\"]{4,120})\"")
_ABOUT = re.compile(
    r"(?P<ask>关于[^，。；：:《》]{3,80}?(?:的建议|的提案|的议案|的意见|建议|提案|的问题|问题|一事|事宜|事项))(?!的答复)"
)
_IN_TITLE = re.compile(
    r"[“《](?P<quoted>[^”》]{4,100})[”》]|(?P<ask>关于(?!.{0,14}(?:人大|政协|届|代表|第\S{1,12}号)).{3,80}?(?:建议|提案|问题))的?(?:答复|复函|回复|的函|办理)"
)
_FUSED = re.compile(r"收悉|如下[：:。，,]")
_PROPOSED = re.compile(
    r"(?:提出|反映)的(?P<ask>[^，。；：:《》]{4,80}?的?(?:建议|提案|问题))(?=[，,。；：:由已经转收])"
)
_NUMBERED_TITLE = re.compile(
    r"(?:关于|对)(?P<ask>(?:[^，。；]{2,40}?)第\S{1,20}号[^，。；]{0,12}?(?:建议|提案|议案))"
)
_POINT = re.compile(rf"(?:建议|意见|问题|诉求)[{_N}]")
_NOT_TOPIC = re.compile(
    _NOT_ASKING.pattern
    + r"|^抓|做法|成效|难点|底数|办法|攻坚|情况$|说明|安排|思路|举措|打算|措施|不足|规划$|方向|其他|部署"
    r"|进展|后续|已经|正在|^要|^马上|^(?:坚持|加快|推动|夯实|强化|丰富|健全|深入|不断|持续|提升|优化|坚决|完善|探索|盘活)"
)
_DEMAND = re.compile(
    r"建议|请问|希望|请求|恳请|恳求|请.{0,8}(?:解决|处理|给|帮|核实|回复|答复|领导|政府|部门)|要求|强烈要求|能否|能不能|可否|是否|应当|应该|什么时候|何时|为什么|为何|怎么|如何|多久|多少|哪|什么|吗[？?]|呢[？?]|[？?]"
)
_SENTENCE = re.compile(r"[^。！？!?；;\n]*(?:[。！？!?；;]+[”’」』）)]*|\n|$)")
_LIST = re.compile(
    rf"(?:^|(?<=[。！？!?；;：:，,\s\n]))(?:[{_N}]{{1,2}}、|[（(][{_N}\d]{{1,2}}[）)]|\d{{1,2}}[、.．](?!\d)|[①-⑩]|[{_N}]是|第[{_N}][，,、点条：:])"
)


def given(suggestion: Sequence[str]) -> tuple[Ask, ...]:
    """The caller's own list, in its order.

    >>> [(ask.id, ask.text) for ask in given(["修路", "架桥"])]
    [('S1', '修路'), ('S2', '架桥')]
    """
    return tuple(Ask(f"S{n}", text, AskOrigin.GIVEN) for n, text in enumerate(suggestion, 1))


def split(suggestion: str, limit: int = 12) -> tuple[Ask, ...]:
    """Split a suggestion or a citizen's message into its demands (诉求).

    Numbered items are asks when they are announced as such, or when at least two of them hold a demand;
    otherwise each sentence that begins with 建议 is one, if there are two. Any other text is one ask.

    Args:
        suggestion: the text of the suggestion.
        limit: most asks that a text is split into.

    >>> [a.text for a in split("我区停车难。建议：一、增加泊位。二、开放机关车场。")]
    ['一、增加泊位。', '二、开放机关车场。']
    """
    text = suggestion.strip()
    if not text:
        return ()
    parts = _numbered(text)
    if not parts:
        parts = [
            s
            for s in _sentences(text)
            if re.match(r"[，,\s]*(?:\S{0,6}[，,])?(?:二是|三是|一是)?建议(?!已|被|书)", s)
        ]
        if len(parts) < 2:
            parts = [text]
    return tuple(Ask(f"S{n}", part, AskOrigin.SUGGESTION) for n, part in enumerate(parts[:limit], 1))


def _sentences(text: str) -> list[str]:
    return [m.group().strip() for m in _SENTENCE.finditer(text) if m.group().strip()]


def _numbered(text: str) -> list[str]:
    """The items of the first list in a text that hold demands."""
    starts: list[tuple[str, int]] = []
    for m in _LIST.finditer(text):
        it = item(text[m.start() : m.start() + 8])
        if it:
            starts.append((it.kind, m.start()))
    by_kind: dict[str, list[int]] = {}
    for kind, at in starts:
        by_kind.setdefault(kind, []).append(at)
    for kind in ("chapter", "paren", "number", "bracket", "circle", "nth", "one"):
        places = by_kind.get(kind, [])
        if len(places) < 2:
            continue
        items = [text[a:b].strip() for a, b in zip(places, [*places[1:], len(text)], strict=True)]
        if re.search(r"建议|请求|请问|咨询|希望|诉求|问题", text[max(0, places[0] - 60) : places[0]]):
            return items
        demanding = [x for x in items if _DEMAND.search(x)]
        if len(demanding) > 1:
            return demanding
    return []


def find(
    text: str, units: Sequence[Unit], plan: Outline, header: Header
) -> tuple[tuple[Ask, ...], dict[int, str]]:
    """Find the asks that a reply names.

    Args:
        text: of the draft.
        units: with their roles.
        plan: the sections, the unit that opens each and its kind of ordinal.
        header: its title is the last resort.

    Returns:
        The asks, and for each section whose heading names one, its id.
    """
    opening = _from_opening(text, units)
    named = _from_headings(text, units, plan, len(opening))
    if named:
        return named
    return tuple(_restated(text, units) or opening or _from_title(text, header)), {}


def _ask(n: int, text: str, start: int, end: int, origin: AskOrigin) -> Ask:
    return Ask(f"S{n}", text[start:end], origin, (Span(start, end, text[start:end]),))


def asking(title: str) -> bool:
    """Whether a heading names an ask.

    >>> asking("关于增设公交站点的建议"), asking("下一步工作打算"), asking("基本情况")
    (True, False, False)
    """
    return bool(_ASKING.search(title)) and not _NOT_ASKING.search(title)


def _from_headings(
    text: str, units: Sequence[Unit], plan: Outline, others: int
) -> tuple[tuple[Ask, ...], dict[int, str]] | None:
    """The headings of the outermost level at which some name an ask.

    Bare headings (“一、师资队伍”) name asks when at least two of them stand together and none of their level
    tells what was done or what comes next, save the last one.
    """
    levels: dict[int, list[int]] = {}
    for n, section in enumerate(plan.sections):
        levels.setdefault(section.level, []).append(n)
    for level in sorted(levels):
        members = levels[level]
        chosen = [n for n in members if asking(plan.sections[n].title) or _named_point(plan, n)]
        # One heading “关于……” among others that name no ask is a topic, unless it says 建议.
        if len(chosen) < 2 and not (chosen and re.search(r"(?:建议|提案)$", plan.sections[chosen[0]].title)):
            chosen = _bare(units, plan, members) if level == 1 else []
        if len(chosen) < 2 and not (chosen and level == 1 and not others):
            continue
        asks: list[Ask] = []
        by_section: dict[int, str] = {}
        for n in chosen:
            unit, title = units[plan.heads[n]], plan.sections[n].title
            at = text.find(title, unit.start, unit.end)
            if at < 0 or not title:
                continue
            origin = AskOrigin.ORDINAL if plan.kinds[n] == "point" else AskOrigin.HEADING
            asks.append(_ask(len(asks) + 1, text, at, at + len(title), origin))
            by_section[n] = asks[-1].id
        if asks:
            return tuple(asks), by_section
    return None


def _named_point(plan: Outline, n: int) -> bool:
    return plan.kinds[n] == "point" or (plan.kinds[n] == "box" and bool(_POINT.match(plan.sections[n].title)))


def _bare(units: Sequence[Unit], plan: Outline, members: Sequence[int]) -> list[int]:
    """The headings of one level, when all are topics."""
    marked = [n for n in members if plan.kinds[n] not in ("plain", "topic", "number", "bracket", "circle")]
    marked = [n for n in marked if units[plan.heads[n]].role in (Role.HEADING, Role.LEAD)]
    topics = [n for n in marked if not _NOT_TOPIC.search(plan.sections[n].title)]
    known = set(topics)
    rest = [n for n in marked if n not in known]
    if len(topics) < 2 or any(n < topics[-1] for n in rest) or len(rest) > 1:
        return []
    return topics


def _restated(text: str, units: Sequence[Unit]) -> list[Ask]:
    """The demands that the letter repeats as a list, in its own units."""
    listed = [u for u in units if u.role is Role.SUGGESTION]
    return [_ask(n, text, u.start, u.end, AskOrigin.OPENING) for n, u in enumerate(listed, 1)]


def _from_opening(text: str, units: Sequence[Unit]) -> list[Ask]:
    """The demands that the opening repeats: quoted, or bare 关于……的建议."""
    for unit in units:
        if unit.role in (Role.HEADING, Role.LEAD):
            break
        if unit.role not in (Role.OPENING, Role.BODY):
            continue
        line = unit.text[:400]
        if unit.role is Role.BODY:
            # The answer runs on behind the opening: “……收悉，现答复如下：一、……”
            fused = _FUSED.search(line)
            if fused is None:
                break
            line = line[: fused.start()]
        found: list[tuple[int, int]] = []
        about = [m.span("ask") for m in _ABOUT.finditer(line)]
        for m in _QUOTED.finditer(line):
            start, end = m.span(m.lastgroup or 0)
            if any(a < start and end < b for a, b in about):
                continue
            if not re.match(
                r"的?(?:代表)?(?:建议|提案|问题|诉求|留言|来信|咨询|意见)", line[m.end() : m.end() + 12]
            ) and not re.search(r"(?:建议|提案|问题|议案|事宜)$", line[start:end]):
                continue
            if not re.search(r"平台|栏目|根据|按照|在$", line[max(0, m.start() - 5) : m.start()]):
                found.append((start, end))
        if not found:
            found = about or [m.span("ask") for m in _PROPOSED.finditer(line)]
        if found:
            return [
                _ask(n, text, unit.start + start, unit.start + end, AskOrigin.OPENING)
                for n, (start, end) in enumerate(found, 1)
            ]
    return []


def _from_title(text: str, header: Header) -> list[Ask]:
    """The demand quoted in the title; else the suggestion that the title names by its number."""
    title = header.spans.get("title")
    if title is None:
        return []
    m = _IN_TITLE.search(title.text) or _NUMBERED_TITLE.search(title.text)
    if m is None:
        return []
    start, end = m.span(m.lastgroup or 0)
    return [_ask(1, text, title.start + start, title.start + end, AskOrigin.TITLE)]
