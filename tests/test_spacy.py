"""The spaCy component: the results of the bare pipeline, in spaCy's places, and whole after every journey."""

from __future__ import annotations

import datetime
import json
import pickle
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

spacy = pytest.importorskip("spacy")

from spacy import displacy  # noqa: E402
from spacy.tokens import Doc, DocBin, Span  # noqa: E402
from spacy.training import Example  # noqa: E402

import commitments  # noqa: E402
from commitments import corpus, evaluate, metrics, models  # noqa: E402
from commitments.corpus import GoldDocument, GoldSpan, GoldUnit  # noqa: E402
from commitments.errors import ModelError, SchemaError  # noqa: E402
from commitments.pipeline import PipelineConfig  # noqa: E402
from commitments.reply import Reply  # noqa: E402
from commitments.spacy import DEFAULTS, FIELDS, SpanKeys, displacy_options, to_docbin, to_examples  # noqa: E402
from commitments.spacy_export import of_reply  # noqa: E402
from commitments.terms import Status  # noqa: E402

ROOT = Path(__file__).parent.parent
LETTER = (
    "关于增设公交站的建议收悉，现答复如下：\n截至目前，我局已在人民路增设公交站2处。\n"
    "下一步，待资金落实后，由区交通局力争2024年底前优化沿线候车亭30个。"
)


def blank(model: str = "cues", **config: Any) -> Any:
    nlp = spacy.blank("zh")
    nlp.add_pipe("commitments", config={"model": model, **config})
    return nlp


@pytest.fixture(scope="module")
def rules() -> Any:
    return blank()


@pytest.fixture(scope="module")
def gold() -> tuple[GoldDocument, ...]:
    return corpus.load(ROOT / "seeds" / "letters" / "dev.jsonl")


def all_of(doc: Any) -> tuple[str, dict[str, list[tuple[int, int, str]]]]:
    """Everything that the component writes."""
    groups = {key: [(s.start_char, s.end_char, s.label_) for s in group] for key, group in doc.spans.items()}
    return doc.user_data["commitments.reply"], groups


def test_groups_are_those_of_the_reply(rules: Any, nlp: commitments.Pipeline, seed_text: str) -> None:
    doc, reply = rules(seed_text), nlp(seed_text)
    assert doc._.commitments == reply
    assert [(s.start_char, s.end_char, s.label_) for s in doc.spans["measures"]] == [
        (s.start, s.end, s.status.value) for s in reply.measures
    ]
    assert {span.label_ for span in doc.spans["measures"]} == {"completed", "ongoing", "pledge"}
    assert [s.label_ for s in doc.spans["asks"]] == [ask.id for ask in reply.asks for _ in ask.spans]
    for field in ("deadlines", "quantities", "actors", "conditions"):
        items = [item for s in reply.measures for item in getattr(s, field)]
        assert [span.text for span in doc.spans[field]] == [item.text for item in items]
        assert [span._.attribute for span in doc.spans[field]] == items
    assert len(doc.spans["quantities"]) > 5


def test_a_span_tells_what_its_sentence_is(rules: Any) -> None:
    doc = rules(LETTER)
    *_, pledge = doc.spans["measures"]
    sentence = doc._.commitments.pledges[-1]
    for field in FIELDS:
        assert getattr(pledge._, field) == getattr(sentence, field)
    assert pledge._.deadline.end == datetime.date(2024, 12, 31)
    assert pledge._.commitment == sentence
    inner = doc.char_span(LETTER.index("候车亭"), LETTER.index("30个"))
    assert inner._.status is Status.PLEDGE
    assert inner._.attribute is None
    [due] = doc.spans["deadlines"]
    assert (due._.attribute.text, due.label_) == ("2024年底前", "deadline")
    unread = spacy.blank("zh")("我局。")
    assert unread[0:1]._.status is None
    assert unread._.commitments is None


def test_what_is_undecided_is_no_measure() -> None:
    doc = blank(abstain=1.0)(LETTER)
    assert len(doc.spans["measures"]) == 0
    assert len(doc.spans["sentences"]) == 3


def test_suggestion_and_date_by_extension_and_by_context(rules: Any, nlp: commitments.Pipeline) -> None:
    text = "我局已增设公交站2处。下一步，年底前将延长末班车时间。"
    asks = ("增设公交站", "延长末班车运营时间")
    wanted = nlp(text, suggestion=asks, date="2023-06-12")
    assert [ask.text for ask in wanted.asks] == list(asks)
    doc = rules.make_doc(text)
    doc._.suggestion, doc._.date = asks, datetime.date(2023, 6, 12)
    assert rules(doc)._.commitments == wanted
    assert (doc._.suggestion, doc._.date) == (list(asks), datetime.date(2023, 6, 12))
    context = {"suggestion": list(asks), "date": "2023-06-12", "of one's own": 1}
    for workers in (1, 2):
        [(read, same)] = rules.pipe([(text, context)], as_tuples=True, n_process=workers)
        assert read._.commitments == wanted
        assert same == context
    [(read, _)] = rules.pipe([(text, "a context that is no dict")], as_tuples=True)
    assert read._.commitments == nlp(text)
    set_on_doc = rules.make_doc(text)
    set_on_doc._.date = "2021-01-01"
    [(read, _)] = rules.pipe([(set_on_doc, context)], as_tuples=True)
    assert read._.commitments == nlp(text, suggestion=asks, date="2021-01-01")


def test_wrong_arguments_are_named(rules: Any) -> None:
    doc = rules.make_doc("好。")
    for wrong in ("12.6.2023", 3):
        with pytest.raises(SchemaError, match="is no date"):
            doc._.date = wrong
    doc._.suggestion = 3
    with pytest.raises(SchemaError, match="suggestion"):
        rules(doc)
    with pytest.raises(SchemaError, match="another text"):
        doc._.commitments = Reply(text="别的。")
    doc._.commitments = Reply(text="好。")
    assert doc._.commitments == Reply(text="好。")
    doc._.commitments = None
    assert doc._.commitments is None
    doc.user_data["commitments.reply"] = '{"text": 3}'
    with pytest.raises(SchemaError, match=r"\$\.text"):
        _ = doc._.commitments


def test_pipe_and_processes_give_the_same(gold: tuple[GoldDocument, ...]) -> None:
    nlp = blank("fast", threads=2)  # onnxruntime's threads do not survive a fork
    texts = [document.text for document in gold[:6]]
    single = [all_of(nlp(text)) for text in texts]
    assert [all_of(doc) for doc in nlp.pipe(texts, batch_size=4)] == single
    assert [all_of(doc) for doc in nlp.pipe(texts, batch_size=2, n_process=2)] == single


def test_a_spawned_process_can_be_sent_the_component(rules: Any) -> None:
    from spacy.tokens.underscore import Underscore

    rules("好。")
    component = pickle.loads(pickle.dumps(rules.get_pipe("commitments")))
    assert component.pipeline("将建公园。") == rules("将建公园。")._.commitments
    state = pickle.loads(pickle.dumps(Underscore.get_state()))
    assert state[1]["status"][2](rules("将建公园。")[:]) is Status.PLEDGE


def test_docs_keep_everything(rules: Any, seed_text: str) -> None:
    doc = rules.make_doc(seed_text)
    doc._.suggestion, doc._.date = ["加快科创"], "2023-06-12"
    doc = rules(doc)
    empty = rules("好。")
    by_bytes = Doc(rules.vocab).from_bytes(doc.to_bytes())
    data = DocBin(docs=[doc, empty], store_user_data=True).to_bytes()
    by_bin, still_empty = DocBin().from_bytes(data).get_docs(spacy.blank("zh").vocab)
    for same in (by_bytes, by_bin):
        assert all_of(same) == all_of(doc)
        assert same._.commitments == doc._.commitments
        assert (same._.suggestion, same._.date) == (doc._.suggestion, doc._.date)
        assert [s._.deadline for s in same.spans["measures"]] == [s._.deadline for s in doc.spans["measures"]]
    assert all_of(still_empty) == all_of(empty)


def test_config_shows_every_default(rules: Any) -> None:
    block = spacy.blank("zh").from_config(rules.config).config["components"]["commitments"]
    assert block == {"factory": "commitments", **DEFAULTS, "model": "cues"}
    assert DEFAULTS["model"] == models.DEFAULT
    assert DEFAULTS["stages"]["link"]["most"] == PipelineConfig().link.most
    assert DEFAULTS["abstain"] == PipelineConfig().abstain
    changed = blank(span_keys={"measures": "举措", "actors": ""}, stages={"attributes": {"on": False}})
    doc = changed(LETTER)
    assert "举措" in doc.spans
    assert not {"measures", "actors", ""} & set(doc.spans)
    assert len(doc.spans["quantities"]) == 0
    assert changed.get_pipe("commitments").pipeline.config.link == PipelineConfig().link


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"abstain": 1.5}, "abstain=1.5 is no share"),
        ({"stages": {"link": {"leest": 1}}}, "there is no setting link.leest"),
        ({"stages": {"lnk": {"least": 1}}}, "there is no setting lnk.least"),
        ({"stages": {"link": {"least": "much"}}}, r"\$.link.least"),
        ({"span_keys": {"measure": "m"}}, "measure"),
    ],
)
def test_wrong_settings_are_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        blank(**config)


def test_an_unknown_model_is_named_at_first_use() -> None:
    with pytest.raises(ModelError, match="no model 'bse'"):
        blank("bse")("好。")


def test_pipelines_come_back_from_disk_and_bytes(tmp_path: Path, rules: Any) -> None:
    rules.to_disk(tmp_path / "nlp")
    back = spacy.load(tmp_path / "nlp")
    again = spacy.blank("zh").from_config(rules.config).from_bytes(rules.to_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all_of(back(LETTER)) == all_of(again(LETTER)) == all_of(rules(LETTER))
    other = spacy.load(tmp_path / "nlp", config={"components": {"commitments": {"model": "keywords"}}})
    with pytest.warns(UserWarning, match="saved with the model cues"):
        other(LETTER)
    (tmp_path / "nlp" / "commitments" / "model.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"model\.json"):
        spacy.load(tmp_path / "nlp")


def test_a_model_of_ones_own_travels_along(tmp_path: Path) -> None:
    own = tmp_path / "own"
    folder = models.find("fast")
    files = {file: folder.read(file) for file in folder.manifest.files}
    models.write(own, "own", folder.manifest.kind, files)
    nlp = blank(str(own))
    wanted = all_of(nlp(LETTER))
    nlp.to_disk(tmp_path / "nlp")
    data = nlp.to_bytes()
    own.rename(tmp_path / "moved")
    loaded = spacy.load(tmp_path / "nlp")
    loaded.to_disk(tmp_path / "nlp")  # onto the folder that its model lies in
    assert all_of(loaded(LETTER)) == all_of(spacy.load(tmp_path / "nlp")(LETTER)) == wanted
    config = {"components": {"commitments": {"model": "cues"}}}
    with pytest.warns(UserWarning, match="saved with the model"):
        assert spacy.load(tmp_path / "nlp", config=config)(LETTER)._.commitments.model.startswith("cues")
    back = spacy.blank("zh").from_config(nlp.config).from_bytes(data)
    assert all_of(back(LETTER)) == wanted


def test_bytes_cannot_write_elsewhere(rules: Any) -> None:
    import msgspec

    kept = {"model": "x", "name": "x", "kind": "encoder", "files": {"../x": b""}}
    with pytest.raises(SchemaError, match="is no name of a file"):
        rules.get_pipe("commitments").from_bytes(msgspec.msgpack.encode(kept))
    with pytest.raises(SchemaError, match="no saved component"):
        rules.get_pipe("commitments").from_bytes(b"\x80")


def test_where_tokens_are_coarser_a_span_takes_them_whole() -> None:
    nlp = spacy.blank("zh")
    nlp.add_pipe("commitments", config={"model": "cues"})
    text = "我局已建成公园3个。将建桥2座。"
    words = ["我局", "已", "建成公园3", "个。将", "建桥2", "座", "。"]
    doc = nlp(Doc(nlp.vocab, words=words, spaces=[False] * len(words)))
    assert doc.text == text
    assert [s.text for s in doc.spans["measures"]] == ["我局已建成公园3个。将", "个。将建桥2座。"]
    assert [s._.commitment.text for s in doc.spans["measures"]] == ["我局已建成公园3个。", "将建桥2座。"]
    assert [s._.status.value for s in doc.spans["measures"]] == ["completed", "pledge"]
    assert [s.text for s in doc.spans["quantities"]] == ["建成公园3个。将", "建桥2座"]
    assert [s._.attribute.text for s in doc.spans["quantities"]] == ["3个", "2座"]


@pytest.mark.parametrize("segmenter", ["char", "jieba"])
def test_every_zh_tokenizer_gives_the_same_statuses(segmenter: str, seed_text: str) -> None:
    if segmenter == "jieba":
        pytest.importorskip("jieba")
    nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"segmenter": segmenter}}})
    nlp.add_pipe("commitments", config={"model": "cues"})
    doc = nlp(seed_text)
    exact = of_reply(doc._.commitments)
    for name, spans in exact.items():
        assert len(doc.spans[name]) == len(spans)
        for span, (start, end, label) in zip(doc.spans[name], spans, strict=True):
            assert span.label_ == label
            assert span.start_char <= start < end <= span.end_char
            assert span[0].idx + len(span[0]) > start  # and no token more
            assert span[-1].idx < end


def test_evaluate_gives_the_figures_of_the_library(gold: tuple[GoldDocument, ...]) -> None:
    nlp = blank("fast")
    found = nlp.evaluate(to_examples(gold, nlp))
    pipeline = commitments.load("fast")
    counts = metrics.total(metrics.count(d, evaluate.read(pipeline, d)) for d in gold)
    wanted = metrics.figures(counts)
    assert found["status_macro_f1"] == wanted["macro_f1"] > 0.8
    assert found["status_f1_per_type"]["pledge"] == wanted["f1_pledge"]
    assert set(found["spans_measures_per_type"]) == {"completed", "ongoing", "pledge"}
    assert 0 < found["spans_quantities_f"] < 1
    assert found["spans_asks_f"] is None  # gold letters do not mark them
    assert found["spans_conditions_f"] is None
    weights = nlp.config["training"]["score_weights"]
    assert weights["status_macro_f1"] == 1.0
    assert set(weights) <= set(found)


def test_a_reply_judged_by_itself_is_right(rules: Any, seed_text: str) -> None:
    reply = commitments.load("cues")(seed_text, suggestion=["发展科创", "引进人才"], date="2023-06-12")
    found = rules.evaluate(to_examples([reply], rules))
    assert found["status_macro_f1"] == 1.0
    assert {found[f"spans_{key}_f"] for key in ("measures", "quantities", "actors")} == {1.0}


def test_gold_letters_become_training_data(rules: Any, gold: tuple[GoldDocument, ...]) -> None:
    data = to_docbin(gold, rules).to_bytes()
    docs = list(DocBin().from_bytes(data).get_docs(rules.vocab))
    assert len(docs) == len(gold)
    for doc, document in zip(docs, gold, strict=True):
        assert doc.text == document.text
        assert [(s.text, s.label_) for s in doc.spans["sentences"]] == [
            (document.text[u.start : u.end], u.label.value) for u in document.units
        ]
        spans = [span for unit in document.units for span in unit.spans]
        assert [s.text for s in doc.spans["quantities"]] == [s.text for s in spans if s.kind == "quantity"]
        assert list(doc._.suggestion) == [ask.text for ask in document.asks]
        assert doc._.date == document.day
        assert doc.user_data["commitments.name"] == document.id
        assert doc._.commitments is None
        assert "asks" not in doc.spans


def test_what_was_not_annotated_has_no_group(rules: Any) -> None:
    plain = GoldDocument("a", "已建成。", (), (GoldUnit(0, 4, Status.COMPLETED),))
    due = GoldSpan("deadline", 0, 3, "年底前")
    marked = GoldDocument("b", "年底前建成。", (), (GoldUnit(0, 6, Status.PLEDGE, spans=(due,)),))
    one, two = to_docbin([plain, marked], rules).get_docs(rules.vocab)
    assert set(one.spans) == {"sentences", "measures"}
    assert set(two.spans) == {"sentences", "measures", "deadlines"}
    with pytest.raises(SchemaError, match="not str"):
        to_docbin(["已建成。"], rules)  # type: ignore[list-item]


@pytest.mark.parametrize("key", ["quantities", "measures"])
def test_spancat_learns_from_the_docbin(rules: Any, gold: tuple[GoldDocument, ...], key: str) -> None:
    suggest: dict[str, Any] = {"@misc": "spacy.ngram_range_suggester.v1", "min_size": 2, "max_size": 6}
    if key == "measures":
        suggest = {"@misc": "spacy.preset_spans_suggester.v1", "spans_key": "sentences"}
    nlp = spacy.blank("zh")
    nlp.add_pipe("spancat", config={"spans_key": key, "suggester": suggest})
    examples = []
    for doc in to_docbin(gold[:4], nlp).get_docs(nlp.vocab):
        shown = rules(doc.text) if key == "measures" else nlp.make_doc(doc.text)
        shown = Doc(nlp.vocab, words=[t.text for t in shown], spaces=[bool(t.whitespace_) for t in shown])
        if key == "measures":  # as an annotating component leaves it
            shown.spans["sentences"] = [Span(shown, s.start, s.end) for s in doc.spans["sentences"]]
        examples.append(Example(shown, doc))
    nlp.initialize(lambda: examples)
    losses = [nlp.update(examples)["spancat"] for _ in range(4)]
    assert losses[-1] < losses[0]
    wanted = {"quantity"} if key == "quantities" else {"completed", "ongoing", "pledge"}
    assert set(nlp.get_pipe("spancat").labels) == wanted


def test_displacy_shows_the_library_s_colours(rules: Any) -> None:
    page = displacy.render(rules(LETTER), style="span", options=displacy_options(), jupyter=False)
    css = (ROOT / "commitments" / "view.css").read_text(encoding="utf-8")
    for status in ("completed", "pledge"):
        [color] = re.findall(rf"--{status}:(#\w+)", css.split("@media")[0])
        assert f"background: {color}" in page
        assert status in page
    assert "color: #fff" in page
    asks = displacy_options("asks", labels=["S1"])
    assert asks["spans_key"] == "asks"
    assert "S1" in asks["colors"]


def test_it_reads_in_the_pipeline_of_others(rules: Any) -> None:
    nlp = spacy.blank("zh")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("commitments", "zweite", config={"model": "cues"})
    doc = nlp(LETTER)
    assert all_of(doc) == all_of(rules(LETTER))
    assert len(list(doc.sents)) >= 2
    assert nlp.analyze_pipes()["problems"]["zweite"] == []


@pytest.fixture
def taken() -> Iterator[None]:
    before = Span.get_extension("status")
    Span.set_extension("status", default="theirs", force=True)
    yield
    Span.set_extension("status", getter=before[2], force=True)


def test_the_extension_of_somebody_else_is_left_alone(taken: None) -> None:
    from commitments import spacy as adapter

    with pytest.warns(UserWarning, match=r"Span\._\.status is taken"):
        adapter._extend(Span, "status", getter=adapter._Field("status"))
    assert spacy.blank("zh")("好。")[:]._.status == "theirs"


def test_the_entry_point_names_the_factory(tmp_path: Path) -> None:
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spacy_factories]\ncommitments = commitments.spacy:make\n")
    script = (
        "import spacy; nlp = spacy.blank('zh'); nlp.add_pipe('commitments', config={'model': 'cues'});"
        f"nlp.to_disk({str(tmp_path / 'nlp')!r}); nlp = spacy.load({str(tmp_path / 'nlp')!r});"
        "doc = nlp('将建公园。'); print(doc.spans['measures'][0].label_)"
    )
    path = f"import sys; sys.path[:0] = {[str(ROOT), str(tmp_path)]!r};"
    told = subprocess.run([sys.executable, "-c", path + script], capture_output=True, text=True, check=False)
    assert told.stdout.strip() == "pledge", told.stderr


def test_the_library_needs_no_spacy() -> None:
    script = "import sys, commitments; commitments.load('cues'); print('spacy' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert told.stdout.strip() == "False"


def test_cost_is_measured_beside_the_bare_pipeline() -> None:
    from commitments.benchmark import adapters

    found = adapters.measure([LETTER], ["spacy"], model="cues", rounds=2)
    [row] = found.rows
    assert (row.adapter, row.version) == ("spacy", spacy.__version__)
    assert row.ratio.low > 0.5  # the whole pipeline runs inside the component
    with pytest.raises(ValueError, match="at least one letter"):
        adapters.measure([])


def test_the_command_prints_costs_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from commitments.benchmark import adapters

    def missing(model: str, pipeline: commitments.Pipeline) -> adapters.Reader:
        raise ImportError("No module named 'other'")

    monkeypatch.setattr(adapters, "ADAPTERS", dict(adapters.ADAPTERS))
    adapters.adapter("other", "other")(missing)
    file = tmp_path / "gold.jsonl"
    corpus.dump([GoldDocument("a", LETTER, (), ())], file)
    assert adapters.main([str(file), "--model", "cues", "--repeat", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["skipped"] == {"other": "not installed: No module named 'other'"}
    assert "spacy" in [row["adapter"] for row in found["rows"]]
    assert found["characters"] == len(LETTER)
    assert adapters.main([str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err


def test_span_keys_are_those_of_the_config() -> None:
    assert set(DEFAULTS["span_keys"]) == set(SpanKeys.__struct_fields__)
