"""Replies as a table: one schema of rows, whatever holds them — dicts, a DataFrame, Arrow.

`COLUMNS` is that schema. Dicts and JSON that keep everything are in `export`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from commitments.errors import MissingExtra
from commitments.reply import Reply, Sentence
from commitments.terms import ActorRole, DeadlineKind, Status, Strength

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Level = Literal["sentence", "measure"]
"""What a row is: every sentence, or only those that are measures."""

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
    "deadline": "main time by which a measure is due, as written (期限)",
    "deadline_kind": "by, from, within, period, recurring or vague",
    "deadline_start": "first day of its interval; empty where open or not known",
    "deadline_end": "last day of its interval",
    "deadlines": "list of all of them as written",
    "conditions": "list of what must come first (条件)",
    "quantities": "list of how much or how many, as written (数量)",
    "value": "of the first quantity, in base units; empty for a range",
    "unit": "of the first quantity",
    "actor": "body that acts; the one that replies where none is named (主体)",
    "actor_role": "act, lead, support, with, ordered or upward",
    "actor_implied": "whether the sentence names no body, so that it is the one that replies",
    "actors": "list of the bodies named as doing something",
    "strength": "of a pledge, firm or soft (承诺力度)",
    "strength_cue": "words that made it so",
    "verb": "head verb of a measure (动作)",
    "object": "head of that verb's object",
    "kind": "suggestion (建议), proposal (提案), message (留言) or report",
    "agency": "body that replies",
    "date": "date of the reply",
    "title": "title of the letter",
    "doc_number": "发文字号 as written",
    "result_code": "办理结果 as written",
    "result_meaning": "what it means there, where that is known",
}
"""The columns of every table, each with its meaning."""


_LISTS = ("also", "asks", "deadlines", "conditions", "quantities", "actors")
_DATES = ("date", "deadline_start", "deadline_end")
_FLOATS = ("confidence", "link_score", "value")
_FLAGS = ("undecided", "actor_implied")
_WHOLE = ("sentence", "start", "end")
_CLOSED = {"status": Status, "deadline_kind": DeadlineKind, "actor_role": ActorRole, "strength": Strength}


def rows(reply: Reply, level: Level = "sentence") -> list[dict[str, Any]]:
    """List a reply's sentences as flat rows, one dict a sentence, with the keys of `COLUMNS`.

    Args:
        reply: what the pipeline returned.
        level: ``"measure"`` for measures only.

    Raises:
        ValueError: there is no such level.

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
        "result_meaning": reply.result.meaning if reply.result else None,
    }
    if level not in ("sentence", "measure"):
        raise ValueError(f"level is {level!r}; a row is a 'sentence' or a 'measure'")
    paths = _section_paths(reply)
    every = [ask.id for ask in reply.asks]
    out: list[dict[str, Any]] = []
    for number, s in enumerate(reply.sentences, 1):
        if level == "measure" and (s.status is Status.NONE or s.undecided):
            continue
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
                **_attributes(s),
                **letter,
            }
        )
    return out


def _attributes(s: Sentence) -> dict[str, Any]:
    due, actor = s.deadline, s.actor
    first = s.quantities[0] if s.quantities else None
    return {
        "deadline": due.text if due else None,
        "deadline_kind": due.kind.value if due else None,
        "deadline_start": due.start if due else None,
        "deadline_end": due.end if due else None,
        "deadlines": [d.text for d in s.deadlines],
        "conditions": [c.text for c in s.conditions],
        "quantities": [q.text for q in s.quantities],
        "value": first.value if first else None,
        "unit": first.unit if first else None,
        "actor": actor.text if actor else None,
        "actor_role": actor.role.value if actor else None,
        "actor_implied": actor.implied if actor else None,
        "actors": [a.text for a in s.actors],
        "strength": s.strength.value if s.strength else None,
        "strength_cue": s.strength_cue.text if s.strength_cue else None,
        "verb": s.action.verb if s.action else None,
        "object": s.action.object if s.action else None,
    }


def to_frame(*replies: Reply, level: Level = "sentence") -> pd.DataFrame:
    """Make a pandas DataFrame with the columns of `COLUMNS`.

    ``status`` is categorical with all four statuses, so that a table of counts has a column for each;
    the other closed lists are categorical too; dates are ``datetime64``. Columns such as ``asks`` hold lists:
    ``frame.explode("asks")`` gives one row for each ask that a sentence answers.

    Args:
        replies: one or more, as in ``to_frame(*nlp.pipe(texts))``.
        level: one row a ``"sentence"`` or one row a ``"measure"``.

    Raises:
        MissingExtra: pandas is not installed.
        ValueError: there is no such level.

    >>> reply = Reply(text="已建成。", sentences=(Sentence(0, 4, "已建成。", Status.COMPLETED),))
    >>> to_frame(reply)["status"].value_counts().to_dict()
    {'completed': 1, 'ongoing': 0, 'pledge': 0, 'none': 0}
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtra("A DataFrame", "pandas") from error
    frame: pd.DataFrame = pd.DataFrame(
        [row for reply in replies for row in rows(reply, level)], columns=list(COLUMNS)
    )
    for name, terms in _CLOSED.items():
        frame[name] = pd.Categorical(frame[name], categories=[term.value for term in terms])
    for name in ("role", "kind", "how"):
        frame[name] = frame[name].astype("category")
    # A date outside what nanoseconds can hold (1677–2262) is a misreading, not worth an error here.
    for name in _DATES:
        frame[name] = pd.to_datetime(frame[name], errors="coerce")
    frame["value"] = frame["value"].astype("float64")
    frame["actor_implied"] = frame["actor_implied"].astype("boolean")
    return frame


def schema() -> pa.Schema:
    """The Arrow schema of the same table; each field's metadata says what it means.

    Raises:
        MissingExtra: pyarrow is not installed.

    >>> schema().field("deadline_end").type
    DataType(date32[day])
    """
    pa = _arrow()
    types = (
        dict.fromkeys(_LISTS, pa.list_(pa.string()))
        | dict.fromkeys(_DATES, pa.date32())
        | dict.fromkeys(_FLOATS, pa.float64())
        | dict.fromkeys(_FLAGS, pa.bool_())
        | dict.fromkeys(_WHOLE, pa.int64())
    )
    return pa.schema(
        [
            pa.field(name, types.get(name, pa.string()), metadata={"description": meaning})
            for name, meaning in COLUMNS.items()
        ]
    )


def to_arrow(*replies: Reply, level: Level = "sentence") -> pa.Table:
    """Make an Arrow table with the columns of `COLUMNS` and the types of `schema`.

    Args:
        replies: one or more.
        level: one row a ``"sentence"`` or one row a ``"measure"``.

    Raises:
        MissingExtra: pyarrow is not installed.
        ValueError: there is no such level.

    >>> reply = Reply(text="已建成。", sentences=(Sentence(0, 4, "已建成。", Status.COMPLETED),))
    >>> to_arrow(reply, level="measure").num_rows
    1
    """
    pa = _arrow()
    return pa.Table.from_pylist([row for reply in replies for row in rows(reply, level)], schema=schema())


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra("An Arrow table", "arrow") from error
    return pyarrow


def _section_paths(reply: Reply) -> list[str]:
    """Headings from the outermost inward, for each section; parents stand before their children."""
    paths: list[str] = []
    for section in reply.sections:
        above = "" if section.parent is None else paths[section.parent] + " > "
        paths.append(above + section.title)
    return paths
