"""The benchmark of corpora measures the command itself, and sees a table that is not whole."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from commitments.benchmark import batch
from commitments.benchmark.batch import Kills, Rate, Record

ROOT = Path(__file__).parent.parent

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture(autouse=True)
def _at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_no_letter_is_like_another(tmp_path: Path) -> None:
    size = batch.corpus(tmp_path / "in.jsonl", 600)
    rows = [json.loads(line) for line in (tmp_path / "in.jsonl").read_bytes().splitlines()]
    assert len({row["reply"] for row in rows}) == len({row["id"] for row in rows}) == 600
    assert sum(len(row["reply"]) for row in rows) == size


@needs_linux
def test_a_run_is_measured(tmp_path: Path) -> None:
    size = batch.corpus(tmp_path / "in.jsonl", 300)
    rate = batch.run(tmp_path / "in.jsonl", "cues", 1)
    assert rate.letters == 300
    assert rate.rows > 300
    assert rate.characters >= size
    assert 0 < rate.scoring < rate.seconds
    assert rate.peak > 50_000_000
    assert batch._held(os.getpid()) > 10_000_000


@needs_linux
def test_a_run_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    found = batch.killed(tmp_path, 700, 3)
    assert (found.lost, found.doubled, found.same) == (0, 0, True)
    assert found.kills >= 1


def test_block_tells_what_was_measured() -> None:
    one = Rate("fast", 1, 100, 900, 50_000, 11.0, 9.5, 0.1, 1.0, 300_000_000)
    two = Rate("fast", 2, 100, 900, 50_000, 6.0, 9.7, 0.1, 1.0, 400_000_000)
    told = "\n".join(
        batch.block(Record("abc", {}, {}, {"letters": "some"}, (one, two), (two,), Kills(700, 3, True, 0, 0)))
    )
    assert "2.00 ×" in told
    assert "400 MB" in told
    assert "killed 3 times" in told
    assert "the same bytes as" in told
