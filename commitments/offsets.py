r"""Edits of a text, and where the characters of an edited text came from.

The repairs themselves are in `commitments.clean` and `commitments.wraps`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import msgspec


class Edit(NamedTuple):
    """``text[start:end]`` becomes ``new``: nothing, one character, or as many as there were."""

    start: int
    end: int
    new: str


class Step(msgspec.Struct, frozen=True):
    """One repair that changed something: its name, and its edits of the text as the step before left it."""

    name: str
    edits: tuple[Edit, ...]


class Layer(msgspec.Struct, frozen=True):
    """What one step kept, as stretches in order, in four parallel tuples.

    The characters of a stretch correspond one to one, unless its lengths differ: then one stands for several.

    Attributes:
        after: where the stretches begin after the step.
        before: where they begin before it.
        after_length: their lengths after it.
        before_length: their lengths before it.
        total: length of the text before it.
    """

    after: tuple[int, ...]
    before: tuple[int, ...]
    after_length: tuple[int, ...]
    before_length: tuple[int, ...]
    total: int

    def came_from(self, at: int) -> tuple[int, int]:
        """The characters before the step that one character after it stands for."""
        k = bisect_right(self.after, at) - 1
        if k < 0 or at >= self.after[k] + self.after_length[k]:
            return self.total, self.total
        start = self.before[k]
        if self.before_length[k] != self.after_length[k]:
            return start, start + self.before_length[k]
        start += at - self.after[k]
        return start, start + 1

    def first_after(self, at: int) -> int:
        """The first character after the step that does not stem from before ``at``."""
        k = bisect_right(self.before, at) - 1
        if k < 0:
            return 0
        past = at - self.before[k]
        if past >= self.before_length[k]:
            return self.after[k] + self.after_length[k]
        return self.after[k] + (past if self.before_length[k] == self.after_length[k] else 0)

    def last_after(self, at: int) -> int:
        """After the last character that stems from before ``at``."""
        k = bisect_left(self.before, at) - 1
        return 0 if k < 0 else self.after[k] + min(at - self.before[k], self.after_length[k])


class OffsetMap(msgspec.Struct, frozen=True):
    r"""Where the characters of a cleaned text stood in its source, and the reverse (位置对照).

    >>> text, edits = "已建 成\r\n", [Edit(2, 3, ""), Edit(4, 6, "\n")]
    >>> offsets = OffsetMap((layer(len(text), edits),))
    >>> apply(text, edits), offsets.to_source(0, 3), offsets.to_source(3, 4), offsets.to_clean(3, 6)
    ('已建成\n', (0, 4), (4, 6), (2, 4))

    Attributes:
        layers: one for each step, in order.
    """

    layers: tuple[Layer, ...] = ()

    def to_source(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of source that a half-open span of the cleaned text came from.

        Spans that do not overlap come from stretches that do not overlap. What was removed inside a span lies
        inside its stretch; what was removed at its edges does not.

        Args:
            start: first character, in the cleaned text.
            end: after the last.
        """
        for step in reversed(self.layers):
            if start < end:
                start, end = step.came_from(start)[0], step.came_from(end - 1)[1]
            else:
                start = end = step.came_from(start)[0]
        return start, end

    def to_clean(self, start: int, end: int) -> tuple[int, int]:
        """The span of cleaned text that came from a half-open stretch of source; empty if all was removed.

        Args:
            start: first character, in the source.
            end: after the last.
        """
        for step in self.layers:
            start, end = step.first_after(start), step.last_after(end)
            end = max(start, end)
        return start, end


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with its edits made; they are in order and do not overlap.

    >>> apply("贯 彻", [Edit(1, 2, "")])
    '贯彻'
    """
    parts: list[str] = []
    at = 0
    for start, end, new in edits:
        parts += text[at:start], new
        at = end
    parts.append(text[at:])
    return "".join(parts)


def replay(text: str, steps: Sequence[Step]) -> str:
    r"""Apply recorded steps to the text that they were recorded on.

    >>> replay("一\r\n二", [Step("newlines", (Edit(1, 3, "\n"),))])
    '一\n二'
    """
    for step in steps:
        text = apply(text, step.edits)
    return text


def layer(length: int, edits: Sequence[Edit]) -> Layer:
    """The stretches that edits of a text leave.

    Args:
        length: of the text before the edits.
        edits: in order, not overlapping.
    """
    rows: list[tuple[int, int, int, int]] = []
    shift = at = 0
    for start, end, new in edits:
        if len(new) == end - start:  # character by character, so part of the stretch around it
            continue
        if start > at:
            rows.append((at + shift, at, start - at, start - at))
        if new:
            rows.append((start + shift, start, 1, end - start))
        shift += len(new) - (end - start)
        at = end
    if length > at:
        rows.append((at + shift, at, length - at, length - at))
    after, before, after_length, before_length = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Layer(after, before, after_length, before_length, length)
