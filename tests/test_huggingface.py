"""The bridge to transformers: the same decisions as onnxruntime's, through the classes that people know."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import commitments
from commitments import corpus, models
from commitments.errors import MissingExtra, ModelError, SchemaError
from commitments.reply import Reply

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("onnx")

from commitments import huggingface  # noqa: E402
from commitments.huggingface import TorchEncoder, convert, from_folder, sentence_classifier  # noqa: E402
from commitments.huggingface_compare import compare  # noqa: E402
from commitments.huggingface_model import (  # noqa: E402
    CommitmentsConfig,
    CommitmentsForSequenceClassification,
    CommitmentsModel,
)
from commitments.tag.encoder import GRAPH, Encoder  # noqa: E402
from commitments.tag.windows import PAD, item  # noqa: E402
from commitments.train import export  # noqa: E402

ROOT = Path(__file__).parent.parent
LETTERS = corpus.load(ROOT / "seeds" / "letters" / "dev.jsonl")
SENTENCES = [
    "我局已建成公园3个。",
    "下一步，我局将在滨江路新建口袋公园2个，力争年底前开放。",
    "感谢您对城市管理工作的关心和支持！",
    "目前正在编制规划，预计2,400户居民受益：",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert("fast", tmp_path_factory.mktemp("hf") / "fast")


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sentence_classifier("fast", tmp_path_factory.mktemp("hf") / "sentences")


@pytest.fixture(scope="module")
def read(folder: Path) -> Any:
    return transformers.pipeline("reply-commitments", model=str(folder))


def weights(model: Any) -> dict[str, Any]:
    return dict(model.state_dict())


def without_model(reply: Reply) -> list[Any]:
    """Everything of the sentences but the name of the model and the last digits of the confidence."""
    return [
        (s.start, s.end, s.status, s.also, s.role, s.link, s.deadlines, s.actors, round(s.confidence, 3))
        for s in reply.sentences
    ]


def test_auto_classes_load_what_was_converted(folder: Path) -> None:
    written = {p.name for p in folder.iterdir()} - {"special_tokens_map.json"}  # of older transformers
    assert written == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    config = transformers.AutoConfig.from_pretrained(folder)
    assert isinstance(config, CommitmentsConfig)
    assert config.id2label == {0: "completed", 1: "ongoing", 2: "pledge", 3: "none"}
    model = transformers.AutoModel.from_pretrained(folder)
    assert isinstance(model, CommitmentsModel)
    assert not model.training
    assert model.digest() == config.weights
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    own = commitments.load("fast").tagger
    assert isinstance(own, Encoder)
    for text in SENTENCES:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert ids == own._coder.encode(text, add_special_tokens=False).ids


def test_saving_and_loading_changes_nothing(folder: Path, tmp_path: Path) -> None:
    first = CommitmentsModel.from_pretrained(folder)
    first.save_pretrained(tmp_path / "again")
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "again")
    second = transformers.AutoModel.from_pretrained(tmp_path / "again")
    assert weights(first).keys() == weights(second).keys()
    assert all(torch.equal(value, weights(second)[name]) for name, value in weights(first).items())
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "again/model.safetensors").read_bytes()
    configs = [json.loads((f / "config.json").read_text()) for f in (folder, tmp_path / "again")]
    assert {**configs[0], "_name_or_path": ""} == {**configs[1], "_name_or_path": ""}
    readers = [transformers.pipeline("reply-commitments", model=str(f)) for f in (folder, tmp_path / "again")]
    assert readers[0](LETTERS[0].text) == readers[1](LETTERS[0].text)


def test_the_deep_network_computes_what_its_graph_does(tmp_path: Path, seed_text: str) -> None:
    loaded, source = from_folder("base"), models.find("base")
    files = {file: source.read(file) for file in source.manifest.files if file != GRAPH}
    files[GRAPH] = export.graph(loaded.model.classifier).SerializeToString()
    graph = Encoder(models.write(tmp_path / "float", "float", "encoder", files))
    # Through a saved folder, since there numbers that are no weights (positions) are made anew.
    again = transformers.AutoModel.from_pretrained(convert("base", tmp_path / "saved"))
    own = TorchEncoder(again, loaded.tokenizer)
    _, draft = commitments.Pipeline(own).draft(seed_text)
    here, there, small = (t.scores(draft) for t in (own, graph, commitments.load("base").tagger))
    shares, wanted = own.probabilities(here.status), graph.probabilities(there.status)
    assert np.abs(shares - wanted).max() < 1e-3
    assert np.ptp(shares, axis=0).min() > 0.5  # numbers that tell sentences apart
    told, right = own.decide(draft, here, [()] * len(draft.units)), []
    for one, other in zip(told, graph.decide(draft, there, [()] * len(draft.units)), strict=True):
        right.append((one.status, one.also) == (other.status, other.also))
    assert all(right)
    assert (shares.argmax(1) == small.status.argmax(1)).mean() > 0.95  # eight bits differ a little


def test_the_shallow_network_reads_as_its_folder_does(read: Any, seed_text: str) -> None:
    nlp = commitments.load("fast")
    assert without_model(Reply.from_dict(read(seed_text))) == without_model(nlp(seed_text))
    for letter in LETTERS[:6]:
        asks = [ask.text for ask in letter.asks]
        given = {"text": letter.text, "suggestion": asks, "date": letter.day}
        found = Reply.from_dict(read(given))
        assert without_model(found) == without_model(
            nlp(letter.text, suggestion=asks or None, date=letter.day)
        )
        assert found.model == f"{nlp.name}+torch"


def test_windows_run_together_give_the_same(read: Any, seed_text: str) -> None:
    one, many = read(seed_text), read(seed_text, batch_size=4)
    assert len(list(read._tagger.windows(commitments.Pipeline(read._tagger).draft(seed_text)[1]))) > 4
    assert without_model(Reply.from_dict(one)) == without_model(Reply.from_dict(many))


def test_letters_in_a_list_and_arguments_for_all(read: Any) -> None:
    texts = ["力争年底前建成公园3个。", {"text": "力争年底前建成公园3个。", "date": "2021-01-02"}]
    first, second = read(texts, date="2023-06-12", suggestion="多建公园")
    assert first["sentences"][0]["deadlines"][0]["end"] == "2023-12-31"
    assert second["sentences"][0]["deadlines"][0]["end"] == "2021-12-31"
    assert [ask["text"] for ask in second["asks"]] == ["多建公园"]
    assert read([]) == []
    assert all(s["undecided"] for s in read("我局已建成公园3个。", abstain=1.0)["sentences"])
    assert read("") == commitments.load("cues")("").to_dict() | {"model": read("")["model"]}


def test_device_and_kind_of_number(folder: Path) -> None:
    reader = transformers.pipeline("reply-commitments", model=str(folder), device="cpu")
    assert reader.device == torch.device("cpu")
    halved = transformers.AutoModel.from_pretrained(folder).to(torch.bfloat16)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    found = transformers.pipeline("reply-commitments", model=halved, tokenizer=tokenizer)(LETTERS[0].text)
    whole = reader(LETTERS[0].text)
    same = [a["status"] == b["status"] for a, b in zip(found["sentences"], whole["sentences"], strict=True)]
    assert sum(same) >= len(same) - 1
    assert found["model"].startswith(whole["model"] + "+weights-")  # other decisions, other version


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card here")
def test_on_a_graphics_card(folder: Path, seed_text: str) -> None:
    here, there = (
        transformers.pipeline("reply-commitments", model=str(folder), device=d) for d in ("cpu", "cuda:0")
    )
    assert without_model(Reply.from_dict(here(seed_text))) == without_model(Reply.from_dict(there(seed_text)))


@pytest.mark.parametrize(
    ("given", "beside"),
    [
        (3, {}),
        ({"suggestion": "多建公园"}, {}),
        ({"text": "好。", "titel": "x"}, {}),
        ({"text": "好。", "date": "soon"}, {}),
        ("好。", {"abstain": 2}),
        ("好。", {"level": "measure"}),
    ],
)
def test_wrong_letters_are_told(read: Any, given: Any, beside: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        read(given, **beside)


def test_training_goes_through_the_usual_forward(folder: Path) -> None:
    model = CommitmentsModel.from_pretrained(folder).train()
    tagger = TorchEncoder(*from_folder("fast"))
    nlp = commitments.Pipeline(tagger)
    _, draft = nlp.draft("我局已建成公园3个。下一步，将再建2个。")
    from commitments.tag.cues import Cues
    from commitments.tag.features import features
    from commitments.train.classifier import batch

    rows = np.array(features(draft, Cues()), dtype=np.float32)
    nothing = np.zeros((len(rows), 0), dtype=np.float32)
    given = batch([(next(tagger.windows(draft)), rows, nothing, nothing, nothing)])
    labels = torch.tensor([[0, -100]])
    found = model(given.ids, given.place, given.tail, given.features, labels=labels)
    assert found.logits.shape == (1, 2, 4)
    found.loss.backward()
    assert model.classifier.status.weight.grad.abs().sum() > 0
    model.eval()
    with torch.no_grad():
        logits = model(given.ids, given.place, given.tail, given.features).logits
    assert torch.softmax(logits, -1)[0].max(-1).values.tolist() == pytest.approx(
        [s.confidence for s in nlp("我局已建成公园3个。下一步，将再建2个。").sentences], abs=1e-4
    )


def test_lone_sentences(lone: Path) -> None:
    classify = transformers.pipeline("text-classification", model=str(lone))
    assert isinstance(classify.model, CommitmentsForSequenceClassification)
    assert [found["label"] for found in classify(SENTENCES[:3])] == ["completed", "pledge", "none"]
    singly = [classify(text)[0]["score"] for text in SENTENCES]
    together = [found["score"] for found in classify(SENTENCES, batch_size=4)]
    assert together == pytest.approx(singly, abs=1e-5)
    assert sum(row["score"] for row in classify(SENTENCES[0], top_k=None)) == pytest.approx(1.0)
    long = "我局已建成公园3个，" * 300 + "下一步将再建2个。"
    assert classify(long)[0]["label"] == "pledge"
    assert len(classify(["", "。"])) == 2


def test_a_lone_sentence_is_cut_as_windows_cut_it(lone: Path) -> None:
    model = CommitmentsForSequenceClassification.from_pretrained(lone)
    tokenizer = transformers.AutoTokenizer.from_pretrained(lone)
    texts = [*SENTENCES, "我局已建成公园3个，" * 100 + "下一步将再建2个。"]
    ids = tokenizer(texts, return_tensors="pt", padding=True)["input_ids"]
    assert model._shortened(ids).shape[1] < ids.shape[1]
    ids = model._shortened(ids)
    here = torch.arange(ids.shape[1]).unsqueeze(0)
    within = (here >= model.config.sentence_prefix) & (here < (ids != PAD).sum(1, keepdim=True) - 1)
    tails = model._tail(ids, within)[:, 0].tolist()
    tagger = TorchEncoder(*from_folder("fast"))
    for text, row, inside, tail in zip(texts, ids, within, tails, strict=True):
        _, draft = commitments.Pipeline(tagger).draft(text)
        assert len(draft.units) == 1
        one = item(draft, 0, tagger._coder, tagger.config.windows)
        assert row[inside].tolist() == list(one.ids)
        assert max(0, tail - model.config.sentence_prefix) == one.tail


def test_comparison_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    corpus.dump(LETTERS[:4], gold)
    assert huggingface.main(["--compare", "fast", str(gold)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["float"]["same_status"] == 1.0
    assert told["float"]["max"] < 1e-3
    assert told["letters"] == 4
    assert told["right"]["torch"] > told["right"]["alone"] > 0.5
    with pytest.raises(SchemaError, match="no letter"):
        compare("fast", [])


def test_what_is_no_network_is_told(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match="no model"):
        from_folder("huge")
    with pytest.raises(ModelError, match="model folder of this library"):
        convert("fast", models.find("fast").path)
    shutil.copytree(models.find("fast").path, tmp_path / "cut")
    (tmp_path / "cut" / GRAPH).write_bytes((tmp_path / "cut" / GRAPH).read_bytes()[:1000])
    assert huggingface.main(["--convert", str(tmp_path / "cut"), str(tmp_path / "out")]) == 1
    assert "has been changed or cut off" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("change", ["labels", "features", "temperature", "shape"])
def test_a_config_of_another_library_is_told(folder: Path, tmp_path: Path, change: str) -> None:
    shutil.copytree(folder, tmp_path / "other")
    path = tmp_path / "other" / "config.json"
    config = json.loads(path.read_text())
    if change == "shape":
        del config["encoder"]["hidden_size"]
    else:
        config["reading"][change] = 0 if change == "temperature" else ["a", "b"]
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"config\.json"):
        transformers.pipeline("reply-commitments", model=str(tmp_path / "other"))


def test_lone_sentences_are_no_letters(lone: Path, folder: Path) -> None:
    model = CommitmentsForSequenceClassification.from_pretrained(lone)
    tokenizer = transformers.AutoTokenizer.from_pretrained(lone)
    with pytest.raises(ModelError, match="needs a CommitmentsModel"):
        huggingface.ReplyPipeline(model=model, tokenizer=tokenizer, task=huggingface.TASK)
    smaller = transformers.PreTrainedTokenizerFast(
        tokenizer_object=__import__("tokenizers").Tokenizer(__import__("tokenizers").models.Unigram())
    )
    with pytest.raises(ModelError, match="pieces"):
        TorchEncoder(CommitmentsModel.from_pretrained(folder), smaller)


def test_without_transformers_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['transformers'] = None\n"
        "from commitments.errors import MissingExtra\n"
        "for name in ('huggingface', 'huggingface_model', 'huggingface_compare'):\n"
        "    try:\n"
        "        __import__(f'commitments.{name}')\n"
        "    except MissingExtra as error:\n"
        "        assert error.extra == 'transformers', error\n"
        "    else:\n"
        "        raise SystemExit('no error')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert issubclass(MissingExtra, ImportError)
