"""Other rules for a deriver that goes on, in one transaction; and over a restart."""

from pathlib import Path

import orjson

from gateway.collect.rules_change import RulesChange
from gateway.domain.commands import OrderCommand
from gateway.domain.vocabulary import Order
from gateway.journal.row import Row
from tests.support.clock import FakeClock
from tests.unit.collect.test_deriver import FIRST, OVEN, PRESS, Bench, bench
from tests.unit.domain.scene import press

TRIAL = press(stage="commissioning")
PLC = frozenset({"plc"})


async def counts(at: Bench) -> list[tuple[Row, str, int]]:
    """Return the counts of the press: the row, its anomaly, the total."""
    rows = [row for row in await at.journal.rows(0, 1000) if row.type == "count"]
    facts = [(row, orjson.loads(row.data)) for row in rows if row.equipment == "press-07"]
    return [(row, fact["anomaly"], fact["total"]) for row, fact in facts]


def test_only_who_is_concerned_is_told() -> None:
    change = RulesChange(
        {"a": PRESS, "b": OVEN, "c": TRIAL}, {"a": PRESS, "c": PRESS, "d": OVEN}, PLC
    )
    assert (change.added(), change.removed(), change.closed()) == (["d"], ["b"], ["b"])
    assert change.begins_live() == ["c", "d"]
    assert change.concerned() == ["a", "c"]  # the link of `a` is opened anew
    still = RulesChange({"a": PRESS}, {"a": PRESS}, frozenset())
    assert still.concerned() == []
    assert RulesChange({"a": PRESS}, {"a": TRIAL}, frozenset()).closed() == ["a"]


async def test_everything_about_a_change_is_one_transaction(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        watch = at.journal.watch()
        rules = {"press-07": press(min_hold_s=5), "oven-2": OVEN}
        await at.deriver.reconfigure(rules, PLC)
        assert await watch.changed() == {"press-07", "oven-1", "oven-2"}
        assert list(at.deriver.equipment) == ["press-07", "oven-2"]
        states = {name: data["state"] for name, data in await at.rows("status")}
        assert (states["oven-1"], states["oven-2"]) == ("offline", "offline")


async def test_nothing_is_written_where_nothing_is_different(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.observe(changed=FIRST)
        head = at.journal.head()
        await at.deriver.reconfigure({"press-07": PRESS, "oven-1": OVEN}, frozenset())
        assert at.journal.head() == head


async def test_a_command_for_one_that_left_is_refused(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.deriver.reconfigure({"oven-1": OVEN}, frozenset())
        reply = await at.deriver.command("press-07", OrderCommand("c-1", Order("WO-1")))
        assert (reply.accepted, reply.error) == (False, "unknown equipment press-07")
        await at.deriver.note_clock_step(5)


async def test_going_live_over_a_restart_is_a_beginning_too(tmp_path: Path) -> None:
    clock = FakeClock()
    async with bench(tmp_path, TRIAL, OVEN, clock=clock) as at:
        await at.observe(changed=FIRST)
        clock.advance(30)
        await at.observe(changed={"press-07/good_parts": 150})
        epoch = at.journal.epoch
    async with bench(tmp_path, PRESS, OVEN, clock=clock) as at:
        clock.advance(1)
        await at.observe(changed=FIRST | {"press-07/good_parts": 151})
        told = [(anomaly, total) for row, anomaly, total in await counts(at) if not row.local]
        states = [row for row in await at.journal.rows(0, 99) if row.type == "status"]
        assert at.journal.epoch == epoch  # nobody was told before
    assert told == [("baseline", 50), ("none", 51)]
    first = orjson.loads(next(row for row in states if not row.local).data)
    assert (first["state"], first.get("prev_state")) == ("offline", None)


async def test_live_again_after_a_restart_in_commissioning_is_another_epoch(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    for rules in (PRESS, TRIAL):
        async with bench(tmp_path, rules, OVEN, clock=clock) as at:
            clock.advance(30)
            await at.observe(changed=FIRST)
            epoch = at.journal.epoch
    async with bench(tmp_path, PRESS, OVEN, clock=clock) as at:
        assert at.journal.epoch > epoch
        clock.advance(30)
        await at.observe(changed=FIRST)
        of_new = [anomaly for row, anomaly, _ in await counts(at) if row.epoch == at.journal.epoch]
    assert of_new[0] == "baseline"
