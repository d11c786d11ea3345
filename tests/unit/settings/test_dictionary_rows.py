from dataclasses import fields
from pathlib import Path

from gateway.domain.vocabulary import State
from gateway.settings.dictionary_rows import COLUMNS, KINDS, Row, rows, tables
from gateway.settings.load import load
from tests.support.config_site import write_site
from tests.support.fake_protocol import spec_of

TOPICS = {"press-07": {"birth": "mg/v1/suzhou/stamping/line-1/press-07/birth"}}


def found(directory: Path) -> list[Row]:
    return rows(load(write_site(directory), spec_of=spec_of), TOPICS)


def test_every_kind_has_its_rows(tmp_path: Path) -> None:
    listed = found(tmp_path)
    assert [row.kind for row in listed] == sorted(
        (row.kind for row in listed), key=list(KINDS).index
    )
    by_code = {(row.kind, row.code): row for row in listed}
    assert by_code["equipment", "stamping/line-1"].text_zh == "7号冲床"
    assert by_code["tag", "temperature"].unit == "Cel"
    assert (by_code["counter", "good"].tag, by_code["counter", "good"].type) == (
        "good_parts",
        "good",
    )
    fault = by_code["fault", "P01"]
    assert (fault.text_zh, fault.number, fault.severity) == ("急停", "0", "950")
    assert by_code["topic", "birth"].topic == TOPICS["press-07"]["birth"]
    assert {row.code for row in listed if row.kind == "state"} == set(State)


def test_a_table_has_the_columns_that_say_something(tmp_path: Path) -> None:
    columns, lines = tables(found(tmp_path))["state"]
    assert columns == ["code", "text_zh", "text_en", "number"]
    assert lines[1] == ["running", "运行", "Running", "1"]
    assert tables([]) == {}


def test_columns_and_cells_are_in_one_order() -> None:
    assert list(COLUMNS) == [field.name for field in fields(Row)]
    assert Row(kind="tag", topic="t").cells()[-1] == "t"
