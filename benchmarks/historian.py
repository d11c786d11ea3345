"""Events and points a second from a broker into the stores, beside the floor of the same run.

    python benchmarks/historian.py [--events 20000] [--readings 3000]

The floor is the same rows written by sqlite3 alone, prepared, 500 in a transaction. In the rows
"whole way" the events come from a mosquitto, are stored and acknowledged; CPU is that of historian
and publishing side together. A reading holds 68 values, as many points in the chart store.
"""

import argparse
import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from gateway.historian.historian import Historian
from gateway.historian.influx import InfluxStore
from gateway.historian.lines import lines
from gateway.historian.settings import HistorianSettings, InfluxSettings, SqlSettings
from gateway.historian.sql import SqlStore
from gateway.historian.store import Batch
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.wire.cloudevent import Envelope, decode
from tests.support.broker import mosquitto
from tests.support.postgres import postgres_server
from tests.support.scripted_gateway import ScriptedGateway, message
from tests.support.stores import (
    START,
    count_data,
    envelope,
    reading_data,
    status_data,
    victoria_metrics,
)
from tests.support.until import until

BATCH = 500
VALUES = 68
BROKER = ("max_inflight_messages 1000", "max_queued_messages 10000", "set_tcp_nodelay true")


def load(count: int) -> list[Envelope]:
    """20 machines; of ten events seven are counts, two readings of 8 tags, one a status."""
    streams: dict[tuple[str, str], int] = {}
    events = []
    for seq in range(1, count + 1):
        equipment = f"press-{seq % 20:02d}"
        kind = "status" if seq % 10 == 0 else "reading" if seq % 10 < 3 else "count"
        number = streams[equipment, kind] = streams.get((equipment, kind), 0) + 1
        data = {
            "status": lambda: status_data("running", START),
            "count": lambda n=number: count_data(1, n),
            "reading": lambda n=number: reading_data({f"t{i}": n + i / 8 for i in range(8)}),
        }[kind]()
        events.append(envelope(kind, seq, number, data, equipment=equipment))
    return events


def readings(count: int) -> list[Envelope]:
    """100 machines that say 68 values each."""
    return [
        envelope(
            "reading",
            seq,
            (seq - 1) // 100 + 1,
            reading_data({f"t{i:02d}": seq + i / 8 for i in range(VALUES)}),
            equipment=f"press-{seq % 100:03d}",
            at=START + timedelta(milliseconds=10 * seq),
        )
        for seq in range(1, count + 1)
    ]


def batches(events: Sequence[Envelope]) -> list[Sequence[Envelope]]:
    return [events[start : start + BATCH] for start in range(0, len(events), BATCH)]


def floor(directory: Path, events: Sequence[Envelope]) -> None:
    connection = sqlite3.connect(directory / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE e (source, id, data, PRIMARY KEY (source, id))")
    rows = [(event.source, event.id, message(event)) for event in events]
    for part in batches(rows):  # type: ignore[arg-type]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR IGNORE INTO e VALUES (?, ?, ?)", part)
        connection.execute("COMMIT")
    connection.close()


def store_alone(directory: Path, events: Sequence[Envelope]) -> None:
    store = SqlStore.open(f"sqlite:///{directory}/store.db")
    ledger = store.ledger()
    for part in batches(events):
        changes = ledger.plan(part)
        store.write(Batch(part, changes))
        ledger.adopt(changes)
    store.close()


def charts_alone(url: str, events: Sequence[Envelope]) -> None:
    store = InfluxStore(InfluxSettings(url=url, org="o", bucket="b"))
    for part in batches(events):
        store.write([line for event in part for line in lines(event)])
    store.close()


def keeps_up(historian: Historian, published: int) -> bool:
    return published - historian.stats().events_written < 800


async def whole_way(
    broker: BrokerSettings, url: str, events: Sequence[Envelope], charts: str | None
) -> tuple[float, float]:
    """Return wall and CPU seconds of historian and publisher together, from the first publish."""
    stores: list[SqlSettings | InfluxSettings] = [SqlSettings(url=url)]
    if charts is not None:
        stores.append(InfluxSettings(url=charts, org="o", bucket="b"))
    settings = HistorianSettings(broker=broker, site="plant", stores=tuple(stores))
    historian = Historian(settings)
    running = asyncio.create_task(historian.run())
    await until(lambda: historian.stats().connected, timeout_s=30)
    start, cpu = time.perf_counter(), time.process_time()
    async with ScriptedGateway(broker).connected() as gateway:
        for first in range(0, len(events), 50):
            # Below what the broker queues for us: what it drops would be replayed, and slower.
            await until(partial(keeps_up, historian, first), timeout_s=60)
            await gateway.publish(events[first : first + 50])
        await until(lambda: historian.stats().events_written >= len(events), timeout_s=300)
        if charts is not None:
            await until(lambda: charted(historian) >= len(events), timeout_s=300)
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    running.cancel()
    await asyncio.wait([running])
    return wall, used


def charted(historian: Historian) -> int:
    return sum(one.points for one in historian.stats().charts.values())


def measured(work: object, *arguments: object) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    work(*arguments)  # type: ignore[operator]
    return time.perf_counter() - start, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--readings", type=int, default=3_000)
    options = parser.parse_args()
    events = load(options.events)
    messages = [message(event) for event in events]
    directory = Path(tempfile.mkdtemp(prefix="bench-historian-"))
    print(f"{options.events} events, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"mosquitto: {', '.join(BROKER)}; persistence off")
    results: list[tuple[str, tuple[float, float]]] = []
    results.append(("floor: sqlite3, one row an event", measured(floor, directory, events)))
    results.append(("decode", measured(lambda: [decode(one) for one in messages])))
    results.append(("SQLite, all tables and marks", measured(store_alone, directory, events)))
    results.append(("lines", measured(lambda: [lines(event) for event in events])))
    sqlite = f"sqlite:///{directory}/h.db"
    with mosquitto(extra=BROKER) as broker:
        at = BrokerSettings(host=broker.host, port=broker.port)
        results.append(("whole way to SQLite", asyncio.run(whole_way(at, sqlite, events, None))))
    with mosquitto(extra=BROKER) as broker, postgres_server() as server:
        at = BrokerSettings(host=broker.host, port=broker.port)
        url = server.url(server.create())
        to_postgres = whole_way(at, url, events, None)
        results.append(("whole way to PostgreSQL", asyncio.run(to_postgres)))
    with victoria_metrics() as metrics:
        results.append(("VictoriaMetrics", measured(charts_alone, metrics.url, events)))
    report(results, len(events), "events", base=results[0][1][0] / len(events))
    points(directory, readings(options.readings))
    shutil.rmtree(directory)


def points(directory: Path, events: Sequence[Envelope]) -> None:
    """Readings of 68 values: the store of record, and the chart store behind it."""
    results: list[tuple[str, tuple[float, float]]] = []
    results.append(("lines alone", measured(lambda: [lines(event) for event in events])))
    with victoria_metrics() as metrics:
        results.append(("VictoriaMetrics alone", measured(charts_alone, metrics.url, events)))
    with victoria_metrics() as metrics, mosquitto(extra=BROKER) as broker:
        at = BrokerSettings(host=broker.host, port=broker.port)
        url = f"sqlite:///{directory}/points.db"
        way = asyncio.run(whole_way(at, url, events, metrics.url))
        results.append(("whole way: SQLite, VictoriaMetrics", way))
    print(f"\n{len(events)} readings of {VALUES} values")
    number = len(events) * VALUES
    report(results, number, "points", base=results[0][1][0] / number)


def report(
    results: Sequence[tuple[str, tuple[float, float]]], number: int, what: str, base: float
) -> None:
    print(f"{'':36}{what + '/s':>10}{'us each':>9}{'CPU us':>8}{'x first':>9}")
    for name, (wall, cpu) in results:
        each, used = wall / number, cpu / number
        print(f"{name:36}{number / wall:10.0f}{each * 1e6:9.1f}{used * 1e6:8.1f}{each / base:9.1f}")


if __name__ == "__main__":
    main()
