"""A configuration changes under a running collector: what is touched, and what never is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.control import client
from gateway.control.configuring import Restore
from gateway.settings.revision import Draft
from tests.support.modbus_device import HR, Device
from tests.support.reload_site import (
    devices,
    equipment,
    machine,
    running,
)
from tests.support.until import until


@pytest.fixture
async def plant() -> AsyncIterator[dict[str, Device]]:
    async with devices("press-1", "press-2", "press-3") as found:
        yield found


async def test_only_the_changed_link_is_opened_anew(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    async with running(tmp_path, plant) as at:
        pollers = {poller.link: poller for poller in at.collector.pollers}
        text = machine("press-1", plant["press-1"].port, ("interval_ms: 50", "interval_ms: 20"))
        outcome = await at.apply({equipment("press-1"): text})
        assert (outcome.code, outcome.revision) == ("applied", 2)
        assert "press-1.plc" in outcome.text["en"]
        await until(lambda: plant["press-1"].connections == 1)
        assert {name: one.accepted for name, one in plant.items()} == {
            "press-1": 2,
            "press-2": 1,
            "press-3": 1,
        }
        after = {poller.link: poller for poller in at.collector.pollers}
        assert [after[name] is pollers[name] for name in sorted(after)] == [False, True, True]
        reads = after["press-2.plc"].stats.reads
        await until(lambda: after["press-2.plc"].stats.reads > reads)
        assert [e["state"] for e in await at.events("status", "press-1")] == ["offline", "running"]


async def test_rules_change_without_touching_any_link(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    async with running(tmp_path, plant) as at:
        text = machine(
            "press-1", plant["press-1"].port, ("state: running", "state: setup"), ("line-1", "l-2")
        )
        outcome = await at.apply({equipment("press-1"): text})
        assert "no link was interrupted" in outcome.text["en"]
        states = [e["state"] for e in await at.events("status", "press-1")]
        assert states == ["offline", "running", "setup"]
        assert [one.accepted for one in plant.values()] == [1, 1, 1]


async def test_a_counter_with_another_meaning_keeps_its_total_and_loses_no_part(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    plc = plant["press-1"]
    async with running(tmp_path, plant) as at:
        plc.put(HR, 0, 107)
        await until(lambda: at.total("press-1") == 7)
        # Only the factor: the link stays, and so does the reading.
        factor = machine("press-1", plc.port, ("kind: good,", "kind: good, factor: 2,"))
        assert (await at.apply({equipment("press-1"): factor})).accepted
        plc.put(HR, 0, 108)
        await until(lambda: at.total("press-1") == 9)
        # Another address: nobody saw what was made at the new one before.
        plc.put(HR, 5, 4000)
        moved = machine("press-1", plc.port, ("hr:0", "hr:5"))
        assert (await at.apply({equipment("press-1"): moved})).accepted
        await until(lambda: at.raw("press-1") == 4000)
        plc.put(HR, 5, 4001)
        await until(lambda: at.total("press-1") == 10)
        counts = [
            (e["anomaly"], e["delta"], e["total"]) for e in await at.events("count", "press-1")
        ]
    assert counts == [
        ("baseline", 0, 0),
        ("none", 7, 7),
        ("baseline", 0, 7),
        ("none", 2, 9),
        ("baseline", 0, 9),
        ("none", 1, 10),
    ]


async def test_equipment_comes_with_a_baseline_and_goes_with_an_end(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    async with devices("oven-1") as more, running(tmp_path, plant) as at:
        plant_before = set(at.collector.site.equipment)
        added = await at.apply({equipment("oven-1"): machine("oven-1", more["oven-1"].port)})
        assert added.counts["equipment"] == {"added": 1, "removed": 0, "changed": 0}
        await until(lambda: at.is_running("oven-1"))
        assert (await at.apply({equipment("oven-1"): None})).accepted
        assert set(at.collector.site.equipment) == plant_before
        await until(lambda: more["oven-1"].connections == 0)
        first, second, last = await at.events("status", "oven-1")
        counts = await at.events("count", "oven-1")
        assert [e["anomaly"] for e in counts] == ["baseline"]
        assert [one["state"] for one in (first, second, last)] == ["offline", "running", "offline"]
        assert last["prev_state"] == "running"
        assert (last["cause"], last["reason"]["code"]) == ("command", "not_configured")
        # And back: the same series goes on.
        more["oven-1"].put(HR, 0, 103)
        await at.apply({equipment("oven-1"): machine("oven-1", more["oven-1"].port)})
        await until(lambda: at.total("oven-1") == 3)
        assert at.collector.journal.previous_epochs == ()


@pytest.mark.fault(
    65,
    injection="a draft with errors, then files with errors on the disk, for a running collector",
    expectation="refused with file, line and key; nothing is written, opened or told",
)
async def test_an_invalid_configuration_leaves_the_old_in_force(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    async with running(tmp_path, plant) as at:
        before = at.kept.on_disk()
        bad = machine("press-1", plant["press-1"].port, ("when: run", "when: rum"))
        outcome = await at.apply({equipment("press-1"): bad})
        assert (outcome.code, outcome.revision) == ("invalid", 1)
        (problem,) = (p for p in outcome.problems if p.severity == "error")
        assert (problem.file, problem.line, problem.key) == (
            "equipment/press-1.yaml",
            12,
            "status[0].when",
        )
        assert at.kept.on_disk() == before
        (tmp_path / equipment("press-1")).write_text(bad)
        assert (await at.reload()).code == "invalid"
        for name in plant:
            states = [event["state"] for event in await at.events("status", name)]
            assert states == ["offline", "running"]
        assert [one.accepted for one in plant.values()] == [1, 1, 1]
        assert [one.number for one in at.kept.heads()] == [1]


@pytest.mark.fault(
    65,
    injection="a draft that leads a link that answered to where nobody does",
    expectation="rolled back by itself: files, rules and the old session; the others never noticed",
)
async def test_a_changed_link_that_does_not_answer_rolls_everything_back(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    plc = plant["press-1"]
    async with running(tmp_path, plant) as at:
        plc.put(HR, 0, 105)
        await until(lambda: at.total("press-1") == 5)
        before = at.kept.on_disk()
        wrong = machine("press-1", 9, ("kind: good,", "kind: good, factor: 3,"))
        outcome = await at.apply({equipment("press-1"): wrong})
        assert (outcome.code, outcome.revision) == ("rolled_back", 1)
        assert "press-1.plc" in outcome.text["en"]
        assert at.kept.on_disk() == before
        await at.all_running()
        plc.put(HR, 0, 107)
        await until(lambda: at.raw("press-1") == 107)
        assert [one.accepted for one in plant.values()] == [2, 1, 1]
        assert at.kept.numbers() == [1]


async def test_a_link_that_reads_nothing_good_rolls_back_too(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    text = machine("press-1", plant["press-1"].port, ("coil:0", "coil:900"), ("hr:0", "hr:900"))
    async with running(tmp_path, plant) as at:
        outcome = await at.apply({equipment("press-1"): text})
        assert outcome.code == "rolled_back"
        assert "illegal_address" in outcome.text["en"]
        await at.all_running()


async def test_a_link_that_was_away_before_is_no_reason(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    plc = plant["press-1"]
    async with running(tmp_path, plant) as at:
        await plc.stop()
        (poller,) = (one for one in at.collector.pollers if one.link == "press-1.plc")
        await until(lambda: not poller.stats.online, timeout_s=90)
        text = machine("press-1", plc.port, ("interval_ms: 50", "interval_ms: 100"))
        assert (await at.apply({equipment("press-1"): text})).code == "applied"
        new = {equipment("oven-1"): machine("oven-1", 9)}
        assert (await at.apply(new)).code == "applied"  # a machine that is not there yet


async def test_files_edited_by_hand_are_taken_up_and_kept_as_such(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    async with running(tmp_path, plant) as at:
        assert (await at.reload()).code == "unchanged"
        text = machine("press-1", plant["press-1"].port, ("state: running", "state: setup"))
        (tmp_path / equipment("press-1")).write_text(text)
        stale = await at.apply({equipment("oven-1"): machine("oven-1", 9)})
        assert stale.code == "stale"
        assert "reload them first" in stale.text["en"]
        assert (await at.reload()).revision == 2
        head = at.kept.current()
        assert head is not None
        assert (head.origin, head.by, head.base) == ("disk", "li", 1)
        assert "~ equipment press-1: status" in head.notes
        (tmp_path / equipment("press-1")).write_text(text + "# nothing but words\n")
        assert (await at.reload()).revision == 3
        assert plant["press-1"].accepted == 1


async def test_a_draft_built_on_an_older_revision_is_refused(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    text = machine("press-1", plant["press-1"].port, ("line-1", "line-2"))
    async with running(tmp_path, plant) as at:
        assert (await at.apply({equipment("press-1"): text}, by="wang")).revision == 2
        outcome = await at.apply({equipment("press-2"): None}, base=1)
        assert (outcome.code, outcome.revision) == ("stale", 2)
        assert "applied by wang" in outcome.text["en"]
        assert "press-2" in at.collector.site.equipment


async def test_what_cannot_be_changed_live_is_named(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    async with running(tmp_path, plant) as at:
        old = (tmp_path / "gateway.yaml").read_text()
        text = old.replace("port: 9", "port: 10").replace("web: {", "web: {port: 1234, ")
        outcome = await at.apply({"gateway.yaml": text})
        assert (outcome.code, outcome.keys) == ("needs_restart", ("mqtt.port",))
        assert "mqtt.port in gateway.yaml needs a restart" in outcome.text["en"]
        assert (tmp_path / "gateway.yaml").read_text() == old
        (tmp_path / "gateway.yaml").write_text(text)
        assert (await at.reload()).code == "needs_restart"


@pytest.mark.fault(
    65,
    injection="an earlier revision is asked for, over edits nobody took up",
    expectation="one command puts its files back and takes them up; the edits are kept",
)
async def test_one_step_back_is_one_command(tmp_path: Path, plant: dict[str, Device]) -> None:
    first = machine("press-1", plant["press-1"].port)
    async with running(tmp_path, plant) as at:
        text = machine("press-1", plant["press-1"].port, ("state: running", "state: setup"))
        await at.apply({equipment("press-1"): text})
        (tmp_path / equipment("press-1")).write_text("rubbish: [\n")
        outcome = await at.collector.configuration.change(Restore(1, "li"))
        assert (outcome.code, outcome.revision) == ("applied", 4)
        assert (tmp_path / equipment("press-1")).read_text() == first
        await at.all_running()
        edits = at.kept.get(3)
        assert edits.files[equipment("press-1")] == b"rubbish: [\n"
        assert not edits.head.in_force
        head = at.kept.current()
        assert head is not None
        assert (head.origin, head.why, head.base) == ("restore", "revision 1", 2)
        missing = await at.collector.configuration.change(Restore(77, "li"))
        assert (missing.code, missing.revision) == ("failed", 4)


async def test_all_of_it_comes_in_by_the_local_door(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    async with running(tmp_path, plant):
        door = tmp_path / "data/control.sock"
        text = machine("press-1", plant["press-1"].port, ("state: running", "state: setup"))
        files = {equipment("press-1"): text.encode(), "faults/x.xlsx": b"\xff\x00"}
        outcome = await client.apply(door, Draft(1, files, "li", "because"))
        assert (outcome.code, outcome.revision) == ("applied", 2)
        assert (tmp_path / "faults/x.xlsx").read_bytes() == b"\xff\x00"
        assert (await client.reload(door, by="li")).code == "unchanged"
        assert (await client.restore(door, 1, by="li")).revision == 3
        assert not (tmp_path / "faults/x.xlsx").exists()
        outside = await client.apply(door, Draft(3, {"../x.yaml": b""}, "li"))
        assert outside.code == "failed"
        assert "no file of a configuration" in outside.text["en"]
        bad = await client.apply(door, Draft(3, {"gateway.yaml": b"site: x\n"}, "li"))
        assert {problem.key for problem in bad.problems} >= {"gateway", "timezone"}


async def test_going_live_tells_nothing_of_what_was_before(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    plc = plant["press-1"]
    port = plc.port
    testing = machine("press-1", port, ("line: line-1", "line: line-1\nstage: commissioning"))
    async with running(tmp_path, plant) as at:
        journal = at.collector.journal
        plc.put(HR, 0, 105)
        await until(lambda: at.total("press-1") == 5)
        assert (await at.apply({equipment("press-1"): testing})).accepted
        plc.put(HR, 0, 155)  # parts of a trial
        await until(lambda: at.total("press-1") == 55)
        assert (await at.apply({equipment("press-1"): machine("press-1", port)})).accepted
        plc.put(HR, 0, 157)
        await until(lambda: at.total("press-1") == 57)
        rows = await at.rows("count", "press-1")
        counts = await at.events("count", "press-1")
        assert len(journal.previous_epochs) == 1  # totals went on unseen: another series
    assert [row.local for row in rows] == [False, False, True, False, False, False]
    assert [c["anomaly"] for c in counts][-1] == "none"
    assert {c["anomaly"] for c in counts[3:-1]} == {"baseline"}
    assert (counts[-1]["total"], counts[-1]["delta"]) == (57, 2)


async def test_a_reload_under_load_loses_no_part_and_no_period(
    tmp_path: Path, plant: dict[str, Device]
) -> None:
    """Machines produce while one configuration follows the other."""
    made = dict.fromkeys(plant, 0)
    stopped = asyncio.Event()

    async def produce() -> None:
        while not stopped.is_set():
            for name, one in plant.items():
                made[name] += 1
                one.put(HR, 0, 100 + made[name])
            await asyncio.sleep(0.02)

    async with running(tmp_path, plant) as at:
        making = asyncio.create_task(produce())
        paces = ("40", "30", "50", "35")
        for pace in paces:
            text = machine(
                "press-1", plant["press-1"].port, ("interval_ms: 50", f"interval_ms: {pace}")
            )
            assert (await at.apply({equipment("press-1"): text})).accepted
        stopped.set()
        await making
        await until(lambda: all(at.total(name) == made[name] for name in plant), timeout_s=90)
        accepted = {name: one.accepted for name, one in plant.items()}
        assert accepted == {"press-1": 1 + len(paces), "press-2": 1, "press-3": 1}
        for name in plant:
            counts = await at.events("count", name)
            assert sum(count["delta"] for count in counts) == made[name]
            assert {count["anomaly"] for count in counts[1:]} <= {"none"}
            states = [event["state"] for event in await at.events("status", name)]
            assert states == ["offline", "running"]
