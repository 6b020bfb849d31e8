"""What reading gives: a Source; and the limits that reading keeps to.

How each format is read is in the module of its name.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import msgspec

from commitments import furniture
from commitments.draft import Region
from commitments.locate import locate
from commitments.terms import Role


class ReadConfig(msgspec.Struct, frozen=True):
    """Limits that keep a hostile or mistaken file from filling memory.

    Attributes:
        max_bytes: the largest file or row that is read.
        max_unpacked: the most bytes that a .docx may unpack to.
        max_pages: the most pages of a .pdf.
        max_depth: the deepest nesting of elements in a page.
    """

    max_bytes: int = 50_000_000
    max_unpacked: int = 200_000_000
    max_pages: int = 2_000
    max_depth: int = 4_000


class Position(NamedTuple):
    """Where a character stands, as a reader counts: page, line and column from 1.

    Lines are counted from the top of the page.
    """

    page: int
    line: int
    column: int

    def __str__(self) -> str:
        return f"page {self.page}, line {self.line}, column {self.column}"


class Source(msgspec.Struct, frozen=True):
    r"""The text of a letter as read from a file, and where in it the letter is.

    Attributes:
        text: the decoded or extracted text; all offsets refer to it.
        name: the file or row, as the user would recognise it.
        format: ``txt``, ``html``, ``docx``, ``pdf`` or ``json``.
        encoding: of the bytes, where the format leaves it open.
        regions: the letter (`Role.BODY`), the suggestion and the rest of the page; in order, covering the
            text; empty when all of it is the letter.
        repairs: what reading mended or left out, in words.
        metadata: what the file says of itself: ``title``, ``date``, ``agency``, ``id``, ``index`` …, as
            written.
        pages: where each page begins; a file without pages has one.

    >>> source = Source.from_text("建议内容：建公园。\n答复内容：王代表：您的建议收悉。明年建公园。")
    >>> source.suggestion, source.letter
    ('建公园。', '王代表：您的建议收悉。明年建公园。')
    """

    text: str
    name: str = "text"
    format: str = "txt"
    encoding: str | None = None
    regions: tuple[Region, ...] = ()
    repairs: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    pages: tuple[int, ...] = (0,)

    @classmethod
    def from_text(cls, text: str, name: str = "text") -> Source:
        """A Source of text at hand: a letter, or the text of the page around it.

        Args:
            text: the text.
            name: what errors and results call it.

        >>> Source.from_text("王代表：您的建议收悉。", name="a letter").name
        'a letter'
        """
        return located(cls(text=text, name=name))

    @property
    def suggestion(self) -> str | None:
        """The suggestion (建议原文) that stands in the page or came with the row; None when there is none."""
        parts = [self.text[r.start : r.end].strip() for r in self.regions if r.role is Role.SUGGESTION]
        return "\n".join(p for p in parts if p) or self.metadata.get("suggestion")

    @property
    def letter(self) -> str:
        """The letter's own text, without the rest of the page."""
        if not self.regions:
            return self.text
        parts = [self.text[r.start : r.end].strip("\n |｜") for r in self.regions if r.role is Role.BODY]
        return "\n".join(parts)

    def position(self, offset: int) -> Position:
        r"""Page, line and column of a character.

        Args:
            offset: into ``text``; its length is the position after the last character.

        Raises:
            IndexError: the offset is not in the text.

        >>> Source.from_text("甲乙\n丙丁").position(4)
        Position(page=1, line=2, column=2)
        """
        if not 0 <= offset <= len(self.text):
            raise IndexError(f"offset {offset} is not in a text of {len(self.text)} characters")
        page = bisect_right(self.pages, offset)
        top = self.pages[page - 1]
        line = self.text.count("\n", top, offset)
        column = offset - max(self.text.rfind("\n", top, offset) + 1, top)
        return Position(page, line + 1, column + 1)


def located(source: Source, outside: tuple[tuple[int, int], ...] = ()) -> Source:
    """The same source with its regions found, and the fields that the page around the letter tells.

    Args:
        source: with its text.
        outside: stretches known not to be the letter's.
    """
    regions = locate(source.text, outside=outside)
    lines: list[str] = []
    for region in regions:
        if region.role is Role.OUTSIDE:
            for line in source.text[region.start : region.end].splitlines():
                lines += [part.strip() for part in line.replace("｜", "|").split("|") if part.strip()]
    told = {**furniture.pairs(lines), **source.metadata}
    return msgspec.structs.replace(source, regions=regions, metadata=told)
