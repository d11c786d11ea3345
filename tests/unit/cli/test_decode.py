import io
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.decode import Options, run
from gateway.cli.main import app


def decode(text: str, *, as_json: bool = False, **tag: Any) -> tuple[int, str]:
    beside = {key: tag.pop(key) for key in ("expect", "encoding", "decimal") if key in tag}
    out = io.StringIO()
    return run(text, Options(tag=tag, as_json=as_json, **beside), out=out), out.getvalue()


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        ("42F6E979", {"type": "float32", "order": "ABCD"}, 123.45600128173828),
        ("E979 42F6", {"type": "float32", "order": "CDAB"}, 123.45600128173828),
        ("0x00EB", {"type": "int16", "scale": 0.1}, 23.5),
        ("00EB", {"type": "int16", "scale": 0.1, "offset": -40}, -16.5),
        ("8001", {"bit": 15}, True),
        ("8001", {"type": "bool", "bit": 1}, False),
        ("80FF", {"type": "int8h"}, -128),
        ("FF", {"type": "int8l"}, -1),
        ("01", {"type": "bool"}, True),
        ("1234", {"type": "bcd16"}, 1234),
        ("123A", {"type": "bcd16"}, None),
        ("7FC00000", {"type": "float32"}, None),
        ("4E502D31", {"type": "string", "order": "AB"}, "NP-1"),
        ("B3E5 B4B2", {"type": "string", "encoding": "gb18030"}, "冲床"),
        ("0102030405060708", {"type": "uint64", "order": "HGFEDCBA"}, 0x0807060504030201),
        ("17142 59769", {"type": "float32", "decimal": True}, 123.45600128173828),
    ],
)
def test_one_value_as_json(text: str, tag: dict[str, Any], value: Any) -> None:
    code, out = decode(text, as_json=True, **tag)
    assert code == 0
    assert orjson.loads(out) == {"value": value}


def test_all_readings_stand_side_by_side_and_what_fits_is_marked() -> None:
    code, out = decode("E97942F6", expect="123.5")
    assert code == 0
    (row,) = [line for line in out.splitlines() if "float32" in line]
    assert "123.45600128173828 <=" in row
    assert out.count("<=") == 1
    header = next(line for line in out.splitlines() if "ABCD" in line)
    assert header.split()[-4:] == ["ABCD", "CDAB", "BADC", "DCBA"]


def test_a_register_shows_its_bits_and_json_lists_everything() -> None:
    assert "bits that are 1: 0 2 15" in decode("8005")[1]
    document = orjson.loads(decode("8005", as_json=True, expect="8005")[1])
    assert document["bits_on"] == [0, 2, 15]
    (found,) = [row for row in document["readings"] if row["fit"] is not None]
    assert (found["type"], found["value"], found["fit"]) == ("bcd16", 8005, 1.0)


def test_an_answer_of_many_registers_has_a_line_for_each() -> None:
    lines = decode("0007 42F6 E979", expect="123.5")[1].splitlines()
    (second,) = [line for line in lines if line.split()[:1] == ["+1"]]
    assert "123.45600128173828 <=" in second
    assert any(line.split()[:2] == ["+2", "59769"] for line in lines)


@pytest.mark.parametrize(
    ("text", "tag", "zh", "en"),
    [
        ("42F", {}, "成对的十六进制", "pairs of hex digits"),
        ("42F6", {"type": "float32"}, "float32 要 4 个字节", "a float32 takes 4 bytes"),
        ("42F6", {"type": "uint16", "order": "DCBA"}, "逐字读", "swaps words"),
        ("42F6", {"type": "uint17"}, "type 不对", "type: Input should be"),
        ("42F6", {"expect": "warm"}, "不是数字", "no number"),
        ("42F6", {"scale": 0}, "scale", "would make every value the same"),
    ],
)
def test_a_wrong_question_is_told_in_both_languages(
    text: str, tag: dict[str, Any], zh: str, en: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = decode(text, **tag)
    said = capsys.readouterr().err
    assert (code, out) == (1, "")
    assert zh in said
    assert en in said


def test_the_command_itself() -> None:
    done = CliRunner().invoke(app, ["decode", "42F6E979", "--type", "float32", "--json"])
    assert done.exit_code == 0
    assert orjson.loads(done.stdout) == {"value": 123.45600128173828}
    done = CliRunner().invoke(app, ["decode", "00EB", "--expect", "23.5"])
    assert "235 x 0.1 <=" in done.stdout
