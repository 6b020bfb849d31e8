"""The user's letter as the library reads it, kept as a file, so that any change of behaviour shows in a diff.

What stands in the file is what the library does, not what is right: that is in the gold. After a change that
is meant, write it anew with `pytest tests/test_seed.py --update-golden`, and read the diff before committing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import commitments
from commitments.reply import Reply

GOLDEN = Path(__file__).parent / "golden" / "seed.txt"
SEED = Path(__file__).parent.parent / "seeds" / "yangpu-2023-C-064.txt"


def dump(reply: Reply) -> Iterator[str]:
    """One line for each field, ask, section and sentence of a reply."""
    for name in ("kind", "agency", "date", "recipient", "title", "doc_number", "result_code", "publicity"):
        yield f"{name}: {getattr(reply, name)}"
    for ask in reply.asks:
        yield f"{ask.id} ({ask.origin}): {ask.text}"
    for section in reply.sections:
        indent = "  " * section.level
        yield f"section {section.index}{indent}{section.title} {' '.join(section.asks)}".rstrip()
    yield ""
    for number, s in enumerate(reply.sentences, 1):
        status = "+".join((s.status.value, *(also.value for also in s.also)))
        rules = " ".join(evidence.rule for evidence in s.evidence)
        section = "-" if s.section is None else s.section
        text = " ".join((s.clean or s.text).split())
        yield f"{number:2} {status} [{' '.join(s.asks)}] {s.role}/{section} ({rules}) {text}"


def test_seed_letter_is_read_as_before(pytestconfig: pytest.Config) -> None:
    reply = commitments.load("cues")(commitments.read(SEED))
    now = "\n".join(dump(reply)) + "\n"
    if pytestconfig.getoption("--update-golden"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(now, encoding="utf-8")
    assert now.splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_seed_letter_keeps_its_offsets_and_covers_its_text() -> None:
    source = commitments.read(SEED)
    reply = commitments.load("cues")(source)
    assert reply.text == source.text
    at = 0
    for s in reply.sentences:
        assert reply.text[s.start : s.end] == s.text
        assert not reply.text[at : s.start].strip()
        at = s.end
    assert not reply.text[at:].strip()
    assert Reply.from_json(reply.to_json()) == reply
