"""Web pages as government sites publish them (extra ``files``): bytes to text with the letter marked in it.

The whole page becomes text, nothing of it is lost: block elements and ``<br>`` break lines, cells of a
table's row are joined by ``|``. Elements that no letter stands in (``nav``, ``footer``, breadcrumbs …) are
handed to `commitments.locate` as not of the letter; it judges all other lines by what they say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from commitments import furniture
from commitments.errors import MissingExtra, ReadError
from commitments.readers.source import ReadConfig, Source, located
from commitments.readers.text import decode

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_BLOCK = frozenset(
    re.split(
        " ",
        "address article aside blockquote body caption center dd div dl dt fieldset figure figcaption "
        "footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody tfoot thead tr "
        "ul ucapcontent ucaptitle",
    )
)
_SHORT = 80  # a cell with no more characters is a value, which is joined to the next by “|”
_ROWS = frozenset(["tr", "tbody", "thead", "tfoot"])
_DROPPED = frozenset(
    re.split(
        " ",
        "script style noscript template iframe object embed svg canvas select option button input "
        "textarea head title meta link",
    )
)
_APART = frozenset(["nav", "footer", "aside"])
_APART_NAME = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|menu|submenu|breadcrumbs?|crumbs?|curpos|location|position|weizhi|dqwz|"
    r"footer|foot|bottom|copyright|banner|sidebar|share|"
    r"bdsharebuttonbox|related|xgyd|xglj|tuijian|prevnext|page-?nav|toolbar|tools|print|search|login|qrcode|"
    r"ewm)(?:$|[\s_-])",
    re.IGNORECASE,
)
_MAIN_NAME = re.compile(
    r"(?:^|[\s_-])(?:trs_editor|trs_uedit|ucap-content|zoom|zoomcon|vsb_content(?:_\d+)?|v_news_content|"
    r"article-?con(?:tent)?|art_con|articlecontent|"
    r"pages_content|news_content|xxgk_content|content_text|con_text|txtcontent|wznr|xl_content|"
    r"easysite-news-text|bt_content|ccontent)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,20})|<\?xml[^>]{0,80}encoding=["']([\w-]{2,20})""",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)")
# Elements that close themselves, or one another: unclosed, they do not nest.
_FLAT = frozenset(
    re.split(
        " ",
        "area base body br col dd dt embed head hr html img input li link meta option p param source tbody "
        "td tfoot th thead tr track wbr",
    )
)
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_META = {
    "articletitle": "title",
    "pubdate": "date",
    "contentsource": "agency",
    "sitename": "site",
    "columnname": "column",
}
_GB = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "cp936", "hz-gb-2312"})


class _Extracted(NamedTuple):
    text: str
    outside: tuple[tuple[int, int], ...]
    main: tuple[int, int] | None


def read_html(data: bytes, name: str, config: ReadConfig) -> Source:
    """The Source of a web page.

    Args:
        data: its bytes.
        name: what errors call it.
        config: limits.

    Raises:
        ReadError: it cannot be decoded, is nested beyond reason, or has no text.
        MissingExtra: selectolax is not installed.
    """
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        raise MissingExtra("Reading .html", "files") from None
    declared = _declared(data)
    markup, encoding, repairs = decode(data, name, declared)
    if declared and declared != encoding:
        repairs += (f"the page says {declared}, but its bytes are {encoding}",)
    _shallow(markup, name, config)
    tree = LexborHTMLParser(markup)
    if tree.root is None:
        raise ReadError(name, "has no text: an empty page")
    page = _extract(tree.root)
    if not page.text.strip():
        raise ReadError(name, "has no text: a page filled in by scripts? Save it from a browser")
    metadata = _metadata(tree.root)
    source = Source(
        text=page.text, name=name, format="html", encoding=encoding, repairs=repairs, metadata=metadata
    )
    found = located(source, (*page.outside, *_around(page)))
    if not found.regions and page.outside:
        return located(source)
    return found


def _declared(data: bytes) -> str | None:
    found = _CHARSET.search(data[:4096])
    if not found:
        return None
    name = (found[1] or found[2]).decode("ascii").lower()
    if name in _GB:
        return "gb18030"
    return {"utf-8": "utf-8", "utf8": "utf-8", "big5": "big5"}.get(name)


def _shallow(markup: str, name: str, config: ReadConfig) -> None:
    """Refuse pages whose nesting the parser would need quadratic time for."""
    depth = 0
    for tag in _TAG.finditer(markup):
        if tag[2].lower() in _FLAT:
            continue
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > config.max_depth:
            raise ReadError(name, f"its elements are nested more than {config.max_depth} deep; damaged?")


def _metadata(root: LexborNode) -> dict[str, str]:
    """What the page says of itself in its ``<meta>`` elements, named as government sites do, and title."""
    told: dict[str, str] = {}
    for meta in root.css("meta[name]"):
        key = _META.get((meta.attributes.get("name") or "").lower())
        value = (meta.attributes.get("content") or "").strip()
        if key and value:
            told.setdefault(key, value)
    title = root.css_first("title")
    if title is not None:
        words = _SPACE.sub(" ", title.text()).strip()
        if words:
            told.setdefault("title", words)
    return told


def _extract(root: LexborNode) -> _Extracted:
    """Text of all elements in order, without recursion; and the stretches that no letter stands in."""
    out = _Lines()
    outside: list[tuple[int, int]] = []
    mains: list[tuple[int, int]] = []
    stack: list[tuple[LexborNode | None, str, int, str]] = [(root, "", 0, "")]
    while stack:
        node, leave, start, broke = stack.pop()
        if node is None:
            if broke:
                out.newline(hard=broke == "hard")
            if leave == "apart":
                outside.append((start, out.length))
            elif leave == "main":
                mains.append((start, out.length))
            elif leave == "cell":
                out.cell_end()
            continue
        tag = node.tag or ""
        if tag == "-text":
            out.write(_SPACE.sub(" ", node.text_content or ""))
            continue
        if tag == "br":
            out.newline()
            continue
        if tag in _DROPPED or (tag.startswith("-") and tag != "-document") or _invisible(node):
            continue
        block = ""
        if tag in _BLOCK:
            block = "hard" if tag in _ROWS else "soft"
            out.newline(hard=block == "hard")
        leave = ""
        if tag in ("td", "th"):
            out.cell_start(alone=_long(node))
            leave = "cell"
        names = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}"
        if tag in _APART or (tag != "body" and _APART_NAME.search(names)):
            leave = "apart" if leave == "" else leave
        elif _MAIN_NAME.search(names) or tag in ("article", "main", "ucapcontent"):
            leave = "main" if leave == "" else leave
        stack.append((None, leave, out.length, block))
        children = []
        child = node.child
        while child is not None:
            children.append(child)
            child = child.next
        stack.extend((c, "", 0, "") for c in reversed(children))
    text = out.text()
    # an element that holds most of the page is no furniture, whatever it is called
    half = len(text) * 0.4
    kept = tuple((a, b) for a, b in outside if b > a and b - a < half and not _lettered(text[a:b]))
    best = max(mains, key=lambda s: s[1] - s[0], default=None)
    return _Extracted(text, kept, best)


def _long(cell: LexborNode) -> bool:
    """Whether a cell holds a text of its own and no short value; looks at its first nodes only."""
    length, nodes = 0, 0
    stack = [cell.child]
    while stack and length <= _SHORT and nodes <= _SHORT:
        node = stack.pop()
        while node is not None and length <= _SHORT and nodes <= _SHORT:
            nodes += 1
            if node.tag == "-text":
                length += len((node.text_content or "").strip())
            elif node.tag not in _DROPPED:
                stack.append(node.child)
            node = node.next
    return length > _SHORT or nodes > _SHORT


def _lettered(text: str) -> bool:
    """Whether a letter stands in a stretch: somebody is addressed, and running text follows."""
    lines = [line.strip() for line in text.split("\n")]
    return any(furniture.is_salutation(line) for line in lines) and any(map(furniture.is_content, lines))


def _around(page: _Extracted) -> tuple[tuple[int, int], ...]:
    """What lies around the element with the article is not the letter's, if that has the letter."""
    if page.main is None or not _lettered(page.text[slice(*page.main)]):
        return ()
    start, end = page.main
    out = []
    if not _lettered(page.text[end:]):
        out.append((end, len(page.text)))
    # above it stand the title and perhaps a form's fields: only running text is surely not the letter's
    above = page.text[:start].split("\n")
    if not any(furniture.asked(cell.strip()) is not None for line in above for cell in line.split("|")):
        at = 0
        for line in above:
            if furniture.is_content(line.strip()) and not furniture.is_title(line.strip()):
                out.append((at, at + len(line)))
            at += len(line) + 1
    return tuple(out)


def _invisible(node: LexborNode) -> bool:
    style = (node.attributes.get("style") or "").replace(" ", "").lower()
    return "display:none" in style or "hidden" in node.attributes


class _Lines:
    """Text being put together: no line is empty or ends with a space, cells of a row stand on one line."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.length = 0
        self._pending = ""
        self._broke = 0
        self._cells: list[int] = []

    def write(self, words: str) -> None:
        bare = words.strip(" ")
        if not bare:
            if words and self.length and not self._pending:
                self._pending = " "
            return
        if self.length:
            if self._pending in ("", " ") and (self._pending or words[0] == " "):
                self._append(" ")
            elif self._pending:
                if self._pending == "\n":
                    self._broke = self.length
                self._append(self._pending)
        self._append(bare)
        self._pending = " " if words[-1] == " " else ""

    def newline(self, *, hard: bool = False) -> None:
        if hard or self._pending != " | ":
            self._pending = "\n"

    def cell_start(self, *, alone: bool) -> None:
        if alone:
            self._pending = "\n"
        self._cells.append(self.length)

    def cell_end(self) -> None:
        # a cell of one short line is joined to the next; one that holds a text of its own stands alone
        start = self._cells.pop()
        if self.length > start:
            self._pending = " | " if self.length - start <= _SHORT and self._broke <= start else "\n"

    def text(self) -> str:
        return "".join(self._parts)

    def _append(self, words: str) -> None:
        self._parts.append(words)
        self.length += len(words)
