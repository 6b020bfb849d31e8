r"""Repairs to a text before it is read, each one listed, and where every character came from.

One function for each repair: it takes the text and returns its edits. `clean` applies them in order and
returns the mended text, the steps that changed something (`replay` gives the same again) and a map of
offsets. The two repairs that judge lines are in `commitments.wraps`, the map is in `commitments.offsets`.
Decoding, HTML and PDF are in `commitments.readers`; what is a sentence is in `commitments.segment`.

>>> result = clean("我局已投入 112 亿\n\n元。")
>>> result.text, [step.name for step in result.steps], result.offsets.to_source(5, 10)
('我局已投入112亿元。', ['hard_wraps', 'stray_spaces'], (6, 14))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from commitments.draft import Region
from commitments.offsets import Edit, Layer, OffsetMap, Step, apply, layer, replay
from commitments.wraps import hard_wraps, page_numbers

__all__ = [
    "CleanConfig",
    "Cleaned",
    "Edit",
    "OffsetMap",
    "Step",
    "clean",
    "flattened",
    "fold",
    "hard_wraps",
    "invisible",
    "newlines",
    "page_numbers",
    "replay",
    "slips",
    "stray_spaces",
]

_HAN = "\u3400-\u9fff〇"
_BREAK = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff]+"
)
_FLAT = re.compile("[ \t\xa0\u3000|｜]+")
_BARRED = re.compile("[。：:；！？][ \t\xa0\u3000]?[|｜]")
_SPACE = re.compile("[ \t\xa0\u2000-\u200a\u3000]+")
_IS_HAN = re.compile(f"[{_HAN}]")
# Units of measure and of time: a number and one of these are one expression (112 亿元).
_UNIT = frozenset(
    "年月日时点分秒天周岁个项家户人名位万亿千百元米公吨亩套座条辆次处所件场份张台级号届期批种类部栋平里起例笔宗只%％余多"
)
# What the name of a body ends in: a space after it parts it from another field.
_BODY = frozenset("局委厅部办会处科院司府室市县区省镇乡队站所心校")
_SIGNED = re.compile(r"[12]\d{3}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日(?:\s|$)")
# An ordinal, a date with points, a telephone: what a space before it may part.
_NUMBERED = re.compile(r"\d{1,2}(?:[、)）]|[.．](?!\d))|\d{4}[./-]\d|[\d\-－—×*xX]{5,}|\d+ ?[×*xX]")
_SPACED = re.compile(r"[\d.,]{1,12} [\u4e00-\u9fff]")
_PROSE = re.compile("[，。；]")
_OPENED = re.compile("[《“（(【「]")
_CLOSED = re.compile("[》”）)】」]")
_ROUND = re.compile("[OＯoο○◯]|(?<=[一二三四五六七八九])0")
_YEAR = re.compile(
    "(?<![A-Za-z\\d一二三四五六七八九])(?:[一二三四五六七八九][一二三四五六七八九〇零OＯoο○◯0]{3}|[12][\\dOＯo]{3})(?=年)"
)
_JI = re.compile(
    "(?<![自知利克律异一悦为])己(?=经(?![济营费验历])|完成|建成|办结|开工|竣工|纳入|列入|落实|投入|安排|启动|开通|实施|印发|出台|下发|制定|委托|责令|于\\d|在\\d|达|累计|全部|基本|将|对|收悉)"
)
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ％．＋\xa0\u2000-\u200a\u202f\u205f\u3000]")
_NARROW = {
    **{c: c - 0xFEE0 for c in map(ord, "％．＋")},
    **{c: c - 0xFEE0 for low, high in ("０９", "ＡＺ", "ａｚ") for c in range(ord(low), ord(high) + 1)},
    **dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], 0x20),
}


class CleanConfig(msgspec.Struct, frozen=True):
    """Which repairs are made; each has the name of its function.

    Attributes:
        page_numbers: lines that hold a page number go.
        newlines: other line breaks become a plain one.
        invisible: characters without a shape go.
        flattened: a page flattened to one line gets its breaks back.
        hard_wraps: lines broken inside a sentence are joined.
        stray_spaces: spaces inside Chinese words and between numbers and units go.
        slips: what optical reading gets wrong (二OO七, 己完成).
        fold_width: full-width letters and digits are ASCII in ``match``.
        fold_traditional: traditional characters are simplified in ``match``.
    """

    page_numbers: bool = True
    newlines: bool = True
    invisible: bool = True
    flattened: bool = True
    hard_wraps: bool = True
    stray_spaces: bool = True
    slips: bool = True
    fold_width: bool = True
    fold_traditional: bool = True


class Cleaned(msgspec.Struct, frozen=True):
    """A mended text and how it came about.

    Attributes:
        text: as a reader would want it.
        match: the same length, folded to ASCII width and simplified characters, for matching only.
        steps: the repairs that changed something.
        regions: those given, in the mended text.
        offsets: from the mended text to the source and back.
    """

    text: str
    match: str
    steps: tuple[Step, ...] = ()
    regions: tuple[Region, ...] = ()
    offsets: OffsetMap = OffsetMap()


def clean(
    text: str,
    regions: Sequence[Region] = (),
    config: CleanConfig = CleanConfig(),  # noqa: B008 - frozen
) -> Cleaned:
    """Mend a text (清洗).

    Args:
        text: as read.
        regions: stretches of it with a role; no line is joined across their borders.
        config: which repairs to make.

    Returns:
        The mended text with its steps and its map of offsets.
    """
    steps: list[Step] = []
    layers: list[Layer] = []
    spans = [(r.start, r.end) for r in regions]
    for name, repair in _REPAIRS.items():
        edits = repair(text) if getattr(config, name) else []
        if spans and name == "hard_wraps":
            edits = _off_borders(edits, spans)
        if not edits:
            continue
        made = layer(len(text), edits)
        spans = [OffsetMap((made,)).to_clean(start, end) for start, end in spans]
        text = apply(text, edits)
        steps.append(Step(name, tuple(edits)))
        layers.append(made)
    match = fold(text, width=config.fold_width, traditional=config.fold_traditional)
    mapped = tuple(Region(*span, r.role) for span, r in zip(spans, regions, strict=True) if span[0] < span[1])
    return Cleaned(text, match, tuple(steps), mapped, OffsetMap(tuple(layers)))


def newlines(text: str) -> list[Edit]:
    r"""Make every kind of line break a plain one.

    >>> newlines("一\r\n二\f三\n四")
    [Edit(start=1, end=3, new='\n'), Edit(start=4, end=5, new='\n')]
    """
    return [Edit(m.start(), m.end(), "\n") for m in _BREAK.finditer(text)]


def invisible(text: str) -> list[Edit]:
    r"""Remove what has no shape: byte order marks, zero-width and control characters, lone surrogates.

    >>> invisible("公\u200b园\ufeff")
    [Edit(start=1, end=2, new=''), Edit(start=3, end=4, new='')]
    """
    return [Edit(m.start(), m.end(), "") for m in _INVISIBLE.finditer(text)]


def flattened(text: str) -> list[Edit]:
    r"""Give a page flattened to one line its breaks back, where bars or runs of spaces took their place.

    Only a text of some length with hardly a line break is taken for such a page, and a single space is left;
    or a short one without any, when bars stand after two sentences, or after one and there are three.

    >>> page = "关于第9号建议的答复 | 李代表： | " + "我局对此高度重视，已实地查看。" * 8
    >>> flattened(page)
    [Edit(start=10, end=13, new='\n'), Edit(start=17, end=20, new='\n')]
    """
    short = len(text) < 120
    if short:
        marked = len(_BARRED.findall(text))
        if "\n" in text.strip() or marked + (text.count("|") + text.count("｜") > 2) < 2:
            return []
    elif not _flat(text):
        return []
    out = []
    for m in _FLAT.finditer(text):
        bar = "|" in m.group() or "｜" in m.group()
        if (bar or (not short and len(m.group()) > 1)) and m.start() > 0 and m.end() < len(text):
            out.append(Edit(m.start(), m.end(), "\n"))
    return out if len(out) > 1 else []


def _flat(text: str) -> bool:
    """Whether a text has hardly a line break; that at the end of a file is none."""
    return text.strip().count("\n") * 400 < len(text)


def stray_spaces(text: str) -> list[Edit]:
    """Remove spaces inside Chinese words and between numbers and their units.

    Kept are those of other scripts, those beside the date of a signature or a long number (a telephone), and
    those that part the fields of a heading, the words of a title, or two bodies.

    >>> text = "第三次会议 第C-064号：今年，我局贯 彻落实，新增 12 个。"
    >>> apply(text, stray_spaces(text))
    '第三次会议 第C-064号：今年，我局贯彻落实，新增12个。'
    """
    flat = len(text) > 120 and _flat(text)
    last = len(text) - 1
    return [
        Edit(m.start(), m.end(), "")
        for m in _SPACE.finditer(text)
        if m.start() > 0 and m.end() <= last and _stray(text, m.start(), m.end(), flat)
    ]


def slips(text: str) -> list[Edit]:
    """Mend what optical reading and typing get wrong, where no other reading is possible.

    >>> apply("二OO七年己完成，自己完成", slips("二OO七年己完成，自己完成"))
    '二〇〇七年已完成，自己完成'
    """
    out = []
    if "年" in text and _ROUND.search(text):
        for m in _YEAR.finditer(text):
            year = m.group()
            new = re.sub("[OＯoο○◯0]", "0" if year[0] in "12" else "〇", year)
            if new != year:
                out.append(Edit(m.start(), m.end(), new))
    if "己" in text:
        out += [Edit(m.start(), m.end(), "已") for m in _JI.finditer(text)]
    return sorted(out)


def fold(text: str, *, width: bool = True, traditional: bool = True) -> str:
    """Fold a text for matching; every character stays one character.

    Args:
        text: any text.
        width: full-width letters, digits, ``％．＋`` and every kind of space become ASCII.
        traditional: traditional characters become simplified ones (OpenCC, character by character).

    >>> fold("已建成１２個　公園")
    '已建成12个 公园'
    """
    if width and _WIDE.search(text):
        text = text.translate(_NARROW)
    if traditional:
        rare = _rare()
        if rare.search(text):
            text = rare.sub(lambda m: _simplified(m.group()), text)
    return text


_REPAIRS: dict[str, Callable[[str], list[Edit]]] = {
    "page_numbers": page_numbers,  # first, for a form feed tells where a page ends
    "newlines": newlines,
    "invisible": invisible,
    "flattened": flattened,
    "hard_wraps": hard_wraps,
    "stray_spaces": stray_spaces,
    "slips": slips,
}


def _off_borders(edits: list[Edit], spans: Sequence[tuple[int, int]]) -> list[Edit]:
    """The edits that do not touch the border of a region."""
    borders = sorted({b for span in spans for b in span})
    out, at = [], 0
    for edit in edits:
        while at < len(borders) and borders[at] < edit.start:
            at += 1
        if at == len(borders) or borders[at] > edit.end:
            out.append(edit)
    return out


def _stray(text: str, start: int, end: int, flat: bool) -> bool:
    """Whether the spaces between two characters part nothing."""
    a, b = text[start - 1], text[end]
    if b in "，。；、）》”！？％%":
        return not a.isspace() and a not in "，。；、！？"
    if a in "《“（":
        return not b.isspace()
    if end - start > 2:
        return False
    if a.isdigit():
        return b in _UNIT or (b.isdigit() and _spelled_out(text, start, end))
    if not _IS_HAN.match(a):
        return False
    if b.isdigit():
        if flat:  # there a space stands for a line break
            return bool(_SPACED.match(text, end))
        return not (_SIGNED.match(text, end) or _NUMBERED.match(text, end))
    if not _IS_HAN.match(b) or end - start > 1:
        return False
    alone = (start < 2 or not _IS_HAN.match(text[start - 2])) and (
        end + 1 >= len(text) or not _IS_HAN.match(text[end + 1])
    )
    return alone or (not flat and a not in _BODY and _in_prose(text, start, end))


def _spelled_out(text: str, start: int, end: int) -> bool:
    """Whether a space stands in a number written digit by digit (1 3 9 家)."""
    left = text[max(0, start - 4) : start]
    right = text[end : end + 4]
    if (len(left) > 1 and left[-2].isdigit()) or (len(right) > 1 and right[1].isdigit()):
        return False
    return bool(
        re.search(r"\d \d$", left) or re.match(r"\d (?:\d|[\u4e00-\u9fff])", right) or right[1:2] in _UNIT
    )


def _in_prose(text: str, start: int, end: int) -> bool:
    """Whether a place has sentence marks near it on both sides of its line and no quote around it."""
    left = text[max(0, start - 60) : start].rpartition("\n")[2]
    right = text[end : end + 60].partition("\n")[0]
    if not (_PROSE.search(left) or len(left) >= 20) or not _PROSE.search(right):
        return False
    return len(_OPENED.findall(left)) <= len(_CLOSED.findall(left))


@lru_cache(maxsize=1)
def _rare() -> re.Pattern[str]:
    """Characters that simplified text does not use: those outside GB 2312, and five that it holds in vain."""
    rows = bytes(b for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF) for b in (high, low))
    common = set(rows.decode("gb2312", "ignore")) - set("後於徵夥菸")
    return re.compile("[" + "".join(chr(c) for c in range(0x4E00, 0xA000) if chr(c) not in common) + "]")


@lru_cache(maxsize=1)
def _to_simplified() -> Callable[[str], str]:
    import opencc

    convert: Callable[[str], str] = opencc.OpenCC("t2s").convert
    return convert


@lru_cache(maxsize=8192)
def _simplified(char: str) -> str:
    new = _to_simplified()(char)
    return new if len(new) == 1 else char
