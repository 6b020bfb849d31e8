"""A corpus on one page: who did and promised what, when, and what is overdue (语料报告).

`page` makes it from a table with the columns of `commitments.table`, as `commitments.batch.score` writes it;
`read` takes such a table from a file. The page needs nothing from elsewhere. What it shows is counted here;
its script only sorts, filters and opens rows, and puts text into the page as text, so that nothing in a
letter can act. Intervals and comparisons of groups are in `commitments.score`.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from commitments.errors import MissingExtra, ReadError, SchemaError
from commitments.terms import Status
from commitments.view import MARKS, Lang, safe

LETTERS = 5_000
"""The most letters that the page lists; all are counted."""

OVERDUE = 300
"""The most overdue pledges that it lists."""

_GROUPS = 20
_MEASURES = (Status.COMPLETED, Status.ONGOING, Status.PLEDGE)
_NEEDED = ("name", "status", "text")
_USED = (
    *("name", "agency", "date", "title", "status", "also", "confidence", "undecided", "clean", "text"),
    *("deadline", "deadline_end", "sentence", "asks", "by", "error"),
)

_WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "title": "Replies and what they commit to",
        "letters": "letters",
        "measures": "measures",
        "sentences": "rows",
        "errors": "not read",
        "answering": "letters in which a measure answers an ask",
        "by_agency": "By agency",
        "by_year": "By year of the letter",
        "others": "others",
        "unknown": "not told",
        "overdue": "Pledges whose time has passed",
        "overdue_note": "Their last day is before {today}. These letters do not tell whether they were kept.",
        "more": "{n} more are not listed.",
        "none_overdue": "None has a last day before {today}.",
        "per_letter": "Measures a letter",
        "confidence": "Confidence of measures",
        "list": "Letters",
        "filter": "Find in names, agencies and titles",
        "letter": "Letter",
        "agency": "Agency",
        "date": "Date",
        "due": "Last day",
        "pledge": "Pledge",
        "name": "Name",
        "shown": "shown",
        "by": "read by",
        "bad": "Letters that could not be read",
        "open": "Show the measures",
        "cut": "The list holds the first {n} letters; all are counted above.",
    },
    "zh": {
        "title": "答复与承诺",
        "letters": "封答复",
        "measures": "项举措",
        "sentences": "行",
        "errors": "封未能读取",
        "answering": "封有举措回应诉求",
        "by_agency": "按承办单位",
        "by_year": "按答复年份",
        "others": "其他",
        "unknown": "未注明",
        "overdue": "已到期的承诺",
        "overdue_note": "期限在 {today} 之前。是否兑现，从这些答复中无从得知。",
        "more": "另有 {n} 条未列出。",
        "none_overdue": "没有期限在 {today} 之前的承诺。",
        "per_letter": "每封答复的举措数",
        "confidence": "举措的置信度",
        "list": "答复列表",
        "filter": "按名称、单位、标题查找",
        "letter": "答复",
        "agency": "单位",
        "date": "日期",
        "due": "最后期限",
        "pledge": "承诺",
        "name": "名称",
        "shown": "条",
        "by": "所用模型",
        "bad": "未能读取的答复",
        "open": "显示举措",
        "cut": "列表只含前 {n} 封；上面的统计包括全部。",
    },
}


class _Letter(msgspec.Struct):
    name: str
    agency: str = ""
    date: datetime.date | None = None
    title: str = ""
    measures: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def count(self, status: Status) -> int:
        return sum(m["status"] == status.value for m in self.measures)


def read(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a table, as `commitments.batch.score` writes it.

    Args:
        path: of a ``.parquet``, ``.jsonl`` or ``.csv`` file, or a folder of Parquet files.

    Raises:
        MissingExtra: pyarrow is not installed.
        ReadError: it is no such table.
    """
    path = Path(path)
    try:
        import pyarrow as pa
        import pyarrow.csv as pc
        import pyarrow.dataset as ds
    except ImportError as error:
        raise MissingExtra("Reading a table", "arrow") from error
    if not path.exists():
        raise ReadError(str(path), "there is no such file")
    try:
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            lines = path.read_bytes().splitlines()
            return [msgspec.json.decode(line, type=dict[str, Any]) for line in lines if line.strip()]
        if path.suffix.lower() == ".csv":
            table = pc.read_csv(path, parse_options=pc.ParseOptions(newlines_in_values=True))
        else:
            table = ds.dataset(path, format="parquet").to_table()
        rows: list[dict[str, Any]] = table.select([n for n in _USED if n in table.column_names]).to_pylist()
    except (OSError, pa.ArrowException, msgspec.MsgspecError) as error:
        raise ReadError(str(path), f"is no table of results: {error}") from error
    return rows


def page(table: Any, *, lang: Lang = "en", today: datetime.date | None = None) -> str:
    """Make the page of a corpus.

    Args:
        table: a DataFrame, an Arrow table, or rows as dicts, one row a sentence or a measure.
        lang: of the labels, ``"en"`` or ``"zh"``.
        today: by which pledges are overdue; the date of the newest letter when not given.

    Raises:
        SchemaError: it lacks the columns that are needed: a table with one row a letter, perhaps.
        ValueError: there are no labels in that language.

    >>> import commitments
    >>> nlp = commitments.load("cues")
    >>> reply = nlp("我局已建成公园3个。2022年底前再建2个。", date="2022-06-12")
    >>> from commitments import table
    >>> "2022-12-31" in page(table.rows(reply), today=datetime.date(2024, 1, 1))
    True
    """
    if lang not in _WORDS:
        raise ValueError(f"lang is {lang!r}; there are labels in {', '.join(map(repr, _WORDS))}")
    rows = _rows(table)
    letters, bad = _letters(rows)
    newest = max((letter.date for letter in letters if letter.date), default=None)
    by = ", ".join(sorted({str(row["by"]) for row in rows if row.get("by")}))
    words = _WORDS[lang]
    now = today or newest or datetime.date.min
    body = "\n".join(
        [
            _head(rows, letters, bad, by, words),
            '<div class="two">',
            _bars(_by_agency(letters, words), words["by_agency"], lang),
            _bars(_by_year(letters, words), words["by_year"], lang),
            "</div>",
            '<div class="two">',
            _histogram(Counter(min(len(letter.measures), 40) for letter in letters), words["per_letter"]),
            _histogram(_confidence(letters), words["confidence"], 20),
            "</div>",
            _overdue(letters, now, words),
            _list(letters, words),
            _bad(bad, words),
        ]
    )
    data = json.dumps(_data(letters[:LETTERS]), ensure_ascii=False).replace("<", "\\u003c")
    script = _part("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if lang == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="commitments">
<title>{safe(words["title"])}</title>
<style>{_part("view.css")}
{_part("report.css")}</style>
</head>
<body class="cmt-page">
<main class="cmt report">
{body}
</main>
<script type="application/json" id="data">{data.translate(_HALF)}</script>
<script>{script}</script>
</body>
</html>
"""


_HALF = dict.fromkeys(range(0xD800, 0xE000), "�")


def _part(name: str) -> str:
    return files("commitments").joinpath(name).read_text(encoding="utf-8")


def _rows(table: Any) -> list[Mapping[str, Any]]:
    """Rows of whatever table it is."""
    if hasattr(table, "to_pylist"):
        rows = table.to_pylist()
    elif hasattr(table, "to_dicts"):
        rows = table.to_dicts()
    elif hasattr(table, "to_dict"):
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
    else:
        rows = list(table)
    known = set(rows[0]) if rows else set(_NEEDED)
    missing = [name for name in _NEEDED if name not in known]
    if missing:
        raise SchemaError(
            f"the table lacks {', '.join(missing)}: a report is made from one row a sentence or a measure, "
            "as `commitments score` writes without --level reply"
        )
    return rows  # type: ignore[no-any-return]


def _letters(rows: Iterable[Mapping[str, Any]]) -> tuple[list[_Letter], list[tuple[str, str]]]:
    letters: dict[str, _Letter] = {}
    bad: list[tuple[str, str]] = []
    for row in rows:
        name = str(row.get("name") or "")
        if row.get("error"):
            bad.append((name, str(row["error"])))
            continue
        letter = letters.get(name)
        if letter is None:
            letter = letters[name] = _Letter(
                name, str(row.get("agency") or ""), _day(row.get("date")), str(row.get("title") or "")
            )
        if row["status"] not in (None, Status.NONE.value) and not row.get("undecided"):
            letter.measures.append(dict(row))
    return list(letters.values()), bad


def _day(value: Any) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if value is None or isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _head(
    rows: Sequence[Any], letters: list[_Letter], bad: list[tuple[str, str]], by: str, words: Mapping[str, str]
) -> str:
    answering = sum(any(m.get("asks") for m in letter.measures) for letter in letters)
    facts = [
        (len(letters), words["letters"]),
        (sum(len(letter.measures) for letter in letters), words["measures"]),
        (answering, words["answering"]),
    ]
    facts += [(len(bad), words["errors"])] if bad else []
    shown = "".join(f"<li><b>{count:,}</b> {safe(what)}</li>" for count, what in facts)
    days = sorted(letter.date for letter in letters if letter.date)
    told = f"{days[0]} – {days[-1]} · " if days else ""
    return (
        f"<header><h1>{safe(words['title'])}</h1><ul class='big'>{shown}</ul>"
        f"<p class='quiet'>{told}{words['by']} {safe(by)}</p></header>"
    )


_Groups = dict[str, Counter[Status]]


def _grouped(letters: Iterable[tuple[str, _Letter]]) -> _Groups:
    groups: defaultdict[str, Counter[Status]] = defaultdict(Counter)
    for group, letter in letters:
        for status in _MEASURES:
            groups[group][status] += letter.count(status)
    return dict(groups)


def _by_agency(letters: list[_Letter], words: Mapping[str, str]) -> _Groups:
    """The agencies with most letters, and the others together."""
    sizes = Counter(letter.agency for letter in letters if letter.agency)
    first = {name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_GROUPS]}

    def group(letter: _Letter) -> str:
        if not letter.agency:
            return words["unknown"]
        return letter.agency if letter.agency in first else words["others"]

    groups = _grouped((group(letter), letter) for letter in letters)
    last = (words["others"], words["unknown"])
    return dict(sorted(groups.items(), key=lambda item: (item[0] in last, -item[1].total(), item[0])))


def _by_year(letters: list[_Letter], words: Mapping[str, str]) -> _Groups:
    years = ((str(letter.date.year) if letter.date else words["unknown"], letter) for letter in letters)
    return dict(sorted(_grouped(years).items()))


def _bars(groups: _Groups, title: str, lang: Lang) -> str:
    """A bar of shares for each group; the numbers stand beside it."""
    names = {status: status.zh if lang == "zh" else status.value for status in _MEASURES}
    key = "".join(
        f'<span class="key {s.value}"><span class="mark">{MARKS[s]}</span> {names[s]}</span>'
        for s in _MEASURES
    )
    lines = []
    for group, counts in groups.items():
        told = ", ".join(f"{names[s]} {counts[s]:,}" for s in _MEASURES)
        bar = "".join(
            f'<i class="{s.value}" style="flex-grow:{counts[s]}"><span>{MARKS[s]} {counts[s]:,}</span></i>'
            for s in _MEASURES
            if counts[s]
        )
        lines.append(
            f'<div class="line"><span class="what" lang="zh-CN">{safe(group)}</span>'
            f'<span class="stack" role="img" aria-label="{safe(told)}">{bar}</span></div>'
        )
    return f'<section><h2>{safe(title)}</h2><div class="legend">{key}</div>{"".join(lines)}</section>'


def _confidence(letters: list[_Letter]) -> Counter[int]:
    """Measures by confidence, in twentieths."""
    found = (m.get("confidence") for letter in letters for m in letter.measures)
    return Counter(min(int(float(c) * 20), 19) for c in found if c is not None)


def _histogram(counts: Counter[int], title: str, bins: int = 0) -> str:
    size = bins or max(counts, default=0) + 1
    most = max(counts.values(), default=0) or 1
    bars = "".join(
        f'<i style="height:{100 * counts[n] / most:.1f}%" title="{_bin(n, bins)}: {counts[n]:,}"></i>'
        for n in range(size)
    )
    told = ", ".join(f"{_bin(n, bins)}: {counts[n]}" for n in range(size) if counts[n])
    ends = f"<span>{_bin(0, bins)}</span><span>{_bin(size - 1, bins)}</span>"
    return (
        f'<section><h2>{safe(title)}</h2><div class="hist" role="img" aria-label="{safe(told)}">{bars}</div>'
        f'<div class="ends quiet">{ends}</div></section>'
    )


def _bin(n: int, bins: int) -> str:
    if bins:
        return f"{n / bins:.2f}–{(n + 1) / bins:.2f}"
    return "40+" if n == 40 else str(n)


def _overdue(letters: list[_Letter], today: datetime.date, words: Mapping[str, str]) -> str:
    found = []
    for letter in letters:
        for m in letter.measures:
            end = _day(m.get("deadline_end"))
            if m["status"] == Status.PLEDGE.value and end is not None and end < today:
                found.append((end, letter, m))
    found.sort(key=lambda item: (item[0], item[1].name))
    title = f"<h2>{safe(words['overdue'])} <b>{len(found):,}</b></h2>"
    if not found:
        return f"<section>{title}<p class='quiet'>{words['none_overdue'].format(today=today)}</p></section>"
    lines = "".join(
        f"<tr><td class='n'>{end}</td><td lang='zh-CN'>{safe(letter.agency or letter.name)}</td>"
        f"<td lang='zh-CN'>{safe(str(m.get('clean') or m['text']))}</td></tr>"
        for end, letter, m in found[:OVERDUE]
    )
    note = words["overdue_note"].format(today=today)
    if len(found) > OVERDUE:
        note += " " + words["more"].format(n=f"{len(found) - OVERDUE:,}")
    heads = "".join(f"<th scope='col'>{safe(words[name])}</th>" for name in ("due", "agency", "pledge"))
    return (
        f"<section>{title}<p class='quiet'>{safe(note)}</p><div class='scroll' tabindex='0'>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div></section>"
    )


def _list(letters: list[_Letter], words: Mapping[str, str]) -> str:
    """The table that the script fills: without it there is none, and all above stands."""
    columns = [("name", words["name"]), ("agency", words["agency"]), ("date", words["date"])]
    columns += [(s.value, f"{MARKS[s]}") for s in _MEASURES]
    heads = "".join(
        f"<th scope='col'><button type='button' data-key='{key}' title='{key}'>{safe(label)}"
        f"<span class='way' aria-hidden='true'></span></button></th>"
        for key, label in columns
    )
    cut = f"<p class='quiet'>{words['cut'].format(n=f'{LETTERS:,}')}</p>" if len(letters) > LETTERS else ""
    return (
        f"<section><h2>{safe(words['list'])}</h2>{cut}<label class='find'>{safe(words['filter'])} "
        f"<input type='search' id='find' autocomplete='off'></label> "
        f"<span class='quiet'><output id='shown'>0</output> {safe(words['shown'])}</span>"
        f"<table id='letters' data-open='{safe(words['open'])}'><thead><tr>{heads}</tr></thead>"
        f"<tbody lang='zh-CN'></tbody></table></section>"
    )


def _bad(bad: list[tuple[str, str]], words: Mapping[str, str]) -> str:
    if not bad:
        return ""
    lines = "".join(f"<li>{safe(name)}: {safe(reason)}</li>" for name, reason in bad[:OVERDUE])
    return f"<section><h2>{safe(words['bad'])} <b>{len(bad):,}</b></h2><ul>{lines}</ul></section>"


def _data(letters: Iterable[_Letter]) -> list[list[Any]]:
    """What the script shows of each letter: name, agency, date, title, and its measures."""
    marks = {status.value: MARKS[status] for status in _MEASURES}
    return [
        [
            letter.name,
            letter.agency,
            letter.date.isoformat() if letter.date else "",
            letter.title,
            [
                [m["status"], marks.get(m["status"], ""), str(m.get("clean") or m["text"])]
                for m in letter.measures
            ],
        ]
        for letter in letters
    ]
