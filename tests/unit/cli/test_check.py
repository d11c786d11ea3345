import io
from pathlib import Path

import orjson
import pytest

from gateway.cli.check import run
from tests.support.config_site import GATEWAY, write_site

EQUIPMENT = """\
equipment: press-07
links:
  plc: {protocol: modbus-tcp, host: 192.168.1.17, poll_interval_ms: 500}
tags:
  run: {address: M100}
  parts: {address: D200, type: uint32}
status: [{state: running, when: run}]
"""


def check(
    directory: Path, equipment: str, lang: str = "both", *, json: bool = False
) -> tuple[int, str]:
    write_site(directory, {"gateway.yaml": GATEWAY, "equipment/press.yaml": equipment})
    out = io.StringIO()
    code = run(directory, lang=lang, json=json, out=out)
    return code, out.getvalue()


def test_a_good_configuration_is_summed_up(tmp_path: Path) -> None:
    code, text = check(tmp_path, EQUIPMENT)
    assert code == 0
    assert "press-07.plc" in text
    assert "modbus-tcp" in text
    assert "plc 2" in text
    assert "配置没有问题：1 台设备" in text
    assert "the configuration is good" in text


def test_a_device_that_pushes_has_no_requests(tmp_path: Path) -> None:
    pushed = """\
equipment: cnc-01
links: {cnc: {protocol: opcua, endpoint: "opc.tcp://127.0.0.1:4840"}}
tags: {run: {node: "ns=2;s=Run"}}
status: [{state: running, when: run}]
"""
    code, text = check(tmp_path, pushed, "en")
    assert code == 0
    (row,) = [line for line in text.splitlines() if "opc.tcp" in line]
    assert row.split() == ["cnc-01.cnc", "opcua", "opc.tcp://127.0.0.1:4840", "cnc-01", "1", "-"]


def test_problems_come_with_file_line_and_key_in_both_languages(tmp_path: Path) -> None:
    code, text = check(tmp_path, EQUIPMENT.replace("tags:", "tagz: {}\ntags:"))
    assert code == 1
    first, second, *_ = text.splitlines()
    assert first == (
        f"{tmp_path}/equipment/press.yaml:4: tagz: 错误: 不认识的键“tagz”；是不是“tags”？"
    )
    assert second == "    error: unknown key 'tagz'; did you mean 'tags'?"


def test_one_language_is_one_line(tmp_path: Path) -> None:
    _, text = check(tmp_path, EQUIPMENT.replace("M100", "M1O0"), "en")
    assert text.splitlines()[0].startswith(f"{tmp_path}/equipment/press.yaml:5: tags.run: error:")
    assert not any("\u4e00" <= c <= "\u9fff" for c in text)


def test_warnings_are_shown_and_do_not_refuse(tmp_path: Path) -> None:
    code, text = check(tmp_path, EQUIPMENT.replace("[{state: running, when: run}]", "[]"), "en")
    assert code == 0
    assert "warning: the equipment has no status rules" in text


def test_what_a_person_wrote_is_no_markup(tmp_path: Path) -> None:
    _, text = check(tmp_path, EQUIPMENT + "'[red]': 1\n", "en")
    assert "[red]: error: unknown key '[red]'" in text


def test_json_for_programs(tmp_path: Path) -> None:
    code, text = check(tmp_path, EQUIPMENT, json=True)
    document = orjson.loads(text)
    assert (code, document["ok"], document["tags"]) == (0, True, 2)
    assert document["links"] == ["press-07.plc"]
    code, text = check(tmp_path, EQUIPMENT.replace("M100", "M1O0"), json=True)
    document = orjson.loads(text)
    assert (code, document["ok"]) == (1, False)
    (problem,) = document["problems"]
    assert (problem["file"], problem["line"], problem["key"]) == (
        "equipment/press.yaml",
        5,
        "tags.run",
    )


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    out = io.StringIO()
    assert run(tmp_path / "none", lang="en", out=out) == 1
    assert "there is no such directory" in out.getvalue()


def test_standard_output_is_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_site(tmp_path, {"gateway.yaml": GATEWAY, "equipment/press.yaml": EQUIPMENT})
    assert run(tmp_path) == 0
    assert "press-07" in capsys.readouterr().out
