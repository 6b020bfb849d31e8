"""A reply leaves Python and comes back the same; what was edited wrongly is refused with its place."""

from __future__ import annotations

import copy
import datetime
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from commitments import export, table
from commitments.errors import MissingExtra, SchemaError
from commitments.pipeline import Pipeline
from commitments.reply import Reply
from commitments.terms import Status


def test_dict_and_json_bring_back_the_same_reply(reply: Reply) -> None:
    assert Reply.from_dict(reply.to_dict()) == reply
    assert Reply.from_json(reply.to_json()) == reply
    assert Reply.from_json(reply.to_json(indent=2)) == reply
    assert Reply.from_dict(json.loads(reply.to_json())) == reply


def test_every_reply_that_the_pipeline_makes_holds_to_the_schema(nlp: Pipeline) -> None:
    gold = Path(__file__).parent.parent / "seeds" / "letters" / "dev.jsonl"
    texts = [json.loads(line)["text"] for line in gold.read_text(encoding="utf-8").splitlines()]
    assert texts
    for read in nlp.pipe(texts):
        assert Reply.from_json(read.to_json()) == read


def test_json_is_one_line_readable_and_plain(reply: Reply) -> None:
    text = reply.to_json()
    assert "\n" not in text
    assert "下一步" in text
    data = json.loads(text)
    assert data["date"] == "2023-06-12"
    assert data["sentences"][2]["status"] == "pledge"


Edit = tuple[str, list[Any], Any]
BROKEN: list[Edit] = [
    ("$.text", ["text"], 3),
    ("$.sentences[1].status", ["sentences", 1, "status"], "done"),
    ("$.sentences[1]", ["sentences", 1, "text"], "别的话。"),
    ("$.sentences[1]", ["sentences", 1, "end"], 10_000),
    ("$.sentences[1]", ["sentences", 1, "start"], -1),
    ("$.sentences[1].confidence", ["sentences", 1, "confidence"], 1.5),
    ("$.sentences[1].section", ["sentences", 1, "section"], 7),
    ("$.sentences[1].link.asks[0]", ["sentences", 1, "link", "asks"], ["S9"]),
    ("$.sentences[2].evidence[0]", ["sentences", 2, "evidence", 0, "text"], "从前"),
    ("$.sentences[2].evidence[0]", ["sentences", 2, "evidence", 0, "start"], None),
    ("$.sentences[2].evidence[0].points", ["sentences", 2, "evidence", 0, "points"], float("inf")),
    ("$.asks[1].id", ["asks", 1, "id"], "S1"),
    ("$.asks[0].spans[0]", ["asks", 0, "spans", 0, "start"], 0),
    ("$.sections[0].index", ["sections", 0, "index"], 4),
    ("$.sections[0].parent", ["sections", 0, "parent"], 0),
    ("$.sections[0]", ["sections", 0, "end"], 10_000),
    ("$.fields['title']", ["fields", "title", "text"], "标题"),
]


@pytest.mark.parametrize(("path", "keys", "value"), BROKEN)
def test_what_does_not_fit_is_refused_with_its_path(
    reply: Reply, path: str, keys: list[Any], value: Any
) -> None:
    data = copy.deepcopy(reply.to_dict())
    place = data
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(SchemaError) as caught:
        Reply.from_dict(data)
    assert path in str(caught.value)


def test_overlapping_sentences_are_refused(reply: Reply) -> None:
    data = reply.to_dict()
    data["sentences"] = [data["sentences"][1], data["sentences"][0]]
    with pytest.raises(SchemaError, match=r"\$\.sentences\[1\]: starts at"):
        Reply.from_dict(data)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"text": 1}', "{}", "[" * 100_000, b"\xff\xfe{", '{"text": "a", "date": "soon"}']
)
def test_what_is_no_reply_is_a_schema_error(text: str | bytes) -> None:
    with pytest.raises(SchemaError):
        export.from_json(text)


def test_half_a_surrogate_is_a_schema_error() -> None:
    with pytest.raises(SchemaError, match="surrogate"):
        export.to_json(Reply(text="\ud800"))


def test_rows_have_the_documented_columns(reply: Reply) -> None:
    rows = table.rows(reply)
    assert all(list(row) == list(table.COLUMNS) for row in rows)
    pledge = rows[2]
    assert pledge["sentence"] == 3
    assert pledge["status"] == "pledge"
    assert pledge["also"] == ["ongoing"]
    assert pledge["asks"] == ["S1", "S2"]  # "*" spelled out
    assert pledge["section"] == "关于建公园的建议"
    assert (pledge["rule"], pledge["evidence"], pledge["how"]) == ("P001", "下一步", "cue")
    assert pledge["date"] == datetime.date(2023, 6, 12)
    assert rows[0]["asks"] == []


def test_frame_can_be_counted_and_exploded(reply: Reply) -> None:
    pytest.importorskip("pandas")
    frame = table.to_frame(reply, reply)
    assert len(frame) == 2 * len(reply.sentences)
    assert list(frame.columns) == list(table.COLUMNS)
    assert list(frame["status"].cat.categories) == [s.value for s in Status]
    assert frame["date"].dt.year.unique().tolist() == [2023]
    answered = frame.explode("asks").groupby("asks").size().to_dict()
    assert answered == {"S1": 4, "S2": 2}
    assert reply.to_frame()["sentence"].tolist() == [1, 2, 3]


def test_frame_of_nothing_has_the_columns() -> None:
    pytest.importorskip("pandas")
    assert list(table.to_frame().columns) == list(table.COLUMNS)


def test_frame_without_pandas_names_the_extra(reply: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"commitments\[pandas\]"):
        reply.to_frame()
