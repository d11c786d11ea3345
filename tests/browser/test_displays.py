"""A television on the wall: paired with a code, changed from afar, revoked."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADMIN, PATIENCE_MS, PHONE, Look
from tests.browser.test_board import TELEVISION
from tests.support.screens import PER_LINE, Screens

pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)
REVOKED = ("401 (Unauthorized)",)


def choose_lines(page: Page, *lines: str) -> None:
    for box in page.locator(".display-lines:visible input").all():
        box.set_checked(box.input_value() in lines)


def pair(admin: Page, code: str) -> None:
    """Enter a code that nobody shows, then the one that the television does."""
    admin.locator("[name=code]").fill(f"{(int(code.replace(' ', '')) + 1) % 10**6:06}")
    admin.locator("[name=name]").fill("hall 1")
    admin.locator("[name=theme]").select_option("dark")
    admin.locator("[name=language]").select_option("zh")
    choose_lines(admin, "stamping/line-2")
    admin.get_by_role("button", name="Pair").click()
    expect(admin.get_by_role("alert")).to_contain_text("No television shows this code")
    admin.locator("[name=code]").fill(code)
    admin.get_by_role("button", name="Pair").click()
    expect(admin.locator(".toast")).to_contain_text("hall 1 is paired")


def change(admin: Page) -> None:
    """Give the display another name and language, and all lines."""
    row = admin.locator("[data-display='hall 1']")
    expect(row).to_contain_text("from 127.0.0.1")
    row.get_by_role("button", name="Change").click()
    dialog = admin.get_by_role("dialog")
    dialog.locator("[name=name]").fill("hall 2")
    dialog.locator("[name=language]").select_option("en")
    for box in dialog.locator(".display-lines input").all():
        box.uncheck()
    dialog.get_by_role("button", name="Save").click()


def test_a_television_is_paired_follows_what_is_changed_and_shows_a_code_when_it_is_revoked(
    look: Look, gateway: Screens
) -> None:
    watcher = look(lang="en", expected=REVOKED, **TELEVISION)
    television = watcher.open("/display")
    code, tiles = television.locator("[data-code]"), television.locator(".tile[data-equipment]")
    for words in ("Pair this display", "配对大屏"):
        expect(television.get_by_role("heading", name=words)).to_be_visible()
    first = code.inner_text()
    admin = look(ADMIN, lang="en", expected=("404 (Not Found)",)).open("/admin/displays")
    pair(admin, first)
    expect(tiles).to_have_count(PER_LINE)
    expect(television.locator("html[data-theme=dark][lang=zh-CN]")).to_be_attached()
    expect(television.locator(".tv-head")).to_contain_text("hall 1")
    for path in ("equipment", "faults", "session", "displays", "stream"):
        assert watcher.context.request.get(f"{gateway.url}/api/v1/{path}").status == 401
    change(admin)
    expect(tiles).to_have_count(gateway.machines)
    expect(television.locator(".tv-head")).to_contain_text("hall 2")
    expect(television.locator("html[lang=en]")).to_be_attached()
    television.reload(wait_until="domcontentloaded")
    expect(tiles).to_have_count(gateway.machines)
    admin.locator("[data-display='hall 2']").get_by_role("button", name="Revoke").click()
    expect(code).to_be_visible()
    assert code.inner_text() != first
    expect(tiles).to_have_count(0)
    expect(admin.locator("[data-display]")).to_have_count(0)


def test_a_touch_on_the_wall_leads_nowhere(look: Look, gateway: Screens) -> None:
    television = look(lang="en", expected=REVOKED, **TELEVISION).open("/display/pair")
    code = television.locator("[data-code]").inner_text()
    admin = look(ADMIN)
    session = admin.context.request.get(f"{gateway.url}/api/v1/session").json()
    answer = admin.context.request.post(
        f"{gateway.url}/api/v1/displays",
        data={"code": code, "name": "touched"},
        headers={"X-CSRF": session["csrf"]},
    )
    assert answer.ok, answer.text()
    expect(television.locator("#eq-press-07")).to_be_visible()
    box = television.locator("#eq-press-07").bounding_box()
    assert box is not None
    television.mouse.click(box["x"] + 20, box["y"] + 20)
    for key in ("Tab", "Enter", "g", "f", "?"):
        television.keyboard.press(key)
    expect(television.locator("#eq-press-07")).to_be_visible()
    assert television.url == f"{gateway.url}/display/pair"
    expect(television.get_by_role("dialog")).to_have_count(0)
    page = look(ADMIN, lang="en", **PHONE).open("/admin/displays")
    expect(page.locator("[data-display=touched]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Revoke").click()
    expect(television.locator("[data-code]")).to_be_visible()
