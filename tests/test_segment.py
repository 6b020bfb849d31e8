"""Sentences and clauses, on cases by origin, as properties, and against the letters' own marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import origins
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commitments.clean import clean
from commitments.draft import Region
from commitments.segment import SegmentConfig, clauses, segment
from commitments.terms import Role

CASES = origins.load("segment")
LETTERS = st.text(
    alphabet="已建成2.,，。；;！？：:一、是1（）()《》“”’」\n\r\u3000 |Ab\u200b—附件", max_size=200
)


def spans(text: str) -> set[tuple[int, int]]:
    """Units of a raw text, by where they stand in it."""
    cleaned = clean(text)
    return {cleaned.offsets.to_source(u.start, u.end) for u in segment(cleaned.match)}


def test_cases_of_every_origin() -> None:
    assert {c["origin"] for c in CASES} == origins.ORIGINS


@origins.parametrize(CASES)
def test_case(case: dict[str, Any]) -> None:
    assert [case["text"][s:e] for s, e in sorted(spans(case["text"]))] == case["units"]


@given(LETTERS)
def test_units_part_the_text(text: str) -> None:
    at = 0
    for unit in segment(text):
        assert unit.text == text[unit.start : unit.end] == unit.text.strip() != ""
        assert not text[at : unit.start].strip()
        assert "\n" not in unit.text
        assert unit.paragraph == text.count("\n", 0, unit.start)
        at = unit.end
    assert not text[at:].strip()


@given(LETTERS.filter(bool), st.data())
def test_borders_of_regions_end_units(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    for unit in segment(text, (Region(start, end, Role.OUTSIDE),)):
        inside = start <= unit.start and unit.end <= end
        assert inside or unit.end <= start or unit.start >= end
        assert unit.role is (Role.OUTSIDE if inside else Role.BODY)


def test_a_paragraph_ends_at_the_border_of_a_region() -> None:
    text = "首页 王代表：已修好。\n下一步再修。打印"
    regions = (Region(0, 2, Role.OUTSIDE), Region(3, 18, Role.BODY), Region(18, 20, Role.OUTSIDE))
    units = segment(text, regions)
    assert [(u.text, u.paragraph) for u in units] == [
        ("首页", 0),
        ("王代表：已修好。", 1),
        ("下一步再修。", 2),
        ("打印", 3),
    ]


@given(LETTERS)
def test_clauses_tile_the_text(text: str) -> None:
    assert "".join(text[s:e] for s, e in clauses(text)) == text
    assert all(s < e for s, e in clauses(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("已建成2,417户,正在验收", ["已建成2,417户,", "正在验收"]),
        ("9:30开会：研究", ["9:30开会：", "研究"]),
        ("落实“放、管，服”，推进", ["落实“放、管，服”，", "推进"]),
        ("会议（含线上，线下）——已开", ["会议（含线上，线下）——", "已开"]),
        ("未闭合“引号，继续", ["未闭合“引号，", "继续"]),
        ("", []),
    ],
)
def test_clauses(text: str, expected: list[str]) -> None:
    assert [text[s:e] for s, e in clauses(text)] == expected


def test_longest_quote_is_a_setting() -> None:
    text = "他说“好。很好。”完"
    assert len(segment(text)) == 2
    assert len(segment(text, config=SegmentConfig(longest_quote=2))) == 3


@pytest.mark.parametrize("name", ["gold-train.jsonl", "gold-reports-train.jsonl"])
def test_agrees_with_gold(shared: Path, name: str) -> None:
    path = shared / "real" / name
    if not path.is_file():
        pytest.skip(f"no {path}")
    gold = found = both = 0
    for line in path.open(encoding="utf-8"):
        letter = json.loads(line)
        units = {(u["start"], u["end"]) for u in letter["units"]}
        mine = spans(letter["text"])
        gold, found, both = gold + len(units), found + len(mine), both + len(units & mine)
    assert both >= 0.995 * gold > 0
    assert both >= 0.995 * found


def test_seed_letter_in_full(shared: Path) -> None:
    path = shared / "seed" / "seed.gold.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}")
    letter = json.loads(path.read_text(encoding="utf-8"))
    assert spans(letter["text"]) == {(u["start"], u["end"]) for u in letter["units"]}
