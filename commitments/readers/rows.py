"""Rows of .json and .jsonl.

Which key holds the letter, which the suggestion, and which what the row says of itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from commitments.errors import ReadError
from commitments.readers.source import ReadConfig, Source, located
from commitments.readers.text import decode

TEXT = (
    "text",
    "reply",
    "答复",
    "答复内容",
    "回复",
    "回复内容",
    "答复意见",
    "办理答复",
    "content",
    "正文",
    "body",
)
SUGGESTION = ("message", "suggestion", "建议内容", "提案内容", "留言内容", "来信内容", "建议", "提案")
METADATA = {
    "id": "id",
    "编号": "id",
    "title": "title",
    "subject": "title",
    "标题": "title",
    "案由": "title",
    "date": "date",
    "answered": "date",
    "答复日期": "date",
    "答复时间": "date",
    "日期": "date",
    "发布日期": "date",
    "agency": "agency",
    "承办单位": "agency",
    "答复单位": "agency",
    "回复单位": "agency",
    "kind": "kind",
    "url": "url",
    "asked": "asked",
    "index": "index",
    "索引号": "index",
    "doc_number": "doc_number",
    "文号": "doc_number",
}


def read_rows(data: bytes, name: str, config: ReadConfig) -> Iterator[Source | ReadError]:
    """A Source, or what is wrong, for each row.

    Args:
        data: JSON (an object or a list of objects) or JSON lines.
        name: what errors call it; a row's name adds ``:`` and its line or number.
        config: not used; all readers take it.

    Yields:
        In order; a bad row is a ReadError and does not stop the others.
    """
    try:
        text, encoding, repairs = decode(data, name)
    except ReadError as error:
        yield error
        return
    rows = _whole(text)
    if rows is None:
        rows = _lines(text)
    count = 0
    for number, row in rows:
        count += 1
        where = f"{name}:{number}" if number else name
        if isinstance(row, ReadError):
            yield ReadError(where, row.reason)
            continue
        try:
            yield _source(row, where, encoding, repairs)
        except ReadError as error:
            yield error
    if not count:
        yield ReadError(name, "holds no rows")


def read_row(data: bytes, name: str, config: ReadConfig) -> Source:
    """The Source of a file that holds one row.

    Raises:
        ReadError: it holds several, or none, or a bad one.
    """
    found: list[Source | ReadError] = []
    for row in read_rows(data, name, config):
        found.append(row)
        if len(found) > 1:
            raise ReadError(name, "holds several rows: use read_all, which gives them one by one")
    if isinstance(found[0], ReadError):
        raise found[0]
    return found[0]


def _whole(text: str) -> Iterator[tuple[int, Any]] | None:
    """Rows of a file that is one JSON value; None when it is not."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    if isinstance(value, list):
        return ((number, row) for number, row in enumerate(value, 1))
    return iter([(0, value)])


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            yield number, ReadError("", f"is no JSON: {error or 'nested too deep'}")


def _source(row: Any, name: str, encoding: str, repairs: tuple[str, ...]) -> Source:
    if not isinstance(row, dict):
        raise ReadError(name, f"a row must be an object with keys, not {_type(row)}")
    key = next((k for k in TEXT if isinstance(row.get(k), str) and row[k].strip()), None)
    if key is None:
        keys = ", ".join(map(repr, list(row)[:12])) or "none"
        wrong = next((k for k in TEXT if k in row), None)
        if wrong is not None:
            raise ReadError(name, f"its key {wrong!r} must hold text, not {_type(row[wrong])}")
        raise ReadError(name, f"no key with the letter's text ({', '.join(TEXT[:4])} …); it has: {keys}")
    text = row[key]
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        repairs = (*repairs, "line ends (CR) read as line breaks")
    metadata: dict[str, str] = {}
    for k, value in row.items():
        target = METADATA.get(k)
        if (
            target
            and isinstance(value, (str, int, float))
            and not isinstance(value, bool)
            and str(value).strip()
        ):
            metadata.setdefault(target, str(value).strip())
    asked = next((k for k in SUGGESTION if k != key and isinstance(row.get(k), str) and row[k].strip()), None)
    if asked:
        metadata["suggestion"] = row[asked].strip()
    return located(
        Source(text=text, name=name, format="json", encoding=encoding, repairs=repairs, metadata=metadata)
    )


def _type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "empty text"
    return {dict: "an object", list: "a list", bool: "a truth value"}.get(type(value), "a number")
