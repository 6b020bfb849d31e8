"""Bytes to text: byte-order marks, UTF-8, GB18030 (GBK, GB2312), Big5, UTF-16; and the plain text reader.

An encoding is believed only when it decodes every byte *and* what comes out reads as Chinese: GB18030 makes
something of almost any bytes, so strict decoding alone would turn Big5 or damaged UTF-8 into nonsense in
silence.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from commitments.errors import ReadError
from commitments.readers.source import ReadConfig, Source, located

# The 300 characters that are most frequent in reply letters, by a count over this project's own letters: 71
# % of them.
_COMMON = frozenset(
    "一万三上下不与专业两个中为主乡了事二于五交产人亿今从代以们件价企优会位低住体作供保信修做元先入全公共关其养内农准出分划列到制前力办加务动助化区医十协"
    "单厅去县发取口可台号司各合同名后向员和品商四国在地场城基增处备复外多大如委季学安完定实审家对导将小就局届展工已市布师平年并应底府度建开引心性总您"
    "情意成我户房所打批承技把投护报持指按据排接推提支收改放政教数整新方施日时明是月有服期本机权村条来构查标校核案检次正步每比民水法清源点物率环现理生用"
    "由电的监目省研社科程立站第等答算管系级线组经结统续网老职联育能自至营行补表要见规解计议设证评试请调财费资起路车转达过运进通造道部配里重量金镇长门问"
    "间院集面项预题高，。、；：？！“”《》（）你"
)
# Their traditional forms, where these differ.
_TRADITIONAL = frozenset(
    "萬與專業兩個為鄉於產億從們價優會體關養內農準劃辦務動協單廳縣發臺號後員國場處備復學實審對導將屆師並應開總戶護報據數時權條來構標檢環現監級線組經結統續網職"
    "聯營補見規解計議設證評試請調財費資車轉達過運進鎮長門問間項預題「」"
)
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LABEL = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "gb18030": "GB18030",
    "big5": "Big5",
    "utf-16-le": "UTF-16-LE",
    "utf-16-be": "UTF-16-BE",
    "utf-32-le": "UTF-32-LE",
    "utf-32-be": "UTF-32-BE",
}
# Of the characters beyond ASCII, the share that must be common: letters have 0.6 and more, wrong decodings
# below 0.1.
_PLAUSIBLE = 0.3
# Below so many Chinese characters a text that is valid UTF-8 is not judged.
_ENOUGH = 40
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_HIGH = re.compile(rb"[\x80-\xff]")
_BEYOND = re.compile(r"[^\x00-\x7f]")
_SAMPLE = 200_000
_MAGIC = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive (.docx, .xlsx, .wps …)"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.doc, .xls, .wps): save it as .docx"),
    (b"\x89PNG", "a picture: run OCR first"),
    (b"\xff\xd8\xff", "a picture: run OCR first"),
    (b"GIF8", "a picture: run OCR first"),
    (b"\x1f\x8b", "gzip: unpack it first"),
    (b"Rar!", "an archive: unpack it first"),
    (b"7z\xbc\xaf", "an archive: unpack it first"),
    (b"OFD", "an OFD file: convert it to .pdf first"),
)


class Decoded(NamedTuple):
    """Text, the encoding it was in, and what was repaired on the way."""

    text: str
    encoding: str
    repairs: tuple[str, ...]


def read_text(data: bytes, name: str, config: ReadConfig) -> Source:
    """The Source of a plain text file.

    Args:
        data: its bytes.
        name: what errors call it.
        config: not used; all readers take it.

    Raises:
        ReadError: no encoding fits, or it is no text.
    """
    text, encoding, repairs = decode(data, name)
    if not text.strip():
        raise ReadError(name, "holds no text, only white space")
    return located(Source(text=text, name=name, format="txt", encoding=encoding, repairs=repairs))


def decode(data: bytes, name: str, declared: str | None = None) -> Decoded:
    r"""Text of bytes whose encoding is unknown.

    Args:
        data: the bytes.
        name: what errors call them.
        declared: the encoding that the file itself names; believed if it decodes and reads as Chinese.

    Returns:
        The text, with line ends as ``\n``.

    Raises:
        ReadError: no encoding fits; says which were tried, and at which byte and line each failed.

    >>> decode("尊敬的代表：您好".encode("gb18030"), "a.txt").encoding
    'gb18030'
    """
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise ReadError(name, f"is no text but {what}")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _finish(_strict(data[len(bom) :], encoding, name, len(bom)), encoding, name)
    tried: dict[str, UnicodeDecodeError | float] = {}
    if declared:
        text = _attempt(data, declared, tried)
        if text is not None and (declared == "utf-8" or _chinese(text) >= _PLAUSIBLE):
            return _finish(text, declared, name)
    text = _attempt(data, "utf-8", tried)
    if text is not None and "\x00" not in text:
        _judge(text, name)
        return _finish(text, "utf-8", name)
    best = _best(data, tried)
    mixed = _mixture(data) if text is None and (best is None or best[0] == "gb18030") else None
    if mixed:
        raise ReadError(name, mixed)
    if best is None:
        if text is not None or b"\x00" in data[:4096]:
            raise ReadError(name, f"is no text: byte {data.index(0) + 1} is NUL; a binary file?")
        raise ReadError(name, _failures(data, tried))
    encoding, text = best
    return _finish(text, encoding, name)


def _strict(data: bytes, encoding: str, name: str, skipped: int) -> str:
    try:
        return data.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    except UnicodeDecodeError as error:
        where = _where(data, error.start, encoding, skipped)
        raise ReadError(
            name, f"opens with the mark of {_LABEL[encoding]} but is not: {where}; mixed or damaged"
        ) from None


def _attempt(data: bytes, encoding: str, tried: dict[str, UnicodeDecodeError | float]) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        tried[encoding] = error
        return None


def _best(data: bytes, tried: dict[str, UnicodeDecodeError | float]) -> tuple[str, str] | None:
    """The encoding whose text reads most like Chinese, if any does."""
    scored = []
    for encoding in ("gb18030", "big5", "utf-16-le", "utf-16-be"):
        if encoding.startswith("utf-16") and len(data) % 2:
            continue
        text = _attempt(data, encoding, tried)
        if text is None:
            continue
        share = _chinese(text)
        tried[encoding] = share
        if share >= _PLAUSIBLE and "\x00" not in text:
            scored.append((share, encoding, text))
    if not scored:
        return None
    _, encoding, text = max(scored, key=lambda s: s[0])
    return encoding, text


def _chinese(text: str) -> float:
    """Share of common Chinese characters and marks among those beyond ASCII; 0 when there are none."""
    beyond = _BEYOND.findall(text[:_SAMPLE])
    common = sum(c in _COMMON or c in _TRADITIONAL for c in beyond)
    return common / len(beyond) if beyond else 0.0


def _judge(text: str, name: str) -> None:
    """Refuse text that is valid UTF-8 but was read wrongly before it was saved as such."""
    if "锟斤拷" in text:
        raise ReadError(name, "its text was lost by an earlier wrong conversion (锟斤拷); fetch it again")
    beyond = _BEYOND.findall(text[:_SAMPLE])
    if len(beyond) >= _ENOUGH and _chinese(text) < 0.05:
        latin = sum("\x80" <= c <= "\u02ff" or "\u2010" <= c <= "\u2122" for c in beyond)
        han = sum("\u3400" <= c <= "\u9fff" for c in beyond)
        if latin > 0.9 * len(beyond) or han > 0.6 * len(beyond):
            raise ReadError(
                name, "is valid UTF-8 but reads as no Chinese: converted from a wrong encoding earlier?"
            )


def _mixture(data: bytes) -> str | None:
    """What mixes, if some lines are UTF-8 and others GB18030."""
    first: dict[str, str] = {}
    at = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if len(_HIGH.findall(line)) >= 9:
            kind = _one(line)
            if kind:
                first.setdefault(kind, f"line {number} (byte {at + 1}) is {_LABEL[kind]}")
        at += len(line) + 1
    if len(first) < 2:
        return None
    return f"mixes encodings: {', '.join(first.values())}; save all of it as UTF-8"


def _one(line: bytes) -> str | None:
    """The one of the two encodings that a line is surely in."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    try:
        return "gb18030" if _chinese(line.decode("gb18030")) >= _PLAUSIBLE else None
    except UnicodeDecodeError:
        return None


def _finish(text: str, encoding: str, name: str) -> Decoded:
    repairs = []
    controls = _CONTROL.findall(text)
    if "\x00" in controls:
        at = text.index("\x00")
        raise ReadError(
            name, f"is no text: a NUL stands in line {text.count(chr(10), 0, at) + 1}; a binary file?"
        )
    if len(controls) > 3 and len(controls) > 0.005 * len(text):
        raise ReadError(name, f"is no text: {len(controls)} control characters; a binary file?")
    if encoding != "utf-8":
        repairs.append(f"decoded from {_LABEL[encoding]}")
    if text.startswith("\ufeff"):
        text = text.lstrip("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        repairs.append("line ends (CR) read as line breaks")
    if "\ufffd" in text:
        repairs.append(
            f"{text.count(chr(0xFFFD))} characters were already lost (U+FFFD) in a conversion before"
        )
    return Decoded(text, encoding.removesuffix("-sig"), tuple(repairs))


def _where(data: bytes, at: int, encoding: str, skipped: int = 0) -> str:
    if encoding.startswith("utf-16") or encoding.startswith("utf-32"):
        return f"byte {at + skipped + 1}"
    return f"byte {at + skipped + 1}, line {data.count(10, 0, at) + 1}"


def _failures(data: bytes, tried: dict[str, UnicodeDecodeError | float]) -> str:
    parts = []
    for encoding, why in tried.items():
        if isinstance(why, UnicodeDecodeError):
            parts.append(f"{_LABEL[encoding]} (fails at {_where(data, why.start, encoding)})")
        elif not encoding.startswith("utf-16"):
            parts.append(f"{_LABEL[encoding]} (decodes, but reads as no Chinese)")
    return f"in no encoding we know: tried {', '.join(parts)}; mixed or damaged? Save it as UTF-8"
