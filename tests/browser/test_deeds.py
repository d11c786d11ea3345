"""What people do about faults, stops, orders and users, each as far as the role goes."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ADMIN, DESKTOP, PATIENCE_MS, PHONE, Look, Looker
from tests.support.screens import Screens, wait_for

pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)
FORBIDDEN = ("403 (Forbidden)",)
NOWHERE = ("404 (Not Found)",)
FINGER_PX = 44


FAILED_BEFORE = """async () => {
  const ago = (ms) => new Date(Date.now() - ms).toISOString();
  const span = `from=${ago(86400000)}&to=${ago(3000)}`;
  const answer = await fetch(`/api/v1/faults/pareto?equipment=press-45&${span}`);
  return (await answer.json()).rows.length;
}"""
"""Long enough ago for a page whose clock is the last message of its stream."""


def card(page: Page, equipment: str, code: str) -> Locator:
    return page.locator(f".fault-row[data-equipment={equipment}]").filter(has_text=code)


def say(page: Page, row: Locator, text: str) -> None:
    """Comment on a fault; the comment stands in its details."""
    row.get_by_role("button", name="详情").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="备注").click()
    dialog.locator("textarea").fill(text)
    dialog.locator("[data-deed=comment]").click()
    expect(dialog).to_be_hidden()
    row.get_by_role("button", name="详情").click()
    expect(dialog).to_contain_text(text)


def search(page: Page, gateway: Screens, text: str) -> None:
    """Find one's own fault in the history; its details say what happened around it."""
    page.goto(f"{gateway.url}/faults/history?mine=1", wait_until="domcontentloaded")
    page.locator("[name=text]").fill(text)
    page.locator("[name=text]").press("Enter")
    found = page.locator("main table.cards tbody tr")
    expect(found).to_have_count(1)
    found.locator(".as-text").click()
    sheet = page.get_by_role("dialog")
    expect(sheet.locator(".around .strip-mark")).to_be_attached()
    expect(sheet.locator("[data-tag=pressure]")).to_contain_text("bar")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def faults(looker: Looker) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = looker.context.request.get(f"{looker.url}/api/v1/faults").json()
    return found


def test_maintenance_acknowledges_and_comments_a_fault_on_a_telephone(
    look: Look, gateway: Screens
) -> None:
    mechanic = look("maintenance", **PHONE)
    page = mechanic.open("/faults")
    gateway.machine(21, run=False, alarms=2)
    row = card(page, "press-21", "E204")
    expect(row).to_contain_text("气压不足")
    button = row.get_by_role("button", name="确认")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= FINGER_PX
    assert box["width"] > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    button.click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("检查气源")
    sheet.get_by_role("button", name="已去现场").click()
    expect(sheet.locator("textarea")).to_have_value("已去现场")
    sheet.locator("textarea").fill("已去现场，更换气管接头")
    sheet.locator("[data-deed=ack]").click()
    expect(page.locator(".toast")).to_contain_text("已确认 1 条")
    expect(row).to_contain_text("已确认")
    expect(row).to_contain_text("maintenance")
    (told,) = [fault for fault in faults(mechanic) if fault["equipment"] == "press-21"]
    assert told["acked"]["by"] == "maintenance"
    say(page, row, "接头已更换，观察中")
    sheet.get_by_role("button", name="关闭").click()
    page.get_by_role("button", name="我处理的").click()
    expect(page.locator(".fault-row")).to_have_count(1)
    gateway.machine(21)
    search(page, gateway, "接头")


def test_several_faults_are_shelved_with_one_reason_and_come_back(
    look: Look, gateway: Screens
) -> None:
    page = look("maintenance", lang="en").open("/faults")
    for number in (41, 42):
        gateway.machine(number, alarms=4)
    expect(card(page, "press-42", "W077")).to_be_visible()
    card(page, "press-42", "W077").get_by_role("button", name="Acknowledge").click()
    expect(page.locator("[data-deed=ack]")).to_be_disabled()  # its category wants a comment
    expect(page.get_by_role("dialog")).to_contain_text("Comment (required)")
    page.get_by_role("button", name="Close").click()
    for number in (41, 42):  # from now on the rows keep their place
        card(page, f"press-{number}", "W077").locator("input[type=checkbox]").check()
    page.locator(".chosen-bar").get_by_role("button", name="Shelve").click()
    dialog = page.get_by_role("dialog", name="Shelve")
    expect(dialog.locator("[data-deed=shelve]")).to_be_disabled()
    dialog.locator("textarea").fill("tools are ordered")
    dialog.get_by_role("button", name="15 min").click()
    dialog.locator("[data-deed=shelve]").click()
    expect(card(page, "press-41", "W077")).to_have_count(0)
    page.get_by_role("button", name="Shelved 2").click()
    row = card(page, "press-42", "W077")
    row.locator(".as-text").click()
    page.get_by_role("dialog").get_by_role("button", name="Show again").click()
    expect(page.get_by_role("button", name="Shelved 1")).to_be_visible()
    for number in (41, 42):
        gateway.machine(number)


def test_a_viewer_cannot_do_it_not_even_by_address(look: Look, gateway: Screens) -> None:
    gateway.machine(22, run=False, alarms=1)
    viewer = look("viewer", expected=FORBIDDEN)
    page = viewer.open("/faults")
    row = card(page, "press-22", "E101")
    expect(row.locator(".f-ack")).to_have_text("—")
    expect(page.get_by_role("button", name="确认")).to_have_count(0)
    expect(page.locator("input[type=checkbox]")).to_have_count(0)
    (told,) = [fault for fault in faults(viewer) if fault["equipment"] == "press-22"]
    body = {"faults": [{"equipment": "press-22", "fault_id": told["fault_id"]}]}
    session = viewer.context.request.get(f"{viewer.url}/api/v1/session").json()
    answer = viewer.context.request.post(
        f"{viewer.url}/api/v1/faults/ack", data=body, headers={"X-CSRF": session["csrf"]}
    )
    assert answer.status == 403
    assert [one["acked"] for one in faults(viewer) if one["equipment"] == "press-22"] == [None]
    for path in ("/admin", "/admin/users", "/admin/audit"):
        viewer.open(path)
        expect(page.locator("h1")).to_have_text("没有权限")
        expect(page.locator("main")).to_contain_text("张工 8123")
    expect(page.get_by_role("link", name="管理")).to_have_count(0)
    gateway.machine(22)


def test_an_order_that_an_engineer_changes_shows_on_the_board(look: Look, gateway: Screens) -> None:
    board = look("viewer", lang="en").open("/?q=WO-2077")
    expect(board.locator(".matchless")).to_contain_text("4 lines without a match")
    page = look("engineer", lang="en").open("/eq/press-33")
    page.get_by_role("button", name="Change order").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=order_no]").fill("WO-2077")
    dialog.locator("[name=product]").fill("A-77")
    dialog.locator("[name=planned_qty]").fill("1200")
    dialog.get_by_role("button", name="Change order").click()
    expect(page.locator(".facts")).to_contain_text("WO-2077 · A-77 · planned 1200")
    expect(board.locator(".tile[data-equipment]")).to_have_count(1)
    expect(board.locator("#eq-press-33 .t-count")).to_contain_text("0 / 1200")
    gateway.count(33, 133 + 30, 1)
    expect(board.locator("#eq-press-33 .t-count")).to_contain_text("30 / 1200")
    assert "width: 2.5%" in (board.locator("#eq-press-33 .t-done").get_attribute("style") or "")
    expect(page.locator(".facts")).to_contain_text("planned 1200 · Good 30")
    board.locator("#eq-press-33").focus()
    expect(board.get_by_role("tooltip")).to_contain_text("WO-2077")


def test_maintenance_gives_a_stop_its_reason(look: Look, gateway: Screens) -> None:
    gateway.machine(34, run=False)
    page = look("maintenance", lang="en", expected=NOWHERE).open("/eq/press-34?range=1h")
    expect(page.locator(".facts")).to_contain_text("Idle")
    page.reload(wait_until="domcontentloaded")
    page.locator(".eq-tables").get_by_role("button", name="Idle").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".raw-values")).to_contain_text(["run: false"])
    dialog.locator("[name=reason]").select_option("waiting for a coil")
    dialog.locator("textarea").fill("coil is late")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".eq-tables")).to_contain_text("waiting for a coil coil is late")
    gateway.machine(34)
    for path in ("/eq/press-344", "/equipment/Press 34"):
        page.goto(f"{gateway.url}{path}", wait_until="domcontentloaded")
        expect(page.locator(".nearest").get_by_role("link").first).to_contain_text("press-34")


def stops_of(looker: Looker, number: int) -> list[dict[str, Any]]:
    url = f"{looker.url}/api/v1/equipment/press-{number}/timeline"
    told = looker.context.request.get(url).json()["intervals"]
    return [one for one in told if one["state"] == "idle"]


def a_stop(looker: Looker, gateway: Screens, number: int) -> dict[str, Any]:
    """Let a machine stand for five seconds."""
    gateway.machine(number, run=False)
    stands = partial(stops_of, looker, number)
    wait_for(lambda: sum(one["duration_ms"] for one in stands()) > 5000, "a stop of 5 s")
    gateway.machine(number)
    wait_for(lambda: all(one["until"] for one in stands()), "the end of the stop")
    (whole,) = stands()
    return whole


@pytest.mark.parametrize(("number", "form"), [(36, DESKTOP), (37, PHONE)])
def test_maintenance_splits_a_stop_and_joins_it_again(
    look: Look, gateway: Screens, number: int, form: dict[str, Any]
) -> None:
    looker = look("maintenance", lang="zh", **form)
    whole = a_stop(looker, gateway, number)
    page = looker.open(f"/eq/press-{number}?range=1h")
    stops = page.locator(".eq-tables").get_by_role("button", name="待机")
    dialog = page.get_by_role("dialog")
    stops.first.click()
    dialog.get_by_role("button", name="拆分…").click()
    dialog.locator("[name=split-reason]").select_option("no_coil")
    dialog.get_by_role("button", name="拆分", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(stops).to_have_count(2)
    expect(page.locator(".eq-tables")).to_contain_text("等卷料")
    told = stops_of(looker, number)
    assert [one["part_of"] for one in told] == [whole["id"], whole["id"]]
    assert sum(one["duration_ms"] for one in told) == whole["duration_ms"]
    assert (told[0]["since"], told[1]["until"]) == (whole["since"], whole["until"])
    rows = page.locator(".eq-tables tr").filter(has_text="等卷料")
    rows.get_by_role("button", name="待机").click()
    dialog.get_by_role("button", name="与前一段合并").click()
    expect(dialog).to_be_hidden()
    expect(stops).to_have_count(1)
    assert [one["part_of"] for one in stops_of(looker, number)] == [None]


def test_an_administrator_makes_a_user_who_must_choose_a_password(
    look: Look, gateway: Screens
) -> None:
    admin = look(ADMIN, lang="en").open("/admin/users")
    admin.locator("[name=name]").fill("zhang.wei")
    admin.locator("[name=role]").select_option("maintenance")
    admin.get_by_role("button", name="Create").click()
    secret = admin.get_by_role("dialog").locator("input").input_value()
    page = look(lang="en", expected=("401 (Unauthorized)",)).open("/")
    page.locator("[name=name]").fill("zhang.wei")
    page.locator("[name=password]").fill(secret)
    page.locator("button[type=submit]").click()
    expect(page).to_have_url(re.compile("/password$"))
    page.locator("[name=old]").fill(secret)
    page.locator("[name=new-password]").fill("a password of my own")
    page.locator("[name=repeat]").fill("a password of my own")
    page.locator("button[type=submit]").click()
    expect(page.locator(".tile[data-equipment]")).to_have_count(gateway.machines)
    admin.goto(f"{gateway.url}/admin/audit", wait_until="domcontentloaded")
    expect(admin.locator("main table")).to_contain_text("created a user")


def test_an_administrator_takes_a_backup_and_puts_it_back(look: Look, tmp_path: Path) -> None:
    page = look(ADMIN, lang="en").open("/admin/backup")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download a backup").click()
    taken.value.save_as(tmp_path / "backup.zip")
    page.locator("input[type=file]").set_input_files(tmp_path / "backup.zip")
    page.locator("[name=why]").fill("as it was")
    page.get_by_role("button", name="Restore").click()
    expect(
        page.locator(".toast, form [role=alert]").filter(has_text=re.compile(".+"))
    ).to_be_visible()
    expect(page.locator("form [role=alert]")).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("is in force")


def test_a_file_too_large_for_a_backup_is_not_sent(look: Look) -> None:
    page = look(ADMIN, lang="en").open("/admin/backup")
    page.locator("[name=why]").fill("back to yesterday")
    chosen, button = page.locator("input[type=file]"), page.locator("button.danger")
    chosen.set_input_files({"name": "b.zip", "mimeType": "application/zip", "buffer": b"PK"})
    expect(button).to_be_enabled()
    large = b"P" * (4 * 1024**2 + 1)
    chosen.set_input_files({"name": "b.zip", "mimeType": "application/zip", "buffer": large})
    expect(page.get_by_role("alert")).to_contain_text("Larger than 4 MB")
    expect(button).to_be_disabled()


def test_an_earlier_revision_is_looked_at_and_put_back(look: Look, gateway: Screens) -> None:
    admin = look(ADMIN, lang="en")
    session = admin.context.request.get(f"{gateway.url}/api/v1/session").json()
    file = gateway.directory / "equipment/press-60.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("Press 60", "Press Sixty"), encoding="utf-8")
    answer = admin.context.request.post(
        f"{gateway.url}/api/v1/reload",
        data={"why": "a better name"},
        headers={"X-CSRF": session["csrf"]},
    )
    assert answer.json()["accepted"], answer.text()
    reader = look("maintenance").open("/admin")
    expect(reader.locator("[data-revision]").first).to_contain_text("a better name")
    reader.locator("[data-revision] button").first.click()
    expect(reader.locator(".diff .came")).to_contain_text(["Press Sixty"])
    expect(reader.locator(".diff .went")).to_contain_text(["Press 60"])
    expect(reader.locator("[name=why]")).to_have_count(0)  # it may look, no more
    page = look("engineer", lang="en").open("/admin/revisions")
    page.locator("[data-revision] button").nth(1).click()
    page.locator("[name=why]").fill("the old one was better")
    page.get_by_role("button", name=re.compile("Put revision .* back")).click()
    expect(page.locator(".toast")).to_contain_text("is in force")
    expect(page.locator("[data-revision]").first).to_contain_text("the old one was better")
    assert file.read_text(encoding="utf-8") == before


def test_what_is_shown_is_taken_along_as_tables(look: Look, tmp_path: Path) -> None:
    page = look("viewer", lang="en").open("/eq/press-05?range=1h&tags=pressure")
    for name, part in (
        ("Time in states", "running"),
        ("Parts per hour", "good"),
        ("Trends", "bar"),
    ):
        with page.expect_download() as taken:
            page.locator(".downloads").get_by_role("link", name=name).click()
        taken.value.save_as(tmp_path / "table.csv")
        assert taken.value.suggested_filename.startswith("press-05-")
        assert part in (tmp_path / "table.csv").read_text(encoding="utf-8-sig"), name
    page.goto(page.url.partition("/eq")[0] + "/faults/history", wait_until="domcontentloaded")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Excel").click()
    assert taken.value.suggested_filename == "faults.xlsx"


def test_one_code_is_looked_at_day_by_day(look: Look, gateway: Screens) -> None:
    gateway.machine(45, run=False, alarms=1)
    page = look("viewer", lang="en").open("/faults/analysis?equipment=press-45")
    page.wait_for_function(FAILED_BEFORE)
    page.reload(wait_until="domcontentloaded")
    expect(page.locator(".figures")).to_contain_text("Downtime")
    expect(page.locator(".days li")).to_have_count(2)  # of the last 24 hours
    page.locator("[name=code]").select_option(value="E101")
    page.get_by_role("button", name="by count").click()
    expect(page.locator(".days .d-text").last).to_have_text("1")
    assert "code=E101" in page.url
    page.goto(f"{gateway.url}/eq/press-45", wait_until="domcontentloaded")
    page.locator(".top-faults").get_by_role("link", name="E101").click()
    expect(page.locator("main table tbody tr")).to_have_count(1)
    gateway.machine(45)
