"""Two models one after another: each sentence is decided by the one whose turn it is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import commitments
from commitments import corpus, models
from commitments.errors import ModelError
from commitments.pipeline import Pipeline
from commitments.reply import Reply
from commitments.tag import READ_ROLES
from commitments.tag.cascade import Cascade, CascadeConfig
from commitments.tag.encoder import Encoder
from commitments.terms import Role
from commitments.train import cascade

QUICK, EXACT = (Encoder(models.find(name)) for name in ("fast", "base"))


def deciders(reply: Reply) -> set[str]:
    return {s.evidence[0].rule for s in reply.sentences if s.role in READ_ROLES}


def test_the_threshold_says_who_decides(seed_text: str) -> None:
    quick = Pipeline(QUICK)(seed_text)
    none, some, every = (Pipeline(Cascade(QUICK, EXACT, t))(seed_text) for t in (0.0, 0.8, 1.1))
    assert [s.status for s in none.sentences] == [s.status for s in quick.sentences]
    assert deciders(none) == {QUICK.label}
    assert deciders(some) == {QUICK.label, EXACT.label}
    assert deciders(every) == {EXACT.label}
    for s, first in zip(some.sentences, quick.sentences, strict=True):
        if s.role in READ_ROLES:
            sure = first.confidence >= 0.8
            assert s.evidence[0].rule == (QUICK.label if sure else EXACT.label)
            assert not sure or s.status is first.status


def test_the_words_that_moved_a_decision_are_told_by_the_model_that_made_it(seed_text: str) -> None:
    nlp = Pipeline(Cascade(QUICK, EXACT, 0.8))
    reply = nlp(seed_text)
    for label, name in ((QUICK.label, "fast"), (EXACT.label, "base")):
        number = next(
            n
            for n, s in enumerate(reply.sentences, 1)
            if s.role is Role.BODY and s.evidence[0].rule == label and nlp.explain(seed_text, n).moved
        )
        assert {e.rule for e in nlp.explain(seed_text, number).moved} == {name}


def test_a_cascade_is_made_by_the_command_loaded_and_refused_when_its_models_change(tmp_path: Path) -> None:
    gold = tmp_path / "dev.jsonl"
    corpus.dump(corpus.load(Path(__file__).parent.parent / "seeds" / "letters" / "dev.jsonl")[:3], gold)
    assert cascade.main([str(gold), "--out", str(tmp_path / "both")]) == 0
    nlp = commitments.load(tmp_path / "both")
    assert isinstance(nlp.tagger, Cascade)
    assert nlp.name.startswith("both-")
    config: CascadeConfig = models.find(tmp_path / "both").config(CascadeConfig)
    assert nlp.tagger.threshold == config.threshold
    stale = msgspec.structs.replace(config, second_version="00000000")
    models.write(tmp_path / "both", "both", "cascade", {models.CONFIG: msgspec.json.encode(stale)})
    with pytest.raises(ModelError, match="choose its threshold again"):
        commitments.load(tmp_path / "both")
    assert cascade.main([str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "x")]) == 1


def test_the_lowest_threshold_that_loses_next_to_nothing_is_chosen() -> None:
    documents = corpus.load(Path(__file__).parent.parent / "seeds" / "letters" / "dev.jsonl")[:2]
    threshold, score, _ = cascade.choose(documents, QUICK, EXACT, lose=1.0, thresholds=(0.9, 0.5))
    assert threshold == 0.5
    assert 0 < score <= 1
    assert cascade.choose(documents, QUICK, EXACT, lose=-1.0, thresholds=(0.5,))[0] > 1
