"""Commitments in HanLP: a component for ``hanlp.pipeline()`` that adds layers to a `Document`.

All logic is in `commitments.pipeline`; here its Reply becomes layers in HanLP's manner: lists of
``[text, label, begin, end]``, as ``ner`` has them.

- Where the document has tokens (``tok``, or ``tok/…``), a layer has one list for each of HanLP's sentences,
  and ``begin`` and ``end`` count tokens of that sentence. What reaches over several of HanLP's sentences
  stands in each of them with its part. A token that is partly covered counts as covered; the text is exact.
- Where it has none, a layer is one list, and ``begin`` and ``end`` count characters of ``doc["text"]``.

HanLP's own results are not needed, and do not change what is found: what bodies, numbers and times are is
decided by the library. Only on request are bodies that HanLP's ``ner`` finds offered beside its own.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from commitments.errors import MissingExtra, SchemaError

try:
    from hanlp.common.component import Component
    from hanlp.components.pipeline import Document
except ImportError as error:
    raise MissingExtra("The component for HanLP", "hanlp") from error

from commitments.models import DEFAULT
from commitments.pipeline import Pipeline, load
from commitments.reply import Deadline, Reply, Sentence
from commitments.terms import Status

TEXT, REPLY = "text", "commitments/reply"
LAYERS = {
    "commitments/status": "every sentence; its status (举措状态)",
    "commitments/measures": "the sentences that are not none, those left undecided not included (举措)",
    "commitments/asks": "the measures that answer an ask; the asks' ids, joined by commas (诉求)",
    "commitments/deadlines": "times; their kind and interval, such as 'by ../2023-12-31' (期限)",
    "commitments/conditions": "what must come first; the label is 'condition' (条件)",
    "commitments/quantities": "how much or how many; what it is in its measure (数量)",
    "commitments/actors": "bodies that a measure names; their role, 'ner' of those that HanLP adds (主体)",
}
"""The layers that are added, each with what its items and labels are."""

BODIES = frozenset({"ORGANIZATION", "ORG", "机构", "组织机构名", "组织机构", "nt", "NT", "Ni"})
"""Labels of bodies in the schemes of HanLP's models; those of others are passed over."""

Item = tuple[str, int, int]
"""A label, and where it begins and ends in the text."""


class _Token(NamedTuple):
    sentence: int
    number: int
    start: int
    end: int


class Commitments(Component):  # type: ignore[misc]
    """The component; `component` makes one.

    Args:
        model: as for `commitments.load`.
        abstain: as for `commitments.load`.
        entities: whether bodies found by HanLP's ``ner`` are offered as further actors.
        tok: key of the tokens; the first of ``tok`` and ``tok/…`` when not given.
        ner: key of the entities, likewise.
        pipeline: that reads the letters, if not that of `model`; it is not saved with HanLP's pipeline.

    Raises:
        ModelError: as for `commitments.load`.
        SchemaError: as for `commitments.load`.
    """

    def __init__(
        self,
        model: str = DEFAULT,
        *,
        abstain: float = 0.0,
        entities: bool = False,
        tok: str | None = None,
        ner: str | None = None,
        pipeline: Pipeline | None = None,
    ) -> None:
        super().__init__()
        self.nlp = pipeline or load(model, abstain=abstain)
        self.config: dict[str, Any] = {
            "classpath": f"{__name__}.{type(self).__name__}",
            "model": model,
            "abstain": abstain,
            "entities": entities,
            "tok": tok,
            "ner": ner,
        }

    @staticmethod
    def from_config(meta: dict[str, Any], **unused: Any) -> Commitments:
        """The component that was saved with a pipeline of HanLP's."""
        given = {name: value for name, value in meta.items() if name != "classpath"}
        return Commitments(given.pop("model"), **given)

    def predict(self, doc: Any, *, suggestion: Any = None, date: Any = None, **unused: Any) -> Any:
        """Read a letter, and add the layers.

        Args:
            doc: a `Document`, whose ``text`` is the letter; a text; or the sentences of one.
                ``doc["suggestion"]`` and ``doc["date"]`` are used where they are there (but HanLP prints no
                more sentences than the shortest entry of a document is long; the arguments of the same names
                do not have that effect). Where there is no ``text``, it is put together from the sentences or
                tokens, one line a sentence, and added.
            suggestion: for a document without its own.
            date: likewise.
            **unused: what HanLP passes on.

        Returns:
            The document, with `LAYERS`, and ``commitments/reply``: all of it as JSON, which
            `Reply.from_json` takes back.

        Raises:
            SchemaError: there is no text, a token is not in it, or as for `commitments.Pipeline`.
        """
        doc = _document(doc)
        tok = _key(doc, "tok", self.config["tok"])
        sentences = _sentences(doc, tok)
        text = doc.get(TEXT)
        if text is None:
            text = doc[TEXT] = _joined(doc, sentences)
        if not isinstance(text, str):
            raise SchemaError(f"the document's 'text' is of type {type(text).__name__}, not a text")
        reply = self.nlp(text, suggestion=doc.get("suggestion", suggestion), date=doc.get("date", date))
        tokens = list(_aligned(text, sentences)) if sentences is not None else None
        found = _items(reply)
        if self.config["entities"] and tokens is not None:
            key = _key(doc, "ner", self.config["ner"])
            found["commitments/actors"] += _entities(doc, key, tok, tokens, reply)
            found["commitments/actors"].sort(key=lambda item: item[1:])
        flat = tok is None or _flat(doc[tok])
        count = len(sentences) if sentences is not None else 1
        for layer in LAYERS:
            rows = _placed(text, found[layer], tokens, count)
            doc[layer] = rows[0] if flat else rows
        doc[REPLY] = reply.to_json()
        return doc


def component(model: str = DEFAULT, **given: Any) -> Commitments:
    """A component for ``hanlp.pipeline()``.

    Give it the whole document (``input_key="*"``), and the pipeline the letter as ``text=``, so that offsets
    are those of the letter:

    >>> import hanlp
    >>> from hanlp.utils.rules import split_sentence
    >>> nlp = (
    ...     hanlp.pipeline()
    ...     .append(split_sentence, input_key="text", output_key="sents")
    ...     .append(component("cues"), input_key="*")
    ... )
    >>> doc = nlp(text="我局已建成公园3个。力争2024年底前再建2个。")
    >>> doc["commitments/measures"]
    [['我局已建成公园3个。', 'completed', 0, 10], ['力争2024年底前再建2个。', 'pledge', 10, 24]]
    >>> doc["commitments/deadlines"]
    [['2024年底前', 'by ../2024-12-31', 12, 19]]

    Args:
        model: as for `commitments.load`.
        **given: as for `Commitments`.

    Raises:
        ModelError: as for `commitments.load`.
        SchemaError: as for `commitments.load`.
    """
    return Commitments(model, **given)


def sentences(text: str) -> list[str]:
    r"""Cut a letter into the sentences of this library, in place of HanLP's ``split_sentence``.

    HanLP's tokens then never reach over two of our sentences.

    Args:
        text: the letter.

    Raises:
        SchemaError: it is no text.

    >>> sentences("现答复如下：\n我局已建成公园3个；下一步，再建2个。")
    ['现答复如下：', '我局已建成公园3个；', '下一步，再建2个。']
    """
    return [s.text for s in load("majority")(text).sentences]


def _document(given: Any) -> Any:
    if isinstance(given, Document):
        return given
    if isinstance(given, dict):
        return Document(**given)
    if isinstance(given, str):
        return Document(text=given)
    if isinstance(given, list) and all(isinstance(part, str) for part in given):
        return Document(sents=given)
    raise SchemaError(f"expected a Document, a text or its sentences, not {type(given).__name__}")


def _key(doc: Any, name: str, given: str | None) -> str | None:
    """Key of a layer: as asked for, or the first of those that HanLP's models write."""
    if given is not None:
        if given not in doc:
            raise SchemaError(f"the document has no layer {given!r}; it has {', '.join(map(str, doc))}")
        return given
    return next((key for key in doc if key == name or str(key).startswith(f"{name}/")), None)


def _flat(tokens: Sequence[Any]) -> bool:
    """Whether the tokens are of one sentence, not a list of sentences."""
    first = tokens[0] if tokens else []
    return isinstance(first, str) or (len(first) == 3 and isinstance(first[-1], int))


def _sentences(doc: Any, tok: str | None) -> list[list[str]] | None:
    """The words of each sentence; words may bring their offsets, which count from the sentence's begin."""
    if tok is None:
        return None
    out = []
    for row in [doc[tok]] if _flat(doc[tok]) else doc[tok]:
        words = [word[0] if isinstance(word, list | tuple) and word else word for word in row]
        if wrong := [word for word in words if not isinstance(word, str)]:
            raise SchemaError(f"{tok} holds {wrong[0]!r}, which is no token")
        out.append(words)
    return out


def _joined(doc: Any, tokens: list[list[str]] | None) -> str:
    rows = doc.get("sents") or tokens
    if not isinstance(rows, list):
        raise SchemaError("the document has no 'text': call HanLP's pipeline as nlp(text=…)")
    return "\n".join("".join(row) for row in rows)


def _aligned(text: str, rows: Sequence[Sequence[str]]) -> Iterator[_Token]:
    """Where each token stands in the text; white space counts nowhere, for some tokenizers drop it."""
    at = 0  # of `marks`: the characters that are no white space
    marks = [i for i, char in enumerate(text) if not char.isspace()]
    for n, words in enumerate(rows):
        for i, word in enumerate(words):
            bare = "".join(word.split())
            where = marks[at : at + len(bare)]
            if "".join(text[j] for j in where) != bare:
                begin = where[0] if where else len(text)
                raise SchemaError(
                    f"token {i + 1} of sentence {n + 1} is {word!r}, but the text has"
                    f" {text[begin : begin + max(8, len(bare))]!r} at character {begin}: give it unchanged"
                )
            at += len(bare)
            first = where[0] if where else (marks[at - 1] + 1 if at else 0)
            yield _Token(n, i, first, where[-1] + 1 if where else first)


def _items(reply: Reply) -> dict[str, list[Item]]:
    """What goes into each layer."""
    found: dict[str, list[Item]] = {layer: [] for layer in LAYERS}
    for s in reply.sentences:
        found["commitments/status"].append((s.status.value, s.start, s.end))
        if not _measure(s):
            continue
        found["commitments/measures"].append((s.status.value, s.start, s.end))
        if s.asks:
            every = [ask.id for ask in reply.asks] if "*" in s.asks else s.asks
            found["commitments/asks"].append((",".join(every), s.start, s.end))
        for name, label in _LABELS.items():
            for x in getattr(s, name):
                if x.span is not None:
                    found[f"commitments/{name}"].append((label(x), *x.span))
    return found


def _measure(s: Sentence) -> bool:
    return s.status is not Status.NONE and not s.undecided


def _interval(due: Deadline) -> str:
    """Kind and, where it is known, the interval as ISO 8601-2 writes it."""
    if due.start is None and due.end is None:
        return str(due.kind.value)
    return f"{due.kind.value} {due.start or '..'}/{due.end or '..'}"


_LABELS: dict[str, Callable[[Any], str]] = {
    "deadlines": _interval,
    "conditions": lambda _: "condition",
    "quantities": lambda x: str(x.role.value),
    "actors": lambda x: str(x.role.value),
}


def _entities(
    doc: Any, key: str | None, tok: str | None, tokens: Sequence[_Token], reply: Reply
) -> list[Item]:
    """Bodies that HanLP found inside measures and the library did not."""
    if key is None:
        raise SchemaError("entities=True takes bodies from HanLP's 'ner', which the document does not have")
    rows = [doc[key]] if tok is not None and _flat(doc[tok]) else doc[key]
    place = {(t.sentence, t.number): t for t in tokens}
    measures = [s for s in reply.sentences if _measure(s)]
    out: list[Item] = []
    for n, row in enumerate(rows):
        for _, label, begin, end in row:
            first, last = place.get((n, begin)), place.get((n, end - 1))
            if label not in BODIES or first is None or last is None:
                continue
            for s in measures:
                own = [a.span for a in s.actors if a.span is not None]
                apart = all(last.end <= span.start or span.end <= first.start for span in own)
                if s.start <= first.start and last.end <= s.end and apart:
                    out.append(("ner", first.start, last.end))
    return out


def _placed(
    text: str, items: Sequence[Item], tokens: Sequence[_Token] | None, count: int
) -> list[list[list[Any]]]:
    """The items as HanLP writes them, a list a sentence."""
    if tokens is None:
        return [[[text[start:end], label, start, end] for label, start, end in items]]
    ends, rows = [t.end for t in tokens], [[] for _ in range(count)]  # type: list[int], list[list[list[Any]]]
    for label, start, end in items:
        at = bisect.bisect_right(ends, start)
        while at < len(tokens) and tokens[at].start < end:
            first = last = tokens[at]
            while at < len(tokens) and tokens[at].start < end and tokens[at].sentence == first.sentence:
                last, at = tokens[at], at + 1
            words = text[max(start, first.start) : min(end, last.end)]
            rows[first.sentence].append([words, label, first.number, last.number + 1])
    return rows
