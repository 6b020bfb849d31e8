"""PDF files with a text layer (extra ``files``): text page by page, hard wraps as line breaks.

Page numbers and running heads are left out, since a sentence may run across the page; what was left out is
told in the Source's repairs. Nothing is recognised from pictures: a scan is an error that says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

from commitments.errors import MissingExtra, ReadError
from commitments.readers.source import ReadConfig, Source, located

_NUMBER = re.compile(
    r"(?:[-—–－·•]\s*\d{1,4}\s*[-—–－·•]|第\s*[\d一二三四五六七八九十]{1,4}\s*页.{0,16}|"
    r"\d{1,4}\s*/\s*\d{1,4}|Page\s*\d{1,4}.{0,12})$",
    re.IGNORECASE,
)
_BARE = re.compile(r"\d{1,4}$")
_DIGITS = re.compile(r"\d+")
_EDGE = 2  # running heads stand in the first or last lines of a page
_FEW = 5  # lines from which a page has a margin
_INDENT = "\u3000\u3000"
_HEAD = 60  # and are no longer than this
_RADICAL = re.compile(r"[\u2f00-\u2fd5\u2e9f\u2ef3]")
_STRANGE = re.compile(r"[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")


def read_pdf(data: bytes, name: str, config: ReadConfig) -> Source:
    """The Source of a PDF file.

    Args:
        data: its bytes.
        name: what errors call it.
        config: limits.

    Raises:
        ReadError: it is encrypted, damaged, too long, or has no readable text layer.
        MissingExtra: pypdfium2 is not installed.
    """
    try:
        import pypdfium2
    except ImportError:
        raise MissingExtra("Reading .pdf", "files") from None
    if b"%PDF" not in data[:1024]:
        raise ReadError(name, "is no PDF: it does not open with %PDF")
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ReadError(name, "is encrypted: save it without a password") from None
        raise ReadError(name, f"is a damaged PDF, cut off perhaps ({str(error).splitlines()[0]})") from None
    try:
        if len(document) > config.max_pages:
            raise ReadError(name, f"has {len(document)} pages; more than {config.max_pages} are not read")
        pages = [_lines(document, i) for i in range(len(document))]
        metadata = _metadata(document)
    except (pypdfium2.PdfiumError, ValueError, OSError) as error:
        raise ReadError(name, f"is a damaged PDF ({type(error).__name__}: {error})") from None
    finally:
        document.close()
    return _joined(pages, name, metadata)


def _lines(document: Any, number: int) -> list[str]:
    page = document[number]
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range()
        indented = _indented(text, text_page)
    finally:
        text_page.close()
        page.close()
    # pdfium's mark for a hyphen at a line's end, and its line ends
    lines = text.replace("\ufffe", "-").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [_INDENT + line.strip() if i in indented else line.rstrip() for i, line in enumerate(lines)]


def _indented(text: str, text_page: Any) -> set[int]:
    """Numbers of the lines that begin a paragraph by an indent of about two characters.

    The text layer has no white space there, but the indent is what tells a paragraph that ends in a full line
    from one that goes on.
    """
    if text_page.count_chars() != len(text):  # offsets of characters and of text differ: rare scripts
        return set()
    starts: dict[int, tuple[float, float]] = {}
    offset = 0
    for number, line in enumerate(text.split("\n")):
        begin = offset + len(line) - len(line.lstrip())
        if line.strip():
            left, _, right, _ = text_page.get_charbox(begin, loose=True)
            starts[number] = (left, right - left)
        offset += len(line) + 1
    if len(starts) < _FEW:
        return set()
    margin = Counter(round(left) for left, _ in starts.values()).most_common(1)[0][0]
    em = sorted(width for _, width in starts.values())[len(starts) // 2]
    return {n for n, (left, _) in starts.items() if 1.2 * em < left - margin < 4.6 * em}


def _joined(pages: list[list[str]], name: str, metadata: dict[str, str]) -> Source:
    empty = [i for i, lines in enumerate(pages, 1) if not any(lines)]
    if len(empty) == len(pages):
        raise ReadError(name, "has no text layer, a scan perhaps: run OCR on it first")
    repairs = []
    radicals = sum(_radicals(lines) for lines in pages)
    if radicals:
        repairs.append(f"{radicals} radicals (⼀, U+2F00) in place of characters (一) replaced")
    if empty:
        repairs.append(f"page {', '.join(map(str, empty))} without a text layer: scanned? Run OCR to have it")
    left = _strip(pages)
    if left:
        shown = "; ".join(f"{line!r} ({n} pages)" if n > 1 else repr(line) for line, n in left.items())
        repairs.append(f"page numbers and running heads left out: {shown}")
    text, starts = "", []
    for lines in pages:
        starts.append(len(text))
        body = "\n".join(lines).strip("\n")
        text += body + "\n" if body else ""
    text = text.rstrip("\n")
    strange = len(_STRANGE.findall(text))
    if strange > 0.2 * len("".join(text.split())):
        raise ReadError(
            name, "its text layer is unreadable (fonts without a character map): run OCR on it first"
        )
    starts = [min(s, len(text)) for s in starts]
    return located(
        Source(
            text=text, name=name, format="pdf", repairs=tuple(repairs), metadata=metadata, pages=tuple(starts)
        )
    )


def _strip(pages: list[list[str]]) -> dict[str, int]:
    """Take page numbers and repeated first or last lines off the pages, in place; return what was taken."""
    filled = [lines for lines in pages if any(lines)]
    seen: Counter[str] = Counter()
    for lines in filled:
        seen.update({_key(lines[i]) for i in _edges(lines)})
    often = max(2, (len(filled) + 1) // 2)
    # a figure alone on a line is the page's number only if it goes on counting, or is that of the page
    counted = Counter(
        int(lines[i]) - page
        for page, lines in enumerate(pages, 1)
        for i in _edges(lines)
        if _BARE.match(lines[i].strip())
    )
    left: Counter[str] = Counter()
    for page, lines in enumerate(pages, 1):
        for i in sorted(_edges(lines), reverse=True):
            line = lines[i].strip()
            if _BARE.match(line):
                ahead = int(line) - page
                taken = ahead == 0 or counted[ahead] > 1
            else:
                repeated = len(filled) > 1 and seen[_key(line)] >= often and len(line) <= _HEAD
                taken = bool(_NUMBER.match(line)) or (repeated and not line.endswith(("。", "；")))
            if taken:
                left[_DIGITS.sub("#", line)] += 1
                del lines[i]
    return dict(left)


def _radicals(lines: list[str]) -> int:
    """Replace radicals that some fonts give for the characters that look the same, in place; count them."""
    count = 0
    for i, line in enumerate(lines):
        found = _RADICAL.findall(line)
        if found:
            lines[i] = _RADICAL.sub(lambda m: unicodedata.normalize("NFKC", m[0]), line)
            count += len(found)
    return count


def _edges(lines: list[str]) -> set[int]:
    """Indexes of the first and last lines that are not empty."""
    filled = [i for i, line in enumerate(lines) if line.strip()]
    return set(filled[:_EDGE] + filled[-_EDGE:])


def _key(line: str) -> str:
    return _DIGITS.sub("#", "".join(line.split()))


def _metadata(document: Any) -> dict[str, str]:
    told = document.get_metadata_dict(skip_empty=True)
    keys = {"Title": "title", "Author": "author"}
    return {key: told[k].strip() for k, key in keys.items() if told.get(k, "").strip(" \x00")}
