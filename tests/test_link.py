"""Links, on cases by origin, as properties, and against the asks of real letters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import origins
from hypothesis import given
from hypothesis import strategies as st

from commitments.clean import clean
from commitments.draft import Decision, Draft, Unit
from commitments.link import LinkConfig, link
from commitments.segment import segment
from commitments.structure import structure
from commitments.terms import Role, Status

CASES = origins.load("link")
# Several demands in one unit of the message, or an answer to another message: see the README of the data.
STATUS = {status.value: status for status in Status}
UNSURE = {
    *("R18437", "R46342", "R10382", "R36516", "R23778", "R29833", "R114581", "R24695", "R22962", "R8657"),
    *("R119157", "R119128", "R101945"),
}


def read(text: str, asks: tuple[str, ...]) -> Draft:
    match = clean(text).match
    return link(structure(Draft(text=match, units=segment(match), suggestion=asks)))


def test_cases_of_every_origin() -> None:
    assert {c["origin"] for c in CASES} == origins.ORIGINS


@origins.parametrize(CASES)
def test_case(case: dict[str, Any]) -> None:
    draft = read(case["text"], tuple(case["asks"]))
    found = [
        list(x.asks) if u.role is Role.BODY else None for u, x in zip(draft.units, draft.links, strict=True)
    ]
    assert found == case["links"], [(u.text, x) for u, x in zip(draft.units, draft.links, strict=True)]
    if "by" in case:
        assert [x.by for x in draft.links if x.by] == case["by"]


@given(
    st.lists(
        st.sampled_from(["一、关于修路", "公园已建成。", "第二条建议已办结。", "下一步，将修路。"]),
        max_size=8,
    ),
    st.lists(st.sampled_from(["修路", "建公园", "关于修桥的建议", ""]), max_size=4),
)
def test_links_are_of_the_asks_and_of_measures_only(lines: list[str], asks: list[str]) -> None:
    draft = read("\n".join(lines), tuple(asks))
    known = {a.id for a in draft.asks}
    assert len(draft.links) == len(draft.units)
    for unit, made in zip(draft.units, draft.links, strict=True):
        if unit.role is not Role.BODY:
            assert (made.asks, made.by) == ((), "")
            continue
        assert made.asks == ("*",) or set(made.asks) <= known
        assert made.by
        assert made.reason
        assert 0 <= made.score <= 1
        assert made.asks or made.by == "none"


def test_no_measure_no_link() -> None:
    draft = structure(Draft(text="桥已建成。", units=segment("桥已建成。"), suggestion=("建桥",)))
    none = link(msgspec.structs.replace(draft, decisions=(Decision(Status.NONE),)))
    assert (none.links[0].asks, none.links[0].by) == ((), "")


def test_abstention_names_its_reason() -> None:
    assert "no candidate" in read("桥已建成。", ()).links[0].reason
    assert "below threshold" in read("桥已建成。", ("多种树", "多开课")).links[0].reason
    assert "tie" in read("公园步道已建成。", ("修建步道", "修建公园")).links[0].reason


def test_most_asks_told_apart_by_words_is_a_setting() -> None:
    text, asks = "公园绿地已建成。", ("新增公园绿地", "新增公交线路")
    draft = structure(Draft(text=text, units=segment(text), suggestion=asks))
    assert link(draft).links[0].asks == ("S1",)
    assert link(draft, LinkConfig(most=1)).links[0].asks == ()


def test_seed_letter(shared: Path) -> None:
    assert _accuracy([json.loads(line) for line in (shared / "seed" / "seed.gold.jsonl").open()]) >= 0.9


def test_real_replies_with_several_demands(shared: Path) -> None:
    with (shared / "real" / "gold-train.jsonl").open(encoding="utf-8") as lines:
        gold = [json.loads(line) for line in lines]
    assert _accuracy([g for g in gold if g["id"] not in UNSURE]) >= 0.62


def _accuracy(letters: list[dict[str, Any]]) -> float:
    """Share of gold measures of letters with several asks that are linked to just the asks of the gold."""
    right = total = 0
    for gold in letters:
        ids = {a["id"] for a in gold["asks"]}
        if len(ids) < 2:
            continue
        text, paragraph, at = gold["text"], 0, 0
        units = []
        for u in gold["units"]:
            paragraph += text.count("\n", at, u["start"])
            at = u["end"]
            units.append(Unit(u["start"], at, text[u["start"] : at], paragraph))
        asks = tuple(a["text"] for a in gold["asks"])
        draft = structure(Draft(text=text, units=tuple(units), suggestion=asks))
        decisions = tuple(Decision(STATUS[u["label"]]) for u in gold["units"])
        draft = link(msgspec.structs.replace(draft, decisions=decisions))
        for u, made in zip(gold["units"], draft.links, strict=True):
            if u["label"] != "none":
                wanted = ids if u["links"] == ["*"] else set(u["links"])
                total += 1
                right += wanted == (ids if made.asks == ("*",) else set(made.asks))
    return right / total
