"""Training: what comes out is a model that loads, the same for the same seed, and goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

import commitments
from commitments import corpus, models
from commitments.cli import app
from commitments.corpus import GoldDocument
from commitments.errors import ModelError, SchemaError
from commitments.terms import Status

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnx")

from commitments.tag.cues import STATUSES  # noqa: E402
from commitments.tag.encoder import GRAPH, Encoder, EncoderConfig  # noqa: E402
from commitments.tag.features import NAMES  # noqa: E402
from commitments.tag.windows import WindowConfig  # noqa: E402
from commitments.train import config as configs  # noqa: E402
from commitments.train import examples, export, fit, run  # noqa: E402
from commitments.train.classifier import Classifier, Shallow, ShallowConfig, batch  # noqa: E402
from commitments.train.config import Gold, Teacher, TrainConfig  # noqa: E402

ROOT = Path(__file__).parent.parent
LETTERS = corpus.load(ROOT / "seeds" / "letters" / "dev.jsonl")


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    corpus.dump(LETTERS[:4], path)
    return path


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    path = tmp_path / "dev.jsonl"
    corpus.dump(LETTERS[4:8], path)
    return path


def small(gold: Path, **given: Any) -> TrainConfig:
    """A run of seconds: a network of one narrow layer."""
    plain: dict[str, Any] = {
        "name": "small",
        "start": "fast",
        "gold": (Gold(str(gold)),),
        "epochs": 2,
        "rate": 5e-3,
        "head_rate": 1.0,
    }
    return TrainConfig(**{**plain, **given})


def windows_of(documents: list[GoldDocument]) -> list[tuple[Any, Any, Any, Any, Any]]:
    tagger = commitments.load("fast").tagger
    assert isinstance(tagger, Encoder)
    letters = examples.letters(documents, commitments.load("cues"), tagger._coder, tagger.config.windows)
    return [
        (window, letter.features, letter.status, letter.also, letter.weight)
        for letter in letters
        for window in tagger.windows(letter.draft)
    ]


@pytest.mark.parametrize("kind", ["deep", "shallow"])
def test_the_graph_computes_what_the_network_does(kind: str, tmp_path: Path) -> None:
    import onnxruntime
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    if kind == "deep":
        shape = BertConfig(
            vocab_size=13000,
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=96,
            pad_token_id=1,
            layer_norm_eps=1e-12,
        )
        encoder: Any = BertModel(shape, add_pooling_layer=False)
    else:
        encoder = Shallow(ShallowConfig(13000, 32, 2))
    model = Classifier(encoder, len(NAMES), hidden=24)
    torch.nn.init.normal_(model.around.weight, std=0.1)
    model.train(False)
    rows = windows_of(list(LETTERS[:2]))
    whole = export.graph(model)
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    given = batch(rows)  # together, with what fills them up
    with torch.no_grad():
        wanted = [part.numpy() for part in model(given)]
    for b, (window, features, *_) in enumerate(rows):
        place = np.zeros(len(window.ids), dtype=np.int64)
        for n, (start, end) in enumerate(zip(window.starts, window.ends, strict=True)):
            place[start:end] = n + 1
        feed = {
            "ids": np.array(window.ids, dtype=np.int64),
            "place": place,
            "features": features[window.units],
            **{name: np.array(getattr(window, name), dtype=np.int64) for name in ("starts", "tails", "ends")},
        }
        found = session.run(None, feed)
        for one, other in zip(found[:2], wanted, strict=True):
            # Word vectors have eight bits in the graph; all else is the same.
            assert np.abs(one - other[b, : len(window.units)]).max() < 0.05
    path = tmp_path / "graph.onnx"
    path.write_bytes(export.quantized(whole))
    again = export.restore(path, len(NAMES), heads=4)
    with torch.no_grad():
        for one, other in zip(again(given), wanted, strict=True):
            assert np.abs(one.numpy() - other).max() < 0.2


def test_a_file_that_is_no_graph_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no graph at all")
    with pytest.raises(ModelError, match=r"x\.onnx: no graph"):
        export.restore(path, len(NAMES))


def test_secondary_statuses_get_a_share_of_the_target() -> None:
    unit = corpus.GoldUnit(0, 1, Status.PLEDGE, also=(Status.COMPLETED, Status.NONE))
    status, also = examples.targets([unit, None], mixed=0.2)
    assert status[0].tolist() == pytest.approx([0.1, 0.0, 0.8, 0.1])
    assert also[0].tolist() == [1, 0, 1, 1]
    assert status[1].argmax() == STATUSES.index(Status.NONE)


def test_training_makes_a_model_that_learns_is_the_same_again_and_goes_on(gold: Path, tmp_path: Path) -> None:
    lines: list[dict[str, float]] = []
    config = small(gold, epochs=3, start="base", width=16, layers=1)
    folder = run.train(config, tmp_path / "one", told=lines.append)
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert not (tmp_path / "one" / ".state").exists()
    again = run.train(config, tmp_path / "two")
    assert again.manifest.files[GRAPH] == folder.manifest.files[GRAPH]

    class StoppedError(Exception):
        pass

    def stop(at: dict[str, float]) -> None:
        if at["epoch"] == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        run.train(config, tmp_path / "three", told=stop)
    assert (tmp_path / "three" / ".state" / "progress.json").is_file()
    with pytest.raises(ModelError, match="training is done"):
        commitments.load(tmp_path / "three")
    with pytest.raises(SchemaError, match="another training run was stopped here"):
        run.train(small(gold, seed=9, start="base", width=16, layers=1), tmp_path / "three")
    epochs: list[float] = []
    resumed = run.train(config, tmp_path / "three", told=lambda at: epochs.append(at["epoch"]))
    assert set(epochs) == {2, 3}
    assert resumed.manifest.files[GRAPH] == folder.manifest.files[GRAPH]
    assert commitments.load(tmp_path / "three")("我局已建成公园3个。").sentences


def test_without_letters_held_back_the_calibration_is_kept(gold: Path, tmp_path: Path) -> None:
    before = models.find("fast").config(EncoderConfig)
    after = run.train(small(gold, epochs=1), tmp_path / "out").config(EncoderConfig)
    assert (after.temperature, after.also) == (before.temperature, before.also)


def test_a_run_may_go_on_from_what_another_config_makes(gold: Path, tmp_path: Path) -> None:
    first = small(gold, epochs=1, name="first")
    (tmp_path / "first.json").write_bytes(run._json(msgspec.to_builtins(first)))
    run.train(small(gold, epochs=1, start=str(tmp_path / "first.json")), tmp_path / "out")
    assert (tmp_path / "out" / ".before" / "first" / models.MANIFEST).is_file()


def test_a_network_of_another_shape_learns_from_a_teacher(gold: Path, dev: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    rows = [{"id": "T1", "text": "我局已建成公园。\n" * 300}, {"id": LETTERS[9].id, "text": "已建成学校。"}]
    texts.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    first = small(gold, epochs=1, name="first")
    (tmp_path / "first.json").write_bytes(run._json(msgspec.to_builtins(first)))
    teacher = Teacher(models=(str(tmp_path / "first.json"),), texts=(str(texts),), without=(str(dev),))
    config = small(gold, epochs=1, dev=(str(dev),), teacher=teacher, seed=3)
    folder = run.train(config, tmp_path / "out")
    assert (tmp_path / "out" / ".before" / "first" / models.MANIFEST).is_file()
    record = json.loads(folder.read(run.RECORD))
    assert {"gold.jsonl", "texts.jsonl"} == set(record["sources"])
    assert record["letters"] > 4
    told = folder.config(EncoderConfig)
    assert told.temperature > 0


def test_what_is_calibrated_on_may_not_be_learnt(gold: Path, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="to be learnt and to be calibrated on"):
        run.train(small(gold, dev=(str(gold),)), tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing required field"),
        ('name = "a"\nstart = "base"\ngold = []\ncolour = 1', "unknown field `colour`"),
        ("name = ", "no training config"),
    ],
)
def test_a_config_that_is_none_is_told(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=reason):
        configs.read(path)
    done = CliRunner().invoke(app, ["train", str(path)])
    assert done.exit_code == 1
    assert "config.toml" in done.output


@pytest.mark.parametrize(
    "path", sorted((ROOT / "models").glob("*/*.toml")), ids=lambda p: f"{p.parent.name}-{p.stem}"
)
def test_the_configs_of_our_models_can_be_read_and_learn_nothing_that_is_measured(path: Path) -> None:
    config = configs.read(path)
    learnt = {Path(gold.path).name for gold in config.gold}
    assert not learnt & {"dev.jsonl", "test.jsonl", "gold-dev.jsonl", "yangpu-2023-C-064.gold.jsonl"}
    assert {Path(name).name for name in config.dev} <= {"gold-dev.jsonl"}


def test_the_command_trains_further_on_letters_of_ones_own(gold: Path, dev: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    args = [
        "train",
        str(gold),
        "--from",
        "fast",
        "--dev",
        str(dev),
        "--out",
        str(out),
        "--epochs",
        "1",
        "--seed",
        "5",
    ]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0, done.output
    assert "macro-F1" in done.output
    assert f"wrote {out}: mine-" in done.output
    assert commitments.load(out).name.startswith("mine-")
    missing = CliRunner().invoke(app, ["train", str(tmp_path / "none.jsonl"), "--from", "fast"])
    assert missing.exit_code == 1
    assert "none.jsonl" in missing.output


def test_windows_are_drawn_anew_each_epoch_and_show_each_sentence_once(gold: Path) -> None:
    tagger = commitments.load("fast").tagger
    assert isinstance(tagger, Encoder)
    config = small(gold, windows=WindowConfig(size=120))
    [letter] = examples.letters(LETTERS[:1], commitments.load("cues"), tagger._coder, config.windows)
    epochs = [fit.windows([letter], config, n) for n in range(4)]
    assert len({str([w.ids for part in epoch for w, *_ in part]) for epoch in epochs}) > 1
    for epoch in epochs:
        shown = sorted(i for part in epoch for window, *_ in part for i in window.units)
        assert set(shown) <= {one.unit for one in letter.items}
        assert len(shown) == len(set(shown))
