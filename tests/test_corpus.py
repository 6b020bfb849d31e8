"""Gold letters: format, checks, division, the marked-up form, and the files in seeds/."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commitments import corpus, letters
from commitments.corpus import GoldDocument
from commitments.errors import SchemaError
from commitments.terms import Kind, Status

SEEDS = Path(__file__).parent.parent / "seeds"
SHARED = Path(os.environ.get("COMMITMENTS_SHARED", SEEDS.parent.parent / "shared"))
FILES = [
    SEEDS / "yangpu-2023-C-064.gold.jsonl",
    *(SEEDS / "letters" / f"{side}.jsonl" for side in corpus.SIDES),
]

ROW = {
    "id": "a",
    "kind": "提案",
    "date": "2024-05-06",
    "text": "已修路2公里。\n年底前通车。",
    "asks": [{"id": "S1", "text": "修路", "disposition": "in_progress"}, {"id": "S2", "text": "通车"}],
    "units": [
        {"start": 0, "end": 7, "label": "completed", "also": [], "links": ["S1"]},
        {"start": 8, "end": 14, "label": "pledge", "also": ["ongoing"], "links": ["*"], "strength": "soft"},
    ],
}


def altered(path: str, value: object) -> str:
    """ROW as a line of JSON, with one place in it set to another value."""
    row = json.loads(json.dumps(ROW))
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = row
    for step in way:
        place = place[step]
    place[last] = value
    return json.dumps(row, ensure_ascii=False)


def test_a_row_is_read_into_types() -> None:
    document = corpus.decode(json.dumps(ROW))
    assert document.kind is Kind.PROPOSAL
    assert document.day is not None
    assert document.day.isoformat() == "2024-05-06"
    assert document.units[1].label is Status.PLEDGE
    assert document.units[1].also == (Status.ONGOING,)
    assert document.asks[0].disposition == "in_progress"
    assert json.loads(corpus.encode(document)) == ROW


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("id", 7, "$.id"),
        ("kind", "公告", "$.kind"),
        ("text", None, "$.text"),
        ("units.0.label", "done", "$.units[0].label"),
        ("units.1.also", ["maybe"], "$.units[1].also[0]"),
        ("units.1.strength", "hard", "$.units[1].strength"),
        ("units.0.start", -1, "$.units[0]"),
        ("units.0.start", "0", "$.units[0].start"),
        ("units.0.end", 0, "$.units[0]"),
        ("units.0.end", 9, "starts at 8, before 9, where the last one ends - at `$.units[1]`"),
        ("units.1.end", 15, "[8, 15) is no part of a text of 14 - at `$.units[1]`"),
        ("units.0.links", ["S1", "S3"], "$.units[0].links[1]"),
        ("asks.1.id", "S1", "$.asks[1].id"),
        ("asks.0.disposition", "done", "$.asks[0].disposition"),
        (
            "units.0.spans",
            [{"kind": "quantity", "start": 3, "end": 5, "text": "公里"}],
            "$.units[0].spans[0]",
        ),
        (
            "units.0.spans",
            [{"kind": "quantity", "start": 5, "end": 9, "text": "里。\n年"}],
            "outside its unit",
        ),
    ],
)
def test_a_wrong_row_is_named_with_file_line_and_path(
    path: str, value: object, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_text(json.dumps({**ROW, "id": "first"}) + "\n\n" + altered(path, value), encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        corpus.load(file)
    assert str(caught.value).startswith(f"{file}:3: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", ":1: Input data was truncated"),
        (b'{"id": "\xff"}', ":1: "),
        (b"[]", ":1: Expected `object`, got `array`"),
        (b"[" * 100_000, ":1: "),
        (b"\n \n", ": holds no letter"),
        (
            (json.dumps(ROW) + "\n" + json.dumps(ROW)).encode(),
            ":2: id 'a' stands in line 1 already - at `$.id`",
        ),
    ],
)
def test_a_broken_file_is_a_schema_error(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_bytes(content)
    with pytest.raises(SchemaError) as caught:
        corpus.load(file)
    assert str(caught.value).startswith(f"{file}{message}")


def test_a_missing_file_is_a_schema_error(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"nowhere\.jsonl: cannot be read: No such file"):
        corpus.load(tmp_path / "nowhere.jsonl")


def test_a_byte_order_mark_and_unknown_fields_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + altered("remark", "?").encode())
    assert corpus.load(file) == (corpus.decode(json.dumps(ROW)),)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_seed_files_load_and_survive_a_round_trip(path: Path, tmp_path: Path) -> None:
    documents = corpus.load(path)
    corpus.dump(documents, tmp_path / "again.jsonl")
    assert corpus.load(tmp_path / "again.jsonl") == documents
    for document in documents:
        assert document.kind in (Kind.SUGGESTION, Kind.PROPOSAL)
        for unit in document.units:
            words = document.text[unit.start : unit.end]
            assert words == words.strip(), document.id
            assert bool(unit.links) is (unit.label is not Status.NONE), document.id


def test_the_real_letter_is_the_text_of_its_gold() -> None:
    (document,) = corpus.load(FILES[0])
    assert (SEEDS / "yangpu-2023-C-064.txt").read_bytes().decode() == document.text
    assert len(document.units) == 97


def test_seed_letters_are_what_their_sources_make() -> None:
    made = letters.build(SEEDS / "letters")
    assert sum(map(len, made.values())) == 185
    for side, documents in made.items():
        lines = (SEEDS / "letters" / f"{side}.jsonl").read_text(encoding="utf-8").splitlines()
        assert lines == [corpus.encode(document) for document in documents]


def test_the_card_tells_the_figures_of_the_files() -> None:
    named = {path.stem: corpus.load(path) for path in [*FILES[1:], FILES[0]]}
    card = (SEEDS / "README.md").read_text(encoding="utf-8")
    assert corpus.figures(named) in card


def test_the_letter_that_the_card_shows_can_be_read() -> None:
    card = (SEEDS / "README.md").read_text(encoding="utf-8")
    [line] = re.findall(r"^```json\n(.*)\n```$", card, flags=re.M)
    [unit] = corpus.decode(line).units
    assert (unit.label, unit.links) == (Status.COMPLETED, ("S1",))


def test_sides_share_no_letter_and_keep_followers_together() -> None:
    sides = {side: corpus.load(SEEDS / "letters" / f"{side}.jsonl") for side in corpus.SIDES}
    where = {document.id: side for side, documents in sides.items() for document in documents}
    assert len(where) == sum(map(len, sides.values()))
    followers = [d for documents in sides.values() for d in documents if d.follows]
    assert len(followers) == 3
    assert all(where[d.id] == where[d.follows or ""] for d in followers)
    for name in ("L1", "L2", "L3", "L4", "L5"):
        of_series = [where[letter] for letter in where if letter.startswith(name)]
        for side, share in corpus.SIDES.items():
            assert of_series.count(side) / len(of_series) == pytest.approx(share, abs=0.05), (name, side)


def chain(number: int, follows: int | None) -> GoldDocument:
    before = None if follows is None else f"L{follows % 3}-{follows}"
    return GoldDocument(f"L{number % 3}-{number}", "", (), (), follows=before)


@given(st.data())
def test_split_does_not_depend_on_order_and_keeps_groups(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 60))
    leaders = [data.draw(st.none() | st.integers(0, i - 1)) if i else None for i in range(size)]
    documents = [chain(i, leader) for i, leader in enumerate(leaders)]
    sides = corpus.split(documents)
    assert sides == corpus.split(data.draw(st.permutations(documents)))
    where = {document.id: side for side, of_side in sides.items() for document in of_side}
    assert sorted(where) == sorted(document.id for document in documents)
    assert all(where[d.id] == where[d.follows] for d in documents if d.follows)


def test_split_is_close_to_its_shares_in_every_stratum() -> None:
    documents = [chain(i, None) for i in range(300)]
    sides = corpus.split(documents, seed=5)
    assert {side: len(of_side) for side, of_side in sides.items()} == {"train": 210, "dev": 30, "test": 60}
    assert sides != corpus.split(documents, seed=6)
    with pytest.raises(ValueError, match="shares must be positive"):
        corpus.split(documents, {"train": 1.0, "test": 0.0})


def test_a_marked_up_letter_is_parsed() -> None:
    source = (
        "#! kind: 建议\n#! ask: 修路\n#! ask: 装灯\n#! ask_disposition: solved\n"
        "N ¶李代表：\nC+O:S1 ¶⟦a:县交通局⟧已修路⟦q:2⏎公里⟧，\n\n"
        "P:S1,S2:s  力争⟦d:年内⟧通车⏎亮灯。\nO:* 加强养护。\n"
    )
    document = letters.parse(source, "x")
    assert document.text == "李代表：\n县交通局已修路2\n公里， 力争年内通车\n亮灯。加强养护。"
    assert [(u.label.value, u.links, u.strength) for u in document.units] == [
        ("none", (), None),
        ("completed", ("S1",), None),
        ("pledge", ("S1", "S2"), "soft"),
        ("ongoing", ("*",), None),
    ]
    assert document.units[1].also == (Status.ONGOING,)
    assert [(s.kind, s.text) for u in document.units for s in u.spans] == [
        ("actor", "县交通局"),
        ("quantity", "2\n公里"),
        ("deadline", "年内"),
    ]
    assert [ask.disposition for ask in document.asks] == ["solved", None]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("已修路。", "x:3: expected a tag, a space and words"),
        ("X:S1 已修路。", "x:3: expected a tag"),
        ("C 已修路。", "x:3: there are 2 asks: name the one"),
        ("C:S3 已修路。", "x: links to 'S3'"),
        ("C:S1 已修⟦z:路⟧。", "x:3: unknown mark in ⟦z:路⟧"),
        ("C:S1 已修⟦q:路。", "x:3: a mark ⟦…⟧ is not closed"),
        ("#! colour: red", "x:3: field 'colour' is unknown or given twice"),
    ],
)
def test_a_wrong_mark_is_named_with_its_line(line: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        letters.parse(f"#! ask: 修路\n#! ask: 装灯\n{line}\n", "x")
    assert str(caught.value).startswith(message)


def test_build_wants_followers_on_one_side(tmp_path: Path) -> None:
    for side, name, head in (("train", "A-1", ""), ("test", "A-2", "#! follows: A-1\n")):
        folder = tmp_path / "source" / side
        folder.mkdir(parents=True)
        (folder / f"{name}.letter").write_text(f"{head}N ¶李代表：\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="A-2 in test follows A-1, which is not there"):
        letters.build(tmp_path)
    with pytest.raises(SchemaError, match="no letter stands in"):
        letters.build(tmp_path / "source")


def test_the_command_builds_counts_and_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "source" / "dev"
    folder.mkdir(parents=True)
    (folder / "A-1.letter").write_text("#! ask: 修路\nP ¶将修路⟦q:2公里⟧。\n", encoding="utf-8")
    assert corpus.main(["build", str(tmp_path)]) == 0
    assert corpus.main(["figures", str(tmp_path / "dev.jsonl")]) == 0
    assert "| pledge | 1 |" in capsys.readouterr().out
    assert not (tmp_path / "train.jsonl").exists()  # a side without letters
    (tmp_path / "train.jsonl").touch()
    assert corpus.main(["check", str(tmp_path / "train.jsonl")]) == 1
    assert "train.jsonl: holds no letter" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["gold-train", "gold-dev", "gold-reports-train"])
def test_private_gold_loads(name: str) -> None:
    path = SHARED / "real" / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"{name}: the private gold files are not beside this checkout")
    documents = corpus.load(path)
    assert {document.kind for document in documents} <= {Kind.MESSAGE, Kind.REPORT}
    assert [corpus.decode(corpus.encode(document)) for document in documents] == list(documents)


def test_labels_and_texts_are_put_together_again(tmp_path: Path) -> None:
    text = "已建成公园。将建学校。"
    row = {"id": "R1", "reply": text, "subject": "建公园", "message": "请建公园。", "answered": "2019/5/1"}
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    label = {"id": "R1", "sha256": digest, "units": [[0, 6, "C"], [6, 11, "PC"]]}
    (tmp_path / "replies.jsonl").write_text(
        json.dumps(row) + "\n" + json.dumps({"id": "R2"}), encoding="utf-8"
    )
    (tmp_path / "labels.jsonl").write_text(json.dumps(label), encoding="utf-8")
    paths = [str(tmp_path / name) for name in ("labels.jsonl", "replies.jsonl", "gold.jsonl")]
    assert corpus.main(["join", *paths]) == 0
    [document] = corpus.load(paths[2])
    assert [(u.label, u.also, u.links) for u in document.units] == [
        (Status.COMPLETED, (), ("S1",)),
        (Status.PLEDGE, (Status.COMPLETED,), ("S1",)),
    ]
    (tmp_path / "labels.jsonl").write_text(json.dumps({**label, "units": [[0, 6, "X"]]}), encoding="utf-8")
    assert corpus.main(["join", *paths]) == 1
    (tmp_path / "replies.jsonl").write_text(json.dumps({**row, "reply": "别的。"}), encoding="utf-8")
    with pytest.raises(SchemaError, match="not the one that was labelled"):
        list(corpus.join(*paths[:2]))


def test_the_labels_of_real_replies_fit_their_texts(shared: Path) -> None:
    labels = Path(__file__).parent.parent / "seeds" / "replies" / "labels.jsonl"
    documents = list(corpus.join(labels, shared / "real" / "replies.jsonl"))
    assert len(documents) == 691
    measured = {d.id for d in corpus.load(shared / "real" / "gold-dev.jsonl")}
    assert not measured & {d.id for d in documents}
