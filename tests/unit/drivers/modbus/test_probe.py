"""The way to a unit, against a device that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from drivers.contract import TagRequest
from drivers.modbus import SPEC, SPECS
from drivers.modbus.probe import probe, reach
from drivers.modbus.settings import LinkSettings
from drivers.probed import Step
from tests.support.modbus_device import HR, NO_TARGET, Asked, Device, device
from tests.support.modbus_frames import Framing
from tests.support.modbus_lines import LINES
from tests.support.ports import HOST
from tests.support.pty_pair import null_modem
from tests.support.until import until

FAILURE = 4


@pytest.fixture
async def plc() -> AsyncIterator[Device]:
    async with device() as running:
        running.put(HR, 0, 7)
        yield running


def link(port: int, protocol: str = "modbus-tcp", **settings: object) -> LinkSettings:
    given = {"host": HOST, "port": port, "timeout_ms": 100, **settings}
    made = SPECS[protocol].link_settings(**given)
    assert isinstance(made, LinkSettings)
    return made


async def steps(settings: LinkSettings, *addresses: str) -> tuple[bool, list[Step]]:
    told: list[Step] = []
    tags = [TagRequest(one, "g", 1.0, SPEC.tag_settings(address=one)) for one in addresses]
    return await probe(settings, tags, told.append), told


def codes(step: Step) -> list[str]:
    return [one.code for one in step.try_next]


def only(unit: int) -> Callable[[Asked, bytes], bytes | None]:
    return lambda asked, honest: honest if asked.unit == unit else None


async def test_a_unit_that_answers_is_one_step_with_its_time(plc: Device) -> None:
    well, (step,) = await steps(link(plc.port))
    assert well
    assert (step.name, step.cause, step.detail) == ("unit", None, "40001 (hr:0): 0007")
    assert step.duration_s > 0
    await until(lambda: plc.connections == 0)


async def test_the_first_tag_is_what_is_asked(plc: Device) -> None:
    await steps(link(plc.port), "ir:9", "hr:0")
    assert [(one.function, one.start) for one in plc.asked] == [(4, 9)]


async def test_a_refusal_is_an_answer_too(plc: Device) -> None:
    well, (step,) = await steps(link(plc.port), "hr:500")
    assert well
    assert step.detail.endswith("exception 2")


async def test_a_wrong_unit_is_told_the_one_that_answers(plc: Device) -> None:
    plc.lie = only(255)
    well, (step,) = await steps(link(plc.port, unit_id=7))
    assert not well
    assert step.cause is not None
    assert step.cause.code == "unit_silent"
    assert codes(step) == ["unit_answers"]
    assert step.try_next[0].fields == {"units": "255", "unit": 255}
    assert {one.unit for one in plc.asked} == {7, 1, 0, 255, 247}


async def test_a_device_that_is_silent_about_an_address_only(plc: Device) -> None:
    plc.lie = lambda asked, honest: honest if asked.start == 0 else None
    well, (step,) = await steps(link(plc.port), "hr:500")
    assert not well
    assert codes(step) == ["place_answers"]
    assert step.try_next[0].fields == {"place": "40501 (hr:500)", "other": "40001 (hr:0)"}
    assert {one.unit for one in plc.asked} == {1}


async def test_a_device_that_never_answers_is_told_what_was_tried(plc: Device) -> None:
    plc.lie = lambda _asked, _honest: None
    _, (step,) = await steps(link(plc.port))
    assert codes(step) == ["units_silent", "try_unit"]
    assert step.try_next[0].fields == {"units": "0, 255, 247"}


async def test_a_gateway_that_cannot_reach_the_unit_does_not_count(plc: Device) -> None:
    plc.lie = lambda asked, honest: honest if asked.unit == 1 else asked.refusal(NO_TARGET)
    well, (step,) = await steps(link(plc.port, unit_id=7))
    assert not well
    assert step.cause is not None
    assert (step.cause.code, codes(step)) == ("gateway_no_target", ["unit_answers"])


async def test_a_failure_that_only_this_unit_has_is_no_unit(plc: Device) -> None:
    plc.lie = lambda asked, honest: honest if asked.unit == 1 else asked.refusal(FAILURE)
    well, (step,) = await steps(link(plc.port, unit_id=7))
    assert not well
    assert step.cause is not None
    assert (step.cause.code, codes(step)) == ("unit_fails", ["unit_answers"])
    assert step.try_next[0].fields["units"] == "1"


async def test_a_failure_that_all_units_have_is_the_devices(plc: Device) -> None:
    plc.lie = lambda asked, _honest: asked.refusal(FAILURE)
    well, (step,) = await steps(link(plc.port))
    assert well
    assert step.detail.endswith("exception 4")


@pytest.mark.parametrize(
    ("spoken", "framing", "meant"),
    [("modbus-tcp", "rtu", "modbus-rtu-tcp"), ("modbus-rtu-tcp", "mbap", "modbus-tcp")],
)
async def test_another_framing_that_answers_is_named(
    spoken: str, framing: Framing, meant: str
) -> None:
    async with device(framing) as running:
        running.put(HR, 0, 7)
        _, (step,) = await steps(link(running.port, spoken))
    assert [(one.code, one.fields["protocol"]) for one in step.try_next[-1:]] == [
        ("protocol_answers", meant)
    ]


async def test_what_is_no_modbus_is_said_to_be_none(plc: Device) -> None:
    plc.lie = lambda _asked, _honest: b"HTTP/1.0 400 Bad Request\r\n\r\n"
    _, (step,) = await steps(link(plc.port))
    assert step.cause is not None
    assert (step.cause.code, codes(step)[0]) == ("foreign_answer", "try_foreign")


async def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    settings = SPECS["modbus-rtu"].link_settings(port=str(tmp_path / "ttyUSB7"), timeout_ms=50)
    well, (step,) = await steps(settings)
    assert not well
    assert step.cause is not None
    assert (step.name, step.cause.code) == ("port", "port_missing")
    assert codes(step) == ["try_port_missing"]


async def test_a_port_somebody_else_has_is_said_and_left_alone() -> None:
    async with LINES["modbus-rtu"]() as line:
        line.device.put(HR, 0, 7)
        holder = line.wire(timeout_ms=200)
        await holder.open(0.2)
        try:
            well, (step,) = await steps(line.link(timeout_ms=200))
        finally:
            holder.close()
        assert line.device.asked == []
    assert not well
    assert step.cause is not None
    assert (step.cause.code, codes(step)) == ("port_busy", ["try_port_busy"])


async def test_a_serial_line_is_opened_then_asked() -> None:
    async with LINES["modbus-rtu"]() as line:
        line.device.put(HR, 0, 7)
        well, told = await steps(line.link(timeout_ms=200))
    assert well
    assert [step.name for step in told] == ["port", "unit"]


async def test_a_silent_line_is_tried_at_other_speeds() -> None:
    async with null_modem() as (near, _far):
        settings = SPECS["modbus-rtu"].link_settings(port=near, timeout_ms=20, baudrate=115200)
        async with asyncio.timeout(60):
            _, (_port, step) = await steps(settings)
    assert codes(step) == ["units_silent", "try_line"]
    assert step.try_next[0].fields == {"units": "255, 247"}


async def test_who_dials_in_is_waited_for() -> None:
    async with LINES["modbus-listen"]() as line:
        line.device.put(HR, 0, 7)
        settings = line.link(timeout_ms=1000)
        await line.device.stop()
        well, (step,) = await steps(settings.model_copy(update={"timeout_ms": 50}))
    assert not well
    assert (step.name, codes(step)) == ("dial_in", ["try_dial_in"])


def test_where_a_connection_is_to_be_taken() -> None:
    assert reach(link(502)) == (HOST, 502)
    assert reach(link(502, "modbus-udp")) is None
    assert reach(SPECS["modbus-rtu"].link_settings(port="/dev/ttyS0")) is None
