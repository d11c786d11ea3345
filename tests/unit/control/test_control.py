"""Commands through both halves of the local door, to a real journal."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from gateway.collect.deriver import Deriver
from gateway.control import client
from gateway.control.commands import Control
from gateway.control.server import MAX_LINE_BYTES, listening
from gateway.domain.commands import OrderCommand
from gateway.domain.rules import EquipmentRules
from gateway.domain.vocabulary import Json, Order
from gateway.journal.journal import Journal
from gateway.journal.retention import Limits
from tests.support.clock import FakeClock

ORDER = {"command_id": "c-1", "order_no": "WO-1042", "product": "A-77", "by": "mes"}


async def nothing_to_read(_equipment: str) -> None:
    return


@pytest.fixture
async def deriver(tmp_path: Path) -> AsyncIterator[tuple[Deriver, Journal]]:
    clock = FakeClock()
    journal = Journal.open(tmp_path / "j.db", now=clock.now, limits=Limits(ballast_bytes=4096))
    rules = {"press-07": EquipmentRules("press-07")}
    owner = Deriver(journal, rules, clock=clock, boot_id="boot-1")
    await owner.start()
    yield owner, journal
    await journal.close()


@pytest.fixture
async def door(tmp_path: Path, deriver: tuple[Deriver, Journal]) -> AsyncIterator[Path]:
    path = tmp_path / "control.sock"
    async with listening(path, Control(*deriver, ["press-07"], nothing_to_read)):
        yield path


async def test_an_order_is_obeyed_and_answered_with_its_seq(
    door: Path, deriver: tuple[Deriver, Journal]
) -> None:
    reply = await client.order(door, "press-07", ORDER)
    assert (reply.accepted, reply.seq) == (True, deriver[1].head())
    in_force = deriver[0].state("press-07").durable.order
    assert in_force is not None
    assert (in_force.order.order_no, in_force.by) == ("WO-1042", "mes")


@pytest.mark.fault(
    57,
    injection="the same command a second time",
    expectation="one fact, the same answer",
)
async def test_the_same_command_twice_is_one_command(
    door: Path, deriver: tuple[Deriver, Journal]
) -> None:
    first = await client.order(door, "press-07", ORDER)
    head = deriver[1].head()
    assert await client.order(door, "press-07", ORDER) == first
    assert deriver[1].head() == head


async def test_the_same_command_at_once_is_one_command(deriver: tuple[Deriver, Journal]) -> None:
    control = Control(*deriver, ["press-07"], nothing_to_read)
    command = OrderCommand("c-9", Order("WO-1"))
    replies = await asyncio.gather(*(control.submit("press-07", command) for _ in range(5)))
    assert len({reply.seq for reply in replies}) == 1


async def test_a_note_comes_in_by_the_same_door(
    door: Path, deriver: tuple[Deriver, Journal]
) -> None:
    note = {"command_id": "n-1", "about": "t5k2m0-9f3a-1", "by": "li", "comment": "coil was late"}
    reply = await client.command(door, "press-07", "note", note)
    assert (reply.accepted, reply.seq) == (True, deriver[1].head())
    (row,) = [row for row in await deriver[1].rows(0, 100) if row.type == "note"]
    assert orjson.loads(row.data)["comment"] == "coil was late"
    assert await client.command(door, "press-07", "note", note) == reply
    assert deriver[1].head() == reply.seq


async def test_parts_sorted_out_by_hand_are_counted_once(
    door: Path, deriver: tuple[Deriver, Journal]
) -> None:
    scrap = {"command_id": "s-1", "quantity": 3, "by": "li", "reason": "scratched"}
    reply = await client.command(door, "press-07", "scrap", scrap)
    assert await client.command(door, "press-07", "scrap", scrap) == reply
    rows = [orjson.loads(row.data) for row in await deriver[1].rows(0, 100) if row.type == "count"]
    assert [(row["counter"], row["total"], row["by"]) for row in rows] == [
        ("manual_reject", 3, "li")
    ]


async def test_an_order_for_later_is_refused_and_stays_refused(
    door: Path, deriver: tuple[Deriver, Journal]
) -> None:
    later = ORDER | {"effective_at": "2099-01-01T00:00:00Z"}
    reply = await client.order(door, "press-07", later)
    assert (reply.accepted, reply.seq) == (False, None)
    assert "future" in (reply.error or "")
    assert await client.order(door, "press-07", later) == reply
    assert deriver[0].state("press-07").durable.order is None


async def test_a_line_names_one_command(door: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(door)
    wrong: tuple[Json, ...] = ({}, {"order": ORDER, "note": {}}, {"lunch": {}})
    for asked in wrong:
        writer.write(orjson.dumps({"equipment": "press-07"} | asked) + b"\n")
        answer = orjson.loads(await reader.readline())
        assert not answer["accepted"]
        assert "name one of order, note" in answer["error"]
    writer.close()


@pytest.mark.parametrize(
    ("equipment", "content", "reason"),
    [
        ("press-99", ORDER, "unknown equipment press-99"),
        ("press-07", {"command_id": "c-1"}, "order_no"),
        ("press-07", {"order_no": "WO-1"}, "command_id"),
    ],
)
async def test_what_cannot_be_obeyed_is_refused_with_its_reason(
    door: Path, equipment: str, content: dict[str, str], reason: str
) -> None:
    reply = await client.order(door, equipment, content)
    assert not reply.accepted
    assert reason in (reply.error or "")


@pytest.mark.parametrize("line", [b"hello\n", b"[]\n", b'{"order": 7}\n', b"\xff\xfe\n"])
async def test_garbage_is_answered_and_the_next_line_still_heard(door: Path, line: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(door)
    for _ in range(2):
        writer.write(line)
        assert b'"accepted":false' in await reader.readline()
    writer.close()


async def test_an_endless_line_is_refused(door: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(door)
    writer.write(b"x" * (2 * MAX_LINE_BYTES))
    assert b"too long" in await reader.readline()
    writer.close()


async def test_only_the_owner_may_open_the_door(door: Path) -> None:
    mode = await asyncio.to_thread(lambda: door.stat().st_mode)
    assert stat.S_IMODE(mode) == 0o600


async def test_a_client_that_stays_does_not_hold_up_the_end(
    tmp_path: Path, deriver: tuple[Deriver, Journal]
) -> None:
    path = tmp_path / "c.sock"
    async with listening(path, Control(*deriver, [], nothing_to_read)):
        _, writer = await asyncio.open_unix_connection(path)
    assert not path.exists()
    writer.close()


async def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(client.NoCollector, match="is the collector running"):
        await client.order(tmp_path / "none.sock", "press-07", ORDER)


async def test_a_gateway_without_a_socket_works(
    tmp_path: Path, deriver: tuple[Deriver, Journal], caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(tmp_path / ("x" * 120), Control(*deriver, [], nothing_to_read)):
        assert "no local commands" in caplog.text


async def test_an_order_is_obeyed_after_its_counters_were_read_and_once(
    deriver: tuple[Deriver, Journal],
) -> None:
    seen: list[tuple[str, int]] = []

    async def read_now(equipment: str) -> None:
        seen.append((equipment, deriver[1].head()))

    control = Control(*deriver, ["press-07"], read_now)
    before = deriver[1].head()
    for _ in range(2):
        await control.submit("press-07", OrderCommand("c-1", Order("WO-1")))
    assert seen == [("press-07", before)]
