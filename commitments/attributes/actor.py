"""The bodies (主体) that a measure names, and what each does in it.

A grammar finds names of bodies; a small fitted table of weights tells whether a body acts or is only talked
about; words before and after it tell its role. Names, levels and endings are in the lexicon table ``bodies``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from commitments.attributes.weights import keeps
from commitments.lexicon import alternatives, table
from commitments.terms import ActorRole, Status

_UNITS = ("大队", "中队", "支队", "分局", "派出所", "所", "站", "科", "股", "室", "办", "中心", "处", "部门")
_PROPER = (2, 4)
"""How many characters a proper name before 派出所, 社区 … has."""


class Body(NamedTuple):
    """A name of a body in a sentence.

    Attributes:
        start: offset into the sentence.
        end: after its last character.
        sort: what of the grammar found it: ``field``, ``name``, ``ending`` or ``list``.
    """

    start: int
    end: int
    sort: str


class Grammar:
    """Finds names of bodies.

    >>> text = "由市住建局会同城管、公安等部门和青山镇政府整治。"
    >>> [text[b.start:b.end] for b in grammar().scan(text)]
    ['市住建局', '城管', '公安', '青山镇政府']
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self._after: dict[str, str] = data["not_after"]
        fields = alternatives(data["field"]["words"])
        endings = self._guarded(data["field"]["ending"])
        names = self._guarded(data["name"]["words"])
        loose = self._guarded(data["ending"]["words"])
        level = alternatives(data["level"]["words"])
        places = alternatives(data["level"]["place"])
        joined = rf"(?:{fields})(?:(?:和|与|及)?(?:{fields}))?"
        unit = self._guarded(
            ["大队", "中队", "支队", "分局", "派出所", "办事处", "办公室", "分中心", "支行", "分行", "分公司"]
        )
        # 公安、住建、城管等部门: a list of fields with one ending, or with 等.
        self._head = re.compile(
            rf"(?P<list>(?:{fields})(?:、(?:{fields}))+(?:(?:和|及|与)(?:{fields}))?"
            rf"(?P<common>等?(?:相关|有关|职能|多个|多)?(?:{endings}))?)"
            rf"|(?P<field>{joined}(?:{endings})(?:[一-鿿]{{0,4}}?(?:{unit}))?)"
            rf"|(?P<name>(?:{names})(?:[一-鿿]{{2,4}}?(?:{unit}))?)"
            rf"|(?P<ending>(?<=[一-鿿）)A-Za-z])(?:{loose}))"
            # A place that acts: at the head of a clause, or after 由、督促 and their like.
            r"|(?:(?<=[，。；：:、 ])|(?<=由)|(?<=责令)|(?<=督促)|(?<=要求)|(?<=安排)|(?<=会同)|(?<=指导)"
            r"|(?<=协调)|(?<=组织)|(?<=联合)|^)"
            r"(?P<place>(?![由对向与和在将经请把为从但该并至到及])(?:各|[A-Z]\d*|[一-鿿]{2,3})(?:自治州|开发区|高新区|经开区|新区|管委会|省|市|区|县|镇|乡|街道|村|社区))"
            r"(?![的内外部辖民级长属位境区县镇乡村道街路立人中场委局城])"
        )
        self._levels = re.compile(rf"(?:{level}|(?:{fields})(?=.))(?:[（(][^（()）]{{1,8}}[)）])?$")
        self._code = re.compile(r"(?<![A-Za-z\d])[A-Z]\d*$")
        self._place = re.compile(rf"(?:[A-Z]\d*|[一-鿿]{{2,3}})(?:{places})$")
        unless = data["stop"]["unless"]
        self._stops = re.compile(alternatives(data["stop"]["words"], unless))
        self._edge = re.compile(r"[，,。；;：:、！!？?（()）“”\"《》\s]")
        self._field = re.compile(fields)
        self._extends = frozenset(data["extends"]["words"])

    def _guarded(self, words: Sequence[str]) -> str:
        """Alternatives that do not match where a word only begins so: 管理办|法."""
        return alternatives(words, {w: self._after[w[-1]] for w in words if w[-1] in self._after})

    def scan(self, text: str) -> list[Body]:
        """Names of bodies in a sentence, in order, without overlaps."""
        out: list[Body] = []
        last = 0
        for m in self._head.finditer(text):
            if m.start() < last:
                continue
            made = self._list(m, text, last) if m["list"] else self._one(m, text, last)
            if made and out and made[0].start == out[-1].end and self._joins(text, out[-1], made[0]):
                made[0] = Body(out.pop().start, made[0].end, "field")  # 市委 + 网信办
            out += made
            if made:
                last = made[-1].end
        return out

    @staticmethod
    def _joins(text: str, one: Body, other: Body) -> bool:
        """Whether two names without anything between them are one: 市委 + 网信办, 县住保中心 + 物管办."""
        return one.sort in {"name", "place"} or text[: other.end].endswith(_UNITS)

    def _list(self, m: re.Match[str], text: str, last: int) -> list[Body]:
        out = []
        start = m.start()
        words = m["list"]
        common = m["common"] or ""
        body = words[: len(words) - len(common)] if common else words
        tail = "" if common.startswith("等") or not common else common
        pieces = list(self._field.finditer(body))
        if body.endswith("等"):
            pieces = list(self._field.finditer(body[:-1]))
        for i, piece in enumerate(pieces):
            s, e = start + piece.start(), start + piece.end()
            if i == 0:
                s = self._left(text, s, last)
            if i == len(pieces) - 1 and tail and not tail.startswith("等"):
                e = start + len(words)
            out.append(Body(s, e, "list"))
        return out

    def _one(self, m: re.Match[str], text: str, last: int) -> list[Body]:
        start, end = m.span()
        sort = m.lastgroup or "name"
        if sort == "place":
            return (
                [] if self._stops.search(m.group()[:-1]) else [Body(m.start("place"), m.end("place"), sort)]
            )
        if sort in {"field", "name"}:
            left = self._left(text, start, last)
            if left == start and m.group() in self._extends:
                left = self._free(text, start, last)
                if not _PROPER[0] <= start - left <= _PROPER[1]:
                    left = start
            return [Body(left, end, sort)]
        left = self._free(text, start, last)
        if start - left < 1:
            return []
        return [Body(left, end, sort)]

    def _window(self, text: str, start: int, last: int) -> int:
        """Where at the earliest a name that goes on at `start` may begin."""
        low = max(last, start - 18)
        for m in self._edge.finditer(text, low, start):
            low = m.end()
        return low

    def _left(self, text: str, start: int, last: int) -> int:
        """Over the levels and places before a field: A7县 + 市 + 教育局."""
        low = self._window(text, start, last)
        for _ in range(6):
            m = self._place.search(text, max(self._free(text, start, last), start - 9), start)
            if m is None:
                m = self._levels.search(text, low, start)
            if m is None:
                break
            start = m.start()
        if m := self._code.search(text, max(low, start - 3), start):  # places are codes in anonymised replies
            start = m.start()
        return start

    def _free(self, text: str, start: int, last: int) -> int:
        """Back to the last word over which no name reaches."""
        low = self._window(text, start, last)
        at = low
        while (m := self._stops.search(text, at, start)) is not None:
            low = m.end()
            at = max(m.end(), m.start() + 1)
        return low


_LEAD_AFTER = re.compile(r"(?:部门)?(?:牵头|主责|主办|负责|为牵头|作为牵头|为主责)")
_SUPPORT_AFTER = re.compile(r"(?:等)?(?:部门|单位)?(?:积极|主动|全力)?(?:配合|协助|参与)")
_WITH_BEFORE = re.compile(
    r"(?:会同|联合|协同|会商|联系|衔接|协调|对接|沟通|协商|商请|委托|商|[与和同跟])(?:了|好)?$"
)
_SUPPORTED_BEFORE = re.compile(r"(?:配合|协助|支持)(?:好)?$")
_ORDERED_BEFORE = re.compile(
    r"(?:责令|责成|要求|督促|敦促|督办|督导|建议|指导|监督|告知|通知|函告|约谈|引导|鼓励|推动|支持|指示|调度|请)(?:了|指导|督促|要求|协调|并)*$"
)
_UPWARD_BEFORE = re.compile(r"(?:向|争取|汇报|上报|报请|报送|报经|呈报|提请|报|请示)(?:了)?$")
_UPWARD_AFTER = re.compile(
    r"[^，。；]{0,14}?(?:争取|申请|汇报|反映|请示|报告|上报|建议|呼吁|提出|申报|报送|递交|提交|衔接|对接|沟通|审批|批准|批复|备案|审查|审核|研究|审定|审议|同意|请求|支持|的?(?:大力)?(?:支持|重视)|等)"
)
_JOIN = re.compile(r"(?:、|和|及|以及|与|，|等(?:部门)?(?:和|及)?|并)")
_NEAR = 24
"""Characters around a name that are looked at."""


class Acting(NamedTuple):
    """A body that acts in a measure, with its role and how sure that is.

    Attributes:
        start: offset into the sentence.
        end: after its last character.
        role: what it does.
    """

    start: int
    end: int
    role: ActorRole


def candidates(text: str, statuses: frozenset[Status]) -> list[tuple[Body, ActorRole, list[str]]]:
    """Every body named in a sentence, with the role it would have and its features; also for training."""
    bodies = grammar().scan(text)
    quoted = _quoted(text)
    inside = 0
    out: list[tuple[Body, ActorRole, list[str]]] = []
    ours = bool(
        re.search(r"我(?:局|委|厅|部|办|院|们|中心|镇|街道|公司|会|司|区|市|县|省)|本(?:局|院)", text)
    )
    for i, body in enumerate(bodies):
        chained = i > 0 and _JOIN.fullmatch(text, bodies[i - 1].end, body.start) is not None
        role = out[i - 1][1] if chained else _role(text, body.start, _chain_end(text, bodies, i))
        if chained and role is ActorRole.ACT and _SUPPORT_AFTER.match(text, body.end):
            role = ActorRole.SUPPORT
        features = _features(text, body, role, statuses, chained)
        features.append(f"first={i == 0}")
        features.append(f"ours={ours},{role}")
        while inside < len(quoted) and quoted[inside][1] <= body.start:
            inside += 1
        if inside < len(quoted) and quoted[inside][0] < body.start and body.end < quoted[inside][1]:
            features.append("quoted")
        out.append((body, role, features))
    return out


def _quoted(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"《[^》]*》|“[^”]*”|（[^）]*）|\([^)]*\)", text)]


def _chain_end(text: str, bodies: list[Body], i: int) -> int:
    """Where the last body of the list ends that body `i` opens: 市住建局、公安局牵头."""
    end = bodies[i].end
    for body in bodies[i + 1 :]:
        if not _JOIN.fullmatch(text, end, body.start):
            break
        end = body.end
    if text.startswith("等", end):
        end += 1
    return end


def _role(text: str, start: int, end: int) -> ActorRole:
    """What a body, or a list of them, does by the words around it."""
    before = text[max(0, start - 8) : start]
    if _LEAD_AFTER.match(text, end) or _SUPPORTED_BEFORE.search(before):
        return ActorRole.LEAD
    if _UPWARD_BEFORE.search(before) and _UPWARD_AFTER.match(text, end):
        return ActorRole.UPWARD
    if _SUPPORT_AFTER.match(text, end):
        return ActorRole.SUPPORT
    if _ORDERED_BEFORE.search(before):
        return ActorRole.ORDERED
    if _WITH_BEFORE.search(before):
        return ActorRole.WITH
    return ActorRole.ACT


def _features(
    text: str, body: Body, role: ActorRole, statuses: frozenset[Status], chained: bool
) -> list[str]:
    start, end = body.start, body.end
    left = text[max(0, start - 4) : start]
    right = text[end : end + 4]
    name = text[start:end]
    main = "P" if Status.PLEDGE in statuses else "C" if Status.COMPLETED in statuses else "O"
    edge = "^" if not left or left[-1] in "，,。；;：:！？（(、 \n" else left[-1]
    features = [
        f"sort={body.sort}",
        f"role={role}",
        f"l1={left[-1:] or '^'}",
        f"l2={left[-2:] or '^'}",
        f"r1={right[:1] or '$'}",
        f"r2={right[:2] or '$'}",
        f"r3={right[:3]}",
        f"last={name[-1]}",
        f"last2={name[-2:]}",
        f"name={name}" if len(name) <= 4 else "name=long",
        f"first={name[0]}",
        f"len={min(len(name), 9)}",
        f"status={main}",
        f"edge={edge},{right[:1]}",
        f"chained={chained}",
        f"sort,edge={body.sort},{edge}",
    ]
    near = text[max(0, start - _NEAR) : start]
    gap = min(len(near) - 1 - max(near.rfind(mark) for mark in "，,。；;：:"), _NEAR)
    features.append(f"gap={min(gap, 6)}")
    if gap <= 1 and right[:1] not in "的、":
        features.append("subject")
    tail = re.match(r"[^，,。；;：:]*", text[end : end + _NEAR]).group()  # type: ignore[union-attr]
    features.append(f"of={'的' in tail[:2]}")
    for word in _VERBS.findall(tail[:10])[:2]:
        features.append(f"verb={word}")
    if gap > 1:
        for word in _VERBS.findall(near[len(near) - min(gap, 8) :]):
            features.append(f"before={word}")
    return features


_VERBS = re.compile(
    "已|将|正在|在|对|于|为|把|牵头|负责|组织|开展|印发|出台|会同|联合|召开|安排|制定|建立|完成|进行|加强|加大|派|要求|责令|督促|按|按照|根据|通过|向|与|同|由|提供|落实|实施|推进|推动|支持|指导|纳入|投入|拨付|查处|立案|执法|巡查|排查|整治|清理|施工|管理|建设|设立|新建|增设|达|有|共|中|内|等|建议|协调|联系|配合|处理|现场|到|答复|表示|承诺|同意|发布|出资|承担"
)


def _plain(body: Body, role: ActorRole) -> bool:
    """Whether words beside a name say by themselves that it acts: 由市住建局牵头, 责令施工单位."""
    return role is not ActorRole.ACT and body.sort in {"field", "name", "list"}


def find(text: str, statuses: frozenset[Status], register: str = "letter") -> list[Acting]:
    """The bodies that act in one measure, in order.

    Args:
        text: of the sentence.
        statuses: its status and further ones.
        register: of the reply; see `commitments.attributes.weights.keeps`.

    >>> text = "下一步，由市住建局牵头，会同市公安局开展整治。"
    >>> [(text[a.start:a.end], a.role.value) for a in find(text, frozenset({Status.PLEDGE}))]
    [('市住建局', 'lead'), ('市公安局', 'with')]
    """
    return [
        Acting(body.start, body.end, role)
        for body, role, features in candidates(text, statuses)
        if _plain(body, role) or keeps("actor", [*features, *(f"{register}:{f}" for f in features)], register)
    ]


@cache
def grammar() -> Grammar:
    """The grammar of the lexicon's table, made once."""
    return Grammar(table("bodies"))
