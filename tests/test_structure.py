"""Roles, header, sections and asks, on cases by origin, as properties, and against real replies."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import origins
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commitments.clean import clean
from commitments.draft import Draft, Unit
from commitments.segment import segment
from commitments.structure import StructureConfig, structure
from commitments.structure.asks import split
from commitments.structure.header import parse_date
from commitments.terms import AskOrigin, Role

CASES = origins.load("structure")
# Roles whose units are labelled none unread, and how often they may be wrong.
UNREAD = {role: 0.01 for role in Role if role not in (Role.BODY, Role.OPENING)} | {Role.LEAD: 0.03}
LETTERS = st.text(
    alphabet="一二三、（）1.①是关于建议问题的：:。；\n“”《》代表委员您好2023年6月12日局 A感谢下步",
    max_size=160,
)


def read(text: str, suggestion: str | tuple[str, ...] | None = None) -> Draft:
    """A raw text, structured."""
    match = clean(text).match
    return structure(Draft(text=match, units=segment(match), suggestion=suggestion))


def test_cases_of_every_origin() -> None:
    assert {c["origin"] for c in CASES} == origins.ORIGINS


@origins.parametrize(CASES)
def test_case(case: dict[str, Any]) -> None:
    draft = read(case["text"])
    if "roles" in case:
        assert [u.role.value for u in draft.units] == case["roles"], [u.text for u in draft.units]
    for field, wanted in case.get("header", {}).items():
        value = getattr(draft.header, field)
        assert (value if value is None else str(value)) == wanted, field
    if "asks" in case:
        assert [[a.text, a.origin.value] for a in draft.asks] == case["asks"]
    if "sections" in case:
        assert [[s.title, s.level] for s in draft.sections] == case["sections"]


@given(LETTERS)
def test_whatever_is_found_is_where_it_says(text: str) -> None:
    draft = read(text)
    for span in draft.header.spans.values():
        assert draft.text[span.start : span.end] == span.text != ""
    for ask in draft.asks:
        assert ask.spans is not None
        assert [draft.text[s.start : s.end] for s in ask.spans] == [ask.text]
    for n, section in enumerate(draft.sections):
        assert section.index == n
        assert 0 <= section.start < section.end <= len(draft.text)
        if section.parent is not None:
            parent = draft.sections[section.parent]
            assert parent.level < section.level
            assert parent.start <= section.start <= section.end <= parent.end
    for unit in draft.units:
        if unit.section is not None:
            section = draft.sections[unit.section]
            assert section.start <= unit.start < unit.end <= section.end


@given(LETTERS)
def test_a_suggestion_is_split_into_its_own_words(text: str) -> None:
    asks = split(text, limit=5)
    assert len(asks) <= 5
    assert all(ask.text in text and ask.text for ask in asks)
    assert bool(asks) == bool(text.strip())


def test_given_asks_keep_their_order_and_have_no_spans() -> None:
    asks = read("一、关于修路的建议\n路已修好。", ("修桥", "修路")).asks
    assert [(a.id, a.text, a.origin, a.spans) for a in asks] == [
        ("S1", "修桥", AskOrigin.GIVEN, None),
        ("S2", "修路", AskOrigin.GIVEN, None),
    ]


@pytest.mark.parametrize(
    ("suggestion", "wanted"),
    [
        ("道路破损。建议：一、尽快修补；二、增设路灯。", ["一、尽快修补；", "二、增设路灯。"]),
        ("请问：1、何时通车？2、票价多少？", ["1、何时通车？", "2、票价多少？"]),
        ("现状如下。建议修建公园。此外车位不足。建议增设车位。", ["建议修建公园。", "建议增设车位。"]),
        ("希望早日修好我村的桥。", ["希望早日修好我村的桥。"]),
    ],
)
def test_split(suggestion: str, wanted: list[str]) -> None:
    assert [a.text for a in split(suggestion)] == wanted


def test_only_the_letter_gets_a_role() -> None:
    text = "首页\n李代表：\n桥已建成。"
    units = tuple(
        Unit(u.start, u.end, u.text, u.paragraph, Role.OUTSIDE if u.text == "首页" else Role.BODY)
        for u in segment(text)
    )
    draft = structure(Draft(text=text, units=units))
    assert [u.role for u in draft.units] == [Role.OUTSIDE, Role.SALUTATION, Role.BODY]


def test_longest_lead_in_is_a_setting() -> None:
    text = "我局抓好落实。\n提升供水能力。新建水厂一座。"
    units = segment(text)
    short = structure(Draft(text=text, units=units), StructureConfig(lead_length=4))
    assert Role.LEAD not in {u.role for u in short.units}


def test_date_given_wins() -> None:
    import datetime

    given_date = datetime.date(2020, 1, 2)
    draft = structure(Draft(text="某县民政局", units=segment("某县民政局"), date=given_date))
    assert draft.header.date == given_date


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("二〇二三年六月十二日", "2023-06-12"),
        ("二○○九年十二月三十一日", "2009-12-31"),
        ("2023 年 6 月 12 日", "2023-06-12"),
        ("2021．8．11", "2021-08-11"),
        ("2023年2月30日", None),
        ("六月十二日", None),
    ],
)
def test_parse_date(text: str, iso: str | None) -> None:
    found = parse_date(text)
    assert (found and found.isoformat()) == iso


def test_letter_of_the_user_names_two_asks(seed_text: str) -> None:
    draft = read(seed_text)
    assert [a.text for a in draft.asks] == [
        "关于拟定杨浦未来科创产业指导目录的建议",
        "关于打造杨浦科创俱乐部的建议",
    ]
    assert (draft.header.doc_number, draft.header.result_code) == ("杨科两会〔2023〕12号", "解决采纳")


def test_unread_roles_are_certain_on_real_replies(shared: Path) -> None:
    seen: Counter[Role] = Counter()
    wrong: Counter[Role] = Counter()
    none = 0
    for name in ("gold-train", "gold-reports-train"):
        for line in (shared / "real" / f"{name}.jsonl").open(encoding="utf-8"):
            gold = json.loads(line)
            draft = structure(_gold_units(gold))
            for unit, label in zip(draft.units, gold["units"], strict=True):
                none += label["label"] == "none"
                seen[unit.role] += 1
                wrong[unit.role] += label["label"] != "none"
    for role, share in UNREAD.items():
        assert wrong[role] <= share * seen[role], role
    # And they take a good part of what is none off the tagger's hands.
    assert sum(seen[role] - wrong[role] for role in UNREAD) >= 0.3 * none


def _gold_units(gold: dict[str, Any]) -> Draft:
    text, paragraph, at = gold["text"], 0, 0
    units = []
    for u in gold["units"]:
        paragraph += text.count("\n", at, u["start"])
        at = u["end"]
        units.append(Unit(u["start"], at, text[u["start"] : at], paragraph))
    return Draft(text=text, units=tuple(units))
