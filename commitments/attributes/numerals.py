"""Numbers as these letters write them, token by token: 3.4、1,143、1 143、一千二百、两、半、二〇二三.

Only a whole token is read here; where a number begins and ends in running text is decided by the grammars
that call this. The value of every token of up to four figures was checked against the ``cn2an`` library.
"""

from __future__ import annotations

import re

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")}
_DIGITS |= {
    "〇": 0,
    "○": 0,
    "O": 0,
    "o": 0,
    "０": 0,
    "两": 2,
    "俩": 2,
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "肆": 4,
    "伍": 5,
}
_DIGITS |= {"陆": 6, "柒": 7, "捌": 8, "玖": 9, "幺": 1}
_TENS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000, "廿": 20, "卅": 30}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_ARABIC = re.compile(r"\d{1,3}(?:[,， ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_LONGEST = 24
"""Figures that a number may have: what is longer is no number of a letter (a state's budget has 14)."""


def number(figures: str) -> float | None:
    """The value of a numeral, in Arabic or Chinese figures, or both (``1.2万``); ``None`` when it is none.

    Args:
        figures: the numeral alone, without a unit.

    >>> number("1,143"), number("一千二百"), number("3.4亿"), number("两"), number("二〇二三"), number("十几")
    (1143.0, 1200.0, 340000000.0, 2.0, 2023.0, None)
    """
    figures = figures.strip()
    if not figures or len(figures) > _LONGEST:
        return None
    scale = 1
    while figures and figures[-1] in _MYRIADS:
        scale *= _MYRIADS[figures[-1]]
        figures = figures[:-1].rstrip()
    if not figures:
        return float(scale) if scale > 1 else None
    if _ARABIC.fullmatch(figures):
        return _round(float(re.sub(r"[,， ]", "", figures)) * scale)
    if len(figures) > 1 and figures[-1] in "百千十" and _ARABIC.fullmatch(figures[:-1].strip()):  # 3千、20百
        return _round(float(re.sub(r"[,， ]", "", figures[:-1])) * _TENS[figures[-1]] * scale)
    value = _chinese(figures)
    return None if value is None else _round(value * scale)


def _round(value: float) -> float:
    """Without the dust that binary fractions leave: 1.1 × 10000 is 11000."""
    return round(value, 6) if abs(value) < 1e9 else float(round(value, 2))


def _chinese(figures: str) -> float | None:
    """A numeral in Chinese figures, or ``None``."""
    whole, point, fraction = figures.partition("点")
    if point:
        if not whole:
            return None
        digits = [_DIGITS.get(c) for c in fraction]
        base = _chinese(whole)
        if base is None or not digits or None in digits:
            return None
        return base + float("0." + "".join(str(d) for d in digits))
    if figures == "半":
        return 0.5
    if figures[-1] == "半":  # 一倍半 is written 一半 before its unit only by mistake
        return None
    if all(c in _DIGITS for c in figures):
        if len(figures) == 1:
            return float(_DIGITS[figures])
        return float("".join(str(_DIGITS[c]) for c in figures)) if len(figures) > 2 else None
    return _positional(figures)


def _positional(figures: str) -> float | None:
    """A numeral with 十、百、千、万、亿, such as 三千二百五 or 一亿零五十."""
    total = section = 0
    digit: int | None = None
    last = 1
    for c in figures:
        if c in _DIGITS:
            if digit is not None and digit != 0:
                return None
            digit = _DIGITS[c]
            if digit == 0:
                last = 1
        elif c in ("廿", "卅"):
            section += _TENS[c]
            last = 10
        elif c in _TENS:
            if digit == 0:
                return None
            section += (1 if digit is None else digit) * _TENS[c]
            last, digit = _TENS[c], None
        elif c in _MYRIADS:
            section += digit or 0
            if not section and not total:
                return None
            total = (total + section) * _MYRIADS[c] if _MYRIADS[c] == 10**8 else total + section * _MYRIADS[c]
            last, section, digit = _MYRIADS[c], 0, None
        else:
            return None
    if digit is not None:
        section += digit * (last // 10 if last >= 100 and digit else 1)  # 三千二 is 3200
    return float(total + section)
