"""How a reply looks in a terminal, and as plain lines where there is none.

On a terminal: colours, and long sentences wrapped under themselves. In a pipe or a file: one line a sentence,
no escape codes, so that grep and less can read it. Which command shows what is in `cli`; the page in `view`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from math import exp
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from commitments.explanation import Explanation, Scorecard
from commitments.reply import Evidence, Reply, Sentence
from commitments.tag.rules import traits
from commitments.terms import How, Role, Status
from commitments.view import FOREIGN, MARKS

_STYLE: dict[Status, str] = {
    # Hues far apart for colour-blind readers too; the mark says the same without colour.
    Status.COMPLETED: "green",
    Status.ONGOING: "bright_blue",
    Status.PLEDGE: "bold yellow",
    Status.NONE: "",
}
_CHINESE_MARKS: dict[Status, str] = {
    Status.COMPLETED: "已",
    Status.ONGOING: "在",
    Status.PLEDGE: "将",
    Status.NONE: "",
}
_QUIET_ROLES = FOREIGN | {Role.METADATA, Role.CONTACT, Role.ATTACHMENT}
# Control characters of both sets, and those that turn the direction of writing.
_CONTROLS = dict.fromkeys(
    (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "�"
)
# A line is not broken inside a word in Latin letters, before a mark that closes, or after one that opens.
_PIECE = re.compile(r"[（《“‘「『〔【]*(?:[!-~]+|\S)[，。、；：！？）》”’」』〕】…]*|\s+")


def ready(stream: TextIO) -> None:
    """Let a stream carry Chinese, whatever the locale says.

    A character that the stream's encoding lacks becomes ``?``; an encoding that has no Chinese at all (ASCII,
    Windows-1252) is changed to UTF-8, which is what files and pipes want.
    """
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:  # not a text file of Python's own, such as a notebook's
        return
    if _carries(stream, "已"):
        reconfigure(errors="replace")
    else:
        reconfigure(encoding="utf-8", errors="replace")


def plain(text: str) -> str:
    r"""Make text of unknown origin safe to print on one line.

    Line breaks become spaces; control characters, which could move the cursor or rewrite what stands on the
    screen, are made visible.

    >>> plain("已\n建成\x1b[2J")
    '已 建成�[2J'
    """
    return " ".join(text.split()).translate(_CONTROLS)


class Terminal:
    """Writes replies to a stream.

    Args:
        stream: such as ``sys.stdout``.
        env: where NO_COLOR, FORCE_COLOR and TERM are looked up.
    """

    def __init__(self, stream: TextIO | None = None, env: Mapping[str, str] = os.environ) -> None:
        stream = stream or sys.stdout
        self.wraps = stream.isatty()
        coloured = (self.wraps and env.get("TERM") != "dumb") or bool(env.get("FORCE_COLOR"))
        coloured = coloured and not env.get("NO_COLOR")
        self._console = Console(
            file=stream,
            force_terminal=coloured,
            color_system="auto" if coloured else None,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._marks = MARKS if _carries(stream, "".join(MARKS.values())) else _CHINESE_MARKS

    def reply(self, reply: Reply, *, verbose: bool = False, quiet: bool = False) -> None:
        """Show a letter: what it is, what is asked, then each sentence with its status and asks.

        Args:
            reply: what the pipeline returned.
            verbose: say also why each sentence has its status and its asks.
            quiet: leave out what stands before the sentences.
        """
        if not quiet:
            self._head(reply)
        marks = max((self._mark(s).cell_len for s in reply.sentences), default=0)
        asks = max((len(" ".join(s.asks)) for s in reply.sentences), default=0)
        widths = (-len(str(len(reply.sentences))), marks, min(asks, 12))
        for number, s in enumerate(reply.sentences, 1):
            if s.role is Role.HEADING and self.wraps:
                self._line()
            answers = Text(plain(" ".join(s.asks)), "cyan")
            self._line(Text(str(number), "dim"), self._mark(s), answers, self._sentence(s), widths=widths)
            for reason in (*attributes(s), *_reasons(s)) if verbose else ():
                self._line(Text(), Text(), Text(), Text(reason, "dim"), widths=widths)

    def explanation(self, told: Explanation) -> None:
        """Show all that is known of one sentence: scorecard, asks, place and neighbours.

        Args:
            told: what `commitments.Pipeline.explain` returned.
        """
        reply, number, s = told.reply, told.number, told.sentence
        self._line(
            Text(f"sentence {number} of {len(reply.sentences)} ·"),
            Text(f"{s.status.value} {s.status.zh}", style=_STYLE[s.status]),
            *(Text(f"· also {also.value} {also.zh}") for also in s.also),
        )
        self._line(Text(" "), Text(plain(s.clean or s.text), style="bold"))
        self._fact("model", f"{plain(s.by or reply.model)} · confidence {s.confidence:.2f}")
        self._fact("place", f"characters {s.start}:{s.end} · {s.role.value} {s.role.zh}")
        self._fact("section", plain(" > ".join(told.section)) or "before the first heading")
        if s.undecided:
            self._fact("", "undecided: below the confidence that was asked for")
        if told.scorecard is not None:
            self._scorecard(told.scorecard)
        else:
            self._fact("evidence", "" if s.evidence else "none: no rule speaks")
            for evidence in s.evidence:
                self._line(Text(" "), Text(_reason(evidence, place=True)))
        if told.moved:
            self._fact("moved by", "what hiding these words takes from the status, in log-odds")
            for evidence in told.moved:
                where = f"“{plain(evidence.text)}” at {evidence.start}:{evidence.end}"
                self._line(Text(" "), Text(f"{evidence.points:+.2f} {where}"))
        for words in attributes(s):
            self._line(Text(" "), Text(words))
        self._fact("asks", _link(s))
        for ask in told.asks:
            self._line(Text(" "), Text(f"{plain(ask.id)} {plain(ask.text)}", style="cyan"))
        self._line(Text("context"))
        first = max(0, number - 3)
        for i, other in enumerate(reply.sentences[first : number + 2], first + 1):
            shown = Text(">" if i == number else " ")
            self._line(shown, Text(str(i)), self._mark(other), self._sentence(other), widths=(1, -4, 3))

    def _fact(self, label: str, text: str) -> None:
        self._line(Text(label), Text(text), widths=(9,))

    def _scorecard(self, card: Scorecard) -> None:
        """A table: a column a status, a row for all that counted, and what it comes to."""
        widths = (1, *(-len(status.value) for status in Status))

        def row(cells: Iterable[str], words: str, style: str = "") -> None:
            self._line(Text(), *(Text(cell, style) for cell in cells), Text(words, style), widths=widths)

        self._fact("scorecard", f"points of a {card.register} for each status; the highest total wins")
        row((status.value for status in Status), "", "dim")
        for summand in card.summands:
            given = (f"{summand.points.get(status, 0.0):g}" for status in Status)
            words = f"“{plain(summand.text)}” at {summand.start}:{summand.end}" if summand.text else ""
            share = f"× {summand.weight:g}" if summand.weight != 1 else ""
            note = plain(summand.note) if not words else ""
            parts = (plain(summand.rule), summand.how.value, words, share, note)
            row(given, " ".join(part for part in parts if part))
        totals = card.totals
        row((f"{totals[status]:g}" for status in Status), f"total: {card.status.value}", "bold")
        row(
            (f"{exp((total - max(totals.values())) / card.scale):.2f}" for total in totals.values()),
            f"e^((total - highest) / {card.scale:g}); 1 over their sum is the confidence,"
            f" {card.confidence:.2f}",
            "dim",
        )

    def text(self, text: str) -> None:
        """Write text as it is, a report say."""
        self._line(Text(text))

    def _head(self, reply: Reply) -> None:
        if reply.title or reply.name:
            self._line(Text(plain(reply.title or reply.name or ""), style="bold"))
        facts = [
            reply.name if reply.title else None,
            reply.agency,
            reply.doc_number,
            reply.date.isoformat() if reply.date else None,
            f"{reply.kind.value} {reply.kind.zh}" if reply.kind else None,
            _result(reply),
            reply.publicity,
        ]
        if any(facts):
            self._line(Text(" · ".join(plain(fact) for fact in facts if fact), style="dim"))
        for ask in reply.asks:
            counts = self._counts(reply.answers(ask.id))
            becomes = Text(
                f"· {ask.disposition.value} {ask.disposition.zh}" if ask.disposition else "", "cyan"
            )
            self._line(
                Text(plain(ask.id), style="cyan"),
                Text(plain(ask.text)),
                counts or Text("no measure"),
                becomes,
            )
        letter = tuple(s for s in reply.sentences if s.role not in FOREIGN)
        self._line(Text(_number(len(letter), "sentence") + ":"), self._counts(letter, names=True))
        if others := len(reply.sentences) - len(letter):
            self._line(Text(f"{_number(others, 'sentence')} beside the letter, not labelled", style="dim"))
        for note in reply.warnings:
            self._line(Text("note: " + plain(note), style="dim"))
        self._line()

    def _counts(self, sentences: tuple[Sentence, ...], *, names: bool = False) -> Text:
        counts = dict.fromkeys(Status, 0)
        for s in sentences:
            counts[s.status] += not s.undecided
        parts = [
            Text(
                f"{self._marks[status]} {count}{f' {status.value}' if names else ''}".strip(), _STYLE[status]
            )
            for status, count in counts.items()
            if count
        ]
        return Text("  ").join(parts)

    def _mark(self, s: Sentence) -> Text:
        if s.undecided:
            return Text("?", "dim")
        return Text("").join(Text(self._marks[x], _STYLE[x]) for x in (s.status, *s.also))

    def _sentence(self, s: Sentence) -> Text:
        style = _STYLE[s.status]
        if s.role in _QUIET_ROLES:
            style = "dim"
        elif s.role in (Role.HEADING, Role.TITLE):
            style = "bold"
        return Text(plain(s.clean or s.text), style)

    def _line(self, *cells: Text, widths: tuple[int, ...] = (), sep: str = " ") -> None:
        """Write cells on one line, the first ones padded: to the left of negative widths.

        On a terminal the last cell is wrapped under itself, where that leaves it room enough.
        """
        padded = [_padded(cell, widths[i]) if i < len(widths) else cell for i, cell in enumerate(cells)]
        head = Text(sep).join([*padded[:-1], Text()])
        room = self._console.width - head.cell_len
        last = padded[-1] if padded else Text()
        if self.wraps and room >= 20 and last.cell_len > room:
            parts = [Text(part, last.style) for part in _wrapped(last.plain, room)]
        else:
            parts = [last]
        for i, part in enumerate(parts):
            line = (Text(" " * head.cell_len) if i else head) + part
            line.rstrip()
            self._console.print(line, soft_wrap=True)


def attributes(s: Sentence) -> Iterator[str]:
    """Who, by when, how much and how firmly, a line each: of a measure.

    >>> import commitments
    >>> pledge = commitments.load("cues")("力争10月底前新建公园3个。", date="2023-06-12").pledges[0]
    >>> print("; ".join(attributes(pledge)))
    action 新建公园; due 10月底前 by 2023-10-31; quantity 3个 = 3 个 target; strength soft “力争”
    """
    if s.action:
        yield f"action {plain(s.action.text)}"
    for due in s.deadlines:
        days = [f"{day:%Y-%m-%d}" for day in (due.start, due.end) if day]
        note = f" ({due.note})" if due.note else ""
        yield f"due {plain(due.text)} {due.kind.value}{' ' + ' to '.join(days) if days else ''}{note}"
    for condition in s.conditions:
        yield f"condition {plain(condition.text)}"
    for q in s.quantities:
        if q.value is not None:
            value = f"{q.value:g}" if abs(q.value) < 1e6 else f"{q.value:,.0f}"
        else:
            value = f"{q.low:g} to {q.high:g}" if q.low is not None and q.high is not None else "?"
        note = f" ({q.note})" if q.note else ""
        yield f"quantity {plain(q.text)} = {value} {plain(q.unit or '')} {q.role.value}{note}"
    for actor in s.actors:
        yield f"actor {plain(actor.text)} {actor.role.value}"
    if s.strength:
        cue = f" “{plain(s.strength_cue.text)}”" if s.strength_cue else ""
        yield f"strength {s.strength.value}{cue}"


def _result(reply: Reply) -> str | None:
    """The result code, with its meaning where it does not say that itself."""
    if reply.result and reply.result.meaning and reply.result.source:
        return f"{reply.result.code}（{reply.result.meaning}）"
    return reply.result_code


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _wrapped(text: str, width: int) -> list[str]:
    """Break text into lines of a width in columns; Chinese has no spaces to break at."""
    lines: list[str] = []
    line, used = "", 0
    for piece in _PIECE.findall(text):
        size = cell_len(piece)
        if used + size > width and line:
            lines.append(line)
            line, used = "", 0
            if piece.isspace():
                continue
        line, used = line + piece, used + size
    return [*lines, line]


def _padded(cell: Text, width: int) -> Text:
    gap = Text(" " * (abs(width) - cell.cell_len))
    return gap + cell if width < 0 else cell + gap


def _carries(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError, AttributeError):
        return False
    return True


def _reasons(s: Sentence) -> Iterator[str]:
    """Why a sentence has its status and asks; nothing of what its place in the letter already says."""
    for evidence in s.evidence:
        if s.status is not Status.NONE or evidence.how in (How.CUE, How.INHERITED):
            yield _reason(evidence)
    if s.status is not Status.NONE:
        yield _link(s)


def _reason(evidence: Evidence, *, place: bool = False) -> str:
    words = f" “{plain(evidence.text)}”" if evidence.text else ""
    if trait := traits().get(evidence.rule):
        words = f" ({trait})"
    at = f" at {evidence.start}:{evidence.end}" if place and evidence.start is not None else ""
    rule = f"{plain(evidence.rule)} {evidence.how.value}{words}{at}"
    return f"{rule} → {evidence.status.value} {evidence.points:g}"


def _link(s: Sentence) -> str:
    if s.status is Status.NONE:
        return "none: it tells no measure"
    answer = f"answers {' '.join(map(plain, s.asks))}" if s.asks else "answers no ask"
    why = ": ".join(plain(part) for part in (s.link.by, s.link.reason) if part)
    return f"{answer}{f' ({why})' if why else ''}"
