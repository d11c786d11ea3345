"""A word on a fault through the local door, into a real journal and out of it again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from drivers.contract import Batch
from gateway.collect.deriver import Deriver
from gateway.control import client
from gateway.control.commands import Control
from gateway.control.server import listening
from gateway.domain import durable
from gateway.domain.events import FaultText
from gateway.domain.rules import EquipmentRules, FaultRule, TagRule
from gateway.domain.snapshot import snapshots
from gateway.domain.vocabulary import Json, stamp
from gateway.journal.journal import Journal
from gateway.journal.retention import Limits
from tests.support.clock import FakeClock

RULES = EquipmentRules(
    "press-07",
    faults=(FaultRule("alarm_word", "bits", {0: FaultText("E01", {"en": "Emergency stop"})}),),
    tags={"alarm_word": TagRule("alarm_word", "plc", "plc")},
)


async def nothing_to_read(_equipment: str) -> None:
    return


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Path, Journal, FakeClock]]:
    """A gateway whose press reports an emergency stop, and the way to its door."""
    clock = FakeClock()
    journal = Journal.open(tmp_path / "j.db", now=clock.now, limits=Limits(ballast_bytes=4096))
    deriver = Deriver(journal, {"press-07": RULES}, clock=clock, boot_id="boot-1")
    await deriver.start()
    word = "press-07/alarm_word"
    batch = Batch(clock.now(), clock.mono_s(), covers=frozenset({word}), changed={word: 1})
    await deriver.observe("plc", batch)
    door = tmp_path / "control.sock"
    async with listening(door, Control(deriver, journal, ["press-07"], nothing_to_read)):
        yield door, journal, clock
    await journal.close()


def shown(journal: Journal) -> Json:
    state = journal.state("press-07")
    assert state is not None
    return snapshots(durable.load(state))["faults"]


async def test_a_word_on_a_fault_is_committed_answered_and_shown(
    running: tuple[Path, Journal, FakeClock],
) -> None:
    door, journal, _ = running
    (active,) = shown(journal)["active"]
    content = {"command_id": "c-1", "fault_id": active["fault_id"], "action": "ack", "by": "li"}
    reply = await client.command(door, "press-07", "fault", content)
    assert (reply.accepted, reply.seq) == (True, journal.head())
    (row,) = await journal.rows(journal.head() - 1, 1)
    told = orjson.loads(row.data)
    assert (row.type, told["transition"], told["by"]) == ("fault", "acked", "li")
    assert shown(journal)["active"][0]["acked_by"] == "li"


async def test_the_same_word_twice_is_one_word(running: tuple[Path, Journal, FakeClock]) -> None:
    door, journal, clock = running
    (active,) = shown(journal)["active"]
    content = {
        "command_id": "c-2",
        "fault_id": active["fault_id"],
        "action": "shelve",
        "by": "li",
        "comment": "sensor ordered",
        "until": stamp(clock.now() + timedelta(hours=1)),
    }
    first = await client.command(door, "press-07", "fault", content)
    head = journal.head()
    assert first.accepted
    assert await client.command(door, "press-07", "fault", content) == first
    assert journal.head() == head
    assert len(shown(journal)["shelved"]) == 1


async def test_a_refusal_says_why_and_stores_nothing(
    running: tuple[Path, Journal, FakeClock],
) -> None:
    door, journal, _ = running
    head = journal.head()
    content = {"command_id": "c-3", "fault_id": "press-07.x.1.a", "action": "ack", "by": "li"}
    reply = await client.command(door, "press-07", "fault", content)
    assert (reply.accepted, reply.seq) == (False, None)
    assert reply.error == "no fault press-07.x.1.a is active or waits for an acknowledgement"
    assert journal.head() == head
