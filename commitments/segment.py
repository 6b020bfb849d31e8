"""Sentences and clauses: where the units that get a status begin and end.

A unit (句) is what the annotation guideline calls a sentence: it ends at ``。！？!?；;`` or with its
paragraph; marks inside quotes and brackets do not end it. Hard wraps are mended before, in
`commitments.clean`: here a line break always ends a unit. What a unit *is* in the letter (heading, lead,
closing …) is found by `structure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from commitments.draft import Region, Unit
from commitments.terms import Role

_PAIRS = {
    "》": "《",
    "”": "“",
    "’": "‘",
    "）": "（",
    ")": "(",
    "]": "[",
    "】": "【",
    "〕": "〔",
    "」": "「",
    "』": "『",
}
_OPEN = "".join(_PAIRS.values())
_CLOSE = "".join(_PAIRS)
_ENDS = "。！？!?；;"
_QUOTES = "”’」』"

_MARK = re.compile(f"[{_ENDS}：:\\n{re.escape(_OPEN + _CLOSE)}]")
_TAIL = re.compile(f"[{_ENDS}”’）)》】」』]*")
# What opens an item right after a colon: “现答复如下：一、……”. “1.5” is a decimal, “1.公园” an item.
_ITEM = re.compile(
    r"[^\S\n]*(?:[一二三四五六七八九十]+、|[（(][一二三四五六七八九十\d]+[）)]|\d+[、.．](?!\d)|[①-⑩])"
)
_CLAUSE = re.compile(f"[，,：:—{re.escape(_OPEN + _CLOSE)}]")


class SegmentConfig(msgspec.Struct, frozen=True):
    """How sentences are found.

    Attributes:
        longest_quote: marks inside a closed pair of quotes or brackets of at most so many characters do not
            end a unit; a longer pair, or one never closed, is read as if it were not there.
    """

    longest_quote: int = 150


def segment(
    text: str,
    regions: Sequence[Region] = (),
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 - frozen
) -> tuple[Unit, ...]:
    """Split cleaned text into units (分句).

    Args:
        text: as `commitments.clean.clean` returns it, folded for matching or not.
        regions: stretches of it with a role; their borders end a unit and its paragraph. Text
            outside all of them is body.
        config: settings.

    Returns:
        The units, in order: they do not overlap, and only white space lies between them.

    >>> [u.text for u in segment("已建成《食堂。》2个；下一步，再建3个。详情如下：1.东区1.5公里")]
    ['已建成《食堂。》2个；', '下一步，再建3个。', '详情如下：', '1.东区1.5公里']
    """
    units: list[Unit] = []
    paragraph, counted = 0, 0
    for start, end, role in _stretches(len(text), regions):
        border = bool(units)
        for s, e in _spans(text, start, end, config.longest_quote):
            lines = text.count("\n", counted, s)
            paragraph += lines or border  # what stands beside the letter is never of its paragraph
            counted, border = s, False
            units.append(Unit(s, e, text[s:e], paragraph, role))
    return tuple(units)


def clauses(text: str, longest_quote: int = 30) -> list[tuple[int, int]]:
    """Split one unit into clauses (小句) at commas, colons and dashes.

    Marks inside short quotes or brackets and between digits (“2,417”, “9:30”) do not split. The mark belongs
    to the clause before it; the clauses tile the text.

    Args:
        text: the text of one unit.
        longest_quote: quotes and brackets of at most so many characters are kept whole.

    >>> text = "现已完成主体，预计2,417户受益：“一网，统管”"
    >>> [text[s:e] for s, e in clauses(text)]
    ['现已完成主体，', '预计2,417户受益：', '“一网，统管”']
    """
    out: list[tuple[int, int]] = []
    start, last = 0, len(text) - 1
    marks = list(_CLAUSE.finditer(text))
    inside = _pairs(marks, longest_quote)
    at, closed = 0, -1
    for mark in marks:
        i = mark.start()
        while at < len(inside) and inside[at][0] <= i:
            closed = max(closed, inside[at][1])
            at += 1
        char = mark.group()
        if char in _PAIRS or char in _OPEN or i < closed:
            continue
        if char in ",:：" and 0 < i < last and text[i - 1].isdigit() and text[i + 1].isdigit():
            continue
        if i == start and out:  # “——” and “：—” close one clause, not two
            out[-1] = (out[-1][0], i + 1)
        elif i >= start:
            out.append((start, i + 1))
        start = i + 1
    if start <= last:
        out.append((start, last + 1))
    return out


def _stretches(length: int, regions: Sequence[Region]) -> Iterator[tuple[int, int, Role]]:
    """The text cut at the borders of its regions; what lies in none of them is body."""
    at = 0
    for region in sorted(regions, key=lambda r: r.start):
        start, end = max(region.start, at), min(region.end, length)
        if start >= end:
            continue
        if at < start:
            yield at, start, Role.BODY
        yield start, end, region.role
        at = end
    if at < length:
        yield at, length, Role.BODY


def _pairs(marks: list[re.Match[str]], longest: int) -> list[tuple[int, int]]:
    """Closed pairs of quotes and brackets of at most ``longest`` characters, by where they open.

    None spans a line. An opener that is never closed is dropped when a pair around it closes, so that it
    swallows nothing.
    """
    pairs: list[tuple[int, int]] = []
    stack: list[tuple[str, int]] = []
    for mark in marks:
        char = mark.group()
        if char in _OPEN:
            stack.append((char, mark.start()))
        elif char == "\n":
            stack.clear()
        elif char in _PAIRS and stack:
            want, i = _PAIRS[char], mark.start()
            while stack and stack[-1][0] != want and i - stack[-1][1] <= longest:
                stack.pop()
            if stack and stack[-1][0] == want:
                j = stack.pop()[1]
                if i - j <= longest:
                    pairs.append((j, i))
    pairs.sort()
    return pairs


def _spans(text: str, start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    """Half-open spans of the units in one stretch, trimmed."""
    marks = list(_MARK.finditer(text, start, end))
    inside = _pairs(marks, longest)
    at, closed = 0, -1  # up to where the pairs that are open here reach
    for mark in marks:
        i = mark.start()
        if i < start:
            continue
        while at < len(inside) and inside[at][0] <= i:
            closed = max(closed, inside[at][1])
            at += 1
        char = mark.group()
        if char == "\n":
            stop = i
        elif char in _ENDS:
            # A sentence that ends inside its quote ends there: “……。”
            closes = i + 1 < end and text[i + 1] in _QUOTES and char not in ";；"
            if i < closed and not closes:
                continue
            tail = _TAIL.match(text, i + 1, end)
            stop = tail.end() if tail else i + 1
        elif char in "：:" and i >= closed and _ITEM.match(text, i + 1, end):
            if text[max(start, i - 4) : i].strip().lstrip("（(") in (
                "附件",
                "附",
            ):  # its list is one line of the letter
                continue
            stop = i + 1
        else:
            continue
        yield from _trimmed(text, start, stop)
        start = stop
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without white space at its ends, unless nothing is left."""
    part = text[start:end]
    bare = part.lstrip()
    if bare:
        start = end - len(bare)
        yield start, start + len(bare.rstrip())
