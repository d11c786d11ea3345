from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.web import Rig, web_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with web_rig(tmp_path) as rig:
        yield rig
