"""Status by a small transformer that reads each sentence among its neighbours (句群编码器).

It runs from a model folder by onnxruntime and tokenizers alone, one window of sentences at a time: what
comes out for a letter does not depend on what else is read, nor on the number of threads. How windows are
packed is in `commitments.tag.windows`; how the network is trained, in `commitments.train`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from commitments.draft import Decision, Draft
from commitments.errors import ModelError
from commitments.models import CONFIG, Folder
from commitments.reply import Evidence
from commitments.tag import READ_ROLES
from commitments.tag.cues import STATUSES, Cues, by_role
from commitments.tag.features import NAMES, features
from commitments.tag.windows import MASK, Window, WindowConfig, pack
from commitments.terms import How

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

GRAPH, TOKENIZER = "model.onnx", "tokenizer.json"


class EncoderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``config.json`` of an encoder's folder.

    Attributes:
        labels: the statuses in the order of the graph's outputs.
        features: columns of what the cues say.
        vocabulary: number of pieces that graph and tokenizer share.
        cues: version of the cues that it was trained with.
        windows: how sentences are packed.
        temperature: by which logits are divided (C. Guo et al., “On Calibration of Modern Neural Networks”,
            ICML 2017), so that a confidence of 0.9 is right nine times in ten.
        bias: added to the logits.
        also: probability from which a further status of a mixed sentence is told.
        heads: of attention, which the graph's weights do not tell.
    """

    labels: tuple[str, ...]
    features: tuple[str, ...]
    vocabulary: int
    cues: str
    windows: WindowConfig = WindowConfig()
    temperature: float = 1.0
    bias: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    also: float = 0.5
    heads: int = 12


class Scores(NamedTuple):
    """What the network says of a letter, one row a unit.

    Attributes:
        status: (units, 4) logits of the main status, before calibration.
        also: (units, 4) logits of each status that the unit has.
    """

    status: Array
    also: Array


class Encoder:
    """The tagger that runs a trained encoder.

    Args:
        folder: of the model; its files are checked.
        cues: the rules, whose findings the network sees too.
        threads: of onnxruntime; 0 leaves it to onnxruntime, which takes one a core.

    Raises:
        ModelError: a file is missing, changed, or not what the others expect.
    """

    def __init__(self, folder: Folder, *, cues: Cues | None = None, threads: int = 0) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.name = folder.manifest.name
        self.version = folder.manifest.version
        self.config: EncoderConfig = folder.config(EncoderConfig)
        self._cues = cues or Cues()
        if self._cues.version != self.config.cues:  # what the network sees has changed, and so may decisions
            self.version += f"+cues-{self._cues.version}"
        _check(self.config, folder)
        try:
            self._coder = Tokenizer.from_str(folder.read(TOKENIZER).decode())
        except ModelError:
            raise
        except Exception as error:  # tokenizers raises plain Exception
            raise ModelError(f"{folder.path / TOKENIZER}: no tokenizer: {error}") from error
        if self._coder.get_vocab_size() != self.config.vocabulary:
            size = self._coder.get_vocab_size()
            raise ModelError(
                f"{folder.path / TOKENIZER}: has {size} pieces, not the {self.config.vocabulary} of the model"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                folder.read(GRAPH), options, providers=["CPUExecutionProvider"]
            )
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's errors share no base
            raise ModelError(f"{folder.path / GRAPH}: no graph that onnxruntime can run: {error}") from error
        wanted = {"ids", "place", "starts", "tails", "ends", "features"}
        if {given.name for given in self._session.get_inputs()} != wanted:
            raise ModelError(f"{folder.path / GRAPH}: has other inputs than {', '.join(sorted(wanted))}")

    def tag(self, draft: Draft) -> tuple[Decision, ...]:
        """Decide each unit; units that their role settles are `none` without being read."""
        terms = self._cues.terms(draft)
        return self.decide(draft, self.scores(draft, features(draft, self._cues, terms)), terms)

    def decide(self, draft: Draft, scores: Scores, terms: Sequence[Any]) -> tuple[Decision, ...]:
        """The decisions that follow from scores.

        Args:
            draft: the letter.
            scores: of its units.
            terms: of the cues, which are shown as evidence where they speak for the same status.
        """
        shares = self.probabilities(scores.status)
        further = 1 / (1 + _exp(-scores.also))
        decisions = []
        for i, unit in enumerate(draft.units):
            if unit.role not in READ_ROLES:
                decisions.append(by_role(unit))
                continue
            best = int(shares[i].argmax())
            confidence = round(float(shares[i][best]), 6)
            own = Evidence(self.label, How.MODEL, STATUSES[best], round(confidence, 4))
            cues = self._cues.evidence(draft, terms[i], STATUSES[best])
            also = [
                n
                for n in (-further[i]).argsort(kind="stable")
                if n != best and further[i][n] >= self.config.also
            ]
            told = tuple(STATUSES[n] for n in also)
            decisions.append(Decision(STATUSES[best], told, confidence, (own, *cues)))
        return tuple(decisions)

    def probabilities(self, logits: Array) -> Array:
        """Calibrated shares of the statuses, (units, 4)."""
        import numpy as np

        scaled = (logits + np.asarray(self.config.bias, dtype=np.float32)) / self.config.temperature
        parts = _exp(scaled - scaled.max(axis=-1, keepdims=True))
        shares: Array = parts / parts.sum(axis=-1, keepdims=True)
        return shares

    @property
    def label(self) -> str:
        """Name and version, as the evidence of its decisions says."""
        return f"{self.name}-{self.version}"

    def scores(
        self,
        draft: Draft,
        rows: Sequence[Sequence[float]] | None = None,
        wanted: Collection[int] | None = None,
    ) -> Scores:
        """What the network says of each unit.

        Args:
            draft: the letter.
            rows: of `commitments.tag.features`, if they are at hand.
            wanted: indices of the units that are asked about, if not all; of others the rows stay zero.
        """
        import numpy as np

        told = features(draft, self._cues) if rows is None else rows
        count = len(draft.units)
        found = Scores(*(np.zeros((count, 4), dtype=np.float32) for _ in range(2)))
        for window in pack(draft, self._coder, self.config.windows, wanted):
            first, last = window.scored
            units = window.units[first:last]
            if not any(draft.units[i].role in READ_ROLES for i in units):
                continue
            for of_all, of_window in zip(found, self.run(window, told), strict=True):
                of_all[units] = of_window[first:last]
        return found

    def windows(self, draft: Draft) -> Iterator[Window]:
        """The windows in which a letter is read."""
        return pack(draft, self._coder, self.config.windows)

    def run(self, window: Window, rows: Sequence[Sequence[float]]) -> list[Array]:
        """Logits of the main status and of each status, of the units of one window."""
        import numpy as np

        place = np.zeros(len(window.ids), dtype=np.int64)
        for n, (start, end) in enumerate(zip(window.starts, window.ends, strict=True)):
            place[start:end] = n + 1
        feed = {
            "ids": np.array(window.ids, dtype=np.int64),
            "place": place,
            "starts": np.array(window.starts, dtype=np.int64),
            "tails": np.array(window.tails, dtype=np.int64),
            "ends": np.array(window.ends, dtype=np.int64),
            "features": np.array([rows[i] for i in window.units], dtype=np.float32),
        }
        found: list[Array] = self._session.run(["status", "also"], feed)
        return found

    def occlude(self, draft: Draft, index: int, *, most: int = 8, runs: int = 64) -> tuple[Evidence, ...]:
        """The words that moved a unit's status: what hiding them takes from its log-odds (occlusion).

        M. Zeiler & R. Fergus, “Visualizing and Understanding Convolutional Networks”, ECCV 2014; here words
        are hidden behind the mask, one after another, while the rest of the window stays.

        Args:
            draft: the letter.
            index: of the unit.
            most: pieces of evidence.
            runs: of the network; in a longer sentence, longer stretches are hidden.

        Returns:
            Evidence for the status, and against it with negative points, strongest first; offsets are in the
            draft's text. Empty for units that are not read.
        """
        if draft.units[index].role not in READ_ROLES:
            return ()
        rows = features(draft, self._cues)
        window = next(w for w in self.windows(draft) if index in w.units[w.scored[0] : w.scored[1]])
        at = window.units.index(index)
        whole = self.probabilities(self.run(window, rows)[0])[at]
        best = int(whole.argmax())
        found = []
        for tokens, start, end in self._stretches(draft, window, at, runs):
            hidden = window._replace(ids=[MASK if n in tokens else i for n, i in enumerate(window.ids)])
            less = self.probabilities(self.run(hidden, rows)[0])[at]
            found.append((_log_odds(float(whole[best])) - _log_odds(float(less[best])), start, end))
        found.sort(key=lambda row: (-abs(row[0]), row[1]))
        return tuple(
            Evidence(
                self.name, How.OCCLUSION, STATUSES[best], round(moved, 2), start, end, draft.text[start:end]
            )
            for moved, start, end in found[:most]
            if abs(moved) >= 0.05
        )

    def _stretches(
        self, draft: Draft, window: Window, at: int, runs: int
    ) -> Iterator[tuple[range, int, int]]:
        """Tokens to hide together, and the stretch of the draft's text that they are."""
        unit = draft.units[window.units[at]]
        offsets = self._coder.encode(unit.text, add_special_tokens=False).offsets
        count = window.ends[at] - window.starts[at]
        if count != len(offsets):  # a sentence so long that its middle is not shown
            head = self.config.windows.unit // 3
            offsets = offsets[:head] + offsets[len(offsets) - (count - head) :]
        step = max(1, -(-count // runs))
        for first in range(0, count, step):
            last = min(first + step, count)
            start, end = unit.start + offsets[first][0], unit.start + offsets[last - 1][1]
            if draft.text[start:end].strip("，。、；：,.;: "):
                yield range(window.starts[at] + first, window.starts[at] + last), start, end


def _check(config: EncoderConfig, folder: Folder) -> None:
    path = folder.path / CONFIG
    if config.labels != tuple(status.value for status in STATUSES):
        raise ModelError(f"{path}: has the labels {', '.join(config.labels)}, not those of this library")
    if config.features != NAMES:
        raise ModelError(f"{path}: was made for other features than this version of the library has")
    if config.temperature <= 0:
        raise ModelError(f"{path}: temperature {config.temperature} is not positive")


def _exp(values: Any) -> Any:
    import numpy as np

    return np.exp(np.clip(values, -60, 60))


def _log_odds(share: float) -> float:
    from math import log

    share = min(max(share, 1e-6), 1 - 1e-6)
    return log(share / (1 - share))
