"""How the time to read a text grows with its length: ordinary letters, and texts made to be slow.

A text is doubled again and again. In linear time each doubling takes twice as long; the last is the one to
judge by, since fixed costs weigh least there.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

MEGABYTE = 1 << 20

SUSPECT = 2.6
"""A ratio of times of a doubling that is clearly not linear; three would be n to the power of 1.6."""

LONGEST = 100_000
"""Characters of the longest shape."""

TELLING = 0.05
"""Seconds below which a ratio is noise."""

LIMIT = 8.0
"""Seconds after which a text is not doubled again."""

FRAME = "王代表：\n您提出的建议收悉，现答复如下：\n"
"""Put before a shape, since what stands in a letter goes through rules that page furniture does not."""


def _nested(n: int) -> str:
    return "（" * (n // 2) + "）" * (n // 2)


def _filled(piece: str) -> Callable[[int], str]:
    return lambda n: (piece * (n // len(piece) + 1))[:n]


SHAPES: Mapping[str, Callable[[int], str]] = {
    "one cue": _filled("将"),
    "another cue": _filled("下一步"),
    "cues and commas": _filled("已，将，"),
    "a cue's words with what cancels them": _filled("将来已经"),
    "parts of a title": _filled("的建议"),
    "titles": _filled("关于增设公交站的建议"),
    "lines of titles": _filled("关于增设公交站的建议\n"),
    "nested brackets": _nested,
    "open brackets": _filled("（"),
    "open titles": _filled("《"),
    "open quotes": _filled("“"),
    "paired quotes": _filled("“建”"),
    "ordinals": _filled("一、二、"),
    "lines of ordinals": _filled("一、建。\n（一）建。\n1.建。\n"),
    "headings with ordinals": _filled("一、关于公交站的建议\n二、关于公园的建议\n"),
    "leads": _filled("一是建站。二是建园。"),
    "references by ordinal": _filled("关于第一条建议，已建。"),
    "digits": _filled("1234567890"),
    "years": _filled("2023年"),
    "dates on lines": _filled("2023年5月1日\n"),
    "spaces": _filled(" "),
    "wide spaces": _filled("\u3000"),
    "spaces between characters": _filled("建 "),
    "newlines": _filled("\n"),
    "short lines": _filled("建\n"),
    "bars": _filled("建|"),
    "commas": _filled("，"),
    "commas between characters": _filled("建，"),
    "full stops": _filled("。"),
    "colons": _filled("建："),
    "short sentences": _filled("已建。将建。"),
    "no mark at all": _filled("建"),
    "Latin letters": _filled("a"),
    "fields": _filled("索引号：1\n名称：甲\n"),
    "question and answer": _filled("建议内容：建。\n答复内容：建。\n"),
    "traditional characters": _filled("將建設"),
    "signatures": _filled("某市教育局\n2023年5月1日\n"),
    "salutations": _filled("王代表：\n"),
}


class Growth(msgspec.Struct, frozen=True):
    """Times of one kind of text at doubled lengths.

    Attributes:
        name: of the kind.
        sizes: characters.
        seconds: the best of the runs.
        stopped: it took so long that it was not doubled to the end.
    """

    name: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    stopped: bool = False

    @property
    def ratio(self) -> float | None:
        """Time of the longest by that of the one before it, as if exactly twice as long."""
        if len(self.sizes) < 2:
            return None
        longer = self.sizes[-1] / self.sizes[-2]
        return 2 * self.seconds[-1] / self.seconds[-2] / longer

    @property
    def linear(self) -> bool:
        """Whether the last doubling is no reason for suspicion, or too short to tell."""
        return not self.stopped and ((self.ratio or 0.0) <= SUSPECT or self.seconds[-1] < TELLING)


def grow(
    name: str,
    read: Callable[[str], object],
    make: Callable[[int], str],
    sizes: Sequence[int],
    limit: float = LIMIT,
) -> Growth:
    """Time texts of growing length.

    Args:
        name: of the kind of text.
        read: what is timed.
        make: a text of about so many characters.
        sizes: lengths, each twice the one before.
        limit: seconds; after a longer run there is no further one.
    """
    measured: list[int] = []
    seconds: list[float] = []
    for size in sizes:
        text = make(size)
        best = _seconds(read, text)
        if best < limit / 8:
            best = min(best, _seconds(read, text))
        measured.append(len(text))
        seconds.append(best)
        if best > limit:
            break
    # What looks slow may have been a pause of the machine: look again.
    for _ in range(4):
        if Growth(name, tuple(measured), tuple(seconds)).linear or seconds[-1] > limit:
            break
        for place in (-2, -1):
            seconds[place] = min(seconds[place], _seconds(read, make(measured[place])))
    return Growth(name, tuple(measured), tuple(seconds), len(measured) < len(sizes))


def repeated(letter: str, read: Callable[[str], object], characters: int = MEGABYTE) -> Growth:
    """Time a letter written down 1, 2, 4, 8, … times, up to so many characters or more."""
    piece = letter.rstrip("\n") + "\n"
    sizes = [len(piece)]
    while sizes[-1] < characters:
        sizes.append(2 * sizes[-1])
    return grow("letter", read, lambda n: piece * (n // len(piece)), sizes)


def adversarial(read: Callable[[str], object], longest: int = LONGEST, doublings: int = 3) -> list[Growth]:
    """Time every shape, alone and inside a letter."""
    sizes = [longest >> i for i in range(doublings, -1, -1)]
    found = []
    for name, make in SHAPES.items():
        found.append(grow(name, read, make, sizes))
        found.append(grow(f"{name}, in a letter", lambda text: read(FRAME + text), make, sizes))
    return found


def _seconds(read: Callable[[str], object], text: str) -> float:
    # The collector's full passes come in steps, which look like a bend where there is none.
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        read(text)
        return max(time.process_time() - began, 1e-9)
    finally:
        gc.enable()
