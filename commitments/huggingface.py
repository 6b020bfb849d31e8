"""The trained models in transformers: folders for the Auto classes, and a pipeline that reads letters.

Importing this module registers config, models, tokenizer and the task ``reply-commitments``. The task is our
`commitments.pipeline.Pipeline` with the network run by torch, on any device; sentences, asks and attributes
are found by the same code. Nothing is fetched from anywhere.

``python -m commitments.huggingface --convert base OUT`` writes a folder; ``--compare base GOLD.jsonl`` prints
as JSON how near torch comes to the graph that onnxruntime runs (`commitments.huggingface_compare`).
"""

# mypy: disallow-untyped-calls=False
# (transformers types only a part of what it offers)

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from commitments import corpus, models
from commitments.errors import CommitmentsError, MissingExtra, ModelError, SchemaError

try:
    import numpy as np
    import torch
    import transformers
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast
    from transformers.pipelines import PIPELINE_REGISTRY

    from commitments.train import export
except ImportError as error:
    raise MissingExtra("The bridge to transformers", "transformers") from error

from commitments.draft import Draft
from commitments.huggingface_model import (
    CommitmentsConfig,
    CommitmentsForSequenceClassification,
    CommitmentsModel,
    shape_of,
)
from commitments.pipeline import Pipeline, PipelineConfig
from commitments.reply import Reply
from commitments.tag import READ_ROLES
from commitments.tag.cues import Cues
from commitments.tag.encoder import GRAPH, TOKENIZER, Encoder, EncoderConfig, Scores
from commitments.tag.features import NAMES, features
from commitments.tag.windows import BOS, EOS, Window, pack
from commitments.train.classifier import Batch, batch

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

TASK = "reply-commitments"
_SPECIAL = {
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}


class Loaded(NamedTuple):
    """A model and the tokenizer that belongs to it."""

    model: CommitmentsModel
    tokenizer: Any


def from_folder(name: str | Path) -> Loaded:
    """Take the network and the tokenizer out of a model folder of this library.

    Weights that the folder keeps in eight bits become numbers of 32 bits with the same values.

    Args:
        name: of a model that comes with the library (``base``, ``fast``), or the path of a model folder.

    Raises:
        ModelError: there is no such model, a file of it is missing or changed, or it is no network.

    >>> model, tokenizer = from_folder("fast")
    >>> model.config.source, tokenizer.convert_tokens_to_ids("</s>"), len(tokenizer)
    ('fast', 2, 12065)
    """
    folder = models.find(name)
    if folder.manifest.kind != "encoder":
        raise ModelError(
            f"{folder.path}: is of kind {folder.manifest.kind!r}, which holds no network of its own"
        )
    reading: EncoderConfig = folder.config(EncoderConfig)
    folder.read(GRAPH)  # its bytes are checked before they are parsed
    network = export.restore(folder.path / GRAPH, len(reading.features), heads=reading.heads)
    config = CommitmentsConfig(
        encoder=shape_of(network),
        head=network.dense.out_features,
        reading=msgspec.to_builtins(reading),
        source=folder.manifest.name,
        source_version=folder.manifest.version,
        architectures=[CommitmentsModel.__name__],
    )
    config.read()
    model = CommitmentsModel(config)
    model.classifier.load_state_dict(network.state_dict())
    config.weights = model.digest()
    return Loaded(model.eval(), _tokenizer(folder.read(TOKENIZER).decode(), network))


def convert(name: str | Path, out: str | Path) -> Path:
    """Write a model as a folder that transformers loads: ``AutoModel``, ``AutoTokenizer``, ``pipeline``.

    Args:
        name: as for `from_folder`.
        out: folder to write: ``config.json``, ``model.safetensors``, ``tokenizer.json`` and
            ``tokenizer_config.json``.

    Returns:
        The folder.

    Raises:
        ModelError: as for `from_folder`, or `out` is a model folder of this library.

    >>> import tempfile
    >>> from transformers import pipeline
    >>> with tempfile.TemporaryDirectory() as out:
    ...     read = pipeline("reply-commitments", model=str(convert("fast", out)))
    >>> reply = read({"text": "我局已建成公园3个。下一步，将再建2个。", "suggestion": ["多建公园"]})
    >>> [(s["status"], s["link"]["asks"]) for s in reply["sentences"]]
    [('completed', ('S1',)), ('pledge', ('S1',))]
    """
    model, tokenizer = from_folder(name)
    return _save(model, tokenizer, out)


def sentence_classifier(name: str | Path, out: str | Path) -> Path:
    """Write a model of single sentences, for ``pipeline("text-classification", model=out)``.

    It has the same weights and sees nothing but the words of one sentence: no neighbours and headings, no
    asks, nothing of what the cues say, and is less often right for it; ``python -m commitments.huggingface
    --compare`` tells by how much. The confidence is calibrated for letters only. For letters, use `convert`.

    Args:
        name: as for `from_folder`.
        out: folder to write.

    Returns:
        The folder.

    Raises:
        ModelError: as for `convert`.

    >>> import tempfile
    >>> from transformers import pipeline
    >>> with tempfile.TemporaryDirectory() as out:
    ...     classify = pipeline("text-classification", model=str(sentence_classifier("fast", out)))
    >>> [found["label"] for found in classify(["我局已建成公园3个。", "明年我局将新建公园2个。"])]
    ['completed', 'pledge']
    """
    whole, tokenizer = from_folder(name)
    coder: Any = tokenizer.backend_tokenizer
    # What stands at the head of a window where neither an ask nor a heading is known.
    head = [BOS, *coder.encode("建议", add_special_tokens=False).ids, EOS, EOS]
    names = [coder.id_to_token(i) for i in head]
    coder.post_processor = TemplateProcessing(
        single="<reply> $A </s>",
        special_tokens=[
            {"id": "<reply>", "ids": head, "tokens": names},
            ("</s>", EOS),
        ],
    )
    config = CommitmentsConfig.from_dict(whole.config.to_dict())
    config.architectures = [CommitmentsForSequenceClassification.__name__]
    config.sentence_prefix = len(head)
    model = CommitmentsForSequenceClassification(config)
    model.classifier.load_state_dict(whole.classifier.state_dict())
    model.pieces[:] = torch.tensor([_marks(coder.id_to_token(i)) for i in range(config.vocab_size)])
    return _save(model.eval(), tokenizer, out)


def _marks(piece: str) -> tuple[int, int, int]:
    """Length of a piece, where its first clause mark begins, and where its last ends; -1 without one."""
    at = [i for i, char in enumerate(piece) if char in "，,:：；;"]
    return len(piece), at[0] if at else -1, at[-1] + 1 if at else -1


def _save(model: Any, tokenizer: Any, out: str | Path) -> Path:
    path = Path(out)
    if (path / models.MANIFEST).exists():
        raise ModelError(f"{path}: is a model folder of this library; write to another")
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def _tokenizer(text: str, network: Any) -> Any:
    places = getattr(network.encoder.config, "max_position_embeddings", None)
    length = {"model_max_length": places} if places else {}
    coder = Tokenizer.from_str(text)
    return PreTrainedTokenizerFast(tokenizer_object=coder, padding_side="right", **_SPECIAL, **length)


class TorchEncoder(Encoder):
    """The tagger that runs the network in torch: wherever the model lies, several windows at once if asked.

    Args:
        model: from `from_folder`, or loaded by transformers; it is put out of training.
        tokenizer: that belongs to it.
        cues: the rules, whose findings the network sees too.
        at_once: windows of a letter that are run together.

    Raises:
        ModelError: the model's config is not that of a network of this library, or of another tokenizer.

    >>> import commitments
    >>> nlp = commitments.Pipeline(TorchEncoder(*from_folder("fast")))
    >>> [s.status.value for s in nlp("我局已建成公园3个。下一步，将再建2个。").sentences]
    ['completed', 'pledge']
    """

    def __init__(
        self, model: CommitmentsModel, tokenizer: Any, *, cues: Cues | None = None, at_once: int = 1
    ) -> None:
        self.config = model.config.read()
        self.name = model.config.source
        self.version = f"{model.config.source_version}+torch"
        digest = model.digest()
        if digest != model.config.weights:  # trained further, or in fewer bits
            self.version += f"+weights-{digest[:8]}"
        self.at_once = at_once
        self._cues = cues or Cues()
        if self._cues.version != self.config.cues:
            self.version += f"+cues-{self._cues.version}"
        self._coder = tokenizer.backend_tokenizer
        if self._coder.get_vocab_size() != self.config.vocabulary:
            raise ModelError(
                f"the tokenizer has {self._coder.get_vocab_size()} pieces, not the {self.config.vocabulary}"
                " of the model"
            )
        self.model = model.eval()

    def scores(
        self,
        draft: Draft,
        rows: Sequence[Sequence[float]] | None = None,
        wanted: Collection[int] | None = None,
    ) -> Scores:
        """What the network says of each unit; see `commitments.tag.encoder.Encoder.scores`."""
        told = features(draft, self._cues) if rows is None else rows
        found = Scores(*(np.zeros((len(draft.units), 4), dtype=np.float32) for _ in range(2)))
        read = (
            window
            for window in pack(draft, self._coder, self.config.windows, wanted)
            if any(draft.units[i].role in READ_ROLES for i in window.units[slice(*window.scored)])
        )
        for some in _grouped(read, max(1, self.at_once)):
            for n, outputs in enumerate(zip(*self._run(some, told), strict=True)):
                first, last = some[n].scored
                for of_all, of_window in zip(found, outputs, strict=True):
                    of_all[some[n].units[first:last]] = of_window[first:last]
        return found

    def run(self, window: Window, rows: Sequence[Sequence[float]]) -> list[Array]:
        """Logits of the main status and of each status, of the units of one window."""
        return [part[0] for part in self._run([window], rows)]

    def _run(self, windows: Sequence[Window], rows: Sequence[Sequence[float]]) -> list[Array]:
        told = np.asarray(rows, dtype=np.float32).reshape(-1, len(NAMES))
        nothing = np.zeros((len(told), 0), dtype=np.float32)
        given = batch([(window, told, nothing, nothing, nothing) for window in windows])
        kind = self.model.classifier.dense.weight
        given = Batch(*(part.to(kind.device) for part in given))
        with torch.inference_mode():
            found = self.model.classifier(given._replace(features=given.features.to(kind.dtype)))
        return [part.float().cpu().numpy() for part in found]


def _grouped(windows: Iterator[Window], size: int) -> Iterator[list[Window]]:
    some: list[Window] = []
    for window in windows:
        some.append(window)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


class ReplyPipeline(transformers.Pipeline):
    """``pipeline("reply-commitments", model=…)``: a letter in, what `commitments.Pipeline` finds out.

    A letter is a text, or a dict with ``text`` and, as they are known, ``suggestion`` and ``date``; a list of
    letters gives a list. The dict is `Reply.to_dict`, and `Reply.from_dict` takes it back. Of transformers'
    arguments, ``device`` and ``dtype`` work as always; ``batch_size`` is how many windows of one letter are
    run at once, since letters are read one by one.
    """

    _load_tokenizer = True  # type: ignore[assignment]

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        if not isinstance(self.model, CommitmentsModel):
            raise ModelError(
                f"the task {TASK} needs a CommitmentsModel, not a {type(self.model).__name__};"
                " commitments.huggingface.convert writes one"
            )
        self._tagger = TorchEncoder(self.model, self.tokenizer)

    def __call__(self, inputs: Any, *args: Any, batch_size: int | None = None, **given: Any) -> Any:
        """Read one letter, or a list of letters.

        Args:
            inputs: a letter or letters.
            *args: as transformers has it.
            batch_size: windows of one letter that are run at once.
            **given: ``suggestion`` and ``date`` for letters that do not bring their own, and ``abstain``.

        Raises:
            SchemaError: a letter is of another kind, or an argument is wrong.
        """
        if isinstance(inputs, list) and not inputs:
            return []
        self._tagger.at_once = batch_size or self._batch_size or 1
        return super().__call__(inputs, *args, batch_size=1, **given)

    def _sanitize_parameters(
        self, suggestion: Any = None, date: Any = None, abstain: float | None = None, **unknown: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if unknown:
            raise SchemaError(f"{TASK} has no argument {', '.join(map(repr, sorted(unknown)))}")
        beside = {"suggestion": suggestion, "date": date}
        known = {name: value for name, value in beside.items() if value is not None}
        return known, {} if abstain is None else {"abstain": abstain}, {}

    def preprocess(self, input_: Any, **beside: Any) -> dict[str, Any]:
        """The letter with what is known of it."""
        letter = {"text": input_} if isinstance(input_, str) else input_
        if not isinstance(letter, dict) or not isinstance(letter.get("text"), str):
            raise SchemaError(
                "a letter is a text, or a dict with 'text' and, if known, 'suggestion' and 'date'"
            )
        if unknown := set(letter) - {"text", "suggestion", "date"}:
            raise SchemaError(f"a letter has no {', '.join(sorted(map(repr, unknown)))}")
        return {**beside, **letter}

    def _forward(self, input_tensors: Any, abstain: Any = 0.0, **unused: Any) -> Any:
        if not isinstance(abstain, int | float) or not 0 <= abstain <= 1:
            raise SchemaError(f"abstain={abstain!r} is no share; give a confidence between 0 and 1")
        nlp = Pipeline(self._tagger, PipelineConfig(abstain=abstain))
        return {"reply": nlp(**input_tensors)}

    def postprocess(self, model_outputs: Any, **unused: Any) -> dict[str, Any]:
        """The reply as a dict."""
        found: Reply = model_outputs["reply"]
        return found.to_dict()


def register() -> None:
    """Make config, models, tokenizer and task known to transformers; done when this module is imported."""
    transformers.AutoConfig.register(CommitmentsConfig.model_type, CommitmentsConfig, exist_ok=True)
    transformers.AutoModel.register(CommitmentsConfig, CommitmentsModel, exist_ok=True)
    transformers.AutoModelForSequenceClassification.register(
        CommitmentsConfig, CommitmentsForSequenceClassification, exist_ok=True
    )
    transformers.AutoTokenizer.register(
        CommitmentsConfig, fast_tokenizer_class=PreTrainedTokenizerFast, exist_ok=True
    )
    if TASK not in PIPELINE_REGISTRY.get_supported_tasks():
        PIPELINE_REGISTRY.register_pipeline(
            TASK, pipeline_class=ReplyPipeline, pt_model=transformers.AutoModel, type="text"
        )


register()


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert a model, or compare."""
    parser = argparse.ArgumentParser(prog="python -m commitments.huggingface", description=main.__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--convert", nargs=2, metavar=("MODEL", "OUT"), help="write a folder that reads letters"
    )
    what.add_argument("--sentences", nargs=2, metavar=("MODEL", "OUT"), help="one that reads lone sentences")
    what.add_argument("--compare", nargs=2, metavar=("MODEL", "GOLD"), help="print how near torch comes")
    given = parser.parse_args(arguments)
    try:
        if given.compare:
            from commitments.huggingface_compare import compare

            told = compare(given.compare[0], corpus.load(given.compare[1]))
            print(json.dumps(told, ensure_ascii=False, indent=1))
        elif given.convert:
            print(convert(*given.convert))
        else:
            print(sentence_classifier(*given.sentences))
    except CommitmentsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
