"""The benchmark measures what it says, and README and model card hold what it wrote, and nothing stale."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import commitments
from commitments import attribute_metrics, corpus, evaluate
from commitments.benchmark import attributes, card, figures, growth, speed
from commitments.benchmark.__main__ import main
from commitments.benchmark.figures import Figures
from commitments.errors import SchemaError

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "models" / "cues"
LETTERS = [d.text for d in corpus.load(ROOT / "seeds" / "letters" / "dev.jsonl")][:2]


@pytest.fixture(scope="module")
def stored() -> Figures:
    return Figures.from_json((MODEL / "eval.json").read_bytes())


def test_readme_and_card_are_what_the_stored_figures_make(stored: Figures) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert card.insert(readme, card.block(stored)) == readme
    assert (MODEL / "README.md").read_text(encoding="utf-8") == card.card(stored)
    assert stored.to_json() == (MODEL / "eval.json").read_text(encoding="utf-8")


def test_stored_figures_are_of_this_model(stored: Figures) -> None:
    assert stored.library == commitments.__version__
    assert stored.model == figures.provenance().model, "run python -m commitments.benchmark --write README.md"
    # The README says so of the sets that it shows.
    assert not set(stored.model.fitted_on) & {"dev.jsonl", "test.jsonl", "gold-dev.jsonl", "gold.jsonl"}


@pytest.mark.parametrize("name", figures.OPEN_SETS)
def test_stored_accuracy_is_what_the_model_reaches_today(stored: Figures, name: str) -> None:
    told = stored.accuracy[name]
    path = ROOT / figures.OPEN_SETS[name]
    found = evaluate.run([path], "cues", baselines=("keywords", "majority"), resamples=1)
    assert told.data[0].sha256 == found.data[0].sha256
    for model, of_model in found.measured.figures.items():
        known = {key: figure.value for key, figure in of_model.items() if figure.value is not None}
        stored_values = {key: told.measured.figures[model][key].value for key in known}
        assert stored_values == pytest.approx(known, rel=1e-5), model


def test_no_text_of_a_letter_is_stored(stored: Figures) -> None:
    plain = (MODEL / "eval.json").read_text(encoding="utf-8")
    assert "。" not in plain
    assert not any(report.no_links for report in stored.accuracy.values())


def test_methods_and_stages_are_measured_on_the_same_texts() -> None:
    found = speed.measure("two letters", LETTERS, rounds=2)
    assert found.characters == sum(map(len, LETTERS))
    assert found.sha256 == speed.digest(LETTERS) != speed.digest(LETTERS[::-1])
    assert set(found.methods) | set(found.skipped) == set(speed.METHODS)
    assert tuple(found.stages) == speed.STAGES
    assert found.methods["cues"].cues == speed.Spread(1, 1, 1)
    for rate in (*found.methods.values(), *found.stages.values()):
        assert 0 < rate.per_second.low <= rate.per_second.median <= rate.per_second.high
    with pytest.raises(ValueError, match="at least one character"):
        speed.measure("nothing", [""])


def test_growth_tells_linear_from_quadratic(monkeypatch: pytest.MonkeyPatch) -> None:
    def clock(cost: Callable[[int], float]) -> growth.Growth:
        monkeypatch.setattr(growth, "_seconds", lambda read, text: cost(len(text)))
        return growth.grow("invented", str, lambda n: "建" * n, (100, 200, 400), limit=1.0)

    straight, square = clock(lambda n: n / 1e3), clock(lambda n: n * n / 1e6)
    assert straight.linear
    assert straight.ratio == pytest.approx(2)
    assert not square.linear
    assert square.ratio == pytest.approx(4)
    slow = clock(lambda n: n / 100)
    assert slow.stopped
    assert slow.sizes == (100, 200)
    assert not slow.linear


def test_shapes_are_as_long_as_asked() -> None:
    assert {name: len(make(1000)) for name, make in growth.SHAPES.items()} == dict.fromkeys(
        growth.SHAPES, 1000
    )
    grown = growth.repeated("一封信。\n", len, 40)
    assert grown.sizes == (5, 10, 20, 40)


def test_command_prints_measures_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = {name: growth.SHAPES[name] for name in ("nested brackets", "newlines")}
    monkeypatch.setattr(growth, "SHAPES", shapes)
    gold, out = tmp_path / "gold.jsonl", tmp_path / "out.json"
    corpus.dump(corpus.load(ROOT / "seeds" / "letters" / "dev.jsonl")[:2], gold)
    assert main(["--gold", str(gold), "--repeat", "1", "--longest", "1000", "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    found = Figures.from_json(out.read_bytes())
    assert [of.texts for of in found.speed] == [2]
    assert len(found.growth) == 1 + 2 * len(shapes)
    assert found.start is not None
    assert found.start.python.low > 0
    for words in ("regex loop", "peak memory", "import commitments", "nested brackets"):
        assert words in shown


def test_writing_leaves_the_rest_of_the_readme(stored: Figures, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{card.BEGIN}\nold\n{card.END}\nafter\n", encoding="utf-8")
    written = card.write(stored, readme)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "README.md",
        "models/cues/eval.json",
        "models/cues/README.md",
    ]
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{card.BEGIN}\n| gold")
    assert text.endswith(f"{card.END}\nafter\n")
    card.write(stored, readme)
    assert readme.read_text(encoding="utf-8") == text


def test_parts_that_were_not_measured_are_said_to_be_missing(stored: Figures) -> None:
    bare = msgspec.structs.replace(stored, speed=(), growth=(), start=None)
    assert "Speed was not measured" in card.block(bare)
    no_spacy = [
        msgspec.structs.replace(
            of,
            methods={name: rate for name, rate in of.methods.items() if name != speed.SPACY},
            skipped={speed.SPACY: "not installed"},
        )
        for of in stored.speed
    ]
    assert "not installed" in card.block(msgspec.structs.replace(stored, speed=tuple(no_spacy)))


def test_speed_of_an_earlier_model_is_called_so(stored: Figures) -> None:
    older = msgspec.structs.replace(stored, speed_of="cues-0")
    assert "speed was measured on cues-0" in card.block(older)
    same = msgspec.structs.replace(stored, speed_of=stored.model.name)
    assert "speed was measured on" not in card.block(same) + card.card(same)


def test_wrong_input_is_an_error_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--gold", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err
    with pytest.raises(SchemaError, match="no figures"):
        Figures.from_json("[]")
    with pytest.raises(SchemaError, match="expected one"):
        card.insert("no place here", "x")
    with pytest.raises(SystemExit, match="2"):
        main(["--repeat", "0"])


def test_the_module_runs_as_a_command() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "commitments.benchmark", "--help"], capture_output=True, text=True, check=True
    )
    assert "--write" in run.stdout


def test_readme_holds_the_stored_figures_of_the_attributes() -> None:
    root = Path(__file__).parent.parent
    text = (root / "README.md").read_text(encoding="utf-8")
    block = text.split(attributes.START)[1].split(attributes.END)[0].strip("\n")
    assert block == attributes.block(attributes.stored(root))


def test_figures_of_the_letters_are_still_what_is_stored() -> None:
    root = Path(__file__).parent.parent
    told = attributes.stored(root).figures["letters `test`, fiction"]["gold"]
    now = attribute_metrics.run(
        [root / "seeds/letters/test.jsonl"],
        commitments.load("cues"),
        root / "seeds/attributes/letters-test.jsonl",
        statuses="gold",
        resamples=0,
    )
    assert {k: v.value for k, v in now.figures.items()} == {k: v.value for k, v in told.figures.items()}


def test_attribute_benchmark_compares_on_the_same_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)
    known = attribute_metrics.load("seeds/attributes/letters-test.jsonl")
    documents = [d for d in corpus.load("seeds/letters/test.jsonl") if d.id in known]
    times = attributes.times(documents, known)
    numbers = attributes.numerals(documents, known)
    assert times["items"] > 100
    assert times["commitments"] > 0.95
    assert numbers["commitments"] > 0.98
    assert numbers["cn2an"] < numbers["commitments"]
