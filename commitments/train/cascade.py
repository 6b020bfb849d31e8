"""The cascade's folder: which two models, and how sure the first must be.

``python -m commitments.train.cascade GOLD… --out models/cascade`` chooses the threshold on letters held back.
How a cascade runs is in `commitments.tag.cascade`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from commitments import corpus, evaluate, metrics, models
from commitments.corpus import GoldDocument
from commitments.errors import CommitmentsError
from commitments.pipeline import Pipeline
from commitments.tag.cascade import Cascade, CascadeConfig
from commitments.tag.encoder import Encoder

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)


def choose(
    documents: Iterable[GoldDocument],
    first: Encoder,
    second: Encoder,
    *,
    lose: float = 0.003,
    thresholds: Sequence[float] = THRESHOLDS,
) -> tuple[float, float, float]:
    """The lowest threshold that loses next to nothing against the second model alone.

    Args:
        documents: letters held back.
        first: the quick model.
        second: the exact one.
        lose: macro-F1 that may be lost.
        thresholds: to choose from.

    Returns:
        The threshold (above 1 when none does), its macro-F1, and its time as a share of the second model's.
    """
    gold = list(documents)
    whole, most = _run(gold, Pipeline(second))
    for threshold in sorted(thresholds):
        score, seconds = _run(gold, Pipeline(Cascade(first, second, threshold)))
        if score >= whole - lose:
            return threshold, score, seconds / most
    return 1.01, whole, 1.0


def _run(gold: Sequence[GoldDocument], nlp: Pipeline) -> tuple[float, float]:
    """Macro-F1 and seconds of a pipeline."""
    replies, seconds = evaluate.timed(nlp, gold)
    counts = metrics.total(
        metrics.count(document, reply) for document, reply in zip(gold, replies, strict=True)
    )
    return metrics.figures(counts)["macro_f1"] or 0.0, seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Choose the threshold and write the folder."""
    parser = argparse.ArgumentParser(prog="python -m commitments.train.cascade", description=main.__doc__)
    parser.add_argument("gold", nargs="+", type=Path, help="gold JSONL held back, to choose on")
    parser.add_argument("--first", default="fast", help="the quick model (%(default)s)")
    parser.add_argument("--second", default="base", help="the exact model (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    given = parser.parse_args(argv)
    try:
        first, second = (Encoder(models.find(name)) for name in (given.first, given.second))
        documents = [document for path in given.gold for document in corpus.load(path)]
        threshold, score, share = choose(documents, first, second)
        print(
            f"threshold {threshold:g}: macro-F1 {score:.3f}, {share:.2f} of the time of {given.second} alone"
        )
        config = CascadeConfig(given.first, given.second, threshold, first.version, second.version)
        data = msgspec.json.format(msgspec.json.encode(config), indent=1) + b"\n"
        models.write(given.out, given.out.name, "cascade", {models.CONFIG: data})
    except CommitmentsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
