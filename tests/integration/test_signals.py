"""A gateway that is asked to end while it starts ends in order all the same."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.lone_site import lone_site

END_S = 120.0
STRUCK = """\
import importlib, os, signal, sys
from pathlib import Path
from gateway.ops.signals import TO_END, Signals

ending = Signals(*TO_END)

import gateway.app.collector as collecting
starting = importlib.import_module("gateway.app.main")
import gateway.app.running as running


def strikes(there, name):
    real = getattr(there, name)

    def struck(*arguments, **more):
        os.kill(os.getpid(), signal.{number})
        return real(*arguments, **more)

    setattr(there, name, struck)


strikes({there}, "{name}")
sys.exit(starting.main(Path(sys.argv[1]), [running.Part.COLLECT], ending))
"""
ENDS_AFTER_A_CHANGE = """\
real = collecting.Reconfiguration.change


async def changed(*arguments):
    outcome = await real(*arguments)
    os.kill(os.getpid(), signal.SIGTERM)
    return outcome


collecting.Reconfiguration.change = changed
"""


@pytest.mark.parametrize(
    ("there", "name"),
    [("starting", "load"), ("collecting.Journal", "open"), ("running", "metrics")],
    ids=["before the loop", "while the journal opens", "when links are open"],
)
async def test_asked_to_end_while_it_starts(tmp_path: Path, there: str, name: str) -> None:
    code, said = await _run(tmp_path, STRUCK.format(number="SIGTERM", there=there, name=name))
    assert code == 0, said
    assert "Traceback" not in said
    journal = tmp_path / "data/journal.db"
    if journal.exists():
        assert _ended_clean(journal)
    assert journal.exists() or name == "load"


async def test_asked_to_reload_while_it_starts(tmp_path: Path) -> None:
    text = STRUCK.format(number="SIGHUP", there="starting", name="load")
    text = text.replace("sys.exit", ENDS_AFTER_A_CHANGE + "sys.exit")
    code, said = await _run(tmp_path, text)
    assert code == 0, said
    assert "configuration, asked by SIGHUP" in said


async def _run(directory: Path, text: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", text, str(lone_site(directory))),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(END_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said.decode()


def _ended_clean(journal: Path) -> bool:
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        (clean,) = connection.execute("SELECT value FROM mark WHERE name = 'clean'").fetchone()
    return bool(clean)
