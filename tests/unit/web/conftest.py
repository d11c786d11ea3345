from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.journal.journal import Journal
from gateway.web.access.roles import Role
from tests.support.board import NOW
from tests.support.journal import open_journal
from tests.support.web import Rig, web_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with web_rig(tmp_path) as rig:
        yield rig


@pytest.fixture
async def journal(rig: Rig) -> AsyncIterator[Journal]:
    async with open_journal(rig.journal, now=lambda: NOW) as journal:
        yield journal


@pytest.fixture
async def viewer(rig: Rig) -> httpx.AsyncClient:
    return await rig.client(Role.VIEWER)
