"""Retiring through the local door of a running collector."""

from pathlib import Path

from gateway.collect.deriver import Deriver
from gateway.control import client
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from tests.unit.control.test_control import deriver, door

__all__ = ["deriver", "door"]


async def test_an_equipment_that_left_the_configuration_is_let_go(
    door: Path, deriver: tuple[Deriver, Journal]
) -> None:
    await deriver[1].append([Entry("press-99", (), b"{}")])
    assert (await client.retire(door, "press-99")).accepted
    assert "press-99" not in deriver[1].states()


async def test_one_that_is_being_read_is_not(door: Path, deriver: tuple[Deriver, Journal]) -> None:
    reply = await client.retire(door, "press-07")
    assert not reply.accepted
    assert "reload" in (reply.error or "")
    assert "press-07" in deriver[1].states()
