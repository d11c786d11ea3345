"""Every page in both languages, with nothing left untranslated and nothing complained about."""

import re

import orjson
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ADMIN, PATIENCE_MS, Look
from tests.unit.web.test_pages import CATALOGUE

pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)
PAGES = {
    "/": ".tile[data-equipment]",
    "/eq/press-03": ".chart canvas",
    "/faults": ".filters",
    "/health": ".checks",
    "/events": ".event-table",
    "/qr": ".qr",
    "/faults/history": ".filters",
    "/faults/analysis": ".figures",
    "/admin/users": "main table",
    "/admin/tokens": "form",
    "/admin/displays": "form .display-lines input",
    "/admin/revisions": "main table",
    "/admin/audit": "main table",
    "/admin/backup": "form",
    "/password": "form",
}
WORDS_OF_PEOPLE = {"/faults/history", "/admin/audit", "/admin/revisions"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_speaks_the_language(look: Look, lang: str) -> None:
    keys = {key for key in orjson.loads(CATALOGUE.read_bytes()) if "." in key}
    admin = look(ADMIN, lang=lang)
    for path, loaded in PAGES.items():
        page = admin.open(path)
        page.locator(loaded).first.wait_for()
        text = page.locator("body").inner_text()
        assert not keys & set(re.findall(r"[\w.]+", text)), path
        assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[lang]
        mine = text.replace("中文", "")
        if lang == "zh" or path not in WORDS_OF_PEOPLE:
            assert bool(CHINESE.search(mine)) == (lang == "zh"), path


@pytest.mark.parametrize(("lang", "words"), [("zh", "时间服务器"), ("en", "time server")])
def test_the_system_page_says_what_the_clock_is_worth(look: Look, lang: str, words: str) -> None:
    page = look("viewer", lang=lang).open("/health")
    row = page.locator("[data-check=clock]")
    expect(row).to_contain_text(words)
    well = row.locator(".bad").count() == 0
    assert well or "clock: trusted" in row.inner_text()  # then it says what to do


def test_the_language_is_changed_with_one_press_and_kept(look: Look) -> None:
    viewer = look("viewer", lang="zh")
    page = viewer.open("/")
    page.get_by_role("button", name="English").click()
    expect(page.locator("[data-chip=all]")).to_contain_text("All")
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("[data-chip=all]")).to_contain_text("All")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("[data-chip=all]")).to_contain_text("全部")
