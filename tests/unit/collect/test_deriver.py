"""Batches through the deriver into a real journal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from drivers.contract import Batch, Unreachable, Value
from gateway.collect.deriver import Deriver
from gateway.domain.commands import OrderCommand
from gateway.domain.rules import EquipmentRules
from gateway.domain.vocabulary import Order
from gateway.journal.journal import Journal
from gateway.journal.row import Row
from tests.support.clock import FakeClock
from tests.support.journal import open_journal
from tests.support.until import until
from tests.unit.domain.scene import IDLE, TAGS, press, rule

PRESS = press()
OVEN = EquipmentRules(
    "oven-1",
    status=(rule("running", "run"),),
    min_hold_s=0,
    tags={tag: PRESS.tags[tag] for tag in ("run", "temperature")},
)
COVERS = frozenset({f"press-07/{tag}" for tag in TAGS} | {"oven-1/run", "oven-1/temperature"})
FIRST: dict[str, Value] = {f"press-07/{tag}": value for tag, value in IDLE.items()} | {
    "oven-1/run": True,
    "oven-1/temperature": 180.5,
}


class NotedBatch(Batch):
    """Notes the journal's head at the moment it is told of the commit."""

    __slots__ = ()
    heads: list[int]
    journal: Journal

    def committed(self) -> None:
        NotedBatch.heads.append(NotedBatch.journal.head())


@dataclass
class Bench:
    journal: Journal
    deriver: Deriver
    clock: FakeClock

    def batch(self, kind: type[Batch] = Batch, **fields: Any) -> Batch:
        return kind(self.clock.now(), self.clock.mono_s(), COVERS, **fields)

    async def observe(self, **fields: Any) -> None:
        await self.deriver.observe("plc", self.batch(**fields))

    async def rows(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        found: list[Row] = await self.journal.rows(0, 1000)
        return [(row.equipment, orjson.loads(row.data)) for row in found if row.type == kind]


@asynccontextmanager
async def bench(
    path: Path, *rules: EquipmentRules, clock: FakeClock | None = None
) -> AsyncIterator[Bench]:
    clock = clock or FakeClock()
    async with open_journal(path / "j.db", now=clock.now) as journal:
        by_name = {one.equipment: one for one in rules or (PRESS, OVEN)}
        deriver = Deriver(journal, by_name, clock=clock, boot_id="boot-1")
        await deriver.start()
        yield Bench(journal, deriver, clock)


async def test_one_batch_of_two_equipment_is_one_transaction(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        watch = at.journal.watch()
        await at.observe(changed=FIRST)
        assert await watch.changed() == {"press-07", "oven-1"}
        states = {name: data["state"] for name, data in await at.rows("status")}
    assert states == {"press-07": "idle", "oven-1": "running"}


async def test_a_batch_is_told_after_the_commit(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        NotedBatch.heads, NotedBatch.journal = [], at.journal
        before = at.journal.head()
        await at.deriver.observe("plc", at.batch(NotedBatch, changed=FIRST))
        assert NotedBatch.heads == [at.journal.head()]
        assert at.journal.head() > before
        await at.deriver.observe("plc", at.batch(NotedBatch))
        assert len(NotedBatch.heads) == 2  # nothing to store is told too


async def test_an_unchanged_batch_writes_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        head, state = at.journal.head(), at.journal.state("press-07")
        await at.observe()
        assert (at.journal.head(), at.journal.state("press-07")) == (head, state)


async def test_a_restart_goes_on_where_the_journal_stands(tmp_path: Path) -> None:
    clock = FakeClock()
    async with bench(tmp_path, clock=clock) as at:
        await at.observe(changed=FIRST | {"press-07/run": True})
        at.journal.heartbeat(clock.now())
    clock.advance(30)
    async with bench(tmp_path, clock=clock) as at:
        await at.observe(changed=FIRST | {"press-07/run": True, "press-07/good_parts": 130})
        counts = [data for name, data in await at.rows("count") if name == "press-07"]
        states = [data for name, data in await at.rows("status") if name == "press-07"]
    assert [(data["delta"], data["anomaly"]) for data in counts] == [(0, "baseline"), (30, "none")]
    assert [data["state"] for data in states] == ["offline", "running", "offline", "running"]
    assert states[2]["cause"] == "start"


async def test_a_lost_link_concerns_its_equipment_only(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        await at.deriver.lose("meter", Unreachable("m:1", "gone"), 1)
        await at.deriver.lose("plc", Unreachable("h:1", "timeout", "is it on?"), 3)
        health = [data for _, data in await at.rows("health") if data["state"] == "offline"]
    assert [(data["link"], data["failures"]) for data in health] == [("plc", 3), ("plc", 3)]
    assert health[0]["error"] == {"class": "Unreachable", "text": "timeout", "hint": "is it on?"}


async def test_an_order_is_answered_with_its_seq(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        reply = await at.deriver.command("press-07", OrderCommand("c-1", Order("WO-1")))
        assert (reply.accepted, reply.seq) == (True, at.journal.head())


async def test_an_order_is_dated_to_the_reading_just_made_for_it(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        at.clock.advance(1)
        await at.observe(changed={"press-07/good_parts": 103})
        at.clock.advance(0.05)
        await at.deriver.command("press-07", OrderCommand("c-1", Order("WO-1")))
        at.clock.advance(1)
        await at.observe(changed={"press-07/good_parts": 105})
        counts = [data for _, data in await at.rows("count")][1:]
    assert [(c["delta"], c["order_ambiguous"]) for c in counts] == [(3, False), (2, False)]
    assert [c["order"] and c["order"]["order_no"] for c in counts] == [None, "WO-1"]


async def test_without_a_fresh_reading_the_next_count_spans_the_change(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        at.clock.advance(1)
        await at.deriver.command("press-07", OrderCommand("c-1", Order("WO-1")))
        at.clock.advance(1)
        await at.observe(changed={"press-07/good_parts": 105})
        (count,) = [data for _, data in await at.rows("count")][1:]
    assert count["order_ambiguous"]


async def test_equipment_in_commissioning_stays_local(tmp_path: Path) -> None:
    async with bench(tmp_path, press(stage="commissioning"), OVEN) as at:
        await at.observe(changed=FIRST)
        rows = [row for row in await at.journal.rows(0, 100) if row.equipment == "press-07"]
    assert len(rows) > 3
    assert all(row.local and row.streamseq == 0 for row in rows)


async def test_a_hold_ends_without_another_sample(tmp_path: Path) -> None:
    async with bench(tmp_path, press(min_hold_s=0.2), OVEN) as at:
        ticking = asyncio.create_task(at.deriver.run_ticks())
        await at.observe(changed=FIRST)
        at.clock.advance(0.2)
        await until(lambda: b"idle" in (at.journal.state("press-07") or b""))
        ticking.cancel()


async def test_a_new_epoch_opens_every_series(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        old = at.journal.epoch
        await at.deriver.begin_series("a copy")
        fresh = [row for row in await at.journal.rows(0, 1000) if row.epoch != old]
        assert {(row.equipment, row.type) for row in fresh} >= {
            ("press-07", "count"),
            ("press-07", "status"),
            ("oven-1", "status"),
        }
        assert all(
            orjson.loads(row.data)["anomaly"] == "baseline" for row in fresh if row.type == "count"
        )


@pytest.mark.fault(
    24,
    injection="the clock is not trusted, then it is",
    expectation="events are marked unsynced until then",
)
async def test_what_a_clock_stamps_that_is_not_trusted_says_so(tmp_path: Path) -> None:
    trusted = False
    async with open_journal(tmp_path / "j.db") as journal:
        deriver = Deriver(
            journal,
            {PRESS.equipment: PRESS},
            clock=FakeClock(),
            boot_id="boot-1",
            clock_is_trusted=lambda: trusted,
        )
        await deriver.start()
        (started,) = await journal.rows(0, 10)
        trusted = True
        await deriver.note_clock_step(1)
        (stepped,) = await journal.rows(started.seq, 10)
    said = [orjson.loads(row.data)["timequality"] for row in (started, stepped)]
    assert said == ["unsynced", "gateway"]
