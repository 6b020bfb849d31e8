"""What the cards of the trained models say is what was measured, and what these models reach today."""

from __future__ import annotations

from pathlib import Path

import pytest

import commitments
from commitments import corpus, evaluate, models
from commitments.benchmark import card, trained, trained_card
from commitments.benchmark.trained import Trained
from commitments.errors import SchemaError

ROOT = Path(__file__).parent.parent
STORED = Trained.from_json((ROOT / "models" / "eval.json").read_bytes())
NAMES = [made.name for made in STORED.made]


def test_readme_comparison_and_cards_are_what_the_stored_figures_make() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert card.insert(readme, trained_card.block(STORED), trained_card.BEGIN, trained_card.END) == readme
    assert (ROOT / "models" / "README.md").read_text(encoding="utf-8") == trained_card.comparison(STORED)
    for made in STORED.made:
        folder = ROOT / "models" / made.name
        assert (folder / "README.md").read_text(encoding="utf-8") == trained_card.card(STORED, made)
        assert (folder / "eval.json").read_text(encoding="utf-8") == trained_card.part(
            STORED, made.name
        ).to_json()
    assert STORED.to_json() == (ROOT / "models" / "eval.json").read_text(encoding="utf-8")


def test_the_stored_figures_are_of_the_models_that_are_here() -> None:
    again = "run python -m commitments.benchmark.trained"
    assert STORED.library == commitments.__version__
    assert set(NAMES) == set(models.available()), again
    for made in STORED.made:
        now = trained.describe(models.find(made.name))
        assert (made.version, made.kind, made.megabytes) == (now.version, now.kind, now.megabytes), again
    assert NAMES[0] == models.DEFAULT


def test_the_default_reaches_today_what_is_stored_on_the_seed_letter() -> None:
    """To the second digit: another processor may round a sum otherwise."""
    gold = corpus.load(ROOT / trained.OPEN_SETS["seed"])
    report = evaluate.evaluate({models.DEFAULT: commitments.load()}, gold)
    told = STORED.accuracy["seed"]
    assert report.data[0].sha256 == told.data[0].sha256
    for key in ("macro_f1", "soft", "links"):
        now = report.measured.figures[models.DEFAULT][key].value
        assert now == pytest.approx(told.measured.figures[models.DEFAULT][key].value, abs=0.03)


def test_no_model_has_learnt_what_it_is_measured_on() -> None:
    for made in STORED.made:
        learnt = set(made.record.get("sources", {}))
        assert not learnt & {"dev.jsonl", "test.jsonl", "gold-dev.jsonl"}


def test_no_text_of_a_letter_is_stored() -> None:
    assert "。" not in STORED.to_json()
    assert not any(report.no_links for report in STORED.accuracy.values())


def test_a_readme_without_a_place_for_the_block_is_told() -> None:
    with pytest.raises(SchemaError, match="expected one"):
        card.insert("nothing", "figures", trained_card.BEGIN, trained_card.END)


def test_the_plots_are_the_same_each_time() -> None:
    pytest.importorskip("matplotlib")
    plot = trained_card.confidence_plot(STORED, models.DEFAULT)
    assert plot == trained_card.confidence_plot(STORED, models.DEFAULT)
    assert plot.startswith("<?xml")


def test_speed_is_measured_in_turns() -> None:
    found = trained.speed(["majority"], rounds=1, letters=2)
    assert found.letters >= 2
    assert found.per_second["majority"].median > 0
