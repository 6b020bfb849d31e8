"""What becomes of each ask (办理结果), and what the letter's result code means.

An ask's disposition follows from the measures that answer it, from refusals, and from nothing else: the
result code is the body's own word on the whole letter, and is only compared with what the text says. The
rules are written out in `judge`; they are counts, so that a reader can check them by hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from commitments.draft import Decision, Draft, Unit
from commitments.lexicon import table
from commitments.reply import Ask, ResultCode
from commitments.terms import Disposition, Role, Status, Strength

_REFUSAL = re.compile(
    r"暂?不具备|不宜|不予|无法(?!律)|难以|未能|不能(?!少|忽视|松)|不属于?|无权|没有(?:权限|依据|政策|相应)|尚无|暂未|暂无|不符合|不允许|超出|"
    r"暂缓|不可行|不同意|不建议|不便|不支持|不在[^，。]{0,8}范围|条件(?:尚)?不成熟|时机(?:尚)?不成熟|事权在|未达到|达不到|不满足"
)
_TROUBLE = re.compile(
    r"解决|整治|治理|修复|维修|修缮|清理|难题|难$|难”|拥堵|污染|扰民|破损|不足|缺|乱|拆除|查处|补偿|恢复|水压|噪"
)


_ASKED = 200
"""Characters of an ask that are read for what kind it is."""


class Judged(NamedTuple):
    """A disposition and why, in words."""

    disposition: Disposition
    reason: str


class Tally(msgspec.Struct):
    """What speaks for and against an ask; adds up.

    Attributes:
        completed: measures completed.
        ongoing: measures under way.
        pledged: pledges.
        soft: soft ones among these.
        refusals: sentences that refuse.
        explained: sentences that are no measures.
    """

    completed: int = 0
    ongoing: int = 0
    pledged: int = 0
    soft: int = 0
    refusals: int = 0
    explained: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(*(getattr(self, f) + getattr(other, f) for f in self.__struct_fields__))


def judge(ask: str, tally: Tally) -> Judged:
    """What becomes of one ask, from the measures that answer it.

    The rules, in order: with no measure, a refusal makes it declined, an explanation explained, and silence
    unanswered; refused with nothing but soft pledges is declined; refused, with seven in ten of its pledges
    soft, is explained; four in ten of the measures or more completed, and no more than four in ten promised,
    is solved or adopted (solved where the ask speaks of a trouble); six in ten promised and no more than a
    third completed is planned; everything else is in progress. The shares were chosen on the letters' train
    and dev sides, where the figures of gold follow them only loosely: read the reason, not only the word.

    Args:
        ask: its words.
        tally: of the sentences that answer it or speak of it.

    >>> judge("修路灯", Tally(completed=1)).disposition.value
    'adopted'
    >>> judge("修路灯", Tally(refusals=1))
    Judged(disposition=<Disposition.DECLINED: 'declined'>, reason='no measure answers it, 1 sentence refuses')
    """
    done, promised, refusals = tally.completed, tally.pledged, tally.refusals
    count = done + tally.ongoing + promised
    if not count:
        if refusals:
            return Judged(
                Disposition.DECLINED, f"no measure answers it, {_counted(refusals, 'sentence')} refuses"
            )
        if tally.explained:
            told = _counted(tally.explained, "sentence")
            return Judged(Disposition.EXPLAINED, f"no measure answers it, {told} explains")
        return Judged(Disposition.UNANSWERED, "nothing in the reply answers it")
    told = f"{done} completed, {tally.ongoing} ongoing, {promised} pledged"
    if refusals and promised == count == tally.soft:
        return Judged(Disposition.DECLINED, f"{told}, all soft, and {_counted(refusals, 'sentence')} refuses")
    if refusals and tally.soft >= 0.7 * max(1, promised):
        return Judged(
            Disposition.EXPLAINED, f"{told}, mostly soft, and {_counted(refusals, 'sentence')} refuses"
        )
    if done / count >= 0.4 and promised / count <= 0.4:
        solved = bool(_TROUBLE.search(ask[:_ASKED]))
        return Judged(Disposition.SOLVED if solved else Disposition.ADOPTED, told)
    if promised / count >= 0.6 and done / count <= 0.34:
        return Judged(Disposition.PLANNED, told)
    return Judged(Disposition.IN_PROGRESS, told)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def dispositions(draft: Draft) -> tuple[Ask, ...]:
    """The asks of a letter, each with its disposition; of a letter without body, as they were."""
    body = [i for i, unit in enumerate(draft.units) if unit.role in (Role.BODY, Role.OPENING)]
    if not body or not draft.decisions or not draft.asks:
        return draft.asks
    answers = {ask.id: Tally() for ask in draft.asks}
    every = Tally()
    spoken = {ask.id: Tally() for ask in draft.asks}
    named = _named(draft)
    before: str | None = None
    for i in body:
        decision, link = draft.decisions[i], draft.links[i]
        if decision.status is not Status.NONE and not decision.undecided:
            own = [answers[a] for a in link.asks if a in answers]
            for tally in [every] if "*" in link.asks else own:
                _add(tally, decision.status, draft.attributes[i].strength)
            if len(own) == 1 and "*" not in link.asks:
                before = link.asks[0]
        # A sentence that is no measure speaks of the ask of its heading, or of the measure before it.
        about = draft.asks[0].id if len(draft.asks) == 1 else named.get(draft.units[i].section, before)
        if about is not None and draft.units[i].role is Role.BODY:
            _speak(spoken[about], draft.units[i], decision)
    return tuple(
        msgspec.structs.replace(ask, disposition=found.disposition, reason=found.reason)
        for ask in draft.asks
        for found in [judge(ask.text, answers[ask.id] + every + spoken[ask.id])]
    )


def _add(tally: Tally, status: Status, strength: Strength | None) -> None:
    if status is Status.COMPLETED:
        tally.completed += 1
    elif status is Status.ONGOING:
        tally.ongoing += 1
    else:
        tally.pledged += 1
        tally.soft += strength is Strength.SOFT


def _speak(tally: Tally, unit: Unit, decision: Decision) -> None:
    none = decision.status is Status.NONE
    if (none or Status.NONE in decision.also) and _REFUSAL.search(unit.text):
        tally.refusals += 1
    tally.explained += none


def _named(draft: Draft) -> dict[int | None, str]:
    """The one ask that each section, or one around it, names."""
    found: dict[int | None, str] = {}
    for section in draft.sections:  # parents stand before their children
        if len(section.asks) == 1:
            found[section.index] = section.asks[0]
        elif not section.asks and section.parent in found:
            found[section.index] = found[section.parent]
    return found


def result(code: str | None, agency: str | None, title: str | None) -> ResultCode | None:
    """What a result code means.

    Args:
        code: as written; ``None`` when the letter has none.
        agency: the body that replies.
        title: of the letter.

    Returns:
        Its meaning where the table has the code for this place; else the code alone; ``None`` without a code.

    >>> result("解决采纳", None, None).disposition.value
    'adopted'
    >>> result("A", "某县教育局", None).meaning is None
    True
    """
    if not code:
        return None
    bare = re.sub(r"[\s（）()“”\"类]", "", code)
    for row in table("result_codes")["words"]:
        if bare in row["codes"]:
            return ResultCode(code, row["meaning"], Disposition.of(row["disposition"]))
    for row in _places():
        if any(place in f"{agency or ''}{title or ''}" for place in row["place"]):
            for item in row["codes"]:
                if bare[:1].upper() == item["code"]:
                    return ResultCode(
                        code, item["meaning"], Disposition.of(item["disposition"]), row["source"]
                    )
    return ResultCode(code)


@cache
def _places() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table("result_codes")["place"]
    return rows


def contradiction(told: ResultCode | None, asks: Sequence[Ask], statuses: Sequence[Status]) -> str | None:
    """A warning when the code says more than the text does, or less; ``None`` when they agree.

    Args:
        told: the code and what it means.
        asks: with their dispositions.
        statuses: of the letter's measures.

    >>> contradiction(ResultCode("解决采纳", "", Disposition.ADOPTED), (), [Status.PLEDGE, Status.PLEDGE])
    'the result code 解决采纳 says that it is done, but the text only pledges (2 pledges, nothing completed)'
    """
    if told is None or told.disposition is None:
        return None
    pledges = statuses.count(Status.PLEDGE)
    closed = told.disposition in (Disposition.ADOPTED, Disposition.SOLVED)
    if closed and statuses and Status.COMPLETED not in statuses and Status.ONGOING not in statuses:
        return (
            f"the result code {told.code} says that it is done, but the text only pledges "
            f"({pledges} pledges, nothing completed)"
        )
    if closed and not statuses:
        return f"the result code {told.code} says that it is done, but the text tells of no measure"
    if closed and asks and all(ask.disposition is Disposition.DECLINED for ask in asks):
        return f"the result code {told.code} says that it is done, but the text refuses"
    refused = told.disposition in (Disposition.DECLINED, Disposition.EXPLAINED)
    if refused and asks and all(a.disposition in (Disposition.ADOPTED, Disposition.SOLVED) for a in asks):
        return f"the result code {told.code} keeps it for reference, but the text tells that it was done"
    return None
