"""Structure: what each unit of a letter is, its header fields, its sections, and what is asked (结构).

`frame` tells header, salutation, closing and signature; `header` reads the fields; `outline` finds headings
and lead-ins; `asks` finds what the suggestion asks for. Statuses and links are other stages' work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from commitments.draft import Draft, Header, Unit
from commitments.reply import Ask, Section
from commitments.structure import asks as _asks
from commitments.structure.frame import frame_roles
from commitments.structure.header import header
from commitments.structure.outline import AHEAD, Outline, item, outline
from commitments.terms import Role

# “…现答复如下：” ends the opening; where the answer follows in the same unit, that is the letter's matter.
_ANNOUNCES = re.compile(
    r"(?:如下|以下(?:几点)?(?:答复|回复|说明|意见))[^，。：:；]{0,6}[：:。，,；\s]*$"
    r"|(?:答复|回复|函复|汇报|报告|说明)(?:您|你|你们)?[：:]$"
)
_FUSED = re.compile(r"如下[：:。，,]\s*[^：:。，,\s]")
_RECEIVED = re.compile(
    r"收悉|获悉|知悉|敬悉|已阅|收到(?:您|你|贵|了您|了你|来信|留言)"
    r"|(?:建议|提案|来信|留言|邮件|问题)[^，。]{0,8}(?:收到|转来|交办)"
    r"|^(?:您|你|贵)[^，。]{0,12}(?:提出|反映|咨询|投诉|关心|来信|留言)|高度重视"
)

# “您提出了以下建议：”, followed by the list of them.
_RESTATES = re.compile(
    r"(?:您|你|代表|委员|贵)[^，。：:]{0,16}提出[^。：:]{0,20}(?:建议|意见|问题|诉求)[^。：:]{0,8}[：:]$"
)


class StructureConfig(msgspec.Struct, frozen=True):
    """Defaults of this stage.

    Attributes:
        lead_length: longest lead-in (领起句), ordinal not counted, in characters.
        opening_units: how many units into its matter the opening (…收悉，现答复如下) of a letter may reach.
        most_asks: most asks that one suggestion is split into.
    """

    lead_length: int = 26
    opening_units: int = 4
    most_asks: int = 12


def structure(draft: Draft, config: StructureConfig = StructureConfig()) -> Draft:  # noqa: B008 - frozen
    r"""Give each unit its role and section, and find header, sections and asks.

    Args:
        draft: segmented; its units have the role of their region.
        config: defaults of this stage.

    Returns:
        The draft with units, header, sections, asks and warnings set.

    >>> from commitments.draft import Unit
    >>> text = "李代表：\n一、关于修路的建议\n路已修好。\n某县交通局\n2020年5月6日"
    >>> lines, at, units = text.split("\n"), 0, []
    >>> for n, line in enumerate(lines):
    ...     units.append(Unit(at, at + len(line), line, n))
    ...     at += len(line) + 1
    >>> done = structure(Draft(text=text, units=tuple(units)))
    >>> [u.role.value for u in done.units], done.header.date.isoformat(), done.asks[0].text
    (['salutation', 'heading', 'body', 'signature', 'signature'], '2020-05-06', '关于修路的建议')
    """
    units = draft.units
    count = len(units)
    letter = [i for i, u in enumerate(units) if u.role is Role.BODY]
    opens = [i == 0 or units[i - 1].paragraph != units[i].paragraph for i in range(count)]
    alone = [opens[i] and (i + 1 == count or opens[i + 1]) for i in range(count)]
    roles = frame_roles(units, letter, alone)
    roles.update(_restated(units, [i for i in letter if i not in roles], config))
    plan = outline(units, letter, roles, opens, alone, config.lead_length)
    roles.update(plan.roles)
    matter = [i for i in letter if i not in roles or roles[i] in (Role.HEADING, Role.LEAD)]
    first = matter[0] if matter else count
    roles.update(_opening(units, matter, roles, config.opening_units))
    made = tuple(
        Unit(u.start, u.end, u.text, u.paragraph, roles.get(i, u.role), plan.unit_section.get(i))
        for i, u in enumerate(units)
    )
    head = header(draft, made, first)
    sections, asks, warnings = _ask_for(draft, made, plan, head, config)
    return msgspec.structs.replace(
        draft, units=made, header=head, sections=sections, asks=asks, warnings=(*draft.warnings, *warnings)
    )


def _restated(units: Sequence[Unit], matter: Sequence[int], config: StructureConfig) -> dict[int, Role]:
    """SUGGESTION for the list in which a letter repeats what was suggested, above its answer."""
    for n, i in enumerate(matter[: config.opening_units]):
        if not _RESTATES.search(units[i].text):
            continue
        listed: dict[int, Role] = {}
        kind = None
        for k in matter[n + 1 : n + 2 + config.most_asks]:
            it = item(units[k].text)
            if it is None:
                return listed if len(listed) > 1 and _ANNOUNCES.search(units[k].text[-24:]) else {}
            kind = kind or it.kind
            if it.kind != kind:
                return {}
            listed[k] = Role.SUGGESTION
    return {}


def _opening(
    units: Sequence[Unit], matter: Sequence[int], roles: dict[int, Role], reach: int
) -> dict[int, Role]:
    """OPENING for the units up to the one that announces the answer, if it comes before any heading."""
    found: list[int] = []
    courteous = 0
    for i in matter[:reach]:
        text = units[i].text
        announced = _ANNOUNCES.search(text[-24:])
        if AHEAD.match(text) or _FUSED.search(text):
            break
        if roles.get(i) is Role.HEADING or (roles.get(i) is Role.LEAD and not announced):
            break
        found.append(i)
        if announced:
            return dict.fromkeys(found, Role.OPENING)
        if courteous == len(found) - 1 and _RECEIVED.search(text[:120]):
            courteous = len(found)
    # Nothing announces the answer: only what receives the letter is its opening.
    return dict.fromkeys(found[:courteous], Role.OPENING)


def _ask_for(
    draft: Draft,
    units: tuple[Unit, ...],
    plan: Outline,
    head: Header,
    config: StructureConfig,
) -> tuple[tuple[Section, ...], tuple[Ask, ...], list[str]]:
    """The asks, and the sections with the asks that their headings name."""
    warnings: list[str] = []
    named: dict[int, str] = {}
    if isinstance(draft.suggestion, tuple):
        asks = _asks.given(draft.suggestion)
    elif draft.suggestion and draft.suggestion.strip():
        asks = _asks.split(draft.suggestion, config.most_asks)
    else:
        asks, named = _asks.find(draft.text, units, plan, head)
        if not asks:
            warnings.append("no ask found: give the suggestion to have measures linked")
    made = tuple(
        msgspec.structs.replace(s, asks=(named[n],)) if n in named else s for n, s in enumerate(plan.sections)
    )
    return made, asks, warnings
