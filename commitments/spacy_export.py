"""Replies and gold letters as spaCy's Docs: span groups, DocBin, Examples, colours for displaCy.

The component and the extensions are in `commitments.spacy`, which is what to import; this module knows
nothing of them.

One rule aligns characters with tokens, whatever the tokenizer: a span becomes the shortest run of tokens that
holds all its characters (spaCy's ``alignment_mode="expand"``). With the tokenizer ``char`` that is the span
itself; with jieba or pkuseg a token that reaches over an end of the span belongs to it whole, so that nothing
said is lost, and two neighbours may then share a token. The exact characters stay in the Reply.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec

from commitments.corpus import GoldDocument
from commitments.errors import MissingExtra, SchemaError
from commitments.pipeline import Suggestion
from commitments.reply import Reply
from commitments.terms import Status
from commitments.view import colours

try:
    from spacy.displacy.templates import TPL_SPAN, TPL_SPAN_SLICE, TPL_SPAN_START
    from spacy.language import Language
    from spacy.tokens import Doc, DocBin, Span, SpanGroup
    from spacy.training import Example
except ImportError as error:
    raise MissingExtra("spaCy's Docs", "spacy") from error

REPLY, SUGGESTION, DATE, NAME = (f"commitments.{what}" for what in ("reply", "suggestion", "date", "name"))
"""Keys of ``doc.user_data``; the values are strings or lists of strings, which all formats of spaCy carry."""

KINDS = {"deadline": "deadlines", "quantity": "quantities", "actor": "actors", "condition": "conditions"}
"""Labels of the attributes of measures, and the fields of a Sentence that hold them."""


class SpanKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of the groups in ``doc.spans``; a group whose key is empty is not made.

    Attributes:
        sentences: every sentence, labelled with its status, ``none`` too.
        measures: those that are measures; ``none`` and what was left undecided are not among them.
        asks: where the letter states the asks, labelled with their ids.
        deadlines: of the measures, labelled ``deadline``.
        quantities: likewise, ``quantity``.
        actors: likewise, ``actor``.
        conditions: likewise, ``condition``.
    """

    sentences: str = "sentences"
    measures: str = "measures"
    asks: str = "asks"
    deadlines: str = "deadlines"
    quantities: str = "quantities"
    actors: str = "actors"
    conditions: str = "conditions"


Marked = dict[str, list[tuple[int, int, str]]]
"""Start, end and label of the spans of each group, in characters, by the names of fields of `SpanKeys`."""


def of_reply(reply: Reply) -> Marked:
    """What is to be marked of a reply.

    >>> from commitments.reply import Sentence
    >>> reply = Reply(text="已建成。", sentences=(Sentence(0, 4, "已建成。", Status.COMPLETED),))
    >>> of_reply(reply)["measures"]
    [(0, 4, 'completed')]
    """
    found: Marked = {name: [] for name in SpanKeys.__struct_fields__}
    found["sentences"] = [(s.start, s.end, s.status.value) for s in reply.sentences]
    found["measures"] = [(s.start, s.end, s.status.value) for s in reply.measures]
    found["asks"] = [(span.start, span.end, ask.id) for ask in reply.asks for span in ask.spans or ()]
    for label, field in KINDS.items():
        items = (item for s in reply.measures for item in getattr(s, field) if item.span is not None)
        found[field] = [(*item.span, label) for item in items]
    return found


def of_gold(document: GoldDocument, kinds: Collection[str] = tuple(KINDS)) -> Marked:
    """What is to be marked of a gold letter.

    Gold letters do not say where the letter states an ask; and where no unit has attributes, they were not
    annotated. The groups of what was not annotated are left out, so that nothing counts their absence.

    Args:
        document: a gold letter.
        kinds: of attributes that were annotated.

    >>> from commitments.corpus import GoldUnit
    >>> sorted(of_gold(GoldDocument("a", "已建成。", (), (GoldUnit(0, 4, Status.COMPLETED),))))
    ['measures', 'sentences']
    """
    units = [(unit.start, unit.end, unit.label.value) for unit in document.units]
    found = {"sentences": units, "measures": [u for u in units if u[2] != Status.NONE.value]}
    spans = [span for unit in document.units for span in unit.spans]
    if spans:
        for label in kinds:
            found[KINDS[label]] = [(span.start, span.end, label) for span in spans if span.kind == label]
    return found


def mark(doc: Doc, marked: Marked, keys: SpanKeys = SpanKeys()) -> None:  # noqa: B008
    """Write spans into ``doc.spans``, aligned with its tokens by the rule above; an empty span is left out.

    Args:
        doc: whose text the characters refer to.
        marked: as `of_reply` and `of_gold` give it.
        keys: of the groups.
    """
    for name, spans in marked.items():
        if key := getattr(keys, name):
            aligned = (_aligned(doc, *span) for span in spans)
            doc.spans[key] = SpanGroup(doc, name=key, spans=[span for span in aligned if span is not None])


def _aligned(doc: Doc, start: int, end: int, label: str) -> Span | None:
    return doc.char_span(start, end, label=label, alignment_mode="expand") if start < end else None


def to_doc(
    item: GoldDocument | Reply,
    nlp: Language,
    keys: SpanKeys = SpanKeys(),  # noqa: B008
    kinds: Collection[str] = tuple(KINDS),
) -> Doc:
    """A letter as a Doc of a pipeline's tokenizer, with its labels as span groups.

    Args:
        item: a gold letter, or a Reply as people have corrected it.
        nlp: whose tokenizer and vocabulary are to be used; its components are not run.
        keys: of the groups.
        kinds: of attributes that were annotated in a gold letter.

    Raises:
        SchemaError: it is neither, or the tokenizer does not keep the text.
    """
    if not isinstance(item, GoldDocument | Reply):
        raise SchemaError(f"expected a GoldDocument or a Reply, not {type(item).__name__}")
    doc = nlp.make_doc(item.text)
    if doc.text != item.text:
        raise SchemaError(
            f"the tokenizer of {nlp.lang!r} changes the letter's text, so that no offset fits it"
        )
    if isinstance(item, Reply):
        mark(doc, of_reply(item), keys)
        doc.user_data[REPLY] = item.to_json()
        given = {NAME: item.name, DATE: item.date and item.date.isoformat()}
    else:
        mark(doc, of_gold(item, kinds), keys)
        given = {NAME: item.id, DATE: item.day and item.day.isoformat()}
        if item.asks:
            doc.user_data[SUGGESTION] = [ask.text for ask in item.asks]
    doc.user_data.update({key: value for key, value in given.items() if value})
    return doc


def to_docbin(
    items: Iterable[GoldDocument | Reply],
    nlp: Language,
    keys: SpanKeys = SpanKeys(),  # noqa: B008
) -> DocBin:
    """Labelled letters as training data for ``spacy train``, with the groups that the component writes.

    Asks, date and name of each letter go with it. A ``spancat`` learns attributes with ``spans_key =
    "deadlines"`` and spaCy's n-gram suggester; statuses with ``spans_key = "measures"`` and
    ``spacy.preset_spans_suggester.v1`` over ``sentences``, which the component cuts before it (named in
    ``annotating_components``, with ``span_keys.measures = ""`` to leave that group to the learner).

    Args:
        items: gold letters, as from `commitments.corpus.load`, or Replies.
        nlp: whose tokenizer is to be used: the same as in training.
        keys: of the groups.

    Raises:
        SchemaError: as `to_doc`.

    >>> import spacy
    >>> from commitments.corpus import GoldUnit
    >>> nlp = spacy.blank("zh")
    >>> gold = GoldDocument("a", "已建成。", (), (GoldUnit(0, 4, Status.COMPLETED),))
    >>> [doc] = to_docbin([gold], nlp).get_docs(nlp.vocab)
    >>> [(span.text, span.label_) for span in doc.spans["measures"]]
    [('已建成。', 'completed')]
    """
    items = list(items)
    kinds = _annotated(items)
    return DocBin(docs=[to_doc(item, nlp, keys, kinds) for item in items], store_user_data=True)


def to_examples(
    items: Iterable[GoldDocument | Reply],
    nlp: Language,
    keys: SpanKeys = SpanKeys(),  # noqa: B008
) -> Iterator[Example]:
    """Labelled letters as Examples for ``nlp.evaluate``: the pipeline is shown asks and date, not the labels.

    Args:
        items: as for `to_docbin`.
        nlp: the pipeline to be judged.
        keys: of the groups.

    Raises:
        SchemaError: as `to_doc`.
    """
    items = list(items)
    kinds = _annotated(items)
    for item in items:
        reference = to_doc(item, nlp, keys, kinds)
        predicted = nlp.make_doc(item.text)
        shown = {key: reference.user_data[key] for key in (SUGGESTION, DATE) if key in reference.user_data}
        if isinstance(item, Reply) and (given := given_asks(item)):
            shown[SUGGESTION] = given
        predicted.user_data.update(shown)
        yield Example(predicted, reference)


def _annotated(items: Iterable[GoldDocument | Reply]) -> set[str]:
    """Kinds of attributes that gold letters have; one that is in none of them was not annotated."""
    units = (unit for item in items if isinstance(item, GoldDocument) for unit in item.units)
    return {span.kind for unit in units for span in unit.spans}


def given_asks(reply: Reply) -> Suggestion:
    """The asks of a reply that were given with it, as a suggestion; those found in the letter are not."""
    return [ask.text for ask in reply.asks if ask.spans is None] or None


def displacy_options(key: str = SpanKeys().measures, labels: Iterable[str] = ()) -> dict[str, Any]:
    """Options for ``displacy.render(doc, style="span", options=…)``, in the colours of the library's page.

    Args:
        key: of the span group to show.
        labels: further labels that it has, such as the ids of asks.

    >>> displacy_options()["colors"]["pledge"]
    '#b54a00'
    """
    ink = colours()
    colors = {status.value: ink[status.value] for status in Status if status is not Status.NONE}
    # The page's grey of `none` is for lines: white words on it could not be read.
    colors |= dict.fromkeys((Status.NONE.value, *KINDS, *labels), ink["soft"])
    colors["deadline"] = ink["pledge"]
    white = TPL_SPAN_START.replace("color: #000", "color: #fff")
    template = {"span": TPL_SPAN, "slice": TPL_SPAN_SLICE, "start": white}
    return {"spans_key": key, "colors": colors, "template": template}
