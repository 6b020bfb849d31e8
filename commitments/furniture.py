"""What the lines of a government web page are: breadcrumbs, index tables, tools, neighbours, footers, forms.

Only the recognition of one line or table cell lives here, and the reading of its fields. Which of them
belong to the letter is decided by `commitments.locate`, which sees the whole page.
"""

from __future__ import annotations

import re

import ahocorasick_rs


def _labels(**labels: str) -> dict[str, str]:
    """Metadata key of each label; empty for a label whose value is of no use."""
    return {word: "" if key == "unused" else key for key, words in labels.items() for word in words.split()}


# Fields of index tables and publication lines, as sites name them, by the key that they get in a Source's
# metadata. A strong label stands in no letter of its own; a weak one counts only beside a strong one.
_STRONG = _labels(
    index="索引号 信息索引号",
    topic="主题分类 信息分类 组配分类",
    genre="体裁分类",
    title="信息名称 文件名称",
    agency="发文机关 发文机构 发布机构 发布机关 信息来源 公开责任部门",
    date="生成日期 成文日期 发文日期 发布日期 公开日期 发布时间 信息时间",
    unused=(
        "公开时限 公开范围 废止日期 失效日期 内容概述 服务对象 统一编号 浏览次数 浏览量 浏览 点击数 "
        "点击率 点击量 访问量 阅读次数 阅读量"
    ),
    validity="有效性 效力状态",
)
_WEAK = _labels(
    agency="来源 主办单位",
    title="名称 标题",
    doc_number="文号 发文字号 文件编号",
    unused="主题词 关键词 公开方式 公开类别 公开形式 作者 编辑 字体 字号 分享",
    publicity="公开属性",
    date="时间 日期",
)
# Fields of the forms in which a suggestion and its reply stand together.
_FORM = _labels(
    title="案由 建议标题 提案标题 建议名称 提案名称 信件标题 来信标题 留言标题 主题 标题",
    id="建议编号 提案编号 信件编号 建议号 提案号 编号",
    agency="承办单位 主办单位 答复单位 回复单位 办理单位 受理单位 回复部门 答复部门",
    date="答复时间 答复日期 回复时间 回复日期 办结时间",
    asked="提出时间 来信时间 留言时间 写信时间 提交时间",
    unused=(
        "建议人 提案人 提案者 领衔代表 提出人 代表姓名 委员姓名 写信人 来信人 留言人 联名人 附议人 届次 "
        "类别 会办单位 协办单位 办理状态 处理状态 状态 满意度 满意度评价 代表评价 委员评价 评价 "
        "反馈意见 代表反馈意见 委员反馈意见 提案者反馈意见 提案人反馈意见"
    ),
    result_code="办理结果 办理类别",
)
# What such a form calls the two texts themselves.
_ASKED = tuple(
    _labels(
        text=(
            "建议内容 建议正文 建议原文 提案内容 提案正文 提案原文 来信内容 信件内容 留言内容 咨询内容 "
            "诉求内容 问题内容 问题描述 网友留言"
        )
    )
)
_ANSWERED = tuple(
    _labels(
        text=(
            "答复内容 回复内容 办理答复 答复意见 回复意见 答复情况 回复情况 办理情况 办理意见 答复正文 "
            "处理结果 办理结果 反馈内容 官方回复 答复 回复"
        )
    )
)


_SURELY = ("答复内容", "回复内容", "办理答复", "答复意见", "回复意见", "答复正文", "反馈内容", "官方回复")


def _spaced(words: tuple[str, ...] | dict[str, str]) -> str:
    """An alternation, longest first; the letters of a label may be set apart (“索 引 号”)."""
    return "|".join(r"[ \u3000]{0,4}".join(w) for w in sorted(words, key=len, reverse=True))


_LABEL = re.compile(
    r"[【\[（(]?(?P<label>" + _spaced({**_STRONG, **_WEAK}) + r")(?:[】\]）)]?[ \u3000]?[：:]|[】\]]?$)"
)
_FORM_LABEL = re.compile(r"[【\[]?(?P<label>" + _spaced(_FORM) + r")(?:[】\]]?[ \u3000]?[：:]|[】\]]?$)")
_ORDINAL = r"(?:[一二三四五六七八九]、|[（(][一二三四五六七八九][）)])?"
_ASK_LABEL = re.compile(
    rf"(?:{_ORDINAL}[【\[]?(?:{_spaced(_ASKED)})(?:[】\]]?[ \u3000]?[：:]|[】\]]|$)|"
    r"【(?:建议|提案|留言|来信|问题)】)\s*"
)
_ANSWER_LABEL = re.compile(
    rf"{_ORDINAL}[【\[]?(?:(?:主办|承办|会办|办理)(?:单位|部门)的?)?"
    rf"(?:{_spaced(_ANSWERED)})(?:[】\]]?[ \u3000]?[：:]|[】\]]|$)\s*"
)

_CRUMB = re.compile(
    r"(?:您|你)?(?:现在|当前|目前)?(?:所在|所处)?的?(?:当前)?位置[是为]?[ \u3000]*[：:>＞]"
    r"|当前(?:位置|栏目)|(?:网站)?首页\s*(?:[>＞»›→/-]|$)"
    r"|\S{2,25}\s*(?:[>＞»›]{1,2}|&gt;)\s*(?:首页|信息公开|政务公开|政府信息公开|建议提案|人大|政协|公开|"
    r"办理|互动|正文)"
)
_NAV_WORD = (
    r"网站首页|首页|机构概况|机构职能|领导之窗|政务公开|信息公开|政府信息公开|办事服务|政务服务|在线服务|"
    r"便民服务|互动交流|政民互动|"
    r"公众参与|新闻中心|新闻动态|工作动态|通知公告|建议提案办理|建议提案|专题专栏|走进\S{1,6}|魅力\S{1,6}|"
    r"数据开放|政策文件|无障碍阅读|无障碍浏览|无障碍|"
    r"长者版|长者模式|适老化|关怀版|繁体中文|繁体|简体中文|简体|English|EN|登录|注册|退出|搜索|站内搜索|"
    r"请输入关键[词字]|"
    r"手机版|移动版|客户端|微信公众号|设为首页|加入收藏|网站地图|关于我们|联系我们|网站声明|隐私声明|"
    r"使用帮助|RSS订阅|RSS"
)
_NAV = re.compile(rf"(?:(?:{_NAV_WORD})[\s|｜/·、]*)+$")
_TOOL_WORD = (
    r"网页打印|打印本页|打印本文|打印页面|打印文章|打印|关闭窗口|关闭本页|关闭页面|关闭|返回顶部|返回列表|"
    r"返回上页|返回首页|返回|回到顶部|顶部|"
    r"分享到|分享至|一键分享|分享|微信好友|微信|新浪微博|微博|朋友圈|QQ空间|QQ好友|QQ|收藏本页|收藏|"
    r"我要纠错|纠错|下载|正文下载|保存|推荐|朗读|"
    r"语音播报|字体大小|字体|字号|默认|超大|特大|放大|缩小|大|中|小|A\+|A-|A|T|上一[条篇]|下一[条篇]|"
    r"扫一扫在手机打开当前页|扫一扫\S{0,14}|"
    r"视力保护色|点赞|评论|关注"
)
_TOOLS = re.compile(rf"(?:[【\[［（(「]?\s*(?:{_TOOL_WORD})\s*[】\]］）)」]?[\s|｜/·：:、，]*)+$")
_WEAK_TOOL = re.compile(r"[大中小AT返回顶部下载评论关注推荐保存默认\s]{1,4}$")
_NEIGHBOUR = re.compile(
    r"[【\[［<]?\s*(?:[上下]一?[条篇]|[上下]一[页则个]\s?[：:])(?:信息|文章|新闻|"
    r"公开)?\s*[】\]］>]?(?:\s*[：:]|\s|$|关于|对|没有|无$)"
)
_RELATED = re.compile(
    r"[【\[■●◆]?\s*(?:相关(?:阅读|留言|链接|新闻|文章|信息|稿件|推荐|文件|报道|内容|解读|附件下载)|推荐阅读|"
    r"延伸阅读|热门(?:新闻|文章|信息|点击)|热点(?:新闻|信息)|"
    r"最新(?:信息|文章|公开|发布|动态)|同类信息|猜你喜欢|网友评论|我要评论|我来评价|满意度调查|友情链接|"
    r"点击排行|信息排行|栏目导航|信息公开目录)\s*[】\]]?\s*[：:]?\s*(?:更多\S{0,3})?$"
)
_ELSEWHERE = re.compile(
    r"[【\[■●◆]?\s*(?:(?:相关|推荐|延伸)阅读|(?:相关|热门|热点)新闻|相关稿件|相关报道|相关留言|友情链接|"
    r"猜你喜欢|网友评论|点击排行|信息排行)\s*[】\]]?\s*[：:]?\s*(?:更多\S{0,3})?$"
)
_FOOTER = re.compile(
    r"版权所有|Copyright|All Rights Reserved|ICP备|公网安备|网安备|网站标识码|备案(?:号|序号)\s*[：:]|"
    r"责任编辑\s*[：:]|[（(【]?编辑\s*[：:]|技术支持\s*[：:]"
    r"|建议使用.{0,30}(?:浏览|分辨率)|网站主办\s*[：:]|主办\s*[：:].{0,40}承办\s*[：:]|政府网站找错|"
    r"党政机关$|站点地图",
    re.IGNORECASE,
)
_BANNER = re.compile(r"(?:您好[，,！!]?\s*)?(?:欢迎(?:您)?(?:访问|光临|来到|进入)|今天是\s*\d)")
_FILE = re.compile(
    r"(?:附件\s?\d{0,2}\s?[：:.、]?\s*)?[^。；]{1,80}\.(?:docx?|pdf|xlsx?|wps|zip|rar|ofd|et|jpg|"
    r"png)\s*(?:[（(\[].{0,20}[）)\]])?(?:\s*下载)?$",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"(?:[·•▪◆>\-\s]{0,3}(?:关于|对).{4,90}?(?:答复|复函|回复|建议|提案|函|意见)(?:的函|（.{0,20}）|\.{2,3}|"
    r"…+)?\s*[（(\[【]?\s*(?:20)?\d\d[-/.年]\d{1,2}(?:[-/.月]\d{1,2}日?)?\s*[）)\]】]?"
    r"|[\[【]?20\d\d-\d{1,2}-\d{1,2}[\]】]?\s*(?:关于|对).{4,90}?(?:答复|复函|回复|函|意见))$"
)
_TITLE = re.compile(
    r".{0,40}?(?:关于|对).{2,90}?(?:建议|提案|议案|意见|号|留言|来信|件).{0,30}?(?:答复|复函|回复|的函|"
    r"办理情况|办理意见)(?:意见|的函|函)?\s*(?:（[^）]{0,24}）|\([^)]{0,24}\))?$"
)
_SALUTATION = re.compile(
    r"(?:尊敬的)?[^，。；：:|\s]{0,24}?(?:代表|委员|网友|先生|女士|同志|委员会|工委|市民|民革|民盟|民建|民进|"
    r"农工党|致公党|九三学社|台盟|工商联)(?:们|等\S{0,6}|并.{0,24})?(?:\s?[（(][^）)]{0,20}[）)])?"
    r"\s*(?:[，,]?\s*[您你]们?好)?\s*[！!，,]?\s*[：:](?!\s*\d)"
    r"|(?:民革|民盟|民建|民进|农工党|致公党|九三学社|台盟|工商联|共青团|[^，。；：:]{0,6}政协)[^，。；：:]{2,20}[：:]$"
)
_RECEIVED = re.compile(r"收悉|(?:答复|回复|函复|汇报|报告)如下")
_OPENING = re.compile(r"收悉|(?:答复|回复|汇报|报告|函复|说明|回应)如下|已收到|[您你]们?(?:提出|反映|所提)的")
_DATED = re.compile(
    r"[^。，；]{0,30}(?:19|20|二[○〇Oo0零О]|"
    r"一九)[\d○〇Oo0零О一二三四五六七八九]{2}\s?年.{1,4}月.{1,4}日\s*(?:印发)?[）)]?$"
)
_HEADER = re.compile(
    r".{0,12}[〔\[【﹝（(](?:19|20)\d\d[〕\]】﹞）)].{0,4}\d+\s?号|(?:办理|解决|答复|办复)(?:结果|类别|类型|"
    r"情况|程度|落实)\s?[：:]"
    r"|(?:不予|依申请|主动|此件).{0,8}公开|类别\s?[：:]|公开(?:属性|方式)\s?[：:]|签发人|[ABCDＡ-Ｄ]\d?类?$|抄送|"
    r"联系(?:人|单位|电话)|承办(?:人|单位)"
)
_STAMP = re.compile(r"[【\[（(]?20\d\d-\d{1,2}-\d{1,2}(?: +\d{1,2}:\d\d(?::\d\d)?)?[】\]）)]?$")
_SENTENCE = re.compile(r"[。；！？!?;]")

# One of these in a text is the sign that it may be a page and no bare letter.
_SIGNS = _labels(
    sign=(
        "位置： 位置: 当前位置 首页 索引 打印 关闭窗口 关闭】 返回顶部 返回列表 上一条 上一篇 下一条 下一篇 "
        "上条 下条 字体： 字体: 【字体 字号： 字号: [字体 分享到 分享： 分享: 版权所有 Copyright COPYRIGHT "
        "copyright ICP备 公网安备 网站标识码 责任编辑 编辑： 编辑: 备案号 相关阅读 相关链接 相关新闻 "
        "相关文章 "
        "相关信息 推荐阅读 延伸阅读 来源： 来源: 来源】 友情链接 扫一扫 我要纠错 案由 建议标题 提案标题 "
        "答复内容 回复内容 办理答复 【建议】 【提案】 "
        "【留言】 【来信】 【问题】 欢迎访问 .doc .pdf .xls .wps 技术支持 最新信息 热点新闻 信息公开目录 "
        "无障碍 A+ 浏览："
    )
)
_MARKS = ahocorasick_rs.AhoCorasick([*_STRONG, *_ASKED, *_SIGNS, "索 引", "索\u3000引", "All Rights"])


def marks(text: str) -> list[int]:
    """Offsets of all that may be a page's furniture or a form's label; empty for most plain letters.

    >>> marks("下一步，我局将新建公园2个。"), marks("【打印本页】 王代表：")
    ([], [1])
    """
    return [start for _, start, _ in _MARKS.find_matches_as_indexes(text)]


def is_crumb(line: str) -> bool:
    """Whether a line is a breadcrumb (当前位置：首页 > …)."""
    return len(line) < 160 and bool(_CRUMB.match(line)) and not _SENTENCE.search(line)


def is_nav(line: str) -> bool:
    """Whether a line is a breadcrumb, a menu or a banner: nothing of the letter stands before one."""
    return is_crumb(line) or (len(line) < 160 and bool(_NAV.match(line) or _BANNER.match(line)))


def is_stamp(line: str) -> bool:
    """Whether a line is a date as web pages print it, and no signature's."""
    return bool(_STAMP.match(line))


def is_tool(line: str) -> bool:
    """Whether a line is made of buttons: print, close, share, font size."""
    return len(line) < 120 and bool(_TOOLS.match(line)) and not _WEAK_TOOL.match(line)


def is_neighbour(line: str) -> bool:
    """Whether a line names the letters before and after this one on the site, perhaps after buttons."""
    if len(line) > 200 or _SENTENCE.search(line):
        return False
    if _NEIGHBOUR.match(line):
        return True
    # “【打印】【关闭】 上一条：……”
    cut = max(line.find("上一"), line.find("上条"))
    return cut > 0 and bool(_NEIGHBOUR.match(line, cut)) and bool(_TOOLS.match(line[:cut]))


def is_related(line: str) -> bool:
    """Whether a line heads a list of other pages."""
    return len(line) < 30 and bool(_RELATED.match(line))


def is_elsewhere(line: str) -> bool:
    """Whether a line heads a list of other pages in words that no letter uses for a heading."""
    return len(line) < 30 and bool(_ELSEWHERE.match(line))


def is_footer(line: str) -> bool:
    """Whether a line is the site's imprint."""
    return len(line) < 300 and "。" not in line and bool(_FOOTER.search(line))


def is_file(line: str) -> bool:
    """Whether a line is the name of a file to download."""
    return len(line) < 120 and bool(_FILE.match(line))


def is_listed(line: str) -> bool:
    """Whether a line is a letter's title with a date, as lists of letters have them."""
    return len(line) < 150 and bool(_LISTED.match(line))


def is_title(line: str) -> bool:
    """Whether a line is shaped like a reply's title."""
    return 8 <= len(line) < 150 and "。" not in line and bool(_TITLE.match(line))


def is_salutation(line: str) -> bool:
    """Whether a line opens by addressing somebody."""
    return bool(_SALUTATION.match(line))


def is_header(line: str) -> bool:
    """Whether a line may be the letter's own: number, result, publicity, contact, date."""
    return len(line) < 120 and bool(_HEADER.match(line) or _DATED.match(line))


def is_dated(line: str) -> bool:
    """Whether a line ends with a date, as a signature does."""
    return len(line) < 60 and bool(_DATED.match(line))


def is_opening(line: str) -> bool:
    """Whether a line has the words that open a reply (收悉、答复如下)."""
    return bool(_RECEIVED.search(line))


def is_content(line: str) -> bool:
    """Whether a line is running text."""
    if len(line) >= 15 and _SENTENCE.search(line):
        return True
    return (len(line) >= 10 and bool(_OPENING.search(line))) or (
        len(line) >= 45 and ("，" in line or "," in line)
    )


def field(line: str) -> tuple[str, bool] | None:
    """The label that a line opens with, and whether it is a strong one; None when it opens with none."""
    if len(line) > 300:
        return None
    found = _LABEL.match(line)
    if not found:
        return None
    label = _squeeze(found["label"])
    return label, label in _STRONG


def form_field(line: str) -> str | None:
    """The form label that a line opens with, other than those of the two texts."""
    found = _FORM_LABEL.match(line) if len(line) < 160 else None
    return _squeeze(found["label"]) if found else None


def asked(line: str) -> int | None:
    """Where the suggestion begins in a line that opens with its label (建议内容：)."""
    found = _ASK_LABEL.match(line)
    return found.end() if found else None


def is_answer(line: str) -> bool:
    """Whether the label that a line opens with can only be that of a reply's text, and not of a result."""
    found = _ANSWER_LABEL.match(line)
    return found is not None and any(word in _squeeze(found[0]) for word in _SURELY)


def answered(line: str) -> int | None:
    """Where the reply begins in a line that opens with its label (答复内容：)."""
    found = _ANSWER_LABEL.match(line)
    return found.end() if found else None


def pairs(lines: list[str]) -> dict[str, str]:
    """Fields told by the lines of a page that are not of the letter; the first of each key is kept.

    >>> pairs(["索引号：0069/2025-3 发布机构：某县卫健局", "发文日期", "2025年5月23日"])
    {'index': '0069/2025-3', 'agency': '某县卫健局', 'date': '2025年5月23日'}
    """
    keys = {**_FORM, **_WEAK, **_STRONG}
    found: dict[str, str] = {}
    waiting = ""
    for line in lines:
        labels = list(_ANY_LABEL.finditer(line)) if len(line) <= 300 else []
        if waiting and not labels:
            found.setdefault(waiting, line)
        waiting = ""
        if not labels:
            if is_stamp(line):
                found.setdefault("date", line.strip("【】[]（）() "))
            continue
        stops = [m.start() for m in labels[1:]] + [len(line)]
        for here, stop in zip(labels, stops, strict=True):
            key = keys[_squeeze(here["label"])]
            value = line[here.end() : stop].strip(" \u3000|｜【】[]")
            if key and value:
                found.setdefault(key, value)
            elif key and stop == len(line):
                waiting = key
    return found


_ANY_LABEL = re.compile(
    r"(?<![^\s|｜【\[】\]])(?P<label>"
    + _spaced({**_FORM, **_WEAK, **_STRONG})
    + r")(?:[】\]]?\s?[：:]\s?|[】\]]?$)"
)
_CUT = re.compile(
    r"(?<=[\s】\]］])(?=[【\[［]?(?:您?当前的?位置|首页\s*[>＞]|打印|关闭|网页打印|上一[条篇]|下一[条篇]|"
    r"版权所有|Copyright|分享到|责任编辑|字体\s?[：:]|(?:"
    + "|".join(sorted({**_STRONG, **_FORM}, key=len, reverse=True))
    + "|"
    + "|".join((*_ASKED, *_ANSWERED))
    + r"|来源|文号)\s?[：:])"
    r"|(?:关于|对)[^。；|\n]{4,70}?(?:答复|复函)|(?:尊敬的)?[\u4e00-\u9fff]{1,8}(?:代表|委员)[：:])"
)
# It starts where the spaces before a “|” start: a run of spaces is looked through once.
_SEPARATOR = re.compile(r"(?<![ \u3000\t])[ \u3000\t]*[|｜][ \u3000\t|｜]*")
_GAP = re.compile(r"[ \u3000\t\u00a0]{2,}|\u3000")


def cuts(line: str, *, flat: bool) -> list[tuple[int, int]]:
    """Pieces of a line that a flattened page may have joined: half-open offsets into the line.

    Args:
        line: one line.
        flat: whether to cut at wide gaps and before known labels too, not at ``|`` alone.
    """
    breaks = [m.span() for m in _SEPARATOR.finditer(line)]
    if flat:
        breaks += [m.span() for m in _GAP.finditer(line)] + [m.span() for m in _CUT.finditer(line)]
        breaks.sort()
    out, at = [], 0
    for start, end in [*breaks, (len(line), len(line))]:
        if line[at:start].strip():
            out.append((at, start))
        at = max(at, end)
    return out


def _squeeze(label: str) -> str:
    return re.sub(r"\s", "", label)
