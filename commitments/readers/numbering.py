"""The numbers that Word puts before paragraphs by itself (automatic lists), written out.

Covers decimal and Chinese numbers, letters, Roman numbers, circled numbers and bullets (which are left out),
and levels that name others (``%1.%2``). Restarts by `w:lvlOverride` and numbers defined by a style are
followed.
"""

from __future__ import annotations

import re
from typing import Any

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DIGITS = "〇一二三四五六七八九"
_MOST = 999


class Numbering:
    """Counts the paragraphs of each list of one document.

    Attributes:
        written: how many numbers it has given.
    """

    def __init__(
        self, lists: dict[str, tuple[str, dict[int, int]]], levels: dict[str, dict[int, _Level]]
    ) -> None:
        self._lists = lists
        self._levels = levels
        self._styles: dict[str, tuple[str, int]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self.written = 0

    @classmethod
    def of(cls, document: Any) -> Numbering:
        """The lists of a python-docx document; none if it defines none."""
        lists: dict[str, tuple[str, dict[int, int]]] = {}
        levels: dict[str, dict[int, _Level]] = {}
        part = next(
            (r.target_part for r in document.part.rels.values() if r.reltype.endswith("/numbering")), None
        )
        root = getattr(part, "element", None)
        if root is not None:
            for abstract in root.iterchildren(f"{_W}abstractNum"):
                levels[_val(abstract, "abstractNumId")] = {
                    _int(_val(lvl, "ilvl")): _Level(lvl) for lvl in abstract.iterchildren(f"{_W}lvl")
                }
            for num in root.iterchildren(f"{_W}num"):
                starts = {}
                for override in num.iterchildren(f"{_W}lvlOverride"):
                    start = override.find(f"{_W}startOverride")
                    if start is not None:
                        starts[_int(_val(override, "ilvl"))] = _int(_val(start, "val"), 1)
                abstract = num.find(f"{_W}abstractNumId")
                if abstract is not None:
                    lists[_val(num, "numId")] = (_val(abstract, "val"), starts)
        made = cls(lists, levels)
        for style in document.styles.element.iterchildren(f"{_W}style"):
            told = _told(style)
            if told:
                made._styles[_val(style, "styleId")] = told
        return made

    def mark(self, paragraph: Any) -> str:
        """The number that Word shows before a paragraph; empty for most.

        Args:
            paragraph: its ``w:p`` element. Each may be asked for once, in order.
        """
        told = _told(paragraph)
        if told is None:
            style = paragraph.find(f"{_W}pPr/{_W}pStyle")
            told = self._styles.get(_val(style, "val")) if style is not None else None
        if told is None or told[0] not in self._lists:
            return ""
        number, depth = told
        abstract, starts = self._lists[number]
        levels = self._levels.get(abstract, {})
        level = levels.get(depth)
        if level is None or level.form == "none":
            return ""
        # lists of one definition go on counting together, unless this one starts anew
        counts = self._counts.setdefault(number if starts else abstract, {})
        counts[depth] = counts.get(depth, starts.get(depth, level.start) - 1) + 1
        for deeper in [d for d in counts if d > depth]:
            del counts[deeper]
        if level.form == "bullet":
            return ""

        def shown(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            there = levels.get(at)
            if there is None:
                return ""
            return _number(counts.get(at, there.start), there.form)

        mark = re.sub(r"%([1-9])", shown, level.text)
        self.written += bool(mark)
        return mark


class _Level:
    """One level of a list: how it counts and what it shows."""

    def __init__(self, element: Any) -> None:
        def value(tag: str, default: str) -> str:
            child = element.find(f"{_W}{tag}")
            return default if child is None else _val(child, "val")

        self.start = _int(value("start", "1"), 1)
        self.form = value("numFmt", "decimal")
        self.text = value("lvlText", "")


def _told(element: Any) -> tuple[str, int] | None:
    told = element.find(f"{_W}pPr/{_W}numPr")
    if told is None:
        return None
    number, depth = told.find(f"{_W}numId"), told.find(f"{_W}ilvl")
    if number is None:
        return None
    return _val(number, "val"), _int(_val(depth, "val")) if depth is not None else 0


def _val(element: Any, name: str) -> str:
    return str(element.get(f"{_W}{name}") or "")


def _int(digits: str, default: int = 0) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else default


def _number(n: int, form: str) -> str:
    """A number in one of Word's forms; decimal for those that letters do not use.

    >>> [_number(12, f) for f in ("decimal", "chineseCounting", "lowerLetter", "upperRoman")]
    ['12', '十二', 'l', 'XII']
    """
    if not 0 < n <= _MOST:
        return str(n)
    if form.startswith(("chinese", "ideograph", "japaneseCounting", "taiwanese")) and "Heavenly" not in form:
        return _chinese(n)
    if form.startswith("decimalEnclosedCircle") and n <= 20:
        return chr(0x2460 + n - 1)
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (n - 1) % 26) * ((n - 1) // 26 + 1)
        return letter if form == "lowerLetter" else letter.upper()
    if form in ("lowerRoman", "upperRoman"):
        out = ""
        for value, sign in _ROMAN:
            out += sign * (n // value)
            n %= value
        return out if form == "upperRoman" else out.lower()
    return str(n)


_ROMAN = (
    (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def _chinese(n: int) -> str:
    if n >= 100:
        rest = n % 100
        joint = "" if not rest else ("零" + _DIGITS[rest] if rest < 10 else _tens(rest, full=True))
        return _DIGITS[n // 100] + "百" + joint
    return _tens(n)


def _tens(n: int, *, full: bool = False) -> str:
    if n < 10:
        return _DIGITS[n]
    ten, one = divmod(n, 10)
    return ("" if ten == 1 and not full else _DIGITS[ten]) + "十" + (_DIGITS[one] if one else "")
