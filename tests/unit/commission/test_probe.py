"""The whole way to a device, against real servers."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from drivers.contract import TagRequest
from drivers.probed import Said, Step
from gateway.commission import probe as room
from gateway.commission.probe import probe
from gateway.commission.target import Target, typed, typed_tags
from tests.support.modbus_device import HR, Device, device
from tests.support.opcua_rig import URI, opcua_server
from tests.support.ports import free_port


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        running.put(HR, 0, *range(50))
        yield running


def link(plc: Device, **more: object) -> Target:
    target = typed(f"modbus-tcp://127.0.0.1:{plc.port}/1?timeout_ms=100")
    return replace(target, settings=target.settings.model_copy(update=more))


async def steps(target: Target, seconds: float = 20) -> tuple[bool, list[Step]]:
    told: list[Step] = []
    return await probe(target, told.append, seconds=seconds), told


async def test_a_good_device_is_a_way_without_a_failure(plc: Device) -> None:
    tags: dict[str, dict[str, object]] = {
        "run": {"address": "hr:0", "bit": 0},
        "n": {"address": 40005},
    }
    well, told = await steps(typed_tags(link(plc), {**tags}))
    assert well
    assert [(one.name, one.subject) for one in told] == [
        ("connect", f"127.0.0.1:{plc.port}"),
        ("unit", f"127.0.0.1:{plc.port}#1"),
        ("tag", "run"),
        ("tag", "n"),
    ]
    assert told[3].detail == "4"


async def test_a_tag_that_is_refused_does_not_hide_the_others(plc: Device) -> None:
    tags = {"a": {"address": "hr:1"}, "gone": {"address": "hr:50"}, "b": {"address": "hr:2"}}
    well, told = await steps(typed_tags(link(plc), tags))
    assert not well
    good, bad, other = told[2:]
    assert (good.detail, other.detail) == ("1", "2")
    assert bad.cause == Said("cause_illegal_address", {"status": ""})
    assert [one.code for one in bad.try_next] == ["address_beside"]
    assert "hr:49" in str(bad.try_next[0].fields["near"])


async def test_a_wrong_order_is_doubted_and_no_failure(plc: Device) -> None:
    plc.put(HR, 60, 0x1170, 0x0001)
    tags = {"parts": {"address": "hr:60", "type": "uint32"}}
    well, told = await steps(typed_tags(link(plc), tags))
    assert well
    assert [one.code for one in told[-1].try_next] == ["other_order"]


async def test_a_device_that_refuses_all_is_one_failure(plc: Device) -> None:
    plc.lie = lambda asked, _honest: asked.refusal(1)
    well, told = await steps(typed_tags(link(plc), {"a": {"address": "hr:1"}}))
    assert not well
    assert (told[-1].name, told[-1].cause and told[-1].cause.code) == ("tags", "driver_error")
    assert [one.code for one in told[-1].try_next] == ["address_absent"]


async def test_a_name_nobody_knows() -> None:
    well, (step,) = await steps(typed("modbus-tcp://no-such-host.invalid:502/1"))
    assert not well
    assert step.cause is not None
    assert (step.name, step.cause.code) == ("resolve", "unknown_host")


async def test_a_name_that_is_known_is_a_step(plc: Device) -> None:
    target = link(plc, host="localhost")
    _, told = await steps(target)
    assert told[0].name == "resolve"
    assert "127.0.0.1" in told[0].detail


async def test_a_wrong_port() -> None:
    well, (step,) = await steps(typed(f"modbus-tcp://127.0.0.1:{free_port()}/1"))
    assert not well
    assert step.cause is not None
    assert step.cause.code == "refused"
    assert step.try_next[-1].code == "try_server_on"


async def test_it_ends_in_time(plc: Device) -> None:
    plc.lie = lambda _asked, _honest: None
    well, told = await steps(link(plc, timeout_ms=5000), seconds=0.2)
    assert not well
    assert told[-1].name == "end"
    assert told[-1].cause == Said("time_is_up", {"seconds": "0.2"})


async def test_an_opcua_server_is_asked_for_each_node() -> None:
    async with opcua_server({"count": 41}) as server:
        target = typed(server.endpoint)
        tags = {"n": {"node": f"nsu={URI};s=count"}, "gone": {"node": f"nsu={URI};s=gone"}}
        well, told = await steps(typed_tags(target, tags))
    assert not well
    assert [one.name for one in told] == [
        "connect",
        "endpoint",
        "security",
        "session",
        "tag",
        "tag",
    ]
    assert told[4].detail == "41"
    assert [one.code for one in told[5].try_next] == ["node_absent"]


async def test_a_protocol_without_steps_of_its_own_is_opened_and_read(plc: Device) -> None:
    target = link(plc)
    tag = TagRequest("n", "g", 1.0, target.spec.tag_settings(address="hr:3"))
    bare = replace(target.spec, probe=None, reach=None, doubts=None)
    well, told = await steps(replace(target, spec=bare, tags=(tag,)))
    assert well
    assert [(one.name, one.detail) for one in told] == [("tag", "3")]


async def test_a_pushed_value_that_never_comes_is_waited_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "PUSHED_S", 0.3)
    async with opcua_server({"count": 41}) as server:
        tags = {"alarms": {"conditions": "server"}}
        _, told = await steps(typed_tags(typed(server.endpoint), tags))
    assert told[-1].name == "tag"
