"""Scores of a reply, and groups of replies compared."""

from __future__ import annotations

import pandas as pd
import pytest

import commitments
from commitments import score
from commitments.errors import SchemaError
from commitments.reply import Reply
from commitments.terms import Status

NLP = commitments.load("cues")
LETTER = (
    "李代表：\n您提出的关于增建幼儿园的建议收悉，现答复如下：\n全市已建成幼儿园12所。\n已完成选址。\n"
    "下一步，由区教育局牵头，2024年底前再建3所。\n今后，我局将探索新的办法。\n感谢您的关心！\n"
)


def test_scores_are_the_counts_that_their_formulas_say() -> None:
    reply = NLP(LETTER, date="2023-06-12")
    found = reply.scores
    done, pledges = reply.completed, reply.pledges
    assert (len(done), len(pledges)) == (2, 2)
    assert found.measures == 4
    assert found.coverage == 1.0
    assert (found.completed, found.ongoing, found.pledge) == (0.5, 0.0, 0.5)
    assert [score.specificity(p) for p in pledges] == [4, 0]
    assert found.specificity == 2.0
    assert (found.dated, found.quantified, found.attributed, found.firm) == (0.5, 0.5, 0.5, 0.5)
    assert found.concreteness == 0.5
    form = sum(len(s.text) for s in reply.sentences if s.role in ("salutation", "opening", "closing"))
    body = sum(len(s.text) for s in reply.sentences if s.role == "body")
    assert found.boilerplate == form / (form + body)


def test_what_cannot_be_counted_is_none() -> None:
    found = Reply(text="").scores
    assert found.measures == 0
    assert all(getattr(found, name) is None for name in found.__struct_fields__[1:])


def test_frame_has_one_row_a_reply() -> None:
    table = score.frame([NLP(LETTER), Reply(text="")])
    assert len(table) == 2
    assert list(table.columns)[-len(score.Scores.__struct_fields__) :] == list(score.Scores.__struct_fields__)
    assert table["pledge"].isna().tolist() == [False, True]


def _table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["a", "a", "b", "c", "d", "e"],
            "agency": ["甲", "甲", "甲", "乙", "乙", None],
            "year": [2020, 2020, 2021, 2020, 2020, 2020],
            "firm": [1.0, 0.0, 0.0, 1.0, 1.0, None],
        }
    )


def test_compare_averages_within_a_letter_first() -> None:
    told = score.compare(_table(), by="agency").set_index("agency")
    assert told.loc["甲", "mean"] == 0.25  # letters a (0.5) and b (0.0), not three rows
    assert told.loc["甲", "letters"] == 2
    assert told.loc["甲", "low"] <= 0.25 <= told.loc["甲", "high"]
    assert told.loc["乙", ["low", "mean", "high"]].tolist() == [1.0, 1.0, 1.0]


def test_compare_groups_by_several_columns_and_by_what_is_made_of_them() -> None:
    by_two = score.compare(_table(), by=["agency", "year"])
    assert by_two[["agency", "year"]].to_numpy().tolist() == [["乙", 2020], ["甲", 2020], ["甲", 2021]]
    decades = score.compare(_table(), by=lambda table: table["year"] // 10 * 10)
    assert decades["group"].tolist() == [2020]


def test_compare_is_the_same_every_time_and_names_what_is_missing() -> None:
    once, again = (score.compare(_table(), by="agency", resamples=50) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)
    with pytest.raises(SchemaError, match="no column 'province'"):
        score.compare(_table(), by="province")


def test_intervals_cover_the_mean_about_as_often_as_they_say() -> None:
    import random

    lot = random.Random(1)
    hits = 0
    for trial in range(120):
        rows = [lot.random() for _ in range(40)]
        table = pd.DataFrame({"agency": "甲", "firm": rows})
        row = score.compare(table, by="agency", resamples=300, seed=trial).iloc[0]
        hits += row["low"] <= 0.5 <= row["high"]
    assert hits >= 0.87 * 120


def test_of_measures_the_frame_can_be_compared_too() -> None:
    from commitments.table import to_frame

    table = to_frame(NLP(LETTER), level="measure").assign(
        is_firm=lambda t: (t["strength"] == "firm").astype(float)
    )
    told = score.compare(table[table["status"] == Status.PLEDGE.value], by="status", columns=["is_firm"])
    assert told.loc[told["status"] == "pledge", "mean"].tolist() == [0.5]
