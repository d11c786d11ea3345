"""What the screens cost a browser: weight of the board, cold start, drawing 20,000 samples.

python benchmarks/ui.py [--runs 5]

Sixty machines on one simulated device, a collector and a web process as they run in a plant,
Debian's Chromium as the browser. What the screens cost the gateway is measured by web.py.
"""

import argparse
import gzip
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM  # noqa: E402  # beside the package
from tests.support.screens import PASSWORD, Screens, screens  # noqa: E402

WEIGHT_KB, COLD_S, TREND_S = 150.0, 1.0, 1.0
SAMPLES = 20_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
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
        _tell(
            f"two trends of {SAMPLES:,} samples, asked for and drawn", _seconds(drawn), TREND_S, "s"
        )
        browser.close()


def _tell(what: str, measured: str, budget: float, unit: str) -> None:
    print(f"| {what} | {measured} | {budget:g} {unit} |", flush=True)


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
        page.goto(f"{gateway.url}/eq/press-01?range=8h&tags=run", wait_until="domcontentloaded")
        page.locator(".chart canvas").first.wait_for()
        page.wait_for_timeout(1000)
        page.route("**/readings?**", lambda route: route.fulfill(json={"series": series * 2}))
        return float(page.evaluate(_TIMED))


_TIMED = """async () => {
  const chart = document.querySelector(".chart");
  const before = chart.offsetHeight;
  const began = performance.now();
  [...document.querySelectorAll(".eq-history button")].at(-1).click();
  while (chart.offsetHeight === before) {
    if (performance.now() - began > 30000) throw new Error("nothing was drawn");
    await new Promise(requestAnimationFrame);
  }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return (performance.now() - began) / 1000;
}"""


if __name__ == "__main__":
    main()
