"""The component for HanLP, in a pipeline with a recurrent tagger of HanLP's that is trained here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import commitments
from commitments import corpus
from commitments.errors import MissingExtra, ModelError, SchemaError
from commitments.reply import Reply

torch = pytest.importorskip("torch")
hanlp = pytest.importorskip("hanlp")

from hanlp.components.taggers.rnn_tagger import RNNTagger  # noqa: E402
from hanlp.utils.rules import split_sentence  # noqa: E402
from hanlp.utils.span_util import bmes_to_words  # noqa: E402
from hanlp_common.document import Document  # noqa: E402

from commitments.hanlp import LAYERS, REPLY, Commitments, component, sentences  # noqa: E402

ROOT = Path(__file__).parent.parent
LETTERS = corpus.load(ROOT / "seeds" / "letters" / "dev.jsonl")
LETTER = "现答复如下：\n我局已建成公园3个；由区教育局牵头，力争2024年底前新建幼儿园3所。感谢您的支持！"
_WORD = re.compile(
    r"\d+(?:\.\d+)?|建设|改造|新增|新建|完成|公园|停车位?|小区|道路|我局|我委|目前|代表|建议|工作|\S"
)

Words = Callable[[list[str]], list[list[str]]]


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Words:
    """A tokenizer of HanLP's, learnt from our letters in seconds; its words are rough, its offsets real.

    `RNNTokenizer` and `RNNNamedEntityRecognizer` of HanLP 2.1.5 do not work; the tagger under them does.
    """
    folder = tmp_path_factory.mktemp("hanlp")
    for name, letters in (("train", LETTERS[:16]), ("dev", LETTERS[16:])):
        rows = []
        for letter in letters:
            for unit in letter.units:
                for word in _WORD.findall(letter.text[unit.start : unit.end]):
                    tags = "S" if len(word) == 1 else "B" + "M" * (len(word) - 2) + "E"
                    rows += [f"{char}\t{tag}" for char, tag in zip(word, tags, strict=True)]
                rows.append("")
        (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    shape = {"embed": 32, "rnn_hidden": 32, "crf": False, "tagging_scheme": "BMES"}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network is slower on several
    RNNTagger().fit(
        str(folder / "train.tsv"),
        str(folder / "dev.tsv"),
        str(folder / "model"),
        epochs=6,
        lr=1e-2,
        devices=-1,
        seed=1,
        verbose=False,
        **shape,
    )
    torch.set_num_threads(threads)
    tagger = hanlp.load(str(folder / "model"), devices=-1)

    def cut(rows: list[str]) -> list[list[str]]:
        chars = [list("".join(row.split())) for row in rows]
        return [bmes_to_words(row, tags) for row, tags in zip(chars, tagger.predict(chars), strict=True)]

    return cut


def pipeline(words: Words, split: Any = split_sentence, **given: Any) -> Any:
    made = hanlp.pipeline().append(split, input_key="text", output_key="sents")
    made.append(words, input_key="sents", output_key="tok")
    return made.append(component("cues", **given), input_key="*")


def nouns(rows: list[list[str]]) -> list[list[tuple[str, str, int, int]]]:
    """Stands in for a model of entities: every word 公园 is a body, and the first word a person."""
    return [
        [(w, "ORGANIZATION", i, i + 1) for i, w in enumerate(row) if w == "公园"] + [(row[0], "PERSON", 0, 1)]
        for row in rows
    ]


def test_the_tokenizer_has_learnt_words(words: Words) -> None:
    assert words(["我局将新增停车位200个。"])[0][:1] == ["我局"]
    assert "200" in words(["我局将新增停车位200个。"])[0]


@pytest.mark.parametrize("split", [split_sentence, sentences])
def test_layers_count_tokens(words: Words, split: Any, seed_text: str) -> None:
    doc = pipeline(words, split)(text=seed_text)
    assert isinstance(doc, Document)
    reply = commitments.load("cues")(seed_text)
    assert Reply.from_json(doc[REPLY]) == reply
    assert max(map(len, (w for row in doc["tok"] for w in row))) > 1
    for layer in LAYERS:
        assert len(doc[layer]) == len(doc["tok"]) > 30
        for row, tokens in zip(doc[layer], doc["tok"], strict=True):
            for text, _, begin, end in row:
                assert 0 <= begin < end <= len(tokens)
                covered = "".join(tokens[begin:end])
                assert "".join(text.split()) in covered
                assert len(covered) - len("".join(text.split())) < len(tokens[begin]) + len(tokens[end - 1])
    for layer, name in (("deadlines", "deadlines"), ("quantities", "quantities"), ("actors", "actors")):
        told = [item[0] for row in doc[f"commitments/{layer}"] for item in row]
        wanted = [x.text for s in reply.measures for x in getattr(s, name) if x.span]
        assert "".join("".join(told).split()) == "".join("".join(wanted).split())
        assert told
    stated = [label for row in doc["commitments/status"] for _, label, _, _ in row]
    assert stated.count("pledge") >= len(reply.pledges) > 0
    if split is sentences:  # then nothing is cut
        assert stated == [s.status.value for s in reply.sentences]
        assert [i[0].replace("\n", "") for row in doc["commitments/measures"] for i in row] == [
            s.text.replace("\n", "") for s in reply.measures
        ]


def test_every_layer_of_a_small_letter(words: Words) -> None:
    # A character a token.
    nlp = pipeline(lambda rows: [list("".join(row.split())) for row in rows], sentences)
    doc = nlp(text=LETTER, suggestion=["关于多建公园的建议", "关于增建幼儿园的建议"], date="2023-06-12")
    assert doc["sents"] == [
        "现答复如下：",
        "我局已建成公园3个；",
        "由区教育局牵头，力争2024年底前新建幼儿园3所。",
        "感谢您的支持！",
    ]
    assert doc["commitments/status"] == [
        [["现答复如下：", "none", 0, 6]],
        [["我局已建成公园3个；", "completed", 0, 10]],
        [["由区教育局牵头，力争2024年底前新建幼儿园3所。", "pledge", 0, 25]],
        [["感谢您的支持！", "none", 0, 7]],
    ]
    reply = Reply.from_json(doc[REPLY])
    assert [ask.text for ask in reply.asks] == ["关于多建公园的建议", "关于增建幼儿园的建议"]
    assert [i[:2] for row in doc["commitments/asks"] for i in row] == [
        [s.text, ",".join(s.asks)] for s in reply.measures
    ]
    assert doc["commitments/asks"][2][0][1:] == ["S2", 0, 25]
    assert doc["commitments/deadlines"][2] == [["2024年底前", "by ../2024-12-31", 10, 17]]
    assert doc["commitments/actors"][2] == [["区教育局", "lead", 1, 5]]
    assert doc["commitments/quantities"][1] == [["3个", "result", 7, 9]]
    assert json.loads(str(doc))["commitments/deadlines"] == doc["commitments/deadlines"]


def test_without_tokens_layers_count_characters() -> None:
    nlp = hanlp.pipeline().append(component("cues"))
    for given in (LETTER, Document(text=LETTER), {"text": LETTER}):
        doc = nlp(given)
        for layer in LAYERS:
            assert all(LETTER[begin:end] == text for text, _, begin, end in doc[layer])
        assert [label for _, label, _, _ in doc["commitments/measures"]] == ["completed", "pledge"]
    after = hanlp.pipeline().append(split_sentence).append(component("cues"))(LETTER)
    assert after["text"].replace("\n", "") == LETTER.replace("\n", "")
    assert [item[1] for item in after["commitments/measures"]] == ["completed", "pledge"]
    assert all(after["text"][b:e] == t for layer in LAYERS for t, _, b, e in after[layer])


def test_one_sentence_of_tokens_and_tokens_with_offsets() -> None:
    flat = Document({"tok/fine": ["我局", "已", "建成", "公园", "3", "个", "。"]})
    doc = component("cues")(flat)
    assert doc["commitments/measures"] == [["我局已建成公园3个。", "completed", 0, 7]]
    assert doc["commitments/quantities"] == [["3个", "result", 4, 6]]
    placed = Document(text="我局已建成公园3个。", tok=[[["我局已建成", 0, 5], ["公园3个。", 5, 10]]])
    doc = component("cues")(placed)
    assert doc["commitments/quantities"] == [[["3个", "result", 1, 2]]]  # a part of the token


def test_what_reaches_over_sentences_stands_in_each() -> None:
    tok = [["我局", "已", "建成"], ["公园", "3", "个", "。"], ["谢谢", "。"]]
    doc = component("cues")(Document(text="我局已建成公园3个。\n谢谢。", tok=tok))
    assert doc["commitments/measures"] == [
        [["我局已建成", "completed", 0, 3]],
        [["公园3个。", "completed", 0, 4]],
        [],
    ]


def test_bodies_of_ner_come_only_on_request(words: Words) -> None:
    text = "我局已建成公园3个。由区教育局牵头新建公园2个。感谢您对公园的支持！"
    plain = hanlp.pipeline().append(split_sentence, input_key="text", output_key="sents")
    plain.append(lambda rows: [_WORD.findall(row) for row in rows], input_key="sents", output_key="tok")
    plain.append(nouns, input_key="tok", output_key="ner")
    asked = hanlp.pipeline(*plain)
    plain.append(component("cues"), input_key="*")
    asked.append(component("cues", entities=True), input_key="*")
    without, with_ner = plain(text=text), asked(text=text)
    assert all(label != "ner" for row in without["commitments/actors"] for _, label, _, _ in row)
    told = [(n, *item[:2]) for n, row in enumerate(with_ner["commitments/actors"]) for item in row]
    assert [t for t in told if t[2] == "ner"] == [(0, "公园", "ner"), (1, "公园", "ner")]  # none in thanks
    assert [t for t in told if t[2] != "ner"] == [
        (n, *item[:2]) for n, row in enumerate(without["commitments/actors"]) for item in row
    ]
    with pytest.raises(SchemaError, match="ner"):
        component("cues", entities=True)(Document(text=text, tok=[_WORD.findall(text)]))


def test_arguments_and_undecided() -> None:
    doc = component("cues")("力争年底前建成公园3个。", date="2023-06-12", suggestion=["多建公园"])
    assert doc["commitments/deadlines"][0][1] == "by ../2023-12-31"
    assert doc["commitments/asks"][0][1] == "S1"
    assert component("cues", abstain=1.0)("我局已建成公园3个。")["commitments/measures"] == []
    own = Commitments("cues", pipeline=commitments.load("keywords"))("我局已建成公园3个。")
    assert Reply.from_json(own[REPLY]).model.startswith("keywords")


def test_a_saved_pipeline_comes_back(tmp_path: Path) -> None:
    made = hanlp.pipeline().append(split_sentence, input_key="text", output_key="sents")
    made.append(component("cues", abstain=0.3), input_key="*")
    made.save(str(tmp_path / "pipeline.json"))
    from hanlp.components.pipeline import Pipeline

    again = Pipeline.from_config(str(tmp_path / "pipeline.json"))
    assert again[1].component.nlp.config.abstain == 0.3
    assert again(text=LETTER) == made(text=LETTER)


def test_printing_shows_every_sentence(words: Words) -> None:
    doc = pipeline(words)(text=LETTERS[0].text)
    assert len(doc.to_conll()) == len(doc["tok"])
    assert doc.count_sentences() == len(doc["tok"])


def test_empty_texts() -> None:
    for given in ("", Document(text="", tok=[]), Document(text=" \n", tok=[[]])):
        doc = component("cues")(given)
        assert not any(item for layer in LAYERS for item in doc[layer])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (7, "int"),
        ([3], "list"),
        (Document(pos=[["NN"]]), "no 'text'"),
        (Document(text=3), "not a text"),
        (Document(text="我局已建成。", tok=[["我局", "巳", "建成"]]), "token 2 of sentence 1 is '巳'"),
        (Document(text="我局已建成。", tok=[[1, 2]]), "no token"),
        (Document(text="我局已建成。", date="soon"), "no date"),
    ],
)
def test_wrong_documents_are_told(given: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        component("cues")(given)


def test_wrong_keys_and_models_are_told() -> None:
    with pytest.raises(SchemaError, match="tok/coarse"):
        component("cues", tok="tok/coarse")(Document(text="好。", tok=[["好", "。"]]))
    with pytest.raises(ModelError):
        component("huge")


def test_without_hanlp_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['hanlp'] = None\n"
        "from commitments.errors import MissingExtra\n"
        "try:\n"
        "    import commitments.hanlp\n"
        "except MissingExtra as error:\n"
        "    assert error.extra == 'hanlp', error\n"
        "else:\n"
        "    raise SystemExit('no error')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert issubclass(MissingExtra, ImportError)


def test_arguments_are_kept_by_the_pipe() -> None:
    made = hanlp.pipeline().append(component("cues"), input_key="*", date="2021-01-02")
    assert made(text="力争年底前建成公园3个。")["commitments/deadlines"][0][1] == "by ../2021-12-31"
