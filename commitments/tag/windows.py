"""Packing consecutive sentences into windows: an encoder reads each in its context, and each token once.

A. Cohan et al., “Pretrained Language Models for Sequential Sentence Classification”, EMNLP 2019. A window
begins with what the letter is about and the headings that hold for its first sentence; then come sentences,
each closed by an end mark. Long letters take several windows that overlap. Training and running both pack
here.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from commitments.draft import Draft
from commitments.tag import READ_ROLES
from commitments.tag.cues import MESSAGE, register
from commitments.terms import Role

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BOS, PAD, EOS, UNK, MASK = range(5)
"""The first ids of every vocabulary of ours."""

_SHOWN = READ_ROLES | {Role.TITLE, Role.SALUTATION, Role.HEADING, Role.LEAD, Role.CLOSING}


class WindowConfig(msgspec.Struct, frozen=True):
    """How sentences are packed; all sizes are in tokens.

    Attributes:
        size: of a window.
        overlap: most of the sentences before that a window shows again, as context.
        margin: what should follow a sentence in its window, unless the letter ends there.
        unit: most of one sentence; of a longer one the beginning and, twice as long, the end are shown.
        gist: most of what is asked.
        headings: most of the headings above the first sentence.
    """

    size: int = 384
    overlap: int = 96
    margin: int = 48
    unit: int = 240
    gist: int = 48
    headings: int = 32


class Item(NamedTuple):
    """A sentence as the encoder sees it.

    Attributes:
        unit: its index in the draft.
        ids: its pieces.
        tail: where its last clause begins among them: a mixed sentence is mainly about its last predicate.
    """

    unit: int
    ids: array[int]
    tail: int


class Window(NamedTuple):
    """What the encoder reads at once.

    Attributes:
        ids: of all tokens.
        units: indices of the sentences shown, in order.
        starts: where each begins among the tokens.
        tails: where the last clause of each begins.
        ends: where each ends, before its end mark.
        scored: from which to which of `units` this window decides; the others are context.
    """

    ids: list[int]
    units: list[int]
    starts: list[int]
    tails: list[int]
    ends: list[int]
    scored: tuple[int, int]


def shown(draft: Draft) -> list[int]:
    """Indices of the units that the encoder sees: no signature, address, or what is not the letter."""
    return [i for i, unit in enumerate(draft.units) if unit.role in _SHOWN]


_CLAUSE = re.compile(r"[，,:：；;](?=[^，,:：；;]{4})")


def item(draft: Draft, index: int, coder: Tokenizer, config: WindowConfig) -> Item:
    """One sentence in pieces."""
    text = draft.units[index].text
    if len(text) > 8 * config.unit:  # no use to cut into pieces what will not be shown
        text = text[: 4 * config.unit] + text[-4 * config.unit :]
    encoded = coder.encode(text, add_special_tokens=False)
    last = 0
    for comma in _CLAUSE.finditer(text):
        last = comma.end()
    ids = encoded.ids
    tail = next((n for n, (start, _) in enumerate(encoded.offsets) if start >= last), 0)
    if len(ids) > config.unit:
        head = config.unit // 3
        dropped = len(ids) - config.unit
        ids = ids[:head] + ids[head + dropped :]
        tail = max(head, tail - dropped) if tail >= head else tail
    return Item(index, array("i", ids), tail)


def prefix(
    draft: Draft, index: int, coder: Tokenizer, config: WindowConfig, *, gist: bool = True
) -> list[int]:
    """What stands at the head of a window: the register, what is asked, and the headings above a unit."""
    name = "留言" if register(draft) == MESSAGE else "建议"
    about = "；".join(ask.text[: 2 * config.gist] for ask in draft.asks[:4]) or draft.header.title or ""
    titles: list[str] = []
    section = draft.units[index].section
    while section is not None and len(titles) < 4:
        titles.append(draft.sections[section].title[: 2 * config.headings])
        section = draft.sections[section].parent
    ids = [BOS, *coder.encode(name, add_special_tokens=False).ids]
    for text, most in ((about if gist else "", config.gist), ("｜".join(reversed(titles)), config.headings)):
        ids += [*coder.encode(text, add_special_tokens=False).ids[:most], EOS]
    return ids


def pack(
    draft: Draft, coder: Tokenizer, config: WindowConfig, wanted: Collection[int] | None = None
) -> Iterator[Window]:
    """The windows of a letter, one after another; each shown unit is decided in just one of them.

    Only the pieces of one window are held at a time, however long the letter is.

    Args:
        draft: the letter.
        coder: cuts texts into pieces.
        config: sizes.
        wanted: indices of the units to decide, if not all: the windows then show these and what is around
            them.
    """
    order = shown(draft)
    held: dict[int, Item] = {}

    def at(n: int) -> Item:
        if n not in held:
            held[n] = item(draft, order[n], coder, config)
        return held[n]

    first = 0  # what is still to be decided
    while True:
        while wanted is not None and first < len(order) and order[first] not in wanted:
            first += 1
        if first >= len(order):
            return
        begin, room = first, config.overlap
        while begin > 0 and len(at(begin - 1).ids) < room:
            begin -= 1
            room -= len(at(begin).ids) + 1
        head = prefix(draft, order[begin], coder, config)
        end, left, idle = begin, config.size - len(head), 0
        while end < len(order) and (len(at(end).ids) < left or end <= first):
            left -= len(at(end).ids) + 1
            idle = 0 if wanted is None or order[end] in wanted else idle + len(at(end).ids) + 1
            end += 1
            if end > first + 1 and idle >= config.overlap:
                break
        decided = end
        if end < len(order):
            after = 0
            while decided > first + 1 and after < config.margin:
                decided -= 1
                after += len(at(decided).ids) + 1
        yield assemble(head, [at(n) for n in range(begin, end)], (first - begin, decided - begin))
        first = decided
        for n in [n for n in held if n < first - config.overlap]:
            del held[n]


def assemble(head: Sequence[int], items: Sequence[Item], scored: tuple[int, int]) -> Window:
    """A window of a prefix and sentences."""
    ids = list(head)
    window = Window(ids, [], [], [], [], scored)
    for one in items:
        window.units.append(one.unit)
        window.starts.append(len(ids))
        window.tails.append(len(ids) + one.tail)
        ids += one.ids
        window.ends.append(len(ids))
        ids.append(EOS)
    return window
