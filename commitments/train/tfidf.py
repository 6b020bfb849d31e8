"""The baseline that a researcher trains in an afternoon: character n-grams and logistic regression.

It sees a sentence, and a little of the ones before and after it; no headings, no cues. Good models are in
`commitments.train.run`; baselines that need no training are in `commitments.tag.baselines`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from commitments.corpus import GoldDocument
from commitments.draft import Decision, Draft
from commitments.errors import MissingExtra, SchemaError
from commitments.reply import Evidence
from commitments.tag import READ_ROLES
from commitments.tag.cues import by_role
from commitments.terms import How, Status


class Tfidf:
    """Character TF-IDF and logistic regression (词频逆文档频率与逻辑回归).

    Args:
        documents: gold letters to be fitted on.

    Raises:
        MissingExtra: scikit-learn is not installed.
        SchemaError: the letters show fewer than two statuses.
    """

    name = "tfidf"

    def __init__(self, documents: Iterable[GoldDocument]) -> None:
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer
            from sklearn.linear_model import LogisticRegression
            from sklearn.pipeline import FeatureUnion
        except ImportError:
            raise MissingExtra("The baseline tfidf", "train") from None
        from commitments.pipeline import load
        from commitments.train.examples import gold_units

        cues = load("cues")
        rows, labels = [], []
        digest = hashlib.sha256()
        for document in documents:
            draft, units = gold_units(document, cues)
            digest.update(document.id.encode() + b"\0")
            for i, unit in enumerate(draft.units):
                own = units[i]
                if unit.role in READ_ROLES:
                    rows.append(_seen(draft, i))
                    labels.append((own.label if own is not None else Status.NONE).value)
        if len(set(labels)) < 2:
            raise SchemaError("the letters to be fitted on show fewer than two statuses; give more")
        self.version = digest.hexdigest()[:8]
        parts: list[tuple[str, Any]] = []
        for n, name in enumerate(("own", "around")):
            grams = (1, 3) if n == 0 else (1, 2)
            parts.append((name, TfidfVectorizer(analyzer=_Grams(n, grams), min_df=2, sublinear_tf=True)))
        self._vectors = FeatureUnion(parts, transformer_weights={"own": 1.0, "around": 0.4})
        self._model = LogisticRegression(C=10.0, max_iter=1000, class_weight="balanced")
        self._model.fit(self._vectors.fit_transform(rows), labels)

    def tag(self, draft: Draft) -> tuple[Decision, ...]:
        """The likeliest status of each unit that is read."""
        read = [i for i, unit in enumerate(draft.units) if unit.role in READ_ROLES]
        found = [by_role(unit) for unit in draft.units]
        if read:
            shares = self._model.predict_proba(self._vectors.transform([_seen(draft, i) for i in read]))
            for i, row in zip(read, shares, strict=True):
                best = int(row.argmax())
                status = next(s for s in Status if s.value == self._model.classes_[best])
                evidence = (Evidence(self.name, How.MODEL, status, round(float(row[best]), 4)),)
                found[i] = Decision(status, (), float(row[best]), evidence)
        return tuple(found)


class _Grams:
    """Character n-grams of one part of what is seen."""

    def __init__(self, part: int, sizes: tuple[int, int]) -> None:
        self.part, self.sizes = part, sizes

    def __call__(self, seen: tuple[str, str]) -> list[str]:
        text = seen[self.part]
        low, high = self.sizes
        return [text[i : i + n] for n in range(low, high + 1) for i in range(len(text) - n + 1)]


def _seen(draft: Draft, index: int) -> tuple[str, str]:
    """A unit's text, and what stands around it."""
    before = draft.units[index - 1].text[-40:] if index else ""
    after = draft.units[index + 1].text[:20] if index + 1 < len(draft.units) else ""
    return draft.units[index].text, f"{before}|{after}"
