"""Each OPC UA profile against a small server that shows what the profile says it does."""

import asyncio
from pathlib import Path

import pytest

from gateway.settings.profile_model import SceneFile
from simulators.profile_nodes import ProfileServer
from tests.profiles.models import OPCUA
from tests.support.profile_play import Model, Play, expected, told

QUICK = "publishing_interval_ms: 50, sampling_interval_ms: 20, keepalive_s: 0.5, timeout_s: 5"
PATIENCE_S = 60


async def show(server: ProfileServer, scene: SceneFile) -> None:
    await server.show(scene.nodes)
    if scene.alarms is not None:
        await server.alarm(scene.alarms)


@pytest.mark.parametrize("model", OPCUA, ids=str)
async def test_the_gateway_sees_what_the_profile_says_the_server_shows(
    model: Model, tmp_path: Path
) -> None:
    scenes = model.file().simulate
    server = ProfileServer(namespaces=5)
    async with server.serving():
        await show(server, scenes[0])
        site = model.site(tmp_path, f"links: {{plc: {{endpoint: '{server.endpoint}', {QUICK}}}}}\n")
        (link,) = site.links.values()
        driver = link.driver({})
        play = Play(site.equipment["machine-1"].rules, link.name)
        async with driver.open() as session:
            for scene in scenes:
                await show(server, scene)
                before = len(play.events)
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        while told(scene, play, play.events[before:]) != expected(scene):
                            play.sees(await session.read(driver.groups))
                except TimeoutError:
                    now = told(scene, play, play.events[before:])
                    assert now == expected(scene), scene.scene
    await asyncio.get_running_loop().shutdown_default_executor()
