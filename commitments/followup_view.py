"""The result of a followup, as plain lines and as a page (承诺跟踪视图).

The page needs nothing from elsewhere and holds no script, as that of a letter (`commitments.view`).
"""

from __future__ import annotations

from importlib.resources import files

from commitments.followup import Candidate, Followup, Relation, Tracked
from commitments.labels import Lang, safe

MARKS: dict[Relation | None, str] = {
    Relation.FULFILS: "✓",
    Relation.CONTINUES: "▸",
    Relation.REPEATS: "↻",
    Relation.CONTRADICTS: "✗",
    None: "·",
}
"""A mark for each outcome; the dot is nothing found."""

_WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "title": "What became of the pledges",
        "pledges": "Pledges",
        "none": "nothing found",
        "overdue": "overdue",
        "repeated": "promised {n} times",
        "late": "Overdue without a sign that they were kept",
        "again": "Promised again",
        "due": "due",
        "documents": "Documents",
        "note": "Candidates are proposals: read both sentences. Nothing found does not mean nothing done.",
    },
    "zh": {
        "title": "承诺跟踪",
        "pledges": "承诺",
        "none": "未见回音",
        "overdue": "逾期",
        "repeated": "承诺{n}次",
        "late": "逾期未见兑现",
        "again": "反复承诺",
        "due": "期限",
        "documents": "文件",
        "note": "以下为候选，请对照原文。未见回音不等于没有落实。",
    },
}


def plain(found: Followup, *, quiet: bool = False) -> str:
    """The result as lines: a pledge, then its candidates under it.

    Args:
        found: what `commitments.followup.followup` returned.
        quiet: leave out the summary.
    """
    lines = []
    if not quiet:
        counts = found.count()
        told = "  ".join(
            f"{MARKS[relation]} {counts[relation.value]} {relation.value}"
            for relation in Relation
            if counts[relation.value]
        )
        lines.append(
            f"{len(found.pledges)} pledges: {told}  {MARKS[None]} {counts['none']} nothing found".replace(
                ":   ", ": "
            )
        )
        lines.append(f"{len(found.overdue)} overdue, {len(found.repeated)} promised again")
        lines.append("")
    for p in found.pledges:
        due = f" [due {p.deadline.text} {p.deadline.end or ''}]".replace(" ]", "]") if p.deadline else ""
        late = " OVERDUE" if p.overdue else ""
        lines.append(f"{MARKS[p.outcome]} {_one(p.pledge.text)}{due}{late}")
        lines += [
            f"    {c.score:.2f} {c.relation.value}: {_one(c.place.text)} ({c.place.name or ''}; {c.reason})"
            for c in p.candidates
        ]
    return "\n".join(lines)


def page(found: Followup, *, lang: Lang = "en") -> str:
    """The result as a self-contained page.

    Args:
        found: what `commitments.followup.followup` returned.
        lang: of the labels, ``"en"`` or ``"zh"``.

    Raises:
        ValueError: there are no labels in that language.
    """
    if lang not in _WORDS:
        raise ValueError(f"lang is {lang!r}; there are labels in {', '.join(map(repr, _WORDS))}")
    words = _WORDS[lang]
    counts = found.count()
    keys = "".join(
        f'<li class="{kind}"><span class="mark">{MARKS[r]}</span> {name} <b>{counts[key]}</b></li>'
        for r, kind, name, key in (
            *((r, r.value, _name(r, lang), r.value) for r in Relation),
            (None, "nothing", words["none"], "none"),
        )
    )
    documents = "".join(f"<li>{safe(name)}</li>" for name in found.documents)
    sections = [
        _list(words["late"], found.overdue, lang),
        _list(words["again"], found.repeated, lang),
        _list(words["pledges"], found.pledges, lang),
    ]
    style = files("commitments").joinpath("view.css").read_text(encoding="utf-8")
    extra = files("commitments").joinpath("followup.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if lang == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{words["title"]}</title>
<style>{style}{extra}</style>
</head>
<body class="cmt-page">
<article class="cmt follow">
<header><h1>{words["title"]}</h1><ul class="legend">{keys}</ul><p class="quiet">{words["note"]}</p></header>
<main>
{"".join(sections)}
</main>
<footer><b>{words["documents"]}</b><ol lang="zh-CN">{documents}</ol></footer>
</article>
</body>
</html>
"""


def _list(title: str, pledges: tuple[Tracked, ...], lang: Lang) -> str:
    if not pledges:
        return ""
    items = "".join(_pledge(p, lang) for p in pledges)
    return f'<section><h2>{title} <span class="quiet">{len(pledges)}</span></h2><ol>{items}</ol></section>\n'


def _pledge(p: Tracked, lang: Lang) -> str:
    words = _WORDS[lang]
    kind = p.outcome.value if p.outcome else "nothing"
    name = _name(p.outcome, lang) if p.outcome else words["none"]
    facts = [str(part) for part in (p.pledge.name, p.pledge.date) if part]
    if p.deadline:
        facts.append(f"{words['due']} {p.deadline.text}" + (f" ({p.deadline.end})" if p.deadline.end else ""))
    tags = ""
    if p.overdue:
        tags += f'<b class="tag late">{words["overdue"]}</b>'
    if p.times > 1:
        tags += f'<b class="tag">{words["repeated"].format(n=p.times)}</b>'
    return (
        f'<li class="pledge {kind}"><div class="head">'
        f'<span class="mark" title="{name}">{MARKS[p.outcome]}</span> <span lang="zh-CN">'
        f"{safe(p.pledge.text)}</span> {tags}</div>"
        f'<div class="quiet">{safe(" · ".join(facts))}</div>'
        f"{''.join(_candidate(c, lang) for c in p.candidates)}</li>"
    )


def _candidate(c: Candidate, lang: Lang) -> str:
    where = " · ".join(str(part) for part in (c.place.name, c.place.date) if part)
    return (
        f'<div class="candidate {c.relation.value}"><span class="mark">{MARKS[c.relation]}</span> '
        f'{_name(c.relation, lang)} <span class="score">{c.score:.2f}</span> '
        f'<span lang="zh-CN">{safe(c.place.text)}</span> '
        f'<span class="quiet">{safe(where)} · {safe(c.reason)}</span></div>'
    )


def _name(relation: Relation, lang: Lang) -> str:
    return relation.zh if lang == "zh" else relation.value


def _one(text: str) -> str:
    from commitments.terminal import plain as safe_line

    return safe_line(text)
