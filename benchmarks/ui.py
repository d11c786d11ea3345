"""What the screens cost: weight of the board, cold start, drawing 20,000 samples, watchers.

python benchmarks/ui.py [--runs 5] [--clients 1 10 50]

Sixty machines on one simulated device, a collector and a web process as they run in a plant,
Debian's Chromium as the browser. The budgets are those the screens are built for.
"""

import argparse
import asyncio
import gzip
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM  # noqa: E402  # beside the package
from tests.support.screens import PASSWORD, Screens, screens  # noqa: E402

WEIGHT_KB, COLD_S, TREND_S, CPU_SHARE = 150.0, 1.0, 1.0, 0.02
SAMPLES = 20_000
WATCH_S = 15.0
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 10, 50])
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="millgate-") as directory,
        screens(Path(directory)) as gateway,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        print("| what | measured | budget |\n|---|---|---|")
        _tell("board, all files compressed", f"{_weight(browser, gateway):.0f} kB", WEIGHT_KB, "kB")
        cold = [_cold(browser, gateway) for _ in range(asked.runs)]
        _tell("cold start to sixty tiles", _seconds(cold), COLD_S, "s")
        drawn = [_trend(browser, gateway) for _ in range(asked.runs)]
        _tell(f"drawing {SAMPLES:,} samples", _seconds(drawn), TREND_S, "s")
        browser.close()
        for clients in asked.clients:
            share = _watchers(gateway, clients)
            _tell(f"web process, {clients} watchers at 1 Hz", f"{share:.1%} of a core", 0, "")
    print(f"\nbudget of 50 watchers: {CPU_SHARE:.0%} of a core above none")


def _tell(what: str, measured: str, budget: float, unit: str) -> None:
    print(f"| {what} | {measured} | {f'{budget:g} {unit}' if unit else ''} |", flush=True)


def _seconds(runs: list[float]) -> str:
    return f"{statistics.median(runs):.2f} s ({min(runs):.2f} to {max(runs):.2f})"


@contextmanager
def _viewer(browser: Browser, gateway: Screens) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    body = {"name": "viewer", "password": PASSWORD}
    context.request.post(f"{gateway.url}/api/v1/login", data=body, fail_on_status_code=True)
    yield context
    context.close()


def _weight(browser: Browser, gateway: Screens) -> float:
    """Return the kB of every file that the board loads, each compressed by itself."""
    bodies: list[bytes] = []
    with _viewer(browser, gateway) as context:
        page = context.new_page()
        page.on(
            "response",
            lambda answer: "/api/" in answer.url or bodies.append(gzip.compress(answer.body(), 6)),
        )
        _open_board(page, gateway)
        page.wait_for_timeout(500)
    return sum(map(len, bodies)) / 1000


def _cold(browser: Browser, gateway: Screens) -> float:
    """Return the seconds from an empty cache to the last tile, the log-in left out."""
    with _viewer(browser, gateway) as context:
        page = context.new_page()
        began_s = time.monotonic()
        _open_board(page, gateway)
        return time.monotonic() - began_s


def _open_board(page: Page, gateway: Screens) -> None:
    page.goto(gateway.url, wait_until="commit")
    page.locator(".tile[data-equipment]").nth(gateway.machines - 1).wait_for()


def _trend(browser: Browser, gateway: Screens) -> float:
    """Return the seconds in which the equipment's chart draws SAMPLES of one tag.

    Readings are answered by this program in place of the server, so that the browser alone is
    measured; the server sends at most 4,000 points of any number of samples.
    """
    now_ms = int(time.time() * 1000)
    points = [
        [now_ms - (SAMPLES - n) * 1000, n % 97, n % 97 + 3, n % 97 + 1] for n in range(SAMPLES)
    ]
    series = [{"tag": "pressure", "name": {"en": "Pressure"}, "unit": "bar", "points": points}]
    with _viewer(browser, gateway) as context:
        page = context.new_page()
        page.goto(f"{gateway.url}/eq/press-01", wait_until="domcontentloaded")
        page.locator(".chart canvas").first.wait_for()
        page.wait_for_timeout(500)
        page.route("**/readings?**", lambda route: route.fulfill(json={"series": series}))
        return float(page.evaluate(_TIMED))


_TIMED = """async () => {
  const chart = document.querySelector(".chart");
  const before = chart.offsetHeight;
  history.pushState({}, "", location.pathname + "?tags=pressure&range=24h");
  const began = performance.now();
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  while (chart.offsetHeight === before) await new Promise(requestAnimationFrame);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return (performance.now() - began) / 1000;
}"""


def _watchers(gateway: Screens, clients: int) -> float:
    """Return the web process's share of a core while so many read the stream of a busy plant."""
    stop = threading.Event()
    plant = threading.Thread(target=_work, args=(gateway, stop))
    plant.start()
    try:
        return asyncio.run(_watched(gateway, clients))
    finally:
        stop.set()
        plant.join()


def _work(gateway: Screens, stop: threading.Event) -> None:
    count = 1000
    while not stop.wait(1.0):
        count += 1
        for number in range(1, gateway.machines + 1):
            gateway.count(number, count)


async def _watched(gateway: Screens, clients: int) -> float:
    cookie = await asyncio.to_thread(_cookie, gateway)
    readers = [asyncio.create_task(_read(gateway, cookie)) for _ in range(clients)]
    await asyncio.sleep(3)
    before, began_s = _cpu_s(gateway.pid("web")), time.monotonic()
    await asyncio.sleep(WATCH_S)
    share = (_cpu_s(gateway.pid("web")) - before) / (time.monotonic() - began_s)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return share


def _cookie(gateway: Screens) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    body = f'{{"name": "viewer", "password": "{PASSWORD}"}}'
    connection.request("POST", "/api/v1/login", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return (answer.getheader("Set-Cookie") or "").partition(";")[0]


async def _read(gateway: Screens, cookie: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    asked = "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nCookie: {}\r\n\r\n"
    writer.write(asked.format(gateway.port, cookie).encode())
    try:
        while await reader.read(65536):
            pass
    finally:
        writer.close()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
