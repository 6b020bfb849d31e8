"""Which sentences are worth correcting first."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

import commitments
from commitments import corpus
from commitments.cli import app
from commitments.exchange import labelstudio, review
from commitments.exchange.review import Item, ReviewConfig
from commitments.pipeline import Pipeline
from commitments.terms import Status

SEEDS = Path(__file__).parent.parent / "seeds"
DEV = SEEDS / "letters" / "dev.jsonl"


@pytest.fixture(scope="module")
def fast() -> Pipeline:
    return commitments.load("fast")


def test_every_item_has_its_reason_and_its_place(fast: Pipeline, seed_text: str) -> None:
    items, said = review.review([seed_text], fast)
    assert items
    assert [*said] == [0]
    rules = {(s.start, s.end): s for s in commitments.load("cues")(seed_text).sentences}
    for item in items:
        unsure, other = item.confidence < 0.8, rules[item.start, item.end].status is not item.status
        assert unsure or other
        assert [reason.split(" ")[0] for reason in item.reasons] == ["unsure:"] * unsure + ["rules"] * other
        assert "".join(seed_text[item.start : item.end].split()) == "".join(item.text.split())
    worths = [item.worth for item in items]
    assert worths == sorted(worths, reverse=True)


def test_the_list_is_the_same_again(fast: Pipeline) -> None:
    texts = [letter.text for letter in corpus.load(DEV)[:6]]
    assert review.review(texts, fast, limit=15) == review.review(texts, fast, limit=15)


def test_the_first_tenth_holds_a_third_of_the_errors(fast: Pipeline) -> None:
    rules = commitments.load("cues")
    right, places, items = {}, 0, []
    for index, letter in enumerate(corpus.load(DEV)):
        reply = fast(letter.text)
        items += review.candidates(reply, rules(letter.text), ReviewConfig(below=1.0), index=index)
        for s in reply.sentences:
            unit = max(letter.units, key=lambda u: min(u.end, s.end) - max(u.start, s.start))
            right[index, s.start] = unit.label is s.status
            places += s.role in review.READ_ROLES
    wrong = sum(not ok for ok in right.values())
    first = review.choose(items, places // 10, ReviewConfig(alike=2.0))
    found = sum(not right[item.index, item.start] for item in first)
    assert wrong >= 20  # else there is nothing to find
    assert found / wrong > 1 / 3  # a tenth, were they taken at random


ONE = Item("a", 0, 1, 0, 9, "我局将新建口袋公园2个。", Status.PLEDGE, 0.5, None, 0.5, ("unsure: 0.50",))


def test_of_sentences_that_say_the_same_the_worthiest_is_kept() -> None:
    again = msgspec.structs.replace(ONE, index=1, text="我局将新建口袋公园13个。", worth=0.6)
    other = msgspec.structs.replace(ONE, index=2, text="下水道改造已经列入计划。", worth=0.1)
    assert review.choose([ONE, again, other], 10) == (again, other)
    assert review.choose([ONE, again, other], 1) == (again,)
    assert review.choose([ONE, again], 10, ReviewConfig(alike=1.1)) == (again, ONE)


def test_letters_come_by_how_much_there_is_to_correct() -> None:
    items = [
        msgspec.structs.replace(ONE, index=i, worth=w) for i, w in ((4, 0.6), (2, 0.4), (2, 0.3), (3, 0.6))
    ]
    assert review.letters(items) == [2, 3, 4]


def test_rules_alone_are_not_compared_with_themselves(nlp: Pipeline) -> None:
    items, _ = review.review(["我局高度重视，积极协调。"], nlp, config=ReviewConfig(below=1.0))
    assert [item.rules for item in items] == [None]


def test_the_command_shows_a_table_json_and_tasks(tmp_path: Path) -> None:
    seed, out = SEEDS / "yangpu-2023-C-064.txt", tmp_path / "tasks.json"
    shown = CliRunner().invoke(app, ["review", str(seed), "-m", "fast", "-n", "3"])
    assert (shown.exit_code, len(shown.output.splitlines())) == (0, 4)
    told = CliRunner().invoke(app, ["review", str(seed), "-m", "fast", "-n", "3", "--json"])
    rows = json.loads(told.output)["sentences"]
    assert len(rows) == 3
    made = CliRunner().invoke(app, ["review", str(seed), "-m", "fast", "-n", "3", "-o", str(out)])
    assert made.exit_code == 0
    (task,) = json.loads(out.read_bytes())
    noted = [r for r in task["predictions"][0]["result"] if "meta" in r]
    assert sorted(r["value"]["start"] for r in noted) == sorted(row["start"] for row in rows)
    # Accepted as it is, it comes back as a gold letter.
    task["annotations"] = [{"result": task["predictions"][0]["result"], "completed_by": 1}]
    out.write_text(json.dumps([task]), encoding="utf-8")
    (letter,) = labelstudio.load(out)
    assert len(letter.units) > 90
    again = CliRunner().invoke(app, ["review", str(seed), "-m", "fast", "-o", str(out)])
    assert again.exit_code == 1


def test_a_letter_that_cannot_be_read_is_told_of() -> None:
    shown = CliRunner().invoke(app, ["review", "nowhere.txt", "-m", "cues"])
    assert shown.exit_code == 1
    assert "nowhere.txt" in shown.output
