"""Replies as a table: one schema of rows, whatever holds them — dicts, a DataFrame, Arrow.

`COLUMNS` is that schema where a row is a sentence or a measure, `REPLY_COLUMNS` where it is a letter. Dicts
and JSON that keep everything are in `export`; corpora are read and written in `batch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from commitments.errors import MissingExtra
from commitments.reply import Reply, Sentence
from commitments.score import Scores
from commitments.terms import ActorRole, DeadlineKind, Role, Status, Strength

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Level = Literal["sentence", "measure", "reply"]
"""What a row is: every sentence, only those that are measures, or a whole letter."""

LEVELS: tuple[Level, ...] = get_args(Level)

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
"""The columns of a table of sentences or measures, each with its meaning."""

SENTENCE_COLUMNS = tuple(list(COLUMNS)[1 : list(COLUMNS).index("kind")])
"""Those of them that tell of the sentence, and not of its letter."""

REPLY_COLUMNS: dict[str, str] = {
    **{name: COLUMNS[name] for name in ("name", "kind", "agency", "date", "title", "doc_number")},
    **{name: COLUMNS[name] for name in ("result_code", "result_meaning")},
    "sentences": "number of sentences of the letter, without the rest of the page",
    "asks": "number of asks (诉求)",
    "ask_texts": "list of them",
    "dispositions": "list of what became of each (办理结果)",
    "measures": "number of measures",
    "undecided": "number of sentences left open",
    "coverage": "asks that some measure answers ÷ asks",
    "declined": "asks declined or only explained ÷ asks",
    "completed": "completed measures ÷ measures",
    "ongoing": "ongoing measures ÷ measures",
    "pledge": "pledges ÷ measures",
    "specificity": "mean over pledges of how many of by when, how much, who and firmly each says",
    "dated": "pledges with a deadline that names a date or a span ÷ pledges",
    "quantified": "pledges with a quantity ÷ pledges",
    "attributed": "pledges that name a body that acts ÷ pledges",
    "firm": "firm pledges ÷ pledges",
    "concreteness": "completed measures that tell a quantity ÷ completed measures",
    "boilerplate": "share of the letter's characters that are form",
    "warnings": "list of what a reader should know",
    "model": "that decided",
}
"""The columns of a table of letters; the shares are those of `commitments.score.Scores`."""


_LISTS = ("also", "asks", "deadlines", "conditions", "quantities", "actors")
_DATES = ("date", "deadline_start", "deadline_end")
_FLOATS = ("confidence", "link_score", "value")
_FLAGS = ("undecided", "actor_implied")
_WHOLE = ("sentence", "start", "end")
_REPLY_LISTS = ("ask_texts", "dispositions", "warnings")
_REPLY_WHOLE = ("sentences", "asks", "measures", "undecided")
_REPLY_FLOATS = tuple(name for name in Scores.__struct_fields__ if name != "measures")
_CLOSED = {"status": Status, "deadline_kind": DeadlineKind, "actor_role": ActorRole, "strength": Strength}


def rows(reply: Reply, level: Level = "sentence") -> list[dict[str, Any]]:
    """List a reply's sentences as flat rows, one dict a sentence, with the keys of `COLUMNS`.

    Args:
        reply: what the pipeline returned.
        level: ``"measure"`` for measures only; ``"reply"`` for one row with the keys of `REPLY_COLUMNS`.

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
    if level == "reply":
        return [_letter(reply, letter)]
    columns(level)
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


def columns(level: Level = "sentence") -> dict[str, str]:
    """The columns of a level, each with its meaning.

    Raises:
        ValueError: there is no such level.

    >>> "coverage" in columns("reply"), "coverage" in columns("measure")
    (True, False)
    """
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}; a row is a 'sentence', a 'measure' or a 'reply'")
    return REPLY_COLUMNS if level == "reply" else COLUMNS


def _letter(reply: Reply, letter: dict[str, Any]) -> dict[str, Any]:
    facts = {
        "name": reply.name,
        **letter,
        "sentences": sum(s.role not in (Role.OUTSIDE, Role.SUGGESTION) for s in reply.sentences),
        "asks": len(reply.asks),
        "ask_texts": [ask.text for ask in reply.asks],
        "dispositions": [ask.disposition.value if ask.disposition else None for ask in reply.asks],
        "undecided": len(reply.undecided),
        "warnings": list(reply.warnings),
        "model": reply.model,
        **msgspec.structs.asdict(reply.scores),
    }
    return {name: facts[name] for name in REPLY_COLUMNS}


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
    """Make a pandas DataFrame with the columns of `COLUMNS`, or of `REPLY_COLUMNS`.

    ``status`` is categorical with all four statuses, so that a table of counts has a column for each;
    the other closed lists are categorical too; dates are ``datetime64``. Columns such as ``asks`` hold lists:
    ``frame.explode("asks")`` gives one row for each ask that a sentence answers.

    Args:
        replies: one or more, as in ``to_frame(*nlp.pipe(texts))``.
        level: one row a ``"sentence"``, a ``"measure"`` or a ``"reply"``.

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
        [row for reply in replies for row in rows(reply, level)], columns=list(columns(level))
    )
    return typed(frame, level)


def typed(frame: pd.DataFrame, level: Level = "sentence") -> pd.DataFrame:
    """The same table with this library's types: categoricals, dates, numbers; other columns are left alone.

    Args:
        frame: with some or all columns of the level, as read from a file.
        level: what a row is.

    Returns:
        The frame itself, changed.
    """
    import pandas as pd

    letters = level == "reply"
    for name, terms in () if letters else _CLOSED.items():
        if name in frame:
            frame[name] = pd.Categorical(frame[name], categories=[term.value for term in terms])
    for name in ("role", "kind", "how"):
        if name in frame:
            frame[name] = frame[name].astype("category")
    # A date outside what nanoseconds can hold (1677–2262) is a misreading, not worth an error here.
    for name in _DATES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], errors="coerce")
    for name in _REPLY_FLOATS if letters else _FLOATS:
        if name in frame:
            frame[name] = frame[name].astype("float64")
    if "actor_implied" in frame:
        frame["actor_implied"] = frame["actor_implied"].astype("boolean")
    return frame


def schema(level: Level = "sentence") -> pa.Schema:
    """The Arrow schema of the same table; each field's metadata says what it means.

    Args:
        level: what a row is.

    Raises:
        MissingExtra: pyarrow is not installed.
        ValueError: there is no such level.

    >>> schema().field("deadline_end").type
    DataType(date32[day])
    >>> schema("reply").field("coverage").type
    DataType(double)
    """
    meanings = columns(level)
    pa = _arrow()
    if level == "reply":
        types = dict.fromkeys(_REPLY_LISTS, pa.list_(pa.string())) | {"date": pa.date32()}
        types |= dict.fromkeys(_REPLY_FLOATS, pa.float64()) | dict.fromkeys(_REPLY_WHOLE, pa.int64())
    else:
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
            for name, meaning in meanings.items()
        ]
    )


def to_arrow(*replies: Reply, level: Level = "sentence") -> pa.Table:
    """Make an Arrow table with the columns and the types of `schema`.

    Args:
        replies: one or more.
        level: one row a ``"sentence"``, a ``"measure"`` or a ``"reply"``.

    Raises:
        MissingExtra: pyarrow is not installed.
        ValueError: there is no such level.

    >>> reply = Reply(text="已建成。", sentences=(Sentence(0, 4, "已建成。", Status.COMPLETED),))
    >>> to_arrow(reply, level="measure").num_rows
    1
    """
    pa = _arrow()
    return pa.Table.from_pylist(
        [row for reply in replies for row in rows(reply, level)], schema=schema(level)
    )


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra("An Arrow table", "arrow") from error
    return pyarrow


_FORMULA = tuple("=+-@＝＋－＠\t\r\n")


def cell(value: Any, *, inert: bool = False) -> Any:
    """A value as a cell of CSV: a list as its items with ``; `` between.

    Args:
        value: of a row.
        inert: whether to quote text that a spreadsheet would take for a formula.

    >>> cell(["S1", "S2"]), cell("=1+1", inert=True), cell(3)
    ('S1; S2', "'=1+1", 3)
    """
    if isinstance(value, list):
        value = "; ".join(str(item) for item in value if item is not None)
    if inert and isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def _section_paths(reply: Reply) -> list[str]:
    """Headings from the outermost inward, for each section; parents stand before their children."""
    paths: list[str] = []
    for section in reply.sections:
        above = "" if section.parent is None else paths[section.parent] + " > "
        paths.append(above + section.title)
    return paths
