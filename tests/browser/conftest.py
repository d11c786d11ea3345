"""The screens in Debian's Chromium, against a running gateway."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.screens import PASSWORD, Screens, screens

CHROMIUM = Path("/usr/bin/chromium")
ADMIN = "root"
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PATIENCE_MS = 30_000


@dataclass
class Looker:
    """One person's browser; what must never happen in it is collected."""

    page: Page
    context: BrowserContext
    url: str
    setup_code: str
    hosts: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of console errors that the test itself brings about."""

    def open(self, path: str) -> Page:
        """Go to a page; it is not waited for what it loads."""
        self.page.goto(f"{self.url}{path}", wait_until="domcontentloaded")
        return self.page

    def log_in(self, name: str) -> None:
        """Log in beside the page."""
        post, body = self.context.request.post, {"name": name, "password": PASSWORD}
        answer = post(f"{self.url}/api/v1/login", data=body)
        if name == ADMIN and not answer.ok:  # nobody has set the gateway up so far
            answer = post(f"{self.url}/api/v1/setup", data={**body, "code": self.setup_code})
        assert answer.ok, answer.text()

    def noticed(self, message: ConsoleMessage) -> None:
        """Take in a line of the console."""
        if message.type in {"error", "warning"}:
            self.problems.append(message.text)

    def check(self) -> None:
        """Nothing came from elsewhere, and nothing was complained about."""
        assert self.hosts <= {self.url.split("/")[2]}
        unexpected = [
            problem
            for problem in self.problems
            if not any(part in problem for part in self.expected)
        ]
        assert unexpected == []


# Of this package and not of the session: its loop runs in this thread until it ends, and no
# asynchronous test could.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is missing: apt-get install chromium fonts-noto-cjk"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screens]:
    """A gateway of sixty machines whose administrator has not been created."""
    with screens(tmp_path_factory.mktemp("screens")) as bench:
        yield bench


Look = Callable[..., Looker]


@pytest.fixture
def look(browser: Browser, gateway: Screens) -> Iterator[Look]:
    """Return what opens a browser for a person; each is checked in the end."""
    opened: list[Looker] = []

    def somebody(
        user: str | None = None,
        *,
        lang: str = "zh",
        expected: tuple[str, ...] = (),
        **options: Any,
    ) -> Looker:
        context = browser.new_context(
            locale={"zh": "zh-CN", "en": "en-US"}[lang], **(options or DESKTOP)
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        looker = Looker(page, context, gateway.url, gateway.setup_code, expected=expected)
        page.on("request", lambda request: looker.hosts.add(request.url.split("/")[2]))
        page.on("console", looker.noticed)
        page.on("pageerror", lambda error: looker.problems.append(str(error)))
        opened.append(looker)
        if user is not None:
            looker.log_in(user)
        return looker

    yield somebody
    for looker in opened:
        looker.context.close()
    for looker in opened:
        looker.check()
