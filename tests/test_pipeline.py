"""What holds for every text: spans fit, sentences cover it, nothing depends on company, order or the run."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import commitments
from commitments.errors import ModelError, SchemaError
from commitments.pipeline import Pipeline
from commitments.readers import Source
from commitments.reply import Reply
from commitments.terms import AskOrigin, Role, Status

ROOT = Path(__file__).parent.parent
LETTERS: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "seeds" / "letters" / "dev.jsonl").open(encoding="utf-8")
]
NLP = commitments.load("cues")

PIECES = """
下一步， 我局 已建成 将 正在推进 一、 （二） 1. 一是 ① 第三， 关于您提出的 建议一： 现答复如下： 答复
代表： 委员： 收悉 感谢 特此答复。 2021年6月8日 某市交通局 办理结果：A 年底前 5亿元 12个 附件：1.
联系人：王某 上一篇： 下一篇： 建议内容： 答复内容： 第4页 １２ ％ 已將後續 二OO七年 己完成 ⼀ 《 》 “ ”
（ ） 。 ； ; ， , ： : ！ ？ … —— | ｜ ﷽ 👩\u200d🚒 \U00020000 İ ﬁ e\u0301 \u0301 \u200b \ufeff \u202e \u200f
"""
BREAKS = ["\n", "\n\n", "\r\n", "\f", "\u2028", "\x85", "\x00", "\t", "\u3000", " ", "  ", "\n— 3 —\n", " | "]
WORDS = st.sampled_from(re.findall(r"\S+", PIECES) + BREAKS)
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=60).map("".join)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A project letter as it might come out of a bad page or file."""
    text = str(draw(st.sampled_from(LETTERS))["text"])
    start = draw(st.integers(0, len(text) - 1))
    text = text[start : start + draw(st.integers(1, 500))]
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(WORDS) + text[at:]
    if draw(st.booleans()):
        text = text.translate({c: c + 0xFEE0 for c in map(ord, "0123456789")})
    if width := draw(st.sampled_from([0, 0, 20, 34])):
        text = "\n".join(text[i : i + width] for i in range(0, len(text), width))
    return text


ANY = TEXTS | damaged() | st.text(max_size=80)
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def spans(reply: Reply) -> Iterator[tuple[int, int, str]]:
    """Everything in a reply that says where it stands."""
    for s in reply.sentences:
        yield s.start, s.end, s.text
        for e in s.evidence:
            if e.start is not None and e.end is not None:
                yield e.start, e.end, e.text
    for ask in reply.asks:
        for span in ask.spans or ():
            yield span.start, span.end, span.text
    for span in reply.fields.values():
        yield span.start, span.end, span.text


# Between sentences there is only what stands for a break, what has no shape, and lines with a page's number.
SHAPELESS = re.compile(
    r"[\s|｜\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
)
PAGE = re.compile(
    r"[—–―─·•－-]*\d{1,3}[—–―─·•－-]*|第\d{1,3}页(?:[,，/、]{0,3}共\d{1,3}页)?"
    r"|[Pp]age\d{1,3}(?:(?:of|/)\d{1,3})?"
)


def is_gap(text: str) -> bool:
    lines = [SHAPELESS.sub("", line) for line in re.split(r"[\r\n\f]", text)]
    return not lines[0] and not lines[-1] and all(not line or PAGE.fullmatch(line) for line in lines)


@given(ANY)
@some
def test_spans_fit_and_sentences_cover_the_text(text: str) -> None:
    reply = NLP(text)
    assert reply.text == text
    for start, end, words in spans(reply):
        assert 0 <= start < end <= len(text)
        assert text[start:end] == words
    at = 0
    for n, s in enumerate(reply.sentences):
        assert at <= s.start
        assert is_gap(text[at : s.start] if n else "\n" + text[: s.start])
        at = s.end
    assert is_gap("\n" + text[at:] + "\n")
    for section in reply.sections:
        assert 0 <= section.start < section.end <= len(text)
        assert section.parent is None or section.parent < section.index
    for s in reply.sentences:
        assert s.section is None or 0 <= s.section < len(reply.sections)


@given(ANY)
@some
def test_statuses_make_sense(text: str) -> None:
    reply = NLP(text)
    asks = {ask.id for ask in reply.asks}
    assert [ask.id for ask in reply.asks] == [f"S{n}" for n in range(1, len(reply.asks) + 1)]
    for s in reply.sentences:
        assert 0 <= s.confidence <= 1
        assert s.status not in s.also
        assert s.by == reply.model == NLP.name
        assert set(s.asks) <= asks or s.asks == ("*",)
        if s.status is not Status.NONE:
            assert s.role not in (Role.SUGGESTION, Role.OUTSIDE)
            assert s.evidence
    assert set(reply.measures) == {*reply.completed, *reply.ongoing, *reply.pledges}


@given(ANY)
@some
def test_reply_survives_json(text: str) -> None:
    reply = NLP(text)
    assert Reply.from_dict(reply.to_dict()) == reply
    if text.isprintable():
        assert Reply.from_json(reply.to_json()) == reply


@given(st.lists(ANY, max_size=4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_pipe_gives_the_same_as_one_by_one(texts: list[str]) -> None:
    assert list(NLP.pipe(iter(texts))) == [NLP(text) for text in texts]


@given(ANY)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_text_and_source_give_the_same(text: str) -> None:
    assert NLP(Source.from_text(text)).sentences == NLP(text).sentences


@pytest.mark.parametrize("model", ["cues", "keywords", "majority"])
def test_result_does_not_depend_on_the_run(model: str) -> None:
    code = (
        "import commitments, hashlib, json, sys\n"
        "rows = [json.loads(l)['text'] for l in open(sys.argv[1], encoding='utf-8')][:5]\n"
        "replies = commitments.load(sys.argv[2]).pipe(rows)\n"
        "print(hashlib.sha256(''.join(r.to_json() for r in replies).encode()).hexdigest())"
    )
    path = ROOT / "seeds" / "letters" / "dev.jsonl"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code, str(path), model],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(hashes) == 1


def place(letter: dict[str, Any]) -> str:
    name = re.search(r"[\u4e00-\u9fff]{2}(?=[县市区])", letter["agency"] or "")
    return str(letter["text"]).replace(name.group(), "柳河") if name else str(letter["text"])


def person(letter: dict[str, Any]) -> str:
    return re.sub(r"[\u4e00-\u9fff](?=(?:代表|委员)[：:])", "邹", letter["text"])


def past_year(letter: dict[str, Any]) -> str:
    before = int((letter["date"] or "2020")[:4]) - 2

    def earlier(year: re.Match[str]) -> str:
        return str(int(year.group()) - 2) if int(year.group()) < before else year.group()

    return re.sub(r"(?<!\d)(?:19|20)\d\d(?=年)", earlier, letter["text"])


def amounts(letter: dict[str, Any]) -> str:
    def other(number: re.Match[str]) -> str:
        return str(11 - int(number.group()[0])) + number.group()[1:]

    number = r"(?<![\d.第年月号—〔-])[2-9]\d{0,3}(?=[万亿]?[个处家人户次件名元米条盏吨公])"
    return re.sub(number, other, letter["text"])


@pytest.mark.parametrize("change", [place, person, past_year, amounts])
def test_names_and_numbers_do_not_decide(change: Callable[[dict[str, Any]], str]) -> None:
    same = []
    for letter in LETTERS:
        other = change(letter)
        assert len(other) == len(letter["text"])
        if other != letter["text"]:
            pairs = zip(NLP(letter["text"]).sentences, NLP(other).sentences, strict=True)
            same += [one.status is two.status for one, two in pairs]
    assert len(same) > 40
    assert sum(same) >= 0.97 * len(same)


def test_asks_that_are_given_keep_their_order() -> None:
    text = "我局已新建口袋公园3个。下一步将在背街小巷增设路灯。"
    reply = NLP(text, suggestion=["在背街小巷增设路灯", "新建口袋公园", "修缮围墙"])
    assert [(a.id, a.text, a.origin, a.spans) for a in reply.asks] == [
        ("S1", "在背街小巷增设路灯", AskOrigin.GIVEN, None),
        ("S2", "新建口袋公园", AskOrigin.GIVEN, None),
        ("S3", "修缮围墙", AskOrigin.GIVEN, None),
    ]
    assert [s.asks for s in reply.sentences] == [("S2",), ("S1",)]


def test_suggestion_as_one_text_is_split() -> None:
    text = "目前我区公园偏少。为此建议：\n一、加快公园建设，多建口袋公园。\n二、增设路灯，方便夜间出行。"
    asks = NLP("我局已建成公园3个。", suggestion=text).asks
    assert [a.id for a in asks] == ["S1", "S2"]
    assert "公园" in asks[0].text
    assert "路灯" in asks[1].text


def test_given_suggestion_wins_over_what_the_letter_names() -> None:
    text = "一、关于多建公园的建议\n我局已建成公园3个。\n二、关于增设路灯的建议\n将增设路灯。"
    assert len(NLP(text).asks) == 2
    assert [a.text for a in NLP(text, suggestion=["修缮围墙"]).asks] == ["修缮围墙"]


@pytest.mark.parametrize("model", ["cues", "keywords", "majority"])
def test_suggestion_on_the_page_is_never_labelled(model: str) -> None:
    text = (
        "首页 > 建议提案\n标题：关于建公园的建议\n"
        "建议内容：我区已建成公园3个，正在推进绿道建设。将来建议再建公园。\n"
        "答复内容：王代表：您的建议收悉。我局已建成公园5个。下一步，我局将再建2个。\n上一篇：将建成学校\n下一篇：已建成医院"
    )
    reply = commitments.load(model)(text)
    roles = {s.role for s in reply.sentences}
    assert {Role.SUGGESTION, Role.OUTSIDE, Role.BODY} <= roles
    assert {s.role for s in reply.measures} <= {Role.BODY, Role.OPENING}
    assert len(reply.measures) == (0 if model == "majority" else 2)
    assert [a.origin for a in reply.asks] == [AskOrigin.SUGGESTION]


def test_given_date_wins() -> None:
    text = "李代表：\n我局将于年底前完工。\n某市交通局\n2021年6月8日"
    day = datetime.date(2019, 3, 4)
    assert NLP(text).date == datetime.date(2021, 6, 8)
    assert NLP(text, date="2019-03-04").date == NLP(text, date=day).date == day
    assert NLP(text, date=datetime.datetime(2019, 3, 4, 9)).date == day


@pytest.mark.parametrize("text", ["", " \n\u3000\r\n\t", "\ufeff\u200b", "|", "\f\f"])
def test_nothing_gives_nothing(text: str) -> None:
    reply = NLP(text)
    assert reply.text == text
    assert [s.text for s in reply.sentences if s.text.strip(" |")] == []
    assert reply.measures == ()
    assert Reply.from_json(reply.to_json()) == reply


def test_long_text_is_read_whole() -> None:
    one = "一、公园建设情况\n我局已建成公园3个，累计投入5亿元。\n下一步，我局将再建公园2个。\n"
    times = 1_000_000 // len(one)
    reply = NLP(one * times)
    assert len(reply.sentences) == 3 * times
    assert len(reply.pledges) >= 0.9 * times
    assert len(reply.completed) >= 0.9 * times


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (None, {}),
        (b"bytes", {}),
        ("half \ud800 a character", {}),
        (["one", "two"], {}),
        (Path("letter.txt"), {}),
        ("好。", {"suggestion": 5}),
        ("好。", {"suggestion": b"bytes"}),
        ("好。", {"suggestion": ["one", None]}),
        ("好。", {"suggestion": {"one": 1}}),
        ("好。", {"date": "yesterday"}),
        ("好。", {"date": 20230612}),
        ("好。", {"date": "2023-02-30"}),
    ],
)
def test_wrong_types_are_named(text: Any, more: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        NLP(text, **more)


def test_pipe_wants_as_many_of_each() -> None:
    with pytest.raises(SchemaError, match="many letters"):
        list(NLP.pipe("一段文字"))
    with pytest.raises(SchemaError, match="fewer suggestions"):
        list(NLP.pipe(["一", "二"], suggestions=[["甲"]]))
    with pytest.raises(SchemaError, match="more dates"):
        list(NLP.pipe(["一"], dates=["2020-01-01", "2021-01-01"]))
    with pytest.raises(SchemaError):
        list(NLP.pipe(5))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["nothing", "", "models/none", "CUES", None, 5, ["cues"]])
def test_unknown_model_is_named(name: Any) -> None:
    with pytest.raises(ModelError):
        commitments.load(name)


def test_models_differ_in_their_names() -> None:
    names = {commitments.load(name).name for name in ("cues", "keywords", "majority")}
    assert len(names) == 3
    assert NLP("好。").model == NLP.name
    assert Pipeline(NLP.tagger).name == NLP.name
