"""Who, by when, how much, how firmly, and what became of each ask: the last stage of the pipeline.

Each attribute has its module: `deadline` (with the grammar in `calendar`), `quantity` (with `numerals`),
`actor`, `strength`, `action`, `disposition`. This one reads them off every measure of a draft. They are
rules over the lexicon, and cost a small part of what a model does; see ``commitments benchmark``.
"""

from __future__ import annotations

import msgspec

from commitments.attributes import action, actor, deadline, disposition, quantity, strength
from commitments.attributes.calendar import Expression
from commitments.draft import Attributes, Decision, Draft, Unit
from commitments.reply import Action, Actor, CharSpan, Condition, Deadline, Quantity, Span
from commitments.tag.cues import register
from commitments.terms import ActorRole, Status


class AttributesConfig(msgspec.Struct, frozen=True):
    """What is read off a measure.

    Attributes:
        on: whether attributes are read at all; without, a batch runs a little faster.
    """

    on: bool = True


NOTHING = Attributes()


def attributes(draft: Draft, config: AttributesConfig = AttributesConfig()) -> Draft:  # noqa: B008
    """Read the attributes of every measure, the disposition of every ask, and the meaning of the result code.

    Args:
        draft: with decisions and links.
        config: of this stage.
    """
    if not config.on:
        return msgspec.structs.replace(draft, attributes=(NOTHING,) * len(draft.units))
    replying = _replying(draft)
    style = register(draft)
    found = tuple(
        _read(draft, unit, decision, replying, style)
        for unit, decision in zip(draft.units, draft.decisions, strict=True)
    )
    draft = msgspec.structs.replace(draft, attributes=found)
    asks = disposition.dispositions(draft)
    head = draft.header
    told = disposition.result(head.result_code, head.agency, head.title)
    statuses = [d.status for d in draft.decisions if d.status is not Status.NONE and not d.undecided]
    warning = disposition.contradiction(told, asks, statuses)
    warnings = (*draft.warnings, warning) if warning else draft.warnings
    return msgspec.structs.replace(draft, asks=asks, result=told, warnings=warnings)


def _replying(draft: Draft) -> Actor | None:
    """The body that replies, for measures that name none."""
    if not draft.header.agency:
        return None
    where = draft.header.spans.get("agency")
    span = CharSpan(where.start, where.end) if where and where.text == draft.header.agency else None
    return Actor(draft.header.agency, span, ActorRole.ACT, implied=True)


def _read(draft: Draft, unit: Unit, decision: Decision, replying: Actor | None, style: str) -> Attributes:
    statuses = frozenset({decision.status, *decision.also})
    if statuses == {Status.NONE}:
        return NOTHING
    text, at = unit.text, unit.start
    day = draft.date or draft.header.date
    times, conditions = deadline.find(text, statuses, day)
    quantities = quantity.find(text, statuses, [(x.start, x.end) for x in times], style)
    acting = actor.find(text, statuses, style)
    actors = tuple(Actor(text[a.start : a.end], CharSpan(at + a.start, at + a.end), a.role) for a in acting)
    judged = None
    if Status.PLEDGE in statuses:
        judged = strength.judge(text, len(statuses) > 1, any(x.last for x in times))
    done = action.find(text, [(q.start, q.end) for q in quantities])
    return Attributes(
        deadlines=tuple(_deadline(text, x, at) for x in times),
        conditions=tuple(Condition(text[s:e], CharSpan(at + s, at + e)) for s, e in conditions),
        quantities=tuple(
            Quantity(
                text=text[q.start : q.end],
                span=CharSpan(at + q.start, at + q.end),
                value=q.value,
                unit=q.unit,
                low=q.low,
                high=q.high,
                comparator=q.comparator,
                role=q.role,
                note=q.note,
            )
            for q in quantities
        ),
        actors=actors,
        actor=_main(actors, replying),
        strength=judged.strength if judged else None,
        strength_cue=None
        if judged is None or judged.start is None or judged.end is None
        else Span(at + judged.start, at + judged.end, text[judged.start : judged.end]),
        action=None if done is None else _action(text, done, at),
    )


def _deadline(text: str, x: Expression, at: int) -> Deadline:
    return Deadline(
        text=text[x.start : x.end],
        span=CharSpan(at + x.start, at + x.end),
        kind=x.kind,
        grain=x.grain,
        start=x.first,
        end=x.last,
        note=x.note,
    )


def _action(text: str, done: action.Found, at: int) -> Action:
    verb, noun = text[slice(*done.verb)], text[slice(*done.object)]
    end = done.object[1] if noun else done.verb[1]
    return Action(verb + noun, CharSpan(at + done.verb[0], at + end), verb, noun)


def _main(actors: tuple[Actor, ...], replying: Actor | None) -> Actor | None:
    """Who leads, or else acts; bodies that only help or are ordered leave the act to who replies."""
    for role in (ActorRole.LEAD, ActorRole.ACT):
        for one in actors:
            if one.role is role:
                return one
    return replying or next(iter(actors), None)
