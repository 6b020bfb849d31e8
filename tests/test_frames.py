"""Columns of pandas and polars give the rows of the pipeline, joined to the letters that they came from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

import commitments  # noqa: E402
from commitments import table  # noqa: E402
from commitments.errors import SchemaError  # noqa: E402

ROOT = Path(__file__).parent.parent
LETTERS = [json.loads(line) for line in (ROOT / "seeds/letters/dev.jsonl").read_bytes().splitlines()]
TEXTS = [letter["text"] for letter in LETTERS]


def test_frame_has_the_rows_of_the_pipeline(nlp: commitments.Pipeline) -> None:
    frame = pd.DataFrame({"reply": TEXTS}, index=[letter["id"] for letter in LETTERS])
    tagged = commitments.tag_frame(frame, nlp=nlp)
    whole = commitments.concat(nlp.pipe(TEXTS))
    assert list(tagged.columns) == [*table.COLUMNS, "error"]
    assert tagged["error"].isna().all()
    same = [name for name in table.COLUMNS if name != "name"]
    pd.testing.assert_frame_equal(tagged[same].reset_index(drop=True), whole[same])
    joined = frame.join(tagged)
    assert all(r[s:e] == t for r, s, e, t in joined[["reply", "start", "end", "text"]].to_numpy())


def test_letters_that_say_nothing_keep_their_row(nlp: commitments.Pipeline) -> None:
    replies = pd.Series(
        ["将建公园。", None, float("nan"), "\ud800", "已建成公园。"], index=[7, 7, 8, 9, 9], dtype=object
    )
    tagged = replies.commitments.tag(nlp=nlp, columns=["name", "status"])
    assert list(tagged.index) == [7, 7, 8, 9, 9]
    assert list(tagged["name"]) == ["7", "7", "8", "9", "9"]
    assert list(tagged["error"].notna()) == [False, True, True, True, False]
    assert tagged["status"].value_counts().to_dict() == {"pledge": 1, "completed": 1, "ongoing": 0, "none": 0}


def test_suggestions_and_dates_are_heeded(nlp: commitments.Pipeline) -> None:
    frame = pd.DataFrame(
        {
            "reply": ["年底前建成公园3个。"] * 2,
            "message": [["建公园", "修路"], "请多建公园。"],
            "day": pd.to_datetime(["2023-06-12", None]),
        }
    )
    tagged = commitments.tag_frame(frame, suggestion="message", date="day", level="measure", nlp=nlp)
    assert list(tagged["asks"]) == [["S1"], ["S1"]]
    assert tagged["deadline_end"].iloc[0] == pd.Timestamp("2023-12-31")
    assert pd.isna(tagged["deadline_end"].iloc[1])
    same = frame["reply"].commitments.tag(frame["message"], frame["day"], level="measure", nlp=nlp)
    pd.testing.assert_frame_equal(tagged, same)


def test_a_row_a_letter(nlp: commitments.Pipeline) -> None:
    frame = pd.DataFrame({"reply": TEXTS[:3]})
    tagged = commitments.tag_frame(frame, level="reply", nlp=nlp)
    assert list(tagged["measures"]) == [len(nlp(text).measures) for text in TEXTS[:3]]
    assert tagged["coverage"].dtype == "float64"


def test_polars_gives_what_pandas_gives(nlp: commitments.Pipeline) -> None:
    pl = pytest.importorskip("polars")
    mine = commitments.tag_frame(pl.DataFrame({"reply": [*TEXTS[:5], None]}), nlp=nlp)
    theirs = commitments.tag_frame(pd.DataFrame({"reply": [*TEXTS[:5], None]}), nlp=nlp)
    assert isinstance(mine, pl.DataFrame)
    assert mine.columns == list(theirs.columns)
    for name in ("name", "status", "asks", "deadline", "error"):
        told = [None if isinstance(v, float) else v for v in theirs[name].astype(object)]
        assert mine[name].to_list() == told, name


def test_what_is_no_column_or_no_frame_is_told(nlp: commitments.Pipeline) -> None:
    frame = pd.DataFrame({"words": TEXTS[:1]})
    with pytest.raises(SchemaError, match="text: there is no column 'reply'; there are words"):
        commitments.tag_frame(frame, nlp=nlp)
    with pytest.raises(SchemaError, match="there is no column 'statuses'"):
        commitments.tag_frame(frame, text="words", columns=["statuses"], nlp=nlp)
    with pytest.raises(SchemaError, match="not dict"):
        commitments.tag_frame({"reply": []}, nlp=nlp)
    with pytest.raises(SchemaError, match="2 items for 1 letters"):
        frame["words"].commitments.tag(pd.Series(["a", "b"]), nlp=nlp)
