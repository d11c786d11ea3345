"""What the pages about the API tell people to type works, in both languages."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from gateway.domain.vocabulary import State
from gateway.journal.row import Entry
from gateway.web.server import Address, serve
from tests.integration.test_api_schema import token
from tests.support.board import NOW
from tests.support.journal import open_journal
from tests.support.past import count, fault, status
from tests.support.web import web_rig

DOCS = Path(__file__).parents[2] / "docs"
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands(page: str) -> list[str]:
    """Every curl of a page, one a line."""
    text = "".join(SHELL.findall((DOCS / page).read_text(encoding="utf-8")))
    return [line for line in text.replace("\\\n", "").splitlines() if line]


def test_both_pages_show_the_same_commands() -> None:
    assert commands("api.md") == commands("api.zh-CN.md")


@pytest.mark.timeout(400)
async def test_every_command_of_the_page_is_answered(tmp_path: Path) -> None:
    async with web_rig(tmp_path) as rig, open_journal(rig.journal, now=lambda: NOW) as journal:
        facts = [status(State.RUNNING, 900), count(5, 800), fault("E1", 700)]
        await journal.append([Entry("press-07", facts)])
        async with await serve(rig.app, Address()) as server:
            environment = os.environ | {"TOKEN": await token(rig), "URL": server.url.rstrip("/")}
            for command in commands("api.md"):
                failing = command.replace("curl -s", "curl -s --fail-with-body", 1)
                process = await asyncio.create_subprocess_shell(
                    failing,
                    env=environment,
                    cwd=tmp_path,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                )
                out, err = await process.communicate()
                assert process.returncode == 0, (command, out, err)
                assert out.startswith((b"{", b"[", b"retry: ", b"\xef\xbb\xbf")), (command, out)
