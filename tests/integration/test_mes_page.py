"""What the page for MES developers tells a stranger to copy does what it says."""

import asyncio
import re
import shlex
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from simulators.scenario import SCENARIOS
from tests.support.ports import free_port
from tests.unit.wire.test_schema import check

ROOT = Path(__file__).parents[2]
PAGES = ("mes.md", "mes.zh-CN.md")
BLOCK = re.compile(r"^```(?P<kind>\w+) ?(?P<name>\S*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
PORT = "18830"
EQUAL_S = 120.0


def blocks(page: str, kind: str) -> list[tuple[str, str]]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [
        (found["name"], found["text"]) for found in BLOCK.finditer(text) if found["kind"] == kind
    ]


def commands(directory: Path) -> list[list[str]]:
    """The page's commands as arguments; its files and its port become free ones."""
    port, found = str(free_port()), []
    for _, text in blocks(PAGES[0], "sh"):
        own = re.sub(r"\bmes(-demo|\.db)\b", lambda name: str(directory / name[0]), text)
        words = shlex.split(own.replace(PORT, port))
        program = {".venv/bin/python": [], ".venv/bin/millgate": ["-m", "gateway"]}[words[0]]
        found.append([sys.executable, *program, *words[1:]])
    return found


async def started(directory: Path, command: list[str]) -> asyncio.subprocess.Process:
    with (directory / "log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )


async def output(command: list[str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    text, _ = await process.communicate()
    return process.returncode, text.decode()


async def equal(compare: list[str], *, beyond: float = 0.0) -> float:
    """Repeat the third command until the two tables are equal; return the parts booked."""
    text = ""
    async with asyncio.timeout(EQUAL_S):
        while True:
            code, text = await output(compare)
            booked = sum(float(row.split()[2]) for row in text.splitlines()[:-1] if code == 0)
            if code == 0 and booked > beyond:
                assert text.splitlines()[-1] == "equal"
                return booked


async def apart(compare: list[str]) -> None:
    """Repeat the third command until the history knows more than the dead consumer."""
    async with asyncio.timeout(EQUAL_S):
        while (await output(compare))[0] == 0:
            pass


async def ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


@pytest.mark.timeout(400)
async def test_three_commands_recover_from_an_outage(tmp_path: Path) -> None:
    demo, consume, compare, verify = commands(tmp_path)
    plant = await started(tmp_path, demo)
    consumer = await started(tmp_path, consume)
    try:
        before = await equal(compare)
        await ended(consumer)
        await apart(compare)
        consumer = await started(tmp_path, consume)
        await equal(compare, beyond=before)
        code, text = await output([*verify[:-1], "3"])
        assert (code, "all as agreed" in text) == (0, True), text
        queries(tmp_path / "mes-demo/site/data/history.db")
    finally:
        await ended(consumer)
        if plant.returncode is None:
            plant.terminate()
        assert await plant.wait() == 0, (tmp_path / "log").read_text("utf-8")


def queries(history: Path) -> None:
    """The page's SQL is understood, and finds something where there is something."""
    with closing(sqlite3.connect(f"file:{history}?mode=ro", uri=True)) as database:
        found = [database.execute(text).fetchall() for _, text in blocks(PAGES[0], "sql")]
    parts, states, losses, events = found
    assert parts
    assert states
    assert events
    assert losses == []


@pytest.mark.parametrize("page", PAGES)
def test_the_requests_it_shows_are_of_the_contract(page: str) -> None:
    assert len(blocks(page, "json")) == 2
    for name, text in blocks(page, "json"):
        check(name, orjson.loads(text))


@pytest.mark.parametrize("kind", ["sh", "sql", "json"])
def test_both_languages_show_the_same(kind: str) -> None:
    assert blocks(PAGES[0], kind) == blocks(PAGES[1], kind)


@pytest.mark.parametrize("page", PAGES)
def test_it_names_every_scenario(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `") and "mg/v1" not in line]
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])}
    assert named == set(SCENARIOS)
