"""The collecting half of a site in this process, from real devices to a real journal."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.app.running import Part, Running, run
from gateway.collect.poller import Poller
from gateway.settings.load import load
from tests.support.config_site import write_site
from tests.support.lone_site import NOBODY
from tests.support.until import until

GATEWAY = f"""\
site: suzhou
gateway: gw-01
timezone: Asia/Shanghai
mqtt: {{port: {NOBODY}}}
historian: {{enabled: false}}
web: {{enabled: false}}
"""
LONG_S = 20.0
"""A busy machine needs longer."""


@dataclass
class Collecting:
    """What it does and what it has written down."""

    running: Running

    async def facts(self, type_: str, equipment: str = "press-07") -> list[dict[str, Any]]:
        """Return the data of all events of one type and equipment so far, in order."""
        assert self.running.collector is not None
        journal = self.running.collector.journal
        rows = await journal.rows(0, journal.head() + 1)
        facts: list[dict[str, Any]] = [
            orjson.loads(row.data)
            for row in rows
            if (row.type, row.equipment) == (type_, equipment)
        ]
        return facts

    async def fact(self, type_: str, equipment: str = "press-07", **wanted: Any) -> dict[str, Any]:
        """Wait for an event that says this, and return the newest such."""
        async with asyncio.timeout(LONG_S):
            while True:
                facts: list[dict[str, Any]] = await self.facts(type_, equipment)
                found = [fact for fact in facts if wanted.items() <= fact.items()]
                if found:
                    return found[-1]
                await asyncio.sleep(0.01)

    def poller(self, link: str = "press-07.plc") -> Poller:
        """Return who reads a link."""
        assert self.running.collector is not None
        (poller,) = (one for one in self.running.collector.pollers if one.link == link)
        return poller

    async def reads(self, number: int, link: str = "press-07.plc") -> None:
        """Wait for so many good readings that begin from now on."""
        enough = self.poller(link).stats.reads + 1 + number
        await until(lambda: self.poller(link).stats.reads >= enough, timeout_s=LONG_S)


@asynccontextmanager
async def collecting(directory: Path, equipment: Mapping[str, str]) -> AsyncIterator[Collecting]:
    """Collect from ``equipment``: code -> the text of its file. No broker is there."""
    files: dict[str, str | bytes] = {f"equipment/{code}.yaml": t for code, t in equipment.items()}
    site = load(write_site(directory, {"gateway.yaml": GATEWAY, **files}))
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(site, [Part.COLLECT], on_ready=ready.set_result))
    await until(lambda: ready.done() or task.done(), timeout_s=LONG_S)
    if task.done():
        await task  # what ended it says why
    try:
        yield Collecting(await ready)
    finally:
        (await ready).stopping.set()
        await task
