"""The pipeline as a spaCy component: statuses, asks and attributes as span groups of a Doc.

>>> import spacy
>>> nlp = spacy.blank("zh")
>>> reader = nlp.add_pipe("commitments", config={"model": "fast"})
>>> doc = nlp("我局已建成公园3个。下一步，力争年底前再建2个。")
>>> [(span.label_, span._.deadline and span._.deadline.text) for span in doc.spans["measures"]]
[('completed', None), ('pledge', '年底前')]

The groups are those of `SpanKeys`. How their spans are aligned with tokens, how gold letters become training
data, and the colours for displaCy are in `commitments.spacy_export`, whose public names stand here too.

Importing this module, or adding the component, registers the extensions:

- ``doc._.commitments``: the `Reply`. It travels as JSON in ``doc.user_data``, and so with ``to_bytes``, with
  ``DocBin(store_user_data=True)`` and between processes.
- ``doc._.suggestion``, ``doc._.date``: what the pipeline is to be told. Set them on a Doc before it is read
  (``doc = nlp.make_doc(text); doc._.suggestion = […]; nlp(doc)``), or give them as the context of
  ``nlp.pipe([(text, {"suggestion": […], "date": "2023-06-12"})], as_tuples=True)``. What is set on the Doc
  comes first.
- ``span._.commitment``: the `Sentence` that shares most characters with the span, and ``span._.status``,
  ``.asks``, ``.confidence``, ``.deadline`` … (`FIELDS`), which are its fields; ``None`` outside of all
  sentences.
- ``span._.attribute``: the `Deadline`, `Quantity`, `Actor` or `Condition` behind a span of those groups.
"""

# Annotations are evaluated here, unlike elsewhere: spaCy reads those of the factory to check a config.
import datetime
import inspect
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from commitments import metrics, models
from commitments.corpus import GoldDocument, GoldUnit
from commitments.errors import MissingExtra, SchemaError
from commitments.pipeline import RULES, Pipeline, PipelineConfig, load
from commitments.reply import Actor, Condition, Deadline, Quantity, Reply, Sentence
from commitments.spacy_export import (
    DATE,
    KINDS,
    REPLY,
    SUGGESTION,
    SpanKeys,
    displacy_options,
    mark,
    of_reply,
    to_docbin,
    to_examples,
)
from commitments.terms import Status

try:
    from spacy.language import Language
    from spacy.scorer import Scorer
    from spacy.tokens import Doc, Span
    from spacy.training import Example
    from spacy.util import registry
except ImportError as error:
    raise MissingExtra("The spaCy component", "spacy") from error

__all__ = ["Commitments", "SpanKeys", "displacy_options", "make", "score", "to_docbin", "to_examples"]

FIELDS = (
    *("status", "also", "confidence", "undecided", "role", "evidence", "asks", "link", "strength", "action"),
    *("deadline", "deadlines", "conditions", "quantities", "actors", "actor"),
)
"""Fields of a `Sentence` that a span has as extensions."""

_STAGES = msgspec.to_builtins(PipelineConfig())
DEFAULTS: dict[str, Any] = {
    "model": models.DEFAULT,
    "threads": inspect.signature(load).parameters["threads"].default,
    "abstain": _STAGES.pop("abstain"),
    "span_keys": msgspec.to_builtins(SpanKeys()),
    "stages": _STAGES,
    "scorer": {"@scorers": "commitments.scorer.v1"},
}
"""The component's config; every value comes from the place in the library where the default lives."""


class Commitments:
    """The component ``commitments``. It reads each Doc's text, and looks at no other annotation.

    The model is loaded when first needed, once a process, so that a pipeline can be put together and sent to
    worker processes without it.

    Args:
        name: of the component in its pipeline.
        model: as `commitments.load` takes it: a name, or the path of a model folder.
        threads: of a trained model.
        config: of the stages.
        span_keys: of the groups in ``doc.spans``.
        scorer: gives the figures of ``nlp.evaluate``.
    """

    def __init__(
        self,
        name: str = "commitments",
        model: str = models.DEFAULT,
        threads: int = DEFAULTS["threads"],
        config: PipelineConfig = PipelineConfig(),  # noqa: B008
        span_keys: SpanKeys = SpanKeys(),  # noqa: B008
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        self.name = name
        self.setting = model
        self.model: str | Path = model  # the setting, or the folder that was saved with the pipeline
        self.threads = threads
        self.config = config
        self.span_keys = span_keys
        self.scorer = scorer
        self._saved_with: str | None = None
        self._loaded: dict[int, Pipeline] = {}
        self._unpacked: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline behind the component.

        Raises:
            ModelError: there is no such model, or a file of it is missing or changed.
        """
        # After a fork the model is loaded anew: the threads of onnxruntime stay behind in the parent. The
        # parent's is kept, because to free it would wait for these threads for ever.
        here = os.getpid()
        if here not in self._loaded:
            pipeline = load(self.model, self.config, threads=self.threads)
            if self._saved_with not in (None, pipeline.name):
                warnings.warn(
                    f"the pipeline was saved with the model {self._saved_with}, but this is {pipeline.name}:"
                    " results may differ",
                    stacklevel=2,
                )
            self._loaded[here] = pipeline
        return self._loaded[here]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the group of measures."""
        return tuple(status.value for status in Status if status is not Status.NONE)

    def __call__(self, doc: Doc) -> Doc:
        """Read one letter, and write what was read into the Doc.

        Raises:
            SchemaError: suggestion or date is none.
            ModelError: there is no such model.
        """
        context = getattr(
            doc, "_context", None
        )  # where spaCy keeps the context of `as_tuples` in the meantime
        given = context if isinstance(context, Mapping) else {}
        suggestion, date = doc.user_data.get(SUGGESTION), doc.user_data.get(DATE)
        reply = self.pipeline(
            doc.text,
            suggestion=given.get("suggestion") if suggestion is None else suggestion,
            date=given.get("date") if date is None else date,
        )
        doc.user_data[REPLY] = reply.to_json()
        mark(doc, of_reply(reply), self.span_keys)
        return doc

    def score(self, examples: Iterable[Example], **settings: Any) -> dict[str, Any]:
        """Figures of ``nlp.evaluate``; see the function `score`."""
        return self.scorer(examples, span_keys=self.span_keys, **settings) if self.scorer else {}

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The model's name and version; a model folder of one's own is put in, one of the library's is not.

        Args:
            exclude: there is nothing to exclude; spaCy gives it to every component.
        """
        return msgspec.msgpack.encode(self._kept())

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "Commitments":
        """Take back what `to_bytes` gave.

        Raises:
            SchemaError: it is something else.
        """
        try:
            kept = msgspec.msgpack.decode(data, type=_Kept)
        except msgspec.MsgspecError as error:
            raise SchemaError(f"no saved component {self.name!r}: {error}") from error
        if wrong := [file for file in kept.files if Path(file).name != file or file in ("", "..")]:
            raise SchemaError(f"no saved component {self.name!r}: {wrong[0]!r} is no name of a file")
        if kept.files and kept.setting == self.setting:
            self._unpacked = tempfile.TemporaryDirectory(prefix="commitments-")
            self.model = models.write(Path(self._unpacked.name), kept.name, kept.kind, kept.files).path
        self._saved_with, self._loaded = kept.model, {}
        return self

    def _kept(self) -> "_Kept":
        kept = _Kept(self.pipeline.name, self.setting)
        own = isinstance(self.model, Path) or (
            self.model not in RULES and self.model not in models.available()
        )
        if own:
            folder = models.find(self.model)
            kept.name, kept.kind = folder.manifest.name, folder.manifest.kind
            kept.files = {file: folder.read(file) for file in folder.manifest.files}
        return kept

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """The same as `to_bytes`, as a folder."""
        path = Path(path)
        kept = self._kept()  # before anything is removed: it may lie in that very folder
        shutil.rmtree(path / "model", ignore_errors=True)
        path.mkdir(parents=True, exist_ok=True)
        if kept.files:
            models.write(path / "model", kept.name, kept.kind, kept.files)
        kept.files = {}
        (path / "model.json").write_bytes(msgspec.json.encode(kept))

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "Commitments":
        """Take back what `to_disk` wrote; the folder must stay while the component is in use.

        Raises:
            SchemaError: there is nothing of the kind.
        """
        file = Path(path) / "model.json"
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
        except OSError as error:
            raise SchemaError(f"{file}: cannot be read: {error.strerror or error}") from error
        except msgspec.MsgspecError as error:
            raise SchemaError(f"{file}: {error}") from error
        if kept.name and kept.setting == self.setting:
            self.model = Path(path) / "model"
        self._saved_with, self._loaded = kept.model, {}
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What a worker process is sent, where processes are spawned: all but the loaded model."""
        return self.__dict__ | {"_loaded": {}, "_unpacked": None}


class _Kept(msgspec.Struct):
    """What a saved component says.

    Attributes:
        model: name and version of what it read letters with.
        setting: the model that its config asked for. Where another is asked for now, that one is taken.
        name: of a model folder of one's own, which was saved too.
        kind: of the tagger that reads that folder.
        files: of that folder; on disk they lie beside.
    """

    model: str
    setting: str = ""
    name: str = ""
    kind: str = ""
    files: dict[str, bytes] = {}


def score(
    examples: Iterable[Example],
    span_keys: SpanKeys = SpanKeys(),  # noqa: B008
    **settings: Any,
) -> dict[str, Any]:
    """The figures of the component for ``nlp.evaluate`` and ``spacy train``.

    Args:
        examples: with the groups that `to_docbin` makes in the references.
        span_keys: of the groups, in both.
        settings: spaCy's own; not used.

    Returns:
        ``status_macro_f1``, ``status_accuracy`` and ``status_f1_per_type``, as ``commitments evaluate`` has
        them; and of each group ``spans_KEY_p``, ``_r``, ``_f`` and ``_per_type``, of spans with the same ends
        and label, as ``spancat`` has them. ``None`` where the references have nothing to judge by.
    """
    examples = list(examples)
    key = span_keys.sentences
    counts = metrics.total(
        metrics.count(_gold(example.reference, key), _reply(example.predicted), links=False)
        for example in examples
        if key in example.reference.spans
    )
    figures = metrics.figures(counts)
    found: dict[str, Any] = {
        "status_macro_f1": figures["macro_f1"],
        "status_accuracy": figures["accuracy"],
        "status_f1_per_type": {status.value: figures[f"f1_{status.value}"] for status in metrics.LABELS},
    }
    for group in SpanKeys.__struct_fields__[1:]:
        if key := getattr(span_keys, group):
            found |= Scorer.score_spans(
                examples,
                attr=f"spans_{key}",
                getter=lambda doc, attr: doc.spans.get(attr.removeprefix("spans_"), []),
                has_annotation=lambda doc, key=key: key in doc.spans,  # type: ignore[misc]
                allow_overlap=True,
            )
    return found


WEIGHTS: dict[str, float | None] = {
    "status_macro_f1": 1.0,
    "status_accuracy": None,
    "status_f1_per_type": None,
    **{
        f"spans_{key}_{figure}": None
        for key in msgspec.structs.astuple(SpanKeys())[1:]
        for figure in ("p", "r", "f", "per_type")
    },
}
"""What counts for the score by which ``spacy train`` chooses a model, and what is only shown."""


def make_scorer() -> Callable[..., dict[str, Any]]:
    """The function `score`, as a config names it."""
    return score


registry.scorers("commitments.scorer.v1", func=make_scorer)


@Language.factory(
    "commitments",
    assigns=["doc._.commitments", "doc.spans", *(f"span._.{field}" for field in ("commitment", *FIELDS))],
    default_config=DEFAULTS,
    default_score_weights=WEIGHTS,
)
def make(
    nlp: Language,
    name: str,
    model: str,
    threads: int,
    abstain: float,
    span_keys: dict[str, str],
    stages: dict[str, dict[str, Any]],
    scorer: Callable[..., dict[str, Any]] | None,
) -> Commitments:
    """The component, from its block in ``config.cfg``. The entry point in ``spacy_factories`` names this.

    Raises:
        SchemaError: a setting is not known, or of another type.
    """
    if not 0 <= abstain <= 1:
        raise SchemaError(f"[components.{name}] abstain={abstain!r} is no share; give a number from 0 to 1")
    if unknown := [
        f"{stage}.{setting}"
        for stage, settings in stages.items()
        for setting in settings
        if setting not in _STAGES.get(stage, {})
    ]:
        raise SchemaError(f"[components.{name}.stages] there is no setting {unknown[0]}")
    try:
        config = msgspec.convert({**stages, "abstain": abstain}, PipelineConfig)
        keys = msgspec.convert(span_keys, SpanKeys)
    except msgspec.ValidationError as error:
        raise SchemaError(f"[components.{name}] {error}") from error
    return Commitments(name, model, threads, config, keys, scorer)


def _gold(doc: Doc, key: str) -> GoldDocument:
    """A reference as a gold letter, as far as statuses go."""
    units = [GoldUnit(s.start_char, s.end_char, Status.of(s.label_)) for s in doc.spans[key]]
    return GoldDocument("", doc.text, (), tuple(units))


@lru_cache(maxsize=256)
def _decoded(text: str) -> Reply:
    return Reply.from_json(text)


def _reply(doc: Doc) -> Reply | None:
    text = doc.user_data.get(REPLY)
    return None if text is None else _decoded(text)


def _set_reply(doc: Doc, reply: Reply | None) -> None:
    if reply is None:
        doc.user_data.pop(REPLY, None)
    elif reply.text != doc.text:
        raise SchemaError("the Reply is of another text than the Doc")
    else:
        doc.user_data[REPLY] = reply.to_json()


def _suggestion(doc: Doc) -> str | list[str] | None:
    given = doc.user_data.get(SUGGESTION)
    return list(given) if isinstance(given, tuple) else given


def _set_suggestion(doc: Doc, given: Any) -> None:
    doc.user_data[SUGGESTION] = list(given) if isinstance(given, tuple) else given


def _date(doc: Doc) -> datetime.date | None:
    given = doc.user_data.get(DATE)
    return None if given is None else datetime.date.fromisoformat(given)


def _set_date(doc: Doc, given: str | datetime.date | None) -> None:
    try:
        day = datetime.date.fromisoformat(given) if isinstance(given, str) else given
        doc.user_data[DATE] = None if day is None else f"{day:%Y-%m-%d}"
    except (TypeError, ValueError):
        raise SchemaError(f"date {given!r} is no date; write it as 2023-06-12") from None


def _shared(span: Span, start: int, end: int) -> int:
    return min(span.end_char, end) - max(span.start_char, start)


def _sentence(span: Span) -> Sentence | None:
    reply = _reply(span.doc)
    best = max(reply.sentences, key=lambda s: _shared(span, s.start, s.end), default=None) if reply else None
    return best if best and _shared(span, best.start, best.end) > 0 else None


def _attribute(span: Span) -> Deadline | Quantity | Actor | Condition | None:
    sentence = _sentence(span)
    if sentence is None or span.label_ not in KINDS:
        return None
    items = [item for item in getattr(sentence, KINDS[span.label_]) if item.span is not None]
    # Of several in one token, the one that fills most of the span.
    return max(items, key=lambda item: _shared(span, *item.span), default=None)


class _Field(msgspec.Struct, frozen=True):
    """Reads one field of a span's sentence. No closure, because spawned processes must be sent it."""

    name: str

    def __call__(self, span: Span) -> Any:
        return getattr(_sentence(span), self.name, None)


def _extend(kind: type[Doc] | type[Span], name: str, **functions: Any) -> None:
    """Register an extension, and leave alone one of that name that somebody else has registered."""
    if kind.has_extension(name) and getattr(kind.get_extension(name)[2], "__module__", None) != __name__:
        warnings.warn(
            f"{kind.__name__}._.{name} is taken, so that it does not tell of commitments", stacklevel=2
        )
        return
    kind.set_extension(name, force=True, **functions)


_extend(Doc, "commitments", getter=_reply, setter=_set_reply)
_extend(Doc, "suggestion", getter=_suggestion, setter=_set_suggestion)
_extend(Doc, "date", getter=_date, setter=_set_date)
_extend(Span, "commitment", getter=_sentence)
_extend(Span, "attribute", getter=_attribute)
for _name in FIELDS:
    _extend(Span, _name, getter=_Field(_name))
