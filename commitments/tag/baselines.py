"""What any tagger must beat: the majority class, and a keyword list of ten minutes' work.

Neither looks at headings, roles or neighbours; that is the point of them. Good rules are in `cues`.
"""

from __future__ import annotations

import re

from commitments.draft import Decision, Draft, Unit
from commitments.reply import Evidence
from commitments.terms import How, Role, Status

# Not of the letter, so no tagger may label it.
_FOREIGN = frozenset({Role.SUGGESTION, Role.OUTSIDE})


class Majority:
    """Calls every sentence none, the most frequent class of real replies (多数类).

    >>> from commitments.draft import Draft, Unit
    >>> Majority().tag(Draft("已建成。", units=(Unit(0, 4, "已建成。", 0),)))[0].status.value
    'none'
    """

    name = "majority"
    version = "1"

    def tag(self, draft: Draft) -> tuple[Decision, ...]:
        """None for each unit."""
        evidence = (Evidence(rule="majority", how=How.DEFAULT, status=Status.NONE),)
        return (Decision(evidence=evidence),) * len(draft.units)


class Keywords:
    """Looks for words of each class, without regard to where they stand (关键词).

    The first class with a hit wins, in the order of `words`; without a hit a sentence is none.
    That order does best on training letters: a baseline that is easily beaten shows nothing.

    >>> from commitments.draft import Draft, Unit
    >>> text = "下一步，将新建公园2个。"
    >>> decision = Keywords().tag(Draft(text, units=(Unit(0, len(text), text, 0),)))[0]
    >>> decision.status.value, decision.evidence[0].text
    ('pledge', '下一步')
    """

    name = "keywords"
    version = "1"

    words = (
        (Status.PLEDGE, re.compile("下一步|今后|将|计划|拟|力争|争取|预计|年底前")),
        (Status.COMPLETED, re.compile("已|完成|建成|出台|印发|了|举办|成立|累计|截至")),
        (Status.ONGOING, re.compile("正在|目前|持续|不断|积极|推进|加强|推动|坚持|每年|定期")),
    )

    def tag(self, draft: Draft) -> tuple[Decision, ...]:
        """The first class whose words stand in the unit."""
        return tuple(self._decide(unit) for unit in draft.units)

    def _decide(self, unit: Unit) -> Decision:
        if unit.role not in _FOREIGN:
            for status, pattern in self.words:
                hit = pattern.search(unit.text)
                if hit:
                    start = unit.start + hit.start()
                    end = unit.start + hit.end()
                    evidence = Evidence(f"keywords-{status.value}", How.CUE, status, 1.0, start, end, hit[0])
                    return Decision(status, evidence=(evidence,))
        return Decision(evidence=(Evidence("keywords-none", How.DEFAULT, Status.NONE),))
