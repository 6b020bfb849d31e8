"""Links: which asks (诉求) each measure answers, with the rule and the reason.

A letter answers its asks in stretches, mostly in their order. So the units are read as one sequence whose
hidden state is the ask being answered: headings and ordinals that name an ask hold for their section, words
shared with an ask speak for it, and going on with the same ask is likelier than jumping. The best sequence is
found by dynamic programming (A. J. Viterbi, “Error bounds for convolutional codes”, IEEE Trans. Inf. Theory
13, 1967), with jumps from the best state so far: time is linear in units and asks. What is asked is found in
`commitments.structure`; whether a unit is a measure at all is the tagger's decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from commitments import overlap
from commitments.draft import Draft, Unit
from commitments.reply import Link, Section
from commitments.structure.outline import item, number
from commitments.terms import Role, Status

_READ = frozenset({Role.BODY, Role.OPENING, Role.LEAD, Role.HEADING})
_N = "一二三四五六七八九十"
_ORDINALS = re.compile(
    rf"(?:第(?P<nth>[{_N}\d]{{1,2}}(?:[、和及]第?[{_N}\d]{{1,2}}){{0,6}})(?:个|条|点|项|件|方面)(?:的)?(?:建议|意见|问题|诉求|提案|事)?"
    rf"|(?:建议|意见|问题|诉求|诉求事项)(?P<after>[{_N}]))"
)
_AHEAD = re.compile(r"下一?步|今后|接下来|下一阶段|下阶段|后续|往后|未来|综上|总之|最后")
# The unit speaks of the suggestion as a whole, or of the handling of it.
_GENERAL = re.compile(
    r"(?:以上|上述|各项|所有|全部|这些|[两二三四五六七八几]\s?(?:项|条|方面|点|个))(?:事项|的?建议|的?意见|的?提案|问题|部署)"
    r"|(?:建议|提案)的?(?:办理|落实)(?:情况|进展)|(?:把|将)(?:您|你们?|代表|委员|提案|\S代表|\S委员|贵\S{1,3})[^，。]{0,8}(?:建议|意见|内容)[^，。]{0,6}(?:落实|吸纳|印送|纳入|融入|作为)"
    r"|向(?:您|代表|委员|贵\S{1,3}|各位代表|各位委员)(?:再)?(?:通报|报告|反馈|汇报|作|做|书面)"
)

_ALL_WORDS = (
    "建议",
    "意见",
    "提案",
    "事项",
    "问题",
    "部署",
    "内容",
    "向您",
    "向代表",
    "向委员",
    "向各位",
    "向贵",
)


class LinkConfig(msgspec.Struct, frozen=True):
    """Defaults of this stage; points are in units of one rare word shared with an ask.

    Attributes:
        section: points of a heading that names the ask, for each unit in its section.
        ordinal: points of words like 第二条建议, for the unit that holds them.
        listed: points of item n of a list with as many items as asks, for ask n.
        stay: points of answering the same ask as the unit before, on the same line.
        onward: points of going on to the next ask at a new line or list item.
        jump: points lost by any other change.
        start: points lost by beginning with another ask than the first.
        power: exponent that dampens the points of a unit with many shared words.
        length: how far the words of a longer ask count less, from 0 to 1.
        smooth: added to the number of asks, so that a word of all asks still counts a little.
        spread: weight of the words of an ask's section, beside the ask's own.
        heading: how alike a heading and a given ask must be, from 0 to 1, for the heading to name the ask.
        least: points of the best ask below which a part of no section may be said to answer all.
        words: most pairs of characters that one ask is known by.
        most: asks above which only headings and ordinals link, to keep time linear.
    """

    section: float = 6.0
    ordinal: float = 4.0
    listed: float = 1.0
    stay: float = 1.0
    onward: float = -0.3
    jump: float = 0.6
    start: float = 1.2
    power: float = 0.75
    length: float = 0.6
    smooth: float = 0.5
    spread: float = 0.2
    heading: float = 0.4
    least: float = 1.0
    words: int = 4000
    most: int = 40


class _Scope(NamedTuple):
    """Asks that a heading or an ordinal names for a unit."""

    asks: frozenset[int]
    by: str
    reason: str


def link(draft: Draft, config: LinkConfig = LinkConfig()) -> Draft:  # noqa: B008 - frozen
    """Say for each measure which asks it answers.

    Args:
        draft: structured, and tagged; without decisions every unit of role BODY counts as a measure.
        config: defaults of this stage.

    Returns:
        The draft with one link for each unit; units that are no measure have an empty one.

    >>> from commitments.reply import Ask
    >>> text = "公园已建成。"
    >>> unit = Unit(0, 6, text, 0)
    >>> link(Draft(text=text, units=(unit,), asks=(Ask("S1", "关于建公园的建议"),))).links[0].asks
    ('S1',)
    """
    measures = _measures(draft)
    count = len(draft.asks)
    if count == 0:
        none = Link(by="none", reason="no candidate: the reply names no ask")
        return _set(draft, measures, dict.fromkeys(range(len(draft.units)), none))
    if count == 1:
        only = Link((draft.asks[0].id,), "single", "the only ask", 1.0)
        return _set(draft, measures, dict.fromkeys(range(len(draft.units)), only))
    matter = [i for i, u in enumerate(draft.units) if u.role in _READ]
    scopes = _scopes(draft, matter, config)
    if count > config.most:
        links = {i: _named_only(draft, scopes.get(i)) for i in matter}
        return _set(draft, measures, links)
    named = {i: next(iter(scope.asks)) if len(scope.asks) == 1 else None for i, scope in scopes.items()}
    texts = {i: draft.units[i].text for i in matter}
    how = overlap.Weighing(config.smooth, config.length, config.spread, config.words)
    words = overlap.points([ask.text for ask in draft.asks], texts, named, how)
    return _set(draft, measures, dict(_decide(draft, matter, scopes, words, config)))


def _named_only(draft: Draft, scope: _Scope | None) -> Link:
    """Where asks are too many to tell apart by their words."""
    if scope is None:
        return Link((), "none", f"no candidate: {len(draft.asks)} asks, and no heading names one")
    return Link(tuple(draft.asks[a].id for a in sorted(scope.asks)), scope.by, scope.reason, 0.95)


def _measures(draft: Draft) -> list[bool]:
    if draft.decisions:
        return [d.status is not Status.NONE for d in draft.decisions]
    return [u.role is Role.BODY for u in draft.units]


def _set(draft: Draft, measures: Sequence[bool], links: Mapping[int, Link]) -> Draft:
    empty = Link()
    made = tuple(links.get(i, empty) if measure else empty for i, measure in enumerate(measures))
    return msgspec.structs.replace(draft, links=made)


# --- headings and ordinals -------------------------------------------------------------------------------


def _scopes(draft: Draft, matter: Sequence[int], config: LinkConfig) -> dict[int, _Scope]:
    """The asks that a unit's section, or an ordinal in the unit, names."""
    ids = {ask.id: n for n, ask in enumerate(draft.asks)}
    sections = _section_asks(draft, ids, config)
    nearest: list[_Scope | None] = []
    for section in draft.sections:
        above = nearest[section.parent] if section.parent is not None else None
        nearest.append(sections.get(section.index, above))
    ends = _closing_part(draft, matter, nearest)
    scopes: dict[int, _Scope] = {}
    for i in matter:
        unit = draft.units[i]
        named = _ordinals(unit.text[:40], len(draft.asks))
        if named:
            scopes[i] = _Scope(named, "ordinal", f"the words “{_ORDINALS.search(unit.text)[0]}”")  # type: ignore[index]
            continue
        scope = nearest[unit.section] if unit.section is not None else None
        if scope is not None and i < ends:
            scopes[i] = scope
    return scopes


def _ordinals(text: str, count: int) -> frozenset[int]:
    """Indices of the asks that 第四、第五点建议 or 建议一 name."""
    found: set[int] = set()
    if not any(word in text for word in ("第", "建议", "意见", "问题", "诉求")):
        return frozenset()
    for m in _ORDINALS.finditer(text):
        word = m["nth"] or m["after"]
        # “第一条措施”: a list of the reply's own; it must speak of what was asked, or open the unit.
        if not re.search(r"建议|意见|问题|诉求|提案", m[0]) and m.start() > 4:
            continue
        for part in re.findall(rf"[{_N}]+|\d+", word):
            n = number(part)
            if n is not None and 1 <= n <= count:
                found.add(n - 1)
    return frozenset(found)


def _section_asks(draft: Draft, ids: Mapping[str, int], config: LinkConfig) -> dict[int, _Scope]:
    """The asks that each section's heading names: found so, alike in words, or by order."""
    named: dict[int, _Scope] = {}
    for section in draft.sections:
        if section.asks:
            asks = frozenset(ids[a] for a in section.asks if a in ids)
            named[section.index] = _Scope(asks, "section", f"under the heading “{section.title}”")
    if named or len(draft.asks) > config.most:
        return named
    likeness = overlap.Likeness([ask.text[: 2 * config.words] for ask in draft.asks])
    liked: dict[int, list[float]] = {}
    groups: dict[tuple[int | None, int], list[Section]] = {}
    for section in draft.sections:
        groups.setdefault((section.parent, section.level), []).append(section)
        reason = f"under the heading “{section.title}”"
        point = _ordinals(section.title, len(draft.asks))
        if point:
            named[section.index] = _Scope(point, "ordinal", reason)
            continue
        alike = likeness.of(section.title)
        liked[section.index] = alike
        best = max(alike)
        if best >= config.heading and alike.count(best) == 1:
            named[section.index] = _Scope(frozenset({alike.index(best)}), "section", reason)
    for (parent, _), group in groups.items():
        above = parent
        while above is not None and above not in named:
            above = draft.sections[above].parent
        if above is None:
            _by_order(group, liked, named, len(draft.asks))
    return named


_STATUS_HEADING = re.compile(
    r"下一?步|今后|打算|工作|情况|现状|存在|成效|做法|安排|措施|意见$|说明|困难|原因|其他|后续|思路|计划$|往后"
)


def _by_order(
    group: Sequence[Section], likeness: Mapping[int, Sequence[float]], named: dict[int, _Scope], count: int
) -> None:
    """As many topical headings as asks answer them in order, unless their words say otherwise."""
    topical = [s for s in group if not _STATUS_HEADING.search(s.title)]
    if len(topical) != count or any(s.index not in likeness for s in topical):
        return
    in_order = sum(likeness[s.index][n] for n, s in enumerate(topical))
    at_best = sum(max(likeness[s.index]) for s in topical)
    if in_order < 0.6 * at_best or (at_best == 0 and count < 3):
        return
    for n, section in enumerate(topical):
        alike = likeness[section.index][n] > 0
        reason = f"under the heading “{section.title}”"
        if not alike:
            reason = f"under heading {n + 1} of {count}, as many as asks: “{section.title}”"
        named[section.index] = _Scope(frozenset({n}), "section" if alike else "order", reason)


def _closing_part(draft: Draft, matter: Sequence[int], scopes: Sequence[_Scope | None]) -> int:
    """First unit of a general closing part that stands in the last ask's section, else past the end.

    It opens a line with 下一步 or the like under the last heading that names an ask, and no other ask's
    section has such a line.
    """
    marks: list[tuple[int, frozenset[int]]] = []
    last: frozenset[int] = frozenset()
    for n, i in enumerate(matter):
        unit = draft.units[i]
        scope = scopes[unit.section] if unit.section is not None else None
        if scope is None:
            continue
        last = scope.asks
        opens = n == 0 or draft.units[matter[n - 1]].paragraph != unit.paragraph
        if opens and _AHEAD.match(unit.text) and unit.role in (Role.BODY, Role.LEAD):
            marks.append((i, scope.asks))
    if marks and all(asks == last for _, asks in marks):
        return marks[0][0]
    return len(draft.units)


# --- the sequence ----------------------------------------------------------------------------------------


def _decide(
    draft: Draft,
    matter: Sequence[int],
    scopes: Mapping[int, _Scope],
    words: Mapping[int, list[float]],
    config: LinkConfig,
) -> Iterator[tuple[int, Link]]:
    """The best sequence of asks, and the link of each unit with its reason."""
    count = len(draft.asks)
    ids = [a.id for a in draft.asks]
    emissions = [_emission(words[i], scopes.get(i), config) for i in matter]
    for n, k in _listed(draft.units, matter, count):
        emissions[n][k] += config.listed
    fresh = [_fresh(draft.units, matter, n) for n in range(len(matter))]
    states = _best_sequence(emissions, fresh, count, config)
    doubts = _doubts(emissions, states)
    first = min((n for n, i in enumerate(matter) if i in scopes), default=0)
    for n, i in enumerate(matter):
        row, scope, k = words[i], scopes.get(i), states[n]
        best = max(row)
        named = scope is not None and scope.by == "ordinal"
        if not named and best < config.least and _speaks_of_all(draft.units[i].text):
            yield i, Link(("*",), "general", "speaks of all that was suggested", 0.6)
        elif scope is not None and k in scope.asks:
            yield i, Link(tuple(ids[a] for a in sorted(scope.asks)), scope.by, scope.reason, 0.95)
        elif scope is None and (_is_general(draft.units[i], n, first, bool(scopes)) and best < config.least):
            yield i, Link(("*",), "general", "a part that answers all asks: no ask's words stand out", 0.5)
        elif doubts[n]:
            yield i, Link((), "none", doubts[n])
        elif row[k] > 0 and row[k] >= best:
            yield (
                i,
                Link((ids[k],), "content", f"shares most words with {ids[k]}", round(row[k] / sum(row), 3)),
            )
        else:
            yield i, Link((ids[k],), "neighbour", f"goes on with {ids[k]} as the units around it", 0.5)


def _speaks_of_all(text: str) -> bool:
    return any(word in text for word in _ALL_WORDS) and _GENERAL.search(text) is not None


def _doubts(emissions: Sequence[Sequence[float]], states: Sequence[int]) -> list[str]:
    """For each unit, why nothing speaks for the ask of its stretch; empty when something does."""
    doubts = [""] * len(states)
    start = 0
    for end in range(1, len(states) + 1):
        if end < len(states) and states[end] == states[start]:
            continue
        totals = [sum(column) for column in zip(*emissions[start:end], strict=True)]
        held = totals[states[start]]
        doubt = ""
        if held <= 0:
            doubt = "below threshold: shares no word with any ask"
        elif totals.count(held) > 1 and held == max(totals):
            doubt = "tie: several asks share as many words"
        if doubt:
            doubts[start:end] = [doubt] * (end - start)
        start = end
    return doubts


def _listed(units: Sequence[Unit], matter: Sequence[int], count: int) -> list[tuple[int, int]]:
    """Places in `matter` that open item n of a list with as many items as asks, with n."""
    lists: dict[str, list[tuple[int, int]]] = {}
    for n, i in enumerate(matter):
        it = item(units[i].text[:12])
        if it is not None and it.number is not None:
            lists.setdefault(it.kind, []).append((n, it.number))
    found: list[tuple[int, int]] = []
    for items in lists.values():
        if [number for _, number in items] == list(range(1, count + 1)):
            found.extend((n, number - 1) for n, number in items)
    return found


def _is_general(unit: Unit, n: int, first: int, headed: bool) -> bool:
    """Whether a unit in no ask's section stands where all are answered: the opening, the lead of the end."""
    if unit.role is Role.OPENING or (n < first and unit.section is None):
        return True
    return headed and n > first and _AHEAD.match(unit.text) is not None


def _fresh(units: Sequence[Unit], matter: Sequence[int], n: int) -> bool:
    """Whether a new answer may begin here: a new line or list item."""
    if n == 0 or units[matter[n]].paragraph != units[matter[n - 1]].paragraph:
        return True
    return item(units[matter[n]].text[:12]) is not None or units[matter[n]].text.startswith(
        ("关于", "针对", "至于", "另外")
    )


def _emission(row: Sequence[float], scope: _Scope | None, config: LinkConfig) -> list[float]:
    scaled = [x**config.power for x in row]
    if scope is not None:
        points = config.ordinal if scope.by == "ordinal" else config.section
        for k in scope.asks:
            scaled[k] += points
    return scaled


def _best_sequence(
    emissions: Sequence[Sequence[float]], fresh: Sequence[bool], count: int, config: LinkConfig
) -> list[int]:
    """Viterbi over asks: stay, go on to the next, or jump from the best ask so far."""
    if not emissions:
        return []
    # To begin with the first ask is likeliest.
    score = [e - (0.0 if k == 0 else config.start) for k, e in enumerate(emissions[0])]
    back: list[list[int]] = []
    for row, new in zip(emissions[1:], fresh[1:], strict=True):
        top = max(range(count), key=score.__getitem__)
        stay = 0.0 if new else config.stay
        step: list[int] = []
        now: list[float] = []
        for k in range(count):
            options = [(score[k] + stay, k), (score[top] - config.jump, top)]
            if k and new:
                options.append((score[k - 1] + config.onward, k - 1))
            value, origin = max(options)
            now.append(value + row[k])
            step.append(origin)
        back.append(step)
        score = now
    k = max(range(count), key=score.__getitem__)
    states = [k]
    for step in reversed(back):
        k = step[k]
        states.append(k)
    states.reverse()
    return states
