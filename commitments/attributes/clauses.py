"""Clauses of a sentence, and what each says of time: one tells what is done, another what is due.

This is not tagging: a status is given to whole sentences, by a tagger. It only tells which clauses of a mixed
sentence its dates and bodies belong to.
"""

from __future__ import annotations

import re

import msgspec

_END = re.compile(r"[，,；;。：:！!？?]|——")
_DONE = re.compile(
    r"已(?!知|婚|故)|业已|了(?!解|不|然)|截至|截止|至今|以来|累计|曾|过(?=[，。；])|去年|前年|经(?:调查|核实|查|了解|现场)"
    r"|根据|按照|依据|印发的|出台的|发布的|规定|原定|原计划"
)
_DUE = re.compile(
    r"将(?!军|近)|拟|计划|预计|力争|争取|确保|力求|下一步|下步|今后|届时|可望|有望|准备|打算|承诺|责令|要求|限|务必|必须|尽快|待"
    r"|即可|方可|还有|再"
)


class Clause(msgspec.Struct, frozen=True):
    """A clause: its place in the sentence, and whether it tells of what is done or due.

    Attributes:
        start: offset into the sentence.
        end: after its last character.
        done: whether it holds a word of what is over.
        due: whether it holds a word of what is to come.
    """

    start: int
    end: int
    done: bool
    due: bool


def clauses(text: str) -> list[Clause]:
    """Cut a sentence at its commas, and read each clause.

    >>> [(c.done, c.due) for c in clauses("目前已完成招标，预计10月底完工。")]
    [(True, False), (False, True)]
    """
    found = []
    start = 0
    for m in _END.finditer(text):
        found.append(_clause(text, start, m.end()))
        start = m.end()
    if start < len(text):
        found.append(_clause(text, start, len(text)))
    return found


def _clause(text: str, start: int, end: int) -> Clause:
    words = text[start:end]
    return Clause(start, end, bool(_DONE.search(words)), bool(_DUE.search(words)))
