"""A device is recorded over the network and played elsewhere as if it were there."""

import asyncio
import signal
import sys
from pathlib import Path

from drivers.replay.driver import load as load_recording
from drivers.replay.recording import Failed, Opened, Said
from gateway.settings.load import load
from tests.integration.test_tag_list import GATEWAY, collected
from tests.support.config_site import write_site
from tests.support.modbus_device import HR, Device, device
from tests.support.ports import HOST
from tests.support.until import until

LINK = "{{protocol: modbus-tcp, host: {host}, port: {port}, poll_interval_ms: 50}}"
PRESS = """\
equipment: press-07
links: {{plc: {link}}}
tags:
  parts: {{address: D100, type: uint32}}
  heat: {{address: D102, type: int16, scale: 0.5}}
status: [{{state: running, when: "heat > 0"}}]
"""


def site_with(directory: Path, link: str) -> Path:
    return write_site(
        directory,
        {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": PRESS.format(link=link)},
    )


async def recording(*arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", "record"),
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def said_by(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


def press(plc: Device) -> None:
    plc.put(HR, 100, 0, 4711, 43)


async def test_a_support_case_becomes_a_test(tmp_path: Path) -> None:
    case = tmp_path / "case.jsonl.gz"
    async with device() as plc:
        press(plc)
        site = site_with(tmp_path / "factory", LINK.format(host=HOST, port=plc.port))
        process = await recording(site, "--out", case, "--seconds", 1.5)
        await until(lambda: len(plc.asked) > 3, timeout_s=90)
        await plc.stop()
        code, said = await said_by(process)
    assert code == 0, said
    assert "press-07.plc" in said
    events = (await asyncio.to_thread(load_recording, case)).events
    assert isinstance(events[0], Opened)
    assert isinstance(events[1], Said)
    assert dict(events[1].changed) == {"press-07/parts": 4711, "press-07/heat": 21.5}
    assert any(isinstance(event, Failed) for event in events)

    desk = site_with(tmp_path / "desk", f"{{protocol: replay, file: {case}}}")
    assert await collected(desk, 2) == {"parts": 4711, "heat": 21.5}


async def test_an_interrupted_recording_is_whole(tmp_path: Path) -> None:
    async with device() as plc:
        press(plc)
        site = site_with(tmp_path, LINK.format(host=HOST, port=plc.port))
        out = tmp_path / "recordings"
        out.mkdir()
        process = await recording(site, "--out", out)
        await until(lambda: len(plc.asked) > 3, timeout_s=90)
        process.send_signal(signal.SIGINT)
        code, said = await said_by(process)
    assert code == 0, said
    text = (out / "press-07.plc.jsonl").read_text("utf-8")
    assert text.endswith('"end":true}\n')
    assert load(site).links.keys() == {"press-07.plc"}


async def test_a_device_that_never_answers_leaves_a_recording_of_that(tmp_path: Path) -> None:
    site = site_with(tmp_path, LINK.format(host=HOST, port=9))
    code, said = await said_by(await recording(site, "--out", tmp_path / "x.jsonl", "--seconds", 1))
    assert code == 1, said
    assert "0 batches" in said
    recorded = await asyncio.to_thread(load_recording, tmp_path / "x.jsonl")
    assert isinstance(recorded.events[0], Failed)


async def test_which_link_must_be_clear(tmp_path: Path) -> None:
    site = site_with(tmp_path, LINK.format(host=HOST, port=9))
    code, said = await said_by(
        await recording(site, "--link", "plc", "--out", tmp_path / "x.jsonl")
    )
    assert code == 1
    assert "press-07.plc" in said
