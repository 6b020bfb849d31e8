"""Why one sentence has its status, in full: the scorecard (计分卡) and what stands around it.

A `commitments.reply.Evidence` tells what spoke *for* the status; a `Scorecard` tells everything that counted,
for and against, so that the sum can be done again by hand. How it looks in a terminal is in `terminal`.
"""

from __future__ import annotations

from math import exp
from typing import Any

import msgspec

from commitments.reply import Ask, Evidence, Reply, Sentence
from commitments.terms import How, Status


class Summand(msgspec.Struct, frozen=True):
    """One row of a scorecard: something that counted, and what it gave to each status.

    Attributes:
        rule: id of the rule, such as ``P001``; with ``>`` when inherited from the words before the sentence,
            with ``^`` when from the heading above it. ``K…`` are traits, such as the sentence's length.
        how: whether the words stand in the sentence itself, or where it inherits from.
        points: for each status, the weight counted in.
        weight: 1, or the share that a clause before the last marked one keeps.
        start: where the words stand; ``None`` for a trait.
        end: where they end.
        text: the words.
        note: what the rule is for.
    """

    rule: str
    how: How
    points: dict[Status, float]
    weight: float = 1.0
    start: int | None = None
    end: int | None = None
    text: str = ""
    note: str = ""


class Scorecard(msgspec.Struct, frozen=True):
    """The whole sum that decided a sentence: the status with most points wins.

    Attributes:
        register: which points were used: of a ``letter`` (建议、提案), or of a ``message`` (留言).
        scale: points of one unit of log-odds.
        summands: what counted; what speaks most for the winner stands first.

    >>> rows = (Summand("P001", How.CUE, {Status.COMPLETED: -3.0, Status.PLEDGE: 20.0}),)
    >>> card = Scorecard("letter", 10.0, rows)
    >>> card.status.value, card.totals[Status.PLEDGE], round(card.confidence, 3)
    ('pledge', 20.0, 0.729)
    """

    register: str
    scale: float
    summands: tuple[Summand, ...] = ()

    @property
    def totals(self) -> dict[Status, float]:
        """The points of each status, summed."""
        return {status: sum(row.points.get(status, 0.0) for row in self.summands) for status in Status}

    @property
    def status(self) -> Status:
        """The status with most points; of equals the first in the order of `Status`."""
        totals = self.totals
        return max(totals, key=lambda status: totals[status])

    @property
    def confidence(self) -> float:
        """The winner's share in the softmax of totals / scale; no calibrated probability."""
        totals = self.totals.values()
        return 1 / sum(exp((total - max(totals)) / self.scale) for total in totals)


class Explanation(msgspec.Struct, frozen=True):
    """What `commitments.Pipeline.explain` tells of one sentence.

    Attributes:
        reply: the letter that it stands in.
        number: the sentence's, from 1.
        scorecard: the sum that decided; ``None`` where none did: the sentence's role settled it (a heading,
            a signature), or the model does not count points.
        moved: the words that moved a trained model's decision: ``points`` are what hiding them takes from the
            log-odds of the status. Empty for a model of rules.
    """

    reply: Reply
    number: int
    scorecard: Scorecard | None = None
    moved: tuple[Evidence, ...] = ()

    @property
    def sentence(self) -> Sentence:
        """The sentence itself."""
        return self.reply.sentences[self.number - 1]

    @property
    def section(self) -> tuple[str, ...]:
        """The headings that it stands under, the outermost first."""
        path: list[str] = []
        index = self.sentence.section
        while index is not None:
            path.append(self.reply.sections[index].title)
            index = self.reply.sections[index].parent
        return tuple(reversed(path))

    @property
    def asks(self) -> tuple[Ask, ...]:
        """The asks that it answers, ``*`` spelt out."""
        answered = self.sentence.asks
        return tuple(ask for ask in self.reply.asks if ask.id in answered or "*" in answered)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python objects, ready for JSON."""
        card = self.scorecard
        return {
            "name": self.reply.name,
            "model": self.reply.model,
            "number": self.number,
            "sentence": msgspec.to_builtins(self.sentence),
            "headings": list(self.section),
            "asks": msgspec.to_builtins(self.asks),
            "moved": msgspec.to_builtins(self.moved),
            "scorecard": card
            and {
                **msgspec.to_builtins(card),
                "totals": msgspec.to_builtins(card.totals),
                "status": card.status.value,
                "confidence": card.confidence,
            },
        }
