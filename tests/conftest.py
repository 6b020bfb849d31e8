"""What several test modules share: letters, the pipeline, the place of data that is not in the repository."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from commitments.reply import Ask, Evidence, Link, Reply, Section, Sentence, Span
from commitments.terms import AskOrigin, How, Kind, Role, Status

if TYPE_CHECKING:
    from commitments.pipeline import Pipeline

ROOT = Path(__file__).parent.parent
# How long an example takes depends on the machine; speed is measured elsewhere.
settings.register_profile("commitments", deadline=None)
settings.load_profile("commitments")

SEED = ROOT / "seeds" / "yangpu-2023-C-064.txt"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write tests/golden anew from what the code does now; then read the diff",
    )


@pytest.fixture(scope="session")
def seed_text() -> str:
    """The user's letter, as the file has it."""
    return SEED.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of letters that may not be published: COMMITMENTS_SHARED, or ../shared by the checkout."""
    path = Path(os.environ.get("COMMITMENTS_SHARED") or ROOT.parent / "shared")
    if not path.is_dir():
        pytest.skip(f"the unpublished letters are not here: no folder {path} (set COMMITMENTS_SHARED)")
    return path


@pytest.fixture(scope="session")
def nlp() -> Pipeline:
    """The rules, loaded once."""
    import commitments

    return commitments.load("cues")


@pytest.fixture
def reply() -> Reply:
    """A small reply made by hand, with something in every field."""
    text = "一、关于建公园的建议\n我局已建成公园\n3个。下一步，将继续建设，力争明年再建2个。"
    one, two = text.index("我局"), text.index("下一步")
    heading = Sentence(0, one - 1, text[: one - 1], role=Role.HEADING, section=0, confidence=1.0, by="hand 1")
    done = Sentence(
        one,
        two,
        text[one:two],
        status=Status.COMPLETED,
        confidence=0.9,
        evidence=(Evidence("C001", How.CUE, Status.COMPLETED, 3.0, one + 2, one + 3, "已"),),
        by="hand 1",
        link=Link(("S1",), "section", "stands under 关于建公园的建议", 0.9),
        section=0,
        clean="我局已建成公园3个。",
    )
    pledge = Sentence(
        two,
        len(text),
        text[two:],
        status=Status.PLEDGE,
        also=(Status.ONGOING,),
        confidence=0.75,
        evidence=(
            Evidence("P001", How.CUE, Status.PLEDGE, 4.0, two, two + 3, "下一步"),
            Evidence("X001", How.DEFAULT, Status.NONE, 0.5),
        ),
        by="hand 1",
        link=Link(("*",), "closing", "a closing part with no content match", 0.3),
        section=0,
        clean=text[two:],
    )
    return Reply(
        text=text,
        sentences=(heading, done, pledge),
        asks=(
            Ask("S1", "关于建公园的建议", AskOrigin.HEADING, (Span(2, 10, text[2:10]),)),
            Ask("S2", "加强养护"),
        ),
        sections=(Section(0, "关于建公园的建议", 1, 0, len(text), None, ("S1",)),),
        name="letter.txt",
        kind=Kind.SUGGESTION,
        agency="某市园林局",
        date=datetime.date(2023, 6, 12),
        recipient="李某代表",
        title="关于建公园的建议",
        doc_number="园函〔2023〕1号",
        result_code="A",
        publicity="主动公开",
        fields={"title": Span(2, 10, text[2:10])},
        steps=("mended 1 hard wrap",),
        warnings=("no date in the letter",),
        model="hand 1",
    )
