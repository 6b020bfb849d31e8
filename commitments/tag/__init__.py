"""Taggers: what gives each sentence its status (已完成 / 持续推进 / 未来承诺 / 非举措).

Here lives only what all taggers share. Each tagger is a module of this package: `cues` (rules), `encoder` (a
trained network), `baselines` (what any method must beat).
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from commitments.draft import Decision, Draft
from commitments.explanation import Scorecard
from commitments.reply import Evidence
from commitments.terms import Role

READ_ROLES = frozenset({Role.BODY, Role.OPENING})
"""Roles whose sentences can tell a measure; all others are `none` by their place in the letter."""


class Tagger(Protocol):
    """What the pipeline asks of a tagger.

    Attributes:
        name: such as ``cues``.
        version: of its rules or weights; changes whenever a decision may change.
    """

    name: str
    version: str

    def tag(self, draft: Draft) -> tuple[Decision, ...]:
        """Decide each unit of a draft that has been segmented and structured.

        Returns:
            One decision a unit, in the same order.
        """
        ...


@runtime_checkable
class ScoringTagger(Tagger, Protocol):
    """A tagger that decides by adding points, and can show the sum."""

    def scorecards(self, draft: Draft) -> tuple[Scorecard | None, ...]:
        """Everything that counted for each unit; ``None`` for a unit that was decided without a sum.

        Returns:
            One a unit, in the same order; offsets are in the draft's text.
        """
        ...


@runtime_checkable
class OccludingTagger(Tagger, Protocol):
    """A tagger that can tell which words moved a decision, by hiding them."""

    def occlude(self, draft: Draft, index: int) -> tuple[Evidence, ...]:
        """What hiding words takes from the decision on one unit.

        Returns:
            The words for the status, and against it with negative points; offsets are in the draft's text.
        """
        ...
