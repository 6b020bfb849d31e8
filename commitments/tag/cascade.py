"""Two encoders, one after another: the quick one decides what it is sure of, the exact one the rest (级联).

After P. Viola & M. Jones, “Rapid Object Detection using a Boosted Cascade of Simple Features”, CVPR 2001. The
second model reads windows around the sentences that the first is not sure of; how sure it must be is chosen
on letters held back, and stands in the folder's config.
"""

from __future__ import annotations

import msgspec

from commitments import models
from commitments.draft import Decision, Draft
from commitments.errors import ModelError
from commitments.models import Folder
from commitments.reply import Evidence
from commitments.tag import READ_ROLES
from commitments.tag.cues import Cues
from commitments.tag.encoder import Encoder
from commitments.tag.features import features


class CascadeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``config.json`` of a cascade's folder.

    Attributes:
        first: name of the quick model.
        second: name of the exact model.
        threshold: confidence of the first from which its decision stands.
        first_version: of the first when the threshold was chosen.
        second_version: of the second.
    """

    first: str
    second: str
    threshold: float
    first_version: str
    second_version: str


class Cascade:
    """The tagger that asks a second model where the first is not sure.

    Args:
        folder: of the cascade; it names its two models, which come with the library.
        cues: the rules, whose findings both networks see too.
        threads: of onnxruntime.
        threshold: instead of the config's.

    Raises:
        ModelError: a folder is missing, changed, or not what the others expect.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        cues: Cues | None = None,
        threads: int = 0,
        threshold: float | None = None,
    ) -> None:
        config: CascadeConfig = folder.config(CascadeConfig)
        rules = cues or Cues()
        first = Encoder(models.find(config.first), cues=rules, threads=threads)
        second = Encoder(models.find(config.second), cues=rules, threads=threads)
        if (first.version, second.version) != (config.first_version, config.second_version):
            raise ModelError(
                f"{folder.path}: was made for {config.first}-{config.first_version} and"
                f" {config.second}-{config.second_version}, not for {first.version} and {second.version};"
                " choose its threshold again: python -m commitments.train.cascade"
            )
        self._set(first, second, config.threshold if threshold is None else threshold, rules)
        self.name = folder.manifest.name
        self.version = f"{folder.manifest.version}.{first.version}.{second.version}"

    def _set(self, first: Encoder, second: Encoder, threshold: float, cues: Cues) -> None:
        self.first, self.second, self.threshold, self._cues = first, second, threshold, cues
        self.name, self.version = "cascade", f"{threshold:g}.{first.version}.{second.version}"
        self.asked = 0
        """How many sentences the second model has decided so far."""

    @classmethod
    def of(cls, first: Encoder, second: Encoder, *, threshold: float) -> Cascade:
        """A cascade of two models that are at hand, for measuring at several thresholds."""
        made = cls.__new__(cls)
        made._set(first, second, threshold, Cues())
        return made

    def tag(self, draft: Draft) -> tuple[Decision, ...]:
        """Decide each unit; units that their role settles are `none` without being read."""
        terms = self._cues.terms(draft)
        rows = features(draft, self._cues, terms)
        decisions = list(self.first.decide(draft, self.first.scores(draft, rows), terms))
        unsure = frozenset(
            i
            for i, (unit, decision) in enumerate(zip(draft.units, decisions, strict=True))
            if unit.role in READ_ROLES and decision.confidence < self.threshold
        )
        if unsure:
            self.asked += len(unsure)
            again = self.second.decide(draft, self.second.scores(draft, rows, unsure), terms)
            for i in unsure:
                decisions[i] = again[i]
        return tuple(decisions)

    def occlude(self, draft: Draft, index: int) -> tuple[Evidence, ...]:
        """The words that moved a decision, as the model tells that made it."""
        decided = self.tag(draft)[index].evidence
        by_first = any(e.rule == f"{self.first.name}-{self.first.version}" for e in decided)
        return (self.first if by_first else self.second).occlude(draft, index)
