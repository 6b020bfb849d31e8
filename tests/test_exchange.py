"""Exchange with annotation tools: there and back whole, what people do in between, and what is refused."""

from __future__ import annotations

import json
import random
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import commitments
from commitments import corpus, exchange
from commitments.cli import app
from commitments.corpus import GoldAsk, GoldDocument, GoldSpan, GoldUnit
from commitments.errors import SchemaError
from commitments.exchange import doccano, labelstudio, standoff
from commitments.terms import Kind, Status

SEEDS = Path(__file__).parent.parent / "seeds"
FILES = [
    SEEDS / "yangpu-2023-C-064.gold.jsonl",
    *(SEEDS / "letters" / f"{side}.jsonl" for side in corpus.SIDES),
    SEEDS / "followup" / "dev.jsonl",
]

LETTER = GoldDocument(
    id="a/1",
    text="🚌 李代表：\n已修路2公里，\n还将绿化。年底前通车。\n𠮷祥镇。",
    asks=(GoldAsk("S1", "修路", "in_progress"), GoldAsk("S2", "通车")),
    units=(
        GoldUnit(0, 6, Status.NONE),
        GoldUnit(
            7,
            20,
            Status.PLEDGE,
            (Status.COMPLETED,),
            ("S1",),
            "firm",
            (GoldSpan("quantity", 10, 13, "2公里"),),
        ),
        GoldUnit(20, 26, Status.PLEDGE, (), ("*",), "soft", (GoldSpan("deadline", 20, 23, "年底前"),)),
        GoldUnit(27, 31, Status.NONE),
    ),
    kind=Kind.PROPOSAL,
    date="2024-05-06",
    title="答复",
)


def through_labelstudio(letters: tuple[GoldDocument, ...], folder: Path) -> list[GoldDocument]:
    file = folder / "tasks.json"
    file.write_text(labelstudio.dumps(map(labelstudio.task, letters)), encoding="utf-8")
    return list(labelstudio.load(file))


def through_doccano(letters: tuple[GoldDocument, ...], folder: Path) -> list[GoldDocument]:
    file = folder / "letters.jsonl"
    file.write_text(doccano.dumps(letters), encoding="utf-8", newline="")
    return list(doccano.load(file))


def through_brat(letters: tuple[GoldDocument, ...], folder: Path) -> list[GoldDocument]:
    for name, content in standoff.files(letters).items():
        (folder / name).write_text(content, encoding="utf-8", newline="")
    return list(standoff.load(folder))


WAYS = [through_labelstudio, through_doccano, through_brat]


def by_id(letters: Any) -> list[GoldDocument]:
    return sorted(letters, key=lambda letter: letter.id)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.parent.name + "-" + path.stem)
def test_every_seed_letter_comes_back_as_it_went(file: Path, way: Callable[..., Any], tmp_path: Path) -> None:
    letters = corpus.load(file)
    assert by_id(way(letters, tmp_path)) == by_id(letters)


@pytest.mark.parametrize("way", WAYS)
def test_characters_beyond_the_first_plane_shift_nothing(way: Callable[..., Any], tmp_path: Path) -> None:
    assert way((LETTER,), tmp_path) == [LETTER]


@st.composite
def gold_letters(draw: st.DrawFn) -> GoldDocument:
    """Letters of odd characters, whose units have no white space at the edges."""
    asks = tuple(
        GoldAsk(name, draw(st.text('路\n\t"', max_size=3)))
        for name in draw(st.lists(st.sampled_from(["S1", "S2", "x y", "all", "1"]), unique=True, max_size=3))
    )
    words = st.text(st.sampled_from("路桥🚌𠮷a\n\r\t \u2028\u0085;\\<&\"'\u0301\ufeff"), max_size=6)
    text, units = draw(words), []
    for _ in range(draw(st.integers(0, 4))):
        inner = "字" + draw(words) + "。"
        start, end = len(text), len(text) + len(inner)
        text += inner + draw(words)
        statuses = draw(st.lists(st.sampled_from([*Status]), unique=True, min_size=1, max_size=3))
        links = draw(st.lists(st.sampled_from([*(ask.id for ask in asks), "*"]), unique=True, max_size=2))
        spans = []
        if draw(st.booleans()):
            spans.append(GoldSpan(draw(st.sampled_from(exchange.SPAN_KINDS)), start, end, inner))
        links = links if set(statuses) != {Status.NONE} else []
        strength = draw(st.sampled_from([None, "firm", "soft"] if Status.PLEDGE in statuses else [None]))
        units.append(
            GoldUnit(start, end, statuses[0], tuple(statuses[1:]), tuple(links), strength, tuple(spans))
        )
    return GoldDocument(
        draw(st.text(min_size=1, max_size=5)), text, asks, tuple(units), title=draw(words) or None
    )


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(letter=gold_letters())
def test_any_letter_comes_back_as_it_went(
    way: Callable[..., Any], letter: GoldDocument, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert way((letter,), tmp_path_factory.mktemp("there")) == [letter]


def test_regions_that_count_utf16_are_found_out_by_their_words(tmp_path: Path) -> None:
    row = labelstudio.task(LETTER, counting="utf16")
    assert row["annotations"][0]["result"][1]["value"]["start"] == 8  # one more than in characters
    file = tmp_path / "old.json"
    file.write_text(labelstudio.dumps([row]), encoding="utf-8")
    notes: list[str] = []
    assert list(labelstudio.load(file, note=notes.append)) == [LETTER]
    assert notes == [f"{file}: task at $[0]: its offsets count UTF-16 code units"]


# What people do to a task: a change of the annotation's result, and what is then read.
def _result(row: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = row["annotations"][0]["result"]
    return found


def _saved(row: dict[str, Any], folder: Path) -> Path:
    file = folder / "edited.json"
    file.write_text(json.dumps([row], ensure_ascii=False), encoding="utf-8")
    return file


PLAIN = GoldDocument(
    "p",
    "李代表：\n已修路2公里。年底前通车。",
    (GoldAsk("S1", "修路"),),
    (
        GoldUnit(0, 4, Status.NONE),
        GoldUnit(5, 12, Status.COMPLETED, links=("S1",), spans=(GoldSpan("quantity", 8, 11, "2公里"),)),
        GoldUnit(12, 18, Status.PLEDGE, strength="firm"),
    ),
)


def test_regions_are_moved_deleted_added_and_relabelled(tmp_path: Path) -> None:
    row = labelstudio.task(PLAIN)
    result = [r for r in _result(row) if r["id"] != "u0"]  # deleted
    first = next(r for r in result if r["id"] == "u1" and r["type"] == "labels")
    # Moved over the line break before it; Label Studio writes that break as \n in two characters.
    first["value"] |= {"start": 4, "text": "\\n已修路2公里。", "labels": ["ongoing"]}
    # A new region, drawn in the middle of a sentence, and what is meant for other tools.
    new = {"id": "hand", "from_name": "status", "to_name": "text", "type": "labels", "origin": "manual"}
    result.append({**new, "value": {"start": 0, "end": 3, "text": "李代表", "labels": ["none"]}})
    result.append({"type": "relation", "from_id": "u1", "to_id": "hand", "direction": "right"})
    result.append(
        {"from_name": "quality", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}
    )
    row["annotations"][0]["result"] = result
    (letter,) = labelstudio.load(_saved(row, tmp_path))
    assert [(u.start, u.end, u.label, u.links) for u in letter.units] == [
        (0, 3, Status.NONE, ()),
        (5, 12, Status.ONGOING, ("S1",)),
        (12, 18, Status.PLEDGE, ()),
    ]
    assert letter.units[1].spans == PLAIN.units[1].spans


def test_links_and_strength_do_not_outlive_their_status(tmp_path: Path) -> None:
    row = labelstudio.task(PLAIN)
    for region in _result(row):
        if region["from_name"] == "status":
            region["value"]["labels"] = ["none"]
    notes: list[str] = []
    (letter,) = labelstudio.load(_saved(row, tmp_path), note=notes.append)
    assert [(u.label, u.links, u.strength) for u in letter.units] == [(Status.NONE, (), None)] * 3
    assert [note.rsplit("' ", 1)[1] for note in notes] == [
        "is none: it answers no ask",
        "is no pledge: it has no strength",
    ]


def test_an_attribute_whose_sentence_was_deleted_is_left_out_and_told(tmp_path: Path) -> None:
    row = labelstudio.task(PLAIN)
    row["annotations"][0]["result"] = [r for r in _result(row) if r["id"] != "u1"]
    notes: list[str] = []
    (letter,) = labelstudio.load(_saved(row, tmp_path), note=notes.append)
    assert len(letter.units) == 2
    assert notes
    assert notes[0].endswith("left out the quantity '2公里' [8, 11): it lies in no labelled sentence")


@pytest.mark.parametrize(
    ("start", "end", "label", "message"),
    [
        (5, 12, "pledge", "is labelled twice, completed and pledge"),
        (10, 14, "pledge", "overlaps sentence u1 [5, 12)"),
        (0, 99, "none", "region new: [0, 99) is no part of a text of 18 characters"),
        (-1, 4, "none", "region new: [-1, 4) is no part of"),
        (4, 4, "none", "region new: [4, 4) is no part of"),
        (12, 18, "deadline", None),
        (10, 14, "deadline", "crosses the edge of sentence u1"),
    ],
)
def test_what_cannot_be_put_right_names_file_task_and_region(
    start: int, end: int, label: str, message: str | None, tmp_path: Path
) -> None:
    row = {**labelstudio.task(PLAIN), "id": 71}
    value = {"start": start, "end": end, "labels": [label]}
    _result(row).append({"id": "new", "from_name": "x", "to_name": "text", "type": "labels", "value": value})
    file = _saved(row, tmp_path)
    if message is None:
        assert next(iter(labelstudio.load(file))).units[2].spans[0].text == "年底前通车。"
        return
    with pytest.raises(SchemaError) as caught:
        list(labelstudio.load(file))
    assert str(caught.value).startswith(f"{file}: task 71: ")
    assert message in str(caught.value)


def test_a_region_that_does_not_fit_its_words_is_refused(tmp_path: Path) -> None:
    row = labelstudio.task(PLAIN)
    _result(row)[0]["value"]["start"] += 1
    with pytest.raises(
        SchemaError, match=r"task at \$\[0\]: region u0: says '李代表：', but the text has '代表：'"
    ):
        list(labelstudio.load(_saved(row, tmp_path)))


def test_the_annotation_is_that_of_the_annotator_or_the_last(tmp_path: Path) -> None:
    row = labelstudio.task(PLAIN)
    base = row["annotations"][0]["result"]

    def by(who: object, label: str, **more: object) -> dict[str, Any]:
        result = json.loads(json.dumps(base))
        result[0]["value"]["labels"] = [label]
        return {"result": result, "completed_by": who, **more}

    row["annotations"] = [
        by(3, "ongoing", id=8, updated_at="2024-05-02T10:00:00Z"),
        by({"id": 4, "email": "li@example.org"}, "pledge", id=9, updated_at="2024-05-01T10:00:00Z"),
        by(5, "completed", id=10, updated_at="2024-06-01T10:00:00Z", was_cancelled=True),
    ]
    file = _saved(row, tmp_path)
    notes: list[str] = []

    def first(**how: Any) -> Status:
        return next(iter(labelstudio.load(file, note=notes.append, **how))).units[0].label

    assert first() is Status.ONGOING
    assert notes == [f"{file}: task at $[0]: took annotation 8 by 3, the last of 2"]
    assert first(annotator="li@example.org") is Status.PLEDGE
    assert first(annotator="3") is Status.ONGOING
    assert list(labelstudio.load(file, annotator="nobody", note=notes.append)) == []
    assert notes[-1].endswith("passed over: it has no annotation by nobody but cancelled ones")
    row["annotations"][1]["ground_truth"] = True
    file = _saved(row, tmp_path)
    assert first() is Status.PLEDGE


def test_a_wrong_letter_does_not_keep_the_others_back(tmp_path: Path) -> None:
    rows = [
        labelstudio.task(PLAIN),
        {"data": {"text": 5}, "id": 2},
        labelstudio.task(PLAIN),
        {"text": "a", "id": 4},
    ]
    file = tmp_path / "tasks.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    errors: list[str] = []
    found = list(labelstudio.load(file, on_error=lambda _, error: errors.append(str(error))))
    assert found == [PLAIN]
    assert errors == [
        f"{file}: task 2: has no text - at `$.data.text`",
        f"{file}: task at $[2]: letter 'p' is task at $[0] already",
        f"{file}: task 4: Object missing required field `data`; this looks like JSON-MIN: export as JSON",
    ]


def test_the_config_offers_all_labels_and_asks() -> None:
    root = ElementTree.fromstring(labelstudio.config([LETTER]))
    labels = {label.get("value") for label in root.iter("Label")}
    assert labels == {s.value for s in Status} | set(exchange.SPAN_KINDS)
    asks = next(choices for choices in root.iter("Choices") if choices.get("name") == "asks")
    assert [choice.get("value") for choice in asks] == ["S1", "S2", "*"]
    controls = {e.get("name"): e.tag for e in root.iter() if e.get("toName")}
    used = {(r["from_name"], r["type"]) for r in labelstudio.task(LETTER)["annotations"][0]["result"]}
    assert used <= {(name, tag.lower()) for name, tag in controls.items()}


def test_doccano_hands_links_on_to_sentences_that_moved(tmp_path: Path) -> None:
    row = json.loads(doccano.line(PLAIN))
    row["label"] = [[5, 11, "ongoing"], [8, 11, "quantity"], [12, 15, "pledge"], [15, 18, "pledge"]]
    row["id"] = 4711  # doccano's own
    file = tmp_path / "admin.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    (letter,) = doccano.load(file)
    assert letter.id == "p"
    assert [(u.label, u.links, u.strength) for u in letter.units] == [
        (Status.ONGOING, ("S1",), None),
        (Status.PLEDGE, ("S1",), "firm"),
        (Status.PLEDGE, ("S1",), "firm"),
    ]


def test_doccano_with_relations_and_without_what_travels_along(tmp_path: Path) -> None:
    entity = {"id": 1, "label": "未来承诺", "start_offset": 2, "end_offset": 6}
    row = {"id": 12, "text": "🚌将通车。", "entities": [entity], "relations": [], "Comments": []}
    file = tmp_path / "all.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    (letter,) = doccano.load(file)
    assert (letter.id, letter.text[letter.units[0].start :]) == ("12", "将通车。")
    with pytest.raises(SchemaError, match=r"all\.jsonl:1: .*is no part of a text of 5"):
        list(doccano.load(file, counting="chars"))


def test_doccano_tells_when_the_text_was_changed(tmp_path: Path) -> None:
    row = json.loads(doccano.line(PLAIN)) | {"text": PLAIN.text.strip("。")}
    file = tmp_path / "all.jsonl"
    file.write_text("\n" + json.dumps(row), encoding="utf-8")
    with pytest.raises(SchemaError, match=r"all\.jsonl:2: the text is not the one that was exported"):
        list(doccano.load(file))


def test_brat_fragments_names_and_config(tmp_path: Path) -> None:
    files = standoff.files([LETTER, msgspec.structs.replace(LETTER, id="A_1"), PLAIN])
    assert {"a_1.ann", "A_1-2.ann", "p.ann"} <= files.keys()
    assert "T2\tpledge 7 14;15 20\t已修路2公里， 还将绿化。\n" in files["a_1.ann"]
    assert "Answers_2\tArg:completed|ongoing|pledge|none\n" in files["annotation.conf"]
    assert not [name for name in standoff.files([GoldDocument("../../etc/x", "好。", (), ())]) if "/" in name]


def test_brat_without_headers_numbers_the_asks(tmp_path: Path) -> None:
    through_brat((PLAIN,), tmp_path)
    (tmp_path / standoff.HEADERS).unlink()
    notes: list[str] = []
    (letter,) = standoff.load(tmp_path, note=notes.append)
    assert (letter.id, letter.units, letter.asks) == ("p", PLAIN.units, (GoldAsk("S1", ""),))
    assert len(notes) == 1
    (tmp_path / "p.ann").unlink()
    assert list(standoff.load(tmp_path, note=notes.append)) == []
    assert "passed over" in notes[1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T9\tpledge 0 3", ":1: expected id, place and words"),
        ("T9\tpledge 0 3\t别的话", ":1: says '别的话', but the text has '李代表' there"),
        ("T9\tpledge 3 99\t李", ":1: [3, 99) is no part of a text of 18"),
        ("T9\tpledge 0 1;2 3\t李 表", ":1: has a gap at [1, 2)"),
        ("T9\tpledge x y\t李", ":1: expected a type and offsets"),
        ("T9\tPerson 0 3\t李代表", ": T9: 'Person' is neither a status nor a kind"),
        ("A9\tStrength T77 firm", ": Strength T77: there is no T77"),
        ("A1\tStrength T9 hard\nT9\tpledge 0 3\t李代表", ": Strength T9: expected firm or soft, got 'hard'"),
        ("A1\tAnswers_7 T9\nT9\tpledge 0 3\t李代表", ": Answers_7 T9: the letter has 1 asks"),
        ("A1", ":1: expected a name, a target"),
        ("hello", ":1: is no line of brat's"),
    ],
)
def test_a_wrong_line_of_brat_is_named(line: str, message: str, tmp_path: Path) -> None:
    through_brat((PLAIN,), tmp_path)
    file = tmp_path / "p.ann"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        list(standoff.load(tmp_path))
    assert str(caught.value).startswith(f"{file}{message}")


def _no_crash(load: Callable[..., Any], path: Path) -> None:
    """It is read, or refused once, with the file named."""
    try:
        for letter in load(path):
            corpus.check(letter)
    except SchemaError as error:
        assert str(path if path.is_file() else path.name) in str(error)  # noqa: PT017


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def _spoilt(value: Any, dice: random.Random, junk: Any) -> Any:
    """The same JSON with one value somewhere replaced."""
    while isinstance(value, dict | list) and value:
        key = dice.choice([*value] if isinstance(value, dict) else range(len(value)))
        if dice.random() < 0.25 or not isinstance(value[key], dict | list) or not value[key]:
            value[key] = junk
            return None
        value = value[key]
    return None


@settings(max_examples=150)
@given(junk=JSON, seed=st.integers(0, 10**6))
def test_readers_survive_any_value_anywhere(
    junk: Any, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("junk")
    rows = [labelstudio.task(LETTER)]
    _spoilt(rows, random.Random(seed), junk)
    file = folder / "tasks.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    _no_crash(labelstudio.load, file)
    row = json.loads(doccano.line(LETTER))
    row["kept"] = json.loads(row["kept"])
    _spoilt(row, random.Random(seed), junk)
    if isinstance(row.get("kept"), dict):
        row["kept"] = json.dumps(row["kept"])
    file = folder / "all.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    _no_crash(doccano.load, file)


@settings(max_examples=150)
@given(content=st.binary(max_size=40), line=st.text("TAR*#19\t ;0Strengthpledge李", max_size=30))
def test_readers_survive_any_bytes(
    content: bytes, line: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name, load in (("tasks.json", labelstudio.load), ("all.jsonl", doccano.load)):
        (folder / name).write_bytes(content)
        _no_crash(load, folder / name)
    through_brat((PLAIN,), folder)
    (folder / "p.ann").write_bytes(line.encode() + b"\n" + content)
    _no_crash(standoff.load, folder)
    (folder / "p.ann").write_text(line, encoding="utf-8")
    (folder / standoff.HEADERS).write_bytes(content)
    _no_crash(standoff.load, folder)


def test_deep_json_and_halves_of_characters_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "tasks.json"
    for content in ("[" * 100_000, '[{"data": {"text": "\\ud800"}, "annotations": [{"result": []}]}]', "{}"):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(SchemaError, match=r"tasks\.json"):
            list(labelstudio.load(file))
    for load in (labelstudio.load, doccano.load, standoff.load):
        with pytest.raises(SchemaError, match="nowhere"):
            list(load(tmp_path / "nowhere.json"))


def test_a_prediction_carries_model_and_confidence(seed_text: str) -> None:
    from commitments.exchange.review import prediction

    reply = commitments.load("cues")(seed_text)
    row = labelstudio.task(None, predicted=prediction(reply))["predictions"][0]
    assert row["model_version"] == reply.model
    assert 0 < row["score"] < 1
    regions = [r for r in row["result"] if r["from_name"] == "status"]
    assert len(regions) == len(reply.sentences)
    for region, sentence in zip(regions, reply.sentences, strict=True):
        assert region["value"]["labels"] == [sentence.status.value]
        assert region["score"] == round(sentence.confidence, 4)
        assert seed_text[region["value"]["start"] : region["value"]["end"]] == region["value"]["text"]
    spans = [r for r in row["result"] if r["from_name"] == "attribute"]
    assert {r["value"]["labels"][0] for r in spans} >= {"deadline", "quantity"}


@pytest.mark.parametrize("way", WAYS)
def test_what_the_pipeline_says_of_the_seed_letter_comes_back(
    way: Callable[..., Any], seed_text: str, tmp_path: Path
) -> None:
    said = exchange.predicted(commitments.load("cues")(seed_text))
    assert len(said.units) > 90
    assert way((said,), tmp_path) == [said]


def test_what_nobody_labelled_can_be_filled(seed_text: str) -> None:
    gold = corpus.load(SEEDS / "yangpu-2023-C-064.gold.jsonl")[0]
    measures = tuple(u for u in gold.units if u.label is not Status.NONE)
    whole = exchange.filled(msgspec.structs.replace(gold, units=measures))
    assert [u for u in whole.units if u.label is not Status.NONE] == [*measures]
    covered = sum(len(gold.text[u.start : u.end]) for u in whole.units)
    assert covered == sum(len(gold.text[u.start : u.end]) for u in gold.units)


def run(*args: str | Path) -> tuple[int, str]:
    found = CliRunner().invoke(app, [*map(str, args)])
    return found.exit_code, found.output


@pytest.mark.parametrize(("tool", "name"), [("labelstudio", "t.json"), ("doccano", "t.jsonl"), ("brat", "t")])
def test_the_command_line_there_and_back(tool: str, name: str, tmp_path: Path) -> None:
    dev, out, back = SEEDS / "letters" / "dev.jsonl", tmp_path / name, tmp_path / "back.jsonl"
    assert run("export", dev, "--to", tool, "-o", out)[0] == 0
    assert run("import", out, "--from", tool, "-o", back)[0] == 0
    assert by_id(corpus.load(back)) == by_id(corpus.load(dev))
    code, said = run("export", dev, "--to", tool, "-o", out)
    assert (code, "is there already; give --overwrite" in said) == (1, True)
    before = back.read_bytes()
    assert run("import", out, "--from", tool, "-o", back)[0] == 1
    assert back.read_bytes() == before
    assert run("export", dev, "--to", tool, "-o", out, "--overwrite")[0] == 0
    assert not list(tmp_path.rglob("*.part"))


def test_letters_without_labels_are_exported_with_what_a_model_says(tmp_path: Path) -> None:
    out = tmp_path / "t.json"
    assert (
        run("export", SEEDS / "yangpu-2023-C-064.txt", "--to", "labelstudio", "-m", "cues", "-o", out)[0] == 0
    )
    (row,) = json.loads(out.read_bytes())
    assert "annotations" not in row
    assert row["predictions"][0]["model_version"].startswith("cues")
    assert ElementTree.parse(out.with_suffix(".xml")).getroot().tag == "View"
    code, said = run("import", out, "--from", "labelstudio", "-o", tmp_path / "gold.jsonl")
    assert (code, "has no annotation" in said, (tmp_path / "gold.jsonl").exists()) == (1, True, False)


def test_gold_and_what_a_model_says_stand_side_by_side(tmp_path: Path) -> None:
    gold, out = SEEDS / "yangpu-2023-C-064.gold.jsonl", tmp_path / "t.json"
    assert run("export", gold, "--to", "labelstudio", "-m", "cues", "-o", out)[0] == 0
    (row,) = json.loads(out.read_bytes())
    assert len(row["annotations"]) == len(row["predictions"]) == 1
    assert run("export", gold, "--to", "brat", "-m", "cues", "-o", tmp_path / "b")[0] == 2


def test_a_wrong_region_is_named_and_the_rest_written(tmp_path: Path) -> None:
    rows = [labelstudio.task(PLAIN), labelstudio.task(LETTER)]
    _result(rows[0])[0]["value"]["end"] = 400
    file, out = tmp_path / "t.json", tmp_path / "gold.jsonl"
    file.write_text(labelstudio.dumps(rows), encoding="utf-8")
    code, said = run("import", file, "--from", "labelstudio", "-o", out)
    assert code == 1
    assert "t.json: task at $[0]: region u0: [0, 400) is no part of" in said
    assert corpus.load(out) == (LETTER,)


def test_spacy_gets_the_gold_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bin:
        def __init__(self, letters: list[GoldDocument]) -> None:
            self.letters = letters

        def to_bytes(self) -> bytes:
            return ",".join(letter.id for letter in self.letters).encode()

    adapter = types.ModuleType("commitments.spacy")
    adapter.to_docbin = Bin  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "commitments.spacy", adapter)
    out, dev = tmp_path / "gold.spacy", SEEDS / "letters" / "dev.jsonl"
    assert run("export", dev, "--to", "spacy", "-o", out)[0] == 0
    assert out.read_text().split(",") == [letter.id for letter in corpus.load(dev)]
    assert run("export", dev, "--to", "spacy", "-o", out)[0] == 1
    monkeypatch.setitem(sys.modules, "commitments.spacy", None)  # as if it could not be imported
    code, said = run("export", dev, "--to", "spacy", "-o", tmp_path / "other.spacy")
    assert (code, "commitments[spacy]" in said) == (1, True)


def test_corrected_predictions_can_be_learnt_from(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    tasks, gold, model = tmp_path / "t.json", tmp_path / "gold.jsonl", tmp_path / "mine"
    assert (
        run("export", SEEDS / "yangpu-2023-C-064.txt", "--to", "labelstudio", "-m", "cues", "-o", tasks)[0]
        == 0
    )
    (row,) = json.loads(tasks.read_bytes())
    row["annotations"] = [{"result": row["predictions"][0]["result"], "completed_by": 1}]
    tasks.write_text(json.dumps([row]), encoding="utf-8")
    assert run("import", tasks, "--from", "labelstudio", "-o", gold)[0] == 0
    assert run("train", gold, "--from", "fast", "--epochs", "1", "-o", model)[0] == 0
    assert commitments.load(model)("我局将新建公园2个。").sentences
