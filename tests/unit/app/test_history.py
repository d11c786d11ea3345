import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.app.history import follow_shifts, historian, settings
from gateway.historian.shift_windows import ShiftPlan
from gateway.settings.load import load
from gateway.settings.revision import Revision
from gateway.settings.revisions import revisions_of
from tests.support.config_site import write_site
from tests.support.until import until
from tests.unit.settings.test_revisions import head

PRESS = """\
equipment: press-07
area: stamping
line: line-1
link: plc
tags: {run: {address: M1}}
status: [{state: running, when: run}]
links: {plc: {protocol: modbus-tcp, host: 10.0.0.7}}
"""
SITE = {
    "gateway.yaml": "site: suzhou\ngateway: gw-01\ntimezone: Asia/Shanghai\n",
    "equipment/press-07.yaml": PRESS,
}
SHIFTS = "patterns: {A: {start: 08:00, end: 16:00}}\nweek: {mon: [A]}\n"


def test_the_historian_is_told_the_shifts_of_each_equipment(tmp_path: Path) -> None:
    site = load(write_site(tmp_path, {**SITE, "shifts.yaml": SHIFTS}))
    shifts = settings(site).shifts
    assert shifts.source == "/suzhou/gateways/gw-01"
    assert shifts.calendars == {"press-07": site.equipment["press-07"].rules.calendar}


def test_without_shifts_there_is_nothing_to_plan(tmp_path: Path) -> None:
    shifts = settings(load(write_site(tmp_path, SITE))).shifts
    assert shifts == ShiftPlan("/suzhou/gateways/gw-01", {})


def shifts(code: str) -> str:
    return f"patterns: {{{code}: {{start: 08:00, end: 16:00}}}}\nweek: {{mon: [{code}]}}\n"


@asynccontextmanager
async def planning(directory: Path) -> AsyncIterator[Callable[[], set[str]]]:
    """Run a historian without a broker; give what tells the shifts to come in its store."""
    gateway = SITE["gateway.yaml"] + (
        "mqtt: {port: 9}\nhistorian:\n  stores: [{kind: sql, url: 'sqlite:///history.db'}]\n"
    )
    files = {**SITE, "gateway.yaml": gateway, "shifts.yaml": shifts("early")}
    site = load(write_site(directory, files))
    one = historian(site)
    tasks = [
        asyncio.create_task(one.run()),
        asyncio.create_task(follow_shifts(site, one, look_s=0.02)),
    ]

    def to_come() -> set[str]:
        query = "SELECT DISTINCT shift FROM shift_window WHERE begins > ?"
        try:
            with closing(sqlite3.connect(f"file:{directory}/history.db?mode=ro", uri=True)) as db:
                now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
                return {code for (code,) in db.execute(query, [now])}
        except sqlite3.OperationalError:
            return set()

    try:
        await until(lambda: to_come() == {"early"})
        yield to_come
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_changed_shifts_are_planned_without_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "shifts.yaml"
    async with planning(tmp_path) as to_come:
        path.write_text(shifts("late"))
        await until(lambda: to_come() == {"late"})
        with caplog.at_level(logging.WARNING, "gateway.app.following"):
            path.write_text("patterns: {")
            await until(lambda: "stays in force" in caplog.text)
        assert "shifts.yaml" in caplog.text
        assert to_come() == {"late"}
        path.unlink()
        await until(lambda: to_come() == set())


async def test_beside_a_collector_the_shifts_change_when_it_takes_them_up(tmp_path: Path) -> None:
    kept = revisions_of(write_site(tmp_path, SITE))
    kept.add(Revision(head(1), kept.on_disk()))
    async with planning(tmp_path) as to_come:
        (tmp_path / "shifts.yaml").write_text(shifts("late"))
        await asyncio.sleep(0.2)
        assert to_come() == {"early"}
        kept.add(Revision(head(2), kept.on_disk()))
        await until(lambda: to_come() == {"late"})
