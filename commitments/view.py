"""A letter marked up, as a page to read in a browser or a notebook (HTML 视图).

`fragment` is one letter with its style; `page` puts letters into a page that needs nothing from elsewhere.
Filters, highlights and evidence are CSS and ``<details>``. The one script, which the page's policy names by
its hash and a fragment lacks, copies the measures and switches the language of the labels; no other source
is allowed, so that nothing in a letter can act. Hues are of the Okabe–Ito palette, which colour-blind readers
can tell apart, and a mark stands beside each. The labels are in `labels`; what the terminal shows is in
`terminal`.
"""

from __future__ import annotations

import base64
import csv
import datetime
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files

from commitments import table
from commitments.labels import LETTER, Labels, Lang, Pair, named, safe, visible
from commitments.reply import Ask, CharSpan, Deadline, Evidence, Reply, Sentence
from commitments.tag.rules import traits
from commitments.terms import Role, Status

MARKS: dict[Status, str] = {Status.COMPLETED: "✓", Status.ONGOING: "▸", Status.PLEDGE: "◇", Status.NONE: ""}
"""A mark for each status, so that colour is never the only sign."""

FOREIGN = frozenset({Role.OUTSIDE, Role.SUGGESTION})
"""Roles of what stands on the page beside the letter; such sentences are not counted."""

_RUNNING = frozenset({Role.BODY, Role.OPENING, Role.HEADING, Role.LEAD, Role.CLOSING})

_MEASURES = (Status.COMPLETED, Status.ONGOING, Status.PLEDGE)
_COPIED = ("sentence", "status", "confidence", "asks", "deadline", "deadline_end", "actor", "clean")
"""Columns of `commitments.table` that the button copies."""


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
    labels = Labels(LETTER, lang, both=True)
    every = list(replies)
    title = every[0].title or every[0].name if len(every) == 1 else None
    body = "\n".join(_letter(reply, labels, f"-{n}") for n, reply in enumerate(every))
    if len(every) > 1:
        body = f"{_contents(every, labels)}\n{body}"
    return document(body, labels, title=title or "commitments", style="view.css", script="view.js")


def document(body: str, labels: Labels, *, title: str | Pair, style: str, script: str) -> str:
    """Put a body into a page whose labels can be switched and whose policy allows its own script alone.

    Args:
        body: markup.
        labels: the page's; they tell its language.
        title: a text, or a label that is switched with the others.
        style: names of style sheets in the package, with blanks between.
        script: name of the script in the package; `switch.js` comes before it.
    """
    head = f"<title>{safe(title)}</title>" if isinstance(title, str) else labels.element("title", title)
    styles = "\n".join(_part(name) for name in style.split())
    scripts = _part("switch.js") + _part(script)
    digest = base64.b64encode(hashlib.sha256(scripts.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if labels.lang == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="commitments">
{head}
<style>{styles}</style>
</head>
<body class="cmt-page">
{body}
<script>{scripts}</script>
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
    return f"<style>{_part('view.css')}</style>\n{_letter(reply, Labels(LETTER, lang), '')}"


def colours() -> dict[str, str]:
    """The page's colours on white paper by their names in its style, such as a status or ``soft``.

    >>> colours()["pledge"]
    '#b54a00'
    """
    return dict(reversed(re.findall(r"--([\w-]+):(#\w+)", _part("view.css"))))  # the first is of light paper


def _part(name: str) -> str:
    return files("commitments").joinpath(name).read_text(encoding="utf-8")


def _letter(reply: Reply, labels: Labels, suffix: str) -> str:
    key = _key(reply, suffix)
    facts = [reply.agency, reply.doc_number, reply.date and reply.date.isoformat()]
    told = [safe(fact) for fact in facts if fact]
    told += [labels.term(reply.kind)] if reply.kind else []
    told += [safe(fact) for fact in (reply.result_code, reply.publicity) if fact]
    shown = "".join(f"<li>{fact}</li>" for fact in told)
    notes = "".join(f"<li>{safe(note)}</li>" for note in reply.warnings)
    footer = f"<footer><b>{labels.word('warnings')}</b><ul>{notes}</ul></footer>" if notes else ""
    text = "".join(_paragraphs(reply, labels, key))
    return f"""<article class="cmt" id="{key}">
<style>{_lights(reply, key)}</style>
<header><h1 lang="zh-CN">{_title(reply, labels)}</h1><ul class="facts">{shown}</ul>
{_legend(reply, labels)}</header>
<div class="cols">
<aside><h2>{labels.word("asks")}</h2>{_asks(reply, labels, key)}
{_timeline(reply, labels, key)}{_copy(reply, labels)}</aside>
<main lang="zh-CN"{labels.attribute("aria-label", labels.pair("letter"))}>
{text}</main>
</div>
{footer}</article>"""


def _title(reply: Reply, labels: Labels) -> str:
    title = reply.title or reply.name
    return safe(title) if title else labels.word("untitled")


def _key(reply: Reply, suffix: str) -> str:
    """The same letter gives the same page, and two letters in one notebook do not share anchors."""
    digest = hashlib.sha256(f"{reply.name}\n{reply.text}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"c{digest[:8]}{suffix}"


def _contents(replies: list[Reply], labels: Labels) -> str:
    """A list of the letters on a page, each with its counts."""
    items = []
    for n, reply in enumerate(replies):
        counts = _counts(reply)
        marks = " ".join(f"{MARKS[status]} {counts[status]}" for status in _MEASURES)
        title = _title(reply, labels)
        items.append(
            f'<li><a href="#{_key(reply, f"-{n}")}">{title}</a> <span class="quiet">{marks}</span></li>'
        )
    return (
        f'<nav class="cmt contents"{labels.attribute("aria-label", labels.pair("contents"))}>'
        f"<h2>{labels.word('contents')}</h2>"
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


def _legend(reply: Reply, labels: Labels) -> str:
    counts = _counts(reply)
    boxes = "".join(
        f'<label class="key {status.value}"><input type="checkbox" class="f-{status.value}" checked '
        f'autocomplete="off"><span class="mark">{MARKS[status]}</span> {labels.term(status)} '
        f"<b>{counts[status]}</b></label>"
        for status in _MEASURES
    )
    bar = "".join(
        f'<i class="{status.value}" style="flex-grow:{counts[status]}"></i>'
        for status in Status
        if counts[status]
    )
    shown = labels.attribute("aria-label", labels.pair("filter"))
    rest = f'<span class="key none">{labels.term(Status.NONE)} <b>{counts[Status.NONE]}</b></span>'
    return (
        f'<div class="bar" aria-hidden="true">{bar}</div>'
        f'<div class="legend" role="group"{shown}>{boxes}{rest}</div>'
    )


def _asks(reply: Reply, labels: Labels, key: str) -> str:
    if not reply.asks:
        return f'<p class="quiet">{labels.word("no_asks")}</p>'
    unanswered = labels.word("unanswered")
    answers: dict[str, list[int]] = {ask_id: [] for ask_id in (*(ask.id for ask in reply.asks), "*")}
    for n, s in enumerate(reply.sentences):
        for ask_id in s.asks if s.status is not Status.NONE and not s.undecided else ():
            answers[ask_id].append(n)
    items = [
        f'<li class="ask a{i}" tabindex="0"><span class="id">{safe(ask.id)}</span> {safe(ask.text)}'
        f"{_disposition(ask, labels)}"
        f'<div class="answers">{_answers(reply, answers[ask.id], labels, key) or unanswered}</div>'
        "</li>"
        for i, ask in enumerate(reply.asks)
    ]
    if answers["*"]:
        every = _answers(reply, answers["*"], labels, key)
        items.append(
            f'<li class="ask general">{labels.word("general")}<div class="answers">{every}</div></li>'
        )
    return f"<ol>{''.join(items)}</ol>"


def _timeline(reply: Reply, labels: Labels, key: str) -> str:
    """The days by which something is due, in their order, and that of the letter among them.

    What names no day comes last. Whether a day has passed is no matter of the letter's.
    """
    found: list[tuple[datetime.date, int, str]] = []
    undated: list[str] = []
    for n, s in enumerate(reply.sentences):
        if s.status is Status.NONE or s.undecided:
            continue
        mark = f'<span class="mark {s.status.value}"{labels.attribute("title", named(s.status))}>'
        for due in s.deadlines:
            link = f'<a href="#{key}-{n + 1}" lang="zh-CN">{safe(due.text)}</a>'
            what = f"{mark}{MARKS[s.status]}</span> {link}"
            if day := due.end or due.start:
                found.append((day, n + 1, what))
            else:
                undated.append(what)
    if not found and not undated:
        return ""
    if reply.date is not None:
        found.append((reply.date, 0, f'<span class="quiet">{labels.word("written")}</span>'))
    items = [
        f'<li{"" if n else chr(32) + "class=letter"}><time datetime="{day}">{day}</time> {what}</li>'
        for day, n, what in sorted(found)
    ]
    told = labels.word("undated")
    items += [f'<li class="undated"><span class="quiet">{told}</span> {what}</li>' for what in undated]
    return (
        f'<h2>{labels.word("deadlines")}</h2><ol class="times">{"".join(items)}</ol>'
        f'<p class="quiet note">{labels.word("judged")}</p>'
    )


def _copy(reply: Reply, labels: Labels) -> str:
    """The measures as CSV, and the button that copies them, which the page's script shows."""
    if not labels.both or not reply.measures:
        return ""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COPIED)
    for row in table.rows(reply, "measure"):
        writer.writerow(table.cell(row[name], inert=True) for name in _COPIED)
    data = json.dumps(visible(out.getvalue()), ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<button type="button" class="copy" hidden><span>{labels.word("copy")}</span>'
        f'<span role="status" hidden>{labels.word("copied")}</span></button>'
        f'<script type="application/json" class="csv">{data}</script>'
    )


def _disposition(ask: Ask, labels: Labels) -> str:
    if ask.disposition is None:
        return ""
    return f'<div class="fate" title="{safe(ask.reason)}">{labels.term(ask.disposition)}</div>'


def _answers(reply: Reply, numbers: list[int], labels: Labels, key: str) -> str:
    """Links to the sentences of these numbers, by status."""
    out = []
    for status in _MEASURES:
        those = [n for n in numbers if reply.sentences[n].status is status]
        links = " ".join(f'<a href="#{key}-{n + 1}">{n + 1}</a>' for n in those)
        mark = f'<span class="mark"{labels.attribute("title", named(status))}>{MARKS[status]}</span>'
        out.append(f'<div class="{status.value}">{mark}{links}</div>' if those else "")
    return "".join(out)


def _paragraphs(reply: Reply, labels: Labels, key: str) -> Iterator[str]:
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
                yield f'<details class="fold"><summary>{labels.word(fold.value)}</summary>\n' if fold else ""
                folded = fold
            yield f'<div class="p {role.value}">'
            block = role
        if gap.strip():
            yield f'<span class="quiet">{safe(gap.strip())}</span> '
        yield _sentence(n, s, places, labels, key)
    if block is not None:
        yield "</div>\n"
    yield "</details>\n" if folded else ""
    if reply.text[at:].strip():
        yield f'<div class="p quiet">{safe(reply.text[at:].strip())}</div>\n'


def _sentence(n: int, s: Sentence, places: dict[str, str], labels: Labels, key: str) -> str:
    text = f'<span class="t">{_marked(s, labels)}</span>'
    anchor = f'id="{key}-{n + 1}"'
    heading = " h" if s.role is Role.HEADING else ""
    if not s.evidence and s.status is Status.NONE:
        return f'<span class="s none{heading}" {anchor}>{text}</span>'
    marks = "".join(
        f'<span class="mark{" minor" if i else ""} {status.value}"{labels.attribute("title", named(status))}>'
        f"{MARKS[status]}</span>"
        for i, status in enumerate((s.status, *s.also))
        if MARKS[status]
    )
    if s.undecided:
        marks = f'<span class="mark minor"{labels.attribute("title", labels.pair("undecided"))}>?</span>'
    shown = Status.NONE if s.undecided else s.status
    measure = shown is not Status.NONE
    lit = "".join(f" {places.get(ask, 'all')}" for ask in s.asks) if measure else ""
    return (
        f'<details class="s {shown.value}{heading}{lit}" {anchor}><summary>{marks}{text}</summary>'
        f'<span class="why">{_why(n, s, labels)}</span></details>'
    )


def _marked(s: Sentence, labels: Labels) -> str:
    """The sentence, with what it says of time, number and bodies underlined."""
    text = s.clean or s.text
    moved = _moved(s.text, text)
    if moved is None:  # mended beyond leaving out: the facts stand in the details
        return safe(text)
    found: list[tuple[CharSpan, str, Pair]] = [(d.span, "d", _days(d)) for d in s.deadlines]
    found += [(c.span, "c", labels.pair("condition")) for c in s.conditions]
    found += [(q.span, "q", named(q.role)) for q in s.quantities]
    found += [(a.span, "b", named(a.role)) for a in s.actors if a.span]
    out, at = "", 0
    for span, kind, title in sorted(found):
        start, end = moved[span.start - s.start], moved[span.end - s.start]
        if start < at:
            continue
        out += safe(text[at:start])
        out += f'<span class="x {kind}"{labels.attribute("title", title)}>{safe(text[start:end])}</span>'
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


def _days(due: Deadline) -> Pair:
    days = " – ".join(f"{day:%Y-%m-%d}" for day in (due.start, due.end) if day)
    en, zh = (" ".join(filter(None, (kind, days, due.note))) for kind in named(due.kind))
    return en, zh


def _facts(s: Sentence, labels: Labels) -> Iterator[str]:
    """Who, by when, how much and how firmly."""
    if s.action:
        yield f"{labels.word('action')} {safe(s.action.text)}"
    for due in s.deadlines:
        yield f"{labels.word('due')} <mark>{safe(due.text)}</mark> {labels.show(_days(due))}"
    for condition in s.conditions:
        yield f"{labels.word('condition')} <mark>{safe(condition.text)}</mark>"
    for q in s.quantities:
        value = "" if q.value is None else f" {q.value:,.10g} {q.unit or ''}"
        yield f"{labels.word('quantity')} <mark>{safe(q.text)}</mark>{safe(value)} {labels.term(q.role)}"
    for actor in s.actors:
        yield f"{labels.word('actor')} <mark>{safe(actor.text)}</mark> {labels.term(actor.role)}"
    if s.actor and s.actor.implied:
        yield f"{labels.word('actor')} {safe(s.actor.text)} <i>{labels.word('implied')}</i>"
    if s.strength:
        cue = f" “<mark>{safe(s.strength_cue.text)}</mark>”" if s.strength_cue else ""
        yield f"{labels.word('strength')} {labels.term(s.strength)}{cue}"


def _why(n: int, s: Sentence, labels: Labels) -> str:
    also = f" · {labels.word('also')} {', '.join(labels.term(x) for x in s.also)}" if s.also else ""
    doubt = f" · {labels.word('undecided')}" if s.undecided else ""
    lines = [
        f"<b>{labels.word('sentence')} {n + 1} · {labels.term(s.status)}</b>{also}"
        f" · {labels.word('confidence')} {s.confidence:.2f}{doubt}"
    ]
    lines += [_reason(evidence, labels) for evidence in s.evidence] or [labels.word("default")]
    if s.status is not Status.NONE:
        asks = ", ".join(s.asks)
        answer = f"{labels.word('links')} {safe(asks)}" if asks else labels.word("no_link")
        why = " · ".join(safe(part) for part in (s.link.by, s.link.reason) if part)
        lines.append(f"{answer}{f' <i>{why}</i>' if why else ''}")
        lines += _facts(s, labels)
    return "".join(f'<span class="line">{line}</span>' for line in lines)


def _reason(evidence: Evidence, labels: Labels) -> str:
    quote = f" “<mark>{safe(evidence.text)}</mark>”" if evidence.text else ""
    if trait := traits().get(evidence.rule):
        quote = f" <i>{safe(trait)}</i>"
    return (
        f"<code>{safe(evidence.rule)}</code> {labels.term(evidence.how)}{quote} → "
        f"{labels.term(evidence.status)} {evidence.points:g}"
    )
