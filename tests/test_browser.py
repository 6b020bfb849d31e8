"""The pages in a real browser: clicks, filters, keyboard, hostile text, accessibility.

Passed over where Playwright or Chromium is not installed.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
axe_core = pytest.importorskip("axe_core_python.sync_playwright")

import commitments  # noqa: E402
from commitments import report, table  # noqa: E402
from commitments.reply import Ask, Link, Reply, Sentence  # noqa: E402
from commitments.terms import Status  # noqa: E402

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
HOSTILE = (
    '<script>window.hit=1</script></style><img src="http://a.test/x" onerror="window.hit=1">'
    '<a href="javascript:window.hit=1">x</a>\u202e\u200f=1+1'
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


class Opened:
    """A page, with what it asked for and what went wrong in it."""

    def __init__(self, browser: Any, html: str, path: Path, **context: Any) -> None:
        path.write_text(html, encoding="utf-8")
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **context})
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def check(self) -> None:
        """Nothing ran that should not, nothing was asked for, nothing was complained of."""
        assert self.page.evaluate("window.hit") is None
        assert [url for url in self.asked if not url.startswith("file:")] == []
        assert self.wrong == []

    def violations(self) -> list[str]:
        found = axe_core.Axe().run(self.page)["violations"]
        return [f"{v['id']}: {v['help']}" for v in found if v["impact"] in ("serious", "critical")]


@pytest.fixture(scope="module")
def seed() -> Reply:
    return commitments.load("fast")((ROOT / "seeds/yangpu-2023-C-064.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letter_is_accessible(browser: Any, seed: Reply, tmp_path: Path, lang: Any, scheme: str) -> None:
    opened = Opened(browser, seed.to_html(lang=lang), tmp_path / "a.html", color_scheme=scheme)
    opened.check()
    assert opened.violations() == []


def test_letter_filters_opens_and_lights(browser: Any, seed: Reply, tmp_path: Path) -> None:
    opened = Opened(browser, seed.to_html(), tmp_path / "a.html")
    page = opened.page
    pledges = page.locator("details.s.pledge")
    assert pledges.count() == len(seed.pledges)
    first = pledges.first
    assert not first.locator(".why").is_visible()
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert first.locator(".why").is_visible()
    before = first.locator(".t").evaluate("e => getComputedStyle(e).backgroundColor")
    page.locator("input.f-pledge").uncheck()
    assert first.locator(".t").evaluate("e => getComputedStyle(e).backgroundColor") != before
    page.locator("input.f-pledge").check()
    page.locator("li.ask.a1").hover()
    page.wait_for_timeout(300)
    dim = page.locator("details.s.a0:not(.a1):not(.all)").first
    assert float(dim.evaluate("e => getComputedStyle(e).opacity")) < 0.5
    opened.check()


def test_a_click_keeps_an_ask_lit_and_a_sentence_lights_its_asks(
    browser: Any, seed: Reply, tmp_path: Path
) -> None:
    opened = Opened(browser, seed.to_html(), tmp_path / "a.html")
    page = opened.page
    page.locator("li.ask.a1 .id").click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)
    other = page.locator("details.s.a0:not(.a1):not(.all)").first
    own = page.locator("details.s.a1").first
    assert float(other.evaluate("e => getComputedStyle(e).opacity")) < 0.5
    assert own.evaluate("e => getComputedStyle(e).opacity") == "1"
    shadow = "e => getComputedStyle(e).boxShadow"
    other.locator("summary").focus()
    assert page.locator("li.ask.a0").evaluate(shadow) != "none"
    assert page.locator("li.ask.a1").evaluate(shadow) == "none"
    page.locator("li.ask.a0 .answers a").first.click()
    assert page.evaluate("document.querySelector(':target').classList.contains('a0')")
    opened.check()


def test_labels_are_switched_and_switched_back(browser: Any, seed: Reply, tmp_path: Path) -> None:
    opened = Opened(browser, seed.to_html(), tmp_path / "a.html")
    page = opened.page
    letter = page.inner_text("main")
    before = page.inner_html("body")
    title = "document.querySelector('.answers .mark').title"
    assert page.evaluate(title) == "completed"
    page.get_by_role("button", name="中文").click()
    assert page.locator("aside h2").first.inner_text() == "诉求"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.evaluate(title) == "已完成举措"
    assert page.locator("main").get_attribute("aria-label") == "答复全文"
    assert page.inner_text("main") == letter
    assert opened.violations() == []
    page.get_by_role("button", name="English").click()
    assert page.inner_html("body") == before
    opened.check()


def test_letter_in_print_has_no_buttons_and_stands_in_one_column(
    browser: Any, seed: Reply, tmp_path: Path
) -> None:
    opened = Opened(browser, seed.to_html(), tmp_path / "a.html", color_scheme="dark")
    page = opened.page
    assert page.locator("button.copy").is_visible()
    page.emulate_media(media="print")
    for hidden in ("button.copy", "button.switch", "input.f-pledge"):
        assert not page.locator(hidden).is_visible()
    assert page.locator("aside").bounding_box()["width"] == page.locator("main").bounding_box()["width"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    opened.check()


def test_measures_are_copied_by_a_button(browser: Any, seed: Reply, tmp_path: Path) -> None:
    opened = Opened(browser, seed.to_html(), tmp_path / "a.html")
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.locator("button.copy").click()
    opened.page.get_by_text("Copied").wait_for()
    told = opened.page.evaluate("navigator.clipboard.readText()")
    assert len(list(csv.reader(io.StringIO(told)))) == len(seed.measures) + 1
    opened.check()


def test_letter_on_a_phone_does_not_scroll_sideways(browser: Any, seed: Reply, tmp_path: Path) -> None:
    size = {"width": 390, "height": 800}
    opened = Opened(browser, seed.to_html(), tmp_path / "a.html", viewport=size)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    opened.check()


def test_long_letter_and_hostile_letter(browser: Any, tmp_path: Path) -> None:
    nlp = commitments.load("cues")
    long = nlp(
        "现答复如下：\n" + "".join(f"我局已建成公园{n}个。\n下一步，将再建{n}个。\n" for n in range(150))
    )
    assert len(long.sentences) > 300
    opened = Opened(browser, long.to_html(), tmp_path / "a.html")
    assert opened.page.locator("details.s.pledge").count() == 150
    opened.check()
    text = f"{HOSTILE}，我局将建公园。"
    pledge = Sentence(0, len(text), text, Status.PLEDGE, link=Link((HOSTILE,), HOSTILE, HOSTILE))
    hostile = Reply(text=text, title=HOSTILE, sentences=(pledge,), asks=(Ask(HOSTILE, HOSTILE),))
    opened = Opened(browser, hostile.to_html(), tmp_path / "b.html")
    assert "<script>window.hit=1</script>" in opened.page.inner_text("body")
    assert not {"\u202e", "\u200f"} & set(opened.page.inner_text("body"))
    assert opened.page.locator("a[href^=javascript]").count() == 0
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.locator("button.copy").click()
    opened.page.get_by_text("Copied").wait_for()
    opened.page.get_by_role("button", name="中文").click()
    opened.check()


def rows(count: int) -> list[dict[str, Any]]:
    """A corpus of letters with as many measures as real ones have, whose pledges fall due."""
    made = []
    for n in range(count):
        parts = [f"我局已建成公园{n}个，方便附近居民休闲，并安排专人管护。", f"2022年底前再建{n}个。"] * 8
        sentences, at = [], 0
        for i, part in enumerate(parts):
            status = Status.PLEDGE if i % 2 else Status.COMPLETED
            sentences.append(Sentence(at, at + len(part), part, status, confidence=0.9 - i / 100))
            at += len(part)
        text, agency = "".join(parts), f"第{n % 30}局"
        reply = Reply(text=text, name=f"letter {n}", agency=agency, sentences=tuple(sentences))
        for row in table.rows(reply):
            row["date"] = datetime.date(2015 + n % 9, 5, 1)
            row["deadline_end"] = datetime.date(2022, 12, 31) if row["status"] == "pledge" else None
            made.append(row)
    return made


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_is_accessible(browser: Any, tmp_path: Path, lang: Any, scheme: str) -> None:
    opened = Opened(browser, report.page(rows(40), lang=lang), tmp_path / "r.html", color_scheme=scheme)
    opened.page.locator("button.name").first.click()
    opened.check()
    assert opened.violations() == []


def test_report_of_two_thousand_letters_sorts_and_filters(browser: Any, tmp_path: Path) -> None:
    html = report.page(rows(2000))
    assert len(html.encode()) < 10_000_000
    opened = Opened(browser, html, tmp_path / "r.html")
    page = opened.page
    assert page.inner_text("#shown") == "2,000"
    for key in ("agency", "date", "completed", "pledge", "name", "name"):
        page.locator(f"button[data-key={key}]").click()
    # Numbers in names count as numbers; twice is downwards.
    assert page.locator("#letters tbody button.name").first.inner_text() == "letter 1999"
    assert page.locator("th[aria-sort=descending]").count() == 1
    page.locator("button[data-key=name]").click()
    names = page.locator("#letters tbody button.name").all_inner_texts()
    assert names[:12] == [f"letter {n}" for n in range(12)]
    page.fill("#find", "再建123个")
    assert page.inner_text("#shown") == "1"
    page.locator("button.name").focus()
    page.keyboard.press("Enter")
    assert page.locator("tr.more p").count() == 16
    assert "已建成公园123个" in page.inner_text("tr.more")
    page.keyboard.press("Enter")
    assert page.locator("tr.more").count() == 0
    page.fill("#find", "nothing is called so")
    assert page.inner_text("#shown") == "0"
    page.fill("#find", "")
    page.locator("button.rest").click()
    assert page.locator("#letters tbody button.name").count() == 1200
    opened.check()


def test_report_is_switched_and_fits_a_phone(browser: Any, tmp_path: Path) -> None:
    size = {"width": 390, "height": 800}
    opened = Opened(browser, report.page(rows(40), lang="zh"), tmp_path / "r.html", viewport=size)
    page = opened.page
    page.locator("button.name").first.click()
    before = page.inner_html("body")
    page.get_by_role("button", name="English").click()
    assert page.title() == page.locator("h1").inner_text() == "Replies and what they commit to"
    assert page.locator("#letters tbody button.name").count() == 40
    assert page.locator("tr.more").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.violations() == []
    page.get_by_role("button", name="中文").click()
    assert page.inner_html("body") == before
    opened.check()


def test_report_is_inert(browser: Any, tmp_path: Path) -> None:
    made = rows(3)
    for row in made:
        row.update(dict.fromkeys(("name", "agency", "title", "clean", "text", "by"), HOSTILE), asks=[HOSTILE])
    made.append({"name": HOSTILE, "error": HOSTILE, "status": None, "text": None})
    opened = Opened(browser, report.page(made), tmp_path / "r.html")
    opened.page.locator("button.name").first.click()
    assert "<script>window.hit=1</script>" in opened.page.inner_text("tr.more")
    assert not {"\u202e", "\u200f"} & set(opened.page.inner_text("body"))
    assert opened.page.locator("a, img").count() == 0
    opened.page.get_by_role("button", name="中文").click()
    opened.check()
    assert json.loads(opened.page.text_content("#data"))
