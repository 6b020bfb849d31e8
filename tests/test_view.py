"""The page shows the letter whole, does nothing with hostile text, and asks for nothing from elsewhere."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import msgspec
import pytest

import commitments
from commitments import view
from commitments.reply import Ask, Evidence, Link, Reply, Section, Sentence
from commitments.terms import How, Role, Status

VOID = {"meta", "input", "br"}


class Page(HTMLParser):
    """What a browser would make of the page: tags, attributes, text, and whether it is well formed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def by_class(self, name: str) -> list[tuple[str, dict[str, str | None]]]:
        return [(tag, attrs) for tag, attrs in self.tags if name in (attrs.get("class") or "").split()]


def test_page_is_well_formed_and_shows_every_sentence_once(reply: Reply) -> None:
    page = Page(reply.to_html())
    assert page.open == []
    for s in reply.sentences:
        assert page.text.count(s.clean or s.text) >= 1
    assert len(page.by_class("s")) == len(reply.sentences)
    assert page.tags[0][0] == "html"


def test_status_is_said_by_a_mark_and_not_by_colour_alone(reply: Reply) -> None:
    page = Page(reply.to_html())
    done, pledge = page.by_class("s")[1:]
    assert "completed" in (done[1]["class"] or "")
    assert "pledge" in (pledge[1]["class"] or "")
    for status in (Status.COMPLETED, Status.ONGOING, Status.PLEDGE):
        assert view.MARKS[status] in page.text
    assert len(set(view.MARKS.values())) == len(view.MARKS)


def test_evidence_and_links_can_be_read(reply: Reply) -> None:
    text = Page(reply.to_html()).text
    assert "P001" in text
    assert "stands under 关于建公园的建议" in text
    assert "no date in the letter" in text


def test_each_ask_lists_what_answers_it_and_anchors_lead_there(reply: Reply) -> None:
    page = Page(reply.to_html())
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    hrefs = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    assert len(hrefs) == 2  # sentence 2 answers S1, sentence 3 answers all
    assert all(href.startswith("#") and href[1:] in ids for href in hrefs)
    assert "no measure answers it" in page.text  # S2


def test_labels_in_chinese(reply: Reply) -> None:
    html = view.to_html(reply, lang="zh")
    assert 'lang="zh-CN"' in html
    text = Page(html).text
    assert "未来承诺" in text
    assert "What is asked" not in text


def test_every_label_carries_the_other_language_and_nothing_else_does(reply: Reply) -> None:
    """What the switch would show is the page in the other language."""
    pages = {}
    for lang in ("en", "zh"):
        html = view.to_html(reply, lang=lang)  # type: ignore[arg-type]
        body = html[html.index("<body") : html.index("<script>")]
        pages[lang] = body
    turned = re.sub(r'data-o="([^"]*)">([^<]*)<', r'data-o="\2">\1<', pages["en"])
    turned = re.sub(r'(title|aria-label)="([^"]*)" data-o-\1="([^"]*)"', r'\1="\3" data-o-\1="\2"', turned)
    assert turned == pages["zh"] != pages["en"]
    # A notebook has no script, and so nothing to switch.
    assert "data-o" not in view.fragment(reply)
    assert "<button" not in view.fragment(reply)


def test_the_methods_of_a_reply_are_the_view(reply: Reply) -> None:
    assert reply.to_html(lang="zh") == view.to_html(reply, lang="zh") != reply.to_html()


def test_unknown_language_is_an_error(reply: Reply) -> None:
    with pytest.raises(ValueError, match="'en', 'zh'"):
        view.to_html(reply, lang="fr")  # type: ignore[arg-type]


HOSTILE = (
    '</style></title><script>alert(1)</script>"\' onmouseover="alert(1)" <img src=x onerror=alert(1)> &lt;'
)


def hostile() -> Reply:
    """A reply in which every text that a letter or a file can set is an attack."""
    span = (0, len(HOSTILE))
    return Reply(
        text=HOSTILE + "\x1b\x00\x9b\u202e",
        sentences=(
            Sentence(
                *span,
                HOSTILE,
                Status.PLEDGE,
                (Status.ONGOING,),
                1.0,
                (Evidence(HOSTILE, How.CUE, Status.PLEDGE, 1.0, *span, HOSTILE),),
                HOSTILE,
                Link((HOSTILE,), HOSTILE, HOSTILE, 1.0),
                0,
                Role.BODY,
                HOSTILE,
            ),
        ),
        asks=(Ask(HOSTILE, HOSTILE),),
        sections=(Section(0, HOSTILE, 1, *span),),
        name=HOSTILE,
        agency=HOSTILE,
        title=HOSTILE,
        doc_number=HOSTILE,
        result_code=HOSTILE,
        publicity=HOSTILE,
        warnings=(HOSTILE,),
        model=HOSTILE,
    )


def test_hostile_text_is_only_text() -> None:
    page = Page(view.to_html(hostile()))
    assert page.open == []
    assert not {"img", "iframe", "link", "object"} & {tag for tag, _ in page.tags}
    scripts = [attrs for tag, attrs in page.tags if tag == "script"]
    assert [attrs.get("type") for attrs in scripts] == ["application/json", None]
    data = re.findall(r"<script type=.*?>(.*?)</script>", view.to_html(hostile()), flags=re.S)
    assert "<" not in data[0]  # nothing in it can end the script or begin another
    assert not [tag for tag, _ in Page(view.fragment(hostile())).tags if tag == "script"]
    for _, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "src"]
    assert page.text.count("<script>alert(1)</script>") >= 8
    assert not re.search("[\x00\x1b\x9b\u202e]", view.to_html(hostile()))


def test_page_asks_for_nothing_from_elsewhere(reply: Reply) -> None:
    for html in (reply.to_html(), view.to_html(hostile()), view.fragment(reply)):
        assert not re.search(r"url\(|@import|https?://", html)
    assert "default-src 'none'" in reply.to_html()


def test_notebook_shows_the_fragment_without_a_page_around_it(reply: Reply) -> None:
    html = reply._repr_html_()
    assert "<html" not in html
    assert html.startswith("<style>")
    # Style that reached past the letter would change the notebook around it.
    css = html[: html.index("</style>")].removeprefix("<style>")
    outer = re.sub(r"@media[^{]*\{", "", css)
    selectors = [s for rule in re.findall(r"([^{}]+)\{", outer) for s in re.split(r",(?![^(]*\))", rule)]
    assert selectors
    assert all(s.strip().startswith(".cmt") for s in selectors)


def test_several_letters_on_one_page_do_not_share_anchors(reply: Reply) -> None:
    page = Page(view.page([reply, reply]))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids)) == 2 * (len(reply.sentences) + 1)


def test_several_letters_have_a_list_that_leads_to_each(reply: Reply) -> None:
    several = view.page([reply, Reply(text="无题")], lang="zh")
    links = re.findall(r'<li><a href="#([\w-]+)">(?:<span[^>]*>)?(.+?)<', several.split("</nav>")[0])
    assert [title for _, title in links] == [reply.title, "无题"]
    assert all(f'<article class="cmt" id="{key}"' in several for key, _ in links)
    assert "<nav" not in view.page([reply])


def test_text_outside_the_letter_is_folded_away(reply: Reply) -> None:
    text = "首页 > 公开\n" + reply.text
    menu = Sentence(0, 7, text[:7], role=Role.OUTSIDE)
    body = [
        msgspec.structs.replace(s, start=s.start + 8, end=s.end + 8, section=None) for s in reply.sentences
    ]
    page = Page(view.to_html(Reply(text=text, sentences=(menu, *body))))
    assert len(page.by_class("fold")) == 1
    assert page.open == []


def test_empty_letter_is_a_page() -> None:
    page = Page(view.to_html(Reply(text="")))
    assert page.open == []
    assert "Untitled letter" in page.text


def test_a_heading_that_runs_into_its_text_stays_on_its_line() -> None:
    text = "一是建公园。已建成3个。\n二是修路。"
    heading = Sentence(0, 6, text[:6], role=Role.HEADING)
    body = Sentence(6, 12, text[6:12], Status.COMPLETED)
    lead = Sentence(13, 18, text[13:], role=Role.LEAD)
    page = Page(view.to_html(Reply(text=text, sentences=(heading, body, lead))))
    assert len(page.by_class("p")) == 2
    assert len(page.by_class("h")) == 1


def test_policy_allows_the_page_s_own_script_alone(reply: Reply) -> None:
    html = reply.to_html()
    [script] = re.findall(r"<script>(.*?)</script>", html, flags=re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "unsafe-inline" not in html.split("script-src")[1][:80]


def test_measures_are_copied_without_formulas() -> None:
    nlp = commitments.load("cues")
    reply = nlp("=1+1，我局已建成公园3个。\n下一步，2023年底前再建2个。", date="2023-06-12")
    [data] = re.findall(r'class="csv".*?>(.*?)</script>', view.to_html(reply), flags=re.S)
    rows = list(csv.reader(io.StringIO(json.loads(data))))
    assert [row[1] for row in rows[1:]] == ["completed", "pledge"]
    assert rows[1][-1].startswith("'=1+1")
    assert rows[2][5] == "2023-12-31"


@pytest.mark.parametrize("start", [*"=+-@＝＋－＠\t\r\n"])
def test_no_cell_begins_as_a_formula_does(start: str) -> None:
    pledge = f"{start}1+1，我局将建公园。"
    sentence = Sentence(0, len(pledge), pledge, Status.PLEDGE, link=Link((f"{start}1",)))
    html = view.to_html(Reply(text=pledge, sentences=(sentence,), asks=(Ask(f"{start}1", "建公园"),)))
    [data] = re.findall(r'class="csv".*?>(.*?)</script>', html, flags=re.S)
    [_, row] = csv.reader(io.StringIO(json.loads(data), newline=""))
    assert (row[3], row[-1]) == (f"'{start}1", f"'{pledge}")


def test_what_names_no_day_stands_after_the_days() -> None:
    text = "下一步，我局将于2023年底前新建公园2个。今后，将尽快修整道路。"
    html = commitments.load("cues")(text).to_html()
    times = html[html.index('<ol class="times">') :]
    assert times.index("2023-12-31") < times.index("no day told") < times.index(">尽快</a>")


def test_mended_sentences_are_marked_too_and_days_stand_in_their_order() -> None:
    text = "我局高度重视此事，多次召开会议研究。下一步，我局将于2023年底前新建公园2个，方便群众休闲。" * 2
    text += "2023年10月底前，我局将修整道路，并加强日常的巡查养护工作。" * 2
    wrapped = "\n".join(text[n : n + 17] for n in range(0, len(text), 17))
    reply = commitments.load("cues")(wrapped, date="2023-06-12")
    mended = [s for s in reply.pledges if s.clean and s.clean != s.text]
    assert mended
    html = view.to_html(reply)
    for s in mended:
        for due in s.deadlines:
            assert f">{''.join(due.text.split())}</span>" in html
    days = re.findall(r'<time datetime="(.*?)">', html)
    assert days == sorted(days)
    assert set(days) == {"2023-06-12", "2023-10-31", "2023-12-31"}
