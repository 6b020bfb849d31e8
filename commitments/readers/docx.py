"""Word files, .docx (extra ``files``): paragraphs and table cells in the order of the document.

Reads the text that Word shows: insertions that are tracked count, deletions do not; text boxes follow the
paragraph that holds them. Headers, footers, footnotes and comments are left out, and said so. Numbers that
Word puts before paragraphs by itself are written out, since a letter's “一、” is often one of them;
`commitments.readers.numbering` knows how.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from commitments.errors import MissingExtra, ReadError
from commitments.readers.numbering import Numbering
from commitments.readers.source import ReadConfig, Source, located

if TYPE_CHECKING:
    from collections.abc import Iterator

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_SKIPPED = frozenset(
    {f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}pPr", f"{_W}rPr", f"{_MC}Fallback", f"{_W}delText"}
)
_BOX = f"{_W}txbxContent"


def read_docx(data: bytes, name: str, config: ReadConfig) -> Source:
    """The Source of a Word file.

    Args:
        data: its bytes.
        name: what errors call it.
        config: limits.

    Raises:
        ReadError: it is no .docx, is encrypted or damaged, or has no text.
        MissingExtra: python-docx is not installed.
    """
    try:
        import docx
        from docx.opc.exceptions import OpcError
    except ImportError:
        raise MissingExtra("Reading .docx", "files") from None
    _checked(data, name, config)
    try:
        document = docx.Document(io.BytesIO(data))
        body = document.element.body
        numbering = Numbering.of(document)
        lines = list(_lines(body, numbering))
        metadata = _metadata(document)
        parts = {str(part.partname) for part in document.part.package.iter_parts()}
    except (
        OpcError,
        SyntaxError,  # lxml's errors of parsing are its subclasses
        zipfile.BadZipFile,
        zlib.error,
        LookupError,
        ValueError,
        AttributeError,
        TypeError,
        RuntimeError,  # a part is encrypted, or nested too deep
        OSError,
        EOFError,
    ) as error:
        raise ReadError(name, f"is a damaged .docx: {type(error).__name__}: {_first_line(error)}") from None
    text = "\n".join(lines).strip("\n")
    if not text.strip():
        raise ReadError(name, "has no text: only pictures? Run OCR first")
    repairs = []
    for part, what in (
        ("header", "page headers"),
        ("footer", "page footers"),
        ("footnotes", "footnotes"),
        ("endnotes", "endnotes"),
        ("comments", "comments"),
    ):
        if any(p.startswith(f"/word/{part}") for p in parts):
            repairs.append(f"{what} left out")
    if numbering.written:
        repairs.append(f"{numbering.written} automatic paragraph numbers written out")
    return located(Source(text=text, name=name, format="docx", repairs=tuple(repairs), metadata=metadata))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason given"])[0][:120]


def _checked(data: bytes, name: str, config: ReadConfig) -> None:
    """Refuse what is no Word file, or would unpack to more than is allowed."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise ReadError(name, "is an old or an encrypted Word file: save it as .docx without a password")
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise ReadError(name, "is no .docx: not a zip archive, or cut off")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise ReadError(name, f"is a damaged .docx: {_first_line(error)}") from None
    if "word/document.xml" not in {i.filename for i in infos} and not any(
        i.filename.startswith("word/") for i in infos
    ):
        raise ReadError(name, "is a zip archive but no Word file: it has no word/ folder")
    size = sum(i.file_size for i in infos)
    if size > config.max_unpacked:
        raise ReadError(name, f"unpacks to {size:,} bytes; more than {config.max_unpacked:,} are not read")


def _lines(root: Any, numbering: Numbering) -> Iterator[str]:
    """Lines of paragraphs and tables, in order; a table's row is one line when its cells are short."""
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        tag = element.tag
        if tag in _SKIPPED:
            continue
        if tag == f"{_W}p":
            words, boxes = _words(element)
            yield from (numbering.mark(element) + words).split("\n") if words.strip() else ()
            stack.extend(reversed(boxes))
        elif tag == f"{_W}tbl":
            for row in element.iter(f"{_W}tr"):
                if _table_of(row) is element:
                    yield from _row(row, numbering)
        elif isinstance(tag, str):
            stack.extend(reversed(element))  # content controls, tracked insertions, text boxes


def _table_of(row: Any) -> Any:
    above = row.getparent()
    while above is not None and above.tag != f"{_W}tbl":
        above = above.getparent()
    return above


def _row(row: Any, numbering: Numbering) -> Iterator[str]:
    cells = []
    for cell in row.iterchildren(f"{_W}tc", f"{_W}sdt"):
        merged = cell.find(f"{_W}tcPr/{_W}vMerge")
        if merged is not None and merged.get(f"{_W}val") != "restart":
            continue
        lines = [line for line in _lines(cell, numbering) if line.strip()]
        if lines:
            cells.append(lines)
    joined: list[str] = []
    for lines in cells:
        if len(lines) == 1 and len(lines[0]) <= 80:
            joined.append(lines[0])
            continue
        # a cell that holds a text stands alone, below its label
        if joined:
            yield " | ".join(joined)
        yield from lines
        joined = []
    if joined:
        yield " | ".join(joined)


def _words(paragraph: Any) -> tuple[str, list[Any]]:
    """Text of a paragraph, and the text boxes anchored in it."""
    out: list[str] = []
    boxes: list[Any] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        tag = element.tag
        if tag in _SKIPPED:
            continue
        if tag == _BOX:
            boxes.append(element)
        elif tag == f"{_W}t":
            out.append(element.text or "")
        elif tag == f"{_W}tab":
            out.append("\t")
        elif tag in (f"{_W}br", f"{_W}cr"):
            out.append("\n")
        elif tag == f"{_W}noBreakHyphen":
            out.append("-")
        elif isinstance(tag, str):
            stack.extend(reversed(element))
    return "".join(out), boxes


def _metadata(document: Any) -> dict[str, str]:
    core = document.core_properties
    told = {"title": core.title, "author": core.author}
    return {k: v.strip() for k, v in told.items() if v and v.strip() and v != "python-docx"}
