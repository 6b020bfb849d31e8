"""Windows of sentences: each is decided once, in order, with its context, whatever the letter's length."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commitments.draft import Draft
from commitments.pipeline import load
from commitments.tag.windows import BOS, EOS, WindowConfig, item, pack, prefix, shown

CUES = load("cues")
SMALL = WindowConfig(size=60, overlap=16, margin=8, unit=24, gist=8, headings=8)


class Encoded(NamedTuple):
    ids: list[int]
    offsets: list[tuple[int, int]]


class Characters:
    """A tokenizer for which each character is a piece."""

    def encode(self, text: str, *, add_special_tokens: bool = True) -> Encoded:
        assert not add_special_tokens
        return Encoded([5 + ord(c) for c in text], [(i, i + 1) for i in range(len(text))])


CODER: Characters = Characters()


def draft_of(text: str, asks: tuple[str, ...] = ()) -> Draft:
    return CUES.draft(text, suggestion=asks or None)[1]


LETTERS = st.lists(st.text("公园已建成将，二年", min_size=1, max_size=70), min_size=1, max_size=30).map(
    "。\n".join
)


@settings(max_examples=60)
@given(LETTERS)
def test_each_sentence_is_decided_in_just_one_window(text: str) -> None:
    draft = draft_of(text)
    decided = []
    for window in pack(draft, CODER, SMALL):  # type: ignore[arg-type]
        first, last = window.scored
        decided += window.units[first:last]
        assert window.units == sorted(window.units)
        assert window.ids[0] == BOS
        assert window.ids[-1] == EOS
        for start, tail, end in zip(window.starts, window.tails, window.ends, strict=True):
            assert start <= tail <= end <= len(window.ids)
            assert window.ids[end] == EOS
    assert decided == shown(draft)


@settings(max_examples=40)
@given(LETTERS, st.sets(st.integers(0, 29), max_size=6))
def test_only_what_is_wanted_is_sure_to_be_decided(text: str, wanted: set[int]) -> None:
    draft = draft_of(text)
    decided = []
    for window in pack(draft, CODER, SMALL, wanted):  # type: ignore[arg-type]
        decided += window.units[slice(*window.scored)]
        assert wanted & set(window.units[slice(*window.scored)])
    assert set(shown(draft)) & wanted <= set(decided)
    assert len(decided) == len(set(decided))


def test_a_window_is_no_longer_than_it_may_be_but_for_one_long_sentence() -> None:
    text = "\n".join(f"我局已建成公园{n}个，下一步将再建{n}个。" for n in range(60))
    sizes = [len(window.ids) for window in pack(draft_of(text), CODER, SMALL)]  # type: ignore[arg-type]
    assert len(sizes) > 20
    assert max(sizes) <= SMALL.size


def test_of_a_long_sentence_the_beginning_and_the_end_are_shown() -> None:
    text = "甲" * 200 + "，" + "乙" * 10 + "。"
    draft = draft_of(text)
    one = item(draft, 0, CODER, SMALL)  # type: ignore[arg-type]
    assert len(one.ids) == SMALL.unit
    assert [*one.ids[:8]] == [5 + ord("甲")] * 8
    assert one.ids[-1] == 5 + ord("。")
    assert [*one.ids[one.tail :]] == [5 + ord(c) for c in "乙" * 10 + "。"]


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("已建成公园，将再建两个。", "将再建两个。"),
        ("已建成公园。", "已建成公园。"),
        ("已建成公园，好。", "已建成公园，好。"),
    ],
)
def test_the_last_clause_is_told_apart(text: str, tail: str) -> None:
    one = item(draft_of(text), 0, CODER, WindowConfig())  # type: ignore[arg-type]
    assert "".join(chr(i - 5) for i in one.ids[one.tail :]) == tail


def test_a_window_begins_with_what_is_asked_and_the_headings_above() -> None:
    text = "现答复如下：\n一、关于公园的建议\n（一）下一步打算\n我局将建公园。"
    draft = draft_of(text, ("建公园",))
    last = len(draft.units) - 1
    head = prefix(draft, last, CODER, WindowConfig())  # type: ignore[arg-type]
    words = "".join(chr(i - 5) if i > 4 else "/" for i in head)
    assert words == "/建议建公园/关于公园的建议｜下一步打算/"
    bare = prefix(draft, last, CODER, WindowConfig(), gist=False)  # type: ignore[arg-type]
    assert len(bare) == len(head) - len("建公园")
