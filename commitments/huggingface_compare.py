"""How near torch comes to the graph that onnxruntime runs, and what reading lone sentences costs.

``python -m commitments.huggingface --compare base seeds/letters/dev.jsonl`` prints what `compare` returns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from commitments import models
from commitments.corpus import GoldDocument
from commitments.draft import Decision, Draft
from commitments.errors import MissingExtra, SchemaError

try:
    import numpy as np
    import torch
    import transformers
except ImportError as error:
    raise MissingExtra("The bridge to transformers", "transformers") from error

from commitments.huggingface import TorchEncoder, from_folder, sentence_classifier
from commitments.metrics import judged
from commitments.pipeline import Pipeline
from commitments.tag import READ_ROLES, Tagger
from commitments.tag.cues import by_role
from commitments.tag.encoder import GRAPH, Encoder
from commitments.terms import Status
from commitments.train import export


class _Alone:
    """The tagger that asks a model of single sentences."""

    name, version = "alone", "1"

    def __init__(self, folder: Path) -> None:
        self._classify: Any = transformers.pipeline("text-classification", model=str(folder))

    def tag(self, draft: Draft) -> tuple[Decision, ...]:
        """Decide each unit by its words alone."""
        read = [unit.text for unit in draft.units if unit.role in READ_ROLES]
        found = iter(self._classify(read) if read else ())
        decisions = []
        for unit in draft.units:
            if unit.role in READ_ROLES:
                one = next(found)
                decisions.append(Decision(Status.of(one["label"]), confidence=one["score"]))
            else:
                decisions.append(by_role(unit))
        return tuple(decisions)


def compare(name: str | Path, documents: Sequence[GoldDocument]) -> dict[str, Any]:
    """Measure how near torch comes to onnxruntime, and what reading sentences one by one costs.

    Args:
        name: as for `commitments.huggingface.from_folder`.
        documents: gold letters.

    Returns:
        ``float``: torch against the same weights as a graph of 32 bits; ``eight_bits``: against the graph of
        the folder, whose activations are quantized as it runs. Both over the sentences that are read for a
        status: the share with the same status, and differences of probabilities. ``right``: the share of
        these that have the gold status, by the folder's graph, by torch, and one by one.

    Raises:
        ModelError: as for `commitments.huggingface.from_folder`.
        SchemaError: there is no letter.

    >>> from commitments import corpus
    >>> told = compare("fast", corpus.load("seeds/letters/dev.jsonl")[:2])
    >>> told["float"]["same_status"], told["float"]["max"] < 1e-3
    (1.0, True)
    """
    if not documents:
        raise SchemaError("there is no letter to compare on")
    loaded, folder = from_folder(name), models.find(name)
    own = TorchEncoder(*loaded)
    graphs = {"eight_bits": Encoder(folder)}
    with tempfile.TemporaryDirectory() as out:
        files = {file: folder.read(file) for file in folder.manifest.files if file != GRAPH}
        files[GRAPH] = export.graph(loaded.model.classifier).SerializeToString()
        graphs["float"] = Encoder(models.write(Path(out, "float"), "float", "encoder", files))
        alone = _Alone(sentence_classifier(name, Path(out, "alone")))
    told: dict[str, Any] = {
        "model": f"{folder.manifest.name}-{folder.manifest.version}",
        "letters": len(documents),
        "transformers": transformers.__version__,
        "torch": str(torch.__version__),
    }
    here = _probabilities(own, documents)
    told["sentences"] = len(here)
    for what, graph in graphs.items():
        there = _probabilities(graph, documents)
        apart, same = np.abs(here - there), here.argmax(1) == there.argmax(1)
        told[what] = {
            "same_status": round(float(same.mean()), 6),
            "max": float(f"{apart.max():.3g}"),
            "mean": float(f"{apart.mean():.3g}"),
        }
    taggers: dict[str, Tagger] = {"eight_bits": graphs["eight_bits"], "torch": own, "alone": alone}
    told["right"] = {what: _right(tagger, documents) for what, tagger in taggers.items()}
    return told


def _probabilities(tagger: Encoder, documents: Sequence[GoldDocument]) -> Any:
    """Shares of the statuses, a row for each sentence that is read."""
    nlp, parts = Pipeline(tagger), []
    for document in documents:
        asks = [ask.text for ask in document.asks]
        _, draft = nlp.draft(document.text, suggestion=asks or None, date=document.day)
        read = [i for i, unit in enumerate(draft.units) if unit.role in READ_ROLES]
        parts.append(tagger.probabilities(tagger.scores(draft).status)[read])
    return np.concatenate(parts)


def _right(tagger: Tagger, documents: Sequence[GoldDocument]) -> float:
    nlp, found = Pipeline(tagger), []
    for document in documents:
        asks = [ask.text for ask in document.asks]
        reply = nlp(document.text, suggestion=asks or None, date=document.day)
        found += [right for _, right in judged(document, reply)]
    return round(sum(found) / max(1, len(found)), 4)
