"""How well later sentences are matched with earlier pledges, against pairs made by hand.

A pairs file is JSONL, one pledge a line: ``{"earlier": ID, "later": ID, "pledge": N, "answers": [{"unit": N,
"relation": …}]}``. N is the index of a gold unit; an empty list says that the later letter does not speak of
the pledge. ``python -m commitments.followup_metrics PAIRS LETTERS…`` prints the figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

import commitments
from commitments import corpus, metrics
from commitments.attribute_metrics import gold_reply
from commitments.corpus import GoldDocument
from commitments.errors import SchemaError
from commitments.evaluate import read
from commitments.followup import FollowupConfig, Relation, followup
from commitments.pipeline import Pipeline
from commitments.reply import Reply


class Answer(msgspec.Struct, frozen=True):
    """A later unit that speaks of a pledge."""

    unit: int
    relation: Relation


class Pair(msgspec.Struct, frozen=True):
    """An earlier pledge, and every later unit that speaks of it."""

    earlier: str
    later: str
    pledge: int
    answers: tuple[Answer, ...] = ()


class Figures(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        pledges: gold pledges.
        answered: those of which the later letter speaks.
        recall: answered pledges with a right candidate ÷ answered pledges.
        precision: pledges whose best candidate is right ÷ pledges with a candidate.
        silence: pledges of which nothing is said, and for which nothing is proposed ÷ these pledges.
        relation: right relation, of right candidates.
        outcome: outcome right ÷ pledges; any of gold's relations is right, and nothing where gold has none.
    """

    pledges: int
    answered: int
    recall: float
    precision: float
    silence: float
    relation: float
    outcome: float


def load(path: str | Path) -> list[Pair]:
    """Read a pairs file.

    Raises:
        SchemaError: it cannot be read or a line is wrong; the message names file and line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path}: cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=Pair))
        except msgspec.MsgspecError as error:
            raise SchemaError(f"{path}:{number}: {error}") from error
    return found


def measure(
    pairs: Sequence[Pair],
    documents: Mapping[str, GoldDocument],
    nlp: Pipeline,
    *,
    statuses: Literal["model", "gold"] = "model",
    config: FollowupConfig = FollowupConfig(),  # noqa: B008
) -> Figures:
    """Compare what is proposed with pairs made by hand.

    Args:
        pairs: gold.
        documents: gold letters by id.
        nlp: what reads them.
        statuses: its own, or gold's.
        config: of the matching.
    """
    reader = gold_reply if statuses == "gold" else read
    names = {name for pair in pairs for name in (pair.earlier, pair.later)}
    replies = {name: reader(nlp, documents[name]) for name in sorted(names)}
    tracked = {}
    for earlier, later in sorted({(p.earlier, p.later) for p in pairs}):
        for found in followup(replies[earlier], replies[later], config).pledges:
            tracked[earlier, later, found.pledge.sentence] = found
    hits = proposed = right = silent = quiet = related = good = outcomes = 0
    for pair in pairs:
        units = _units(documents[pair.earlier], replies[pair.earlier])
        found_now = tracked.get((pair.earlier, pair.later, units.get(pair.pledge, -1)))
        candidates = found_now.candidates if found_now else ()
        sentences = _units(documents[pair.later], replies[pair.later])
        gold = {sentences[a.unit]: a.relation for a in pair.answers if a.unit in sentences}
        matched = [c for c in candidates if c.place.sentence in gold]
        proposed += bool(candidates)
        right += bool(candidates) and candidates[0].place.sentence in gold
        hits += bool(matched)
        related += len(matched)
        good += sum(c.relation is gold[c.place.sentence] for c in matched)
        outcome = found_now.outcome if found_now else None
        relations = {a.relation for a in pair.answers}
        outcomes += outcome in relations if relations else outcome is None
        if not pair.answers:
            quiet += 1
            silent += not candidates
    answered = sum(bool(pair.answers) for pair in pairs)
    return Figures(
        pledges=len(pairs),
        answered=answered,
        recall=hits / max(1, answered),
        precision=right / max(1, proposed),
        silence=silent / max(1, quiet),
        relation=good / max(1, related),
        outcome=outcomes / max(1, len(pairs)),
    )


def _units(document: GoldDocument, reply: Reply) -> dict[int, int]:
    """The sentence that holds most of each gold unit."""
    found = metrics.align(
        [(u.start, u.end) for u in document.units], [(s.start, s.end) for s in reply.sentences]
    )
    return {i: j for i, j in enumerate(found) if j is not None}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how well pledges are followed."""
    parser = argparse.ArgumentParser(prog="python -m commitments.followup_metrics", description=main.__doc__)
    parser.add_argument("pairs", type=Path, help="gold pairs")
    parser.add_argument("letters", type=Path, nargs="+", help="gold letters")
    parser.add_argument("--model", default="base", help="that reads the letters (%(default)s)")
    parser.add_argument("--gold-statuses", action="store_true", help="take the statuses from gold")
    given = parser.parse_args(arguments)
    documents = {d.id: d for path in given.letters for d in corpus.load(path)}
    told = measure(
        load(given.pairs),
        documents,
        commitments.load(given.model),
        statuses="gold" if given.gold_statuses else "model",
    )
    for name, value in msgspec.structs.asdict(told).items():
        print(f"{name:10} {value if isinstance(value, int) else f'{value:.3f}'}")


if __name__ == "__main__":
    main()
