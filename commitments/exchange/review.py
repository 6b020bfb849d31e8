"""Which sentences are worth correcting first.

A person's time goes furthest where the model is likely wrong: where it is unsure itself, and where the rules,
which err in other places, read the sentence otherwise. Of sentences that say almost the same only the first
is listed. Same letters, same list; what comes of it is up to `labelstudio` or a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import msgspec

from commitments.errors import CommitmentsError
from commitments.exchange import predicted
from commitments.exchange.labelstudio import Prediction
from commitments.overlap import words
from commitments.reply import Reply
from commitments.tag import READ_ROLES
from commitments.terms import Status

if TYPE_CHECKING:
    from commitments.pipeline import Pipeline
    from commitments.readers import Source


class ReviewConfig(msgspec.Struct, frozen=True):
    """What makes a sentence worth a look.

    Attributes:
        below: confidence under which the model counts as unsure.
        disagreement: how much likelier it is to be wrong where the rules read the sentence otherwise.
        alike: share of their pairs of characters from which two sentences say the same.
    """

    below: float = 0.8
    disagreement: float = 0.2
    alike: float = 0.7


class Item(msgspec.Struct, frozen=True):
    """A sentence worth a look.

    Attributes:
        letter: the letter's name.
        index: of the letter among those read.
        sentence: its number in the letter, from 1.
        start: offset of its first character.
        end: offset after its last.
        text: its text, without hard line breaks.
        status: what the model says.
        confidence: how sure it is.
        rules: what the rules say; ``None`` where the model is the rules.
        worth: between 0 and 1, the higher the likelier that the status is wrong.
        reasons: why it is listed, in words.
    """

    letter: str
    index: int
    sentence: int
    start: int
    end: int
    text: str
    status: Status
    confidence: float
    rules: Status | None
    worth: float
    reasons: tuple[str, ...]


def review(
    sources: Iterable[str | Source],
    nlp: Pipeline,
    *,
    rules: Pipeline | None = None,
    limit: int = 200,
    config: ReviewConfig | None = None,
    on_error: Callable[[str, CommitmentsError], None] | None = None,
) -> tuple[tuple[Item, ...], dict[int, Prediction]]:
    """Read letters and list what is worth correcting, the worthiest first.

    Args:
        sources: letters, as the pipeline takes them.
        nlp: the model to be corrected.
        rules: what to compare it with: ``commitments.load("cues")`` when not given.
        limit: how many sentences at most.
        config: what makes a sentence worth a look.
        on_error: called with the letter's name and the error where a letter cannot be read; without it the
            error is raised.

    Returns:
        The sentences, and what the model says of the letters that they are from, by the letter's index.

    Raises:
        SchemaError: a letter cannot be read.

    >>> import commitments
    >>> items, _ = review(["我局高度重视，积极协调。"], commitments.load("fast"))
    >>> all(item.worth > 0 and item.reasons for item in items)
    True
    """
    import commitments

    if rules is None and nlp.tagger.name != "cues":
        rules = commitments.load("cues")
    config = config or ReviewConfig()
    found: list[Item] = []
    replies: dict[int, Reply] = {}
    for index, source in enumerate(sources):
        try:
            reply = nlp(source)
            other = rules(source) if rules else None
        except CommitmentsError as error:
            if on_error is None:
                raise
            on_error(getattr(source, "name", None) or f"letter {index + 1}", error)
            continue
        items = candidates(reply, other, config, index=index)
        if items:
            replies[index] = reply
            found += items
    chosen = choose(found, limit, config)
    return chosen, {index: prediction(replies[index], chosen, index) for index in letters(chosen)}


def candidates(reply: Reply, rules: Reply | None, config: ReviewConfig, *, index: int = 0) -> list[Item]:
    """The sentences of a letter that a person should look at, in order.

    Args:
        reply: what the model says.
        rules: what the rules say of the same text; ``None`` where the model is the rules.
        config: what makes a sentence worth a look.
        index: of the letter.
    """
    others = {(s.start, s.end): s for s in rules.sentences} if rules else {}
    found = []
    for number, s in enumerate(reply.sentences, 1):
        if s.role not in READ_ROLES or not s.text.strip():
            continue
        other = others.get((s.start, s.end))
        reasons = []
        if s.confidence < config.below:
            reasons.append(f"unsure: {s.confidence:.2f}")
        if other is not None and other.status is not s.status:
            reasons.append(f"rules say {other.status}" + _cue(other.evidence))
        if not reasons:
            continue
        disagree = other is not None and other.status is not s.status
        worth = 1 - s.confidence * (1 - config.disagreement * disagree)
        found.append(
            Item(
                reply.name or f"letter {index + 1}",
                index,
                number,
                s.start,
                s.end,
                " ".join((s.clean or s.text).split()),
                s.status,
                round(s.confidence, 4),
                other.status if other else None,
                round(worth, 4),
                tuple(reasons),
            )
        )
    return found


def _cue(evidence: Sequence[object]) -> str:
    word = next((text for e in evidence if (text := getattr(e, "text", ""))), "")
    return f" ({' '.join(word.split())})" if word else ""


def choose(items: Iterable[Item], limit: int, config: ReviewConfig | None = None) -> tuple[Item, ...]:
    """The worthiest, without those that say almost the same as one before them.

    Numbers do not tell sentences apart: the same formula with another year teaches nothing new.

    >>> one = Item("a", 0, 1, 0, 9, "将新建公园2个。", Status.PLEDGE, 0.5, None, 0.5, ("unsure",))
    >>> two = msgspec.structs.replace(one, sentence=2, text="将新建公园3个。", worth=0.4)
    >>> [item.sentence for item in choose([two, one], 10)]
    [1]
    """
    config = config or ReviewConfig()
    kept: list[Item] = []
    pairs: list[set[str]] = []
    for item in sorted(items, key=lambda i: (-i.worth, i.index, i.sentence)):
        if len(kept) >= limit:
            break
        own = words(re.sub(r"\d+(?:\.\d+)?", "0", item.text)) or {item.text}
        if any(_alike(own, other) >= config.alike for other in pairs):
            continue
        kept.append(item)
        pairs.append(own)
    return tuple(kept)


def _alike(one: set[str], other: set[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def letters(items: Iterable[Item]) -> list[int]:
    """The letters that the sentences are from, that with the most to correct first."""
    total: dict[int, float] = {}
    for item in items:
        total[item.index] = total.get(item.index, 0.0) + item.worth
    return sorted(total, key=lambda index: (-round(total[index], 6), index))


def prediction(reply: Reply, items: Iterable[Item] = (), index: int = 0) -> Prediction:
    """What a model says of a letter, with the reasons to look at some of its sentences.

    Args:
        reply: what the pipeline returned.
        items: sentences worth a look, also of other letters.
        index: of this letter.

    >>> import commitments
    >>> prediction(commitments.load("fast")("将建公园。")).model.startswith("fast")
    True
    """
    return Prediction(
        document=predicted(reply),
        model=reply.model,
        confidence={(s.start, s.end): s.confidence for s in reply.sentences},
        notes={(i.start, i.end): "; ".join(i.reasons) for i in items if i.index == index},
    )


def rows(items: Iterable[Item]) -> Iterator[dict[str, object]]:
    """The list as plain objects, as JSON takes them."""
    for item in items:
        yield msgspec.to_builtins(item)


def table(items: Iterable[Item]) -> list[str]:
    r"""The list as lines for a terminal.

    >>> one = Item("a.txt", 0, 3, 0, 5, "将建公园。", Status.PLEDGE, 0.5, None, 0.5, ("unsure: 0.50",))
    >>> print("\n".join(table([one])))
    worth  status     letter:sentence  why           text
     0.50  pledge     a.txt:3          unsure: 0.50  将建公园。
    """
    from commitments.terminal import plain

    rows = [(item, plain(f"{item.letter}:{item.sentence}"), plain("; ".join(item.reasons))) for item in items]
    if not rows:
        return ["nothing is worth a look: the model is sure, and the rules agree"]
    wide = max(15, *(len(where) for _, where, _ in rows))
    why_wide = max(3, *(_cells(why) for *_, why in rows))
    lines = [f"worth  status     {'letter:sentence':<{wide}}  {'why':<{why_wide}}  text"]
    for item, where, why in rows:
        pad = " " * (why_wide - _cells(why))
        lines.append(f" {item.worth:.2f}  {item.status:<9}  {where:<{wide}}  {why}{pad}  {plain(item.text)}")
    return lines


def _cells(words: str) -> int:
    """How many columns a terminal needs; Chinese characters take two."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in words)
