"""Training: letters in, a network out. Resumable after every epoch, the same for the same seed.

What is trained is in `commitments.train.classifier`, on what in `commitments.train.examples`; making a model
folder of the result is in `commitments.train.run`.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from commitments.tag.windows import MASK, Window
from commitments.train.classifier import Batch, Classifier, batch
from commitments.train.config import TrainConfig
from commitments.train.examples import Letter, draw

Told = Callable[[dict[str, float]], None]


def windows(
    letters: Sequence[Letter], config: TrainConfig, epoch: int
) -> list[list[tuple[Window, Any, Any, Any, Any]]]:
    """The batches of an epoch: windows of like length together, in random order."""
    lot = random.Random(config.seed * 1000 + epoch)  # noqa: S311 - no secret
    drawn = [
        (window, letter.features, letter.status, letter.also, letter.weight)
        for letter in letters
        for window in draw(letter, config.windows, lot, config.bare)
        if letter.weight[window.units].any()
    ]
    lot.shuffle(drawn)
    batches = []
    for start in range(0, len(drawn), 256):
        pool = sorted(drawn[start : start + 256], key=lambda row: len(row[0].ids))
        current: list[tuple[Window, Any, Any, Any, Any]] = []
        for row in pool:
            if current and (len(current) + 1) * len(row[0].ids) > config.tokens:
                batches.append(current)
                current = []
            current.append(row)
        batches.append(current)
    lot.shuffle(batches)
    return batches


def loss_of(model: Classifier, given: Batch, config: TrainConfig, classes: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with the shares of the statuses, and binary cross-entropy of each status."""
    status, also = model(given)
    wanted = (1 - config.smooth) * given.status + config.smooth / given.status.shape[-1]
    weight = given.weight * (given.status * classes).sum(-1)
    one = -(wanted * functional.log_softmax(status, dim=-1)).sum(-1)
    all_of = functional.binary_cross_entropy_with_logits(also, given.also, reduction="none").sum(-1)
    return (weight * (one + config.also * all_of)).sum() / given.weight.sum().clamp(min=1)


def class_weights(letters: Sequence[Letter], balance: float) -> torch.Tensor:
    """How much a sentence of each status counts; one on average."""
    counts = sum(((letter.status * letter.weight[:, None]).sum(0) for letter in letters), np.zeros(4))
    share = np.maximum(counts, 1) / max(counts.sum(), 1)
    weights = (1 / (len(share) * share)) ** balance
    return torch.tensor(weights / (weights * share).sum(), dtype=torch.float32)


def groups(model: Classifier, config: TrainConfig) -> list[dict[str, Any]]:
    """Parameters with their learning rates: less for each layer below."""
    depth = model.encoder.config.num_hidden_layers
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name.startswith("encoder.encoder.layer."):
            rate = config.rate * config.layer_decay ** (depth - 1 - int(name.split(".")[3]))
        elif name.startswith("encoder.embeddings."):
            rate = config.rate * config.layer_decay**depth
        else:
            rate = config.rate * config.head_rate
        decay = config.weight_decay if parameter.ndim >= 2 else 0.0
        found.setdefault((rate, decay), []).append(parameter)
    return [{"params": ps, "lr": rate, "weight_decay": decay} for (rate, decay), ps in found.items()]


def fit(
    model: Classifier,
    letters: Sequence[Letter],
    config: TrainConfig,
    *,
    state: Path | None = None,
    device: str = "cpu",
    told: Told = lambda _: None,
    after_epoch: Callable[[int], None] = lambda _: None,
) -> dict[str, float]:
    """Train in place.

    Args:
        model: to be trained.
        letters: what to learn.
        config: how.
        state: folder for what a run that was stopped needs to go on; it goes on by itself when it finds any.
        device: ``cpu`` or ``cuda``.
        told: is told step, steps, loss and epoch after each step.
        after_epoch: is called after each epoch.

    Returns:
        Steps, seconds and the last loss.
    """
    torch.manual_seed(config.seed)
    model.to(device)
    classes = class_weights(letters, config.balance).to(device)
    per_epoch = len(windows(letters, config, 0))
    steps = max(1, int(per_epoch * config.epochs * 1.02))
    warm = max(1, int(config.warm * steps))
    optimizer = torch.optim.AdamW(groups(model, config), betas=(0.9, 0.98))
    begun = time.monotonic()
    first, before, mean = 0, 0, 0.0
    if state is not None and (state / "progress.json").is_file():
        first, before, mean = _resume(state, model, optimizer)

    def share(n: int) -> float:
        """Of the highest rate, n steps after this run began or went on."""
        at = before + n
        return min((at + 1) / warm, max(0.02, (steps - at) / max(1, steps - warm)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    done = before
    hide = torch.Generator().manual_seed(config.seed)
    for epoch in range(first, config.epochs):
        hide.manual_seed(config.seed * 1000 + epoch)
        torch.manual_seed(config.seed * 1000 + epoch)
        model.train()
        for rows in windows(letters, config, epoch):
            given = _hidden(batch(rows), config.word_dropout, hide).to(device)
            loss = loss_of(model, given, config, classes)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            done += 1
            mean = loss.item() if done == 1 else 0.98 * mean + 0.02 * loss.item()
            told({"step": done, "steps": steps, "loss": mean, "epoch": epoch + 1})
        model.eval()
        if state is not None:
            _keep(state, model, optimizer, epoch + 1, done, mean)
        after_epoch(epoch + 1)
    model.eval()
    return {"steps": done, "seconds": time.monotonic() - begun, "loss": mean}


def _hidden(given: Batch, share: float, draw: torch.Generator) -> Batch:
    """Some tokens of sentences behind the mask, so that no word alone is relied on."""
    if not share:
        return given
    lot = torch.rand(given.ids.shape, generator=draw)
    ids = torch.where((lot < share) & (given.place > 0) & (given.ids > MASK), MASK, given.ids)
    return given._replace(ids=ids)


def _keep(
    state: Path, model: Classifier, optimizer: torch.optim.Optimizer, epoch: int, done: int, mean: float
) -> None:
    """Write what is needed to go on: tensors as safetensors, numbers as JSON; the JSON last."""
    state.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, state / "model.safetensors")
    tensors: dict[str, torch.Tensor] = {}
    for i, of_parameter in optimizer.state_dict()["state"].items():
        tensors |= {f"{i}.{name}": value.contiguous() for name, value in of_parameter.items()}
    save_file(tensors, state / "optimizer.safetensors")
    progress = {"epoch": epoch, "step": done, "loss": mean}
    (state / "progress.json").write_text(json.dumps(progress), encoding="utf-8")


def _resume(state: Path, model: Classifier, optimizer: torch.optim.Optimizer) -> tuple[int, int, float]:
    progress = json.loads((state / "progress.json").read_text(encoding="utf-8"))
    model.load_state_dict(load_file(state / "model.safetensors"))
    found: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in load_file(state / "optimizer.safetensors").items():
        number, _, name = key.partition(".")
        found.setdefault(int(number), {})[name] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({**whole, "state": found})
    return progress["epoch"], progress["step"], progress["loss"]


@torch.no_grad()
def predict(
    model: Classifier, letters: Sequence[Letter], config: TrainConfig, device: str = "cpu"
) -> Iterator[tuple[Any, Any]]:
    """Logits of each letter's units, (units, 4) twice, in evenly cut windows; for choosing while training."""
    model.eval()
    for letter in letters:
        status = np.zeros((len(letter.weight), 4), dtype=np.float32)
        also = np.zeros_like(status)
        for window in draw(letter, config.windows, random.Random(0), 0.0):  # noqa: S311 - no secret
            given = batch([(window, letter.features, letter.status, letter.also, letter.weight)]).to(device)
            one, all_of = model(given)
            status[window.units] = one[0].cpu().numpy()
            also[window.units] = all_of[0].cpu().numpy()
        yield status, also


def macro_f1(gold: Sequence[int], predicted: Sequence[int]) -> float:
    """Mean F1 over the four statuses."""
    scores = []
    for label in range(4):
        hit = sum(g == p == label for g, p in zip(gold, predicted, strict=True))
        all_of = sum(g == label for g in gold) + sum(p == label for p in predicted)
        scores.append(2 * hit / all_of if all_of else math.nan)
    known = [score for score in scores if not math.isnan(score)]
    return sum(known) / len(known)
