"""Reads Chinese government reply letters (答复): what was done, what is being done, what is promised.

>>> import commitments
>>> nlp = commitments.load()
>>> reply = nlp("下一步，我局将新建公园2个。")
>>> reply.pledges[0].text
'下一步，我局将新建公园2个。'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from commitments.errors import CommitmentsError as CommitmentsError
    from commitments.errors import ReadError as ReadError
    from commitments.explanation import Explanation as Explanation
    from commitments.frames import concat as concat
    from commitments.frames import tag_frame as tag_frame
    from commitments.pipeline import Pipeline as Pipeline
    from commitments.pipeline import load as load
    from commitments.readers import Source as Source
    from commitments.readers import read as read
    from commitments.readers import read_all as read_all
    from commitments.reply import Action as Action
    from commitments.reply import Actor as Actor
    from commitments.reply import Ask as Ask
    from commitments.reply import Condition as Condition
    from commitments.reply import Deadline as Deadline
    from commitments.reply import Quantity as Quantity
    from commitments.reply import Reply as Reply
    from commitments.reply import Sentence as Sentence
    from commitments.reply import Span as Span
    from commitments.terms import Disposition as Disposition
    from commitments.terms import Status as Status
    from commitments.terms import Strength as Strength

# Names are looked up when first used, so that `import commitments` costs next to nothing.
_HOME = {
    "CommitmentsError": "errors",
    "ReadError": "errors",
    "Explanation": "explanation",
    "concat": "frames",
    "tag_frame": "frames",
    "Pipeline": "pipeline",
    "load": "pipeline",
    "Source": "readers",
    "read": "readers",
    "read_all": "readers",
    "Action": "reply",
    "Actor": "reply",
    "Ask": "reply",
    "Condition": "reply",
    "Deadline": "reply",
    "Quantity": "reply",
    "Reply": "reply",
    "Sentence": "reply",
    "Span": "reply",
    "Status": "terms",
    "Disposition": "terms",
    "Strength": "terms",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"commitments.{_HOME[name]}"), name)
    raise AttributeError(f"module 'commitments' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
