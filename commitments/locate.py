"""Finds the letter, the suggestion and the page's furniture in a page's plain text.

Works line by line, and on the pieces of lines that a flattened page has joined with ``|`` or spaces. What a
single line is, `commitments.furniture` knows; here the whole page is weighed. When in doubt a line is the
letter's: leaving out a measure is worse than keeping a breadcrumb. The letter's own parts (salutation,
signature …) are found by `structure`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec

from commitments import furniture as f
from commitments.draft import Region
from commitments.terms import Role

# Labels that index tables have and publication lines have not.
_INDEXED = frozenset(
    ["索引号", "信息索引号", "主题分类", "信息分类", "组配分类", "体裁分类", "有效性", "效力状态"]
)

_LETTER, _OUT, _ASKED = Role.BODY, Role.OUTSIDE, Role.SUGGESTION


class LocateConfig(msgspec.Struct, frozen=True):
    """How a page is cut up.

    Attributes:
        flat: a line with furniture in it that is longer than this is taken for a page flattened to one line.
        near: a list of other pages after a date this few lines back is after the signature.
    """

    flat: int = 120
    near: int = 5


def locate(
    text: str, *, outside: Sequence[tuple[int, int]] = (), config: LocateConfig | None = None
) -> tuple[Region, ...]:
    r"""The letter (``Role.BODY``), the suggestion and the rest of a page.

    Args:
        text: a letter, or the text of the page around it.
        outside: stretches known not to be the letter's, such as a page's ``<footer>``.
        config: how the page is cut up.

    Returns:
        Regions in order that cover the text; empty when all of it is the letter.

    >>> page = "首页 > 政务公开\n王代表：\n您的建议收悉。明年建公园。\n【打印本页】【关闭窗口】"
    >>> [(r.role.value, page[r.start:r.end].split()[0]) for r in locate(page)]
    [('outside', '首页'), ('body', '王代表：'), ('outside', '【打印本页】【关闭窗口】')]
    >>> locate("王代表：\n您的建议收悉。明年建公园。")
    ()
    """
    found = f.marks(text)
    if not found and not outside:
        return ()
    pieces = _pieces(text, found, config or LocateConfig())
    _hide(pieces, outside)
    start = _form(pieces)
    _head(pieces, start)
    _tail(pieces, start, (config or LocateConfig()).near)
    return _regions(text, pieces)


class _Piece(msgspec.Struct):
    """A line, or a part of one: what it is, and whose."""

    start: int
    end: int
    text: str
    kind: str
    line: int
    role: Role | None = None
    label: bool = False  # a form's label was cut off before it


def _pieces(text: str, found: list[int], config: LocateConfig) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = number = 0
    while at <= len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        line = text[at:stop]
        marked = bisect_left(found, stop) > bisect_left(found, at)
        spans = [(0, len(line))]
        if "|" in line or "｜" in line or marked:
            flat = marked and (len(line) > config.flat or not f.is_content(line.strip()))
            whole = line.strip()
            if not (f.is_nav(whole) or f.is_neighbour(whole)):
                spans = f.cuts(line, flat=flat)
        for start, end in spans:
            part = line[start:end]
            bare = part.strip()
            if bare:
                lead = len(part) - len(part.lstrip())
                begin = at + start + lead
                pieces.append(_Piece(begin, begin + len(bare), bare, _kind(bare), number))
        at = stop + 1
        number += 1
    return pieces


def _kind(line: str) -> str:
    """One word for what a line is; the first that fits."""
    if f.is_nav(line):
        return "nav"
    if f.is_neighbour(line):
        return "neighbour"
    if f.is_tool(line):
        return "tool"
    if f.is_related(line):
        return "related"
    label = f.field(line)
    if label:
        return "field" if label[1] else "weak"
    if f.is_footer(line):
        return "footer"
    if f.is_file(line):
        return "file"
    if f.is_listed(line):
        return "listed"
    if f.is_stamp(line):
        return "stamp"
    if f.is_salutation(line):
        return "salutation"
    if f.is_header(line):
        return "header"
    if f.is_title(line):
        return "title"
    return "content" if f.is_content(line) else "other"


def _hide(pieces: list[_Piece], outside: Sequence[tuple[int, int]]) -> None:
    spans: list[tuple[int, int]] = []
    for start, end in sorted(outside):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    starts = [s for s, _ in spans]
    for piece in pieces:
        at = bisect_right(starts, piece.start) - 1
        if at >= 0 and piece.end <= spans[at][1]:
            piece.role, piece.kind = _OUT, "hidden"


def _form(pieces: list[_Piece]) -> int:
    """Mark the suggestion of a form page; return the index of the first piece that may be the letter's."""
    asked = next(
        (i for i, p in enumerate(pieces) if p.kind != "hidden" and f.asked(p.text) is not None), None
    )
    cause = next(
        (i for i, p in enumerate(pieces) if p.kind != "hidden" and f.form_field(p.text) == "案由"), None
    )
    first = asked if asked is not None else cause
    # inside a letter the same words are its headings
    if first is None or any(p.kind == "salutation" or f.is_opening(p.text) for p in pieces[:first]):
        return 0
    last = next(
        (i for i in range(len(pieces) - 1, first, -1) if f.answered(pieces[i].text) is not None), None
    )
    answer = None
    for i in range(first + 1, (last or first) + 1):
        if pieces[i].role is None and f.answered(pieces[i].text) is not None and _answers(pieces, i):
            answer = i
            break
    if answer is None or any(f.is_opening(p.text) for p in pieces[first:answer]):
        return 0
    _cells(pieces, 0, first, keep_title=True)
    _cells(pieces, first, answer, keep_title=False)
    label = pieces[answer]
    begin = f.answered(label.text) or 0
    _trim(label, begin)
    if label.role is not None:
        answer += 1
    # fields that stand between the label and the letter, or after it
    for i in range(answer, len(pieces)):
        if pieces[i].kind in ("content", "salutation", "title", "header"):
            break
        if f.form_field(pieces[i].text):
            _drop_field(pieces, i, len(pieces))
    return answer


def _answers(pieces: list[_Piece], i: int) -> bool:
    """Whether running text follows a reply's label, so that it is no field such as 办理结果：A."""
    begin = f.answered(pieces[i].text) or 0
    rest = pieces[i].text[begin:]
    if rest:
        return f.is_content(rest) or f.is_salutation(rest) or f.is_title(rest)
    sure = f.is_answer(pieces[i].text)
    for p in pieces[i + 1 : i + 8]:
        if p.kind in ("content", "salutation", "title"):
            return True
        if f.is_answer(p.text) or (not sure and (f.answered(p.text) is not None or f.form_field(p.text))):
            return False
    return False


def _cells(pieces: list[_Piece], first: int, stop: int, *, keep_title: bool) -> None:
    """Tell the suggestion's text from the form's fields around it."""
    inside = False
    i = first
    while i < stop:
        piece = pieces[i]
        begin = f.asked(piece.text)
        if piece.kind == "hidden":
            pass
        elif begin is not None:
            inside = True
            _trim(piece, begin)
            if piece.role is None:
                piece.role = _ASKED
        elif f.form_field(piece.text) and not f.is_content(piece.text):
            only = not inside and not keep_title and f.form_field(piece.text) == "案由"
            taken = _drop_field(pieces, i, stop)
            if only:
                _cause(pieces[i:taken])
            i = taken - 1
        elif inside and not _furnished(piece):
            piece.role = _ASKED
        elif not (keep_title and piece.kind == "title" and pieces[i + 1].kind != "title"):
            piece.role = _OUT
        i += 1


def _cause(cells: list[_Piece]) -> None:
    """The matter (案由) of a form that has no other text of the suggestion is the suggestion."""
    if len(cells) > 1:
        cells[1].role = _ASKED
        return
    mark = max(cells[0].text.find("："), cells[0].text.find(":"))
    if mark >= 0:
        cells[0].role = None
        _trim(cells[0], mark + 1)
        cells[0].role = cells[0].role or _ASKED


def _drop_field(pieces: list[_Piece], i: int, stop: int) -> int:
    """Leave out a form's field and, when it stands in the next cell, its value; return what follows."""
    pieces[i].role = _OUT
    alone = pieces[i].text.rstrip(" 】]").endswith(("：", ":")) or len(pieces[i].text) <= 6
    if alone and i + 1 < stop:
        value = pieces[i + 1]
        if (
            f.form_field(value.text) is None
            and f.asked(value.text) is None
            and f.answered(value.text) is None
            and value.kind not in ("content", "salutation")
            and value.role is None
        ):
            value.role = _OUT
            return i + 2
    return i + 1


def _trim(piece: _Piece, begin: int) -> None:
    """Cut a label off; a piece that is all label is not the letter's."""
    rest = piece.text[begin:].strip()
    if not rest:
        piece.role = _OUT
        return
    piece.label = begin > 0
    piece.start = piece.end - len(rest)
    piece.text = rest
    piece.kind = _kind(rest)


def _furnished(piece: _Piece) -> bool:
    return piece.kind in ("nav", "neighbour", "tool", "related", "field", "footer", "file", "hidden")


def _head(pieces: list[_Piece], first: int) -> None:
    """Tell the letter's first lines from what the site puts above them."""
    body = _begin(pieces, first)
    if body is None:
        return
    _values(pieces, first, body)
    last = first - 1  # the last piece that nothing of the letter precedes, but perhaps its title
    for i in range(first, body):
        piece = pieces[i]
        if piece.role is not None:
            last = i if piece.kind == "table" else last
            continue
        if piece.kind in ("nav", "neighbour", "related"):
            last = i
        if _furnished(piece) or piece.kind == "listed":
            piece.role = _OUT
    titles = [i for i in range(first, body) if pieces[i].kind == "title" and pieces[i].role is None]
    crumb = max((i for i in range(first, body) if pieces[i].kind == "nav"), default=first - 1)
    kept = titles[-1] if titles and titles[-1] < last else None
    for i in range(first, last):
        piece = pieces[i]
        if piece.role is None and i != kept and (piece.kind != "header" or i < crumb):
            piece.role = _OUT
    furnished = any(p.role is not None for p in pieces[first:body])
    for piece in pieces[first:body]:
        if piece.kind == "stamp" and furnished:
            piece.role = _OUT
    # the page's own copy of a title that the letter bears too, and a list of other letters above it
    for i in titles[:-1]:
        same = _same(pieces[i].text, pieces[titles[-1]].text)
        if furnished and pieces[i].role is None and (same or pieces[i + 1].kind == "title"):
            pieces[i].role = _OUT


def _begin(pieces: list[_Piece], first: int) -> int | None:
    """Index of the first running text; a breadcrumb starts the search anew until somebody is addressed."""
    begin = None
    for i in range(first, len(pieces)):
        piece = pieces[i]
        if piece.kind == "salutation":
            return begin if begin is not None else i
        if begin is None:
            begin = i if piece.kind == "content" and piece.role is None else None
        elif f.is_dated(piece.text):
            return begin
        elif piece.kind == "nav" and f.is_crumb(piece.text) and _opens(pieces, i):
            begin = None
    return begin


def _opens(pieces: list[_Piece], i: int) -> bool:
    """Whether a letter begins shortly after a breadcrumb."""
    return any(p.kind in ("salutation", "content") and p.role is None for p in pieces[i + 1 : i + 15])


def _values(pieces: list[_Piece], first: int, stop: int) -> None:
    """Leave out index tables and publication lines: labels, and values in cells of their own."""
    runs: list[tuple[list[int], bool]] = []
    i = first
    while i < stop:
        if pieces[i].kind not in ("field", "weak") or pieces[i].role is not None:
            i += 1
            continue
        run, strong = [], False
        j = i
        while j < stop and pieces[j].kind in ("field", "weak", "tool"):
            strong = strong or pieces[j].kind == "field" or _publication(pieces[j].text)
            run.append(j)
            j += 1
            if j < stop and _value(pieces, j):
                run.append(j)
                j += 1
        runs.append((run, strong))
        i = j
    inside = {k for run, _ in runs for k in run}
    last = max((k for k in range(first, stop) if pieces[k].kind == "title" and k not in inside), default=-1)
    for run, strong in runs:
        table = len(run) > 1 and not _published(pieces, run)
        for k in run if strong else ():
            if not table and f.is_header(pieces[k].text):
                continue  # the letter's own, below the publication line
            if pieces[k].kind != "title" or k < last:
                pieces[k].role = _OUT
                pieces[k].kind = "table" if table else pieces[k].kind


def _value(pieces: list[_Piece], i: int) -> bool:
    """Whether a piece is the value of the label before it, which stands alone in its cell or on its line."""
    label, piece = pieces[i - 1], pieces[i]
    told = f.field(label.text)
    if not told or "".join(label.text.strip(" ：:【】[]").split()) != told[0]:
        return False
    if piece.kind in ("field", "weak", "tool", "content", "salutation"):
        return False
    if piece.line != label.line:
        # the label of a cell that is empty has no value on the next line
        cells = i > 1 and pieces[i - 2].line == label.line
        if cells or (piece.kind == "header" and told[0] not in ("文号", "发文字号") and "〔" in piece.text):
            return False
    # a title is the value of 名称 alone; below another empty field it is the letter's
    return piece.kind != "title" or told[0] in ("名称", "标题", "信息名称", "文件名称")


def _publication(line: str) -> bool:
    """A line such as 来源：某局 字体：大 中 小, whose labels are weak one by one."""
    return len(f.pairs([line])) > 1 or "字体" in line or "字号" in line or "分享" in line


def _published(pieces: list[_Piece], run: list[int]) -> bool:
    """Whether a run of fields is a publication line, which stands below the title, and no index table."""
    return not any((f.field(pieces[k].text) or ("",))[0] in _INDEXED for k in run)


def _same(one: str, other: str) -> bool:
    one, other = "".join(one.split()), "".join(other.split())
    return one in other or other in one


def _tail(pieces: list[_Piece], first: int, near: int) -> None:
    """Leave out what the site puts below the letter."""
    body = _begin(pieces, first)
    if body is None:
        return
    addressed = max((i for i in range(body, len(pieces)) if pieces[i].kind == "salutation"), default=body)
    end = max(
        (
            i
            for i in range(body, len(pieces))
            if pieces[i].kind in ("content", "salutation") and pieces[i].role is None
        ),
        default=body,
    )
    after = sum(len(p.text) for p in pieces[body:] if p.kind in ("content", "salutation"))
    before = 0
    closed = -1
    dated = -near - 1
    for i in range(body, len(pieces)):
        piece = pieces[i]
        if f.is_dated(piece.text):
            dated = i
        if piece.kind in ("content", "salutation"):
            before, after = before + len(piece.text), after - len(piece.text)
        signed = i - dated <= near and piece.kind in ("neighbour", "related", "footer")
        headed = before >= after and f.is_elsewhere(piece.text)
        over = i > end or (i > addressed and (signed or headed))
        if over and piece.kind in ("nav", "neighbour", "related", "footer", "tool", "field"):
            closed = i
            break
        if piece.role is None and piece.kind in ("tool", "neighbour", "nav"):
            piece.role = _OUT
        if i > end and (piece.kind in ("file", "listed") or (piece.kind == "title" and dated > body)):
            piece.role = _OUT
        if i > end and first > 0 and piece.kind != "header" and f.form_field(piece.text):
            _drop_field(pieces, i, len(pieces))
    if closed < 0:
        return
    for piece in pieces[closed:]:
        piece.role = _OUT
    # publication fields just above, such as 来源：某局 or a file to download
    for i in range(closed - 1, end, -1):
        told = (f.field(pieces[i].text) or ("",))[0]
        if told not in ("来源", "作者", "编辑") and pieces[i].kind not in ("file", "listed", "tool", "title"):
            break
        pieces[i].role = _OUT


def _regions(text: str, pieces: list[_Piece]) -> tuple[Region, ...]:
    """Regions that cover the text; what lies between two pieces goes with the second unless both agree."""
    roles = [p.role or _LETTER for p in pieces]
    if all(role is _LETTER for role in roles):
        return ()
    if not any(
        role is _LETTER and (p.kind in ("content", "salutation") or f.is_content(p.text))
        for p, role in zip(pieces, roles, strict=True)
    ):
        return ()  # no letter would be left: better to read the page as it is
    out: list[Region] = []
    before = 0
    for piece, role in zip(pieces, roles, strict=True):
        # a form's label is nobody's, nor is a “|” between the letter and something else
        joint = out and out[-1].role is not role and text[before : piece.start].strip()
        spans = [(piece.start, _OUT), (piece.end, role)] if piece.label or joint else [(piece.end, role)]
        for end, whose in spans:
            if out and out[-1].role is whose:
                out[-1] = Region(out[-1].start, end, whose)
            else:
                out.append(Region(out[-1].end if out else 0, end, whose))
        before = piece.end
    out[-1] = Region(out[-1].start, len(text), out[-1].role)
    return tuple(out)
