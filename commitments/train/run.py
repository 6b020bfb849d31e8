"""A training run from its config to a model folder: read, train, export, calibrate, write.

`commitments train CONFIG` calls `train`. The card and the figures beside the weights are written by
`commitments.benchmark`, which measures what was made.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import BertModel

from commitments import corpus, models
from commitments.corpus import GoldDocument
from commitments.errors import ModelError, SchemaError
from commitments.pipeline import Pipeline, load
from commitments.tag import READ_ROLES
from commitments.tag.cues import STATUSES, Cues
from commitments.tag.encoder import GRAPH, TOKENIZER, Encoder, EncoderConfig
from commitments.tag.features import NAMES
from commitments.terms import Status
from commitments.train import encoder as encoders
from commitments.train import export
from commitments.train.classifier import Classifier, Shallow, ShallowConfig
from commitments.train.config import Teacher, TrainConfig, is_config, located, read
from commitments.train.examples import Letter, gold_units, letters
from commitments.train.examples import letter as letter_of
from commitments.train.fit import Told, fit, macro_f1, predict

Array = npt.NDArray[Any]

TRAINING, RECORD = "training.json", "record.json"
"""The config of the run, and what the run saw and did; both lie in the model folder."""


def train(
    config: TrainConfig,
    out: Path,
    *,
    device: str = "cpu",
    told: Told = lambda _: None,
    said: Callable[[str], None] = lambda _: None,
) -> models.Folder:
    """Train a model and write its folder.

    A run that was stopped goes on after its last finished epoch when it is called again with the same config.

    Args:
        config: what to do.
        out: folder to write; what goes on between runs is kept in ``out/.state`` until the end.
        device: ``cpu`` or ``cuda``.
        told: is told of each step.
        said: is told in a line of each stage.

    Raises:
        SchemaError: the config or a gold file is wrong, or another run's state lies in the folder.
        ModelError: what is to be gone on with is no model.
    """
    cues = load("cues")
    start = config.start
    if is_config(start):
        start = str(_made(start, out, device, told, said).path)
    model, coder, before = _start(config, start)
    learnt, sources = _letters(config, cues, coder)
    held = _dev(config)
    seen = {document.id for document in held} & {letter.id for letter in learnt}
    if seen:
        raise SchemaError(f"letter {min(seen)!r} is to be learnt and to be calibrated on; take it out of one")
    said(f"{len(learnt):,} letters, {sum(int((x.weight > 0).sum()) for x in learnt):,} sentences to learn")
    if config.teacher:
        taggers = [Encoder(_made(name, out, device, told, said)) for name in config.teacher.models]
        taught, extra = _taught(config, config.teacher, taggers, learnt, cues, coder)
        learnt = taught
        sources |= extra
        said(f"{len(learnt):,} letters with what the teacher says")
    dev = list(letters(held, cues, coder, config.windows))

    def after_epoch(epoch: int) -> None:
        if dev:
            said(f"epoch {epoch}: macro-F1 {_score(model, dev, config, device):.3f} on the letters held back")

    state = _state(config, out)
    course = fit(model, learnt, config, state=state, device=device, told=told, after_epoch=after_epoch)
    said(f"trained in {course['seconds']:.0f} s; writing {out}")
    record: dict[str, Any] = {
        **course,
        "date": datetime.date.today().isoformat(),
        "letters": len(learnt),
        "sentences": sum(int((letter.weight > 0).sum()) for letter in learnt),
        "sources": sources,
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    folder = finish(model.cpu(), coder, config, out, record, held, before)
    shutil.rmtree(state, ignore_errors=True)
    return folder


def finish(
    model: Classifier,
    coder: Tokenizer,
    config: TrainConfig,
    out: Path,
    record: dict[str, Any],
    held: Sequence[GoldDocument] = (),
    before: EncoderConfig | None = None,
) -> models.Folder:
    """Export a trained network, calibrate it on letters held back, and write the folder.

    Where no letters are held back, the calibration of the model that it went on from is kept.
    """
    small = export.quantized(export.graph(model))
    plain = EncoderConfig(
        labels=tuple(status.value for status in STATUSES),
        features=NAMES,
        vocabulary=coder.get_vocab_size(),
        cues=Cues().version,
        windows=config.windows,
        heads=model.encoder.config.num_attention_heads,
    )
    if before is not None:
        kept = {"temperature": before.temperature, "bias": before.bias, "also": before.also}
        plain = msgspec.structs.replace(plain, **kept)

    def write(told: EncoderConfig) -> models.Folder:
        files = {
            GRAPH: small,
            TOKENIZER: coder.to_str().encode(),
            models.CONFIG: _json(msgspec.to_builtins(told)),
            TRAINING: _json(msgspec.to_builtins(config)),
            RECORD: _json(record),
        }
        return models.write(out, config.name, "encoder", files)

    folder = write(plain)
    return write(calibrated(Encoder(folder), held)) if held else folder


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


# --- what to start from, and what to learn ------------------------------------------------------------------


def _start(config: TrainConfig, start: str) -> tuple[Classifier, Tokenizer, EncoderConfig | None]:
    """The network to train: on an encoder with a new head, or a model's, with that model's config."""
    told: EncoderConfig | None = None
    known = models.available()
    if start in known or (Path(start) / models.MANIFEST).is_file():
        folder = models.find(start)
        told = folder.config(EncoderConfig)
        if told.features != NAMES:
            raise ModelError(
                f"{folder.path}: was made for other features than this version of the library has"
            )
        folder.read(GRAPH)
        model = export.restore(folder.path / GRAPH, len(NAMES), heads=told.heads)
        coder = Tokenizer.from_str(folder.read(TOKENIZER).decode())
    else:
        encoder, coder = encoders.load(located(start))
        torch.manual_seed(config.seed)
        model = Classifier(encoder, len(NAMES))
    if isinstance(model.encoder, BertModel):
        if config.width:
            model = _shallow(model.encoder, config)
        else:
            bert: Any = model.encoder
            bert.encoder.layer = bert.encoder.layer[: config.layers]
            bert.config.num_hidden_layers = len(bert.encoder.layer)
    model.dropout.p = config.dropout
    return model, coder, told


def _shallow(encoder: BertModel, config: TrainConfig) -> Classifier:
    """A shallow network whose word vectors are the encoder's, seen along their main directions."""
    torch.manual_seed(config.seed)
    words = encoder.embeddings.word_embeddings.weight.detach()
    words = words - words.mean(0)
    _, _, directions = torch.linalg.svd(words, full_matrices=False)
    seen = words @ directions[: config.width].T
    shape = ShallowConfig(len(words), config.width, config.layers)
    return Classifier(Shallow(shape, seen / seen.std()), len(NAMES))


def _letters(config: TrainConfig, cues: Pipeline, coder: Tokenizer) -> tuple[list[Letter], dict[str, str]]:
    found: list[Letter] = []
    hashes: dict[str, str] = {}
    for gold in config.gold:
        path = located(gold.path)
        hashes[path.name] = _hash(path)
        read = letters(
            corpus.load(path),
            cues,
            coder,
            config.windows,
            mixed=config.mixed,
            weight=gold.weight,
        )
        found += list(read) * gold.repeat
    if not found:
        raise SchemaError("the training config names no gold letters")
    return found, hashes


def _dev(config: TrainConfig) -> list[GoldDocument]:
    return [document for path in config.dev for document in corpus.load(located(path))]


def _hash(path: Path) -> str:
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _state(config: TrainConfig, out: Path) -> Path:
    """The folder of the run's state, which must be of the same config."""
    state = out / ".state"
    state.mkdir(parents=True, exist_ok=True)
    mine, path = _json(msgspec.to_builtins(config)), state / TRAINING
    if path.is_file() and path.read_bytes() != mine:
        raise SchemaError(
            f"{state}: another training run was stopped here; remove the folder, or write elsewhere"
        )
    path.write_bytes(mine)
    return state


# --- learning from a teacher --------------------------------------------------------------------------------


def _made(name: str, out: Path, device: str, told: Told, said: Callable[[str], None]) -> models.Folder:
    """A model to learn from or to go on with, trained first if a config stands for it and it is not there."""
    if not is_config(name):
        return models.find(name)
    config = read(located(name))
    folder = out / ".before" / config.name
    if not (folder / models.MANIFEST).is_file():
        said(f"first {config.name}, to learn from")
        train(config, folder, device=device, told=told, said=said)
    return models.find(folder)


def _taught(
    config: TrainConfig,
    teacher: Teacher,
    taggers: Sequence[Encoder],
    learnt: Sequence[Letter],
    cues: Pipeline,
    coder: Tokenizer,
) -> tuple[list[Letter], dict[str, str]]:
    """The letters with the teachers' shares mixed in, and unlabelled ones with the teachers' alone."""
    found = []
    for letter in learnt:
        status, also = _shares(taggers, letter.draft, teacher.temperature)
        mixed = (1 - teacher.share) * letter.status + teacher.share * status
        both = (1 - teacher.share) * letter.also + teacher.share * also
        found.append(letter._replace(status=mixed, also=both))
    rules = Cues(cues.config.cues)
    hashes = {}
    for name in teacher.texts:
        path = located(name)
        hashes[path.name] = _hash(path)
        for text, asks in _parts(path, teacher):
            _, draft = cues.draft(text, suggestion=asks)
            status, also = _shares(taggers, draft, teacher.temperature)
            found.append(letter_of(draft, status, also, coder, config.windows, rules))
    return [letter for letter in found if letter.items], hashes


def _shares(taggers: Sequence[Encoder], draft: Any, temperature: float) -> tuple[Array, Array]:
    """The mean of the teachers' softened shares, and of their probabilities of each status."""
    status: Any = 0.0
    also: Any = 0.0
    for tagger in taggers:
        scores = tagger.scores(draft)
        scaled = scores.status / temperature
        parts = np.exp(scaled - scaled.max(-1, keepdims=True))
        status = status + parts / parts.sum(-1, keepdims=True) / len(taggers)
        also = also + 1 / (1 + np.exp(-scores.also)) / len(taggers)
    return status, also


def _parts(path: Path, teacher: Teacher) -> Iterator[tuple[str, str | None]]:
    """Texts without labels, long ones in parts, with the message that they answer."""
    hidden = {row.get("id") for name in teacher.without for row in encoders.rows(located(name))}
    for row in encoders.rows(path):
        text = row.get("reply") or row.get("text")
        if row.get("id") in hidden or not isinstance(text, str):
            continue
        part: list[str] = []
        for line in text.split("\n"):
            part.append(line)
            if sum(map(len, part)) > teacher.longest:
                yield "\n".join(part), None
                part = []
        if "".join(part).strip():
            yield "\n".join(part), row.get("subject")


# --- calibration --------------------------------------------------------------------------------------------


def _score(model: Classifier, dev: Sequence[Letter], config: TrainConfig, device: str) -> float:
    gold, predicted = [], []
    for letter, (status, _) in zip(dev, predict(model, dev, config, device), strict=True):
        read = letter.weight > 0
        gold += letter.status.argmax(1).tolist()
        predicted += np.where(read, status.argmax(1), STATUSES.index(Status.NONE)).tolist()
    return macro_f1(gold, predicted)


def calibrated(tagger: Encoder, held: Sequence[GoldDocument]) -> EncoderConfig:
    """The config with the temperature and the threshold for secondary statuses that fit letters held back.

    The temperature is that of the least negative log-likelihood of the gold label; the threshold, that of the
    best F1 of secondary statuses.
    """
    cues = load("cues")
    logits, also, gold, sets = [], [], [], []
    for document in held:
        draft, units = gold_units(document, cues)
        scores = tagger.scores(draft)
        for i, unit in enumerate(draft.units):
            own = units[i]
            if unit.role not in READ_ROLES or own is None:
                continue
            logits.append(scores.status[i])
            also.append(1 / (1 + np.exp(-scores.also[i])))
            gold.append(STATUSES.index(own.label))
            sets.append({STATUSES.index(s) for s in own.also} - {STATUSES.index(own.label)})
    if not gold:
        return tagger.config
    table, wanted = np.array(logits), np.array(gold)

    def cost(temperature: float) -> float:
        scaled = table / temperature
        top = scaled.max(1, keepdims=True)
        whole = top[:, 0] + np.log(np.exp(scaled - top).sum(1))
        return float((whole - scaled[np.arange(len(wanted)), wanted]).mean())

    temperature = min((t / 50 for t in range(20, 251)), key=cost)

    def f1(threshold: float) -> float:
        hit = said = 0
        for row, one, own in zip(also, table, sets, strict=True):
            told = {n for n in range(4) if row[n] >= threshold and n != int(one.argmax())}
            hit += len(told & own)
            said += len(told)
        return 2 * hit / max(said + sum(map(len, sets)), 1)

    threshold = max((t / 50 for t in range(5, 46)), key=f1)
    return msgspec.structs.replace(tagger.config, temperature=temperature, also=threshold)
