"""The report counts what the table holds, whatever kind of table it is."""

from __future__ import annotations

import datetime
import json
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
        reply = nlp(f"我局已建成公园{n + 1}个。下一步，{year}年底前将再建2个。", date=f"{year}-06-12")
        for row in table.rows(reply):
            made.append({**row, "name": f"l{n}", "agency": agency, "error": None})
    made.append({**dict.fromkeys(made[0]), "name": "bad", "error": "holds no text"})
    return made


def test_page_counts_letters_measures_and_errors(rows: list[dict[str, Any]]) -> None:
    html = report.page(rows, today=TODAY)
    assert "<b>3</b> letters" in html
    assert "<b>6</b> measures" in html
    assert "<b>1</b> not read" in html
    assert "bad: holds no text" in html
    assert 'aria-label="completed 2, ongoing 0, pledge 2"' in html  # 甲局, and 2023


def test_pledges_are_overdue_by_the_day_that_is_given(rows: list[dict[str, Any]]) -> None:
    assert "has passed <b>3</b>" in report.page(rows, today=TODAY)
    assert "has passed <b>1</b>" in report.page(rows, today=datetime.date(2023, 1, 1))
    # By the newest letter, when no day is given.
    assert "2023-06-12" in report.page(rows)
    assert "has passed <b>1</b>" in report.page(rows)


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
    assert "<b>0</b> letters" in report.page([])


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
