"""The network: an encoder over a window, each sentence pooled from its own tokens, and a small head.

It is trained by `commitments.train.fit`, and written out by `commitments.train.export` as the graph that
`commitments.tag.encoder` runs. The same numbers come out of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import BertModel

from commitments.tag.windows import PAD, Window

OUTPUTS = 4


class Batch(NamedTuple):
    """Some windows as tensors; B windows of at most T tokens and S sentences, F features.

    Attributes:
        ids: (B, T).
        place: (B, T): number of the sentence that a token belongs to, from 1; 0 for none.
        tail: (B, T): whether it is in the sentence's last clause.
        features: (B, S, F).
        status: (B, S, 4).
        also: (B, S, 4).
        weight: (B, S).
    """

    ids: torch.Tensor
    place: torch.Tensor
    tail: torch.Tensor
    features: torch.Tensor
    status: torch.Tensor
    also: torch.Tensor
    weight: torch.Tensor

    def to(self, device: str) -> Batch:
        """The same on another device."""
        return Batch(*(part.to(device) for part in self))


def batch(windows: Sequence[tuple[Window, Any, Any, Any, Any]]) -> Batch:
    """Windows, each with the features, statuses, also and weights of all units of its letter."""
    wide = max(len(window.ids) for window, *_ in windows)
    most = max(len(window.units) for window, *_ in windows)
    size = len(windows)
    ids = torch.full((size, wide), PAD)
    place = torch.zeros((size, wide), dtype=torch.long)
    tail = torch.zeros((size, wide), dtype=torch.bool)
    parts = [np.zeros((size, most, *rows.shape[1:]), dtype=np.float32) for rows in windows[0][1:]]
    for b, (window, *of_letter) in enumerate(windows):
        ids[b, : len(window.ids)] = torch.tensor(window.ids)
        for n, (start, last, end) in enumerate(zip(window.starts, window.tails, window.ends, strict=True)):
            place[b, start:end] = n + 1
            tail[b, last:end] = True
        for part, rows in zip(parts, of_letter, strict=True):
            part[b, : len(window.units)] = rows[window.units]
    return Batch(ids, place, tail, *(torch.from_numpy(part) for part in parts))


class Hidden(NamedTuple):
    """What an encoder gives, named as transformers names it."""

    last_hidden_state: torch.Tensor


class ShallowConfig(NamedTuple):
    """Shape of a `Shallow` network."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    layer_norm_eps: float = 1e-5
    num_attention_heads: int = 0


class Shallow(nn.Module):
    """A quick encoder: word vectors, and convolutions over neighbouring words (Y. Kim, EMNLP 2014).

    Each layer adds what it finds to what it was given, and looks twice as far as the one before (F. Yu &
    V. Koltun, “Multi-Scale Context Aggregation by Dilated Convolutions”, ICLR 2016).

    Args:
        config: its shape.
        words: vectors to begin with, (vocab_size, hidden_size).
    """

    def __init__(self, config: ShallowConfig, words: torch.Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        width = config.hidden_size
        self.words = nn.Embedding(config.vocab_size, width)
        if words is not None:
            self.words.weight.data.copy_(words)
        self.norm = nn.LayerNorm(width, config.layer_norm_eps)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=2**n, dilation=2**n) for n in range(config.num_hidden_layers)
        )
        self.norms = nn.ModuleList(
            nn.LayerNorm(width, config.layer_norm_eps) for _ in range(config.num_hidden_layers)
        )

    def forward(self, ids: torch.Tensor, attention_mask: torch.Tensor) -> Hidden:
        """Vectors of all tokens, (B, T, hidden_size)."""
        shown = attention_mask.unsqueeze(-1).to(self.words.weight.dtype)
        x = self.norm(self.words(ids)) * shown
        for layer, norm in zip(self.layers, self.norms, strict=True):
            found = layer(x.transpose(1, 2)).transpose(1, 2)
            x = norm(x + functional.gelu(found)) * shown
        return Hidden(x)


class Classifier(nn.Module):
    """Statuses of the sentences of windows.

    Args:
        encoder: reads the tokens.
        features: columns of what the cues say.
        hidden: width of the head.
        dropout: in the head.
    """

    def __init__(
        self, encoder: BertModel | Shallow, features: int, hidden: int = 256, dropout: float = 0.1
    ) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.norm = nn.LayerNorm(3 * width)
        self.dense = nn.Linear(3 * width + features, hidden)
        # A sentence's neighbours bear on it; how far, the encoder's own reach decides for the most part.
        self.around = nn.Conv1d(hidden, hidden, 3, padding=1)
        nn.init.zeros_(self.around.weight)
        nn.init.zeros_(self.around.bias)  # type: ignore[arg-type]
        self.status = nn.Linear(hidden, OUTPUTS)
        self.also = nn.Linear(hidden, OUTPUTS)
        self.dropout = nn.Dropout(dropout)
        self.feature_dropout = 0.15

    def pooled(self, given: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Each sentence's mean, maximum, and mean of its last clause, (B, S, 3 × width); and all tokens."""
        mask = (given.ids != PAD).long()
        hidden = self.encoder(given.ids, attention_mask=mask).last_hidden_state
        most = given.features.shape[1]
        belongs = functional.one_hot(given.place, most + 1)[..., 1:].to(hidden.dtype)  # (B, T, S)
        within = belongs * given.tail.unsqueeze(-1)
        mean = _mean(belongs, hidden)
        last = _mean(within, hidden)
        size = (hidden.shape[0], most + 1, hidden.shape[2])
        index = given.place.unsqueeze(-1).expand_as(hidden)
        top = hidden.new_full(size, -1e4).scatter_reduce(1, index, hidden, "amax")[:, 1:]
        top = torch.where(top > -1e4, top, torch.zeros_like(top))
        return torch.cat([mean, top, last], dim=-1), hidden

    def forward(self, given: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the main status, and of each status that a sentence has; (B, S, 4) each."""
        pooled, _ = self.pooled(given)
        rows = given.features
        held = (rows != 0).any(-1, keepdim=True)  # rows that fill a window up are zero
        if self.training:
            kept = torch.rand(rows.shape[:2], device=rows.device) >= self.feature_dropout
            rows = rows * kept.unsqueeze(-1)
        told = torch.cat([self.dropout(self.norm(pooled)), rows], dim=-1)
        own = functional.gelu(self.dense(told)) * held
        near = self.around(own.transpose(1, 2)).transpose(1, 2)
        mixed = self.dropout(own + functional.gelu(near))
        return self.status(mixed), self.also(mixed)


def _mean(belongs: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    return belongs.transpose(1, 2) @ hidden / belongs.sum(1).clamp(min=1).unsqueeze(-1)
