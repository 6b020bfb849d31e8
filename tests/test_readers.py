"""Files of every format, made here by real writers, and files that cannot be read."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from commitments.errors import MissingExtra, ReadError
from commitments.readers import FORMATS, ReadConfig, Source, read, read_all
from commitments.terms import Role

LINES = [
    "关于县十七届人大三次会议第42号建议的答复",
    "尊敬的林代表：",
    "您提出的建议收悉。现答复如下：",
    "2023年，我局新开通山区公交线路3条，方便了沿线群众出行。",
    "今年年底前，我局将再增加2条线路；票价另行公布。",
    "青溪县交通运输局",
    "2024年6月3日",
]
LETTER = "\n".join(LINES)


# --- plain text ----------------------------------------


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (LETTER.encode(), "utf-8"),
        (LETTER.encode("utf-8-sig"), "utf-8"),
        (LETTER.encode("gbk"), "gb18030"),
        (LETTER.encode("gb18030"), "gb18030"),
        (LETTER.encode("utf-16"), "utf-16-le"),
        (LETTER.encode("utf-16-le"), "utf-16-le"),
        (LETTER.encode("utf-16-be"), "utf-16-be"),
        (b"\xfe\xff" + LETTER.encode("utf-16-be"), "utf-16-be"),
        (LETTER.encode("utf-32"), "utf-32-le"),
    ],
)
def test_encodings_are_recognised(data: bytes, encoding: str) -> None:
    source = read(data)
    assert source.text == LETTER
    assert source.encoding == encoding
    assert source.regions == ()


@pytest.mark.parametrize("letter", ["关于第42号建议的答复", "王代表：您好！", "已转办。"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_short_texts_are_recognised(letter: str, encoding: str) -> None:
    assert read(letter.encode(encoding)).text == letter


def test_big5_is_recognised_and_told() -> None:
    letter = "關於縣議會第42號建議的答覆：我局將於今年年底前增加公車路線，並公布票價。"
    source = read(letter.encode("big5"))
    assert source.text == letter
    assert source.repairs == ("decoded from Big5",)


def test_line_ends_are_made_alike() -> None:
    source = read(LETTER.replace("\n", "\r\n").encode())
    assert source.text == LETTER
    assert any("CR" in r for r in source.repairs)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            LETTER.encode("gbk") + b"\n" + LETTER.encode(),
            ["line 1 (byte 1) is GB18030, line 8 (byte 222) is UTF-8"],
        ),
        (
            LETTER.encode() + b"\n" + LETTER.encode("gbk"),
            ["line 1 (byte 1) is UTF-8, line 8 (byte 322) is GB18030"],
        ),
        (LETTER.encode()[:-1], ["UTF-8", "line 7"]),
        (b"\xef\xbb\xbf" + LETTER.encode("gbk"), ["mark of UTF-8", "byte 4, line 1"]),
        ("прошу принять меры".encode("koi8-r"), ["UTF-8 (fails at byte 1, line 1), GB18030"]),
        ("надо меры".encode("cp1251"), ["GB18030 (decodes, but reads as no Chinese)"]),
        (LETTER.encode().decode("gb18030", "replace").encode(), ["lost|reads as no Chinese"]),
        (LETTER.encode().decode("latin-1").encode(), ["reads as no Chinese"]),
        ("锟斤拷锟斤拷：您好".encode(), ["锟斤拷"]),
        (b"\x00\x01\x02\x03" * 40, ["NUL"]),
        (b"abc\x00def", ["NUL"]),
        (b"\x89PNG\r\n\x1a\n", ["OCR"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), [".docx"]),
        (b" \n\n ", ["no text"]),
        (b"", ["empty"]),
    ],
)
def test_what_is_no_text_says_why(data: bytes, words: list[str]) -> None:
    with pytest.raises(ReadError) as caught:
        read(data, name="letter.txt")
    message = str(caught.value)
    assert message.startswith("letter.txt: ")
    assert "\n" not in message
    for word in words:
        assert any(w in message for w in word.split("|")), message


# --- Word ----------------------------------------


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def test_docx_paragraphs_and_tables_come_in_order() -> None:
    document = Document()
    document.sections[0].header.paragraphs[0].text = "页眉"
    document.add_paragraph(LINES[0])
    table = document.add_table(rows=2, cols=3)
    for row, words in zip(table.rows, (("线路", "班次", ""), ("1路", "12班", "已开通")), strict=True):
        for cell, word in zip(row.cells, words, strict=True):
            cell.text = word
    table.rows[0].cells[1].merge(table.rows[0].cells[2])
    paragraph = document.add_paragraph("今年年底前，")
    paragraph.add_run("我局将再增加").bold = True
    paragraph.add_run("2条线路。")
    document.core_properties.title = "答复"
    source = read(saved(document), name="letter.docx")
    assert source.text.split("\n") == [
        LINES[0],
        "线路 | 班次",
        "1路 | 12班 | 已开通",
        "今年年底前，我局将再增加2条线路。",
    ]
    assert source.repairs == ("page headers left out",)
    assert source.metadata["title"] == "答复"


def test_docx_tracked_changes_read_as_accepted() -> None:
    document = Document()
    paragraph = document.add_paragraph("我局")
    body = paragraph._p
    for tag, text, kind in (("del", "拟", "delText"), ("ins", "将", "t")):
        change = body.makeelement(body.nsmap["w"].join("{}") + tag)
        run = change.makeelement(body.nsmap["w"].join("{}") + "r")
        words = run.makeelement(body.nsmap["w"].join("{}") + kind)
        words.text = text
        run.append(words)
        change.append(run)
        body.append(change)
    paragraph.add_run("建公园。")
    assert read(saved(document)).text == "我局将建公园。"


def test_docx_automatic_numbers_are_written_out() -> None:
    document = Document()
    for text in ("增加线路。", "降低票价。"):
        document.add_paragraph(text, style="List Number")
    document.add_paragraph("其他。", style="List Bullet")
    source = read(saved(document))
    assert source.text == "1.增加线路。\n2.降低票价。\n其他。"
    assert "2 automatic paragraph numbers written out" in source.repairs


def test_docx_chinese_numbers_follow_their_levels() -> None:
    document = Document()
    levels = document.part.numbering_part.element.xpath(
        "w:abstractNum[w:lvl/w:pStyle/@w:val='ListNumber']/w:lvl"
    )
    level = levels[0]
    level.find(qn("w:numFmt")).set(qn("w:val"), "chineseCountingThousand")
    level.find(qn("w:lvlText")).set(qn("w:val"), "%1、")
    deeper = deepcopy(level)
    deeper.set(qn("w:ilvl"), "1")
    deeper.find(qn("w:lvlText")).set(qn("w:val"), "（%2）")
    level.addnext(deeper)
    for text, depth in (("工作情况", 0), ("线路", 1), ("票价", 1), ("下一步打算", 0), ("线路", 1)):
        paragraph = document.add_paragraph(text, style="List Number")
        if depth:
            told = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            told.get_or_add_ilvl().val = depth
            style = document.styles["List Number"].element
            told.get_or_add_numId().val = style.pPr.numPr.numId.val
    assert read(saved(document)).text.split("\n") == [
        "一、工作情况", "（一）线路", "（二）票价", "二、下一步打算", "（一）线路",
    ]  # fmt: skip


def test_docx_form_gives_its_suggestion() -> None:
    document = Document()
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).text = "建议内容"
    table.cell(0, 1).text = "建议增加公交线路。\n建议降低票价。"
    table.cell(1, 0).text = "答复内容"
    table.cell(1, 1).text = LETTER
    source = read(saved(document))
    assert source.suggestion == "建议增加公交线路。\n建议降低票价。"
    assert source.letter == LETTER


def test_docx_that_is_none_says_why() -> None:
    whole = saved(Document())
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    for data, reason in (
        (LETTER.encode(), "not a zip"),
        (whole[: len(whole) // 2], "cut off"),
        (other.getvalue(), "no Word file"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "encrypted"),
        (whole, "no text"),
    ):
        with pytest.raises(ReadError, match=reason):
            read(data, name="letter.docx")


def test_docx_that_unpacks_to_too_much_is_refused() -> None:
    document = Document()
    document.add_paragraph("公园" * 1000)
    with pytest.raises(ReadError, match="unpacks"):
        read(saved(document), config=ReadConfig(max_unpacked=1000))


# --- PDF ----------------------------------------


def pdf(pages: list[list[str]], **options: object) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, **options)
    for lines in pages:
        canvas.setFont("STSong-Light", 12)
        for number, line in enumerate(lines):
            text = line.lstrip("\u3000")  # an indent is a place on the page, no character
            canvas.drawString(72 + 12 * (len(line) - len(text)), 770 - 20 * number, text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_pdf_pages_are_joined_without_heads_and_numbers() -> None:
    head = "青溪县交通运输局文件"
    data = pdf(
        [
            [head, *LINES[:3], "2023年，我局新开通山区公交线", "— 1 —"],
            [head, "路3条，方便了沿线群众出行。", "第 2 页 共 3 页"],
            [head, *LINES[4:], "3"],
        ]
    )
    source = read(data, name="letter.pdf")
    assert source.text.split("\n") == [
        *LINES[:3],
        "2023年，我局新开通山区公交线",
        "路3条，方便了沿线群众出行。",
        *LINES[4:],
    ]
    assert [source.position(p) for p in source.pages] == [(1, 1, 1), (2, 1, 1), (3, 1, 1)]
    assert source.position(source.text.index("方便")) == (2, 1, 5)
    (repair,) = source.repairs
    assert head in repair
    assert "— # —" in repair


def test_pdf_indents_tell_paragraphs() -> None:
    lines = [
        "\u3000\u3000一是完善设施。我局新建候车亭12座。",
        "同时，更换站牌80块，方便了沿线群众。",
        "在人民路增设公交站2处。",
        "\u3000\u3000二是优化线路，新开夜班公交3条。",
        "延长了末班车的时间，受到好评。",
    ]
    source = read(pdf([lines]), name="letter.pdf")
    assert source.text.split("\n") == lines
    assert read(pdf([lines[:3]]), name="letter.pdf").text.split("\n")[0] == lines[0].lstrip("\u3000")


def test_pdf_lines_that_end_a_sentence_are_no_running_heads() -> None:
    data = pdf([["我局将建公园。", "感谢支持。"], ["我局将建公园。", "感谢支持。"]])
    assert read(data).text == "我局将建公园。\n感谢支持。\n我局将建公园。\n感谢支持。"


def test_pdf_figures_alone_on_a_line_are_no_page_numbers() -> None:
    data = pdf([["我局将新建站点", "500"], ["个，明年完成。", "1200"]])
    assert read(data).text == "我局将新建站点\n500\n个，明年完成。\n1200"
    counting = pdf([["我局将新建站点", "7"], ["500个，明年完成。", "8"]])
    assert read(counting).text == "我局将新建站点\n500个，明年完成。"


def test_pdf_page_without_text_is_told() -> None:
    source = read(pdf([LINES, []]))
    assert source.text == LETTER
    assert any("page 2" in r and "OCR" in r for r in source.repairs)


def test_pdf_radicals_become_the_characters_that_they_look_like() -> None:
    source = read(pdf([["⼀、⼯作情况", "我局⽤⼼办理。"]]))
    assert source.text == "一、工作情况\n我局用心办理。"
    assert "4 radicals" in source.repairs[0]


def test_pdf_that_cannot_be_read_says_why() -> None:
    whole = pdf([LINES])
    for data, reason in (
        (whole[:300], "damaged"),
        (pdf([[]]), "OCR"),
        (pdf([LINES], encrypt="secret"), "encrypted"),
        (LETTER.encode(), "no PDF"),
    ):
        with pytest.raises(ReadError, match=f"letter.pdf: .*{reason}"):
            read(data, name="letter.pdf")
    with pytest.raises(ReadError, match="3 pages"):
        read(pdf([LINES] * 3), config=ReadConfig(max_pages=2))


# --- rows ----------------------------------------


def row(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False)


def test_a_row_gives_its_letter_suggestion_and_fields() -> None:
    data = row(
        id=42, message="建议建公园。", reply=LETTER, agency="县交通局", date="2024-06-03", units=[1], url=None
    )
    source = read(data.encode(), name="a.json")
    assert source.text == LETTER
    assert source.suggestion == "建议建公园。"
    assert source.metadata == {
        "id": "42",
        "agency": "县交通局",
        "date": "2024-06-03",
        "suggestion": "建议建公园。",
    }


@pytest.mark.parametrize("key", ["text", "答复", "答复内容", "content"])
def test_keys_of_the_letter(key: str) -> None:
    assert read(row(**{key: LETTER}).encode(), name="a.jsonl").text == LETTER


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (row(title="甲", body2="乙"), "it has: 'title', 'body2'"),
        (row(text=None), "'text' must hold text, not null"),
        ("[1]", "must be an object"),
        ("[]", "no rows"),
        ('{"text": ', "no JSON"),
        ("[" * 100_000, "no JSON"),
        (row(text="甲") + "\n" + row(text="乙"), "use read_all"),
    ],
)
def test_rows_that_cannot_be_read_say_why(data: str, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        read(data.encode(), name="a.jsonl")


def test_a_bad_row_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        f"{row(text='王代表：甲')}\n{{bad\n\n{row(x=1)}\n{row(text='王代表：乙')}\n", encoding="utf-8"
    )
    found = list(read_all(path))
    assert [type(f) for f in found] == [Source, ReadError, ReadError, Source]
    assert [f.name for f in found] == [f"{path}:{n}" for n in (1, 2, 4, 5)]


# --- folders and paths ----------------------------------------


def test_a_folder_comes_sorted_with_its_errors(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    (folder / "sub").mkdir(parents=True)
    (folder / "b.txt").write_bytes(LETTER.encode("gbk"))
    (folder / "a.html").write_text(f'<meta charset="utf-8"><p>{LETTER}</p>', encoding="utf-8")
    (folder / "c.txt").write_bytes(b"")
    (folder / "d.doc").write_bytes(b"\xd0\xcf")
    (folder / "e.png").write_bytes(b"")
    (folder / ".hidden.txt").write_text("王代表：", encoding="utf-8")
    (folder / "rows.jsonl").write_text(row(text="甲") + "\n" + row(text="乙"), encoding="utf-8")
    (folder / "sub" / "z.pdf").write_bytes(pdf([LINES]))
    (tmp_path / "secret.txt").write_text("王代表：", encoding="utf-8")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")
    found = {str(Path(f.name).relative_to(folder)): f for f in read_all(folder)}
    assert list(found) == [
        "a.html", "b.txt", "c.txt", "d.doc", "link.txt", "pipe.txt", "rows.jsonl:1", "rows.jsonl:2",
        "sub/z.pdf",
    ]  # fmt: skip
    reasons = {name: f.reason for name, f in found.items() if isinstance(f, ReadError)}
    assert list(reasons) == ["c.txt", "d.doc", "link.txt", "pipe.txt"]
    assert "leads out" in reasons["link.txt"]
    assert "no regular file" in reasons["pipe.txt"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: p / "none.txt", "No such file"),
        (lambda p: p, "is a folder"),
        (lambda p: str(p) + "\0", "no path"),
        (lambda p: "王代表：\n您好", "from_text"),
    ],
)
def test_paths_that_cannot_be_read_say_why(tmp_path: Path, make: Callable[[Path], Path], reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        read(make(tmp_path))


def test_an_empty_or_missing_folder_is_an_error_row(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        (only,) = read_all(path)
        assert isinstance(only, ReadError)


def test_files_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(LETTER.encode())
    for source in (path, LETTER.encode()):
        with pytest.raises(ReadError, match="more than 100"):
            read(source, config=ReadConfig(max_bytes=100))


@pytest.mark.parametrize(
    ("module", "suffix"), [("selectolax.lexbor", "html"), ("docx", "docx"), ("pypdfium2", "pdf")]
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, suffix: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(LETTER.encode())
    (tmp_path / "b.txt").write_bytes(LETTER.encode())
    with pytest.raises(MissingExtra, match=r"commitments\[files\]"):
        read(path)
    missing, letter = read_all(tmp_path)
    assert isinstance(missing, ReadError)
    assert isinstance(letter, Source)


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(ReadError, match="'xml' is not known; one of txt"):
        read(LETTER.encode(), format="xml")


def test_bytes_without_a_name_are_told_by_how_they_begin() -> None:
    assert read(pdf([LINES])).format == "pdf"
    assert read(b'<!DOCTYPE html><meta charset="utf-8">' + LETTER.encode()).format == "html"
    assert read(row(text=LETTER).encode()).format == "json"
    assert read(LETTER.encode()).format == "txt"


def test_positions_count_from_one() -> None:
    source = Source.from_text("甲乙\n丙")
    assert [tuple(source.position(i)) for i in range(5)] == [
        (1, 1, 1),
        (1, 1, 2),
        (1, 1, 3),
        (1, 2, 1),
        (1, 2, 2),
    ]
    with pytest.raises(IndexError):
        source.position(5)


# --- whatever comes ----------------------------------------

_SEEDS = [
    LETTER.encode(),
    LETTER.encode("gbk"),
    row(text=LETTER).encode(),
    f"<html><table><tr><td>{LETTER}".encode(),
    pdf([LINES]),
    saved(Document()),
]


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from([b"", *_SEEDS]),
    cut=st.floats(0, 1),
    noise=st.binary(max_size=60),
    kind=st.sampled_from([None, *FORMATS]),
)
def test_reading_raises_nothing_but_read_errors(
    start: bytes, cut: float, noise: bytes, kind: str | None
) -> None:
    at = int(len(start) * cut)
    try:
        source = read(start[:at] + noise + start[at + len(noise) :], format=kind)
    except ReadError as error:  # its message is one line
        shown = str(error)
        assert "\n" not in shown
    else:
        assert source.text.strip()
        assert all(r.role in (Role.BODY, Role.SUGGESTION, Role.OUTSIDE) for r in source.regions)
