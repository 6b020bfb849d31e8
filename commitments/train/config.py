"""What a training run is told: one TOML file, which is kept beside the weights that it made."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from commitments.errors import SchemaError
from commitments.tag.windows import WindowConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Gold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of gold letters to learn from.

    Attributes:
        path: JSONL; relative paths are relative to the working directory, and variables such as
            ``$COMMITMENTS_SHARED`` are filled in.
        weight: of its sentences in the loss.
        repeat: how often an epoch shows its letters.
    """

    path: str
    weight: float = 1.0
    repeat: int = 1


class Teacher(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model to learn from (G. Hinton et al., “Distilling the Knowledge in a Neural Network”, 2015).

    Attributes:
        models: names or folders; the mean of their shares is learnt. A training config's path (``.toml``,
            ``.json``) stands for the model that it makes, which is then trained first.
        texts: JSONL files of letters without labels (fields ``text``, ``reply``); the gold letters too are
            read.
        without: JSONL files whose rows' ids are left out.
        share: of the loss on gold letters that comes from the teacher; the rest comes from the labels.
        temperature: by which the teacher's logits are divided.
        longest: characters after which a text is cut into parts, at a line's end.
    """

    models: tuple[str, ...]
    texts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    share: float = 0.5
    temperature: float = 1.5
    longest: int = 3000


class TrainConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about a training run.

    Attributes:
        name: of the model; the folder is called so.
        start: folder of an encoder (`commitments.train.encoder`), or name or folder of a model to go on with,
            or a training config's path: for the model that it makes, which is then trained first.
        gold: what is learnt.
        dev: gold letters to calibrate on; never learnt.
        teacher: a model to learn from, too.
        layers: how many of the encoder's layers are kept, from the first; or how many a shallow network has.
        width: of a shallow network, which is made of the encoder's word vectors; 0 keeps the encoder.
        epochs: how often the letters are shown.
        tokens: about so many in a step.
        rate: highest learning rate, of the last layer.
        layer_decay: each layer below learns by so much less (J. Howard & S. Ruder, ULMFiT, ACL 2018).
        head_rate: of the head, in multiples of `rate`.
        warm: share of the steps in which the rate rises.
        weight_decay: of matrices.
        dropout: in the head.
        word_dropout: share of tokens hidden behind the mask.
        bare: share of windows shown without what is asked.
        mixed: share of the target that the secondary statuses of a mixed sentence get.
        smooth: share of the target that is spread over all statuses.
        balance: how far rare statuses weigh more: 0 not at all, 1 in inverse proportion.
        also: weight of the loss for secondary statuses.
        windows: how sentences are packed.
        seed: of everything random.
    """

    name: str
    start: str
    gold: tuple[Gold, ...]
    dev: tuple[str, ...] = ()
    teacher: Teacher | None = None
    layers: int = 12
    width: int = 0
    epochs: int = 4
    tokens: int = 3072
    rate: float = 1.2e-4
    layer_decay: float = 0.9
    head_rate: float = 5.0
    warm: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.15
    word_dropout: float = 0.06
    bare: float = 0.3
    mixed: float = 0.2
    smooth: float = 0.04
    balance: float = 0.3
    also: float = 0.3
    windows: WindowConfig = WindowConfig()
    seed: int = 1


def read(path: str | Path) -> TrainConfig:
    """Read a training config.

    Raises:
        SchemaError: it is missing, or a field is unknown, missing or wrong; the message names file and field.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        raw = msgspec.json.decode(text) if Path(path).suffix == ".json" else tomllib.loads(text)
        return msgspec.convert(raw, TrainConfig)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise SchemaError(f"{path}: no training config: {error}") from error


def located(path: str) -> Path:
    """A path of the config with its variables filled in.

    Raises:
        SchemaError: there is nothing at it.
    """
    found = Path(os.path.expandvars(path)).expanduser()
    if not found.exists():
        raise SchemaError(f"{path}: there is no such file or folder; the training config names it")
    return found


def is_config(path: str | Path) -> bool:
    """Whether a path is that of a training config, by its name.

    >>> is_config("models/base/training.json"), is_config("gold.jsonl")
    (True, False)
    """
    return Path(path).suffix in (".toml", ".json")


def further(gold: Sequence[Path], dev: Sequence[Path], start: str, *, name: str = "my-model") -> TrainConfig:
    """A config for going on with a model on letters of one's own: gently, so that little is unlearnt.

    Args:
        gold: JSONL files to learn from.
        dev: JSONL files to calibrate on.
        start: name or folder of the model.
        name: of the model to be made.
    """
    return TrainConfig(
        name=name,
        start=start,
        gold=tuple(Gold(str(path)) for path in gold),
        dev=tuple(map(str, dev)),
        epochs=3,
        rate=4e-5,
        head_rate=2.0,
    )


def changed(config: TrainConfig, *, epochs: int | None = None, seed: int | None = None) -> TrainConfig:
    """The config with what was given on the command line.

    >>> changed(TrainConfig("a", "b", ()), epochs=7).epochs
    7
    """
    given = {name: value for name, value in (("epochs", epochs), ("seed", seed)) if value is not None}
    return msgspec.structs.replace(config, **given)
