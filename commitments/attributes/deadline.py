"""Deadlines (期限) and conditions (条件) of a measure.

`commitments.attributes.calendar` finds expressions of time; here it is decided which of them is a time by
which, from which or over which something still to be done is done. The time of what is done already, of a
document or a meeting is none.
"""

from __future__ import annotations

import datetime
import re
from bisect import bisect_right

from commitments.attributes.calendar import Expression, grammar
from commitments.attributes.clauses import Clause, clauses
from commitments.terms import DeadlineKind, Grain, Status

_NOT_AFTER = re.compile(
    r"以来|至今|\s?(?:建成|建设|修建|投用|入住|交付|出生|成立|注册|出台|印发|下发|制定|实施|启动|立项|签订|购买|毕业)?的(?!时候|前提)"
    r"|[〔\[（(【]\d|第?\d+号|版(?!本)|度?(?:工作)?(?:总结|年报|公报|统计)|届|级(?!别)|款|(?:的)?(?:协议|会议|文件|合同|通知)|来(?![临])|以上|的?历史|之久|多(?!项)|保质|质保|免费质保"
)
_NOT_BEFORE = re.compile(
    r"(?:截至|截止|截止到|截至到|自从|早在|原定|原定于|原计划|超过|不满|满|近|每满|已|达)$"
)
_ANNUAL = re.compile(r"[，,]?(?:考核|考评|比|总结|结算|奖|决算|评|述职|慰问|预算|财力)")
_RATE = re.compile(
    r"\s?(?:约|仅|共|最高|最低|不低于|平均|近|超过)?\s?[\d０-９一二三四五六七八九十百千万]+[\d.,万余多至到\-—]*\s?(?:元|美元|千瓦|吨|亿|度|立方)"
)
_EACH = re.compile(r"(?:每(?:人|户|家|亩|名|个|平方米|吨|村|所|床|万人)|平均|人均|户均)$")
_CONDITION = re.compile(
    r"(?P<wait>(?:待|等|俟)(?!遇|级|业|岗|到位情)[^，,。；;：:]{2,40}?(?:之后|以后|后|时(?!间))(?=[，,。；;再将我即可由就方予进视根依，]|$|[一-鿿]))"
    r"|(?P<see>视(?!频|野|力|觉|察|为|作|同|线|听)[^，,。；;]{2,30}?(?:情况|而定|进展|条件|程度|需要|需求|实际|财力|状况))"
    r"|(?P<when>(?:在|等|待)?[^，,。；;、]{0,12}?(?:条件|时机|资金|手续|政策|方案|土地|技术)[^，,。；;、]{0,6}?(?:成熟|允许|许可|具备|落实|到位|完备)(?:时|后|之后|以后|的情况下|的前提下|的条件下|情况下|前提下)?)"
    r"|(?P<if>(?<!一)(?:如果|若|如|倘若|假如|一旦|只要)(?!何|下|期|实|上|此|意|今|约|干|同|既往|厕|出现|遇|其|[\d一二三])[^，,。；;]{2,30}(?:[，,]且[^，,。；;]{2,20})?)(?=[，,])"
    r"|(?P<premise>在?[^，,。；;]{2,26}?(?:的前提下|前提下|的基础上解决))"
    r"|(?P<event>(?:(?<=[，。；：:、])|^)[^，,。；;：:、\d]{0,16}?(?:建成|竣工|投入使用|投用|运营|拆除|启动|到期|结束|成立|解决|到位|交付|验收|通车|腾退|搬迁|完工|复工|放晴)(?:之后|以后|后|之前)(?=[，,将再即方]))"
    r"|(?P<after>经[^，,。；;]{1,24}?(?:批准|同意|审批|审议通过|审定|审查通过|验收合格|批复|论证|通过|审核|评审)(?:之后|以后|后))"
)

_TITLE = re.compile(r"《[^》]*》")
_NEAR = 24
"""Characters around an expression that are looked at."""
_SHORT = 10
"""A clause no longer than this that opens with a time (2018年，) is about the next one."""


def find(
    text: str, statuses: frozenset[Status], day: datetime.date | None
) -> tuple[list[Expression], list[tuple[int, int]]]:
    """The deadlines and conditions of one measure.

    Args:
        text: of the sentence.
        statuses: its status and further ones.
        day: the letter's date, or ``None``.

    Returns:
        Expressions of time, and the spans of conditions; offsets are into the sentence.

    >>> import datetime
    >>> pledge = frozenset({Status.PLEDGE})
    >>> found, when = find("待资金落实后，我局将于10月底前动工。", pledge, datetime.date(2023, 5, 10))
    >>> [str(x.last) for x in found], when
    (['2023-10-31'], [(0, 6)])
    """
    if not statuses & {Status.PLEDGE, Status.ONGOING}:
        return [], []
    conditions = _conditions(text) if Status.PLEDGE in statuses else []
    found = _merged(grammar().scan(text, day))
    if not found:
        return [], conditions
    parts = clauses(text)
    starts = [c.start for c in parts]
    titles = [m.span() for m in _TITLE.finditer(text)]
    kept = []
    for x in found:
        if _within(x, conditions) or _within(x, titles):
            continue
        if _due(text, x, _clause_of(parts, bisect_right(starts, x.start) - 1, x.start), statuses, day):
            kept.append(x)
    return kept, conditions


def _within(x: Expression, spans: list[tuple[int, int]]) -> bool:
    """Whether an expression lies in one of some spans, which are in order."""
    i = bisect_right(spans, (x.start, x.end + 1)) - 1
    return i >= 0 and x.end <= spans[i][1]


def _clause_of(parts: list[Clause], i: int, at: int) -> Clause:
    """The clause of an expression, and with one that opens with it (2018年，) the next."""
    c = parts[i]
    if c.end - at > _SHORT or i + 1 == len(parts):
        return c
    return Clause(c.start, c.end, c.done or parts[i + 1].done, c.due or parts[i + 1].due)


def _due(
    text: str, x: Expression, clause: Clause, statuses: frozenset[Status], day: datetime.date | None
) -> bool:
    """Whether an expression is the time of something still to be done."""
    words = text[x.start : x.end]
    before, after = text[max(0, x.start - _NEAR) : x.start], text[x.end : x.end + _NEAR]
    pledge = Status.PLEDGE in statuses
    if before.endswith(("（", "(")) and after.startswith(("）", ")")):
        return False
    if x.kind is DeadlineKind.VAGUE:
        return pledge and not _vague_blocked(words, before, after, clause, Status.COMPLETED in statuses)
    if x.kind is DeadlineKind.RECURRING:
        return _recurs(before, after, clause, statuses)
    if _NOT_AFTER.match(after) or _NOT_BEFORE.search(before):
        return False
    if _over(x, clause, statuses, day):
        return False
    if words.startswith("年") and _ANNUAL.match(after):
        return False
    if x.grain is Grain.SPAN:
        return pledge and _counted(x, words, before, after)
    if not pledge:  # what is under way has a time only where one is plainly set
        return not x.bare and not clause.done and bool(x.last or x.kind is DeadlineKind.FROM)
    return not (clause.done and not clause.due and x.bare and len(statuses) > 1)


def _over(x: Expression, clause: Clause, statuses: frozenset[Status], day: datetime.date | None) -> bool:
    """Whether an expression names what lies before the letter."""
    if day is None:
        return False
    if x.kind is DeadlineKind.FROM:
        running = Status.ONGOING in statuses and not clause.done
        return bool(x.first and x.first <= day and not running and not x.note and x.grain is not Grain.PLAN)
    if x.last and x.last < day:
        return True
    # 3月18日开工 in a letter of May: of a mixed sentence, a month without a year may be this year's.
    if len(statuses) > 1 and not x.year and not clause.due and x.grain in {Grain.DAY, Grain.MONTH} and x.last:
        return x.last.replace(year=day.year, day=1) < day.replace(day=1)
    return False


def _recurs(before: str, after: str, clause: Clause, statuses: frozenset[Status]) -> bool:
    """每季度通报一次 recurs; 每人每月30元 is a rate."""
    if Status.PLEDGE not in statuses and Status.COMPLETED in statuses and clause.done:
        return False
    return not (_RATE.match(after) or _EACH.search(before))


def _counted(x: Expression, words: str, before: str, after: str) -> bool:
    """三年内、三年轮训600人次 are times; 三年行动计划 is a name, 受理后30日内 a rule, 两小时内 a standard."""
    if re.search(r"小时|分钟", words) or re.search(r"(?:之日起|起|自)$", before):
        return False
    if not x.bare:
        return not re.search(r"(?:近|过去)$", before)
    if words.endswith(("工作日", "天", "日")):
        return before.endswith(("在", "于", "将在"))
    if words[-1] != "年" or not re.search(r"(?:^|[，,、；;：:。]|用|争取|力争|计划|分)$", before):
        return False
    return not re.match(
        r"[期度内以制级多来无]|一贯|行动|计划|规划|方案|左右|的|以上|一次|后|前|\d|[，,。]", after
    )


def _vague_blocked(words: str, before: str, after: str, clause: Clause, mixed: bool) -> bool:
    if words in {"近期", "近日", "最近", "近段时间"}:
        return clause.done or after.startswith(("来", "的", "几", "一", "两", "三"))
    if words in {"立即", "立刻", "马上", "第一时间", "即刻"}:
        return (clause.done and not clause.due) or (mixed and not re.search(r"将|拟|要$", before[-12:]))
    return before.endswith(("不", "非"))


def _conditions(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for m in _CONDITION.finditer(text):
        start, end = m.span()
        if m["if"] and re.search(r"违|发现|仍|有(?:疑|问题|其他|不明|异议|需要)|您|你|再(?:有|次)", m["if"]):
            continue
        found.append((start, end))
    return found


def _merged(found: list[Expression]) -> list[Expression]:
    """每年11月底前 is one expression, a recurring one."""
    out: list[Expression] = []
    for x in found:
        last = out[-1] if out else None
        if (
            last
            and last.kind is DeadlineKind.RECURRING
            and last.end == x.start
            and x.kind
            in {
                DeadlineKind.BY,
                DeadlineKind.PERIOD,
            }
        ):
            out[-1] = Expression(last.start, x.end, DeadlineKind.RECURRING, grain=x.grain)
        else:
            out.append(x)
    return out
