"""A letter marked up, as a page to read in a browser or a notebook (HTML 视图).

`fragment` is one letter with its style; `page` puts letters into a page that needs nothing from elsewhere.
Filters, highlights and evidence are CSS and ``<details>``. The one script, which the page's policy names by
its hash and a fragment lacks, copies the measures; no other source is allowed, so that nothing in a letter
can act. Hues are of the Okabe–Ito palette, which colour-blind readers can tell apart, and a mark stands
beside each. What the terminal shows is in `terminal`.
"""

from __future__ import annotations

import base64
import csv
import datetime
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from typing import Literal

from commitments.reply import Ask, Deadline, Evidence, Reply, Sentence
from commitments.tag.rules import traits
from commitments.terms import Role, Status, Term

Lang = Literal["en", "zh"]

MARKS: dict[Status, str] = {Status.COMPLETED: "✓", Status.ONGOING: "▸", Status.PLEDGE: "◇", Status.NONE: ""}
"""A mark for each status, so that colour is never the only sign."""

FOREIGN = frozenset({Role.OUTSIDE, Role.SUGGESTION})
"""Roles of what stands on the page beside the letter; such sentences are not counted."""

# Control characters, those that turn the direction of writing, and halves of surrogate pairs.
_UNSEEN = dict.fromkeys(
    (
        *(c for c in range(0xA0) if (c < 0x20 or c > 0x7E) and chr(c) not in "\t\n\r"),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
    ),
    "�",
)

_RUNNING = frozenset({Role.BODY, Role.OPENING, Role.HEADING, Role.LEAD, Role.CLOSING})

_MEASURES = (Status.COMPLETED, Status.ONGOING, Status.PLEDGE)

_WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "asks": "What is asked",
        "contents": "Letters",
        "letter": "The letter",
        "unanswered": "no measure answers it",
        "general": "All asks",
        "no_asks": "No ask was found in the letter.",
        "outside": "Not of the letter",
        "suggestion": "The suggestion",
        "filter": "Show",
        "default": "no rule speaks",
        "links": "answers",
        "no_link": "answers no ask",
        "also": "also",
        "sentence": "sentence",
        "confidence": "confidence",
        "undecided": "undecided",
        "warnings": "Note",
        "untitled": "Untitled letter",
        "due": "due",
        "condition": "condition",
        "quantity": "quantity",
        "actor": "actor",
        "implied": "the replying body",
        "strength": "strength",
        "action": "action",
        "deadlines": "Deadlines",
        "written": "the letter",
        "copy": "Copy as CSV",
        "copied": "Copied",
    },
    "zh": {
        "asks": "诉求",
        "contents": "答复目录",
        "letter": "答复全文",
        "unanswered": "未见举措回应",
        "general": "全部诉求",
        "no_asks": "信中未找到诉求。",
        "outside": "信外文字",
        "suggestion": "建议原文",
        "filter": "显示",
        "default": "无规则命中",
        "links": "回应",
        "no_link": "未回应诉求",
        "also": "兼",
        "sentence": "句",
        "confidence": "置信度",
        "undecided": "存疑",
        "warnings": "提示",
        "untitled": "无题",
        "due": "期限",
        "condition": "条件",
        "quantity": "数量",
        "actor": "主体",
        "implied": "答复单位",
        "strength": "力度",
        "action": "动作",
        "deadlines": "期限",
        "written": "答复日期",
        "copy": "复制为 CSV",
        "copied": "已复制",
    },
}


def to_html(reply: Reply, *, lang: Lang = "en") -> str:
    """Make a self-contained page of one letter.

    Args:
        reply: what the pipeline returned.
        lang: of the labels, ``"en"`` or ``"zh"``.

    >>> to_html(Reply(text="你好"))[:15]
    '<!DOCTYPE html>'
    """
    return page([reply], lang=lang)


def page(replies: Iterable[Reply], *, lang: Lang = "en") -> str:
    """Make a self-contained page of letters, one after the other.

    Args:
        replies: what the pipeline returned.
        lang: of the labels, ``"en"`` or ``"zh"``.

    Raises:
        ValueError: there are no labels in that language.
    """
    every = list(replies)
    title = every[0].title or every[0].name if len(every) == 1 else None
    body = "\n".join(_letter(reply, lang, f"-{n}", copy=True) for n, reply in enumerate(every))
    script = files("commitments").joinpath("view.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    if len(every) > 1:
        body = f"{_contents(every, lang)}\n{body}"
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if lang == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="commitments">
<title>{safe(title or "commitments")}</title>
<style>{_style()}</style>
</head>
<body class="cmt-page">
{body}
<script>{script}</script>
</body>
</html>
"""


def fragment(reply: Reply, *, lang: Lang = "en") -> str:
    """Make the markup of one letter, style included, to stand in a page or a notebook.

    Args:
        reply: what the pipeline returned.
        lang: of the labels, ``"en"`` or ``"zh"``.

    >>> "&lt;script&gt;" in fragment(Reply(text="<script>", sentences=(Sentence(0, 8, "<script>"),)))
    True
    """
    return f"<style>{_style()}</style>\n{_letter(reply, lang, '')}"


def _style() -> str:
    return files("commitments").joinpath("view.css").read_text(encoding="utf-8")


def safe(text: str) -> str:
    """Text that a browser shows and does nothing else with; what cannot be seen is made visible."""
    return escape(text.translate(_UNSEEN), quote=True)


def _name(term: Term, lang: Lang) -> str:
    return term.zh if lang == "zh" else term.value


def _letter(reply: Reply, lang: Lang, suffix: str, *, copy: bool = False) -> str:
    if lang not in _WORDS:
        raise ValueError(f"lang is {lang!r}; there are labels in {', '.join(map(repr, _WORDS))}")
    key = _key(reply, suffix)
    words = _WORDS[lang]
    title = reply.title or reply.name or words["untitled"]
    facts = [reply.agency, reply.doc_number, reply.date and reply.date.isoformat()]
    facts += [reply.kind and _name(reply.kind, lang), reply.result_code, reply.publicity]
    shown = "".join(f"<li>{safe(fact)}</li>" for fact in facts if fact)
    notes = "".join(f"<li>{safe(note)}</li>" for note in reply.warnings)
    footer = f"<footer><b>{words['warnings']}</b><ul>{notes}</ul></footer>" if notes else ""
    text = "".join(_paragraphs(reply, lang, key))
    return f"""<article class="cmt" id="{key}">
<style>{_lights(reply, key)}</style>
<header><h1 lang="zh-CN">{safe(title)}</h1><ul class="facts">{shown}</ul>{_legend(reply, lang)}</header>
<div class="cols">
<aside><h2>{words["asks"]}</h2>{_asks(reply, lang, key)}
{_timeline(reply, lang, key)}{_copy(reply, lang, copy)}</aside>
<main lang="zh-CN" aria-label="{words["letter"]}">
{text}</main>
</div>
{footer}</article>"""


def _key(reply: Reply, suffix: str) -> str:
    """The same letter gives the same page, and two letters in one notebook do not share anchors."""
    digest = hashlib.sha256(f"{reply.name}\n{reply.text}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"c{digest[:8]}{suffix}"


def _contents(replies: list[Reply], lang: Lang) -> str:
    """A list of the letters on a page, each with its counts."""
    words = _WORDS[lang]
    items = []
    for n, reply in enumerate(replies):
        counts = _counts(reply)
        marks = " ".join(f"{MARKS[status]} {counts[status]}" for status in _MEASURES)
        title = safe(reply.title or reply.name or words["untitled"])
        items.append(
            f'<li><a href="#{_key(reply, f"-{n}")}">{title}</a> <span class="quiet">{marks}</span></li>'
        )
    return (
        f'<nav class="cmt contents" aria-label="{words["contents"]}"><h2>{words["contents"]}</h2>'
        f'<ol lang="zh-CN">{"".join(items)}</ol></nav>'
    )


def _counts(reply: Reply) -> dict[Status, int]:
    """How many of the letter's own sentences have each status."""
    counts = dict.fromkeys(Status, 0)
    for s in reply.sentences:
        counts[s.status] += s.role not in FOREIGN and not s.undecided
    return counts


def _lights(reply: Reply, key: str) -> str:
    """Rules that light an ask's sentences when it is pointed at, by dimming the others; and back."""
    asks = range(len(reply.asks))
    rules = [
        f"#{key}:has(.ask.a{n}:is(:hover,:focus-within)) .s:not(.a{n},.all){{opacity:.3}}"
        f"#{key}:has(.s.a{n}>summary:is(:hover,:focus)) .ask.a{n}"
        for n in asks
    ]
    lit = "{box-shadow:inset 3px 0 var(--light)}"
    return "".join(f"{rule}{lit}" for rule in [*rules, f"#{key}:has(.s.all>summary:is(:hover,:focus)) .ask"])


def _legend(reply: Reply, lang: Lang) -> str:
    counts = _counts(reply)
    boxes = "".join(
        f'<label class="key {status.value}"><input type="checkbox" class="f-{status.value}" checked '
        f'autocomplete="off"><span class="mark">{MARKS[status]}</span> {_name(status, lang)} '
        f"<b>{counts[status]}</b></label>"
        for status in _MEASURES
    )
    bar = "".join(
        f'<i class="{status.value}" style="flex-grow:{counts[status]}"></i>'
        for status in Status
        if counts[status]
    )
    rest = f'<span class="key none">{_name(Status.NONE, lang)} <b>{counts[Status.NONE]}</b></span>'
    return (
        f'<div class="bar" aria-hidden="true">{bar}</div>'
        f'<div class="legend" role="group" aria-label="{_WORDS[lang]["filter"]}">{boxes}{rest}</div>'
    )


def _asks(reply: Reply, lang: Lang, key: str) -> str:
    words = _WORDS[lang]
    if not reply.asks:
        return f'<p class="quiet">{words["no_asks"]}</p>'
    answers: dict[str, list[int]] = {ask_id: [] for ask_id in (*(ask.id for ask in reply.asks), "*")}
    for n, s in enumerate(reply.sentences):
        for ask_id in s.asks if s.status is not Status.NONE and not s.undecided else ():
            answers[ask_id].append(n)
    items = [
        f'<li class="ask a{i}" tabindex="0"><span class="id">{safe(ask.id)}</span> {safe(ask.text)}'
        f"{_disposition(ask, lang)}"
        f'<div class="answers">{_answers(reply, answers[ask.id], lang, key) or words["unanswered"]}</div>'
        "</li>"
        for i, ask in enumerate(reply.asks)
    ]
    if answers["*"]:
        every = _answers(reply, answers["*"], lang, key)
        items.append(f'<li class="ask general">{words["general"]}<div class="answers">{every}</div></li>')
    return f"<ol>{''.join(items)}</ol>"


def _timeline(reply: Reply, lang: Lang, key: str) -> str:
    """The days by which something is due, in their order, and that of the letter among them."""
    words = _WORDS[lang]
    found: list[tuple[datetime.date, int, str]] = []
    for n, s in enumerate(reply.sentences):
        if s.status is Status.NONE or s.undecided:
            continue
        for due in s.deadlines:
            day = due.end or due.start
            if day is not None:
                what = f'<a href="#{key}-{n + 1}" lang="zh-CN">{safe(due.text)}</a>'
                mark = f'<span class="mark {s.status.value}" title="{_name(s.status, lang)}">'
                found.append((day, n + 1, f"{mark}{MARKS[s.status]}</span> {what}"))
    if not found:
        return ""
    if reply.date is not None:
        found.append((reply.date, 0, f'<span class="quiet">{words["written"]}</span>'))
    items = "".join(
        f'<li{"" if n else chr(32) + "class=letter"}><time datetime="{day}">{day}</time> {what}</li>'
        for day, n, what in sorted(found)
    )
    return f'<h2>{words["deadlines"]}</h2><ol class="times">{items}</ol>'


def _copy(reply: Reply, lang: Lang, wanted: bool) -> str:
    """The measures as CSV, for the button that copies them."""
    if not wanted or not reply.measures:
        return ""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["sentence", "status", "confidence", "asks", "deadline", "last day", "actor", "text"])
    for n, s in enumerate(reply.sentences, 1):
        if s.status is Status.NONE or s.undecided:
            continue
        due, actor = s.deadline, s.actor
        cells = [" ".join(s.asks), due.text if due else "", str(due.end or "") if due else ""]
        cells += [actor.text if actor else "", s.clean or s.text]
        writer.writerow([n, s.status.value, f"{s.confidence:.2f}", *map(_plain_cell, cells)])
    words = _WORDS[lang]
    data = json.dumps(out.getvalue().translate(_UNSEEN), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<script type="application/json" class="csv" data-label="{words["copy"]}" '
        f'data-done="{words["copied"]}">{data}</script>'
    )


def _plain_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _disposition(ask: Ask, lang: Lang) -> str:
    if ask.disposition is None:
        return ""
    return f'<div class="fate" title="{safe(ask.reason)}">{_name(ask.disposition, lang)}</div>'


def _answers(reply: Reply, numbers: list[int], lang: Lang, key: str) -> str:
    """Links to the sentences of these numbers, by status."""
    out = []
    for status in _MEASURES:
        those = [n for n in numbers if reply.sentences[n].status is status]
        links = " ".join(f'<a href="#{key}-{n + 1}">{n + 1}</a>' for n in those)
        mark = f'<span class="mark" title="{_name(status, lang)}">{MARKS[status]}</span>'
        out.append(f'<div class="{status.value}">{mark}{links}</div>' if those else "")
    return "".join(out)


def _paragraphs(reply: Reply, lang: Lang, key: str) -> Iterator[str]:
    """The letter's lines; text outside it, such as a site's menu, is folded away."""
    places = {ask.id: f"a{i}" for i, ask in enumerate(reply.asks)}
    at = 0
    block: Role | None = None
    folded: Role | None = None
    for n, s in enumerate(reply.sentences):
        gap, at = reply.text[at : s.start], s.end
        # Headings, leads and what follows them stand on one line where the letter has them so.
        role = Role.BODY if s.role in _RUNNING else s.role
        if block is None or "\n" in gap or "\r" in gap or role is not block:
            if block is not None:
                yield "</div>\n"
            fold = role if role in FOREIGN else None
            if fold is not folded:
                yield "</details>\n" if folded else ""
                yield f'<details class="fold"><summary>{_WORDS[lang][fold.value]}</summary>\n' if fold else ""
                folded = fold
            yield f'<div class="p {role.value}">'
            block = role
        if gap.strip():
            yield f'<span class="quiet">{safe(gap.strip())}</span> '
        yield _sentence(n, s, places, lang, key)
    if block is not None:
        yield "</div>\n"
    yield "</details>\n" if folded else ""
    if reply.text[at:].strip():
        yield f'<div class="p quiet">{safe(reply.text[at:].strip())}</div>\n'


def _sentence(n: int, s: Sentence, places: dict[str, str], lang: Lang, key: str) -> str:
    text = f'<span class="t">{_marked(s, lang)}</span>'
    anchor = f'id="{key}-{n + 1}"'
    heading = " h" if s.role is Role.HEADING else ""
    if not s.evidence and s.status is Status.NONE:
        return f'<span class="s none{heading}" {anchor}>{text}</span>'
    marks = "".join(
        f'<span class="mark{" minor" if i else ""} {status.value}" title="{_name(status, lang)}">'
        f"{MARKS[status]}</span>"
        for i, status in enumerate((s.status, *s.also))
        if MARKS[status]
    )
    if s.undecided:
        marks = f'<span class="mark minor" title="{_WORDS[lang]["undecided"]}">?</span>'
    shown = Status.NONE if s.undecided else s.status
    measure = shown is not Status.NONE
    lit = "".join(f" {places.get(ask, 'all')}" for ask in s.asks) if measure else ""
    return (
        f'<details class="s {shown.value}{heading}{lit}" {anchor}><summary>{marks}{text}</summary>'
        f'<span class="why">{_why(n, s, lang)}</span></details>'
    )


def _marked(s: Sentence, lang: Lang) -> str:
    """The sentence, with what it says of time, number and bodies underlined."""
    text = s.clean or s.text
    moved = _moved(s.text, text)
    if moved is None:  # mended beyond leaving out: the facts stand in the details
        return safe(text)
    found = [(d.span, "d", _days(d)) for d in s.deadlines]
    found += [(c.span, "c", _WORDS[lang]["condition"]) for c in s.conditions]
    found += [(q.span, "q", _name(q.role, lang)) for q in s.quantities]
    found += [(a.span, "b", _name(a.role, lang)) for a in s.actors if a.span]
    out, at = "", 0
    for span, kind, title in sorted(found):
        start, end = moved[span.start - s.start], moved[span.end - s.start]
        if start < at:
            continue
        out += safe(text[at:start])
        out += f'<span class="x {kind}" title="{safe(title)}">{safe(text[start:end])}</span>'
        at = end
    return out + safe(text[at:])


def _moved(raw: str, mended: str) -> list[int] | None:
    r"""Where each offset of a text lies once characters were left out; None where more was changed.

    >>> _moved("年底\n前", "年底前")
    [0, 1, 2, 2, 3]
    """
    places, at = [], 0
    for c in raw:
        places.append(at)
        at += at < len(mended) and c == mended[at]
    return [*places, at] if at == len(mended) else None


def _days(due: Deadline) -> str:
    days = " – ".join(f"{day:%Y-%m-%d}" for day in (due.start, due.end) if day)
    return " ".join(part for part in (due.kind.value, days, due.note) if part)


def _facts(s: Sentence, lang: Lang) -> Iterator[str]:
    """Who, by when, how much and how firmly."""
    words = _WORDS[lang]
    if s.action:
        yield f"{words['action']} {safe(s.action.text)}"
    for due in s.deadlines:
        yield f"{words['due']} <mark>{safe(due.text)}</mark> {safe(_days(due))}"
    for condition in s.conditions:
        yield f"{words['condition']} <mark>{safe(condition.text)}</mark>"
    for q in s.quantities:
        value = "" if q.value is None else f" {q.value:,.10g} {q.unit or ''}"
        yield f"{words['quantity']} <mark>{safe(q.text)}</mark>{safe(value)} {_name(q.role, lang)}"
    for actor in s.actors:
        yield f"{words['actor']} <mark>{safe(actor.text)}</mark> {_name(actor.role, lang)}"
    if s.actor and s.actor.implied:
        yield f"{words['actor']} {safe(s.actor.text)} <i>{words['implied']}</i>"
    if s.strength:
        cue = f" “<mark>{safe(s.strength_cue.text)}</mark>”" if s.strength_cue else ""
        yield f"{words['strength']} {_name(s.strength, lang)}{cue}"


def _why(n: int, s: Sentence, lang: Lang) -> str:
    words = _WORDS[lang]
    also = f" · {words['also']} {', '.join(_name(x, lang) for x in s.also)}" if s.also else ""
    lines = [
        f"<b>{words['sentence']} {n + 1} · {_name(s.status, lang)}</b>{also}"
        f" · {words['confidence']} {s.confidence:.2f}{' · ' + words['undecided'] if s.undecided else ''}"
    ]
    lines += [_reason(evidence, lang) for evidence in s.evidence] or [words["default"]]
    if s.status is not Status.NONE:
        asks = ", ".join(s.asks)
        answer = f"{words['links']} {safe(asks)}" if asks else words["no_link"]
        why = " · ".join(safe(part) for part in (s.link.by, s.link.reason) if part)
        lines.append(f"{answer}{f' <i>{why}</i>' if why else ''}")
        lines += _facts(s, lang)
    return "".join(f'<span class="line">{line}</span>' for line in lines)


def _reason(evidence: Evidence, lang: Lang) -> str:
    quote = f" “<mark>{safe(evidence.text)}</mark>”" if evidence.text else ""
    if trait := traits().get(evidence.rule):
        quote = f" <i>{safe(trait)}</i>"
    return (
        f"<code>{safe(evidence.rule)}</code> {_name(evidence.how, lang)}{quote} → "
        f"{_name(evidence.status, lang)} {evidence.points:g}"
    )
