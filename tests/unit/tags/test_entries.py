from collections.abc import Sequence

import pytest

from gateway.tags.cells import Cell
from gateway.tags.columns import sheet_of
from gateway.tags.entries import Assumed, Entries, Entry, Target, entries_of
from gateway.tags.site_files import all_fields, fields_of
from tests.unit.tags.test_columns import rows

TARGETS = {
    "press-07": Target({"plc": fields_of("modbus-tcp"), "cell": fields_of("opcua")}, "plc"),
    "packer": Target({"a": fields_of("modbus-tcp"), "b": fields_of("modbus-tcp")}, None),
}
PRESS = Assumed(equipment="press-07")


def read(*lines: str, assumed: Assumed = PRESS) -> Entries:
    return entries_of(sheet_of(rows(*lines), all_fields()), TARGETS, assumed)


def only(entries: Entries) -> Entry:
    (entry,) = entries.good
    assert not entries.errors
    return entry


def codes(entries: Entries) -> list[tuple[int, str]]:
    return [(error.row, error.text["en"]) for error in entries.errors]


def test_a_row_says_what_its_columns_say() -> None:
    entry = only(
        read(
            "点位,中文名称,地址,数据类型,字节序,比例,偏移,单位,死区,发布",
            "heat,温度,D210,REAL,CD AB,0.1,-40,Cel,0.5,否",
        )
    )
    assert entry.name == "heat"
    assert {".".join(path): value for path, value in entry.says.items()} == {
        "address": "D210",
        "type": "float32",
        "order": "CDAB",
        "scale": 0.1,
        "offset": -40,
        "unit": "Cel",
        "deadband": 0.5,
        "publish": False,
        "name.zh": "温度",
    }


def test_limits_are_numbers_of_their_own_columns() -> None:
    entry = only(read("tag,address,下限,high limit", "t,D1,-5,80.5"))
    assert (entry.says["low",], entry.says["high",]) == (-5, 80.5)
    assert codes(read("tag,address,high", "t,D1,about 80"))[0][0] == 2


def test_an_empty_cell_is_the_default_and_no_column_says_nothing() -> None:
    entry = only(read("tag,address,unit", "run,M1,"))
    assert entry.says == {("address",): "M1", ("unit",): None}


@pytest.mark.parametrize(
    ("header", "line", "name", "title"),
    [
        ("tag,地址", "run_lamp,M1", "run_lamp", {}),
        ("tag,地址", "Run Lamp,M1", "run_lamp", {"en": "Run Lamp"}),
        ("标签,地址", "主轴转速,D100", "d100", {"zh": "主轴转速"}),
        ("名称,地址", "主轴转速,hr:5", "hr_5", {"zh": "主轴转速"}),
        ("名称,地址", "Spindle speed,hr:5", "spindle_speed", {"en": "Spindle speed"}),
        ("地址,位", "D100,3", "d100_3", {}),
        ("名称,地址", "温度,40012", "t40012", {"zh": "温度"}),
    ],
)
def test_a_row_without_a_name_gets_one(
    header: str, line: str, name: str, title: dict[str, str]
) -> None:
    entry = only(read(header, line))
    assert entry.name == name
    assert {path[1]: text for path, text in entry.says.items() if path[0] == "name"} == title


def test_names_made_of_one_title_differ_by_address_the_same_each_time() -> None:
    lines = ("名称,地址", "Door,M1", "Door,M2", "Door,M3")
    names = [entry.name for entry in read(*lines).good]
    assert names == ["door", "door_m2", "door_m3"]
    assert [entry.name for entry in read(*lines).good] == names


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (("地址,功能码", "0x10,04"), "ir:0x10"),
        (("地址,功能码,类型", "10.3,03,BOOL", "0,03,WORD"), "hr:10.3"),
        (("地址", "４０００１"), 40001),
        (("地址", "D100[7]"), "D100.7"),
    ],
)
def test_addresses_of_vendors(lines: Sequence[str], address: object) -> None:
    assert read(*lines).good[0].says["address",] == address


def test_a_list_with_address_0_counts_from_0_and_says_so() -> None:
    entries = read("地址,功能码", "0,03", "5,03")
    assert [entry.says["address",] for entry in entries.good] == ["hr:0", "hr:5"]
    assert entries.counts_from_0


def test_bare_numbers_must_be_explained() -> None:
    entries = read("地址,功能码", "1,03", "5,03")
    assert [row for row, _ in codes(entries)] == [2, 3]
    assert "--numbers-from" in codes(entries)[0][1]
    from_1 = Assumed(equipment="press-07", table="hr", numbers_from=1)
    assert only(read("地址", "5", assumed=from_1)).says["address",] == "hr:4"


def test_a_bit_of_a_word_is_a_bool_whatever_the_word_is() -> None:
    entry = only(read("地址,类型,字节序", "D100.5,WORD,大端"))
    assert entry.says == {("address",): "D100.5", ("type",): None, ("order",): None}
    assert only(read("地址,位", "D100.5,5")).says["address",] == "D100.5"
    assert "bit" in codes(read("地址,位", "D100.5,6"))[0][1]


def test_one_bad_row_says_nothing_about_its_neighbours() -> None:
    entries = read(
        "tag,address,deadband,publish,role",
        "a,M1,,,",
        "b,1E+05,,,",
        "c,M3,much,,",
        "d,M4,,perhaps,",
        "e,M5,,,pilot",
        "a,M6,,,",
        "f,,,,",
        "g,M8,,,",
    )
    assert [entry.name for entry in entries.good] == ["a", "g"]
    assert [row for row, _ in codes(entries)] == [3, 4, 5, 6, 7, 8]


def test_links_and_equipment_are_chosen_by_cell_option_or_default() -> None:
    header = "equipment,tag,link,address,node"
    opc = only(read(header, "press-07,x,cell,,ns=2;s=A", assumed=Assumed()))
    assert opc.says[("link",)] == "cell"
    assert opc.says[("node",)] == "ns=2;s=A"
    assert ("address",) not in opc.says
    assert ("link",) not in only(read(header, "press-07,x,,M1,", assumed=Assumed())).says
    assert only(read("tag,address", "x,M1", assumed=Assumed("packer", "b"))).says[("link",)] == "b"
    for assumed, said in (
        (Assumed(), "which equipment"),
        (Assumed("none"), "no equipment"),
        (Assumed("packer"), "several links"),
        (Assumed("packer", "z"), "no link"),
    ):
        assert said in codes(read("tag,address", "x,M1", assumed=assumed))[0][1]


def test_a_name_of_a_node_is_not_tidied() -> None:
    entry = only(read("tag,link,node", "x,cell,ns=2;s=Ａ.０"))
    assert entry.says[("node",)] == "ns=2;s=Ａ.０"


def test_a_setting_that_is_a_list_is_json() -> None:
    line = rows("tag,address,invalid", "x,D1,")
    cells = [*line[1].cells[:2], Cell("[65535, 32768]")]
    line[1] = type(line[1])(2, cells)
    entries = entries_of(sheet_of(line, all_fields()), TARGETS, PRESS)
    assert only(entries).says[("invalid",)] == [65535, 32768]
