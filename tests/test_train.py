"""Fitting the points of the cues again, in a lexicon of the test's own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import commitments
from commitments import corpus, lexicon
from commitments.tag.cues import LETTER, MESSAGE, STATUSES, Cues, table
from commitments.train import points

SEEDS = Path(__file__).parent.parent / "seeds"
GOLD = SEEDS / "letters" / "dev.jsonl"


@pytest.fixture
def own_lexicon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the lexicon that may be written to."""
    folder = tmp_path / "lexicon"
    shutil.copytree(Path(lexicon.__file__).parent, folder)
    monkeypatch.setattr(lexicon, "__file__", str(folder / "__init__.py"))
    yield folder
    monkeypatch.undo()
    for cached in (lexicon.table, table):
        cached.cache_clear()


def test_examples_carry_gold_statuses_of_the_units_that_are_read() -> None:
    document = next(d for d in corpus.iterate(GOLD) if len(d.asks) > 1)
    found = points.examples([document], commitments.load("cues"))
    assert 0 < len(found) <= len(document.units)
    assert {e.document for e in found} == {document.id}
    assert all("K001" in e.terms for e in found)
    assert [e.status for e in found if e.status.value == "pledge"]


def test_points_are_fitted_for_cues_only() -> None:
    with pytest.raises(TypeError, match="majority"):
        points.examples(corpus.iterate(GOLD), commitments.load("majority"))


def test_points_are_written_with_their_sources_and_used(
    own_lexicon: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    before = table().version
    assert points.main([str(GOLD)]) == 0
    assert "points.toml: fitted on" in capsys.readouterr().out
    first = (own_lexicon / "points.toml").read_text(encoding="utf-8")
    table.cache_clear()
    assert list(lexicon.table("points")["fitted_on"]) == ["dev.jsonl"]
    assert table().version != before
    assert set(table().points) == {LETTER, MESSAGE}
    assert all(len(row) == len(STATUSES) for rows in table().points.values() for row in rows.values())
    reply = commitments.Pipeline(Cues())("我局已建成公园3个。下一步，我局将再建2个。")
    assert [s.status.value for s in reply.sentences] == ["completed", "pledge"]
    assert reply.model == f"cues-{table().version}"
    assert points.main([str(GOLD)]) == 0
    assert (own_lexicon / "points.toml").read_text(encoding="utf-8") == first


def test_what_is_wrong_is_told_and_nothing_written(
    own_lexicon: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (own_lexicon / "points.toml").read_bytes()
    assert points.main([str(own_lexicon / "missing.jsonl")]) == 1
    assert "missing.jsonl: cannot be read" in capsys.readouterr().err
    pytest.importorskip("sklearn")
    short = own_lexicon / "short.jsonl"
    short.write_text(
        '{"id": "a", "text": "好。", "asks": [], "units": [{"start": 0, "end": 2, "label": "none"}]}',
        encoding="utf-8",
    )
    assert points.main([str(short)]) == 1
    assert "labelled completed or ongoing or pledge" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    assert points.main([str(GOLD)]) == 1
    assert "commitments[train]" in capsys.readouterr().err
    assert (own_lexicon / "points.toml").read_bytes() == before
