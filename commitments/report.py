"""A corpus on one page: who did and promised what, when, and what is overdue (语料报告).

`page` makes it from a table with the columns of `commitments.table`, as `commitments.batch.score` writes it;
`read` takes such a table from a file. The page needs nothing from elsewhere. What it shows is counted here;
its script only sorts, filters and opens rows, and puts text into the page as text, so that nothing in a
letter can act. Intervals and comparisons of groups are in `commitments.score`.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from commitments.errors import MissingExtra, ReadError, SchemaError
from commitments.labels import REPORT, Labels, Lang, Pair, named, safe, visible
from commitments.terms import Status
from commitments.view import FOREIGN, MARKS, document

LETTERS_BYTES = 8_000_000
"""How large the list of letters may grow; those beyond it are counted, but not listed."""

OVERDUE = 300
"""The most overdue pledges, and the most letters that could not be read, that are listed."""

_GROUPS = 20
_MEASURES = (Status.COMPLETED, Status.ONGOING, Status.PLEDGE)
_NEEDED = ("name", "status", "text")
_USED = (
    *("name", "agency", "date", "title", "role", "status", "confidence", "undecided", "clean", "text"),
    *("deadline_end", "asks", "by", "error"),
)


class _Measure(msgspec.Struct):
    status: Status
    text: str
    confidence: float | None
    asks: str
    due: datetime.date | None


class _Letter(msgspec.Struct):
    name: str
    agency: str
    date: datetime.date | None
    title: str
    sentences: int = 0
    measures: list[_Measure] = msgspec.field(default_factory=list)


class _Corpus(msgspec.Struct):
    letters: list[_Letter]
    bad: list[tuple[str, str]]
    models: list[str]
    whole: bool = False
    """Whether the table has sentences that are no measures, so that sentences can be counted."""


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
            return _lines(path)
        if path.suffix.lower() == ".csv":
            # As text: a letter called 007 is not the one called 7.
            table = pc.read_csv(
                path,
                parse_options=pc.ParseOptions(newlines_in_values=True),
                convert_options=pc.ConvertOptions(column_types=dict.fromkeys(_USED, pa.string())),
            )
        else:
            table = ds.dataset(path, format="parquet").to_table()
        rows: list[dict[str, Any]] = table.select([n for n in _USED if n in table.column_names]).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ReadError(str(path), f"is no table of results: {error}") from error
    return rows


def _lines(path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line.strip():
            try:
                rows.append(msgspec.json.decode(line, type=dict[str, Any]))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise ReadError(str(path), f"line {number} is no row of results: {error}") from error
    return rows


def page(table: Any, *, lang: Lang = "en", today: datetime.date | None = None) -> str:
    """Make the page of a corpus.

    Args:
        table: a DataFrame, an Arrow table, or rows as dicts, one row a sentence or a measure.
        lang: of the labels, ``"en"`` or ``"zh"``; a button on the page changes it.
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
    labels = Labels(REPORT, lang, both=True)
    corpus = _corpus(_rows(table))
    letters = corpus.letters
    data, listed = _data(letters)
    body = "\n".join(
        [
            '<main class="cmt report">',
            _head(corpus, labels),
            '<div class="two">',
            _bars(_by_agency(letters), "by_agency", labels),
            _bars(_by_year(letters), "by_year", labels),
            "</div>",
            '<div class="two">',
            _histogram(Counter(min(len(letter.measures), 40) for letter in letters), "per_letter", labels),
            _histogram(_confidence(letters), "confidence", labels, 20),
            "</div>",
            _overdue(letters, today, labels),
            _list(listed, listed < len(letters), labels),
            _bad(corpus.bad, labels),
            "</main>",
            f'<script type="application/json" id="data">{data}</script>',
        ]
    )
    title = labels.pair("title")
    return document(body, labels, title=title, style="view.css report.css", script="report.js")


def _rows(table: Any) -> Sequence[Mapping[str, Any]]:
    """Rows of whatever table it is."""
    if hasattr(table, "to_pylist"):
        rows = table.to_pylist()
    elif hasattr(table, "to_dicts"):
        rows = table.to_dicts()
    elif hasattr(table, "to_dict"):
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
    else:
        rows = list(table)
    known = set(next((row for row in rows if not row.get("error")), _NEEDED))
    missing = [name for name in _NEEDED if name not in known]
    if missing:
        raise SchemaError(
            f"the table lacks {', '.join(missing)}: a report is made from one row a sentence or a measure, "
            "as `commitments score` writes without --level reply"
        )
    return rows  # type: ignore[no-any-return]


def _corpus(rows: Iterable[Mapping[str, Any]]) -> _Corpus:
    letters: dict[str, _Letter] = {}
    bad: list[tuple[str, str]] = []
    models: set[str] = set()
    whole = False
    for number, row in enumerate(rows, 1):
        name = str(row.get("name") or "")
        if row.get("error"):
            bad.append((name, str(row["error"])))
            continue
        letter = letters.get(name)
        if letter is None:
            agency, title = str(row.get("agency") or ""), str(row.get("title") or "")
            letter = letters[name] = _Letter(name, agency, _day(row.get("date")), title)
        if row.get("by"):
            models.add(str(row["by"]))
        if not row.get("status"):  # a letter without a sentence
            continue
        measure = _measure(row, number)
        letter.sentences += row.get("role") not in FOREIGN
        if measure is None:
            whole = True
        else:
            letter.measures.append(measure)
    return _Corpus(list(letters.values()), bad, sorted(models), whole)


def _measure(row: Mapping[str, Any], number: int) -> _Measure | None:
    """What a row tells, None where that is no measure."""
    confidence = row.get("confidence")
    try:
        status = Status.of(row["status"])
        sure = None if confidence in (None, "") else float(confidence)
    except (TypeError, ValueError):
        raise SchemaError(
            f"row {number}: status is {row['status']!r} and confidence {confidence!r}; a status is one of "
            f"{', '.join(Status)} and a confidence a number from 0 to 1"
        ) from None
    if sure is not None and not 0 <= sure <= 1:
        raise SchemaError(f"row {number}: confidence is {confidence!r}; it is a number from 0 to 1")
    if status is Status.NONE or str(row.get("undecided")).lower() in ("true", "1"):
        return None
    asks = row.get("asks")
    if not isinstance(asks, str):
        asks = "; ".join(map(str, asks)) if asks is not None else ""
    text = str(row.get("clean") or row.get("text") or "")
    return _Measure(status, text, sure, asks, _day(row.get("deadline_end")))


def _day(value: Any) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if value is None or isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _head(corpus: _Corpus, labels: Labels) -> str:
    letters = corpus.letters
    answering = sum(any(m.asks for m in letter.measures) for letter in letters)
    facts = [(len(letters), labels.word("letters"))]
    if corpus.whole:
        facts.append((sum(letter.sentences for letter in letters), labels.word("sentences")))
    facts.append((sum(len(letter.measures) for letter in letters), labels.word("measures")))
    facts.append((answering, labels.word("answering", n=f"{len(letters):,}")))
    if corpus.bad:
        facts.append((len(corpus.bad), labels.word("errors")))
    shown = "".join(f"<li><b>{count:,}</b> {what}</li>" for count, what in facts)
    days = sorted(letter.date for letter in letters if letter.date)
    told = f"{days[0]} – {days[-1]} · " if days else ""
    return (
        f"<header><h1>{labels.word('title')}</h1><ul class='big'>{shown}</ul>"
        f"<p class='quiet'>{told}{labels.word('by')} {safe(', '.join(corpus.models))}</p></header>"
    )


class _Group(msgspec.Struct):
    letters: int = 0
    counts: Counter[Status] = msgspec.field(default_factory=Counter)


_Groups = dict[str | Pair, _Group]
"""Groups by their name; one that the page makes has a label as its name."""

_OTHERS, _UNKNOWN = REPORT["others"], REPORT["unknown"]


def _grouped(letters: Iterable[tuple[str | Pair, _Letter]]) -> _Groups:
    groups: defaultdict[str | Pair, _Group] = defaultdict(_Group)
    for name, letter in letters:
        groups[name].letters += 1
        groups[name].counts.update(m.status for m in letter.measures)
    return dict(groups)


def _by_agency(letters: list[_Letter]) -> _Groups:
    """The agencies with most letters, and the others together."""
    sizes = Counter(letter.agency for letter in letters if letter.agency)
    first = {name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_GROUPS]}

    def group(letter: _Letter) -> str | Pair:
        if not letter.agency:
            return _UNKNOWN
        return letter.agency if letter.agency in first else _OTHERS

    groups = _grouped((group(letter), letter) for letter in letters)
    last: tuple[str | Pair, ...] = (_OTHERS, _UNKNOWN)
    return dict(
        sorted(groups.items(), key=lambda x: (x[0] in last, -x[1].letters, -x[1].counts.total(), str(x[0])))
    )


def _by_year(letters: list[_Letter]) -> _Groups:
    years = _grouped((str(letter.date.year) if letter.date else _UNKNOWN, letter) for letter in letters)
    return dict(sorted(years.items(), key=lambda item: (item[0] == _UNKNOWN, str(item[0]))))


def _bars(groups: _Groups, title: str, labels: Labels) -> str:
    """A bar of shares for each group; the numbers stand in it, those of letters beside it."""
    key = "".join(
        f'<span class="key {s.value}"><span class="mark">{MARKS[s]}</span> {labels.term(s)}</span>'
        for s in _MEASURES
    )
    lines = []
    for name, group in groups.items():
        letters = f"{group.letters:,}"
        en, zh = (
            told.format(
                letters=letters, counts=", ".join(f"{named(s)[i]} {group.counts[s]:,}" for s in _MEASURES)
            )
            for i, told in enumerate(labels.pair("told"))
        )
        bar = "".join(
            f'<i class="{s.value}" style="flex-grow:{group.counts[s]}"><span>{MARKS[s]} {group.counts[s]:,}'
            "</span></i>"
            for s in _MEASURES
            if group.counts[s]
        )
        shown = f'<span lang="zh-CN">{safe(name)}</span>' if isinstance(name, str) else labels.show(name)
        lines.append(
            f'<div class="line"><span class="what">{shown}</span> <span class="n quiet">{letters}</span>'
            f'<span class="stack" role="img"{labels.attribute("aria-label", (en, zh))}>{bar}</span></div>'
        )
    return f'<section><h2>{labels.word(title)}</h2><div class="legend">{key}</div>{"".join(lines)}</section>'


def _confidence(letters: list[_Letter]) -> Counter[int]:
    """Measures by confidence, in twentieths."""
    found = (m.confidence for letter in letters for m in letter.measures)
    return Counter(min(int(c * 20), 19) for c in found if c is not None)


def _histogram(counts: Counter[int], title: str, labels: Labels, bins: int = 0) -> str:
    size = bins or max(counts, default=0) + 1
    most = max(counts.values(), default=0)
    bars = "".join(
        f'<i style="height:{100 * counts[n] / (most or 1):.1f}%" title="{_bin(n, bins)}: {counts[n]:,}"></i>'
        for n in range(size)
    )
    told = ", ".join(f"{_bin(n, bins)}: {counts[n]}" for n in range(size) if counts[n])
    ends = (
        f"<span>{_bin(0, bins)}</span><span>{labels.word('most', n=f'{most:,}')}</span>"
        f"<span>{_bin(size - 1, bins)}</span>"
    )
    return (
        f'<section><h2>{labels.word(title)}</h2><div class="hist" role="img" aria-label="{told}">{bars}</div>'
        f'<div class="ends quiet">{ends}</div></section>'
    )


def _bin(n: int, bins: int) -> str:
    if bins:
        return f"{n / bins:.2f}–{(n + 1) / bins:.2f}"
    return "40+" if n == 40 else str(n)


def _overdue(letters: list[_Letter], today: datetime.date | None, labels: Labels) -> str:
    newest = max((letter.date for letter in letters if letter.date), default=None)
    by = today or newest
    if by is None:
        note = f"<p class='quiet'>{labels.word('undated')}</p>"
        return f"<section><h2>{labels.word('overdue')}</h2>{note}</section>"
    found = [
        (m.due, letter, m)
        for letter in letters
        for m in letter.measures
        if m.status is Status.PLEDGE and m.due is not None and m.due < by
    ]
    found.sort(key=lambda item: (item[0], item[1].name))
    head = f"<h2>{labels.word('overdue')} <b>{len(found):,}</b></h2>"
    notes = [labels.word("before" if found else "none_overdue", today=by)]
    notes += [labels.word("newest")] if today is None else []
    notes += [labels.word("kept")] if found else []
    if len(found) > OVERDUE:
        notes.append(labels.word("more", n=f"{len(found) - OVERDUE:,}"))
    note = f"<p class='quiet'>{' '.join(notes)}</p>"
    if not found:
        return f"<section>{head}{note}</section>"
    start = _folder(letters)
    lines = "".join(
        f"<tr><td class='n'>{due}</td><td lang='zh-CN'>{safe(letter.agency)}</td>"
        f"<td>{safe(letter.name[start:])}</td><td lang='zh-CN'>{safe(m.text)}</td></tr>"
        for due, letter, m in found[:OVERDUE]
    )
    heads = "".join(
        f"<th scope='col'>{labels.word(name)}</th>" for name in ("due", "agency", "name", "pledge")
    )
    region = labels.attribute("aria-label", labels.pair("overdue"))
    return (
        f"<section>{head}{note}<div class='scroll' tabindex='0' role='region'{region}>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div></section>"
    )


def _list(listed: int, cut: bool, labels: Labels) -> str:
    """The table that the script fills: without it there is none, and all above stands."""
    columns = [(name, labels.word(name)) for name in ("name", "agency", "date")]
    columns += [
        (s.value, f"<span class='mark {s.value}'>{MARKS[s]}</span> <span class='w'>{labels.term(s)}</span>")
        for s in _MEASURES
    ]
    heads = "".join(
        f"<th scope='col'><button type='button' data-key='{key}'>{label}"
        f"<span class='way' aria-hidden='true'></span></button></th>"
        for key, label in columns
    )
    note = f"<p class='quiet'>{labels.word('cut', n=f'{listed:,}')}</p>" if cut else ""
    return (
        f"<section><h2>{labels.word('list')}</h2>{note}<label class='find'>{labels.word('filter')} "
        f"<input type='search' id='find' autocomplete='off'></label> "
        f"<span class='quiet'><output id='shown'>0</output> {labels.word('shown')}</span>"
        f"<table id='letters'><thead><tr>{heads}</tr></thead><tbody lang='zh-CN'></tbody></table></section>"
    )


def _bad(bad: list[tuple[str, str]], labels: Labels) -> str:
    if not bad:
        return ""
    lines = "".join(f"<li>{safe(name)}: {safe(reason)}</li>" for name, reason in bad[:OVERDUE])
    more = labels.word("more", n=f"{len(bad) - OVERDUE:,}") if len(bad) > OVERDUE else ""
    return (
        f"<section><h2>{labels.word('bad')} <b>{len(bad):,}</b></h2><ul>{lines}</ul>"
        f"<p class='quiet'>{more}</p></section>"
    )


def _folder(letters: list[_Letter]) -> int:
    """How much of each name is a folder that all letters lie in: it need not be shown, or told to others."""
    if len(letters) < 2:
        return 0
    first, last = min(x.name for x in letters), max(x.name for x in letters)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return max(first.rfind("/", 0, same), first.rfind("\\", 0, same)) + 1


def _data(letters: list[_Letter]) -> tuple[str, int]:
    """What the script shows of letters, as JSON, and of how many: as many as the page has room for."""
    start = _folder(letters)
    parts: list[str] = []
    size = 0
    for letter in letters:
        measures = [
            [
                _MEASURES.index(m.status),
                visible(m.text),
                str(m.due or ""),
                visible(m.asks),
                round(m.confidence or 0, 2),
            ]
            for m in letter.measures
        ]
        told = [visible(text) for text in (letter.name[start:], letter.agency, str(letter.date or ""))]
        row = [*told, visible(letter.title), measures]
        part = json.dumps(row, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        size += len(part.encode()) + 2
        if size > LETTERS_BYTES and parts:
            break
        parts.append(part)
    return f"[{','.join(parts)}]", len(parts)
