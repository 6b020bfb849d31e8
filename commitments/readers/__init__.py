"""Files, bytes and rows to Sources: the text of a letter, and where in the page it stands.

`read` takes one letter, `read_all` a folder or a file of rows. Formats are told by the name, or by the first
bytes. Each has a module of its own here; what a page's lines are is known to `commitments.locate`.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from commitments.errors import MissingExtra, ReadError
from commitments.readers.docx import read_docx
from commitments.readers.html import read_html
from commitments.readers.pdf import read_pdf
from commitments.readers.rows import read_row, read_rows
from commitments.readers.source import Position, ReadConfig, Source
from commitments.readers.text import read_text

__all__ = ["FORMATS", "SUFFIXES", "Position", "ReadConfig", "Source", "read", "read_all"]

FORMATS: dict[str, Callable[[bytes, str, ReadConfig], Source]] = {
    "txt": read_text,
    "html": read_html,
    "docx": read_docx,
    "pdf": read_pdf,
    "json": read_row,
}
SUFFIXES = {
    ".txt": "txt",
    ".text": "txt",
    ".html": "html",
    ".htm": "html",
    ".shtml": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".pdf": "pdf",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
# Letters come in these too: a folder's are reported, not passed over.
_FOREIGN = {
    ".doc": "is an old Word file: save it as .docx",
    ".wps": "is a WPS file: save it as .docx",
    ".ofd": "is an OFD file: convert it to .pdf",
    ".rtf": "is an RTF file: save it as .docx",
}


def read(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    format: str | None = None,
    config: ReadConfig | None = None,
) -> Source:
    """One letter from a file or from bytes.

    Args:
        source: a path, or the bytes themselves.
        name: what errors and results call it; the path by default.
        format: ``txt``, ``html``, ``docx``, ``pdf`` or ``json``; told by the suffix or the first bytes when
        not given.
        config: limits.

    Returns:
        Its text, with the letter in it marked.

    Raises:
        ReadError: it cannot be read; the message names it and the reason.
        MissingExtra: the format needs the extra ``files``.

    >>> source = read("尊敬的王代表：您的建议收悉。".encode("gb18030"), name="letter.txt")
    >>> source.encoding, source.text
    ('gb18030', '尊敬的王代表：您的建议收悉。')
    """
    limits = config or ReadConfig()
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, called = bytes(source), name or "bytes"
        if len(data) > limits.max_bytes:
            raise ReadError(called, f"is {len(data):,} bytes; more than {limits.max_bytes:,} are not read")
    else:
        called = name or _shown(source)
        data = _load(Path(source), called, limits)
    if not data:
        raise ReadError(called, "is empty")
    kind = format or SUFFIXES.get(Path(called).suffix.lower()) or _sniff(data)
    if kind not in FORMATS:
        raise ReadError(called, f"format {kind!r} is not known; one of {', '.join(FORMATS)}")
    return FORMATS[kind](data, called, limits)


def read_all(
    path: str | os.PathLike[str], *, config: ReadConfig | None = None
) -> Iterator[Source | ReadError]:
    """All letters of a folder, or all rows of a .json or .jsonl file.

    A file or row that cannot be read comes as a `ReadError` object in its place: nothing is raised, nothing
    passed over in silence, the others still come. A folder's files come sorted by path, those in its folders
    too, if their suffix is one of `SUFFIXES`; hidden ones do not. Links that lead out of the folder are not
    followed.

    Args:
        path: a folder or a file.
        config: limits.

    Yields:
        A Source, or a ReadError, for each letter.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.txt").write_text("王代表：您的建议收悉。", encoding="utf-8")
    ...     _ = Path(folder, "b.txt").write_bytes(b"")
    ...     found = list(read_all(folder))
    >>> found[0].text, found[1].reason
    ('王代表：您的建议收悉。', 'is empty')
    """
    limits = config or ReadConfig()
    root = Path(path)
    try:
        folder = root.is_dir()
    except (OSError, ValueError):
        folder = False
    if not folder:
        yield from _each(root, limits)
        return
    found = False
    for file in walk(root):
        found = True
        if isinstance(file, ReadError):
            yield file
        else:
            yield from _each(file, limits)
    if not found:
        yield ReadError(str(root), f"holds no files to read ({', '.join(SUFFIXES)})")


def _each(path: Path, limits: ReadConfig) -> Iterator[Source | ReadError]:
    name = str(path)
    try:
        if SUFFIXES.get(path.suffix.lower()) == "json":
            data = _load(path, name, limits)
            yield from read_rows(data, name, limits) if data else [ReadError(name, "is empty")]
        else:
            yield read(path, config=limits)
    except ReadError as error:
        yield error
    except MissingExtra as error:
        yield ReadError(name, str(error))


def walk(root: Path, suffixes: Collection[str] = SUFFIXES) -> Iterator[Path | ReadError]:
    """Files of a folder by sorted path; what must not be opened as an error.

    Args:
        root: the folder.
        suffixes: of the files that are meant.
    """
    home = root.resolve()
    denied: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=denied.append):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for error in denied:
            yield ReadError(str(error.filename), f"cannot be opened: {error.strerror}")
        denied.clear()
        for entry in folders:
            link = Path(folder, entry)
            if link.is_symlink() and not _inside(link, home):
                yield ReadError(str(link), "is a link that leads out of the folder: not followed")
        for entry in sorted(files):
            file = Path(folder, entry)
            suffix = file.suffix.lower()
            if entry.startswith(".") or (suffix not in suffixes and suffix not in _FOREIGN):
                continue
            if suffix not in suffixes:
                yield ReadError(str(file), _FOREIGN[suffix])
            elif file.is_symlink() and not _inside(file, home):
                yield ReadError(str(file), "is a link that leads out of the folder: not followed")
            else:
                yield file
    for error in denied:
        yield ReadError(str(error.filename), f"cannot be opened: {error.strerror}")


def _inside(link: Path, home: Path) -> bool:
    try:
        return link.resolve().is_relative_to(home)
    except (OSError, RuntimeError):
        return False


def _load(path: Path, name: str, limits: ReadConfig) -> bytes:
    """Bytes of a regular file within the limit."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ReadError(name, "is a folder: use read_all")
        if not stat.S_ISREG(found.st_mode):
            raise ReadError(name, "is no regular file (a pipe, a socket, a device)")
        if found.st_size > limits.max_bytes:
            raise ReadError(name, f"is {found.st_size:,} bytes; more than {limits.max_bytes:,} are not read")
        with path.open("rb", buffering=io.DEFAULT_BUFFER_SIZE) as file:
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        raise ReadError(name, f"cannot be opened: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the path
        raise ReadError(name, f"is no path: {error}") from None
    if len(data) > limits.max_bytes:
        raise ReadError(name, f"grew beyond {limits.max_bytes:,} bytes while it was read")
    return data


def _shown(path: str | os.PathLike[str]) -> str:
    """The path as given; a letter given in its place is cut short."""
    shown = os.fspath(path)
    if "\n" in shown or len(shown) > 400:
        raise ReadError(
            shown.strip().split("\n")[0][:30] + "…", "is a text, not a path: use Source.from_text"
        )
    return shown


def _sniff(data: bytes) -> str:
    """The format that the first bytes tell; text when they tell nothing."""
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"%pdf" in data[:1024].lower():
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return "docx"
    if head.startswith(
        (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<meta", b"<div", b"<table", b"<p>")
    ):
        return "html"
    if head.startswith((b'{"', b'[{"', b"{ ", b"{\n")):
        return "json"
    return "txt"
