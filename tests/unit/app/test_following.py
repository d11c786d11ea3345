import asyncio
from functools import partial
from pathlib import Path

import pytest

from gateway.app.following import following, in_force
from gateway.app.web import context
from gateway.settings.load import load
from gateway.settings.revision import Revision
from gateway.settings.revisions import revisions_of
from gateway.settings.site import Site
from tests.support.lone_site import MACHINE, NOBODY, lone_site
from tests.support.until import until
from tests.unit.settings.test_revisions import head


async def test_the_screens_show_what_the_collector_took_up(tmp_path: Path) -> None:
    kept, seen = revisions_of(lone_site(tmp_path)), list[Site]()
    kept.add(Revision(head(1), kept.on_disk()))
    follow = following(tmp_path, partial(in_force, kept), seen.append, seen=1, look_s=0.01)
    task = asyncio.create_task(follow)
    try:
        path = tmp_path / "equipment/press-07.yaml"
        text = path.read_text().replace("line-1", "line-2")
        path.write_text("{")
        kept.add(Revision(head(2), kept.on_disk()))
        await asyncio.sleep(0.1)
        assert seen == []  # nobody can read that
        path.write_text(text)
        await until(lambda: len(seen) == 1)
        assert seen[0].equipment["press-07"].line == "line-2"
        await asyncio.sleep(0.05)
        assert len(seen) == 1
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_machine_that_came_is_on_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.app.web.LOOK_S", 0.01)
    kept = revisions_of(lone_site(tmp_path))
    kept.add(Revision(head(1), kept.on_disk()))
    async with context(load(tmp_path)) as parts:
        assert set((await parts.board.picture()).tiles) == {"press-07"}
        new = MACHINE.format(code="press-08", area="stamping", port=NOBODY)
        (tmp_path / "equipment/press-08.yaml").write_text(new)
        kept.add(Revision(head(2), kept.on_disk()))
        await until(lambda: "press-08" in parts.site.equipment)
        for _ in range(500):
            tiles = (await parts.board.picture()).tiles
            if "press-08" in tiles:
                break
            await asyncio.sleep(0.02)
        assert set(tiles) == {"press-07", "press-08"}
