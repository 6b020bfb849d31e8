"""The letter in a page's plain text: furniture goes, and nothing of a letter ever does."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commitments import furniture
from commitments.locate import locate
from commitments.readers import Source
from commitments.terms import Role

TITLE = "对市八届人大四次会议第19号建议的答复"
LETTER = (
    f"{TITLE}\n邱代表：\n您提出的建议收悉。现答复如下：\n去年，我局已建成公园3个。\n"
    "下一条公交线路将在年底开通，打印店、附件厂等单位予以配合。\n某市园林局\n2024年5月27日"
)
ASKED = "我市公园偏少。建议每年新建公园。"


def parts(text: str, role: Role) -> list[str]:
    return [text[r.start : r.end].strip() for r in locate(text) if r.role is role]


def test_a_letter_alone_is_left_alone() -> None:
    assert locate(LETTER) == ()
    assert locate("") == ()


@pytest.mark.parametrize(
    "above",
    [
        "首页 > 政务公开 > 建议提案办理",
        "您当前的位置：某市人民政府 >> 信息公开 >> 正文",
        "网站首页 | 机构概况 | 政务公开 | 无障碍阅读",
        "某市人民政府网\n当前位置：首页>建议提案",
        "索 引 号：002/2024-1\n发布机构：市园林局　　生成日期：2024-05-27",
        "索引号：002/2024-1 主题分类：城乡建设 发文日期：2024年05月27日",
        "索引号\n002/2024-1\n发文机关\n市园林局\n成文日期\n2024-05-27",
        "欢迎访问某市人民政府网站！\n首页 > 建议提案",
    ],
)
@pytest.mark.parametrize(
    "below",
    [
        "【打印本页】【关闭窗口】",
        "[返回顶部] [分享到] 微信 微博",
        "上一篇：对市八届人大四次会议第18号建议的答复\n下一篇：没有了",
        "【打印】【关闭】 上一条：对第18号建议的答复　下一条：关于修路的答复",
        "上一篇 下一篇 返回列表",
        "责任编辑：李某　　主办单位：某市人民政府　备案号：某ICP备00000000号",
        "附件：公园清单.xlsx\n相关阅读\n关于第18号建议的答复 2024-05-20\n关于第20号建议的答复 2024-05-21",
        "Copyright © 某市园林局 All Rights Reserved",
    ],
)
def test_what_stands_around_the_letter_is_outside(above: str, below: str) -> None:
    text = f"{above}\n{LETTER}\n{below}"
    assert parts(text, Role.BODY) == [LETTER]
    assert parts(text, Role.OUTSIDE) == [above, below]


@pytest.mark.parametrize(
    "line",
    [
        "发布时间：2024-05-29　来源：市园林局　字体：［大］［中］［小］",
        "时间：2024-05-29 10:22 浏览量：347",
        "【信息来源：市园林局】【信息时间：2024-06-27 09:14】【我要纠错】",
        "来源：市园林局 日期：2024-06-17 浏览次数： 121 A+ A-",
        "【打印】【关闭】",
    ],
)
def test_a_line_between_title_and_letter_is_outside(line: str) -> None:
    text = LETTER.replace(TITLE, f"{TITLE}\n{line}")
    assert parts(text, Role.OUTSIDE) == [line]


def test_header_lines_of_the_letter_stay() -> None:
    header = "办理结果：A\n主动公开\n某市园林局\n园函〔2024〕12号\n签发人：周某"
    text = f"首页 > 建议提案\n{header}\n{LETTER}\n【关闭】"
    assert parts(text, Role.BODY) == [f"{header}\n{LETTER}"]


def test_titles_of_other_letters_are_outside() -> None:
    others = "关于第7号建议的答复 2024-05-01\n关于第8号提案的答复 2024-05-02"
    text = f"{others}\n当前位置：首页\n{LETTER}\n相关链接\n{others}"
    assert parts(text, Role.BODY) == [LETTER]


def test_titles_of_other_letters_in_a_menu_above_are_outside() -> None:
    menu = "首页 > 建议提案\n关于增设驿站的建议的答复\n关于扩建学校的建议的答复"
    assert parts(f"{menu}\n{LETTER}\n【关闭】", Role.BODY) == [LETTER]
    form = f"{menu}\n{TITLE}\n建议内容：{ASKED}\n答复内容：\n{LETTER.removeprefix(TITLE).strip()}"
    assert parts(form, Role.BODY)[0] == TITLE
    assert parts(form, Role.SUGGESTION) == [ASKED]


def test_a_news_frame_after_the_signature_is_outside() -> None:
    text = f"{LETTER}\n相关新闻\n“我局办得很快，我非常满意。”邱代表说。\n下一步，记者将继续关注。"
    assert parts(text, Role.BODY) == [LETTER]


@pytest.mark.parametrize(
    "form",
    [
        "建议编号：19\n建议内容：{asked}\n承办单位：市园林局\n答复内容：\n{letter}",
        "案由：关于公园的建议\n提案内容\n{asked}\n办理答复\n{letter}",
        "来信标题：公园太少\n写信人：某某\n来信内容：\n{asked}\n回复单位：市园林局\n回复时间：2024-05-27\n回复内容：\n{letter}",
        "【建议内容】{asked}\n【答复意见】{letter}\n满意度：满意\n【打印】",
        "建议内容 | {asked}\n办理情况 | {letter}",
        "一、提案内容\n{asked}\n二、办理答复\n{letter}",
        "【建议】{asked}\n【答复】\n{letter}",
        "案　由：关于公园的建议\n提案内容：\n{asked}\n主办单位答复：\n{letter}\n提案者反馈意见：满意",
    ],
)
def test_a_form_holds_suggestion_and_letter(form: str) -> None:
    text = form.format(asked=ASKED, letter=LETTER)
    assert parts(text, Role.SUGGESTION) == [ASKED]
    assert parts(text, Role.BODY) == [LETTER]
    assert Source.from_text(text).suggestion == ASKED


@pytest.mark.parametrize("cause", ["案由：关于增设公园的建议", "案　由\n关于增设公园的建议"])
def test_the_matter_stands_in_for_the_suggestion(cause: str) -> None:
    text = f"提案编号：19\n{cause}\n承办单位：市园林局\n答复内容：\n{LETTER}"
    assert parts(text, Role.SUGGESTION) == ["关于增设公园的建议"]
    assert parts(text, Role.BODY) == [LETTER]


def test_the_result_on_top_of_a_letter_in_a_form_stays() -> None:
    letter = f"办理结果：B类 公开属性：主动公开\n{LETTER}"
    text = f"建议内容：\n{ASKED}\n答复内容：\n{letter}"
    assert parts(text, Role.BODY) == [letter]
    text = f"{TITLE}\n发布时间：2024-05-29 字体：大 中 小\n公开属性：主动公开\n" + LETTER.split("\n", 1)[1]
    assert parts(text, Role.OUTSIDE) == ["发布时间：2024-05-29 字体：大 中 小"]


@pytest.mark.parametrize(
    "text",
    [
        # the words of a form inside a letter make no form
        f"{LETTER}\n建议内容：{ASKED}\n办理情况：我局已建成公园3个，明年再建2个。",
        f"您的建议收悉，现答复如下：\n一、建议内容\n{ASKED}\n二、办理情况\n我局已建成公园3个，明年再建2个。",
        f"案由：关于公园的建议\n{LETTER}\n二、办理情况\n我局已建成公园3个，明年再建2个。",
        f"建议内容：关于公园的建议\n{LETTER}\n办理情况\n我局已建成公园3个，明年再建2个。",
        # a label without a reply after it
        f"建议内容：{ASKED}\n办理结果：A",
        # a page of nothing but furniture is read as it is
        "首页 > 政务公开\n【打印】【关闭】",
        # marks that stand in sentences
        "王代表：\n我局在网站首页开设专栏，并打印材料2000份；发布日期另行通知。\n下一篇文章将于年底刊出。",
    ],
)
def test_in_doubt_all_is_the_letter(text: str) -> None:
    assert locate(text) == ()


def test_pages_flattened_to_a_line() -> None:
    letter = LETTER.replace("\n", " | ")
    barred = f"首页 > 公开 | 索引号：002/2024-1 | {letter} | 【打印】 | 上一条：关于第18号建议的答复"
    assert parts(barred, Role.BODY) == [letter]
    spaced = (
        f"首页 > 公开 > 正文 {LETTER.replace(chr(10), ' ')} 【打印】 【关闭】 上一篇：关于第18号建议的答复"
    )
    assert parts(spaced, Role.BODY) == [LETTER.replace("\n", " ")]


def test_fields_of_the_page_are_told() -> None:
    text = f"索引号：002/2024-1\n发布机构：市园林局\n发文日期：2024年5月27日\n{LETTER}"
    assert Source.from_text(text).metadata == {
        "index": "002/2024-1",
        "agency": "市园林局",
        "date": "2024年5月27日",
    }


_LINES = st.sampled_from(
    [
        *LETTER.split("\n"),
        *ASKED.split("。"),
        "首页 > 公开",
        "建议内容：",
        "答复内容：",
        "【打印】",
        "上一条：无",
        "索引号：1 | 来源：局",
        "案由",
        "",
        "|",
        "  ",
        "相关阅读",
    ]
)


@given(st.lists(st.one_of(_LINES, st.text(max_size=12)), max_size=25), st.data())
def test_regions_cover_the_text(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines)
    spans = data.draw(st.lists(st.tuples(*[st.integers(0, len(text))] * 2), max_size=3))
    regions = locate(text, outside=[(min(s), max(s)) for s in spans])
    if regions:
        assert (regions[0].start, regions[-1].end) == (0, len(text))
        assert all(a.end == b.start and a.role is not b.role for a, b in itertools.pairwise(regions))
        assert all(r.start < r.end for r in regions)
        assert any(r.role is Role.BODY for r in regions)


def measures_lost(letters: list[dict[str, object]]) -> list[str]:
    lost = []
    for letter in letters:
        text = str(letter["text"])
        other = [r for r in locate(text) if r.role is not Role.BODY]
        for unit in letter["units"]:  # type: ignore[attr-defined]
            if unit["label"] != "none" and any(
                r.start < unit["end"] and unit["start"] < r.end for r in other
            ):
                lost.append(f"{letter['id']}: {text[unit['start'] : unit['end']]}")
    return lost


def test_no_measure_of_the_project_letters_is_left_out() -> None:
    seeds = Path(__file__).parent.parent / "seeds"
    paths = sorted([*seeds.glob("*.jsonl"), *seeds.glob("letters/*.jsonl")])
    letters = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(letters) > 100
    assert measures_lost(letters) == []
    # and the furniture that some of them have is found
    assert sum(bool(locate(letter["text"])) for letter in letters) >= 10


def test_no_measure_of_the_real_replies_is_left_out(shared: Path) -> None:
    lines = (shared / "real" / "gold-train.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines
    assert measures_lost([json.loads(line) for line in lines]) == []


def test_pairs_reads_labels_set_apart() -> None:
    assert furniture.pairs(["索 引 号：1 发布机构：市园林局", "名　　称", TITLE]) == {
        "index": "1",
        "agency": "市园林局",
        "title": TITLE,
    }
