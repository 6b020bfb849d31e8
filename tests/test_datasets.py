"""Gold letters as datasets, and a pipeline that `map` may send to workers and know again in its cache."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

datasets = pytest.importorskip("datasets")
pytest.importorskip("pyarrow")

from datasets.fingerprint import Hasher  # noqa: E402

import commitments  # noqa: E402
from commitments import corpus, pipeline  # noqa: E402
from commitments.datasets import from_row  # noqa: E402
from commitments.errors import MissingExtra, ModelError, SchemaError  # noqa: E402

ROOT = Path(__file__).parent.parent
GOLD = ROOT / "seeds/letters/dev.jsonl"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_letters_come_back_whole(tmp_path: Path) -> None:
    every = corpus.load_dataset("letters")
    assert set(every) == {"train", "dev", "test"}
    every.save_to_disk(tmp_path / "letters")
    again = datasets.load_from_disk(tmp_path / "letters")["dev"]
    assert again.features == every["dev"].features
    assert [from_row(row, again.features) for row in again] == list(corpus.iterate(GOLD))


def test_streaming_and_files_give_the_same() -> None:
    stream = corpus.load_dataset("letters", split="dev", streaming=True)
    assert [from_row(row) for row in stream] == list(corpus.iterate(GOLD))
    assert stream.split == "dev"
    mine = corpus.load_dataset(GOLD, split="train")
    assert mine.split == "train"
    assert mine[0]["units"] == corpus.load_dataset("letters", split="dev")[0]["units"]


def test_what_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="there is no split 'validation'"):
        corpus.load_dataset("letters", split="validation")
    with pytest.raises(SchemaError, match="no such gold file"):
        corpus.load_dataset(tmp_path / "a.jsonl")
    row = corpus.load_dataset("letters", split="dev")[0]
    with pytest.raises(SchemaError, match="is no part of a text"):
        from_row({**row, "text": ""})


def test_a_file_without_letters_has_the_columns_too(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    none = corpus.load_dataset(tmp_path / "a.jsonl", split="train")
    assert len(none) == 0
    assert none.features == corpus.load_dataset("letters", split="dev").features


def test_outside_a_checkout_the_letters_are_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commitments.datasets._SEEDS", tmp_path)
    with pytest.raises(SchemaError, match="in seeds/ of a checkout"):
        corpus.load_dataset("letters", split="dev")


def test_without_datasets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.delitem(sys.modules, "commitments.datasets")
    monkeypatch.delattr(commitments, "datasets")
    with pytest.raises(MissingExtra, match=r"commitments\[datasets\]"):
        corpus.load_dataset("letters")


def _told(rows: Any) -> list[list[tuple[str, int]]]:
    return [[(s["status"], s["start"]) for s in letter] for letter in rows["sentences"]]


def test_map_is_the_pipeline_in_workers_and_in_the_cache(tmp_path: Path) -> None:
    nlp = commitments.load("fast")
    letters = corpus.load_dataset("letters", split="dev").select_columns(["id", "text"])
    letters.save_to_disk(tmp_path / "in")
    letters = datasets.load_from_disk(tmp_path / "in")
    one = letters.map(nlp.annotate, batched=True, batch_size=7)
    two = letters.map(nlp.annotate, batched=True, batch_size=3, num_proc=2, load_from_cache_file=False)
    direct = [[(s.status.value, s.start) for s in nlp(text).sentences] for text in letters["text"]]
    assert _told(one) == _told(two) == direct
    assert one["error"] == [""] * len(letters)
    again = letters.map(commitments.load("fast").annotate, batched=True, batch_size=7)
    assert again._fingerprint == one._fingerprint
    assert again.cache_files == one.cache_files
    other = letters.map(commitments.load("cues").annotate, batched=True, batch_size=7)
    assert other._fingerprint != one._fingerprint


def test_a_pipeline_travels_without_its_weights() -> None:
    nlp = commitments.load("fast", abstain=0.7)
    data = pickle.dumps(nlp)
    assert len(data) < 5000
    again = pickle.loads(data)
    assert again.name == nlp.name
    assert again("我局高度重视，将建公园。") == nlp("我局高度重视，将建公园。")


def test_a_pipeline_of_another_release_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = commitments.load("cues")
    hashed, data = Hasher.hash(nlp.annotate), pickle.dumps(nlp)
    assert Hasher.hash(commitments.load("cues").annotate) == hashed
    monkeypatch.setattr(pipeline, "__version__", "99")
    assert Hasher.hash(nlp.annotate) != hashed
    with pytest.raises(ModelError, match=f"comes from commitments {commitments.__version__}; here is 99"):
        pickle.loads(data)


def test_whole_rows_are_read_with_what_they_tell() -> None:
    nlp = commitments.load("cues")
    gold = corpus.load_dataset("letters", split="dev")
    stream = corpus.load_dataset("letters", split="dev", streaming=True)
    mapped = gold.map(nlp.annotate, batched=True, batch_size=7, num_proc=2)
    assert mapped["error"] == [""] * len(gold)
    assert _told(
        {"sentences": [row["sentences"] for row in stream.map(nlp.annotate, batched=True)]}
    ) == _told(mapped)
    for row in mapped:
        assert row["sentences"]
        assert all(row["text"][s["start"] : s["end"]] == s["text"] for s in row["sentences"])
