"""Repairs: what each one mends, what it leaves, and that every offset comes home."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import commitments.clean as module
from commitments.clean import CleanConfig, clean, fold, replay
from commitments.draft import Region
from commitments.offsets import apply
from commitments.segment import segment
from commitments.terms import Role

MESSY = st.text(
    alphabet="已建成公园贯彻己完二OO七○年月日第页共國後Ａ９0123 \u3000\t|.,，。：；、“”（）《》-—"
    "\n\r\f\u2028\u200b\ufeff\ud800",
    max_size=300,
) | st.text(max_size=100)
REPAIRS = [n for n in CleanConfig.__struct_fields__ if not n.startswith("fold_")]


@given(MESSY)
def test_steps_replay(text: str) -> None:
    result = clean(text)
    assert replay(text, result.steps) == result.text
    assert all(step.edits and step.name in REPAIRS for step in result.steps)


@given(MESSY)
def test_every_character_comes_home(text: str) -> None:
    result = clean(text)
    at = 0
    for i in range(len(result.text)):
        start, end = result.offsets.to_source(i, i + 1)
        assert at <= start < end <= len(text)
        assert result.offsets.to_clean(start, end) == (i, i + 1)
        at = end


@given(MESSY)
def test_what_is_kept_is_the_same_character(text: str) -> None:
    result = clean(text, config=CleanConfig(slips=False))
    for i, char in enumerate(result.text):
        start, end = result.offsets.to_source(i, i + 1)
        assert text[start:end] == char or char in "\n "


@given(MESSY)
def test_match_has_the_same_length(text: str) -> None:
    result = clean(text)
    assert len(result.match) == len(result.text)
    assert fold(result.match) == result.match


@given(MESSY)
def test_edits_are_small_and_in_order(text: str) -> None:
    for name in REPAIRS:
        at = 0
        for start, end, new in getattr(module, name)(text):
            assert at <= start < end <= len(text)
            assert len(new) in (0, 1, end - start)
            at = end


@given(MESSY, st.sampled_from(["newlines", "invisible", "slips"]))
def test_a_repair_leaves_nothing_to_repair(text: str, name: str) -> None:
    repair = getattr(module, name)
    assert repair(apply(text, repair(text))) == []


@given(MESSY, st.lists(st.integers(0, 300), max_size=6))
def test_regions_stay_in_order(text: str, cuts: list[int]) -> None:
    borders = sorted({min(c, len(text)) for c in cuts})
    regions = [Region(borders[k], borders[k + 1], Role.BODY) for k in range(len(borders) - 1)]
    result = clean(text, regions)
    at = 0
    for region in result.regions:
        assert at <= region.start < region.end <= len(result.text)
        at = region.end


def test_no_line_is_joined_across_the_border_of_a_region() -> None:
    text = "网站首页，\n我局已建成公园，\n共3个。"
    regions = (Region(0, 5, Role.OUTSIDE), Region(6, len(text), Role.BODY))
    result = clean(text, regions)
    assert result.text == "网站首页，\n我局已建成公园，共3个。"
    assert [result.text[r.start : r.end] for r in result.regions] == ["网站首页，", "我局已建成公园，共3个。"]
    assert clean(text).text == "网站首页，我局已建成公园，共3个。"


def test_a_clean_text_takes_no_step() -> None:
    text = "钟代表：\n您的建议收悉，现答复如下：\n一、已开展的工作\n我局已建成公园3个。\n某局\n2020年3月4日"
    result = clean(text)
    assert (result.text, result.match, result.steps) == (text, text, ())
    assert result.offsets.to_source(3, 9) == result.offsets.to_clean(3, 9) == (3, 9)


@pytest.mark.parametrize("name", REPAIRS)
def test_each_repair_can_be_left_out(name: str) -> None:
    text = "前言，\r\n己完成 3 个\u200b，\n\n二OO七年完\n— 3 —\n工。" + "长" * 150
    flat = "关于建议的答复  李代表：  " + "已办。" * 50
    on = {s.name for t in (text, flat) for s in clean(t).steps}
    off = {s.name for t in (text, flat) for s in clean(t, config=CleanConfig(**{name: False})).steps}
    assert name in on
    assert name not in off


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        ("新增 12 亿元", "新增12亿元"),
        ("到 2025 年，建成 1 3 9 家", "到2025年，建成139家"),
        ("索 引 号：", "索引号："),
        ("今年，我局贯 彻落实，已办结。", "今年，我局贯彻落实，已办结。"),
        ("覆盖率达 98 %，", "覆盖率达98%，"),
        ("B 站系 App Store", "B 站系 App Store"),
        ("对第三次会议 第C-064号建议的答复", "对第三次会议 第C-064号建议的答复"),
        ("签发：许某某 2013.5.31", "签发：许某某 2013.5.31"),
        ("存在的问题 1.标线不清", "存在的问题 1.标线不清"),
        ("青溪县水利局 2014年10月28日", "青溪县水利局 2014年10月28日"),
        ("联系人：养护科 韩某 电话 0000-1234567", "联系人：养护科 韩某 电话 0000-1234567"),
        (
            "今年，《教育厅 财政厅关于补助的通知》，已印发。",
            "今年，《教育厅 财政厅关于补助的通知》，已印发。",
        ),
    ],
)
def test_stray_spaces(source: str, mended: str) -> None:
    assert clean(source).text == mended


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        ("二OO七年六月", "二〇〇七年六月"),
        ("二○一一年", "二〇一一年"),
        ("2O19年", "2019年"),
        ("一二〇〇年", "一二〇〇年"),
        ("主体工程己完成", "主体工程已完成"),
        ("由业主自己完成", "由业主自己完成"),
        ("克己奉公", "克己奉公"),
        ("发展悦己经济", "发展悦己经济"),
    ],
)
def test_slips(source: str, mended: str) -> None:
    assert clean(source).text == mended


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        ("已完\n- 3 -\n工，", "已完\n工，"),
        ("一段。\n12\n\f二段。", "一段。\n\f二段。"),
        ("一段。\n1\n二段。\n2\n三段。", "一段。\n二段。\n三段。"),
        ("共有公园\n12\n个街道参加。", "共有公园\n12\n个街道参加。"),
        ("编号\n2021", "编号\n2021"),
        ("年均PM\n10\n浓度，比上年下降。", "年均PM\n10\n浓度，比上年下降。"),
    ],
)
def test_page_numbers(source: str, mended: str) -> None:
    assert apply(source, module.page_numbers(source)) == mended


def test_paragraphs_of_an_indented_page_are_made_whole() -> None:
    page = (
        "　　全县去年共新建改造农村公路一百二十六公里，\n其中县道三十公里、乡道四十公里，均已通过验收。\n"
        "同时完成了危桥改造七座，群众出行条件有所改善。\n　　今年以来，我局又对六条通村道路的安全防护栏进\n"
        "行了加装，目前已完成四条，其余两条正在进行施工\n招标，预计九月底前可以全部完工。\n"
        "　　下一步，我局将继续加强养护，对超限超载车辆加\n大查处力度。\n　　特此答复。"
    )
    assert clean(page).text.count("\n") == 3
    assert [line.strip()[:4] for line in clean(page).text.split("\n")] == [
        "全县去年",
        "今年以来",
        "下一步，",
        "特此答复",
    ]


def test_flattened_page() -> None:
    page = "关于第9号建议的答复 | 索引号：12 | 李代表：　　" + "我局高度重视，已办结。" * 12
    assert clean(page).text.split("\n")[:3] == ["关于第9号建议的答复", "索引号：12", "李代表："]
    short = "李代表： | 您的建议收悉。 | 路已修好 | 某局"
    assert clean(short).text.split("\n") == ["李代表：", "您的建议收悉。", "路已修好", "某局"]
    for kept in (
        "首页 | 机构 | 公开 | 互动",
        "评为A|B|C三档。",
        "李代表： | 路已修好。",
        "甲： |\n乙： |\n丙： |",
    ):
        assert module.flattened(kept) == []


def test_traditional_characters_fold_one_to_one() -> None:
    assert fold("已將後續工程納入計劃") == "已将后续工程纳入计划"
    assert fold("陆珏、朱镕、堃") == "陆珏、朱镕、堃"
    assert clean("國家").text == "國家"


def test_long_space_runs_take_linear_time() -> None:
    text = "甲" + " " * 200_000 + "乙\n" + "|" * 100_000 + "1\r" * 20_000
    result = clean(text)
    assert replay(text, result.steps) == result.text


def wrapped(text: str, width: int, cells: bool, hang: bool) -> str:
    """A text broken to lines as printing does (in cells) or as programs do (in characters)."""
    lines = []
    for paragraph in text.split("\n"):
        line, filled = "", 0
        for char in paragraph:
            size = 1 if cells and unicodedata.east_asian_width(char) not in "WFA" else 2
            if filled + size > 2 * width and not (hang and char in "，。；：、！？）》”"):
                lines.append(line)
                line, filled = "", 0
            line, filled = line + char, filled + size
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("cells", [True, False])
@pytest.mark.parametrize("hang", [True, False])
def test_a_letter_wrapped_at_any_width_is_made_whole(seed_text: str, cells: bool, hang: bool) -> None:
    def sentences(text: str) -> list[str]:
        return ["".join(unit.text.split()) for unit in segment(clean(text).match)]

    whole = clean(seed_text, config=CleanConfig(stray_spaces=False)).text
    for width in range(24, 46):
        assert sentences(wrapped(whole, width, cells, hang)) == sentences(seed_text), width
