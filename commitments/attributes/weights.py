"""Weights by which a candidate of a grammar is kept or dropped: a logistic model over named features.

The table is ``lexicon/weights.toml``, fitted by ``python -m commitments.train.attributes`` and never edited
by hand. What the features are is told by the module that has them (`actor`, `quantity`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

from commitments.lexicon import table

REGISTERS = ("letter", "message")
"""A reply to a deputy or a member, and an answer to a message; see `commitments.tag.cues.register`."""


@cache
def _table(kind: str) -> tuple[float, dict[str, float], dict[str, float]]:
    """Bias, thresholds by register and weights of one kind of candidate."""
    data = table("weights")[kind]
    weights = {feature: float(value) for feature, value in data["weight"].items()}
    return float(data["bias"]), {name: float(data[name]) for name in REGISTERS}, weights


def probability(kind: str, features: Iterable[str]) -> float:
    """How likely a candidate is what an annotator would mark.

    Args:
        kind: ``actor`` or ``quantity``.
        features: of the candidate; those that the table does not know count nothing.

    >>> 0 < probability("actor", ["left=由"]) < 1
    True
    """
    bias, _, weights = _table(kind)
    total = bias + math.fsum(weights.get(feature, 0.0) for feature in features)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def keeps(kind: str, features: Iterable[str], register: str) -> bool:
    """Whether a candidate is kept.

    Args:
        kind: ``actor`` or ``quantity``.
        features: of the candidate.
        register: one of `REGISTERS`: answers to messages are short, and tell every number and body for a
            reason; a letter tells much that is no target and no result.
    """
    return probability(kind, features) >= _table(kind)[1][register]
