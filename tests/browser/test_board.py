"""The board: live, over a restart, on a telephone and on a television."""

import json
import signal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE, Look
from tests.support.screens import Screens

pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)
CUT = ("ERR_", "Failed to load resource")
BEYOND = """[...document.querySelectorAll("main *")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width > 390 && !one.closest(".chips, .scroll-x");
}).map((one) => `${one.tagName} ${one.className}`)"""
TELEVISION = {"viewport": {"width": 1920, "height": 1080}}


def test_a_fault_shows_at_once_and_its_chip_filters(look: Look, gateway: Screens) -> None:
    page = look("viewer").open("/")
    tile = page.locator("#eq-press-17")
    expect(tile).to_contain_text("运行")
    gateway.machine(17, run=False, alarms=1)
    expect(tile).to_contain_text("故障")
    expect(tile).to_contain_text("E101")
    page.locator("[data-chip=fault]").click()
    expect(page).to_have_url(f"{gateway.url}/?state=fault")
    expect(page.locator(".tile[data-equipment]")).to_have_count(1)
    expect(page.locator(".matchless")).to_contain_text("3 条产线无匹配")
    gateway.machine(17)
    expect(page.locator(".tile[data-equipment]")).to_have_count(0)
    page.get_by_role("button", name="清除筛选").click()
    expect(page.locator(".tile[data-equipment]")).to_have_count(gateway.machines)


@pytest.mark.parametrize(
    ("lang", "said"),
    [("zh", "正在连接设备… 1/3"), ("en", "Connecting to the machines… 1/3")],
)
def test_after_a_start_it_is_counted_how_many_links_answered(
    look: Look, gateway: Screens, lang: str, said: str
) -> None:
    viewer = look("viewer", lang=lang)
    tiles = viewer.context.request.get(f"{gateway.url}/api/v1/equipment").json()
    for tile, state in zip(tiles, ("online", "starting", "starting"), strict=False):
        tile["links"] = [{**tile["links"][0], "link": tile["equipment"], "state": state}]
    told = {"now": "2026-03-20T01:01:29.123Z", "rev": 1, "tiles": tiles[:3], "faults": []}
    told |= {"collector": {"alive": True, "at": None, "problem": None, "problem_code": None}}
    told["site"] = {"site": "suzhou", "gateway": "gw-01", "timezone": "Asia/Shanghai"}
    body = f"retry: 100\n\nevent: hello\ndata: {json.dumps(told)}\n\n"
    viewer.page.route(
        "**/api/v1/stream*",
        lambda route: route.fulfill(content_type="text/event-stream", body=body),
    )
    expect(viewer.open("/").locator(".coming")).to_have_text(said)


def test_arrow_keys_go_from_machine_to_machine_and_the_rest_is_in_the_peek(look: Look) -> None:
    page = look("viewer", lang="en").open("/")
    expect(page.locator("#eq-press-02")).to_be_visible()
    page.locator("#eq-press-01").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#eq-press-02")).to_be_focused()
    expect(page.get_by_role("tooltip")).to_contain_text("Link plc")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("press-02")


def test_the_stream_survives_a_kill_of_the_web_process(look: Look, gateway: Screens) -> None:
    viewer = look("viewer", lang="en", expected=CUT)
    page = viewer.open("/")
    expect(page.locator("#eq-press-30")).to_contain_text("Running")
    gateway.stop("web", signal.SIGKILL)
    expect(page.get_by_role("status").filter(has_text="Data stopped")).to_be_visible()
    gateway.machine(30, run=False)
    gateway.start("web")
    expect(page.get_by_role("status").filter(has_text="Data stopped")).to_have_count(0)
    expect(page.locator("#eq-press-30")).to_contain_text("Idle")
    gateway.machine(30)
    expect(page.locator("#eq-press-30")).to_contain_text("Running")


def test_a_television_shows_sixty_machines_without_scrolling(look: Look, gateway: Screens) -> None:
    page = look("viewer", **TELEVISION).open("/?tv=1")
    tiles = page.locator(".tile[data-equipment]")
    expect(tiles).to_have_count(gateway.machines)
    boxes = [tile.bounding_box() for tile in tiles.all()]
    assert all(box and box["y"] >= 0 and box["y"] + box["height"] <= 1080 - 48 for box in boxes)
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 1920 for box in boxes)
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/faults", "/faults/analysis?range=30d", "/eq/press-01", "/health", "/events"),
        *("/qr", "/admin/revisions?rev=1"),
    ],
)
def test_no_page_scrolls_sideways_on_a_telephone(look: Look, path: str) -> None:
    page = look("maintenance", lang="en", **PHONE).open(path)
    expect(page.locator("nav").first).to_be_visible()
    page.locator("main .panel, main .tile, main table, main .qr").first.wait_for()
    assert page.evaluate(BEYOND) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


COUNT_TONES = """
window.tones = 0;
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
  window.tones += 1;
  return make.call(this);
};
"""


def test_a_new_fault_sounds_on_a_television_once_somebody_wants_it(
    look: Look, gateway: Screens
) -> None:
    watcher = look("viewer", lang="en", **TELEVISION)
    watcher.context.add_init_script(COUNT_TONES)
    page = watcher.open("/?tv=1")
    switch = page.locator(".tv .sound")
    expect(switch).to_have_text("Sound on a new fault off")
    gateway.machine(19, run=False, alarms=1)
    expect(page.locator("#eq-press-19")).to_contain_text("E101")
    assert page.evaluate("window.tones") == 0
    page.keyboard.press("m")
    expect(switch).to_have_text("Sound on a new fault on")
    page.wait_for_function("() => window.tones === 2")  # so that one hears what it is like
    page.reload(wait_until="domcontentloaded")
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#eq-press-19")).to_contain_text("E101")
    page.mouse.click(5, 5)  # a browser lets no page sound before somebody pressed something
    gateway.machine(20, run=False, alarms=1)
    page.wait_for_function("() => window.tones >= 2")
    for number in (19, 20):
        gateway.machine(number)
