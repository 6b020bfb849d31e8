"""Figures, their intervals, the report, and the baselines."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from commitments import corpus, evaluate, metrics
from commitments.corpus import GoldAsk, GoldDocument, GoldUnit
from commitments.draft import Draft, Unit
from commitments.errors import ReadError, SchemaError
from commitments.metrics import LABELS, Counts
from commitments.reply import Ask, Link, Reply, Sentence
from commitments.tag.baselines import Keywords, Majority
from commitments.terms import Kind, Role, Status

DEV = Path(__file__).parent.parent / "seeds" / "letters" / "dev.jsonl"
STATUS = st.sampled_from(LABELS)


def letter(
    statuses: Sequence[Status],
    links: Sequence[Sequence[str]] = (),
    asks: int = 1,
    name: str = "a",
    **more: Any,
) -> GoldDocument:
    """A gold letter of three-character units."""
    text = "".join(f"{i % 10}句。" for i in range(len(statuses)))
    links = links or [("*",) if s is not Status.NONE else () for s in statuses]
    units = tuple(
        GoldUnit(3 * i, 3 * i + 3, s, links=tuple(to))
        for i, (s, to) in enumerate(zip(statuses, links, strict=True))
    )
    return GoldDocument(
        name, text, tuple(GoldAsk(f"S{i + 1}", f"诉求{i}") for i in range(asks)), units, **more
    )


def reading(document: GoldDocument, statuses: Sequence[Status], links: Sequence[Sequence[str]] = ()) -> Reply:
    """A reply cut as the gold is, with other statuses and links."""
    sentences = tuple(
        Sentence(
            u.start,
            u.end,
            document.text[u.start : u.end],
            s,
            u.also if s is u.label else (),
            link=Link(tuple(to)),
        )
        for u, s, to in zip(document.units, statuses, links or [u.links for u in document.units], strict=True)
    )
    return Reply(
        document.text, sentences, tuple(Ask(ask.id, ask.text) for ask in document.asks), model="fake 1"
    )


class Fake:
    """A model that knows the gold, and errs where it is told to."""

    def __init__(self, documents: Sequence[GoldDocument], wrong: float = 0.0) -> None:
        self.documents = {document.text: document for document in documents}
        self.wrong = wrong
        self.calls: list[dict[str, object]] = []

    def __call__(self, text: str, **given: object) -> Reply:
        self.calls.append(given)
        document = self.documents[text]
        chance = random.Random(document.id)
        statuses = [
            chance.choice(LABELS) if chance.random() < self.wrong else u.label for u in document.units
        ]
        return reading(document, statuses)


@given(st.lists(st.tuples(STATUS, STATUS), min_size=1, max_size=60))
def test_figures_are_those_of_scikit_learn(pairs: list[tuple[Status, Status]]) -> None:
    gold, predicted = [g.value for g, _ in pairs], [p.value for _, p in pairs]
    document = letter([g for g, _ in pairs])
    counts = metrics.count(document, reading(document, [p for _, p in pairs]))
    labels = [label.value for label in LABELS]
    assert list(counts.confusion) == confusion_matrix(gold, predicted, labels=labels).ravel().tolist()
    found = metrics.figures(counts)
    present = sorted(set(gold) | set(predicted))
    theirs = precision_recall_fscore_support(gold, predicted, labels=present, zero_division=0.0)
    assert found["macro_f1"] == pytest.approx(theirs[2].mean())
    by_name = {label.value: of_class for label, of_class in metrics.by_class(counts.confusion).items()}
    for name, precision, recall, f1, support in zip(present, *theirs, strict=True):
        of_class = by_name[name]
        assert (of_class.precision or 0.0) == pytest.approx(precision)
        assert (of_class.recall or 0.0) == pytest.approx(recall)
        assert of_class.f1 == pytest.approx(f1)
        assert of_class.support == support
    assert found["accuracy"] == pytest.approx(sum(g == p for g, p in pairs) / len(pairs))


def test_a_perfect_model_has_every_figure_at_one() -> None:
    documents = corpus.load(DEV)
    report = evaluate.evaluate({"gold": Fake(documents)}, documents, resamples=50)
    for name, figure in report.measured.figures["gold"].items():
        assert (figure.value, figure.low, figure.high) == (1.0, 1.0, 1.0), name
    assert not report.failures


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_the_order_of_letters_does_not_matter(data: st.DataObject) -> None:
    documents = corpus.load(DEV)
    shuffled = data.draw(st.permutations(documents))
    models = {"poor": Fake(documents, 0.5), "better": Fake(documents, 0.2)}
    one = evaluate.evaluate(models, documents, resamples=20)
    assert one.to_dict() == evaluate.evaluate(models, shuffled, resamples=20).to_dict()


@pytest.mark.parametrize("wrong", [0.1, 0.4, 0.8])
def test_intervals_hold_the_figure_and_narrow_with_more_letters(wrong: float) -> None:
    chance = random.Random(wrong)
    many = [letter(chance.choices(LABELS, k=12), asks=2, name=f"L{i}") for i in range(160)]
    # Texts must differ, for the fake tells letters apart by them.
    many = [GoldDocument(d.id, d.text + d.id, d.asks, d.units) for d in many]
    widths = []
    for documents in (many[:20], many):
        report = evaluate.evaluate({"model": Fake(documents, wrong)}, documents)
        for name, figure in report.measured.figures["model"].items():
            if name == "also_f1":  # these letters have no mixed sentence
                assert figure.value is None
                continue
            assert figure.value is not None
            assert figure.low is not None
            assert figure.high is not None
            assert 0 <= figure.low <= figure.value <= figure.high <= 1, name
        found = report.measured.figures["model"]["macro_f1"]
        widths.append((found.high or 0) - (found.low or 0))
    assert widths[0] > 1.5 * widths[1] > 0


@given(
    st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 9)), min_size=1, max_size=8), st.integers(0, 99)
)
def test_resampling_adds_up_whole_letters(soft: list[tuple[int, int]], seed: int) -> None:
    letters = [Counts(soft=pair) for pair in soft]
    others = [Counts(units=pair) for pair in soft]
    drawn = metrics.resample({"one": letters, "two": others}, 5, seed)
    draw = random.Random(seed).random
    for one, two in zip(drawn["one"], drawn["two"], strict=True):
        picked = [int(draw() * len(letters)) for _ in letters]
        assert one == metrics.total(letters[i] for i in picked)
        assert two == metrics.total(others[i] for i in picked)
        assert one.soft == two.units  # the same letters for both models


def test_the_same_model_does_not_differ_from_itself_and_a_better_one_does() -> None:
    documents = corpus.load(DEV)
    models = {"good": Fake(documents, 0.1), "same": Fake(documents, 0.1), "poor": Fake(documents, 0.7)}
    same, poor = evaluate.evaluate(models, documents, resamples=200).measured.differences
    assert (same.interval.value, same.interval.low, same.interval.high, same.not_better) == (0, 0, 0, 1)
    assert poor.interval.low is not None
    assert poor.interval.low > 0
    assert poor.not_better == 0


def test_one_letter_gives_figures_without_intervals() -> None:
    document = letter([Status.PLEDGE, Status.NONE])
    report = evaluate.evaluate({"gold": Fake([document])}, [document])
    figure = report.measured.figures["gold"]["macro_f1"]
    assert (figure.value, figure.low, figure.high) == (1.0, None, None)
    assert "no intervals" in report.render()


@pytest.mark.parametrize(
    ("gold", "predicted", "right"),
    [
        (["*"], ["S1", "S2"], True),
        (["S2", "S1"], ["*"], True),
        (["*"], ["S1"], False),
        (["S1"], ["*"], False),
        (["S1"], ["S1", "S2"], False),
        (["S2"], [], False),
    ],
)
def test_links_match_as_sets_with_the_star_spelt_out(
    gold: list[str], predicted: list[str], right: bool
) -> None:
    document = letter([Status.PLEDGE], [gold], asks=2)
    counts = metrics.count(document, reading(document, [Status.ONGOING], [predicted]))
    assert counts.links == counts.links_all == counts.links_any == (int(right), 1)


def test_a_missed_measure_costs_only_where_all_are_counted() -> None:
    document = letter([Status.PLEDGE, Status.COMPLETED, Status.NONE], [["S1"], ["S2"], []], asks=2)
    counts = metrics.count(document, reading(document, [Status.PLEDGE, Status.NONE, Status.ONGOING]))
    assert (counts.links, counts.links_all) == ((1, 1), (1, 2))
    single = letter([Status.PLEDGE, Status.COMPLETED])
    counts = metrics.count(single, reading(single, [Status.PLEDGE, Status.NONE]))
    assert (counts.links, counts.links_all) == ((0, 0), (0, 0))
    assert (counts.links_any, counts.links_all_any) == ((1, 1), (1, 2))


def test_asks_are_matched_by_their_place_not_by_their_id() -> None:
    document = letter([Status.PLEDGE], [["B"]], asks=2)
    document = GoldDocument("a", document.text, (GoldAsk("A", "甲"), GoldAsk("B", "乙")), document.units)
    sentence = Sentence(0, 3, document.text, Status.PLEDGE, link=Link(("S2",)))
    reply = Reply(document.text, (sentence,), (Ask("S1", "甲"), Ask("S2", "乙")))
    assert metrics.count(document, reply).links == (1, 1)


def test_letters_whose_links_cannot_be_judged_are_left_out_and_named() -> None:
    twins = letter([Status.PLEDGE], asks=2, name="twins")
    twins = GoldDocument("twins", "1句。", (GoldAsk("S1", "同"), GoldAsk("S2", "同")), twins.units)
    asked, plain = (letter([Status.PLEDGE] * n, asks=2, name=f"n{n}") for n in (2, 3))
    documents = [twins, asked, plain]
    report = evaluate.evaluate(
        {"gold": Fake(documents)}, documents, no_links={"n2", "elsewhere"}, resamples=5
    )
    assert report.no_links == ("n2", "twins")
    alone = evaluate.evaluate({"gold": Fake([asked])}, [asked], no_links={"n2"})
    assert alone.measured.figures["gold"]["links_any"].value is None


def test_soft_accepts_a_status_named_as_secondary() -> None:
    units = (GoldUnit(0, 3, Status.PLEDGE, also=(Status.COMPLETED,)), GoldUnit(3, 6, Status.NONE))
    document = GoldDocument("a", "一句。二句。", (), units)
    counts = metrics.count(document, reading(document, [Status.COMPLETED, Status.COMPLETED]))
    assert counts.soft == (1, 2)


def test_secondary_statuses_are_counted_as_found_and_as_right() -> None:
    mixed = (Status.COMPLETED, Status.NONE)
    document = GoldDocument("a", "一句。", (), (GoldUnit(0, 3, Status.PLEDGE, also=mixed),))
    told = (Status.COMPLETED, Status.ONGOING, Status.PLEDGE)  # the main one is no secondary one
    reply = Reply("一句。", (Sentence(0, 3, "一句。", Status.PLEDGE, told),))
    counts = metrics.count(document, reply)
    assert (counts.also_found, counts.also_right) == ((1, 2), (1, 2))
    assert metrics.figures(counts)["also_f1"] == 0.5


def test_confidence_is_judged_where_a_sentence_was_read() -> None:
    document = letter([Status.COMPLETED, Status.PLEDGE, Status.NONE])
    text = document.text
    sentences = (
        Sentence(0, 3, text[:3], Status.COMPLETED, confidence=0.9),
        Sentence(3, 6, text[3:6], Status.NONE, confidence=0.6),
        Sentence(6, 9, text[6:9], Status.NONE, confidence=1.0, role=Role.HEADING),
    )
    assert metrics.judged(document, Reply(text, sentences)) == [(0.9, True), (0.6, False)]
    found = evaluate.evaluate({"one": lambda *_, **__: Reply(text, sentences)}, [document]).calibration["one"]
    assert found.sentences == 2
    assert found.error == pytest.approx((0.1 + 0.6) / 2)
    assert [(p.coverage, p.risk) for p in found.curve if p.threshold in (0.0, 0.8)] == [
        (1.0, 0.5),
        (0.5, 0.0),
    ]


def test_wrong_cuts_cost_what_they_spoil() -> None:
    document = letter([Status.COMPLETED, Status.PLEDGE, Status.NONE])
    text = document.text
    sentences = (Sentence(0, 6, text[:6], Status.COMPLETED), Sentence(6, 9, text[6:], Status.NONE))
    counts = metrics.count(document, Reply(text, sentences))
    assert metrics.figures(counts)["accuracy"] == pytest.approx(2 / 3)
    assert counts.boundaries_found == (4, 6)
    assert counts.boundaries_right == (4, 4)
    assert counts.units == (1, 3)


def test_white_space_at_edges_is_no_wrong_cut() -> None:
    document = GoldDocument(
        "a", "一句。\n\n二句。", (), (GoldUnit(0, 3, Status.NONE), GoldUnit(5, 8, Status.NONE))
    )
    sentences = (Sentence(0, 5, "一句。\n\n"), Sentence(5, 8, "二句。"))
    assert metrics.count(document, Reply(document.text, sentences)).units == (2, 2)


@given(st.lists(st.integers(1, 5), max_size=8), st.lists(st.integers(1, 5), max_size=8))
def test_alignment_takes_the_largest_overlap(one: list[int], other: list[int]) -> None:
    def stretches(sizes: list[int]) -> list[tuple[int, int]]:
        return [(sum(sizes[:i]), sum(sizes[: i + 1])) for i in range(len(sizes))]

    gold, predicted = stretches(one), stretches(other)
    for (start, end), choice in zip(gold, metrics.align(gold, predicted), strict=True):
        shared = [max(0, min(end, b) - max(start, a)) for a, b in predicted]
        assert choice == (shared.index(max(shared)) if any(shared) else None)


def test_a_letter_that_cannot_be_read_counts_as_none_and_is_named() -> None:
    good, bad = letter([Status.PLEDGE] * 2, name="good"), letter([Status.PLEDGE], asks=2, name="bad")

    def model(text: str, **_: object) -> Reply:
        if text == bad.text:
            raise ReadError("bad", "is too bad")
        return reading(good, [Status.PLEDGE] * 2)

    report = evaluate.evaluate({"model": model}, [good, bad], resamples=10)
    assert report.failures == (evaluate.Failure("model", "bad", "bad: is too bad"),)
    assert report.confusion["model"]["pledge"] == {"completed": 0, "ongoing": 0, "pledge": 2, "none": 1}
    assert report.measured.figures["model"]["links_all"].value == 0
    assert report.measured.figures["model"]["boundaries_recall"].value == pytest.approx(2 / 3)
    assert "model: bad: bad: is too bad" in report.render()


def test_models_are_given_asks_and_date_but_no_labels() -> None:
    one = letter([Status.PLEDGE], asks=2, name="one", date="2024-05-06")
    two = letter([Status.PLEDGE] * 2, asks=0, links=[(), ()], name="two", date="2023")
    model = Fake([one, two])
    evaluate.evaluate({"model": model}, [one, two], resamples=5)
    assert model.calls == [
        {"suggestion": ["诉求0", "诉求1"], "date": datetime.date(2024, 5, 6)},
        {"suggestion": None, "date": None},
    ]


def test_kinds_and_sources_have_figures_of_their_own() -> None:
    one = letter([Status.PLEDGE], name="one", kind=Kind.MESSAGE)
    two = letter([Status.PLEDGE] * 2, name="two", kind=Kind.PROPOSAL)
    report = evaluate.evaluate({"gold": Fake([one, two])}, [one, two], sources=["x", "y"], resamples=5)
    assert [(g.by, g.name, g.measured.units) for g in report.groups] == [
        ("kind", "message", 1),
        ("kind", "proposal", 2),
        ("source", "x", 1),
        ("source", "y", 2),
    ]
    assert [(d.name, d.letters, d.units) for d in report.data] == [("all", 2, 3), ("x", 1, 1), ("y", 1, 2)]
    assert len({d.sha256 for d in report.data}) == 3


def test_the_hash_tells_other_labels_apart() -> None:
    one, two = letter([Status.PLEDGE]), letter([Status.ONGOING])
    hashes = {evaluate.evaluate({"m": Fake([d])}, [d]).data[0].sha256 for d in (one, two)}
    assert len(hashes) == 2


def test_nothing_to_evaluate_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one model and one letter"):
        evaluate.evaluate({"model": Fake([])}, [])
    with pytest.raises(ValueError, match="1 sources for 2 letters"):
        evaluate.evaluate({"m": Fake([])}, [letter([]), letter([])], sources=["x"])


def test_run_measures_a_model_beside_the_baselines() -> None:
    report = evaluate.run([DEV], "keywords", resamples=50)
    assert list(report.measured.figures) == ["keywords", "cues", "majority"]
    assert (report.data[0].letters, report.data[1].name) == (20, "dev.jsonl")
    keywords, majority = (
        report.measured.figures[name]["macro_f1"].value for name in ("keywords", "majority")
    )
    assert keywords is not None
    assert majority is not None
    assert keywords > 2 * majority
    found = json.loads(json.dumps(report.to_dict()))
    assert found["measured"]["figures"]["keywords"]["macro_f1"]["value"] == keywords
    shown = report.render()
    assert shown.startswith("keywords on 20 letters, 548 units\n")
    assert all(
        word in shown for word in (*evaluate.MEANING, "majority", f"{keywords:.3f}", f"{majority:.3f}")
    )


def test_run_names_a_missing_file() -> None:
    with pytest.raises(SchemaError, match=r"nowhere\.jsonl: cannot be read"):
        evaluate.run([DEV.with_name("nowhere.jsonl")], "keywords")


def draft(*sentences: str, role: Role = Role.BODY) -> Draft:
    units, at = [], 0
    for i, sentence in enumerate(sentences):
        units.append(Unit(at, at + len(sentence), sentence, i, role))
        at += len(sentence)
    return Draft("".join(sentences), units=tuple(units))


def test_keywords_take_the_first_class_with_a_hit_and_show_it() -> None:
    read = draft("明年计划建成公园。", "公园已建成。", "正在建设公园。", "感谢您的关心。")
    decisions = Keywords().tag(read)
    assert [d.status.value for d in decisions] == ["pledge", "completed", "ongoing", "none"]
    for decision in decisions[:3]:
        (evidence,) = decision.evidence
        assert read.text[evidence.start : evidence.end] == evidence.text != ""


@pytest.mark.parametrize("role", [Role.SUGGESTION, Role.OUTSIDE])
def test_keywords_leave_what_is_not_of_the_letter(role: Role) -> None:
    assert Keywords().tag(draft("请年底前建成公园。", role=role))[0].status is Status.NONE


def test_majority_calls_everything_none() -> None:
    decisions = Majority().tag(draft("公园已建成。", "将再建一个。"))
    assert [d.status for d in decisions] == [Status.NONE] * 2
