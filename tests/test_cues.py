"""The rules: every row by its own examples, then how rows are found, inherited and summed."""

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import commitments
from commitments import lexicon
from commitments.draft import Draft, Header, Unit
from commitments.errors import SchemaError
from commitments.segment import segment
from commitments.tag import ScoringTagger
from commitments.tag.cues import LETTER, MESSAGE, Cues, register, table
from commitments.tag.rules import Cue, Finder, _ends, cues, traits
from commitments.terms import How, Kind, Role, Status

DAY = datetime.date(2020, 6, 1)
FINDER = Finder(cues())


def found(text: str, date: datetime.date | None = DAY) -> set[str]:
    return {hit.cue.id for hits in FINDER.find(text, segment(text), date) for hit in hits}


@pytest.mark.parametrize("row", cues(), ids=lambda row: row.id)
def test_row_is_found_in_its_example_and_not_in_its_counter_example(row: Cue) -> None:
    assert row.id in found(row.example)
    assert row.id not in found(row.counter)


@pytest.mark.parametrize("row", cues(), ids=lambda row: row.id)
def test_row_is_complete(row: Cue) -> None:
    assert row.words
    assert len(set(row.words)) == len(row.words)
    assert row.note
    assert row.status in {"pledge", "ongoing", "completed", "none", "act"}
    assert row.carry in {"", "paragraph", "section"}
    assert row.time in {"", "past", "future"}
    assert re.fullmatch(r"[POCNAV]\d{3}", row.id)


def test_points_and_rows_belong_together() -> None:
    known = {row.id for row in cues()} | set(traits())
    for points in table().points.values():
        assert {key.rstrip(">^") for key in points} <= known
    assert set(table().points) == {LETTER, MESSAGE}


def test_the_longest_cue_cancels_a_shorter_one_inside_it() -> None:
    rows = (
        Cue("P1", "pledge", ("将",), "", "", ""),
        Cue("N1", "none", ("即将到期",), "", "", ""),
    )
    unit = Unit(0, 6, "合同即将到期", 0)
    assert [hit.cue.id for hit in Finder(rows).find(unit.text, (unit,))[0]] == ["N1"]


def test_dates_need_the_letters_own_date() -> None:
    assert "C034" in found("2019年5月3日，我局核发许可。")
    assert "P039" in found("2021年建成。")
    assert not {"C034", "P039"} & found("2019年5月3日，我局核发许可。", None)


@pytest.mark.parametrize(
    "pattern",
    sorted({p for row in cues() for p in (row.before, row.not_before) if p}),
)
@given(data=st.data())
def test_fast_endings_are_the_regular_expression(pattern: str, data: st.DataObject) -> None:
    words = re.findall(r"[一-龥，：\d]+", pattern) or ["的"]
    text = "".join(data.draw(st.lists(st.sampled_from([*words, "，", "某", "3", ""]), max_size=4)))
    whole = re.compile(pattern if pattern.endswith("$") else f"(?:{pattern})$")
    test = _ends(pattern)
    assert test is not None
    assert test(text) == (whole.search(text) is not None)


def test_a_bad_row_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"id": "P1", "status": "pledge", "words": ["将"], "example": "", "counter": "", "note": ""}
    monkeypatch.setattr(lexicon, "table", lambda _: {"cue": [row, row]})
    cues.cache_clear()
    try:
        with pytest.raises(SchemaError, match="id P1 stands twice"):
            cues()
        monkeypatch.setattr(lexicon, "table", lambda _: {"cue": [{**row, "scope": "x"}]})
        with pytest.raises(SchemaError, match="scope"):
            cues()
        with pytest.raises(SchemaError, match="P1"):
            Finder([Cue("P1", "pledge", ("将",), "", "", "", after="(")])
    finally:
        cues.cache_clear()


def statuses(text: str) -> list[str]:
    return [s.status.value for s in commitments.load("cues")(text).sentences if s.role is Role.BODY]


def test_bare_verbs_take_their_status_from_the_lead() -> None:
    body = "加强路面巡查，完善交通标志。"
    letter = "李代表：\n您的建议收悉，现答复如下：\n{}\n" + body + "\n感谢您的支持！\n某市交通局"
    assert statuses(letter.format("一、工作开展情况"))[0] == "ongoing"
    assert statuses(letter.format("一、下一步工作打算"))[0] == "pledge"


def test_a_heading_is_inherited_and_named_as_evidence() -> None:
    letter = (
        "李代表：\n您的建议收悉，现答复如下：\n一、工作开展情况\n我局正在改造道路。\n"
        "二、下一步工作打算\n加强路面巡查，完善交通标志。\n感谢您的支持！\n某市交通局"
    )
    last = next(s for s in commitments.load("cues")(letter).sentences if s.text.startswith("加强"))
    inherited = [e for e in last.evidence if e.how is How.INHERITED]
    assert last.status is Status.PLEDGE
    assert [(e.rule, e.text) for e in inherited] == [("P001^", "下一步工作打算")]


def test_a_marked_status_beats_an_inherited_one() -> None:
    text = "下一步，我局将加快施工。加强路面巡查。目前已完成主体施工。"
    assert statuses(text) == ["pledge", "pledge", "completed"]


def test_a_mixed_sentence_has_the_status_of_its_last_predicate() -> None:
    sentence = commitments.load("cues")("现已完成主体工程，预计10月底投入使用。").sentences[0]
    assert (sentence.status, sentence.also) == (Status.PLEDGE, (Status.COMPLETED,))


def test_the_scorecard_is_the_whole_sum(seed_text: str) -> None:
    nlp = commitments.load("cues")
    tagger = nlp.tagger
    assert isinstance(tagger, ScoringTagger)
    _, draft = nlp.draft(seed_text)
    cards = tagger.scorecards(draft)
    assert any(card and any(row.weight < 1 for row in card.summands) for card in cards)
    for unit, decision, card in zip(draft.units, tagger.tag(draft), cards, strict=True):
        if card is None:
            assert decision.evidence[0].how is How.ROLE
            continue
        assert card.status is decision.status
        assert card.confidence == pytest.approx(decision.confidence)
        assert all(row.note for row in card.summands)
        assert {e.rule for e in decision.evidence} <= {row.rule for row in card.summands}
        own = [row for row in card.summands if row.how is How.CUE]
        assert all(unit.start <= (row.start or 0) < (row.end or 0) <= unit.end for row in own)


def test_explanation_stands_in_the_callers_own_text() -> None:
    text = "现答复如下：\n一、今后打\n算\n我局将新建公\n园２个。\n二、其他\n我局将加强养护。"
    nlp = commitments.load("cues")
    for number, sentence in enumerate(nlp(text).sentences, 1):
        told = nlp.explain(text, number)
        assert told.sentence == sentence
        for row in told.scorecard.summands if told.scorecard else ():
            assert row.start is None or text[row.start : row.end] == row.text
    for wrong in (0, -1, 99, "1"):
        with pytest.raises(SchemaError, match=f"no sentence {wrong!r}"):
            nlp.explain(text, wrong)  # type: ignore[arg-type]


def test_roles_settle_without_reading() -> None:
    unit = Unit(0, 10, "已建成公园三个。谢谢", 0, Role.CLOSING)
    decision = Cues().tag(Draft(text=unit.text, units=(unit,)))[0]
    assert decision.status is Status.NONE
    assert decision.evidence[0].how is How.ROLE


def test_evidence_is_sorted_and_stands_where_it_says() -> None:
    reply = commitments.load("cues")("我局已于3月召开会议，下一步将新建公园2个。")
    for sentence in reply.sentences:
        own = [e for e in sentence.evidence if e.how is not How.DEFAULT]
        assert [e.points for e in own] == sorted((e.points for e in own), reverse=True)
        for item in sentence.evidence:
            if item.start is not None and item.end is not None:
                assert reply.text[item.start : item.end] == item.text


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("路灯已修复。", Kind.MESSAGE, MESSAGE),
        ("您反映的路灯已修复。", Kind.PROPOSAL, LETTER),
        ("您反映的路灯已修复。", None, MESSAGE),
        ("人大代表您好，路灯已修复。", None, LETTER),
        ("路灯已修复。", None, LETTER),
    ],
)
def test_register(text: str, kind: Kind | None, expected: str) -> None:
    assert register(Draft(text=text, header=Header(kind=kind))) == expected
