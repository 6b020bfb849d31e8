"""The trained networks as transformers sees them: a config, and models of windows and of sentences.

The weights are taken out of a model folder's graph; the arithmetic is that of `commitments.train.classifier`.
Folders, tokenizers and the pipeline for letters are in `commitments.huggingface`, which is what to import.
"""

# mypy: disallow-untyped-calls=False
# (transformers types only a part of what it offers)

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from commitments.errors import MissingExtra, ModelError

try:
    import torch
    from torch import nn
    from torch.nn import functional
    from transformers import BertConfig, BertModel, PretrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import SequenceClassifierOutput
    from transformers.utils.generic import ModelOutput
except ImportError as error:
    raise MissingExtra("The bridge to transformers", "transformers") from error

from commitments.tag.cues import STATUSES
from commitments.tag.encoder import EncoderConfig
from commitments.tag.features import NAMES
from commitments.tag.windows import PAD
from commitments.train.classifier import OUTPUTS, Batch, Classifier, Shallow, ShallowConfig

_LABELS = {i: status.value for i, status in enumerate(STATUSES)}


class CommitmentsConfig(PretrainedConfig):
    """``config.json`` of a converted model.

    Args:
        encoder: shape of the encoder: ``vocab_size``, ``hidden_size``, ``num_hidden_layers``,
            ``layer_norm_eps`` and, of a transformer, ``num_attention_heads``, ``intermediate_size`` and
            ``max_position_embeddings``; without heads it is the shallow network.
        head: width of the layers on top.
        reading: what `commitments.tag.encoder.EncoderConfig` holds: features, windows, temperature and so on.
        source: name of the model that it was converted from.
        source_version: its version.
        weights: digest of its weights as converted, by which a model trained further is told apart.
        sentence_prefix: of a model of single sentences, how many tokens its tokenizer puts before each.
        **given: what every config of transformers takes.

    >>> CommitmentsConfig(encoder={"vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 1}).id2label[2]
    'pledge'
    """

    model_type = "commitments"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        head: int = 256,
        reading: dict[str, Any] | None = None,
        source: str = "commitments",
        source_version: str = "untrained",
        weights: str = "",
        sentence_prefix: int = 0,
        **given: Any,
    ) -> None:
        self.encoder = dict(encoder or {})
        self.head = head
        self.reading = dict(reading or {})
        self.source = source
        self.source_version = source_version
        self.weights = weights
        self.sentence_prefix = sentence_prefix
        # Asked for under these names by transformers itself.
        self.vocab_size = self.encoder.get("vocab_size", 0)
        self.hidden_size = self.encoder.get("hidden_size", 0)
        self.num_hidden_layers = self.encoder.get("num_hidden_layers", 0)
        given.setdefault("id2label", _LABELS)
        given.setdefault("label2id", {name: i for i, name in _LABELS.items()})
        given.setdefault("pad_token_id", PAD)
        super().__init__(**given)

    def read(self) -> EncoderConfig:
        """How letters are read, checked.

        Raises:
            ModelError: a field is missing or wrong, or the labels or features are not this library's.
        """
        try:
            found = msgspec.convert(self.reading, EncoderConfig)
        except msgspec.ValidationError as error:
            raise ModelError(f"config.json: reading: {error}") from error
        if found.labels != tuple(_LABELS.values()):
            raise ModelError(f"config.json: has the labels {', '.join(found.labels)}, not this library's")
        if found.features != NAMES:
            raise ModelError("config.json: was made for other features than this version of the library has")
        if found.temperature <= 0:
            raise ModelError(f"config.json: temperature {found.temperature} is not positive")
        return found

    def network(self) -> Classifier:
        """The network of this shape, with random weights.

        Raises:
            ModelError: the shape is incomplete.
        """
        shape = self.encoder
        try:
            encoder: BertModel | Shallow
            if not shape.get("num_attention_heads"):
                encoder = Shallow(
                    ShallowConfig(
                        shape["vocab_size"],
                        shape["hidden_size"],
                        shape["num_hidden_layers"],
                        shape.get("layer_norm_eps", 1e-5),
                    )
                )
            else:
                still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
                given: dict[str, Any] = {**shape, **still, "type_vocab_size": 1, "pad_token_id": PAD}
                encoder = BertModel(BertConfig(**given), add_pooling_layer=False)
        except (KeyError, TypeError) as error:
            raise ModelError(f"config.json: encoder: is no shape of a network: {error}") from error
        return Classifier(encoder, len(NAMES), hidden=self.head)


def shape_of(network: Classifier) -> dict[str, Any]:
    """The shape of a network's encoder, as `CommitmentsConfig` wants it."""
    config = network.encoder.config
    names = ["vocab_size", "hidden_size", "num_hidden_layers", "layer_norm_eps"]
    if not isinstance(network.encoder, Shallow):
        names += ["num_attention_heads", "intermediate_size", "max_position_embeddings"]
    return {name: getattr(config, name) for name in names}


@dataclass
class WindowsOutput(ModelOutput):
    """What the network says of the sentences of some windows.

    Attributes:
        loss: where labels were given.
        logits: (windows, sentences, 4) of the main status, calibrated: their softmax is the confidence.
        also_logits: (windows, sentences, 4) of each status that a sentence has.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    also_logits: torch.Tensor | None = None


class _Base(PreTrainedModel):
    config_class = CommitmentsConfig
    base_model_prefix = "network"
    main_input_name = "input_ids"

    def __init__(self, config: CommitmentsConfig) -> None:
        super().__init__(config)
        self.classifier = config.network()
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing: the network's own layers begin as torch draws them, and the encoder draws its own."""

    def calibrated(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits moved and divided as the config says (C. Guo et al., ICML 2017)."""
        reading = self.config.reading
        bias = logits.new_tensor(reading.get("bias") or [0.0] * OUTPUTS)
        return (logits + bias) / float(reading.get("temperature", 1.0))

    def digest(self) -> str:
        """Sixteen hex digits that change whenever a weight does."""
        found = hashlib.sha256()
        for name, value in sorted(self.classifier.state_dict().items()):
            found.update(name.encode())
            found.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return found.hexdigest()[:16]


class CommitmentsModel(_Base):
    """The network that reads sentences among their neighbours, a window at a time.

    ``AutoModel.from_pretrained`` loads it from a folder that `commitments.huggingface.convert` wrote, once
    `commitments.huggingface` is imported. Its windows come from `commitments.tag.windows`; for whole letters
    use the pipeline ``reply-commitments``.
    """

    def forward(
        self,
        input_ids: torch.Tensor,
        place: torch.Tensor,
        tail: torch.Tensor,
        features: torch.Tensor,
        labels: torch.Tensor | None = None,
        return_dict: bool | None = None,
        **unused: Any,
    ) -> WindowsOutput | tuple[torch.Tensor, ...]:
        """Read windows.

        Args:
            input_ids: (B, T), padded with the config's ``pad_token_id``.
            place: (B, T): number of the sentence that a token belongs to, from 1; 0 for none.
            tail: (B, T): whether it is in its sentence's last clause.
            features: (B, S, F): rows of `commitments.tag.features`; rows of zeros are no sentences.
            labels: (B, S): numbers of the statuses, -100 where there is none.
            return_dict: ``False`` for a tuple.
            **unused: such as ``attention_mask``, which follows from the padding.
        """
        nothing = features.new_zeros(0)
        status, also = self.classifier(
            Batch(input_ids, place, tail.bool(), features, nothing, nothing, nothing)
        )
        logits = self.calibrated(status)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        found = WindowsOutput(loss=loss, logits=logits, also_logits=also)
        return found.to_tuple() if return_dict is False else found


class CommitmentsForSequenceClassification(_Base):
    """The same weights over single sentences, for ``pipeline("text-classification")``.

    Nothing is known to it but the words of the sentence: neither its neighbours and headings, nor what is
    asked, nor what the cues say, which the network can do without since it was trained with these left out
    now and then. What that costs is told at `commitments.huggingface.sentence_classifier`.
    """

    def __init__(self, config: CommitmentsConfig) -> None:
        super().__init__(config)
        # Of each piece: its length, where its first clause mark begins and its last ends; -1 without a mark.
        self.pieces: torch.Tensor
        self.register_buffer("pieces", torch.zeros(max(1, config.vocab_size), 3, dtype=torch.long))

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        return_dict: bool | None = None,
        **unused: Any,
    ) -> SequenceClassifierOutput | tuple[torch.Tensor, ...]:
        """Read sentences as the folder's tokenizer gives them.

        Args:
            input_ids: (B, T), padded on the right.
            attention_mask: not needed: it follows from the padding.
            labels: (B,): numbers of the statuses.
            return_dict: ``False`` for a tuple.
            **unused: such as ``token_type_ids``.
        """
        ids = self._shortened(input_ids)
        count = (ids != PAD).sum(1, keepdim=True)
        here = torch.arange(ids.shape[1], device=ids.device).unsqueeze(0)
        within = (here >= self.config.sentence_prefix) & (here < count - 1)
        tail = within & (here >= self._tail(ids, within))
        net = self.classifier
        rows = net.dense.weight.new_zeros(ids.shape[0], 1, len(NAMES))  # what cues say: nothing
        nothing = rows.new_zeros(0)
        pooled, _ = net.pooled(Batch(ids, within.long(), tail, rows, nothing, nothing, nothing))
        # Not the network's own forward: to that a row of zeros is no sentence.
        own = functional.gelu(net.dense(torch.cat([net.dropout(net.norm(pooled)), rows], dim=-1)))
        near = net.around(own.transpose(1, 2)).transpose(1, 2)
        logits = self.calibrated(net.status(net.dropout(own + functional.gelu(near)))[:, 0])
        loss = functional.cross_entropy(logits, labels) if labels is not None else None
        found = SequenceClassifierOutput(loss=loss, logits=logits)
        return found.to_tuple() if return_dict is False else found

    def _shortened(self, ids: torch.Tensor) -> torch.Tensor:
        """Of longer sentences, the beginning and, twice as long, the end: as windows show them."""
        unit = self.config.read().windows.unit
        most, head = self.config.sentence_prefix + unit + 1, self.config.sentence_prefix + unit // 3
        if ids.shape[1] <= most:
            return ids
        here = torch.arange(most, device=ids.device).unsqueeze(0)
        dropped = ((ids != PAD).sum(1, keepdim=True) - most).clamp(min=0)
        return ids.gather(1, here + (here >= head) * dropped)

    def _tail(self, ids: torch.Tensor, within: torch.Tensor) -> torch.Tensor:
        """(B, 1): where the last clause begins: after the last mark that four characters follow."""
        length, first, last = self.pieces[ids].unbind(-1)
        ends = (length * within).cumsum(1)
        begins = ends - length * within
        mark = within & (last > 0)
        close = ends[:, -1:]
        starts = torch.where(mark, begins + first, close)
        after = torch.cat([starts[:, 1:], close], dim=1).flip(1).cummin(1).values.flip(1)
        opens = mark & (after - (begins + last) >= 4)
        here = torch.arange(ids.shape[1], device=ids.device).unsqueeze(0)
        return torch.where(opens, here + 1, torch.zeros_like(here)).amax(1, keepdim=True)
