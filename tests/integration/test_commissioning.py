"""A person connects the machines of the simulated plant, and makes every usual mistake."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers import registry
from drivers.contract import Home
from drivers.probed import Step
from gateway.commission.probe import probe
from gateway.commission.target import Target, typed_tags
from tests.support.plant import PlantProcess, plant_process
from tests.support.ports import free_port

SPECS = {name: registry.spec(name) for name in ("modbus-tcp", "opcua")}
PRESS_TAGS: dict[str, dict[str, object]] = {
    "run": {"address": "hr:0", "bit": 0},
    "good_parts": {"address": "hr:2", "type": "uint32", "order": "CDAB"},
    "temperature": {"address": "hr:5", "type": "int16", "scale": 0.1},
}


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[PlantProcess]:
    async with plant_process("demo", tmp_path / "truth.json", "--secured") as running:
        yield running


def link(plant: PlantProcess, name: str, home: Path, **changed: Any) -> Target:
    given = {**plant.links[name], **changed}
    spec = SPECS[given["protocol"]]
    context = Home(home, home / "pki", "suzhou", "gw-01", lambda file: home / file)
    settings = spec.link_settings.model_validate(given, context=context)
    return Target(name, spec, settings)


async def way(target: Target) -> list[Step]:
    told: list[Step] = []
    well = await probe(target, told.append, seconds=20)
    assert well == all(step.went_well for step in told)
    return told


def failure(told: list[Step]) -> tuple[str, str, list[str]]:
    step = told[-1]
    assert step.cause is not None
    return step.name, step.cause.code, [one.code for one in step.try_next]


async def test_every_link_of_the_plant_and_every_usual_mistake(
    plant: PlantProcess, tmp_path: Path
) -> None:
    press = typed_tags(link(plant, "line1-plc", tmp_path), PRESS_TAGS)
    assert [step.name for step in await way(press)] == ["connect", "unit", "tag", "tag", "tag"]
    for name in ("line1-meter", "mould-01", "cnc"):
        assert all(step.went_well for step in await way(link(plant, name, tmp_path)))

    host = await way(link(plant, "line1-plc", tmp_path, host="no-such-plc.invalid"))
    assert failure(host) == ("resolve", "unknown_host", ["try_address"])

    port = await way(link(plant, "line1-plc", tmp_path, port=free_port()))
    assert failure(port)[:2] == ("connect", "refused")
    assert failure(port)[2][-1] == "try_server_on"

    unit = await way(link(plant, "line1-plc", tmp_path, unit_id=7))
    assert failure(unit) == ("unit", "unit_fails", ["unit_answers"])

    secured = link(plant, "cnc", tmp_path, security={"policy": "basic256sha256"})
    assert failure(await way(secured)) == ("security", "opcua_untrusted", [])

    crossed = link(plant, "cnc", tmp_path, timeout_s=0.5)
    wrong = f"opc.tcp://127.0.0.1:{plant.links['line1-plc']['port']}"
    settings = crossed.settings.model_copy(update={"endpoint": wrong})
    name, cause, hints = failure(await way(replace(crossed, settings=settings)))
    assert (name, cause) in {("endpoint", "server_silent"), ("endpoint", "server_hung_up")}
    assert hints

    tags = {"good_parts": {**PRESS_TAGS["good_parts"], "order": "ABCD"}}
    (*_, counted) = await way(typed_tags(link(plant, "line1-plc", tmp_path), tags))
    doubted = ["other_order"] if int(counted.detail) else []
    assert [one.code for one in counted.try_next] == doubted
