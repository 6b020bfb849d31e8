"""The report counts what the table holds, whatever kind of table it is."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import commitments
from commitments import report, table
from commitments.cli import app
from commitments.errors import ReadError, SchemaError

TODAY = datetime.date(2024, 1, 1)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    nlp = commitments.load("cues")
    made: list[dict[str, Any]] = []
    for n, (agency, year) in enumerate([("甲局", 2022), ("甲局", 2023), ("乙局", 2023)]):
        reply = nlp(
            f"我局已建成公园{n + 1}个。下一步，{year}年底前将再建2个。\n感谢您的关心和支持！",
            suggestion=["增建公园"] if n else None,
            date=f"{year}-06-12",
        )
        for row in table.rows(reply):
            made.append({**row, "name": f"l{n}", "agency": agency, "error": None})
    made.append({**dict.fromkeys(made[0]), "name": "bad", "error": "holds no text"})
    return made


def counted(html: str) -> list[tuple[str, str]]:
    """The figures at the head of the page, with what they count."""
    return re.findall(r"<li><b>([\d,]+)</b> <span data-o=[^>]*>(.*?)</span></li>", html)


def test_page_counts_letters_measures_and_errors(rows: list[dict[str, Any]]) -> None:
    html = report.page(rows, today=TODAY)
    assert counted(html) == [
        ("3", "letters"),
        ("9", "sentences"),
        ("6", "measures"),
        ("2", "letters with a measure that answers an ask, of 3"),
        ("1", "not read"),
    ]
    assert "bad: holds no text" in html
    assert html.count('aria-label="2 letters: completed 2, ongoing 0, pledge 2"') == 2  # 甲局, and 2023


def passed(html: str) -> int | None:
    """How many pledges the page calls overdue; None where it does not count them."""
    found = re.search(r"has passed</span> <b>([\d,]+)</b>", html)
    return int(found[1]) if found else None


def test_pledges_are_overdue_by_the_day_that_is_given(rows: list[dict[str, Any]]) -> None:
    assert passed(report.page(rows, today=TODAY)) == 3
    assert passed(report.page(rows, today=datetime.date(2023, 1, 1))) == 1
    # By the newest letter, when no day is given, and the page says so.
    html = report.page(rows)
    assert "before 2023-06-12" in html
    assert "date of the newest letter" in html
    assert "date of the newest letter" not in report.page(rows, today=TODAY)
    assert passed(html) == 1
    undated = [{**row, "date": None} for row in rows]
    assert passed(report.page(undated)) is None
    assert passed(report.page(undated, today=TODAY)) == 3


def test_every_kind_of_table_gives_the_same_page(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    whole = table.schema().append(pa.field("error", pa.string()))
    arrow = pa.Table.from_pylist(rows, schema=whole)
    wanted = report.page(rows, today=TODAY)
    assert report.page(arrow, today=TODAY) == wanted
    assert report.page(table.typed(pd.DataFrame(rows)), today=TODAY) == wanted
    pq.write_table(arrow, tmp_path / "a.parquet")
    lines = (json.dumps(row, ensure_ascii=False, default=str) for row in rows)
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name in ("a.parquet", "a.jsonl"):
        assert report.page(report.read(tmp_path / name), today=TODAY) == wanted


def test_what_is_no_such_table_is_told(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(SchemaError, match="lacks status, text"):
        report.page([{"name": "a", "coverage": 1.0}])
    with pytest.raises(ValueError, match="lang is 'fr'"):
        report.page([], lang="fr")  # type: ignore[arg-type]
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(ReadError, match=r"a\.parquet: is no table of results"):
        report.read(tmp_path / "a.parquet")
    assert counted(report.page([]))[0] == ("0", "letters")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"status": "promised"}, "row 2: status is 'promised'"),
        ({"status": "<b>"}, "row 2: status is '<b>'"),
        ({"confidence": "high"}, "confidence 'high'"),
        ({"confidence": 7}, "row 2: confidence is 7"),
    ],
)
def test_a_row_that_is_wrong_is_named(rows: list[dict[str, Any]], wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(told)):
        report.page([rows[0], {**rows[1], **wrong}])


@pytest.mark.parametrize("line", [b"[1]", b"{", b'{"name": "\xff"}'])
def test_a_line_that_is_no_row_is_named(rows: list[dict[str, Any]], tmp_path: Path, line: bytes) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "a.jsonl").write_bytes(b'{"name": "a"}\n\n' + line)
    with pytest.raises(ReadError, match="line 3 is no row of results"):
        report.read(tmp_path / "a.jsonl")


def test_csv_is_read_as_text(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    lines = [
        "name,status,text,confidence,undecided,asks,error",
        "007,pledge,将建公园。,0.9,False,S1,",
        "7,pledge,将再建。,0.9,False,,",
        "7,pledge,将建公园。,0.4,True,,",  # what was left undecided is no measure
        "9,,,,,,holds no text",
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    html = report.page(report.read(tmp_path / "a.csv"))
    assert [(letter[0], [m[1] for m in letter[4]]) for letter in listed(html)] == [
        ("007", ["将建公园。"]),
        ("7", ["将再建。"]),
    ]
    assert ("1", "not read") in counted(html)


def listed(html: str) -> list[Any]:
    [data] = re.findall(r'id="data">(.*?)</script>', html, flags=re.S)
    return json.loads(data)  # type: ignore[no-any-return]


def test_the_folder_of_all_letters_is_not_told(rows: list[dict[str, Any]]) -> None:
    moved = [{**row, "name": f"/home/me/letters/{row['name']}"} for row in rows if not row["error"]]
    html = report.page(moved, today=TODAY)
    assert "/home/me" not in html
    assert [letter[0] for letter in listed(html)] == ["l0", "l1", "l2"]


def test_list_is_cut_where_the_page_would_grow_too_large(
    rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = listed(report.page(rows))
    room = len(json.dumps(whole[:2], ensure_ascii=False).encode())
    monkeypatch.setattr(report, "LETTERS_BYTES", room)
    html = report.page(rows)
    assert listed(html) == whole[:2]
    assert "holds the first 2 letters" in html
    assert counted(html)[0] == ("3", "letters")


def test_command(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    source, out = tmp_path / "a.jsonl", tmp_path / "a.html"
    lines = (json.dumps(row, ensure_ascii=False, default=str) for row in rows)
    source.write_text("\n".join(lines), encoding="utf-8")
    run = CliRunner().invoke(
        app, ["report", str(source), "--html", str(out), "--lang", "zh", "--today", "2024-01-01"]
    )
    assert run.exit_code == 0, run.output
    assert "封答复" in out.read_text(encoding="utf-8")
    run = CliRunner().invoke(app, ["report", str(tmp_path / "no.parquet"), "--html", str(out)])
    assert run.exit_code == 1
    assert "there is no such file" in run.output
    before = source.read_bytes()
    run = CliRunner().invoke(app, ["report", str(source), "--html", str(source)])
    assert run.exit_code == 2
    assert source.read_bytes() == before
