"""Attributes: every row of the lexicon by its example, cases by origin, and what holds for any text."""

from __future__ import annotations

import datetime
import json
import math
from pathlib import Path
from typing import Any

import cn2an
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from origins import load, parametrize
from typer.testing import CliRunner

import commitments
from commitments import attribute_metrics, corpus, lexicon
from commitments.attributes import action, actor, calendar, deadline, numerals, quantity, strength
from commitments.attributes.disposition import Tally, contradiction, judge, result
from commitments.cli import app
from commitments.errors import SchemaError
from commitments.pipeline import PipelineConfig
from commitments.reply import Ask, Reply, ResultCode
from commitments.terms import Disposition, Status

DAY = datetime.date(2023, 5, 10)
PLEDGE = frozenset({Status.PLEDGE})
NLP = commitments.load("cues")


def _rows(name: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{part}-{i}", row)
        for part, rows in lexicon.table(name).items()
        if isinstance(rows, list)
        for i, row in enumerate(rows)
    ]


@pytest.mark.parametrize(("part", "row"), _rows("periods"), ids=lambda x: x if isinstance(x, str) else "")
def test_period_is_found_in_its_example(part: str, row: dict[str, Any]) -> None:
    text = row["example"]
    found = [
        [text[x.start : x.end], x.kind.value, str(x.first or ""), str(x.last or "")]
        for x in calendar.grammar().scan(text, DAY)
    ]
    assert row["found"] in found


@pytest.mark.parametrize(("part", "row"), _rows("units"), ids=lambda x: x if isinstance(x, str) else "")
def test_unit_is_found_in_its_example(part: str, row: dict[str, Any]) -> None:
    text = row["example"]
    found = [
        [text[x.start : x.end], "" if x.value is None else x.value, x.unit]
        for x in quantity.grammar().scan(text)
    ]
    assert row["found"] == found


@pytest.mark.parametrize("part", ["field", "name", "extends", "ending"])
def test_body_is_found_in_its_example(part: str) -> None:
    row = lexicon.table("bodies")[part]
    text = row["example"]
    assert [text[b.start : b.end] for b in actor.grammar().scan(text)] == row["found"]


@pytest.mark.parametrize("row", lexicon.table("strength")["soft"], ids=lambda row: row["pattern"][:12])
def test_soft_cue_is_found_in_its_example_and_not_in_its_counter_example(row: dict[str, Any]) -> None:
    def soft(text: str) -> bool:
        times, _ = deadline.find(text, PLEDGE, DAY)
        found = strength.judge(text, mixed=False, dated=any(x.last for x in times))
        return found.strength.value == "soft"

    assert soft(row["example"])
    assert not soft(row["counter"])


@pytest.mark.parametrize("row", lexicon.table("strength")["firm"], ids=lambda row: row["pattern"][:12])
def test_firm_cue_is_shown(row: dict[str, Any]) -> None:
    found = strength.judge(row["example"], mixed=False, dated=False)
    assert found.strength.value == "firm"
    assert found.start is not None


def _statuses(case: dict[str, Any]) -> frozenset[Status]:
    return frozenset({Status.of(case["status"])})


@parametrize(load("deadline"))
def test_deadline_case(case: dict[str, Any]) -> None:
    text = case["text"]
    day = datetime.date.fromisoformat(case["date"]) if case["date"] else None
    found, _ = deadline.find(text, _statuses(case), day)
    told = [
        [
            text[x.start : x.end],
            x.kind.value,
            x.first and x.first.isoformat(),
            x.last and x.last.isoformat(),
        ]
        for x in found
    ]
    assert told == case["expect"]
    for x in found:  # an open interval that a reader would ask about has a note
        if x.kind.value in ("by", "period") and not (x.first or x.last):
            assert x.note


@parametrize(load("quantity"))
def test_quantity_case(case: dict[str, Any]) -> None:
    text = case["text"]
    found = quantity.find(text, _statuses(case))
    if case["expect"] is None:
        assert all(x.value is None and x.note for x in found)
        return
    assert [[text[x.start : x.end], x.value, x.low, x.high] for x in found] == case["expect"]


@parametrize(load("actor"))
def test_actor_case(case: dict[str, Any]) -> None:
    text = case["text"]
    found = actor.find(text, _statuses(case), "message")
    assert [[text[a.start : a.end], a.role.value] for a in found] == case["expect"]


@pytest.mark.parametrize(
    ("text", "expect"),
    [
        ("待资金落实后，将启动建设。", ["待资金落实后"]),
        ("条件成熟时在全市推开。", ["条件成熟时"]),
        ("视财力情况逐步提高标准。", ["视财力情况"]),
        ("经省政府批准后实施。", ["经省政府批准后"]),
        ("将加强巡查。", []),
    ],
)
def test_condition(text: str, expect: list[str]) -> None:
    times, found = deadline.find(text, PLEDGE, DAY)
    assert [text[start:end] for start, end in found] == expect
    assert not times


def test_numerals_agree_with_cn2an() -> None:
    for n in [*range(1, 1000), *range(1000, 100_000, 997), *range(10**6, 10**9, 123_456_789)]:
        written = cn2an.an2cn(n, "low")
        assert numerals.number(written) == n, written
        assert numerals.number(f"{n:,}") == n


@pytest.mark.parametrize(
    ("figures", "value"),
    [
        ("3.4亿", 3.4e8),
        ("1 143", 1143),
        ("两", 2),
        ("半", 0.5),
        ("三千二", 3200),
        ("廿三", 23),
        ("十几", None),
    ],
)
def test_numeral(figures: str, value: float | None) -> None:
    assert numerals.number(figures) == value


@given(st.text(alphabet="零一二三四五六七八九十百千万亿点两半0123456789.,，廿", max_size=40))
@example("9" * 400)
@example("亿" * 40)
def test_no_numeral_is_nonsense(figures: str) -> None:
    value = numerals.number(figures)
    assert value is None or (math.isfinite(value) and value >= 0)


WORDS = st.sampled_from(
    [
        "今年",
        "明年",
        "后年",
        "去年",
        "2024年",
        "3021年",
        "2月30日",
        "13月",
        "底",
        "前",
        "内",
        "起",
        "期间",
        "三",
        "年",
        "十五",
        "“十四五”",
        "春节",
        "清明",
        "每年",
        "尽快",
        "0",
        "9",
        "99999",
        "万",
        "亿",
        "元",
        "个",
        "%",
        "—",
        "至",
        "到",
        "、",
        "，",
        "。",
        "市",
        "教育局",
        "会同",
        "责令",
        "由",
        "向",
        "的",
        "(",
        "）",
        "待",
        "视",
        "后",
        "月",
        "日",
        "第",
        "号",
        "半",
    ]
)


@given(
    st.lists(WORDS, max_size=40).map("".join),
    st.sampled_from([None, DAY, datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]),
)
@example("今年" * 30, DAY)
def test_spans_lie_in_any_text(text: str, day: datetime.date | None) -> None:
    statuses = frozenset({Status.PLEDGE, Status.COMPLETED})
    times, conditions = deadline.find(text, statuses, day)
    spans = [(x.start, x.end) for x in times]
    found = quantity.find(text, statuses, spans)
    acting = actor.find(text, statuses)
    done = action.find(text)
    for start, end in [*spans, *conditions, *((x.start, x.end) for x in (*found, *acting))]:
        assert 0 <= start < end <= len(text)
    if done:
        assert 0 <= done.verb[0] < done.verb[1] <= len(text)
    assert spans == sorted(spans)
    for x in times:
        assert x.first is None or x.last is None or x.first <= x.last
    for q in found:
        assert not any(s < q.end and q.start < e for s, e in spans)
        assert q.value is None or math.isfinite(q.value)


LETTER = (
    "某市教育局\n李代表：\n您提出的关于增建幼儿园的建议收悉，现答复如下：\n截至目前，全市已建成幼儿园12所，投入3.4亿元。\n"
    "下一步，由区教育局牵头，力争2024年底前再建3所。\n某市教育局\n2023年6月12日"
)


def test_attributes_of_a_letter() -> None:
    reply = NLP(LETTER)
    [done] = reply.completed
    [pledge] = reply.pledges
    assert [(q.text, q.value) for q in done.quantities] == [("12所", 12.0), ("3.4亿元", 3.4e8)]
    assert done.actor is not None
    assert done.actor.implied
    assert done.actor.text == "某市教育局"
    assert done.strength is None
    assert pledge.deadline is not None
    assert pledge.deadline.text == "2024年底前"
    assert pledge.deadline.end == datetime.date(2024, 12, 31)
    assert pledge.actor is not None
    assert (pledge.actor.text, pledge.actor.role.value) == ("区教育局", "lead")
    assert pledge.strength == "soft"
    assert pledge.strength_cue is not None
    assert pledge.strength_cue.text == "力争"
    assert reply.asks[0].disposition is not None
    for s in reply.sentences:
        for item in (*s.deadlines, *s.conditions, *s.quantities, *s.actors):
            assert item.span is not None
            assert reply.text[item.span.start : item.span.end] == item.text
    assert Reply.from_json(reply.to_json()) == reply


def test_words_stand_as_in_the_text_line_break_and_all() -> None:
    path = Path(__file__).parent.parent / "seeds" / "yangpu-2023-C-064.txt"
    reply = NLP(path.read_text(encoding="utf-8"))
    broken = [q for s in reply.sentences for q in s.quantities if "\n" in q.text]
    assert [(q.text, q.value, q.unit) for q in broken] == [("超 500 亿\n\n元", 5e10, "元")]


def test_what_is_no_measure_has_no_attributes() -> None:
    for s in NLP(LETTER).sentences:
        if s.status is Status.NONE and not s.also:
            found = (s.deadlines, s.quantities, s.actors, s.conditions, s.actor, s.action)
            assert not any(found)


def test_attributes_can_be_left_out() -> None:
    from commitments.attributes import AttributesConfig

    nlp = commitments.load("cues", PipelineConfig(attributes=AttributesConfig(on=False)))
    assert not any(s.quantities or s.deadlines for s in nlp(LETTER).sentences)


def test_given_date_wins() -> None:
    [pledge] = NLP("下一步，年底前建成。\n某局\n2023年6月12日", date="2020-01-05").pledges
    assert pledge.deadline is not None
    assert pledge.deadline.end == datetime.date(2020, 12, 31)


def test_without_a_date_the_words_stay() -> None:
    [pledge] = NLP("下一步，我局将于年底前建成。").pledges
    assert pledge.deadline is not None
    assert (pledge.deadline.text, pledge.deadline.end) == ("年底前", None)
    assert pledge.deadline.note


C, G, P = Status.COMPLETED, Status.ONGOING, Status.PLEDGE


@pytest.mark.parametrize(
    ("ask", "tally", "expect"),
    [
        ("建公园", Tally(completed=2, ongoing=1), "adopted"),
        ("解决拥堵", Tally(completed=2), "solved"),
        ("建公园", Tally(completed=1, ongoing=1, pledged=1), "in_progress"),
        ("建公园", Tally(pledged=2), "planned"),
        ("建公园", Tally(pledged=1, soft=1, refusals=1), "declined"),
        ("建公园", Tally(refusals=2, explained=3), "declined"),
        ("建公园", Tally(explained=3), "explained"),
        ("建公园", Tally(), "unanswered"),
    ],
)
def test_disposition(ask: str, tally: Tally, expect: str) -> None:
    found = judge(ask, tally)
    assert found.disposition == expect
    assert found.reason


def test_disposition_of_a_letter() -> None:
    reply = NLP(
        "一、关于增设公交站的建议\n我局已增设公交站3处。\n二、关于修建地铁的建议\n根据国家规定，我市暂不具备修建地铁的条件。"
    )
    assert [ask.disposition for ask in reply.asks] == [Disposition.ADOPTED, Disposition.DECLINED]


@pytest.mark.parametrize("row", lexicon.table("result_codes")["words"], ids=lambda row: row["codes"][0])
def test_words_of_a_result_code_say_what_they_mean(row: dict[str, Any]) -> None:
    for code in row["codes"]:
        found = result(code, None, None)
        assert found is not None
        assert (found.meaning, found.disposition) == (row["meaning"], row["disposition"])


@pytest.mark.parametrize("row", lexicon.table("result_codes")["place"], ids=lambda row: row["place"][0])
def test_letters_of_a_result_code_mean_something_only_in_their_place(row: dict[str, Any]) -> None:
    assert row["source"]
    for item in row["codes"]:
        there = result(f"{item['code']}类", f"{row['place'][0]}省教育厅", None)
        elsewhere = result(item["code"], "某地教育局", None)
        assert there is not None
        assert there.meaning == item["meaning"]
        assert elsewhere == ResultCode(item["code"])


def test_code_and_text_that_contradict_are_told() -> None:
    reply = NLP(
        "办理结果：解决采纳\n李代表：\n现答复如下：\n下一步，我局将新建公园。\n今后，我局将增设座椅。"
    )
    assert any("解决采纳" in note for note in reply.warnings)
    adopted = ResultCode("A", "", Disposition.ADOPTED)
    assert contradiction(adopted, (), [C, P]) is None
    assert contradiction(adopted, (), [])
    assert contradiction(adopted, (Ask("S1", "", disposition=Disposition.DECLINED),), [G])
    kept = ResultCode("D", "", Disposition.EXPLAINED)
    assert contradiction(kept, (Ask("S1", "", disposition=Disposition.SOLVED),), [C])


def test_weights_are_those_of_the_grammars() -> None:
    table = lexicon.table("weights")
    assert set(table) == {"actor", "quantity"}
    for of in table.values():
        assert 0 < of["letter"] < 1
        assert 0 < of["message"] < 1
        assert len(of["weight"]) > 100
        json.dumps(of)


@pytest.mark.parametrize(
    "shape", ["今年", "9", "市", "由市教育局", "每年", "待", "一百", "、公安", "（", "三至五"]
)
def test_time_grows_with_length_alone(shape: str) -> None:
    from time import process_time

    def seconds(n: int) -> float:
        text = shape * n
        began = process_time()
        statuses = frozenset({Status.PLEDGE})
        deadline.find(text, statuses, DAY)
        quantity.find(text, statuses)
        actor.find(text, statuses)
        action.find(text)
        strength.judge(text, True, False)
        return process_time() - began

    small = max(min(seconds(500) for _ in range(3)), 1e-4)
    assert seconds(2000) < 12 * small + 0.05


def test_command_measures_attributes() -> None:
    root = Path(__file__).parent.parent / "seeds"
    run = CliRunner().invoke(
        app,
        [
            *("attributes", str(root / "letters" / "test.jsonl"), "--gold-statuses", "-m", "cues", "--json"),
            *("--values", str(root / "attributes" / "letters-test.jsonl")),
        ],
    )
    assert run.exit_code == 0
    told = json.loads(run.stdout)
    assert told["spans"] == {"actor": 106, "deadline": 133, "quantity": 460}
    figures = {name: figure["value"] for name, figure in told["figures"].items()}
    # What the project stands by; the exact figures are in the README.
    assert figures["deadline_dated_overlap"] > 0.9
    assert figures["deadline_interval"] > 0.9
    assert figures["quantity_value"] > 0.95
    assert figures["strength"] > 0.88


def test_values_belong_to_their_letters() -> None:
    root = Path(__file__).parent.parent / "seeds"
    documents = {d.id: d for d in corpus.load(root / "letters" / "test.jsonl")}
    for name, items in attribute_metrics.load(root / "attributes" / "letters-test.jsonl").items():
        spans = {(s.kind, s.start, s.end) for u in documents[name].units for s in u.spans}
        assert {(i.kind, i.start, i.end) for i in items} == spans


def test_wrong_attribute_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"id": "a", "attributes": [{"kind": "date"}]}\n', encoding="utf-8")
    with pytest.raises(SchemaError, match=r"wrong.jsonl:1"):
        attribute_metrics.load(path)
    with pytest.raises(SchemaError, match=r"no.jsonl"):
        attribute_metrics.load(tmp_path / "no.jsonl")


def test_figures_of_perfect_and_of_empty_predictions() -> None:
    document = corpus.load(Path(__file__).parent.parent / "seeds" / "letters" / "dev.jsonl")[0]
    empty = Reply(text=document.text)
    told = attribute_metrics.measure([document], [empty], resamples=0)
    assert told.figures["deadline_overlap"].value == 0.0
    read = attribute_metrics.gold_reply(NLP, document)
    mine = {
        document.id: tuple(
            attribute_metrics.GoldAttribute("quantity", *q.span, value=q.value, low=q.low, high=q.high)
            for s in read.sentences
            for q in s.quantities
        )
    }
    same = attribute_metrics.measure([document], [read], mine, resamples=0).figures
    assert same["quantity_exact"].value == same["quantity_value"].value == 1.0
