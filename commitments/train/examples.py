"""Gold letters, and letters that a teacher has read, as what the encoder learns from.

A letter is read by the pipeline as a user's would be, so that training sees the same sentences, headings and
asks as running does. The windows are drawn anew for each epoch.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from commitments.corpus import GoldDocument, GoldUnit
from commitments.draft import Draft
from commitments.pipeline import Pipeline
from commitments.tag import READ_ROLES
from commitments.tag.cues import STATUSES, Cues
from commitments.tag.features import NAMES, features
from commitments.tag.windows import Item, Window, WindowConfig, assemble, item, prefix, shown
from commitments.terms import Status

Array = npt.NDArray[Any]


class Letter(NamedTuple):
    """One letter to learn from.

    Attributes:
        id: of the gold letter.
        draft: as the pipeline read it.
        items: its sentences in pieces.
        heads: the prefix of a window that begins with each item, and the same without what is asked.
        features: (units, len(features.NAMES)).
        status: (units, 4): the share of each status, in the order of `commitments.tag.cues.STATUSES`.
        also: (units, 4): 1 for each status that the unit has, the main one included.
        weight: (units,): 0 where a unit is not read.
    """

    id: str
    draft: Draft
    items: list[Item]
    heads: list[tuple[list[int], list[int]]]
    features: Array
    status: Array
    also: Array
    weight: Array


def gold_units(document: GoldDocument, pipeline: Pipeline) -> tuple[Draft, list[GoldUnit | None]]:
    """The draft of a gold letter, and the gold unit that shares most with each of its units."""
    asks = [ask.text for ask in document.asks]
    cleaned, draft = pipeline.draft(document.text, suggestion=asks or None, date=document.day)
    found: list[GoldUnit | None] = []
    for unit in draft.units:
        start, end = cleaned.offsets.to_source(unit.start, unit.end)
        best = max(document.units, key=lambda u: min(u.end, end) - max(u.start, start), default=None)
        held = best is not None and min(best.end, end) > max(best.start, start)
        found.append(best if held else None)
    return draft, found


def targets(units: Sequence[GoldUnit | None], mixed: float) -> tuple[Array, Array]:
    """What to learn for each unit; a secondary status gets a share of the target, for annotators waver there.

    Args:
        units: gold units; ``None`` is none.
        mixed: share of the secondary statuses of a mixed unit together.

    Returns:
        The shares of the statuses, and which statuses the unit has, each (units, 4).
    """
    status = np.zeros((len(units), len(STATUSES)), dtype=np.float32)
    also = np.zeros_like(status)
    for i, unit in enumerate(units):
        label = unit.label if unit is not None else Status.NONE
        further = [s for s in (unit.also if unit is not None else ()) if s is not label]
        status[i, STATUSES.index(label)] = 1 - (mixed if further else 0.0)
        also[i, STATUSES.index(label)] = 1
        for other in further:
            status[i, STATUSES.index(other)] += mixed / len(further)
            also[i, STATUSES.index(other)] = 1
    return status, also


def letter(
    draft: Draft,
    status: Array,
    also: Array,
    coder: Tokenizer,
    config: WindowConfig,
    cues: Cues,
    *,
    name: str = "",
    weight: float = 1.0,
) -> Letter:
    """A draft, with what is to be learnt of its units, as a letter to learn from.

    Args:
        draft: as the pipeline read it.
        status: as in `Letter`.
        also: as in `Letter`.
        coder: cuts texts into pieces.
        config: of the windows.
        cues: the rules, whose findings the network sees too.
        name: the letter's id.
        weight: of its sentences.
    """
    read = np.array([weight * (unit.role in READ_ROLES) for unit in draft.units], dtype=np.float32)
    items = [item(draft, i, coder, config) for i in shown(draft)]
    heads = [
        (prefix(draft, one.unit, coder, config), prefix(draft, one.unit, coder, config, gist=False))
        for one in items
    ]
    rows = np.array(features(draft, cues), dtype=np.float32).reshape(-1, len(NAMES))
    return Letter(name, draft, items, heads, rows, status, also, read)


def letters(
    documents: Iterable[GoldDocument],
    pipeline: Pipeline,
    coder: Tokenizer,
    config: WindowConfig,
    *,
    mixed: float = 0.2,
    weight: float = 1.0,
) -> Iterator[Letter]:
    """Read gold letters for training."""
    cues = Cues(pipeline.config.cues)
    for document in documents:
        draft, units = gold_units(document, pipeline)
        status, also = targets(units, mixed)
        yield letter(draft, status, also, coder, config, cues, name=document.id, weight=weight)


def draw(letter: Letter, config: WindowConfig, lot: random.Random, bare: float) -> Iterator[Window]:
    """Windows of a letter that together show every sentence once, cut at places that differ each time.

    Args:
        letter: to be shown.
        config: of the windows.
        lot: decides the places.
        bare: share of the windows that are shown without what is asked.
    """
    items = letter.items
    begin = 0
    while begin < len(items):
        head = letter.heads[begin][lot.random() < bare]
        total = sum(len(one.ids) + 1 for one in items)
        whole = total + len(head) <= config.size
        size = config.size if whole else lot.randint(config.size // 2, config.size)
        end, left = begin, size - len(head)
        while end < len(items) and (len(items[end].ids) < left or end == begin):
            left -= len(items[end].ids) + 1
            end += 1
        yield assemble(head, items[begin:end], (0, end - begin))
        begin = end
