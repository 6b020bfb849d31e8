"""The library's linguistic knowledge, as data: cues, headings, agencies, units, periods.

Each table is a TOML file in this folder, with comments, examples and counter-examples. This module only finds
and parses them; what a table means is said in the table and in the stage that reads it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from commitments.errors import SchemaError


@cache
def table(name: str) -> dict[str, Any]:
    """Parse one table of the lexicon.

    Args:
        name: of the file, without ``.toml``.

    Raises:
        SchemaError: there is no such table, or it is no TOML.

    >>> "cue" in table("cues")
    True
    """
    path = Path(__file__).with_name(f"{name}.toml")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.toml")))
        raise SchemaError(f"lexicon has no table {name!r}; it has {known}") from None
    except tomllib.TOMLDecodeError as error:
        raise SchemaError(f"{path.name}: {error}") from error


def alternatives(
    words: Iterable[str], after: Mapping[str, str] | None = None, before: Mapping[str, str] | None = None
) -> str:
    """Words as one regular expression, the longest match first.

    Words that begin alike share their beginning, so that matching costs no more for many words than for few.

    Args:
        words: literal.
        after: what must not follow a word, by word: the inside of ``(?!…)``.
        before: what must not stand before it, by word: the inside of ``(?<!…)``.

    >>> import re
    >>> pattern = re.compile(alternatives(["市", "市政", "市政府"], after={"市": "民"}))
    >>> [m.group() for m in pattern.finditer("市政府、市政、市民、市")]
    ['市政府', '市政', '市']
    """
    root: dict[str, Any] = {}
    for word in sorted(set(words)):
        node = root
        for c in word:
            node = node.setdefault(c, {})
        node[""] = (f"(?!{after[word]})" if after and word in after else "") + (
            f"(?<!{before[word]}{re.escape(word)})" if before and word in before else ""
        )
    return _joined(root)


def _joined(node: dict[str, Any]) -> str:
    ways = [re.escape(c) + _joined(below) for c, below in node.items() if c]
    if "" in node:
        ways.append(node[""])
    if len(ways) == 1:
        return ways[0]
    if all(len(way) == 1 for way in ways):
        return f"[{''.join(ways)}]"
    return f"(?:{'|'.join(ways)})"
