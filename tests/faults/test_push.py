"""Facts pushed to an HTTP endpoint, whatever happens to either side: all of them, in order."""

import asyncio
import itertools
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.config_site import write_site
from tests.support.gateway_process import ServiceProcess
from tests.support.modbus_device import HR, Device
from tests.support.push_target import CUT_BEFORE, KEY, Says, Target, target
from tests.support.reload_site import GATEWAY, NOBODY, devices, equipment, machine, running
from tests.support.until import until

START_S = 30.0
TAKES = Says(takes=True)
NAMES = ("press-1", "press-2")


def gateway(*urls: str, **more: Any) -> str:
    """Return a gateway that pushes to each of these."""
    push = [
        {"name": "mes", "url": url, "secret_file": "secrets/mes", "timeout_s": 1.0} | more
        for url in urls
    ]
    return GATEWAY.format(broker=NOBODY) + f"push: {json.dumps(push)}\n"


def site(directory: Path, plant: dict[str, Device], url: str, **more: Any) -> Path:
    files: dict[str, str | bytes] = {
        "gateway.yaml": gateway(url, **more),
        "secrets/mes": KEY + "\n",
    }
    files |= {equipment(name): machine(name, one.port) for name, one in plant.items()}
    return write_site(directory, files)


@asynccontextmanager
async def producing(plant: dict[str, Device]) -> AsyncIterator[Counter[str]]:
    """Machines that make parts for as long as the context lasts."""
    made = Counter(dict.fromkeys(plant, 0))
    stopped = asyncio.Event()

    async def produce() -> None:
        while not stopped.is_set():
            for name, one in plant.items():
                made[name] += 1
                one.put(HR, 0, 100 + made[name])
            await asyncio.sleep(0.02)

    making = asyncio.create_task(produce())
    try:
        yield made
    finally:
        stopped.set()
        await making


def has_taken(to: Target, events: int) -> bool:
    return len(to.taken) >= events


def baselines(taken: list[dict[str, Any]]) -> set[str]:
    """Return the equipment whose parts count from here on."""
    return {
        event["subject"].rsplit("/", 1)[1]
        for event in taken
        if event["data"].get("anomaly") == "baseline"
    }


def booked(taken: list[dict[str, Any]]) -> Counter[str]:
    """Return parts by equipment; each fact counts once."""
    parts = Counter[str]()
    for event in {event["id"]: event for event in taken}.values():
        if event["type"] == "millgate.count.v1":
            parts[event["subject"].rsplit("/", 1)[1]] += event["data"]["delta"]
    return parts


def firsts(taken: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each event as it came first; one that comes again must be the same fact."""
    seen: dict[str, dict[str, Any]] = {}
    for event in taken:
        fact = {key: value for key, value in event.items() if key != "replay"}
        assert seen.setdefault(event["id"], fact) == fact
    return list(seen.values())


def audited(taken: list[dict[str, Any]]) -> Counter[str]:
    """Return parts by equipment, of a stream that is in order and has no hole."""
    events, streams = firsts(taken), dict[tuple[str, str], int]()
    seqs = [int(event["id"].rsplit("-", 1)[1]) for event in events]
    assert seqs == sorted(seqs)
    for event in events:
        stream = (event["subject"], event["type"])
        assert event["streamseq"] == streams.get(stream, 0) + 1, event
        streams[stream] = event["streamseq"]
    return booked(taken)


@pytest.mark.fault(
    58,
    injection="an HTTP target answers 500, 429 with Retry-After, nothing in time, or is gone",
    expectation="all facts arrive in order and once by their ids; no scan waits for it",
)
@pytest.mark.fault(
    60,
    injection="the target takes a batch and the connection is cut before its answer",
    expectation="sent again under the same ids; the consumer counts it once",
)
async def test_a_target_in_trouble_gets_everything_in_the_end(tmp_path: Path) -> None:
    async with devices(*NAMES) as plant, target() as to, producing(plant):
        for trouble in (
            Says(500),
            Says(429, {"Retry-After": "1"}),
            CUT_BEFORE,
            Says(after_s=2),
            Says(cut=20),
        ):
            to.script.extend([trouble, TAKES])  # what is taken in between makes the next wait short
        async with running(site(tmp_path, plant, to.url), plant) as at:
            await until(lambda: not to.script and len(to.taken) > 20, timeout_s=20)
            await to.stop()
            reads = {poller.link: poller.stats.reads for poller in at.collector.pollers}
            await until(
                lambda: all(p.stats.reads > reads[p.link] + 10 for p in at.collector.pollers)
            )
            await to.start()
            totals = Counter({name: at.total(name) for name in NAMES})
            await until(lambda: booked(to.taken) >= totals, timeout_s=20)
            (courier,) = at.collector.pushing.couriers
            assert courier.stats.dead_letters == 0
    assert audited(to.taken) >= totals


@pytest.mark.fault(
    59,
    injection="the target refuses one fact of a batch with 422, whoever is beside it",
    expectation="found by halves, set aside in a file and named by a gap event; the rest arrives",
)
async def test_one_fact_nobody_wants_is_set_aside_and_named(tmp_path: Path) -> None:
    async with devices(*NAMES) as plant, target() as to, producing(plant):
        refused: set[str] = set()

        def refuses(event: dict[str, Any]) -> bool:
            if event["type"] == "millgate.count.v1" and event["streamseq"] == 5:
                refused.add(event["id"])
                return True
            return False

        to.refuses = refuses
        async with running(site(tmp_path, plant, to.url), plant):
            gaps = "millgate.gap.v1"
            await until(lambda: [e["type"] for e in to.taken].count(gaps) == 2, timeout_s=20)
    lines = (tmp_path / "data/push/mes.dead.jsonl").read_text().splitlines()
    assert {json.loads(line)["event"]["id"] for line in lines} == refused
    named = [event["data"] for event in to.taken if event["type"] == "millgate.gap.v1"]
    for gap in named:
        assert (gap["stream"], gap["reason"]) == ("count", "dead_letter")
        assert (gap["from_streamseq"], gap["to_streamseq"]) == (5, 5)
        assert gap["target"] == "push/mes"
    assert refused.isdisjoint(event["id"] for event in to.taken)


@pytest.mark.timeout(400)
@pytest.mark.fault(
    1,
    injection="kill -9 of the collector, twice, while it pushes to a target that stumbles",
    expectation="every part arrives at the target exactly once by id, in order, without a hole",
)
async def test_a_killed_gateway_pushes_every_part_exactly(tmp_path: Path) -> None:
    async with devices(*NAMES) as plant, target() as to:
        service = ServiceProcess("collect", site(tmp_path, plant, to.url, max_events=20))
        try:
            await service.start()
            await until(lambda: baselines(to.taken) == set(NAMES), timeout_s=START_S)
            async with producing(plant) as made:
                for trouble in ([CUT_BEFORE], [Says(500), TAKES, CUT_BEFORE]):
                    to.script.extend(trouble)
                    more = len(to.taken) + 15
                    await until(partial(has_taken, to, more), timeout_s=START_S)
                    await service.kill()
                    await service.start()
            await until(lambda: booked(to.taken) >= made, timeout_s=START_S)
            await service.stop()
        finally:
            await service.abandon()
    assert audited(to.taken) == made


async def test_targets_come_change_and_go_without_a_restart(tmp_path: Path) -> None:
    async with devices(*NAMES) as plant, target() as to, target() as other, producing(plant):
        site(tmp_path, plant, to.url)
        (tmp_path / "gateway.yaml").write_text(gateway())
        async with running(tmp_path, plant) as at:
            journal, pushing = at.collector.journal, at.collector.pushing
            came = await at.apply({"gateway.yaml": gateway(to.url, backlog="oldest")})
            assert came.code == "applied", came.text
            assert "push" in " ".join(came.notes)
            await until(lambda: len(to.taken) > 10, timeout_s=START_S)
            # Whoever is in trouble goes on from where it was as soon as its address is right.
            await to.stop()
            assert (await at.apply({"gateway.yaml": gateway(other.url)})).code == "applied"
            await until(lambda: len(other.taken) > 10, timeout_s=START_S)
            assert (await at.apply({"gateway.yaml": gateway()})).code == "applied"
            assert not pushing.couriers
            assert journal.cursor("push.mes") == 0
            # A target that comes back is a new one: it begins with what happens from now on.
            taken, before, head = len(other.taken), len(to.taken), journal.head()
            await to.start()
            assert (await at.apply({"gateway.yaml": gateway(to.url)})).code == "applied"
            await until(lambda: len(to.taken) > before + 5, timeout_s=START_S)
            assert len(other.taken) == taken
            assert [one.accepted for one in plant.values()] == [1, 1]
    audited(to.taken[:before] + other.taken)
    assert to.seqs[before] > head


@pytest.mark.timeout(400)
async def test_the_receiver_to_copy_keeps_each_fact_once(tmp_path: Path) -> None:
    secret, store = tmp_path / "secret.txt", tmp_path / "mes.db"
    secret.write_text(KEY + "\n")
    receiver = await asyncio.create_subprocess_exec(
        *(sys.executable, "examples/push_receiver.py", secret, store, "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert receiver.stdout is not None
        port = int(await receiver.stdout.readline())
        url = f"http://127.0.0.1:{port}/"
        async with devices(*NAMES) as plant, producing(plant):
            async with running(site(tmp_path / "site", plant, url), plant) as at:
                (courier,) = at.collector.pushing.couriers
                await until(lambda: courier.stats.events > 30, timeout_s=20)
            (tmp_path / "site/secrets/mes").write_text("another key\n")
            async with running(tmp_path / "site", plant) as at:
                (courier,) = at.collector.pushing.couriers
                await until(lambda: courier.stats.held is not None, timeout_s=20)
                assert "401" in (courier.stats.held or "")
    finally:
        receiver.kill()
        await receiver.wait()
    with sqlite3.connect(store) as db:
        ids = [id_ for (id_,) in db.execute("SELECT id FROM fact ORDER BY rowid")]
    db.close()
    seqs = [int(id_.rsplit("-", 1)[1]) for id_ in ids]
    assert all(later == earlier + 1 for earlier, later in itertools.pairwise(seqs))
    assert len(seqs) > 30
