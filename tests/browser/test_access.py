"""Who is let in, and what somebody meets who is not. The first: no administrator exists so far."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ADMIN, PATIENCE_MS, Look
from tests.support.screens import PASSWORD, Screens

pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)
REFUSED = ("401 (Unauthorized)",)


def test_the_first_administrator_is_created_with_the_code_that_was_printed(
    look: Look, gateway: Screens
) -> None:
    somebody = look(lang="en", expected=REFUSED)
    page = somebody.open("/")
    expect(page).to_have_url(f"{gateway.url}/setup")
    page.locator("[name=code]").fill(gateway.setup_code)
    page.locator("[name=name]").fill(ADMIN)
    page.locator("[name=new-password]").fill(PASSWORD)
    page.locator("[name=repeat]").fill("something else")
    expect(page.get_by_role("button", name="Create the administrator")).to_be_disabled()
    page.locator("[name=repeat]").fill(PASSWORD)
    page.get_by_role("button", name="Create the administrator").click()
    expect(page.locator(".head .menu summary")).to_contain_text(ADMIN)
    expect(page.locator(".tile[data-equipment]")).to_have_count(gateway.machines)


def test_a_wrong_password_is_refused_and_the_right_one_leads_to_the_page_asked_for(
    look: Look, gateway: Screens
) -> None:
    somebody = look(expected=REFUSED)
    page = somebody.open("/faults?p=1")
    page.locator("[name=name]").fill("maintenance")
    page.locator("[name=password]").fill("wrong password")
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不正确")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    expect(page).to_have_url(f"{gateway.url}/faults?p=1")
    expect(page.locator(".head .menu summary")).to_contain_text("maintenance")


def test_a_login_that_ends_is_asked_for_again_over_the_page(look: Look) -> None:
    engineer = look("engineer", lang="en", expected=REFUSED)
    page = engineer.open("/eq/press-05")
    expect(page.locator("h1")).to_contain_text("press-05")
    engineer.context.clear_cookies()
    # What the page asks by itself may have been refused first: then the dialog is over the button.
    page.get_by_role("button", name="24 h").dispatch_event("click")
    dialog = page.get_by_role("dialog", name="Log in again")
    dialog.locator("[name=password]").fill(PASSWORD)
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("h1")).to_contain_text("press-05")
