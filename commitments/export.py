"""How a Reply leaves Python and comes back whole: dict and JSON.

`to_dict` and `to_json` keep everything, and `from_dict` and `from_json` give the same Reply again; what they
accept is checked, because a file may have been edited by hand. Tables are in `table`, the HTML view in
`view`.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from commitments.errors import SchemaError
from commitments.reply import CharSpan, Reply, Sentence


def to_dict(reply: Reply) -> dict[str, Any]:
    """Turn a reply into plain Python objects: dicts, lists, strings and numbers.

    Args:
        reply: what the pipeline returned.

    Returns:
        Every field under its own name; dates as ``YYYY-MM-DD``.

    >>> from commitments.terms import Status
    >>> sentence = Sentence(0, 4, "已建成。", Status.COMPLETED)
    >>> to_dict(Reply(text="已建成。", sentences=(sentence,)))["sentences"][0]["status"]
    'completed'
    """
    data: dict[str, Any] = msgspec.to_builtins(reply)
    return data


def from_dict(data: dict[str, Any]) -> Reply:
    """Take back what `to_dict` gave.

    Args:
        data: with the fields of a `Reply`; unknown fields are passed over, so that a file with columns of
            your own can be read.

    Raises:
        SchemaError: a field is missing or of a wrong type, an offset does not fit the text, sentences
            overlap, or an ask is named that is not listed. The message says where, as a JSON path.

    >>> from_dict({"text": "已建成。", "sentences": [{"start": 0, "end": 3, "text": "已建成。"}]})
    Traceback (most recent call last):
    commitments.errors.SchemaError: $.sentences[0]: text is '已建成。', but the letter has '已建成' at 0:3
    """
    try:
        reply = msgspec.convert(data, Reply)
    except (msgspec.ValidationError, RecursionError) as error:
        raise SchemaError(f"no Reply: {error}") from error
    _check(reply)
    return reply


def to_json(reply: Reply, *, indent: int | None = None) -> str:
    """Write a reply as JSON; Chinese characters stay readable.

    Args:
        reply: what the pipeline returned.
        indent: spaces a level; ``None`` for one line, as JSONL wants it.

    Raises:
        SchemaError: the text holds half a surrogate pair, which no file can carry.
    """
    try:
        raw = msgspec.json.encode(reply)
    except UnicodeEncodeError as error:
        raise SchemaError(
            "the letter's text holds half of a surrogate pair (such as \\ud800), which is no character: "
            "decode its source anew, or replace it"
        ) from error
    return (raw if indent is None else msgspec.json.format(raw, indent=indent)).decode("utf-8")


def from_json(text: str | bytes) -> Reply:
    """Take back what `to_json` wrote.

    Raises:
        SchemaError: it is no JSON, or not that of a Reply (see `from_dict`).

    >>> reply = Reply(text="你好")
    >>> from_json(to_json(reply)) == reply
    True
    """
    try:
        reply = msgspec.json.decode(text, type=Reply)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SchemaError(f"no JSON of a Reply: {error}") from error
    _check(reply)
    return reply


def _check(reply: Reply) -> None:
    """Hold a Reply from outside to what is true of every Reply the pipeline makes."""
    _check_asks(reply)
    _check_sections(reply)
    for key, span in reply.fields.items():
        _check_span(reply.text, span.start, span.end, span.text, f"$.fields[{key!r}]")
    known = {ask.id for ask in reply.asks}
    last = 0
    for i, s in enumerate(reply.sentences):
        path = f"$.sentences[{i}]"
        _check_span(reply.text, s.start, s.end, s.text, path)
        if s.start < last:
            raise SchemaError(f"{path}: starts at {s.start}, before the one before it ends at {last}")
        last = s.end
        _check_sentence(reply, s, path, known)


def _check_sentence(reply: Reply, s: Sentence, path: str, known: set[str]) -> None:
    for name, share in (("confidence", s.confidence), ("link.score", s.link.score)):
        if not 0 <= share <= 1:
            raise SchemaError(f"{path}.{name}: expected a number from 0 to 1, got {share}")
    if s.section is not None and not 0 <= s.section < len(reply.sections):
        raise SchemaError(f"{path}.section: there is no section {s.section}, only {len(reply.sections)}")
    _check_known(s.link.asks, known | {"*"}, f"{path}.link.asks")
    for j, evidence in enumerate(s.evidence):
        where = f"{path}.evidence[{j}]"
        if not math.isfinite(evidence.points):
            raise SchemaError(f"{where}.points: expected a number, got {evidence.points}")
        if evidence.start is not None and evidence.end is not None:
            _check_span(reply.text, evidence.start, evidence.end, evidence.text, where)
        elif evidence.start is not None or evidence.end is not None:
            raise SchemaError(f"{where}: needs both start and end, or neither")
    _check_attributes(reply, s, path)


def _check_attributes(reply: Reply, s: Sentence, path: str) -> None:
    for kind in ("deadlines", "conditions", "quantities", "actors"):
        for j, item in enumerate(getattr(s, kind)):
            _check_place(reply, item.span, item.text, f"{path}.{kind}[{j}]")
            for name in ("value", "low", "high"):
                value = getattr(item, name, None)
                if value is not None and not math.isfinite(value):
                    raise SchemaError(f"{path}.{kind}[{j}].{name}: expected a number, got {value}")
    if s.actor is not None:
        _check_place(reply, s.actor.span, s.actor.text, f"{path}.actor")
    if s.strength_cue is not None:
        cue = s.strength_cue
        _check_span(reply.text, cue.start, cue.end, cue.text, f"{path}.strength_cue")
    if s.action is not None and not 0 <= s.action.span.start <= s.action.span.end <= len(reply.text):
        raise SchemaError(f"{path}.action: {s.action.span} does not lie in the letter's text")


def _check_place(reply: Reply, span: CharSpan | None, words: str, path: str) -> None:
    if span is not None:
        _check_span(reply.text, span.start, span.end, words, path)


def _check_asks(reply: Reply) -> None:
    seen: set[str] = set()
    for i, ask in enumerate(reply.asks):
        if not ask.id or ask.id == "*" or ask.id in seen:
            raise SchemaError(f"$.asks[{i}].id: expected an id of its own, got {ask.id!r}")
        seen.add(ask.id)
        for j, span in enumerate(ask.spans or ()):
            _check_span(reply.text, span.start, span.end, span.text, f"$.asks[{i}].spans[{j}]")


def _check_sections(reply: Reply) -> None:
    known = {ask.id for ask in reply.asks}
    for i, section in enumerate(reply.sections):
        path = f"$.sections[{i}]"
        if section.index != i:
            raise SchemaError(f"{path}.index: expected {i}, its place in the list, got {section.index}")
        if section.parent is not None and not 0 <= section.parent < i:
            raise SchemaError(f"{path}.parent: expected a section before this one, got {section.parent}")
        if not 0 <= section.start <= section.end <= len(reply.text):
            raise SchemaError(f"{path}: {section.start}:{section.end} does not lie in the letter's text")
        _check_known(section.asks, known, f"{path}.asks")


def _check_known(asks: tuple[str, ...], known: set[str], path: str) -> None:
    for i, ask in enumerate(asks):
        if ask not in known:
            listed = ", ".join(sorted(known - {"*"})) or "none"
            raise SchemaError(f"{path}[{i}]: there is no ask {ask!r}; the reply lists {listed}")


def _check_span(text: str, start: int, end: int, words: str, path: str) -> None:
    if not 0 <= start <= end <= len(text):
        raise SchemaError(
            f"{path}: {start}:{end} does not lie in the letter's text of {len(text)} characters"
        )
    if text[start:end] != words:
        raise SchemaError(
            f"{path}: text is {_short(words)}, but the letter has {_short(text[start:end])} at {start}:{end}"
        )


def _short(words: str) -> str:
    return repr(words if len(words) <= 40 else words[:39] + "…")
