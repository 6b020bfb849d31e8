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
        first: the quick model.
        second: the exact one.
        threshold: confidence of the first from which its decision stands.
        name: of the tagger.
        cues: the rules, whose findings both networks see too.
    """

    def __init__(
        self,
        first: Encoder,
        second: Encoder,
        threshold: float,
        *,
        name: str = "cascade",
        cues: Cues | None = None,
    ) -> None:
        self.first, self.second, self.threshold, self.name = first, second, threshold, name
        self.version = f"{threshold:g}.{first.version}.{second.version}"
        self._cues = cues or Cues()

    @classmethod
    def load(cls, folder: Folder, *, cues: Cues | None = None, threads: int = 0) -> Cascade:
        """The cascade of a folder, which names two models that come with the library.

        Args:
            folder: of the cascade.
            cues: the rules.
            threads: of onnxruntime.

        Raises:
            ModelError: a folder is missing, changed, or not what the others expect.
        """
        config: CascadeConfig = folder.config(CascadeConfig)
        found = [models.find(name) for name in (config.first, config.second)]
        versions = [of.manifest.version for of in found]
        if versions != [config.first_version, config.second_version]:
            raise ModelError(
                f"{folder.path}: was made for {config.first}-{config.first_version} and"
                f" {config.second}-{config.second_version}, not for {versions[0]} and {versions[1]};"
                " choose its threshold again: python -m commitments.train.cascade"
            )
        rules = cues or Cues()
        first, second = (Encoder(of, cues=rules, threads=threads) for of in found)
        return cls(first, second, config.threshold, name=folder.manifest.name, cues=rules)

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
            again = self.second.decide(draft, self.second.scores(draft, rows, unsure), terms)
            for i in unsure:
                decisions[i] = again[i]
        return tuple(decisions)

    def occlude(self, draft: Draft, index: int) -> tuple[Evidence, ...]:
        """The words that moved a decision, as the model tells that made it."""
        decided = self.tag(draft)[index].evidence
        by_first = any(evidence.rule == self.first.label for evidence in decided)
        return (self.first if by_first else self.second).occlude(draft, index)
