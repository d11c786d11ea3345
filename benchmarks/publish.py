"""Events a second through journal and broker, beside paho alone in the same run.

    python benchmarks/publish.py [--events 60000] [--rate 5000] [--dir DISK]

Every event is committed (WAL, synchronous=FULL), published with QoS 1 and confirmed by mosquitto,
and counts only when the cursor has passed it. The floor is a paho client that publishes the same
bytes with QoS 1, a window of 50 under way, and keeps nothing.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.domain.events import Count
from gateway.domain.vocabulary import Json
from gateway.journal.journal import Journal
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.publish.publisher import Ports, Publisher, PublishSettings
from gateway.wire.cloudevent import encode
from gateway.wire.topics import event_topic
from tests.support.broker import mosquitto
from tests.support.publishing import PLACES, PRESS, TOPICS
from tests.support.until import until

WINDOW = 50
BROKER = ("max_inflight_messages 100", "max_queued_messages 1000", "set_tcp_nodelay true")
TICK_S = 0.01
STATE = b'{"total": 1, "filler": "%s"}' % (b"x" * 500)


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    events: int
    wall_s: float
    cpu_s: float
    rss_mb: float
    worst_backlog: int = 0


def now() -> datetime:
    return datetime.now(UTC)


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def count(total: int) -> Count:
    return Count(at=now(), counter="good", kind="good", delta=1, total=total, raw=total)


async def _nothing(*_: object) -> None:
    """Nobody here has a rival, or anything to set aside."""


def no_snapshots(_: str) -> dict[str, Json]:
    return {}


async def begin(
    directory: Path, port: int, rate: int
) -> tuple[Journal, Publisher, "asyncio.Task[None]"]:
    journal = await asyncio.to_thread(
        Journal.open, directory / "journal.db", now=now, limits=Limits(ballast_bytes=0)
    )
    settings = PublishSettings(broker=BrokerSettings(port=port), window=WINDOW, max_rate_per_s=rate)
    ports = Ports(
        snapshots_of=no_snapshots,
        submit=_nothing,  # type: ignore[arg-type]
        on_rival=_nothing,
        set_aside=_nothing,
    )
    publisher = Publisher(settings, journal, replace(PLACES), ports)
    task = asyncio.create_task(publisher.run())
    await until(lambda: publisher.stats().online, timeout_s=10)
    return journal, publisher, task


async def sustained(directory: Path, port: int, events: int, rate: int) -> Result:
    """Commit ``rate`` a second, ten milliseconds' worth together, and deliver beside it."""
    journal, publisher, task = await begin(directory, port, rate)
    start, cpu, done, worst = time.perf_counter(), time.process_time(), 0, 0
    while done < events:
        due = min(events, int((time.perf_counter() - start) * rate))
        if due > done:
            rows = [count(n) for n in range(done, due)]
            await journal.append([Entry("press-03", rows, STATE)])
            done = due
        worst = max(worst, journal.head() - journal.cursor("mqtt"))
        await asyncio.sleep(TICK_S)
    while not await publisher.drain(1):
        pass
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    result = Result(f"journal and broker, {rate}/s offered", events, wall, used, rss_mb(), worst)
    await end(journal, task)
    return result


async def backlog(directory: Path, port: int, events: int) -> Result:
    """Drain what was committed before."""
    journal = await asyncio.to_thread(Journal.open, directory / "journal.db", now=now)
    for first in range(0, events, 1000):
        await journal.append([Entry("press-03", [count(n) for n in range(first, first + 1000)])])
    await journal.close()
    start, cpu = time.perf_counter(), time.process_time()
    journal, publisher, task = await begin(directory, port, 100_000)
    while not await publisher.drain(1):
        pass
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    result = Result("a backlog, as fast as it goes", events, wall, used, rss_mb(), events)
    await end(journal, task)
    return result


async def end(journal: Journal, task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
    await journal.close()


def paho_alone(port: int, events: int, payload: bytes) -> Result:
    """The same bytes, the same window, from the network thread of the library."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="floor", protocol=MQTTv5)
    client.max_inflight_messages_set(WINDOW)
    room, confirmed, ready = threading.Semaphore(WINDOW), threading.Event(), threading.Event()
    left = events

    def on_publish(*_: object) -> None:
        nonlocal left
        left -= 1
        room.release()
        if not left:
            confirmed.set()

    client.on_publish = on_publish
    client.on_connect = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    ready.wait()
    topic = event_topic(PRESS, "count")
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(events):
        room.acquire()
        client.publish(topic, payload, qos=1)
    confirmed.wait()
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    client.disconnect()
    client.loop_stop()
    return Result("floor: paho alone, nothing kept", events, wall, used, rss_mb())


async def one_payload(directory: Path) -> bytes:
    journal = await asyncio.to_thread(Journal.open, directory / "one.db", now=now)
    await journal.append([Entry("press-03", [count(1)])])
    (row,) = await journal.rows(0, 1)
    await journal.close()
    return encode(row, source=TOPICS.source, place=PRESS, epoch=row.epoch, replay=False)


def runner() -> asyncio.Runner:
    try:
        import uvloop  # noqa: PLC0415 - as the program does
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--dir", type=Path, help="on the disk to measure")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="bench-publish-", dir=options.dir))
    load = os.getloadavg()[0]
    with mosquitto(extra=BROKER) as broker, runner() as loop:
        payload = loop.run(one_payload(directory))
        results = [paho_alone(broker.port, options.events, payload)]
        for name in ("sustained", "backlog"):
            (directory / name).mkdir()
        ours = sustained(directory / "sustained", broker.port, options.events, options.rate)
        results.append(loop.run(ours))
        results.append(loop.run(backlog(directory / "backlog", broker.port, options.events)))
    shutil.rmtree(directory)
    print(
        f"{options.events} events of {len(payload)} bytes, window {WINDOW}, {os.cpu_count()} cores"
    )
    print(f"load average at the start {load:.1f}; mosquitto: {', '.join(BROKER)}; persistence off")
    report(results)


def report(results: list[Result]) -> None:
    base = results[0].cpu_s / results[0].events
    print(f"{'':36}{'events/s':>10}{'CPU us':>8}{'x floor':>9}{'RSS MB':>8}{'backlog':>9}")
    for one in results:
        each = one.cpu_s / one.events
        print(
            f"{one.name:36}{one.events / one.wall_s:10.0f}{each * 1e6:8.1f}{each / base:9.2f}"
            f"{one.rss_mb:8.0f}{one.worst_backlog:9d}"
        )


if __name__ == "__main__":
    main()
