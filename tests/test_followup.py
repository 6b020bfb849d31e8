"""What later letters say of earlier pledges: the rules, the page and the command."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import commitments
from commitments import corpus, followup_metrics, followup_view, letters
from commitments.cli import app
from commitments.errors import SchemaError
from commitments.followup import Followup, FollowupConfig, Relation, followup
from commitments.reply import Reply

NLP = commitments.load("cues")
BEFORE = (
    "下一步，我局将在滨江路新建口袋公园2个。\n今后，我局将于2022年底前建成凤山规模化水厂。\n"
    "下一步，我局将推动各县修订水价。\n下一步，我局将在老街设立共享图书角。\n今后，我局将增设夜间巡逻岗亭。"
)
AFTER = (
    "去年以来，滨江路口袋公园已全部建成开放。\n凤山规模化水厂因用地报批周期长，未能如期建成。\n"
    "下一步，我局将继续推动各县修订水价。\n目前，老街共享图书角正在装修布置。\n我局已完成河道清淤3公里。"
)


def _found() -> Followup:
    before = NLP(BEFORE, date="2022-05-10")
    after = NLP(AFTER, date="2023-06-01")
    return followup(before, after)


def test_each_relation_is_told() -> None:
    found = _found()
    assert [p.outcome for p in found.pledges] == [
        Relation.FULFILS,
        Relation.CONTRADICTS,
        Relation.REPEATS,
        Relation.CONTINUES,
        None,
    ]
    assert found.count() == {"fulfils": 1, "continues": 1, "repeats": 1, "contradicts": 1, "none": 1}
    for p in found.pledges:
        for c in p.candidates:
            assert 0 < c.score <= 1
            assert c.reason
            assert AFTER[AFTER.index(c.place.text) :].startswith(c.place.text)


def test_overdue_and_repeated_pledges_are_listed() -> None:
    found = _found()
    assert [p.pledge.text for p in found.overdue] == ["今后，我局将于2022年底前建成凤山规模化水厂。"]
    assert found.overdue[0].deadline is not None
    assert found.overdue[0].deadline.end == datetime.date(2022, 12, 31)
    assert [p.times for p in found.repeated] == [2]


def test_a_pledge_is_not_looked_for_in_what_is_older() -> None:
    before, after = NLP(BEFORE, date="2022-05-10"), NLP(AFTER, date="2021-06-01")
    assert followup(before, after).count()["none"] == len(before.pledges)


def test_a_higher_bar_proposes_less() -> None:
    before, after = NLP(BEFORE), NLP(AFTER)
    counts = [
        sum(len(p.candidates) for p in followup(before, after, FollowupConfig(least=least)).pledges)
        for least in (0.0, 0.2, 0.5, 1.0)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 0


def test_order_of_the_documents_does_not_matter_for_a_pledge() -> None:
    one, two = NLP(BEFORE, date="2022-05-10"), NLP("今后，我局将修建跨江大桥。", date="2022-06-10")
    after = NLP(AFTER, date="2023-06-01")
    a = {p.pledge.text: p.outcome for p in followup([one, two], after).pledges}
    b = {p.pledge.text: p.outcome for p in followup([two, one], after).pledges}
    assert a == b


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(SchemaError):
        followup([], Reply(text=""))
    with pytest.raises(SchemaError):
        followup(Reply(text=""), [])
    assert followup(Reply(text=""), Reply(text="")).pledges == ()


def test_page_is_inert_and_holds_everything() -> None:
    found = _found()
    for lang in ("en", "zh"):
        page = followup_view.page(found, lang=lang)  # type: ignore[arg-type]
        assert "<script" not in page
        assert "default-src 'none'" in page
        for p in found.pledges:
            assert p.pledge.text in page
    hostile = followup(NLP("下一步，我局将新建<img src=x onerror=alert(1)>公园滨江路段。"), NLP(AFTER))
    assert "<img" not in followup_view.page(hostile)
    with pytest.raises(ValueError, match="lang"):
        followup_view.page(found, lang="fr")  # type: ignore[arg-type]


def test_command(tmp_path: Path) -> None:
    before, after, page = tmp_path / "2022.txt", tmp_path / "2023.txt", tmp_path / "kept.html"
    before.write_text(BEFORE + "\n某局\n2022年5月10日", encoding="utf-8")
    after.write_text(AFTER + "\n某局\n2023年6月1日", encoding="utf-8")
    run = CliRunner().invoke(app, ["followup", str(before), "--later", str(after), "-m", "cues"])
    assert run.exit_code == 0
    assert "fulfils" in run.output
    assert "OVERDUE" in run.output
    told = CliRunner().invoke(app, ["followup", str(before), "--later", str(after), "-m", "cues", "--json"])
    assert len(json.loads(told.stdout)["pledges"]) == 5
    args = ["followup", str(before), "--later", str(after), "-m", "cues", "--html", str(page), "--lang", "zh"]
    assert CliRunner().invoke(app, args).exit_code == 0
    assert "承诺跟踪" in page.read_text(encoding="utf-8")


def test_command_names_what_cannot_be_read(tmp_path: Path) -> None:
    later = tmp_path / "later.txt"
    later.write_text(AFTER, encoding="utf-8")
    run = CliRunner().invoke(app, ["followup", str(tmp_path / "no.txt"), "--later", str(later), "-m", "cues"])
    assert run.exit_code == 1
    assert "no.txt" in run.output


SEEDS = Path(__file__).parent.parent / "seeds"
LETTERS = [SEEDS / part / f"{side}.jsonl" for part in ("letters", "followup") for side in ("dev", "test")]


def _documents() -> dict[str, corpus.GoldDocument]:
    return {d.id: d for path in (*LETTERS, SEEDS / "letters" / "train.jsonl") for d in corpus.load(path)}


@pytest.mark.parametrize("side", ["dev", "test"])
def test_pairs_fit_their_letters(side: str) -> None:
    documents = _documents()
    pairs = followup_metrics.load(SEEDS / "followup" / f"{side}.pairs.jsonl")
    assert len({(p.earlier, p.later, p.pledge) for p in pairs}) == len(pairs)
    for earlier, later in {(p.earlier, p.later) for p in pairs}:
        assert documents[later].follows == earlier
        pledges = {i for i, u in enumerate(documents[earlier].units) if "pledge" in (u.label, *u.also)}
        assert {p.pledge for p in pairs if p.earlier == earlier} == pledges
    for pair in pairs:
        for answer in pair.answers:
            unit = documents[pair.later].units[answer.unit]
            if answer.relation is Relation.REPEATS:
                assert "pledge" in (unit.label, *unit.also)


def test_the_jsonl_is_what_the_sources_make() -> None:
    for side, documents in letters.build(SEEDS / "followup").items():
        path = SEEDS / "followup" / f"{side}.jsonl"
        assert path.exists() == bool(documents)
        if documents:
            assert corpus.load(path) == documents or list(corpus.load(path)) == list(documents)


def test_pairs_made_by_hand_are_found() -> None:
    pairs = followup_metrics.load(SEEDS / "followup" / "dev.pairs.jsonl")
    told = followup_metrics.measure(pairs, _documents(), NLP, statuses="gold")
    # What the project stands by; the exact figures are in the README.
    assert told.recall > 0.6
    assert told.precision > 0.88
    assert told.relation > 0.8


def test_wrong_pairs_are_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"earlier": "a"}\n', encoding="utf-8")
    with pytest.raises(SchemaError, match=r"pairs\.jsonl:1"):
        followup_metrics.load(path)
