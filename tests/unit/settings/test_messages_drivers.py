"""Every way a driver or a condition is refused, as a person in the plant reads it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import drivers
from drivers.contract import BadSetting, Misconfigured, TagRequest
from drivers.opcua import SPEC as OPCUA
from gateway.domain.expression import ExpressionError, compile_expression
from gateway.settings.load import load
from gateway.settings.messages_conditions import CONDITIONS
from gateway.settings.messages_drivers import DRIVERS
from gateway.settings.messages_hints import LINK_HINTS
from gateway.settings.messages_opcua_security import OPCUA_CONNECT, OPCUA_NOTICES
from gateway.settings.problems import ConfigProblems, Place, Problem, Report
from tests.support.config_site import GATEWAY, write_site

MODBUS_LINK = {"protocol": "modbus-tcp", "host": "plc"}
OPCUA_LINK = {"protocol": "opcua", "endpoint": "opc.tcp://plc"}
H5U = {"family": "inovance-h5u"}
H3U = {"family": "inovance-h3u"}

Case = tuple[dict[str, Any], dict[str, Any]]
"""What the link and the tag say beside the least they must."""


def modbus(link: dict[str, Any] | None = None, **tag: Any) -> Case:
    return MODBUS_LINK | (link or {}), {"address": "hr:0"} | tag


def opcua(link: dict[str, Any] | None = None, **tag: Any) -> Case:
    return OPCUA_LINK | (link or {}), {"node": "ns=2;i=1"} | tag


def dial(protocol: str, **link: Any) -> Case:
    return {"protocol": protocol, "host": "127.0.0.1", "port": 802} | link, {"address": "hr:0"}


REFUSED: dict[str, Case] = {
    "modbus_no_address": modbus(address="run of machine"),
    "modbus_no_table": modbus(address="mr:5"),
    "modbus_bare_number": modbus(address=100),
    "modbus_no_table_digit": modbus(address="20001"),
    "modbus_reference_zero": modbus(address="40000"),
    "modbus_no_device": modbus(address="Q5"),
    "modbus_octal": modbus(H5U, address="X18"),
    "modbus_device_range": modbus(H5U, address="X2000"),
    "modbus_beyond_last": modbus(address="hr:65536"),
    "modbus_single_bit": modbus(address="M1", bit=1),
    "modbus_which_bit": modbus(type="bool"),
    "modbus_no_room": modbus(address="hr:65535", type="uint32"),
    "modbus_too_wide": modbus({"max_registers_per_read": 2}, type="float64"),
    "modbus_scale_zero": modbus(scale=0),
    "modbus_bit_of_number": modbus(bit=3, type="uint16"),
    "modbus_scaled_bool": modbus(bit=3, scale=2),
    "modbus_order_of_word": modbus(type="uint16", order="CDAB"),
    "modbus_order_of_type": modbus(type="float32", order="HGFEDCBA"),
    "modbus_string_only": modbus(length_bytes=3),
    "modbus_string_length": modbus(type="string"),
    "modbus_no_number": modbus(type="string", length_bytes=3, scale=2),
    "modbus_invalid_value": modbus(type="uint16", invalid=[-1]),
    "modbus_bit_twice": modbus(address="D0.4", bit=5),
    "modbus_contact_or_value": modbus({"family": "delta-dvp"}, address="T0"),
    "modbus_odd_byte": modbus({"family": "siemens-s7"}, address="DBW3"),
    "modbus_wide_device": modbus(H3U, address="C200", type="uint16"),
    "modbus_no_bit": modbus(address="D0.16"),
    "modbus_bit_in_bit": modbus(address="M0.1"),
    "modbus_bit_missing": modbus({"family": "siemens-s7"}, address="I0"),
    "modbus_no_bit_of_byte": modbus({"family": "siemens-s7"}, address="I0.8"),
    "modbus_not_assigned": modbus({"family": "mitsubishi-q"}, address="D0"),
    "modbus_assignment": modbus({"devices": [{"first": "D0", "points": 9, "at": "D0"}]}),
    "modbus_no_area": modbus({"forbidden": ["hr:9-1"]}),
    "modbus_forbidden": modbus({"forbidden": ["hr:0-9"]}),
    "modbus_key_without_certificate": dial("modbus-tls", ca_file="ca.pem", key_file="own.key"),
    "modbus_pipeline_of_client": modbus({"client": "pymodbus", "pipeline": "auto"}),
    "modbus_packet_text_or_hex": dial("modbus-listen", heartbeat={}),
    "modbus_packet_not_hex": dial("modbus-listen", heartbeat={"hex": "FX"}),
    "modbus_packet_like_answer": dial("modbus-listen", heartbeat={"hex": "01"}),
    "opcua_no_path": (OPCUA_LINK, {"path": "Press//State"}),
    "opcua_which_node": (OPCUA_LINK, {"node": "i=1", "path": "Press/State"}),
    "opcua_scaled_conditions": (OPCUA_LINK, {"conditions": "server", "scale": 2}),
    "opcua_no_node": opcua(node="the count of line one"),
    "opcua_no_namespace": opcua(node="ns=two;i=1"),
    "opcua_no_number": opcua(node="i=x"),
    "opcua_long_name": opcua(node="s=" + "a" * 4097),
    "opcua_no_guid": opcua(node="g=1"),
    "opcua_no_base64": opcua(node="b=***"),
    "opcua_no_endpoint": opcua({"endpoint": "http://plc"}),
    "opcua_credentials": opcua({"endpoint": "opc.tcp://joe:secret@plc"}),
    "opcua_short_keepalive": opcua({"keepalive_s": 0.5}),
    "opcua_scale_zero": opcua(scale=0),
    "replay_suffix": ({"protocol": "replay", "file": "case.csv"}, {}),
    "opcua_open_login": opcua({"user": {"name": "joe", "password_file": "secrets/plc"}}),
    "opcua_two_logins": opcua(
        {
            "security": {"mode": "sign"},
            "user": {"name": "joe", "password_file": "secrets/plc"},
            "user_certificate": {"cert_file": "joe.der", "key_file": "joe.pem"},
        }
    ),
}
BAD_CONDITIONS = {
    "bad_condition": "run and",
    "condition_too_big": "+".join("1" * 60),
    "condition_part": "run and stop()",
    "condition_constant": "None",
    "condition_list": "run in (y, 2)",
    "condition_sign": "~run",
    "condition_comparison": "run is True",
    "condition_arithmetic": "2 ** 2",
}


def english_in(sentence: str) -> list[str]:
    """Return what reads like an English sentence: three words in a row outside quotes."""
    own = re.sub("“.*?”|and or not", "", sentence)
    return re.findall(r"[A-Za-z']+(?: [A-Za-z']+){2,}", own)


def in_both_languages(problem: Problem) -> None:
    assert problem.hint is not None
    for said in (problem.text, problem.hint):
        assert re.search("[\u4e00-\u9fff]", said["zh"]), said
        assert english_in(said["zh"]) == []
        assert not re.search("[\u4e00-\u9fff]|[{}]", said["en"]), said


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., Problem]:
    def of(case: Case, when: str = "run") -> Problem:
        equipment = {
            "equipment": "press-07",
            "links": {"plc": case[0]},
            "tags": {"run": case[1]},
            "status": [{"state": "running", "when": when}],
        }
        files = {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": json.dumps(equipment)}
        with pytest.raises(ConfigProblems) as caught:
            load(write_site(tmp_path, files), shipped_data=tmp_path / "none")
        found = [p for p in caught.value.problems if not p.code.startswith("unknown_tag")]
        assert len(found) == 1, found
        return found[0]

    return of


def test_every_code_in_the_drivers_is_a_case_and_has_a_sentence() -> None:
    sources = [path.read_text("utf-8") for path in Path(drivers.__path__[0]).rglob("*.py")]
    said = {
        code for text in sources for code in re.findall(r'"((?:modbus|opcua|replay)_\w+)"', text)
    }
    assert said >= LINK_HINTS.keys()
    raised = said - LINK_HINTS.keys()
    assert raised == DRIVERS.keys()
    elsewhere = {
        *OPCUA_NOTICES,
        *OPCUA_CONNECT,
        "modbus_bare_serial_port",
    }  # of files and of servers
    assert raised - elsewhere == {*REFUSED, "opcua_tag_twice", "modbus_line_differs"}


@pytest.mark.parametrize("code", REFUSED)
def test_a_refused_setting(code: str, refusal: Callable[..., Problem]) -> None:
    problem = refusal(REFUSED[code])
    assert problem.code == code
    in_both_languages(problem)


def test_a_tag_that_comes_twice_cannot_be_written_but_is_said() -> None:
    tag = TagRequest("a", "plc", None, OPCUA.tag_settings(node="i=1"))
    with pytest.raises(Misconfigured) as caught:
        OPCUA.create(OPCUA.link_settings(**OPCUA_LINK), [tag, tag], {})
    assert caught.value.refusal is not None
    report = Report()
    report.add_refusal(caught.value.refusal, Place("a.yaml", 1))
    in_both_languages(report.problems[0])


def test_a_serial_port_that_may_become_another_is_a_warning(tmp_path: Path) -> None:
    equipment = {
        "equipment": "press-07",
        "links": {"plc": {"protocol": "modbus-rtu", "port": "/dev/ttyUSB77"}},
        "tags": {"run": {"address": "M0"}},
        "status": [{"state": "running", "when": "run"}],
    }
    files = {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": json.dumps(equipment)}
    site = load(write_site(tmp_path, files), shipped_data=tmp_path / "none")
    (problem,) = [one for one in site.warnings if one.code == "modbus_bare_serial_port"]
    assert problem.severity == "warning"
    assert "/dev/ttyUSB77" in problem.text["en"]
    in_both_languages(problem)


def test_two_links_that_contradict_each_other_on_one_line(tmp_path: Path) -> None:
    line = {"protocol": "modbus-rtu", "port": "/dev/serial/by-path/usb-1"}
    equipment = {
        "equipment": "press-07",
        "links": {
            "plc": line | {"unit_id": 1, "baudrate": 9600},
            "meter": line | {"unit_id": 2, "baudrate": 19200},
        },
        "tags": {
            "run": {"address": "M0", "link": "plc"},
            "energy": {"address": "hr:0", "link": "meter"},
        },
        "status": [{"state": "running", "when": "run"}],
    }
    files = {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": json.dumps(equipment)}
    with pytest.raises(ConfigProblems) as caught:
        load(write_site(tmp_path, files), shipped_data=tmp_path / "none")
    (problem,) = caught.value.problems
    assert problem.code == "modbus_line_differs"
    assert "baudrate is 9600, and 19200" in problem.text["en"]
    in_both_languages(problem)


def test_every_code_of_a_condition_is_a_case() -> None:
    too_long = "condition_too_long"  # the file's own limit comes first
    assert {*BAD_CONDITIONS, too_long} == CONDITIONS.keys()
    with pytest.raises(ExpressionError) as caught:
        compile_expression("a" * 501)
    assert caught.value.code == too_long
    report = Report()
    fields = {"text": "a", "column": 1, "reason": caught.value.problem, "part": caught.value.part}
    report.add(too_long, Place("a.yaml", 1), **fields)
    in_both_languages(report.problems[0])


@pytest.mark.parametrize("code", BAD_CONDITIONS)
def test_a_refused_condition(code: str, refusal: Callable[..., Problem]) -> None:
    problem = refusal(modbus(), BAD_CONDITIONS[code])
    assert problem.code == code
    in_both_languages(problem)


def test_what_is_said_of_each(refusal: Callable[..., Problem]) -> None:
    problem = refusal(REFUSED["modbus_octal"])
    assert problem.text == {
        "zh": "“X18”：inovance-h5u 的 X 按八进制编号，没有 8 和 9",
        "en": "X18: X counts in octal on inovance-h5u, without 8 and 9",
    }
    assert problem.hint == {"zh": "X7 之后是 X10", "en": "after X7 comes X10"}
    problem = refusal(modbus(), "run and stop()")
    assert problem.text == {
        "zh": "条件“run and stop()”第 9 列：这里不能用“stop()”",
        "en": "condition 'run and stop()', column 9: 'stop()' is not allowed here",
    }


def test_a_code_nobody_translated_is_said_as_it_is() -> None:
    report = Report()
    strange = BadSetting("other_code", "no {place} here", "try {place}2", place="rack")
    report.add_refusal(strange, Place("a.yaml", 1))
    (problem,) = report.problems
    assert problem.code == "misconfigured"
    assert problem.text == {"zh": "驱动不接受：no rack here", "en": "no rack here"}
    assert problem.hint == {"zh": "try rack2", "en": "try rack2"}
