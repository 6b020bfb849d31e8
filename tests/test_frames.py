"""Columns of pandas and polars give the rows of the pipeline, joined to the letters that they came from."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

import commitments  # noqa: E402
from commitments import table  # noqa: E402
from commitments.errors import MissingExtra, SchemaError  # noqa: E402

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
    with pytest.raises(SchemaError, match="there are 2 columns 'words'"):
        commitments.tag_frame(pd.concat([frame, frame], axis=1), text="words", nlp=nlp)
    pl = pytest.importorskip("polars")
    with pytest.raises(SchemaError, match=r"collect\(\) it first"):
        commitments.tag_frame(pl.LazyFrame({"reply": TEXTS[:1]}), nlp=nlp)


def test_offsets_are_those_of_the_text_in_the_cell(nlp: commitments.Pipeline) -> None:
    text = "\ufeff\u3000\u3000Ａ局将\r\n建公园３个。\r\n已建成&nbsp;桥1座。"
    tagged = commitments.tag_frame(pd.DataFrame({"reply": [text]}), nlp=nlp)
    assert tagged["text"].str.contains("建公园３个").any()
    assert [text[s:e] for s, e in tagged[["start", "end"]].to_numpy()] == list(tagged["text"])


def test_cells_may_be_what_files_and_numpy_make_of_them(nlp: commitments.Pipeline, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"reply": ["将建公园。"] * 2, "message": [["建公园", None], None]},
        index=pd.MultiIndex.from_product([["甲"], [2022, 2023]]),
    )
    frame.to_parquet(tmp_path / "a.parquet")
    again = pd.read_parquet(tmp_path / "a.parquet")
    assert type(again["message"].iloc[0]).__name__ == "ndarray"
    for given in (frame, again):
        tagged = commitments.tag_frame(given, level="reply", columns=["name", "ask_texts"], nlp=nlp)
        assert tagged["ask_texts"].tolist() == [["建公园"], []]
        assert list(tagged["name"]) == ["甲, 2022", "甲, 2023"]
        assert tagged.index.equals(given.index)
    numbered = commitments.tag_frame(pd.DataFrame({0: ["将建公园。"]}), text="0", columns="status", nlp=nlp)
    assert numbered["status"].tolist() == ["pledge"]


def test_a_letter_without_rows_and_a_frame_without_letters(nlp: commitments.Pipeline) -> None:
    days = pd.to_datetime(["2023-01-01", "2023-01-02"])
    frame = pd.DataFrame({"reply": ["您好。", "将建公园。"]}, index=days)
    tagged = commitments.tag_frame(frame, level="measure", nlp=nlp)
    assert list(tagged.index) == [days[1]]
    assert commitments.tag_frame(frame[:0], nlp=nlp).shape == (0, len(table.COLUMNS) + 1)


def _without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(sys.modules, "commitments.frames")
    monkeypatch.delattr(commitments, "frames")


def test_without_pandas_the_extra_is_named(
    nlp: commitments.Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module("commitments.frames")
    frame = pd.DataFrame({"reply": ["将建公园。"]})
    _without_pandas(monkeypatch)
    for call in (lambda: commitments.tag_frame(frame, nlp=nlp), lambda: commitments.concat(nlp.pipe([]))):
        with pytest.raises(MissingExtra, match=r"commitments\[pandas\]"):
            call()


_POLARS_ALONE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import polars, commitments
frame = polars.DataFrame({"reply": ["将建公园。", None]})
tagged = commitments.tag_frame(frame, model="cues")
print(tagged["status"].to_list(), "pandas" in sys.modules)
"""


def test_polars_needs_no_pandas() -> None:
    pytest.importorskip("polars")
    command = [sys.executable, "-X", "utf8", "-c", _POLARS_ALONE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.stdout == "['pledge', None] False\n", done.stderr
