"""Fit the points of the cues on gold letters: ``python -m commitments.train.points GOLD.jsonl…``.

A multinomial logistic regression (scikit-learn) over the terms that `commitments.tag.cues` sums, rounded to
whole points. Each term has one weight shared by both registers and one deviation for each, shrunk harder, so
that a row seldom found in one register borrows from the other (partial pooling). Classes are weighted by the
square root of their inverse frequency, since macro-F1 counts them alike. Everything is deterministic.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from commitments import corpus, lexicon
from commitments.errors import CommitmentsError, MissingExtra, SchemaError
from commitments.pipeline import Pipeline, load
from commitments.tag import READ_ROLES
from commitments.tag.cues import LETTER, MESSAGE, STATUSES, Cues, register
from commitments.terms import Status

SCALE = 10.0
"""Points of one unit of log-odds: fine enough that rounding changes next to nothing."""

SHRINK = 0.5
"""Inverse strength of the L2 penalty, chosen by cross-validation over training documents and on gold letters
kept for choosing; between 0.3 and 1 it makes no difference that could be told from noise."""

DEVIATION = 0.7
"""How freely a register's points may leave the shared ones, chosen likewise."""


class Example(NamedTuple):
    """One unit of a training letter: the document, its register, its terms and its gold status."""

    document: str
    register: str
    terms: dict[str, float]
    status: Status


def examples(documents: Iterable[corpus.GoldDocument], pipeline: Pipeline) -> list[Example]:
    """Read gold letters as the pipeline reads them, and give each unit that is read its gold status."""
    tagger = pipeline.tagger
    if not isinstance(tagger, Cues):
        raise TypeError(f"points are fitted for the cues tagger, not for {tagger.name}")
    out = []
    for document in documents:
        cleaned, draft = pipeline.draft(
            document.text, suggestion=[ask.text for ask in document.asks], date=document.day
        )
        for unit, terms in zip(draft.units, tagger.terms(draft), strict=True):
            if unit.role not in READ_ROLES:
                continue
            start, end = cleaned.offsets.to_source(unit.start, unit.end)
            gold = max(document.units, key=lambda u: min(u.end, end) - max(u.start, start))
            weights: dict[str, float] = {}
            for term in terms:
                weights[term.key] = max(term.weight, weights.get(term.key, 0.0))
            out.append(Example(document.id, register(draft), weights, gold.label))
    return out


def fit(data: Sequence[Example]) -> dict[str, dict[str, list[int]]]:
    """Points for each register and key, in the order of `commitments.tag.cues.STATUSES`.

    Raises:
        MissingExtra: scikit-learn is not installed.
        SchemaError: a status is never seen.
    """
    try:
        import numpy as np
        from sklearn.feature_extraction import DictVectorizer
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise MissingExtra("Fitting the points", "train") from None
    if lacking := [status.value for status in STATUSES if status not in {e.status for e in data}]:
        raise SchemaError(
            f"no unit of the gold letters is labelled {' or '.join(lacking)}; give more letters"
        )
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform([_pooled(e.terms, e.register) for e in data])
    wanted = np.array([STATUSES.index(e.status) for e in data])
    counts = np.bincount(wanted, minlength=len(STATUSES))
    weights = {i: float((len(wanted) / (len(STATUSES) * n)) ** 0.5) for i, n in enumerate(counts)}
    model = LogisticRegression(C=SHRINK, max_iter=1000, class_weight=weights)
    model.fit(matrix, wanted)
    place: dict[str, int] = vectorizer.vocabulary_
    points: dict[str, dict[str, list[int]]] = {}
    for name in (LETTER, MESSAGE):
        rows: dict[str, list[int]] = {}
        for key in sorted(k for k in place if "@" not in k):
            shared = model.coef_[:, place[key]]
            own = place.get(f"{key}@{name}")
            total = shared + (DEVIATION * model.coef_[:, own] if own is not None else 0.0)
            if key == "K001":
                total = total + model.intercept_
            rows[key] = [round(float(w) * SCALE) for w in total]
        points[name] = rows
    return points


def _pooled(terms: dict[str, float], name: str) -> dict[str, float]:
    return {**terms, **{f"{key}@{name}": DEVIATION * weight for key, weight in terms.items()}}


def write(points: dict[str, dict[str, list[int]]], sources: Sequence[Path], count: int) -> Path:
    """Write ``points.toml`` with what it was fitted on.

    Returns:
        Its path.
    """
    path = Path(lexicon.__file__).with_name("points.toml")
    rows = path.with_name("cues.toml").read_bytes()
    lines = [
        "# The points of the cues. Written by `python -m commitments.train.points`; do not edit by hand.",
        "# Each row: points for completed, ongoing, pledge, none. A key is a cue's id; with `>` it is",
        "# inherited from a lead, with `^` from a heading; K rows are traits (see the foot of cues.toml).",
        "",
    ]
    body = [f"scale = {SCALE}", f"units = {count}", "", "[fitted_on]"]
    body += [f'"{p.name}" = "sha256:{hashlib.sha256(p.read_bytes()).hexdigest()[:16]}"' for p in sources]
    for name, table in points.items():
        body += ["", f"[points.{name}]"]
        body += [f'"{key}" = {values}' for key, values in table.items() if any(values)]
    digest = hashlib.sha256(rows + "\n".join(body).encode()).hexdigest()[:8]
    path.write_text("\n".join([*lines, f'version = "{digest}"', *body, ""]), encoding="utf-8")
    lexicon.table.cache_clear()
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Fit and write the points."""
    parser = argparse.ArgumentParser(
        prog="python -m commitments.train.points", description="Fit the points of the cues on gold letters."
    )
    parser.add_argument("gold", nargs="+", type=Path, help="gold JSONL to fit on")
    given = parser.parse_args(argv)
    try:
        pipeline = load("cues")
        data = [e for path in given.gold for e in examples(corpus.load(path), pipeline)]
        path = write(fit(data), given.gold, len(data))
    except CommitmentsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path}: fitted on {len(data)} units")
    return 0


if __name__ == "__main__":
    sys.exit(main())
