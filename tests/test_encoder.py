"""The trained models: what they return can be relied on, whatever the letter and however they are run."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import commitments
from commitments import corpus, evaluate, models, table
from commitments.errors import SchemaError
from commitments.pipeline import Pipeline
from commitments.reply import Reply
from commitments.tag import READ_ROLES
from commitments.tag.cues import Cues
from commitments.tag.encoder import Encoder
from commitments.terms import How, Role, Status

ROOT = Path(__file__).parent.parent
NAMES = list(models.available())
LETTER = (
    "现答复如下：\n一、目前开展的工作\n我局已建成公园3个，正在改造2个。\n"
    "二、下一步打算\n加强宣传引导。\n感谢您的关心！"
)


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> Pipeline:
    """Each trained model."""
    return commitments.load(request.param)


def test_the_seed_letter_is_read_far_better_than_by_keywords(model: Pipeline) -> None:
    gold = corpus.load(ROOT / "seeds" / "yangpu-2023-C-064.gold.jsonl")
    report = evaluate.evaluate({"model": model, "keywords": commitments.load("keywords")}, gold)
    own, keywords = (report.measured.figures[n]["macro_f1"].value or 0 for n in ("model", "keywords"))
    assert own > keywords + 0.1


def test_context_beats_form(model: Pipeline) -> None:
    def status(heading: str) -> Status:
        reply = model(f"现答复如下：\n一、{heading}\n加强宣传引导，加大执法力度。\n")
        return next(s.status for s in reply.sentences if s.text.startswith("加强"))

    assert status("下一步工作打算") is Status.PLEDGE
    assert status("目前开展的工作") is not Status.PLEDGE


def test_offsets_evidence_and_json_hold(model: Pipeline, seed_text: str) -> None:
    reply = model(seed_text)
    for s in reply.sentences:
        assert reply.text[s.start : s.end] == s.text
        assert 0 <= s.confidence <= 1
        assert s.status not in s.also
        for evidence in s.evidence:
            if evidence.start is not None:
                assert reply.text[evidence.start : evidence.end] == evidence.text
    assert all(s.evidence[0].how is How.MODEL for s in reply.measures)
    assert all(s.status is Status.NONE for s in reply.sentences if s.role not in READ_ROLES)
    assert Reply.from_json(reply.to_json()) == reply


def test_a_letter_is_read_the_same_alone_together_and_by_threads(model: Pipeline, seed_text: str) -> None:
    texts = [LETTER, seed_text[:2500], "已建成公园。", LETTER.replace("公园", "学校")]
    alone = [model(text) for text in texts]
    assert list(model.pipe(texts)) == alone
    assert list(model.pipe(reversed(texts))) == alone[::-1]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(model, texts * 2)) == alone * 2


@pytest.mark.parametrize("name", NAMES)
def test_the_number_of_threads_changes_nothing(name: str, seed_text: str) -> None:
    one, two = (commitments.load(name, threads=n)(seed_text) for n in (1, 2))
    assert [s.status for s in one.sentences] == [s.status for s in two.sentences]
    pairs = zip(one.sentences, two.sentences, strict=True)
    assert max(abs(a.confidence - b.confidence) for a, b in pairs) < 1e-5


def test_another_process_reads_the_same(model: Pipeline) -> None:
    code = "import sys, commitments; print(commitments.load(sys.argv[1])(sys.argv[2]).to_json())"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code, model.tagger.name, LETTER],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert Reply.from_json(done.stdout) == model(LETTER)


@pytest.mark.parametrize(
    "text", ["", " \n\t", "。", "，，，", "\u200b", "A7县", "𠮷野家已建成。", "1" * 3000]
)
def test_odd_texts_are_read(model: Pipeline, text: str) -> None:
    reply = model(text)
    assert reply.text == text
    assert all(reply.text[s.start : s.end] == s.text for s in reply.sentences)


@settings(max_examples=15, deadline=None)
@given(st.text(st.sampled_from("公园已将建成。，；：\n 一、（）《》“”A7　"), max_size=200))
def test_any_text_is_read(text: str) -> None:
    reply = QUICK(text)
    assert all(reply.text[s.start : s.end] == s.text for s in reply.sentences)


QUICK = commitments.load("fast")


def test_a_letter_of_many_windows_is_read_to_its_end(model: Pipeline) -> None:
    body = "".join(f"我局已建成公园{n}个。\n下一步，将再建{n}个公园，优化周边环境。\n" for n in range(60))
    reply = model("现答复如下：\n" + body)
    done, planned = (s for s in reply.sentences[-2:])
    assert done.status is Status.COMPLETED
    assert planned.status is Status.PLEDGE
    assert len(reply.measures) >= 110


def test_abstaining_leaves_what_is_unsure_undecided() -> None:
    nlp, careful = commitments.load("fast"), commitments.load("fast", abstain=0.9)
    text = (ROOT / "seeds" / "yangpu-2023-C-064.txt").read_text(encoding="utf-8")
    plain, reply = nlp(text), careful(text)
    assert [s.status for s in plain.sentences] == [s.status for s in reply.sentences]
    assert not plain.undecided
    for s in reply.sentences:
        assert s.undecided == (s.role in READ_ROLES and s.confidence < 0.9)
    assert reply.undecided
    assert not set(reply.undecided) & set(reply.measures)
    assert {*reply.completed, *reply.ongoing, *reply.pledges} == set(reply.measures)
    frame_rows = table.rows(reply)
    assert [row["undecided"] for row in frame_rows] == [s.undecided for s in reply.sentences]
    assert "存疑" in reply.to_html(lang="zh")
    shares = [len(commitments.load("fast", abstain=x)(text).undecided) for x in (0.0, 0.5, 0.8, 0.95, 1.0)]
    assert all(a <= b for a, b in pairwise(shares))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_abstaining_below_no_share_is_refused(value: float) -> None:
    with pytest.raises(SchemaError, match="abstain"):
        commitments.load("fast", abstain=value)


def test_explaining_tells_the_words_that_moved_the_decision(model: Pipeline) -> None:
    text = "我局已建成公园3个。下一步，我局将再建2个。"
    told = model.explain(text, 2)
    assert told.sentence.status is Status.PLEDGE
    assert told.moved
    for evidence in told.moved:
        assert evidence.how is How.OCCLUSION
        assert evidence.start is not None
        assert text[evidence.start : evidence.end] == evidence.text
        assert told.sentence.start <= evidence.start
    points = [abs(e.points) for e in told.moved]
    assert points == sorted(points, reverse=True)
    assert {"下一步", "将"} & {e.text for e in told.moved if e.points > 0}
    assert json.loads(json.dumps(told.to_dict()))["moved"][0]["how"] == "occlusion"


def test_a_sentence_that_its_role_settles_has_no_words_that_moved_it(model: Pipeline) -> None:
    reply = model(LETTER)
    number = next(n for n, s in enumerate(reply.sentences, 1) if s.role is Role.HEADING)
    assert model.explain(LETTER, number).moved == ()


def test_the_version_tells_that_the_cues_have_changed() -> None:
    class Changed(Cues):
        def __init__(self) -> None:
            super().__init__()
            self.version = "changed"

    folder = models.find("fast")
    assert Encoder(folder).version == folder.manifest.version
    assert Encoder(folder, cues=Changed()).version == f"{folder.manifest.version}+cues-changed"


def test_nothing_heavy_is_imported_by_a_trained_model() -> None:
    code = (
        "import commitments, sys; commitments.load()('已建成。');"
        "heavy = {'torch', 'transformers', 'datasets', 'spacy', 'hanlp', 'sklearn', 'pandas'};"
        "print(*heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
