"""Fits the weights that decide which candidates of the actor and quantity grammars are kept.

``python -m commitments.train.attributes`` writes ``lexicon/weights.toml`` anew. The candidates and their
features are those of `commitments.attributes.actor` and `commitments.attributes.quantity`; a candidate is
right when it shares a character with a gold span of its kind. The model is a logistic regression
(scikit-learn); its strength of regularisation and the threshold are chosen by cross-validation over letters,
on the letters learnt from alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from commitments import attribute_metrics, corpus, lexicon
from commitments.attributes import actor, deadline, quantity
from commitments.attributes.weights import REGISTERS
from commitments.clean import clean
from commitments.terms import Status

KINDS = ("actor", "quantity")
_STRENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6)
_FOLDS = 6
_LEAST = 3
"""How many letters must show a feature for it to be learnt: names of places are none that carry over."""
_ROUND = 2


class Candidate(msgspec.Struct, frozen=True):
    """A candidate with what was learnt of it.

    Attributes:
        letter: id.
        features: of the candidate, each also with its register before it.
        right: whether gold has it.
        register: of the letter.
        weight: in the loss.
    """

    letter: str
    features: frozenset[str]
    right: bool
    register: str = "letter"
    weight: float = 1.0


class Source(msgspec.Struct, frozen=True):
    """Gold letters to fit on.

    Attributes:
        gold: of letters.
        attributes: a file of their attributes; ``None`` where the spans stand in the letters.
        register: of its letters.
        weight: of its candidates in the loss.
    """

    gold: str
    attributes: str | None = None
    register: str = "letter"
    weight: float = 1.0


def candidates(sources: Iterable[Source], kind: str) -> tuple[list[Candidate], dict[str, int]]:
    """All candidates of one kind, and how many gold spans no candidate reaches, by register."""
    out: list[Candidate] = []
    missed: dict[str, int] = {}
    for source in sources:
        known = attribute_metrics.load(source.attributes) if source.attributes else None
        for document in corpus.load(source.gold):
            if known is not None and document.id not in known:
                continue
            if known is None and not any(unit.spans for unit in document.units):
                continue
            spans = known[document.id] if known is not None else [s for u in document.units for s in u.spans]
            wanted = [(s.start, s.end) for s in spans if s.kind == kind]
            for unit in document.units:
                statuses = frozenset({unit.label, *unit.also})
                if statuses == {Status.NONE}:
                    continue
                text = _folded(document.text[unit.start : unit.end])
                gold = [(s - unit.start, e - unit.start) for s, e in wanted if unit.start <= s < unit.end]
                found = _found(kind, text, statuses, document)
                for start, end, features in found:
                    right = any(start < high and low < end for low, high in gold)
                    every = frozenset([*features, *(f"{source.register}:{f}" for f in features)])
                    out.append(Candidate(document.id, every, right, source.register, source.weight))
                lost = sum(not any(s < high and low < e for s, e, _ in found) for low, high in gold)
                missed[source.register] = missed.get(source.register, 0) + lost
    return out, missed


def _folded(text: str) -> str:
    """As the pipeline's cleaning folds it, where that keeps the length; else as it is."""
    folded = clean(text).match
    return folded if len(folded) == len(text) else text


def _found(
    kind: str, text: str, statuses: frozenset[Status], document: corpus.GoldDocument
) -> list[tuple[int, int, list[str]]]:
    if kind == "actor":
        return [(b.start, b.end, features) for b, _, features in actor.candidates(text, statuses)]
    times, _ = deadline.find(text, statuses, document.day)
    taken = [(x.start, x.end) for x in times]
    return [(x.start, x.end, features) for x, features in quantity.candidates(text, statuses, taken)]


class Fitted(msgspec.Struct, frozen=True):
    """A table of weights, and the F1 of candidates that cross-validation expects of it."""

    bias: float
    thresholds: dict[str, float]
    weights: dict[str, float]
    f1: dict[str, float]
    strength: float


def fit(rows: Sequence[Candidate], missed: dict[str, int]) -> Fitted:
    """Fit one kind.

    Args:
        rows: candidates.
        missed: gold spans that no candidate reaches: they count against every choice alike.
    """
    seen: dict[str, set[str]] = {}
    for row in rows:
        for feature in row.features:
            seen.setdefault(feature, set()).add(row.letter)
    kept = {feature for feature, letters in seen.items() if len(letters) >= _LEAST}
    vectorizer = DictVectorizer()
    table = vectorizer.fit_transform([dict.fromkeys(sorted(row.features & kept), 1.0) for row in rows])
    table.indices, table.indptr = table.indices.astype(np.int32), table.indptr.astype(np.int32)
    right = np.array([row.right for row in rows])
    weight = np.array([row.weight for row in rows])
    groups = np.array([row.letter for row in rows])
    registers = np.array([row.register for row in rows])
    best: tuple[float, float, dict[str, tuple[float, float]]] = (-1.0, 0.0, {})
    for strength in _STRENGTHS:
        shares = np.zeros(len(rows))
        for learnt, held in GroupKFold(_FOLDS).split(table, right, groups):
            model = _model(strength).fit(table[learnt], right[learnt], sample_weight=weight[learnt])
            shares[held] = model.predict_proba(table[held])[:, 1]
        of = {
            name: max(
                (_f1((shares >= t)[registers == name], right[registers == name], missed.get(name, 0)), -t)
                for t in np.arange(0.1, 0.71, 0.05).tolist()
            )
            for name in sorted(set(registers.tolist()))
        }
        mean = sum(f1 for f1, _ in of.values()) / len(of)
        if mean > best[0]:
            best = (mean, strength, of)
    _, strength, of = best
    model = _model(strength).fit(table, right, sample_weight=weight)
    weights = {
        name: round(float(value), _ROUND)
        for name, value in zip(vectorizer.feature_names_, model.coef_[0], strict=True)
        if abs(value) >= 0.05
    }
    thresholds = {name: round(-t, 2) for name, (_, t) in of.items()}
    for name in REGISTERS:  # one that was not learnt is read as the other
        thresholds.setdefault(name, next(iter(thresholds.values())))
    f1 = {name: f1 for name, (f1, _) in of.items()}
    return Fitted(round(float(model.intercept_[0]), _ROUND), thresholds, weights, f1, strength)


def _model(strength: float) -> Any:
    return LogisticRegression(C=strength, max_iter=2000, solver="liblinear", random_state=1)


def _f1(kept: Any, right: Any, missed: int) -> float:
    return 2 * float((kept & right).sum()) / max(1.0, float(kept.sum() + right.sum()) + missed)


def write(fitted: dict[str, Fitted], path: Path) -> None:
    """Write the table, with what cross-validation expects of it."""
    lines = [
        "# Weights by which candidates of the actor and quantity grammars are kept; see",
        "# `commitments.attributes.weights`.",
        "# Fitted by `python -m commitments.train.attributes`: do not edit by hand.",
    ]
    for kind, of in fitted.items():
        lines += [
            "",
            f"# F1 of candidates, cross-validated over letters: {_told(of.f1)} (C = {of.strength})",
            f"[{kind}]",
            f"bias = {of.bias}",
            "# Thresholds, by register:",
            *(f"{name} = {value}" for name, value in sorted(of.thresholds.items())),
            "",
            f"[{kind}.weight]",
            *(f"{_quoted(name)} = {value}" for name, value in sorted(of.weights.items())),
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _told(f1: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in sorted(f1.items()))


def _quoted(name: str) -> str:
    return msgspec.json.encode(name).decode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit both tables and write them."""
    parser = argparse.ArgumentParser(prog="python -m commitments.train.attributes", description=main.__doc__)
    parser.add_argument("--letters", default="seeds/letters/train.jsonl", help="gold letters with spans")
    parser.add_argument(
        "--replies", nargs=2, metavar=("GOLD", "ATTRIBUTES"), help="further gold, with its spans"
    )
    parser.add_argument("--weight", type=float, default=1.0, help="of the further gold in the loss")
    parser.add_argument("-o", "--output", type=Path, default=Path(lexicon.__file__).with_name("weights.toml"))
    given = parser.parse_args(arguments)
    sources = [Source(given.letters)]
    if given.replies:
        sources.append(Source(given.replies[0], given.replies[1], "message", given.weight))
    fitted = {}
    for kind in KINDS:
        rows, missed = candidates(sources, kind)
        fitted[kind] = fit(rows, missed)
        print(
            f"{kind}: {len(rows):,} candidates, F1 {_told(fitted[kind].f1)}, "
            f"{len(fitted[kind].weights):,} weights"
        )
    write(fitted, given.output)


if __name__ == "__main__":
    main()
