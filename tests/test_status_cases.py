"""Status by cases: each hard case of the annotation guideline, and the traps that published letters hold.

A case is a short letter with the sentences that it is about and the status that each must get. All are
written for these tests, none is quoted. Cases that the rules get wrong stay, as ``known_failures``: they tell
the limits.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import origins

import commitments
from commitments.pipeline import Pipeline
from commitments.terms import Status

CASES = origins.load("status")


def wrong(nlp: Pipeline, case: dict[str, Any], *, also: bool = True) -> list[str]:
    """What a pipeline gets wrong in a case, in words."""
    found = {s.text: s for s in nlp(case["text"]).sentences}
    out = []
    for expected in case["expect"]:
        sentence = found.get(expected["sentence"])
        if sentence is None:
            out.append(f"{expected['sentence']!r} is no sentence of its own")
        elif sentence.status != expected["status"]:
            out.append(f"{sentence.text!r} is {sentence.status}, not {expected['status']}")
        elif also and "also" in expected and {*sentence.also} != {*expected["also"]}:
            out.append(f"{sentence.text!r} is also {sentence.also}, not {expected['also']}")
    return out


def test_cases_are_complete() -> None:
    assert {c["origin"] for c in CASES} == origins.ORIGINS
    assert {str(n) for n in range(1, 33)} <= {c["case"] for c in CASES}
    assert min(Counter(e["status"] for c in CASES for e in c["expect"])[s.value] for s in Status) >= 20
    for case in CASES:
        assert case["source"]
        assert case["comment"]
        assert case["expect"]
        assert all(e["sentence"] in case["text"] for e in case["expect"])


@origins.parametrize(CASES)
def test_case(nlp: Pipeline, case: dict[str, Any]) -> None:
    assert wrong(nlp, case) == []


def test_rules_pass_more_cases_than_keywords(nlp: Pipeline) -> None:
    passed = {
        model: sum(not wrong(pipeline, case, also=False) for case in CASES)
        for model, pipeline in (
            ("cues", nlp),
            ("keywords", commitments.load("keywords")),
            ("majority", commitments.load("majority")),
        )
    }
    assert passed["cues"] > passed["keywords"] > passed["majority"]
