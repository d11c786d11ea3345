"""Take pictures of every page: ``python -m tests.browser.screenshots [DIRECTORY [NAME...]]``.

A plant of sixty machines lives for a while behind a real gateway; then each page is taken as a
desktop, a telephone and a television show it, in Chinese and in English.
"""

import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, PATIENCE_MS, PHONE
from tests.support.screens import PASSWORD, Screens, name, screens

LIFE_S = 150.0
STEP_S = 0.5
OUT = "build/screenshots"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
TELEVISION: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}}
SETTLED_MS = 1200
STORY = {3: 2, 15: 1, 22: 2, 40: 1}
"""Machine -> its alarm word in the end."""
WARNED, IDLE, OFTEN = 41, (8, 9, 14, 25, 29, 44), 15


@dataclass(frozen=True)
class Picture:
    """One page as one person sees it."""

    name: str
    path: str
    user: str = "maintenance"
    full: bool = False
    press: str = ""
    """What is pressed before, by CSS."""
    shown: str = ""
    """What has to be there before, by CSS."""


def pictures(since: str) -> list[Picture]:
    """Return what is taken; ``since`` is when the plant began, on the site's wall clock."""
    return [
        Picture("board", "/", shown=".t-due"),
        Picture("equipment", f"/eq/press-15?from={since}&tags=pressure", full=True),
        Picture("faults", "/faults"),
        Picture("fault-dialog", "/faults", press=".fault-row .ack"),
        Picture("fault-details", "/faults", press=".fault-row .as-text"),
        Picture("faults-history", "/faults/history"),
        Picture("faults-analysis", "/faults/analysis?code=E101&by=count", full=True),
        Picture("events", "/events?equipment=press-15"),
        Picture("health", "/health"),
        Picture("qr", "/qr"),
        Picture("users", "/admin/users", user="root"),
        Picture("tokens", "/admin/tokens", user="root"),
        Picture("displays", "/admin/displays", user="root"),
        Picture("revisions", "/admin/revisions?rev=2", user="root"),
        Picture("audit", "/admin/audit", user="root"),
        Picture("login", "/login", user=""),
        Picture("forbidden", "/admin", user="viewer"),
    ]


ON_THE_WALL = (
    Picture("board-tv", "/?tv=1", user="viewer", shown=".t-due"),
    Picture("pairing-tv", "/display", user="", shown=".pairing-code"),
)
"""What a television shows."""


def live(gateway: Screens, seconds: float) -> None:
    """Let the plant work, stop and fail for some time; it ends as STORY says."""
    chance = random.Random(7)
    good = {number: 100 + number for number in range(1, gateway.machines + 1)}
    reject = dict.fromkeys(good, 0)
    began_s = time.monotonic()
    while (passed_s := time.monotonic() - began_s) < seconds:
        for number in range(1, gateway.machines + 1):
            running = _act(gateway, number, passed_s, seconds)
            good[number] += running and chance.random() < 0.4
            reject[number] += running and chance.random() < 0.01
            gateway.count(number, good[number], reject[number])
            gateway.pressure(number, 420 + chance.randint(-12, 12) - 60 * (not running))
        time.sleep(STEP_S)


def _act(gateway: Screens, number: int, passed_s: float, seconds: float) -> bool:
    last = passed_s > seconds - 25
    if number in STORY and last:
        gateway.machine(number, run=False, alarms=STORY[number])
        return False
    if number == OFTEN and 20 < passed_s % 50 < 32:
        gateway.machine(number, run=False, alarms=1 if passed_s % 100 < 50 else 2)
        return False
    resting = (number in IDLE and last) or (number * 7 + int(passed_s / 15)) % 23 == 0
    gateway.machine(number, run=not resting, alarms=4 if number == WARNED and last else 0)
    return not resting


def _log_in(context: BrowserContext, gateway: Screens, user: str) -> None:
    if user:
        body = {"name": user, "password": PASSWORD}
        assert context.request.post(f"{gateway.url}/api/v1/login", data=body).ok


def _begin(browser: Browser, gateway: Screens) -> tuple[BrowserContext, dict[str, str]]:
    """Set up the administrator, put orders in force and change something; return his session."""
    context = browser.new_context()
    body = {"name": "root", "password": PASSWORD, "code": gateway.setup_code}
    session = context.request.post(f"{gateway.url}/api/v1/setup", data=body).json()
    head = {"X-CSRF": session["csrf"]}
    for number in range(1, gateway.machines + 1):
        if number % 7:
            order = {"order_no": f"WO-{1040 + number}", "product": "A-77", "planned_qty": 240}
            place = f"{gateway.url}/api/v1/equipment/{name(number)}/order"
            context.request.post(place, data=order | {"ideal_cycle_ms": 1300}, headers=head)
    file = gateway.directory / "equipment/press-60.yaml"
    text = file.read_text(encoding="utf-8").replace("max_rate_per_s: 100", "max_rate_per_s: 80")
    file.write_text(text, encoding="utf-8")
    why = {"why": "80 strokes a second are the most this press can do"}
    context.request.post(f"{gateway.url}/api/v1/reload", data=why, headers=head)
    context.request.post(
        f"{gateway.url}/api/v1/tokens", data={"name": "mes", "role": "viewer"}, headers=head
    )
    return context, head


def _pair(context: BrowserContext, head: dict[str, str], gateway: Screens) -> None:
    """Pair two televisions; one of them is never seen again."""
    for display, lines in (("hall 1 north", ["stamping/line-1"]), ("线长办公室", [])):
        television = context.browser.new_context() if context.browser else context
        shown = television.request.post(f"{gateway.url}/api/v1/display/pair").json()
        body = {"code": shown["code"], "name": display, "lines": lines}
        context.request.post(f"{gateway.url}/api/v1/displays", data=body, headers=head)
        if lines:
            television.request.post(f"{gateway.url}/api/v1/display/pair")
        television.close()


def _acknowledge(context: BrowserContext, head: dict[str, str], gateway: Screens) -> None:
    """Let somebody acknowledge a fault."""
    faults = context.request.get(f"{gateway.url}/api/v1/faults").json()
    seen = [one for one in faults if one["equipment"] == "press-22"]
    refs = [{key: one[key] for key in ("equipment", "fault_id")} for one in seen]
    told = {"faults": refs, "comment": "on my way, hose to be replaced"}
    context.request.post(f"{gateway.url}/api/v1/faults/ack", data=told, headers=head)
    context.close()


def take(page: Page, gateway: Screens, picture: Picture, file: Path) -> None:
    """Take one picture."""
    page.goto(f"{gateway.url}{picture.path}", wait_until="domcontentloaded")
    loaded = "main .panel, main table, main form, main .tile[data-equipment], main .pairing"
    page.locator(loaded).first.wait_for()
    if picture.shown:
        page.locator(picture.shown).first.wait_for(state="attached")
    page.wait_for_timeout(SETTLED_MS)
    expect(page.locator(".bone, .skeleton")).to_have_count(0, timeout=PATIENCE_MS)
    if picture.press:
        page.locator(picture.press).first.click()
        page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=file, full_page=picture.full)


def take_all(
    browser: Browser, gateway: Screens, since: str, out: Path, names: Sequence[str]
) -> None:
    """Take every page, or those named, as every device shows it, in both languages."""
    devices: dict[str, dict[str, Any]] = {"desktop": DESKTOP, "phone": PHONE}
    for lang, locale in (("zh", "zh-CN"), ("en", "en-US")):
        for device, options in devices.items():
            for picture in pictures(since):
                if names and picture.name not in names:
                    continue
                context = browser.new_context(locale=locale, **options)
                _log_in(context, gateway, picture.user)
                name = f"{picture.name}-{device}-{lang}.png"
                take(context.new_page(), gateway, picture, out / name)
                context.close()
        for picture in ON_THE_WALL:
            if names and picture.name not in names:
                continue
            context = browser.new_context(locale=locale, **TELEVISION)
            _log_in(context, gateway, picture.user)
            take(context.new_page(), gateway, picture, out / f"{picture.name}-{lang}.png")
            context.close()


def main(out: Path, names: Sequence[str]) -> None:
    """Take them all, or those named."""
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="millgate-") as directory,
        screens(Path(directory)) as gateway,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        began = datetime.now(UTC) - timedelta(minutes=1)
        root = _begin(browser, gateway)
        _pair(*root, gateway)
        live(gateway, LIFE_S)
        _acknowledge(*root, gateway)
        since = f"{began.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%dT%H:%M}"
        take_all(browser, gateway, since, out, names)
        browser.close()
    sys.stdout.write(f"{len(list(out.glob('*.png')))} pictures in {out}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else OUT), sys.argv[2:])
