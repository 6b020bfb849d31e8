"""How a Reply leaves Python and comes back: dict, JSON, rows, a DataFrame.

`to_dict` and `to_json` keep everything, and `from_dict` and `from_json` give the same Reply again; what they
accept is checked, because a file may have been edited by hand. `rows` is the one schema of a table, whatever
holds it. The HTML view is in `view`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from commitments.errors import MissingExtra, SchemaError
from commitments.reply import Reply, Sentence, Status

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: dict[str, str] = {
    "name": "file or row that the letter came from",
    "sentence": "number of the sentence in its letter, from 1",
    "start": "offset of its first character in the letter's text",
    "end": "offset after its last character",
    "text": "its text as it stands there, hard line breaks included",
    "clean": "its text with hard wraps and stray spaces mended",
    "status": "completed, ongoing, pledge or none (举措状态)",
    "also": "list of further statuses of a mixed sentence",
    "confidence": "of the status, from 0 to 1",
    "undecided": "whether it is below what was asked for; status is then only the likeliest (存疑)",
    "role": "what it is in the letter: body, heading, salutation … (位置)",
    "section": "headings that it stands under, the outermost first, joined by ' > '",
    "asks": "list of ids of the asks that it answers, '*' spelled out (诉求)",
    "link_by": "rule that linked it to its asks",
    "link_score": "of that link, from 0 to 1",
    "evidence": "words that speak for its status; empty when none do (依据)",
    "rule": "id of the rule that weighed most, or name and version of the trained model",
    "how": "whether a trained model decided (model), or words in it (cue), or before it (inherited) …",
    "by": "model that decided",
    "kind": "suggestion (建议), proposal (提案), message (留言) or report",
    "agency": "body that replies",
    "date": "date of the reply",
    "title": "title of the letter",
    "doc_number": "发文字号 as written",
    "result_code": "办理结果 as written",
}
"""The columns of `rows` and `to_frame`, each with its meaning."""


def to_dict(reply: Reply) -> dict[str, Any]:
    """Turn a reply into plain Python objects: dicts, lists, strings and numbers.

    Args:
        reply: what the pipeline returned.

    Returns:
        Every field under its own name; dates as ``YYYY-MM-DD``.

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


def rows(reply: Reply) -> list[dict[str, Any]]:
    """List a reply's sentences as flat rows, one dict a sentence, with the keys of `COLUMNS`.

    >>> [row] = rows(Reply(text="已建成。", sentences=(Sentence(0, 4, "已建成。", Status.COMPLETED),)))
    >>> row["sentence"], row["status"], row["asks"]
    (1, 'completed', [])
    """
    letter = {
        "kind": reply.kind.value if reply.kind else None,
        "agency": reply.agency,
        "date": reply.date,
        "title": reply.title,
        "doc_number": reply.doc_number,
        "result_code": reply.result_code,
    }
    paths = _section_paths(reply)
    every = [ask.id for ask in reply.asks]
    out: list[dict[str, Any]] = []
    for number, s in enumerate(reply.sentences, 1):
        best = s.evidence[0] if s.evidence else None
        words = next((evidence.text for evidence in s.evidence if evidence.text), "")
        out.append(
            {
                "name": reply.name,
                "sentence": number,
                "start": s.start,
                "end": s.end,
                "text": s.text,
                "clean": s.clean or s.text,
                "status": s.status.value,
                "also": [status.value for status in s.also],
                "confidence": s.confidence,
                "undecided": s.undecided,
                "role": s.role.value,
                "section": "" if s.section is None else paths[s.section],
                "asks": every if "*" in s.asks else list(s.asks),
                "link_by": s.link.by,
                "link_score": s.link.score,
                "evidence": words,
                "rule": best.rule if best else "",
                "how": best.how.value if best else "",
                "by": s.by,
                **letter,
            }
        )
    return out


def to_frame(*replies: Reply) -> pd.DataFrame:
    """Make a pandas DataFrame with one row a sentence and the columns of `COLUMNS`.

    ``status`` is categorical with all four statuses, so that a table of counts has a column for each;
    ``role``, ``kind`` and ``how`` are categorical too; ``date`` is ``datetime64``. ``also`` and ``asks`` hold
    lists: ``frame.explode("asks")`` gives one row for each ask that a sentence answers.

    Args:
        replies: one or more, as in ``to_frame(*nlp.pipe(texts))``.

    Raises:
        MissingExtra: pandas is not installed.

    >>> reply = Reply(text="已建成。", sentences=(Sentence(0, 4, "已建成。", Status.COMPLETED),))
    >>> to_frame(reply)["status"].value_counts().to_dict()
    {'completed': 1, 'ongoing': 0, 'pledge': 0, 'none': 0}
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtra("A DataFrame", "pandas") from error
    frame: pd.DataFrame = pd.DataFrame(
        [row for reply in replies for row in rows(reply)], columns=list(COLUMNS)
    )
    frame["status"] = pd.Categorical(frame["status"], categories=[s.value for s in Status])
    for name in ("role", "kind", "how"):
        frame[name] = frame[name].astype("category")
    # A date outside what nanoseconds can hold (1677–2262) is a misreading, not worth an error here.
    frame["date"] = pd.to_datetime(frame["date"], errors="coerce")
    return frame


def _section_paths(reply: Reply) -> list[str]:
    """Headings from the outermost inward, for each section; parents stand before their children."""
    paths: list[str] = []
    for section in reply.sections:
        above = "" if section.parent is None else paths[section.parent] + " > "
        paths.append(above + section.title)
    return paths


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
