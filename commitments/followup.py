"""Was it kept? Pledges of earlier replies, and what later ones say of them (承诺跟踪).

Given replies over time, or a reply and a later document, every earlier pledge gets candidates among the later
sentences, each with a score and a reason; where no candidate is good enough, it gets none. What is compared
are words: pairs of characters weighted by how rare they are in the documents at hand, as
`commitments.overlap` does for links. The page of the result is in `followup_view`.
"""

from __future__ import annotations

import datetime
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import msgspec

from commitments.errors import SchemaError
from commitments.lexicon import table
from commitments.overlap import words
from commitments.reply import Deadline, Reply, Sentence
from commitments.terms import Role, Status, Term

_READ = frozenset({Role.BODY, Role.OPENING})
_ABANDONED = re.compile(
    r"未能|没有(?:如期|按期|完成|落实|达到|谈成|获批)|没能|暂缓|搁置|取消|终止|停止实施|中止|未如期|推迟|延期|顺延|滞后|暂不"
    r"|无法(?:实施|落实|推进)|调整为|改为|缩减(?:到|至|为)|未予|未获|落空|难以(?:落实|实施)|撤销|尚未(?:完成|落实|启动|开工|建成)|未完成|未落实|未达到|不再(?=单设|推行|建|实施|新增|[，。])"
)
_MISSED = re.compile(r"未达到|没有达到|未完成|没有完成|没能|未能")
_PARTLY = re.compile(
    r"完成[^，。；]{0,10}(?:\d+(?:\.\d+)?|[一二三四五六七八九])[%％成]|部分|一期|基本|阶段性|过半|余下|其余|正在|尚有|尚未|封顶|试车|只(?:落实|完成|够)|仅|还不"
)
_ENOUGH = 0.95
"""Share of a promised quantity that counts as reached."""


class Relation(Term):
    """What a later sentence is to an earlier pledge (后续关系)."""

    FULFILS = "fulfils", "兑现"
    CONTINUES = "continues", "推进中"
    REPEATS = "repeats", "再次承诺"
    CONTRADICTS = "contradicts", "落空或变更"


class FollowupConfig(msgspec.Struct, frozen=True):
    """How later sentences are matched.

    Attributes:
        least: score that a candidate must reach; below it nothing is proposed.
        keep: how many candidates a pledge may have.
        numbers: what a number shared, with its unit, adds to the score.
        action: what the same head verb or object adds.
        length: how far long sentences are held back: 0 not at all, 1 in proportion to their words.
        shared: how many words must be shared at least.
    """

    least: float = 0.1
    keep: int = 3
    numbers: float = 0.05
    action: float = 0.05
    length: float = 0.2
    shared: int = 2


class Place(msgspec.Struct, frozen=True):
    """A sentence of one of the documents.

    Attributes:
        document: number of the document among those given, from 0.
        sentence: number of the sentence in it, from 0.
        name: of the document.
        date: of the document.
        text: of the sentence.
        status: of the sentence.
    """

    document: int
    sentence: int
    name: str | None
    date: datetime.date | None
    text: str
    status: Status


class Candidate(msgspec.Struct, frozen=True):
    """A later sentence that may speak of an earlier pledge.

    Attributes:
        place: where it stands.
        relation: what it would be to the pledge.
        score: how well the two match, from 0 to 1.
        reason: the words that they share, the rarest first.
    """

    place: Place
    relation: Relation
    score: float
    reason: str


class Tracked(msgspec.Struct, frozen=True):
    """An earlier pledge, and what became of it.

    Attributes:
        pledge: where it stands.
        deadline: its main deadline.
        candidates: what later documents say of it, the best first; empty where nothing matches.
        outcome: relation of the best candidate of the latest document that has one; ``None`` where none has:
            that is no sign that the pledge was dropped, only that nothing was found.
        overdue: whether its deadline had passed by the last document's date, and nothing found says that it
            is done; ``None`` without a deadline or a date.
        times: how often it is promised in all, itself included.
    """

    pledge: Place
    deadline: Deadline | None
    candidates: tuple[Candidate, ...] = ()
    outcome: Relation | None = None
    overdue: bool | None = None
    times: int = 1


class Followup(msgspec.Struct, frozen=True):
    """What later documents say of earlier pledges.

    Attributes:
        pledges: every earlier pledge, in order.
        documents: names of the earlier documents, then of the later ones.
    """

    pledges: tuple[Tracked, ...]
    documents: tuple[str, ...] = ()

    @property
    def repeated(self) -> tuple[Tracked, ...]:
        """Pledges that are promised again later (反复承诺), the most often repeated first."""
        return tuple(sorted((p for p in self.pledges if p.times > 1), key=lambda p: -p.times))

    @property
    def overdue(self) -> tuple[Tracked, ...]:
        """Pledges whose deadline has passed without a sign that they were kept (逾期), the oldest first."""
        late = [p for p in self.pledges if p.overdue and p.deadline and p.deadline.end]
        return tuple(
            sorted(late, key=lambda p: p.deadline.end if p.deadline and p.deadline.end else datetime.date.max)
        )

    def count(self) -> dict[str, int]:
        """How many pledges have each outcome; ``"none"`` is nothing found."""
        found = Counter(p.outcome.value if p.outcome else "none" for p in self.pledges)
        return {name: found[name] for name in (*(r.value for r in Relation), "none")}


def followup(
    earlier: Reply | Iterable[Reply],
    later: Reply | Iterable[Reply],
    config: FollowupConfig = FollowupConfig(),  # noqa: B008
) -> Followup:
    """Find what later documents say of earlier pledges.

    Args:
        earlier: one reply or several, of the same place or body.
        later: one document or several: next year's replies, a work report. A pledge of a document is only
            looked for in documents that are not older than it, where both have dates.
        config: how they are matched.

    Raises:
        SchemaError: there is no earlier or no later document.

    >>> import commitments
    >>> nlp = commitments.load("cues")
    >>> before = nlp("下一步，我局将在滨江路新建口袋公园2个。", date="2022-05-10")
    >>> after = nlp("去年以来，滨江路口袋公园已建成开放。", date="2023-06-01")
    >>> [p.outcome.value for p in followup(before, after).pledges]
    ['fulfils']
    """
    before = [earlier] if isinstance(earlier, Reply) else list(earlier)
    after = [later] if isinstance(later, Reply) else list(later)
    if not before or not after:
        raise SchemaError("a followup needs at least one earlier and one later document")
    matcher = Matcher(before, after, config)
    last = max((reply.date for reply in after if reply.date), default=None)
    tracked = []
    for i, reply in enumerate(before):
        for j, s in enumerate(reply.sentences):
            if s.status is Status.PLEDGE and not s.undecided:
                place = _place(i, j, reply, s)
                tracked.append(_tracked(place, s, matcher.candidates(reply, s), last))
    names = tuple(_called(r) or f"document {n + 1}" for n, r in enumerate((*before, *after)))
    return Followup(tuple(tracked), names)


def _place(document: int, sentence: int, reply: Reply, s: Sentence) -> Place:
    return Place(document, sentence, _called(reply), reply.date, s.clean or s.text, s.status)


def _called(reply: Reply) -> str | None:
    """What a document is called: its file or row; its title where it came as mere text."""
    return reply.name if reply.name and reply.name != "text" else reply.title or reply.name


def _tracked(
    place: Place, s: Sentence, candidates: tuple[Candidate, ...], last: datetime.date | None
) -> Tracked:
    outcome = None
    if candidates:
        newest = max(c.place.document for c in candidates)
        outcome = next(c.relation for c in candidates if c.place.document == newest)
    due = s.deadline
    overdue = None
    if due and due.end and last:
        overdue = due.end < last and outcome is not Relation.FULFILS
    again = {c.place.document for c in candidates if c.relation is Relation.REPEATS}
    return Tracked(place, due, candidates, outcome, overdue, 1 + len(again))


class Matcher:
    """Compares pledges with the sentences of later documents.

    Args:
        earlier: documents; their words count in how rare a word is.
        later: documents.
        config: how they are matched.
    """

    def __init__(self, earlier: Sequence[Reply], later: Sequence[Reply], config: FollowupConfig) -> None:
        self._config = config
        self._later = [
            (i, j, reply, s, _content(s))
            for i, reply in enumerate(later)
            for j, s in enumerate(reply.sentences)
            if s.role in _READ and _speaks(s)
        ]
        held = [_content(s) for reply in earlier for s in reply.sentences if s.role in _READ]
        held += [content for *_, content in self._later]
        self._held = Counter(word for content in held for word in content)
        self._rarest = math.log(len(held) + 1)
        self._count = len(held)
        self._index: dict[str, list[int]] = {}
        for n, (*_, content) in enumerate(self._later):
            for word in content:
                self._index.setdefault(word, []).append(n)

    def candidates(self, reply: Reply, s: Sentence) -> tuple[Candidate, ...]:
        """The later sentences that may speak of one pledge, the best first."""
        own = _content(s)
        reach: set[int] = set().union(*(self._index.get(word, ()) for word in own)) if own else set()
        found = []
        for n in sorted(reach):
            i, j, other, t, content = self._later[n]
            if other is reply or (reply.date and other.date and other.date < reply.date):
                continue
            shared = own & content
            if len(shared) < self._config.shared:
                continue
            score = self.score(s, t, own, content)
            if score >= self._config.least:
                place = _place(i, j, other, t)
                found.append(Candidate(place, _relation(s, t), round(score, 3), self._reason(shared)))
        found.sort(key=lambda c: (-c.score, c.place.document, c.place.sentence))
        return tuple(found[: self._config.keep])

    def score(self, s: Sentence, t: Sentence, own: set[str], content: set[str]) -> float:
        """How well two sentences match, from 0 to 1: the share of the weight of words that both hold."""
        shared = self._mass(own & content)
        low, high = sorted((self._mass(own), self._mass(content)))
        size = low ** (1 - self._config.length) * high**self._config.length
        score = shared / size if size else 0.0
        if {(q.value, q.unit) for q in s.quantities if q.value} & {(q.value, q.unit) for q in t.quantities}:
            score += self._config.numbers
        if s.action and t.action and s.action.object and s.action.object == t.action.object:
            score += self._config.action
        return min(1.0, score)

    def _mass(self, content: Iterable[str]) -> float:
        return math.fsum(self._weight(word) for word in content)

    def _weight(self, word: str) -> float:
        return math.log((self._count + 1) / self._held[word]) / self._rarest if self._held[word] else 1.0

    def _reason(self, shared: set[str]) -> str:
        rare = sorted(shared, key=lambda word: (-self._weight(word), word))
        return "both speak of " + "、".join(_joined(rare)[:4])


def _joined(pairs: Sequence[str]) -> list[str]:
    """Pairs of characters that overlap, put together: 口袋, 袋公, 公园 → 口袋公园."""
    left = list(pairs)
    out = []
    while left:
        word = left.pop(0)
        grown = True
        while grown:
            grown = False
            for pair in left:
                if pair[0] == word[-1] or pair[1] == word[0]:
                    word = word + pair[1] if pair[0] == word[-1] else pair[0] + word
                    left.remove(pair)
                    grown = True
                    break
        out.append(word)
    return out


def _speaks(s: Sentence) -> bool:
    """Whether a later sentence can say what became of a pledge: a measure, or one that tells of a failure."""
    return s.status is not Status.NONE or bool(_ABANDONED.search(s.text))


def _relation(pledge: Sentence, t: Sentence) -> Relation:
    """What a sentence is to a pledge of which it speaks."""
    text = t.clean or t.text
    if t.status is Status.COMPLETED:
        if _MISSED.search(text):
            return Relation.CONTRADICTS
        return Relation.CONTINUES if _PARTLY.search(text) or _falls_short(pledge, t) else Relation.FULFILS
    if t.status is Status.NONE or _ABANDONED.search(text):
        return Relation.CONTRADICTS
    return Relation.CONTINUES if t.status is Status.ONGOING else Relation.REPEATS


def _falls_short(pledge: Sentence, t: Sentence) -> bool:
    """Whether a quantity is promised of which less is told: 9万个 promised, 8.3万个 built."""
    promised = {q.unit: q.value for q in pledge.quantities if q.value and q.unit}
    told: dict[str, float] = {}
    for q in t.quantities:
        if q.value and q.unit in promised:
            told[q.unit] = max(told.get(q.unit, 0.0), q.value)
    return any(value < _ENOUGH * (promised[unit] or 0.0) for unit, value in told.items())


def _content(s: Sentence) -> set[str]:
    """The words of a sentence that tell what it is about."""
    text = re.sub(r"\d", "", s.clean or s.text)
    return words(text) - _stock()


@cache
def _stock() -> frozenset[str]:
    """Pairs of characters that tell of the form of a pledge, not of its matter."""
    found: Mapping[str, Sequence[str]] = table("followup")
    return frozenset(pair for phrase in found["stock"] for pair in words(phrase))
