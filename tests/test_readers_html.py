"""Pages as government sites publish them, all invented: exactly the letter must be found in each."""

from __future__ import annotations

import html
import json
from itertools import pairwise
from pathlib import Path

import pytest

from commitments.errors import ReadError
from commitments.readers import ReadConfig, read
from commitments.terms import Role

TITLE = "关于县十七届人大三次会议第42号建议的答复"
LETTER = [
    TITLE,
    "青溪县交通运输局",
    "青交函〔2024〕18号",
    "尊敬的林代表：",
    "您提出的《关于改善山区公交出行的建议》收悉。现答复如下：",
    "一、目前工作情况",
    "2023年，我局新开通山区公交线路3条，方便了沿线群众出行。",
    "二、下一步工作打算",
    "今年年底前，我局将再增加2条线路；票价另行公布。",
    "感谢您对交通工作的关心！",
    "青溪县交通运输局",
    "2024年6月3日",
    "联系人：周某　联系电话：0000-1234567",
]
PARAGRAPHS = "".join(f"<p>　　{line}</p>\n" for line in LETTER[1:])

CLASSIC = f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{TITLE}_青溪县人民政府</title>
<meta name="ArticleTitle" content="{TITLE}"><meta name="PubDate" content="2024-06-05 09:00">
<style>.a{{color:red}}</style><script>var a = "下一步，将脚本";</script></head><body>
<div class="top"><ul><li><a>网站首页</a></li><li><a>走进青溪</a></li><li><a>政务公开</a></li></ul></div>
<div class="wz">当前位置：<a>首页</a> &gt; <a>政务公开</a> &gt; <a>建议提案办理</a></div>
<div class="art"><h1>{TITLE}</h1>
<div class="info"><span>发布时间：2024-06-05</span> <span>来源：县交通运输局</span>
<span>浏览次数：<script>x</script></span>
<span>字体：[<a>大</a> <a>中</a> <a>小</a>]</span></div>
<div class="TRS_Editor">{PARAGRAPHS}</div>
<div>【<a>打印本页</a>】 【<a>关闭窗口</a>】</div>
<div>上一篇：<a>关于县十七届人大三次会议第41号建议的答复</a></div>
<div>下一篇：<a>关于县十七届人大三次会议第43号建议的答复</a></div></div>
<div class="bq"><p>版权所有：青溪县人民政府　主办：青溪县人民政府办公室</p>
<p>某ICP备00000000号</p></div></body></html>"""

INDEX_TABLE = f"""<html><head><meta charset="utf-8"></head><body><nav>首页 信息公开</nav>
<table><tr><td>索 引 号：</td><td>002/2024-00042</td><td>主题分类：</td><td>交通、公路</td></tr>
<tr><td>发布机构：</td><td>青溪县交通运输局</td><td>发文日期：</td><td>2024年06月03日</td></tr>
<tr><td>名　　称：</td><td>{TITLE}</td><td>文　　号：</td><td>青交函〔2024〕18号</td></tr>
<tr><td>有 效 性：</td><td>有效</td><td>主 题 词：</td><td></td></tr></table>
<h2>{TITLE}</h2><UCAPCONTENT>{PARAGRAPHS}</UCAPCONTENT>
<p>附件：<a href="b.xlsx">公交线路表.xlsx</a></p>
<div class="share">分享到： 微信 微博</div><footer>责任编辑：某某</footer></body></html>"""

OLD_TABLES = f"""<HTML><HEAD><META http-equiv=Content-Type content="text/html; charset=gb2312"></HEAD><BODY>
<TABLE width=100%><TR><TD><A>首页</A> | <A>机构概况</A> | <A>政务公开</A> | <A>办事服务</A></TD></TR></TABLE>
<TABLE><TR><TD width=200><TABLE><TR><TD>栏目导航</TD></TR><TR><TD>通知公告</TD></TR></TABLE></TD>
<TD>您的位置：首页 -> 建议提案<BR><CENTER><B>{TITLE}</B></CENTER><BR>
<DIV align=center>【字体：大 中 小】 点击数：31</DIV>
<FONT size=3>{"<BR>".join("&nbsp;&nbsp;&nbsp;&nbsp;" + line for line in LETTER[1:])}</FONT><BR>
<P align=right>[打印] [关闭]</P></TD></TR></TABLE>
<TABLE><TR><TD>Copyright 2024 青溪县交通运输局 All Rights Reserved 技术支持：某公司</TD></TR></TABLE>
</BODY></HTML>"""

ASKED = ["山区群众出门难，班车少。", "建议：一是增加公交线路；二是降低票价。"]
FORM = f"""<html><head><meta charset="utf-8"></head><body><div class="breadcrumb">首页 > 建议提案</div>
<table border=1><tr><th>建议编号</th><td>42</td><th>届次</th><td>十七届三次</td></tr>
<tr><th>案由</th><td colspan=3>关于改善山区公交出行的建议</td></tr>
<tr><th>领衔代表</th><td>林某某</td><th>承办单位</th><td>县交通运输局</td></tr>
<tr><th>建议内容</th><td colspan=3>{"".join(f"<p>{a}</p>" for a in ASKED)}</td></tr>
<tr><th>答复时间</th><td colspan=3>2024-06-03</td></tr>
<tr><th>答复内容</th><td colspan=3><p>{TITLE}</p>{PARAGRAPHS}</td></tr>
<tr><th>满意度</th><td colspan=3>满意</td></tr></table><div>【打印】</div></body></html>"""

BOARD = f"""<html><head><meta charset="utf-8"></head><body><div class="nav">首页 互动交流</div>
<h3>信件标题：山区什么时候多几趟公交</h3><div>写信人：某某</div><div>来信时间：2024-05-01 10:00:00</div>
<div class="q"><h4>来信内容：</h4><div>{"<br/>".join(ASKED)}</div></div>
<div>回复单位：县交通运输局</div><div>回复时间：2024-06-03 09:00:00</div>
<div class="a"><h4>回复内容：</h4><div>{"<br/>".join(LETTER)}</div></div>
<div>关闭窗口</div></body></html>"""

OTHERS = "".join(
    f"<li><a>关于县十七届人大三次会议第{n}号建议的答复</a><span>2024-05-{n}</span></li>"
    for n in range(10, 16)
)
SURROUNDED = f"""<html><head><meta charset="utf-8"></head><body>
<div class="hd">欢迎访问青溪县人民政府网站！今天是2024年7月1日。</div>
<div class="left"><h3>信息公开目录</h3><ul>{OTHERS}</ul></div>
<div class="right"><div class="dqwz">您当前的位置：首页 > 信息公开 > 建议提案</div><h1>{TITLE}</h1>
<p>信息来源：县交通运输局 信息时间：2024-06-05</p><div id="zoom">{PARAGRAPHS}</div>
<h4>相关阅读</h4><ul>{OTHERS}</ul>
<p>近日，县里召开会议，部署交通工作。下一步将加大投入，确保完成全年任务。</p></div>
<div class="foot">网站地图 | 关于我们</div></body></html>"""

VERDICT = f"""<html><head><meta charset="utf-8"></head><body><p>青溪县人民政府网 &gt;&gt; 建议提案办理</p>
<p>{TITLE}</p>{PARAGRAPHS}<p>相关新闻</p><p>“交通局办理得很认真，我非常满意。”林代表说。</p></body></html>"""

FLAT = (
    '<html><head><meta charset="utf-8"></head><body><div>首页 > 政务公开 | 索引号：002/2024-00042 | '
    f"发布机构：县交通运输局 | {' | '.join(LETTER)} | 【打印】 | 上一条：关于第41号建议的答复</div>"
)
PAGES = {
    "classic": CLASSIC,
    "index table": INDEX_TABLE,
    "old tables": OLD_TABLES,
    "form": FORM,
    "board": BOARD,
    "surrounded": SURROUNDED,
    "verdict": VERDICT,
    "flat": FLAT,
}


def in_page(shape: str, letter: list[str]) -> str:
    """A page of one shape with another letter in it."""
    page = PAGES[shape]
    for old, make in (
        (f"<p>{TITLE}</p>{PARAGRAPHS}", lambda: "".join(f"<p>{x}</p>" for x in letter)),
        (PARAGRAPHS, lambda: "".join(f"<p>　　{x}</p>" for x in letter)),
        ("<BR>".join("&nbsp;&nbsp;&nbsp;&nbsp;" + x for x in LETTER[1:]), lambda: "<BR>".join(letter)),
        ("<br/>".join(LETTER), lambda: "<br/>".join(letter)),
        (" | ".join(LETTER), lambda: " | ".join(letter)),
    ):
        if old in page:
            page = page.replace(old, make())
            break
    return page


def lines(text: str) -> list[str]:
    return [part.strip() for line in text.split("\n") for part in line.split("|") if part.strip()]


@pytest.mark.parametrize("shape", PAGES)
def test_exactly_the_letter_is_found(shape: str) -> None:
    encoding = "gb18030" if shape == "old tables" else "utf-8"
    source = read(PAGES[shape].encode(encoding), name=f"{shape}.html")
    assert lines(source.letter) == LETTER
    assert source.encoding == encoding
    assert "将脚本" not in source.text
    assert source.regions[0].start == 0
    assert source.regions[-1].end == len(source.text)
    assert all(a.end == b.start for a, b in pairwise(source.regions))


@pytest.mark.parametrize("shape", ["form", "board"])
def test_a_form_gives_its_suggestion(shape: str) -> None:
    source = read(PAGES[shape].encode(), format="html")
    assert lines(source.suggestion or "") == ASKED
    assert source.metadata["agency"] == "县交通运输局"
    assert source.metadata["date"].startswith("2024-06-03")


def test_the_matter_of_a_form_stands_in_for_a_missing_suggestion() -> None:
    page = FORM.replace("".join(f"<p>{a}</p>" for a in ASKED), "").replace("<th>建议内容</th>", "")
    source = read(page.encode(), format="html")
    assert source.suggestion == "关于改善山区公交出行的建议"
    assert lines(source.letter) == LETTER


def test_nothing_of_the_page_is_lost_and_its_fields_are_told() -> None:
    source = read(INDEX_TABLE.encode(), format="html")
    assert "公交线路表.xlsx" in source.text
    assert source.metadata["index"] == "002/2024-00042"
    assert source.metadata["agency"] == "青溪县交通运输局"
    assert source.metadata["date"] == "2024年06月03日"
    assert source.metadata["doc_number"] == "青交函〔2024〕18号"
    assert read(CLASSIC.encode(), format="html").metadata["date"] == "2024-06-05 09:00"


def test_a_letter_without_a_page_around_it_has_no_regions() -> None:
    page = f'<meta charset="utf-8"><h1>{TITLE}</h1>{PARAGRAPHS}'
    assert read(page.encode(), format="html").regions == ()


def test_rows_of_a_table_in_the_letter_stand_on_a_line_each() -> None:
    page = '<meta charset="utf-8"><p>王代表：</p><table>'
    page += "<tr><td>线路<td>班次<tr><td><p>1路</p><td><p>12班</p></table>"
    source = read(page.encode(), format="html")
    assert source.text == "王代表：\n线路 | 班次\n1路 | 12班"


def test_hidden_elements_are_no_text() -> None:
    page = (
        '<meta charset="utf-8"><p>王代表：</p><p style="display: none">将建公园。</p><p hidden>将建公园。</p>'
    )
    assert read(page.encode(), format="html").text == "王代表："


def test_a_wrong_charset_is_seen_and_told() -> None:
    source = read(CLASSIC.replace('charset="utf-8"', 'charset="gb2312"').encode(), format="html")
    assert source.encoding == "utf-8"
    assert any("gb18030" in r for r in source.repairs)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html><body><script>load()</script></body></html>", "no text"),
        (b"<div>" * 5000 + "王代表".encode(), "deep"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(ReadError, match=f"page.html: .*{reason}"):
        read(data, name="page.html")


def test_depth_within_the_limit_is_read() -> None:
    page = b'<meta charset="utf-8">' + b"<div>" * 300 + "王代表：您好".encode()
    assert read(page, format="html", config=ReadConfig(max_depth=300)).text == "王代表：您好"


def test_the_suggestion_is_marked_in_place() -> None:
    source = read(FORM.encode(), format="html")
    (region,) = [r for r in source.regions if r.role is Role.SUGGESTION]
    assert lines(source.text[region.start : region.end]) == ASKED


@pytest.mark.parametrize("shape", PAGES)
def test_no_measure_of_a_project_letter_is_lost_in_a_page(shape: str) -> None:
    seeds = Path(__file__).parent.parent / "seeds"
    paths = sorted([*seeds.glob("*.jsonl"), *seeds.glob("letters/*.jsonl")])
    letters = [json.loads(row) for path in paths for row in path.read_text(encoding="utf-8").splitlines()]
    assert len(letters) > 100
    for letter in letters[::4]:
        page = in_page(shape, [html.escape(line) for line in lines(letter["text"])])
        encoding = "gb18030" if shape == "old tables" else "utf-8"
        found = "".join(read(page.encode(encoding), format="html").letter.replace("|", "").split())
        for unit in letter["units"]:
            words = "".join(letter["text"][unit["start"] : unit["end"]].replace("|", "").split())
            assert unit["label"] == "none" or words in found
        for other in ("打印", "当前位置", "山区群众出门难", "第41号", "县里召开会议", "非常满意", "002/2024"):
            assert other in letter["text"] or other not in found, (letter["id"], other)
