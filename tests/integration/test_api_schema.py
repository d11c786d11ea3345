"""Whatever a program sends that has only read the OpenAPI document: no answer is an error of ours,
and every answer is one that the document promises.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from gateway.domain.vocabulary import State
from gateway.journal.row import Entry
from gateway.web.access import secret
from gateway.web.access.roles import Role
from gateway.web.server import Address, serve
from gateway.web.store import tokens
from tests.support.board import NOW
from tests.support.journal import open_journal
from tests.support.past import count, fault, status
from tests.support.web import Rig, web_rig

BUDGET_S = 15
END_S = 150
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)


async def token(rig: Rig) -> str:
    value, at = secret.new_token(), rig.context.now()
    hash_ = secret.digest(value)
    await rig.context.store.run(
        lambda connection: tokens.add(
            connection,
            hash_,
            "fuzzer",
            Role.ADMIN,
            "admin",
            at=at,
            expires_at=at.replace(year=2099),
        )
    )
    return value


@pytest.mark.timeout(END_S + 30)
async def test_no_request_makes_the_server_fail_and_answers_keep_to_the_document(
    tmp_path: Path,
) -> None:
    async with web_rig(tmp_path) as rig, open_journal(rig.journal, now=lambda: NOW) as journal:
        facts = [status(State.RUNNING, 900), count(5, 800), fault("E1", 700)]
        await journal.append([Entry("press-07", facts)])
        async with await serve(rig.app, Address()) as server:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "schemathesis.cli", "run"),
                f"{server.url}api/v1/openapi.json",
                *("--header", f"Authorization: Bearer {await token(rig)}"),
                *("--exclude-path", "/api/v1/stream", "--phases", "coverage,fuzzing"),
                *("--max-examples", "8", "--max-time", str(BUDGET_S), "--seed", "7"),
                *("--checks", CHECKS, "--no-shrink", "--generation-database", "none"),
                *("--suppress-health-check", "all", "--warnings", "off", "--no-color"),
                cwd=tmp_path,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            async with asyncio.timeout(END_S):
                out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert "tested" in out.decode().lower(), out.decode()
