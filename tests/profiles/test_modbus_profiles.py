"""Each Modbus profile against a fake device that shows what the profile says it does."""

from pathlib import Path

import pytest

from simulators.profile_device import ProfileDevice
from tests.profiles.models import MODBUS, link_of
from tests.support.profile_play import Model, Play, expected, show_registers, told


@pytest.mark.parametrize("model", MODBUS, ids=str)
async def test_the_gateway_reads_what_the_profile_says_the_device_shows(
    model: Model, tmp_path: Path
) -> None:
    scenes = model.file().simulate
    device = ProfileDevice()
    show_registers(device, scenes[0])
    async with device.serving():
        site = model.site(tmp_path, link_of(model, device.port))
        (link,) = site.links.values()
        driver = link.driver({})
        play = Play(site.equipment["machine-1"].rules, link.name)
        async with driver.open() as session:
            for scene in scenes:
                show_registers(device, scene)
                batches = [await session.read([group]) for group in driver.groups]
                assert told(scene, play, play.sees(*batches)) == expected(scene), scene.scene
