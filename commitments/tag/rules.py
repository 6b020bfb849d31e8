"""Finding cues: the rows of ``lexicon/cues.toml``, and where they hold in a text.

What a hit is worth, and what follows from it, is in `commitments.tag.cues`.
"""

from __future__ import annotations

import datetime
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import ahocorasick_rs
import msgspec

from commitments import lexicon
from commitments.draft import Unit
from commitments.errors import SchemaError
from commitments.segment import clauses
from commitments.tag import READ_ROLES
from commitments.terms import Role

_SEARCHED = READ_ROLES | {Role.HEADING, Role.LEAD}

# Conditions look at most this far from the words, so that a sentence of 5,000 characters costs no more than
# its words do.
_WINDOW = 24

_DATE = re.compile(r"(?:((?:19|20)\d\d)年)?(?:(\d{1,2})月)?(?:(\d{1,2})日)?$")


class Cue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``lexicon/cues.toml``; its fields are explained at the head of that file."""

    id: str
    status: str
    words: tuple[str, ...]
    example: str
    counter: str
    note: str
    before: str = ""
    after: str = ""
    not_before: str = ""
    not_after: str = ""
    unless: str = ""
    time: str = ""
    carry: str = ""


class Hit(NamedTuple):
    """A cue found in a unit.

    Attributes:
        cue: the row.
        start: where its words begin in the unit's text.
        end: after their last character.
        clause: number of its clause in the unit.
        opens: whether only an ordinal or an address stands before it in the sentence.
    """

    cue: Cue
    start: int
    end: int
    clause: int
    opens: bool


@cache
def cues() -> tuple[Cue, ...]:
    """All rows, in the order of the file.

    Raises:
        SchemaError: a row is not as the head of the file says.

    >>> next(c for c in cues() if c.id == "P001").status
    'pledge'
    """
    try:
        rows = msgspec.convert(lexicon.table("cues")["cue"], tuple[Cue, ...])
    except (KeyError, msgspec.ValidationError) as error:
        raise SchemaError(f"lexicon/cues.toml: {error}") from error
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise SchemaError(f"lexicon/cues.toml: id {row.id} stands twice; ids are never reused")
        seen.add(row.id)
    return rows


@cache
def traits() -> dict[str, str]:
    """What each trait of a sentence (``K001`` …) is, in words.

    Raises:
        SchemaError: the table is missing or wrong.

    >>> traits()["K005"]
    'ends in a colon'
    """
    try:
        return msgspec.convert(lexicon.table("cues")["traits"], dict[str, str])
    except (KeyError, msgspec.ValidationError) as error:
        raise SchemaError(f"lexicon/cues.toml: {error}") from error


class _Conditions(NamedTuple):
    """A row with its patterns compiled."""

    cue: Cue
    before: Callable[[str], bool] | None
    not_before: Callable[[str], bool] | None
    after: re.Pattern[str] | None
    not_after: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    def hold(self, before: str, after: str) -> bool:
        return (
            (self.before is None or self.before(before))
            and (self.not_before is None or not self.not_before(before))
            and (self.after is None or self.after.match(after) is not None)
            and (self.not_after is None or self.not_after.match(after) is None)
        )


class Finder:
    """Finds all cues of a letter in one pass over its text (Aho & Corasick 1975), then checks conditions.

    Args:
        rows: the cues to look for.

    >>> text = "下一步，我局将加大巡查力度。"
    >>> units = (Unit(0, len(text), text, 0),)
    >>> [(hit.cue.id, text[hit.start : hit.end]) for hit in Finder(cues()).find(text, units)[0]]
    [('P001', '下一步，我局将'), ('V001', '加大'), ('O014', '巡查')]
    """

    def __init__(self, rows: Sequence[Cue]) -> None:
        by_word: dict[str, list[_Conditions]] = defaultdict(list)
        for row in rows:
            conditions = _compile(row)
            for word in row.words:
                by_word[word].append(conditions)
        self._rows = list(by_word.values())
        self._words = ahocorasick_rs.AhoCorasick(
            list(by_word), matchkind=ahocorasick_rs.MatchKind.LeftmostLongest
        )

    def find(self, text: str, units: Sequence[Unit], date: datetime.date | None = None) -> list[list[Hit]]:
        """The cues of each unit, in order; none of units that tell and open nothing, such as a signature.

        Args:
            text: the letter.
            units: its sentences.
            date: the letter's own; without it no date is past or future.
        """
        found = self._words.find_matches_as_indexes(text)
        hits: list[list[Hit]] = []
        at, count = 0, len(found)
        for unit in units:
            while at < count and found[at][1] < unit.start:
                at += 1
            begin = at
            while at < count and found[at][2] <= unit.end:
                at += 1
            wanted = begin < at and unit.role in _SEARCHED
            hits.append(list(self._check(unit, found[begin:at], date)) if wanted else [])
        return hits

    def _check(
        self, unit: Unit, found: Sequence[tuple[int, int, int]], date: datetime.date | None
    ) -> Iterator[Hit]:
        text, parts = unit.text, clauses(unit.text)
        starts = [start for start, _ in parts]
        opening = _opening(text, parts)
        # Asked once for each row and clause: a clause may be long and full of the same words.
        cancelled: dict[tuple[str, int], bool] = {}
        for word, start, end in found:
            start, end = start - unit.start, end - unit.start
            number = bisect_right(starts, start) - 1
            first, last = parts[number]
            before, after = text[max(first, start - _WINDOW) : start], text[end : min(last, end + _WINDOW)]
            for row in self._rows[word]:
                if row.cue.time and _when(text[max(0, start - 12) : end], date) != row.cue.time:
                    continue
                if not row.hold(before, after):
                    continue
                if row.unless is not None:
                    key = row.cue.id, number
                    if key not in cancelled:
                        cancelled[key] = row.unless.search(text[first:last]) is not None
                    if cancelled[key]:
                        continue
                yield Hit(row.cue, start, end, number, start <= opening)


def _compile(row: Cue) -> _Conditions:
    try:
        return _Conditions(
            row,
            _ends(row.before),
            _ends(row.not_before),
            re.compile(row.after) if row.after else None,
            re.compile(row.not_after) if row.not_after else None,
            re.compile(row.unless) if row.unless else None,
        )
    except re.error as error:
        raise SchemaError(f"lexicon/cues.toml: {row.id}: {error}") from error


def _ends(pattern: str) -> Callable[[str], bool] | None:
    """A test whether a text ends in a pattern.

    Most alternatives are plain words, a class of characters, or the beginning (``^``): these are tested
    without a regular expression, which would be tried at every place of the text.
    """
    if not pattern:
        return None
    words: list[str] = []
    classes: list[str] = []
    others: list[str] = []
    start = False
    for part in _alternatives(pattern):
        if part == "^":
            start = True
        elif _PLAIN.fullmatch(part):
            words.append(part)
        elif _CLASS.fullmatch(part):
            classes.append(part)
        else:
            others.append(part)
    endings = tuple(words)
    last = re.compile("|".join(classes)) if classes else None
    rest = re.compile(f"(?:{'|'.join(others)})$") if others else None

    def test(text: str) -> bool:
        return (
            (start and not text)
            or text.endswith(endings)
            or (last is not None and last.match(text[-1:]) is not None)
            or (rest is not None and rest.search(text) is not None)
        )

    return test


_PLAIN = re.compile(r"[^()\[\]{}?*+.\\^$|]+")
_CLASS = re.compile(r"\[[^\]]+\]|\\d")


def _alternatives(pattern: str) -> list[str]:
    r"""The alternatives of ``(?:a|b)$`` or ``a|b``; a pattern of another shape is its own only one.

    >>> _alternatives("(?:^|[，,]|并|共(?:有|计))$"), _alternatives(r"\d$")
    (['^', '[，,]', '并', '共(?:有|计)'], ['\\d'])
    """
    body = pattern.removesuffix("$")
    if body.startswith("(?:") and body.endswith(")") and _split(body[3:-1])[1] == 0:
        return _split(body[3:-1])[0]
    parts, depth = _split(body)
    return parts if depth == 0 else [body]


def _split(body: str) -> tuple[list[str], int]:
    """Cut at each ``|`` outside groups and classes; and how many groups stay open, or close too early."""
    parts, depth, in_class, at, skip = [""], 0, False, 0, False
    for char in body:
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            at = min(at, depth)
        elif char == "|" and depth == 0:
            parts.append("")
            continue
        parts[-1] += char
    return parts, at or depth


# What may stand before a lead: an ordinal, or the body that acts.
_ADDRESS = re.compile(
    r"\s*(?:[一二三四五六七八九十]{1,3}[、.．是]|[（(][一二三四五六七八九十\d]{1,3}[）)]|\d{1,2}[、.．]|[①-⑩■●◆])?"
    r"(?:首先|其次|最后|同时|另外|此外|对于|针对|对此|关于|我们|我局|我委|在|第[一二三四五六七八九十])?[，,：:、\s]*"
)
_ANNOUNCED = re.compile(r".{0,80}?如下[：:，,]?")


def _opening(text: str, parts: Sequence[tuple[int, int]]) -> int:
    """The last offset at which a word opens the sentence, the announcement “……答复如下：” left aside."""
    start = 0
    if len(parts) > 1 and (announced := _ANNOUNCED.match(text)) is not None:
        start = announced.end()
    address = _ADDRESS.match(text, start)
    return address.end() if address else start


def _when(words: str, date: datetime.date | None) -> str:
    """Whether the date that some words end with is past or future; empty when it cannot be told.

    >>> day = datetime.date(2020, 6, 1)
    >>> _when("于2019年5月", day), _when("2020年", day), _when("将于9月", day), _when("9月", None)
    ('past', '', 'future', '')
    """
    parts = _DATE.search(words)
    if date is None or parts is None or not (parts[1] or parts[2]):
        return ""
    year, month = int(parts[1] or date.year), int(parts[2] or 0)
    if month:
        day = int(parts[3] or 0)
        given, own = (year, month, day), (date.year, date.month, date.day if day else 0)
    else:
        given, own = (year, 0, 0), (date.year, 0, 0)
    return "past" if given < own else "future" if given > own else ""
