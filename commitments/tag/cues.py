"""Status by cues: a rule system whose every row can be read, cited and argued with (线索词规则).

The rows (which words, where, what cancels, what inherits) stand in ``lexicon/cues.toml``, their points in
``lexicon/points.toml``. A sentence's status is found in four steps:

1. its own cues count in full, and those of clauses before its last marked clause by half: the last main
   predicate decides a mixed sentence;
2. it inherits from the lead (“下一步，……”) or the heading before it, until another lead, or another heading,
   opens something else;
3. traits of the sentence count too (the ``K`` rows), such as a promise after a refusal; and
4. each row gives points to each status; the status with the most points wins, and others that a strong cue of
   their own speaks for are in ``also``.

A scorecard of whole numbers keeps every sum checkable by hand. The points are fitted on training letters and
rounded, as in scoring systems for medical decisions (Ustun & Rudin, “Supersparse linear integer models for
optimized medical scoring systems”, Machine Learning 102, 2016). They differ for letters (建议、提案的答复,
and reports) and for answers to citizens' messages (留言), whose bare verbs mean different things.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from math import exp
from typing import NamedTuple

import msgspec

from commitments import lexicon
from commitments.draft import Decision, Draft, Unit
from commitments.errors import SchemaError
from commitments.explanation import Scorecard, Summand
from commitments.reply import Evidence
from commitments.tag import READ_ROLES
from commitments.tag.rules import Cue, Finder, Hit, cues, traits
from commitments.terms import How, Kind, Role, Status

STATUSES = (Status.COMPLETED, Status.ONGOING, Status.PLEDGE, Status.NONE)
"""The order of the four numbers in each row of ``points.toml``."""

LETTER, MESSAGE = "letter", "message"

Points = tuple[float, float, float, float]


class CuesConfig(msgspec.Struct, frozen=True):
    """How cues are weighed.

    Attributes:
        earlier: share of its points that a cue keeps in a clause before the last marked one.
        also: points by which a cue must lift a further status for a mixed sentence to have it too.
        short: a sentence of fewer characters is short.
        long: a sentence of more characters is long.
        whole: a text of fewer sentences is an excerpt, not a whole letter.
        shown: most pieces of evidence that a decision keeps.
    """

    earlier: float = 0.5
    also: float = 16.0
    short: int = 14
    long: int = 80
    whole: int = 5
    shown: int = 6


class Term(NamedTuple):
    """One summand of a sentence's score.

    Attributes:
        key: a cue's id, with ``>`` when inherited from a lead and ``^`` from a heading; or a trait's.
        weight: 1, or the share of an earlier clause.
        how: whether it is the sentence's own.
        start: where its words begin in the draft's text; ``None`` for a trait of the sentence.
        end: after their last character.
    """

    key: str
    weight: float
    how: How
    start: int | None = None
    end: int | None = None


class Table(NamedTuple):
    """The points: for each register and key, one number for each status of `STATUSES`.

    Attributes:
        version: a short hash of cues and points.
        scale: points of one unit of log-odds.
        points: register → key → points.
    """

    version: str
    scale: float
    points: dict[str, dict[str, Points]]


@cache
def table() -> Table:
    """The fitted points.

    Raises:
        SchemaError: a row has not four numbers.
    """
    raw = lexicon.table("points")
    try:
        points = msgspec.convert(raw["points"], dict[str, dict[str, Points]])
        return Table(str(raw["version"]), float(raw["scale"]), points)
    except (KeyError, ValueError, msgspec.ValidationError) as error:
        raise SchemaError(f"lexicon/points.toml: {error}") from error


class _Lead(NamedTuple):
    """A carrying cue and where it stands."""

    cue: Cue
    start: int
    end: int
    paragraph: int
    colon: bool


class Cues:
    """The rule-based tagger.

    Args:
        config: how cues are weighed.

    >>> from commitments.draft import Unit
    >>> text = "我局已建成公园3个。"
    >>> decision = Cues().tag(Draft(text=text, units=(Unit(0, len(text), text, 0),)))[0]
    >>> decision.status.value, decision.evidence[0].text
    ('completed', '已建成')
    """

    name = "cues"

    def __init__(self, config: CuesConfig = CuesConfig()) -> None:  # noqa: B008 - frozen
        self.config = config
        self._finder = Finder(cues())
        self._table = table()
        self.version = self._table.version
        self._status = {row.id: row.status for row in cues()}
        self._notes = {**{row.id: row.note for row in cues()}, **traits()}

    def tag(self, draft: Draft) -> tuple[Decision, ...]:
        """Decide each unit; units that their role settles are `none` without being read."""
        points = self._table.points[register(draft)]
        return tuple(
            self._decide(draft.text, terms, points) if unit.role in READ_ROLES else by_role(unit)
            for unit, terms in zip(draft.units, self.terms(draft), strict=True)
        )

    def scorecards(self, draft: Draft) -> tuple[Scorecard | None, ...]:
        """The whole sum behind each decision of `tag`, and ``None`` for units that their role settles.

        >>> from commitments.draft import Unit
        >>> text = "我局已建成公园3个。"
        >>> card = Cues().scorecards(Draft(text=text, units=(Unit(0, len(text), text, 0),)))[0]
        >>> card.status.value, card.summands[0].text
        ('completed', '已建成')
        """
        name = register(draft)
        points = self._table.points[name]
        return tuple(
            Scorecard(name, self._table.scale, tuple(self._summands(draft.text, terms, points)))
            if unit.role in READ_ROLES
            else None
            for unit, terms in zip(draft.units, self.terms(draft), strict=True)
        )

    @property
    def scale(self) -> float:
        """Points of one unit of log-odds."""
        return self._table.scale

    def sums(self, terms: Sequence[Sequence[Term]]) -> dict[str, list[Points]]:
        """The summed points of each unit in the order of `STATUSES`, by the table of each register.

        Args:
            terms: as `terms` gives them; zeros come out where a unit is not read.
        """
        found: dict[str, list[Points]] = {}
        for name, points in self._table.points.items():
            found[name] = []
            for of_unit in terms:
                completed, ongoing, pledge, none = _totals(of_unit, points)
                found[name].append((completed, ongoing, pledge, none))
        return found

    def evidence(self, draft: Draft, terms: Sequence[Term], status: Status) -> tuple[Evidence, ...]:
        """The words of a unit that speak for a status by their points, strongest first; no traits."""
        points = self._table.points[register(draft)]
        best = STATUSES.index(status)
        return tuple(e for e in self._evidence(draft.text, terms, points, best) if e.start is not None)

    def _summands(self, text: str, terms: Sequence[Term], points: dict[str, Points]) -> Iterator[Summand]:
        """The terms that have points, those first that lift the winner most."""
        totals = _totals(terms, points)
        best = totals.index(max(totals))
        counted = [(term, row) for term in terms if (row := points.get(term.key))]
        counted.sort(key=lambda pair: -pair[0].weight * _lift(pair[1], best))
        for term, row in counted:
            yield Summand(
                rule=term.key,
                how=term.how,
                points={status: term.weight * value for status, value in zip(STATUSES, row, strict=True)},
                weight=term.weight,
                start=term.start,
                end=term.end,
                text="" if term.start is None else text[term.start : term.end],
                note=self._notes.get(term.key.rstrip(">^"), ""),
            )

    def terms(self, draft: Draft) -> list[list[Term]]:
        """The summands of each unit's score; empty for units that are not read."""
        units = draft.units
        found = self._finder.find(draft.text, units, draft.date or draft.header.date)
        headings = self._headings(draft, found)
        # A text of few sentences is an excerpt, where the length of a sentence tells nothing.
        whole = len(units) >= self.config.whole
        future = _last_future(units, found)
        lead: _Lead | None = None
        out: list[list[Term]] = []
        for i, (unit, hits) in enumerate(zip(units, found, strict=True)):
            if unit.role is Role.HEADING and (lead is None or not lead.colon):
                lead = None
            if unit.role not in READ_ROLES:
                if unit.role is Role.LEAD:
                    lead = _opened(unit, hits) or lead
                out.append([])
                continue
            if lead and lead.cue.carry == "paragraph" and unit.paragraph != lead.paragraph:
                lead = None
            marked = any(hit.cue.status in _MARKS for hit in hits)
            terms = list(self._own(unit, hits))
            above = headings.get(unit.section) if unit.section is not None else None
            if lead is not None:
                terms.append(_inherited(lead, ">"))
            elif above is not None:
                terms.append(_inherited(above, "^"))
            elif i < future:
                terms.append(Term("K009", 1.0, How.ROLE))
            elif whole and unit.end - unit.start < self.config.short:
                terms.append(Term("K002", 1.0, How.ROLE))
            terms += self._traits(unit, marked)
            terms += self._course(unit, hits)
            lead = _opened(unit, hits) or lead
            out.append(terms)
        return out

    def _own(self, unit: Unit, hits: Sequence[Hit]) -> Iterator[Term]:
        marked = [hit.clause for hit in hits if hit.cue.status in _MARKS]
        final = max(marked, default=0)
        best: dict[str, Term] = {}
        for hit in hits:
            weight = 1.0 if hit.clause >= final or hit.cue.status not in _MARKS else self.config.earlier
            known = best.get(hit.cue.id)
            if known is None or known.weight < weight:
                best[hit.cue.id] = Term(
                    hit.cue.id, weight, How.CUE, unit.start + hit.start, unit.start + hit.end
                )
        yield from best.values()

    def _traits(self, unit: Unit, marked: bool) -> Iterator[Term]:
        yield Term("K001", 1.0, How.DEFAULT)
        if unit.end - unit.start > self.config.long:
            yield Term("K003", 1.0, How.ROLE)
        if not marked:
            yield Term("K004", 1.0, How.DEFAULT)
        if unit.text[-1] in ":：":
            yield Term("K005", 1.0, How.ROLE)
        if unit.role is Role.OPENING:
            yield Term("K008", 1.0, How.ROLE)

    def _course(self, unit: Unit, hits: Sequence[Hit]) -> Iterator[Term]:
        """What the order of the cues tells of a sentence of several clauses (hard cases 3, 16 and 20)."""

        def term(key: str, hit: Hit) -> Term:
            return Term(key, 1.0, How.CUE, unit.start + hit.start, unit.start + hit.end)

        last = refused = promised = done = finding = None
        for hit in hits:
            row = hit.cue
            if row.status in _MARKS:
                last = hit
                if row.id in _PROMISES:
                    promised = hit
                elif row.status == "completed":
                    done = done or hit
            elif row.id in _FINDINGS:
                finding = hit
                if row.id in _REFUSALS:
                    refused = refused or hit
        if last is not None:
            yield term(_LAST[last.cue.status], last)
        if refused is not None and promised is not None and promised.clause > refused.clause:
            yield term("K010", promised)
        if done is not None and finding is not None and finding.clause > done.clause:
            yield term("K011", finding)

    def _headings(self, draft: Draft, found: Sequence[Sequence[Hit]]) -> dict[int, _Lead]:
        """The carrying cue in each section's heading, or else in that of the section around it."""
        own: dict[int, _Lead] = {}
        for unit, hits in zip(draft.units, found, strict=True):
            if unit.role is Role.HEADING and unit.section is not None:
                for hit in hits:
                    if hit.cue.carry:
                        own[unit.section] = _lead(unit, hit)
        inherited: dict[int, _Lead] = {}
        for section in draft.sections:  # a section comes after the one around it
            above = inherited.get(section.parent) if section.parent is not None else None
            if lead := own.get(section.index, above):
                inherited[section.index] = lead
        return inherited

    def _decide(self, text: str, terms: Sequence[Term], points: dict[str, Points]) -> Decision:
        totals = _totals(terms, points)
        scale = self._table.scale
        top = max(totals)
        shares = [exp((total - top) / scale) for total in totals]
        whole = sum(shares)
        best = totals.index(top)
        return Decision(
            STATUSES[best],
            tuple(self._also(terms, points, best)),
            shares[best] / whole,
            tuple(self._evidence(text, terms, points, best)),
        )

    def _also(self, terms: Sequence[Term], points: dict[str, Points], best: int) -> Iterator[Status]:
        """Further statuses that a strong cue of their own speaks for, in whatever clause, strongest first."""
        strength: dict[int, float] = {}
        for term in terms:
            status = _MARKS.get(self._status.get(term.key, ""), best)
            if status != best:
                lift = _lift(points.get(term.key, _NOTHING), status)
                strength[status] = max(lift, strength.get(status, 0.0))
        for status, lift in sorted(strength.items(), key=lambda pair: -pair[1]):
            if lift >= self.config.also:
                yield STATUSES[status]

    def _evidence(
        self, text: str, terms: Sequence[Term], points: dict[str, Points], best: int
    ) -> Iterator[Evidence]:
        """The terms that speak for the winner: by how much they lift it above the other statuses' mean."""
        weighed = []
        for term in terms:
            row = points.get(term.key)
            if row is not None and (lift := term.weight * _lift(row, best)) > 0:
                weighed.append((lift, term))
        weighed.sort(key=lambda pair: (pair[1].how is How.DEFAULT, -pair[0]))
        for lift, term in weighed[: self.config.shown]:
            words = "" if term.start is None else text[term.start : term.end]
            yield Evidence(term.key, term.how, STATUSES[best], round(lift, 2), term.start, term.end, words)


_MARKS = {status.value: i for i, status in enumerate(STATUSES) if status is not Status.NONE}
_LAST = {"completed": "K012", "ongoing": "K013", "pledge": "K014"}
_REFUSALS = frozenset({"N025", "N026", "N043"})
_FINDINGS = frozenset({"N022", "N024", "N025", "N026", "N030", "N043"})
_PROMISES = frozenset(
    row.id for row in cues() if row.status == "pledge" and row.id[:3] in {"P00", "P01", "P02", "P03", "P04"}
)
_NOTHING: Points = (0.0, 0.0, 0.0, 0.0)


def _totals(terms: Sequence[Term], points: dict[str, Points]) -> list[float]:
    """The sum of each status, in the order of `STATUSES`."""
    completed = ongoing = pledge = none = 0.0  # written out: this is the innermost loop
    for term in terms:
        row = points.get(term.key)
        if row is not None:
            weight = term.weight
            completed += weight * row[0]
            ongoing += weight * row[1]
            pledge += weight * row[2]
            none += weight * row[3]
    return [completed, ongoing, pledge, none]


def _lift(row: Points, status: int) -> float:
    """By how much a row lifts one status above the mean of the others."""
    return row[status] - (sum(row) - row[status]) / 3


_DEPUTY = re.compile(r"人大代表|政协委员|(?:代表|委员|党委会)[：:]|提案|议案|号建议|各位代表|工作报告")
_CITIZEN = re.compile(r"[您你]|网友|网民|发帖|[来去]信|投诉|举报|信访|反映")


def register(draft: Draft) -> str:
    """Which table of points fits a draft: that of letters, or that of answers to citizens' messages.

    The body addressed tells; where none is, the words do.

    >>> register(Draft(text="您反映的路灯已修复。")), register(Draft(text="李代表：路灯已修复。"))
    ('message', 'letter')
    """
    kind = draft.header.kind
    if kind is None:
        return MESSAGE if _CITIZEN.search(draft.text) and not _DEPUTY.search(draft.text) else LETTER
    return MESSAGE if kind is Kind.MESSAGE else LETTER


def by_role(unit: Unit) -> Decision:
    """The decision on a unit that its role settles."""
    return Decision(Status.NONE, (), 1.0, (Evidence(unit.role.value, How.ROLE, Status.NONE),))


def _last_future(units: Sequence[Unit], found: Sequence[Sequence[Hit]]) -> int:
    """Index of the last unit that opens a part on the future; what stands before it tells of other times."""
    for i in range(len(units) - 1, -1, -1):
        lead = _opened(units[i], found[i])
        if lead and lead.cue.status == Status.PLEDGE.value:
            return i
    return -1


def _inherited(lead: _Lead, sign: str) -> Term:
    return Term(lead.cue.id + sign, 1.0, How.INHERITED, lead.start, lead.end)


def _opened(unit: Unit, hits: Sequence[Hit]) -> _Lead | None:
    """The lead with which a sentence opens, if it does."""
    for hit in hits:
        if hit.opens and hit.cue.carry:
            return _lead(unit, hit)
    return None


def _lead(unit: Unit, hit: Hit) -> _Lead:
    return _Lead(
        hit.cue, unit.start + hit.start, unit.start + hit.end, unit.paragraph, unit.text[-1] in ":："
    )
