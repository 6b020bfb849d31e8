"""Figures show what the table holds."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")
pd = pytest.importorskip("pandas")

import commitments  # noqa: E402
from commitments import calibration, corpus, metrics, plot, table  # noqa: E402
from commitments.errors import SchemaError  # noqa: E402

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    nlp = commitments.load("cues")
    letters = corpus.load(ROOT / "seeds/letters/dev.jsonl")
    return table.to_frame(*(nlp(letter.text, date=letter.day) for letter in letters))


@pytest.fixture(autouse=True)
def _font() -> None:
    plot.chinese_font.cache_clear()


def test_bars_add_up_to_the_measures(frame: pd.DataFrame) -> None:
    ax = plot.status_bars(frame, share=False, top=100)
    for container in ax.containers:
        told = sum(patch.get_width() for patch in container)
        assert told == (frame["status"] == container.get_label()).sum()
    shares = plot.status_bars(frame, by="kind")
    for place in range(len(shares.get_yticks())):
        assert sum(c[place].get_width() for c in shares.containers) == pytest.approx(1)


def test_timeline_has_the_days_in_their_order(frame: pd.DataFrame, tmp_path: Path) -> None:
    ax = plot.deadline_timeline(frame, today=datetime.date(2023, 1, 1), top=10)
    pledges = frame[(frame["status"] == "pledge") & frame["deadline_end"].notna()]
    days = [pd.Timestamp(day) for line in ax.lines if line.get_marker() == "D" for day in line.get_xdata()]
    assert days == sorted(pledges["deadline_end"])[:10]
    with warnings.catch_warnings():
        warnings.simplefilter("error" if plot.chinese_font() else "ignore")
        ax.figure.savefig(tmp_path / "a.png")  # a missing character is a warning
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_flow_has_a_band_for_each_status_of_an_ask() -> None:
    reply = commitments.load("cues")((ROOT / "seeds/yangpu-2023-C-064.txt").read_text(encoding="utf-8"))
    frame = reply.to_frame()
    ax = plot.ask_flow(frame)
    held = frame[frame["status"] != "none"].explode("asks").dropna(subset=["asks"])
    assert len(ax.collections) == held.groupby(["asks", "status"], observed=True).ngroups
    assert any(text.get_text().startswith("S1") for text in ax.texts)


def test_curves_are_those_of_the_calibration() -> None:
    pairs = [(0.6, True), (0.7, False), (0.9, True), (0.95, True)] * 10
    ax = plot.reliability(pairs, count=4)
    assert list(ax.lines[1].get_ydata()) == [1.0, 0.0, 1.0, 1.0]
    risk = plot.risk_coverage(pairs)
    assert risk.lines[0].get_ydata()[-1] == pytest.approx(0.25)
    assert risk.lines[0].get_xdata()[-1] == pytest.approx(1)


def test_curves_of_an_evaluation_are_those_that_it_holds() -> None:
    nlp = commitments.load("cues")
    letters = corpus.load(ROOT / "seeds/letters/dev.jsonl")
    pairs = [pair for letter in letters for pair in metrics.judged(letter, nlp(letter.text))]
    found = calibration.measure(pairs)
    drawn, own = plot.reliability(pairs).lines[1], plot.reliability(found).lines[1]
    assert len(pairs) > 300
    assert list(drawn.get_ydata()) == list(own.get_ydata()) == [b.right for b in found.bins]
    assert plot.risk_coverage(found).lines[0].get_ydata()[-1] == found.curve[0].risk
    coarse = plot.risk_coverage(iter(pairs), thresholds=pd.Series([0.0]).to_numpy()).lines[0]
    assert list(coarse.get_ydata()) == [found.curve[0].risk]


@pytest.mark.parametrize("years", [0, 1, 3, 4, 12, 40])
def test_timelines_of_any_length_have_few_ticks_and_no_warning(years: int, tmp_path: Path) -> None:
    days = [pd.Timestamp(2020, 5, 1), pd.Timestamp(2020 + years, 12, 31)]
    rows = pd.DataFrame({"status": "pledge", "deadline_end": days, "clean": "Building"})
    plot.chinese_font()  # its warning, where there is no such font, is not the question
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plot.deadline_timeline(rows)
        ax.figure.savefig(tmp_path / "a.png")
    assert 2 <= len(ax.get_xticks()) <= 9


@pytest.mark.parametrize("draw", [plot.status_bars, plot.deadline_timeline, plot.ask_flow])
def test_a_table_without_measures_gives_a_figure(draw: Callable[..., Any], tmp_path: Path) -> None:
    draw(table.to_frame()).figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_what_is_missing_is_told(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SchemaError, match="no column city"):
        plot.status_bars(frame, by="city")
    monkeypatch.setattr(plot, "_FONTS", ())
    with pytest.warns(UserWarning, match="fonts-noto-cjk"):
        plot.status_bars(frame)
