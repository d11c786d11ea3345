"""`millgate probe` as a person sees it, against real servers in a thread of their own."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.probe import run
from tests.support.config_site import GATEWAY, write_site
from tests.support.modbus_device import HR, Device, device
from tests.support.opcua_rig import URI, OpcUaServer, opcua_server
from tests.support.ports import free_port
from tests.support.served import served

GOLDEN = """\
press-07.plc  127.0.0.1:PORT#1  modbus-tcp
  会占用设备的一个连接，用完即还；有的 PLC 只允许很少几个连接
  this takes one connection of the device and gives it back; some PLCs allow only few
ok   TCP 连接 TCP connection  127.0.0.1:PORT  N ms
ok   站号应答 unit answers  127.0.0.1:PORT#1  N ms  40001 (hr:0): 0001
ok   点位 tag  press-07/run  N ms  True
ok   点位 tag  press-07/parts  N ms  292552705
     1. uint32 的值不像真的；四种次序：ABCD 292552705, CDAB 70000, BADC 1880162560, \
DCBA 16805905。与触摸屏核对：millgate decode 11700001 --expect 值
        an unlikely uint32; the orders give: ABCD 292552705, CDAB 70000, BADC 1880162560, \
DCBA 16805905. Compare with the HMI: millgate decode 11700001 --expect VALUE
FAIL 点位 tag  press-07/heat  N ms
     设备没有这个地址（异常 2 或 3）
     the device has no such address (exception 2 or 3)
     1. 40021 (hr:20) 不能读，旁边能读：40020 (hr:19) = 0103。差一位？手册从 1 数（40001），\
hr: 从 0 数；或功能码不同
        40021 (hr:20) cannot be read, but beside it: 40020 (hr:19) = 0103. Offset by one? \
Manuals count from 1 (40001), hr: from 0; or it is another function code
点位 3 个，好 2 个，坏 1 个
tags: 3, good 2, bad 1
"""
PRESS = """\
equipment: press-07
links:
  plc: {{protocol: modbus-tcp, host: 127.0.0.1, port: {port}, unit_id: {unit}, timeout_ms: 100}}
tags:
  run: {{address: hr:0, bit: 0}}
  parts: {{address: hr:10, type: uint32}}
  heat: {{address: hr:20}}
status: [{{state: running, when: run}}]
"""


@pytest.fixture(scope="module")
def plc() -> Iterator[Device]:
    with served(device) as running:
        running.put(HR, 0, 1)
        running.put(HR, 10, 0x1170, 0x0001)
        running.put(HR, 19, 0x0103)
        yield running


@pytest.fixture(scope="module")
def cnc() -> Iterator[OpcUaServer]:
    with served(lambda: opcua_server({"count": 41})) as running:
        yield running


def site(directory: Path, port: int, unit: int = 1) -> Path:
    files = {"gateway.yaml": GATEWAY, "equipment/a.yaml": PRESS.format(port=port, unit=unit)}
    return write_site(directory, files)


def said(target: str, link: str | None = None, lang: str = "both") -> tuple[int, str]:
    out = io.StringIO()
    code = run(target, link, lang=lang, out=out)
    return code, re.sub(r"\d+ ms", "N ms", out.getvalue())


def test_a_device_with_a_wrong_order_and_an_offset_by_one(plc: Device, tmp_path: Path) -> None:
    code, text = said(str(site(tmp_path, plc.port)), "press-07.plc")
    assert text.replace(str(plc.port), "PORT") == GOLDEN
    assert code == 1


def test_a_wrong_unit(plc: Device, tmp_path: Path) -> None:
    plc.lie = lambda asked, honest: honest if asked.unit == 1 else None
    try:
        code, text = said(str(site(tmp_path, plc.port, unit=7)), "press-07", "en")
    finally:
        plc.lie = None
    assert code == 1
    assert "FAIL unit answers" in text
    assert "1. units that answer: 1; write unit_id: 1 in the link" in text


def test_a_wrong_port_in_one_language() -> None:
    port = free_port()
    code, text = said(f"modbus-tcp://127.0.0.1:{port}/1", lang="zh")
    assert code == 1
    assert f"主机在，但端口 {port} 没有服务" in text
    assert "nothing listens" not in text


def test_security_the_server_does_not_offer(cnc: OpcUaServer, tmp_path: Path) -> None:
    link = {"protocol": "opcua", "endpoint": cnc.endpoint, "security": {"mode": "sign"}}
    equipment = {
        "equipment": "cnc-01",
        "links": {"plc": link},
        "tags": {"run": {"node": f"nsu={URI};s=count"}},
        "status": [{"state": "running", "when": "run > 0"}],
    }
    files = {"gateway.yaml": GATEWAY, "equipment/cnc.yaml": json.dumps(equipment)}
    code, text = said(str(write_site(tmp_path, files)), "cnc-01.plc")
    assert code == 1
    assert "FAIL 安全策略 security" in text
    assert "it offers: none" in text
    assert "服务器不提供" in text


def test_one_document_for_programs(plc: Device) -> None:
    done = CliRunner().invoke(app, ["probe", f"modbus-tcp://127.0.0.1:{plc.port}/1", "--json"])
    assert done.exit_code == 0
    (link,) = orjson.loads(done.stdout)["links"]
    assert [(step["step"], step["ok"]) for step in link["steps"]] == [
        ("connect", True),
        ("unit", True),
    ]
    refused = CliRunner().invoke(
        app, ["probe", f"modbus-tcp://127.0.0.1:{free_port()}/1", "--json"]
    )
    assert refused.exit_code == 1
    (step,) = orjson.loads(refused.stdout)["links"][0]["steps"]
    assert step["cause"]["code"] == "refused"
    assert step["try_next"][-1]["zh"]


def test_without_a_name_all_links_are_probed(plc: Device, tmp_path: Path) -> None:
    code, text = said(str(site(tmp_path, plc.port)), lang="en")
    assert code == 1
    assert text.startswith("press-07.plc")


def test_what_leads_nowhere_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("modbus-tcp://h:x/1", None) == 1
    assert run("no-such-directory", None) == 1
    assert run("no-such-directory", "plc") == 1
    assert "millgate check" in capsys.readouterr().err


def test_of_many_tags_only_those_to_look_at_are_shown(plc: Device, tmp_path: Path) -> None:
    bits = "".join(f"  b{n}: {{address: hr:0, bit: {n}}}\n" for n in range(1, 16))
    more = "".join(f"  c{n}: {{address: hr:19, bit: {n}}}\n" for n in range(16))
    text = PRESS.format(port=plc.port, unit=1).replace("status:", f"{bits}{more}status:")
    write_site(tmp_path, {"gateway.yaml": GATEWAY, "equipment/a.yaml": text})
    _, shown = said(str(tmp_path), "press-07", "en")
    assert "press-07/b1" not in shown
    assert "FAIL tag  press-07/heat" in shown
    assert "tags: 34, good 33, bad 1" in shown
