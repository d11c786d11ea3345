"""The demo from beginning to end: start, show, freeze, stop in order, audit."""

import asyncio
import contextlib
import json
import secrets
import signal
import sqlite3
import sys
import tempfile
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.app.running import Part, Running, run
from gateway.app.told import told
from gateway.app.visitors import Visitors
from gateway.app.web import listening
from gateway.demo.broker import Broker, Choice, broker
from gateway.demo.errors import DemoError
from gateway.demo.plant import PlantOptions, PlantProcess, plant
from gateway.demo.site import write_site
from gateway.ops.log import setup_logging
from gateway.settings.site import Site
from simulators.audit import AuditReport, audit
from simulators.strain import strain

_POLL_S = 0.05
_SETTLE_TIMEOUT_S = 20.0
BOARD_PORT = 8080
HISTORY = "data/history.db"
PUBLISHED = "mqtt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `millgate demo` was asked for. ``seconds`` None runs until Ctrl-C."""

    seconds: float | None = None
    browser: bool = True
    data: Path | None = None
    as_json: bool = False
    broker: Choice = "auto"
    mqtt_port: int = 0
    """0 is any port that is free."""
    scenario: str = "demo"
    seed: int = 1
    speed: float = 1.0
    interval_ms: int = 250
    hold_ms: int = 500


def main(options: Options) -> int:
    """Run the demo; 0 if the audit found everything, 1 if not or if it could not run."""
    setup_logging("WARNING")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the site has its own
    code = 1
    try:
        with told() as sentences, _directory(options.data) as directory:
            code = asyncio.run(_show(options, directory))
    except DemoError as err:
        sentences = [str(err)]
    except KeyboardInterrupt:  # before there was anything to stop in order
        return 130
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    return code


@contextmanager
def _directory(data: Path | None) -> Iterator[Path]:
    """Give the directory asked for, or one that is gone afterwards."""
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="millgate-") as directory:
        yield Path(directory)


async def _show(options: Options, directory: Path) -> int:
    chosen = PlantOptions(
        scenario=options.scenario,
        seed=options.seed,
        speed=options.speed,
        interval_ms=options.interval_ms,
        hold_ms=options.hold_ms,
    )
    async with (
        plant(chosen, directory) as machines,
        broker(directory, options.broker, port=options.mqtt_port) as mqtt,
    ):
        with contextlib.closing(listening(BOARD_PORT)) as listener:
            port = listener.getsockname()[1]
            site = write_site(directory / "site", machines.links, mqtt, chosen, web_port=port)
            visitors = Visitors(secrets.token_urlsafe(16), secrets.token_hex(6), listener)
            async with strain(directory) as seen:
                figures = await _run_site(site, machines, mqtt, options, visitors)
        truth = await machines.truth()
    report = await asyncio.to_thread(
        audit,
        truth,
        site.path(HISTORY),
        heartbeat_s=options.interval_ms / 1000,
        late_s=seen.late_s,
    )
    _tell(_line(figures, report, mqtt), report, as_json=options.as_json)
    arrived = figures["events_stored"] == figures["events_journaled"]
    return 0 if report.ok and arrived else 1


async def _run_site(
    site: Site, machines: PlantProcess, mqtt: Broker, options: Options, visitors: Visitors
) -> dict[str, Any]:
    """Run the site for as long as asked and return what was counted before it stopped."""
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    running_site = asyncio.create_task(
        run(site, Part, on_ready=ready.set_result, visitors=visitors), name="site"
    )
    running_site.add_done_callback(_has_ended)
    await asyncio.wait((ready, running_site), return_when=asyncio.FIRST_COMPLETED)
    if running_site.done():
        running_site.result()
    running = await ready
    try:
        await _watch(running, mqtt, options, running_site, visitors)
        await machines.freeze()
        await _settled(running, options)
        links_online = 0 if running.collector is None else running.collector.links_online
    finally:
        running.stopping.set()
        await running_site
    return {"equipment": len(site.equipment), "links_online": links_online} | _counted(running)


def _has_ended(site: "asyncio.Task[None]") -> None:
    """Take note of its end: one that was interrupted while it loads has nobody else who asks."""
    if not site.cancelled():
        site.exception()


async def _watch(
    running: Running,
    mqtt: Broker,
    options: Options,
    site: "asyncio.Task[None]",
    visitors: Visitors,
) -> None:
    """Show the board until time is up, somebody presses Ctrl-C, or the site ends."""
    url = running.board_url
    link = f"{url}enter/{visitors.code}"
    if not options.as_json:
        sys.stdout.write(
            f"看板 / board:   {url}\n"
            f"直接进入 / in:  {link}\n"
            f"登录 / log in:  viewer, maintenance, engineer, admin; 密码 / password: "
            f"{visitors.password}\n"
            f"MQTT:           127.0.0.1:{mqtt.port} ({mqtt.kind}), topics mg/v1/#\n"
            "Ctrl-C 结束 / to end\n"
        )
        sys.stdout.flush()
    if options.browser and url is not None:
        await asyncio.to_thread(webbrowser.open, link)
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    waiting = asyncio.create_task(interrupted.wait())
    await asyncio.wait(
        (waiting, site), timeout=options.seconds, return_when=asyncio.FIRST_COMPLETED
    )
    waiting.cancel()


async def _settled(running: Running, options: Options) -> None:
    """Wait until the frozen plant was read, its holds ended, and every fact is stored."""
    collector = running.collector
    if collector is None:
        return
    quiet_s = 2 * (options.interval_ms + options.hold_ms) / 1000 + 0.5
    loop = asyncio.get_running_loop()
    head, since_s, stored = -1, loop.time(), 0
    with contextlib.suppress(TimeoutError):  # what is missing then is for the audit to say
        async with asyncio.timeout(_SETTLE_TIMEOUT_S):
            while loop.time() - since_s < quiet_s or stored < head:
                if collector.journal.head() != head:
                    head, since_s = collector.journal.head(), loop.time()
                await asyncio.sleep(_POLL_S)
                stored = await asyncio.to_thread(_stored, running.site)


def _counted(running: Running) -> dict[str, int]:
    collector = running.collector
    journal = None if collector is None else collector.journal
    return {
        "events_journaled": 0 if journal is None else journal.head(),
        "events_published": 0 if journal is None else journal.cursor(PUBLISHED),
        "events_stored": _stored(running.site),
    }


def _stored(site: Site) -> int:
    """Return how many events the history holds; 0 before it has a table."""
    history = site.path(HISTORY)
    try:
        with contextlib.closing(sqlite3.connect(f"file:{history}?mode=ro", uri=True)) as store:
            (count,) = store.execute("SELECT count(*) FROM event").fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(count)


def _line(figures: Mapping[str, Any], report: AuditReport, mqtt: Broker) -> dict[str, Any]:
    """Return the demo's last line: what there was, what arrived, what is wrong."""
    return {
        **figures,
        "missing": len(report.missing),
        "duplicated": len(report.duplicated),
        "wrong": len(report.wrong),
        "parts_observable": report.parts_observable,
        "parts_stored": report.parts_stored,
        "states_observable": report.states_observable,
        "states_stored": report.states_stored,
        "uncovered": report.uncovered,
        "broker": mqtt.kind,
    }


def _tell(line: Mapping[str, Any], report: AuditReport, *, as_json: bool) -> None:
    for problem in report.problems:
        sys.stderr.write(f"audit: {problem}\n")
    if as_json:
        sys.stdout.write(json.dumps(line) + "\n")
        return
    verdict = "一致 / equal" if report.ok else "不一致 / NOT equal"
    sys.stdout.write(
        f"\n对账 / audit:   历史库与实际 / store and truth: {verdict}\n"
        f"件数 / parts:   {line['parts_stored']} / {line['parts_observable']}\n"
        f"状态 / states:  {line['states_stored']} / {line['states_observable']}\n"
        f"事件 / events:  {line['events_stored']} / {line['events_journaled']}\n"
    )
