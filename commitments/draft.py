"""A letter while it is being read: what one stage of the pipeline hands to the next.

Offsets in a Draft are in its *cleaned* text, so that no stage has to think of hard wraps; the pipeline maps
them back to the caller's text once, at the end, when it makes the `commitments.reply.Reply`. Each stage takes
a Draft and returns one with one more layer. Nothing flows back.
"""

from __future__ import annotations

import datetime

import msgspec

from commitments.reply import (
    Action,
    Actor,
    Ask,
    Condition,
    Deadline,
    Evidence,
    Link,
    Quantity,
    ResultCode,
    Section,
    Span,
)
from commitments.terms import Kind, Role, Status, Strength


class Region(msgspec.Struct, frozen=True):
    """A stretch of a page that is the letter, the suggestion, or neither.

    Attributes:
        start: its first character.
        end: after its last.
        role: `Role.BODY` for the letter, `Role.SUGGESTION`, or `Role.OUTSIDE` for the rest of the page.
    """

    start: int
    end: int
    role: Role


class Unit(msgspec.Struct, frozen=True):
    """A sentence as segmented.

    Attributes:
        start: offset into the draft's text.
        end: after its last character.
        text: ``draft.text[start:end]``.
        paragraph: number of its paragraph, from 0; a line of cleaned text, or its part in one region.
        role: of the region that it stands in, then what `structure` made of it.
        section: index of the innermost section, or ``None``.
    """

    start: int
    end: int
    text: str
    paragraph: int
    role: Role = Role.BODY
    section: int | None = None


class Header(msgspec.Struct, frozen=True):
    """What the letter says of itself; ``spans`` tells where (keys are the fields' names)."""

    kind: Kind | None = None
    agency: str | None = None
    date: datetime.date | None = None
    recipient: str | None = None
    title: str | None = None
    doc_number: str | None = None
    result_code: str | None = None
    publicity: str | None = None
    spans: dict[str, Span] = {}


class Decision(msgspec.Struct, frozen=True):
    """What a tagger says of one unit; evidence offsets are in the draft's text."""

    status: Status = Status.NONE
    also: tuple[Status, ...] = ()
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    undecided: bool = False


class Attributes(msgspec.Struct, frozen=True):
    """Who, by when, how much and how firmly: of one unit; offsets are in the draft's text.

    The fields are those of `commitments.reply.Sentence`.
    """

    deadlines: tuple[Deadline, ...] = ()
    conditions: tuple[Condition, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    actors: tuple[Actor, ...] = ()
    actor: Actor | None = None
    strength: Strength | None = None
    strength_cue: Span | None = None
    action: Action | None = None


class Draft(msgspec.Struct, frozen=True):
    """A letter between two stages.

    Attributes:
        text: cleaned, and folded for matching (width, traditional characters).
        regions: the letter, the suggestion and the rest of the page, in the cleaned text.
        suggestion: the suggestion that the caller or the page gave: one text, or its asks one by one.
        date: of the reply, when the caller gave it.
        units: its sentences.
        header: what the letter says of itself.
        sections: its headings.
        asks: what is asked, given or found.
        decisions: one for each unit.
        links: one for each unit.
        attributes: one for each unit.
        result: what the result code means.
        warnings: what a reader should know.
    """

    text: str
    regions: tuple[Region, ...] = ()
    suggestion: str | tuple[str, ...] | None = None
    date: datetime.date | None = None
    units: tuple[Unit, ...] = ()
    header: Header = Header()
    sections: tuple[Section, ...] = ()
    asks: tuple[Ask, ...] = ()
    decisions: tuple[Decision, ...] = ()
    links: tuple[Link, ...] = ()
    attributes: tuple[Attributes, ...] = ()
    result: ResultCode | None = None
    warnings: tuple[str, ...] = ()
