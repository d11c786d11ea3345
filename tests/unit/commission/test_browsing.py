"""From what a server has to a tag list that goes in."""

import re

from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.browse import BrowsedNode
from gateway.commission.browsing import HEADER, tag_rows, wanted
from gateway.settings.words import NAME_PATTERN
from gateway.tags.columns import KEPT, column_of


def node(path: str, kind: str = "variable", **more: object) -> BrowsedNode:
    name = path.rpartition("/")[2].rpartition(":")[2]
    given = {"type": "Double", "value": 1.5, "readable": kind == "variable", **more}
    return BrowsedNode(
        node=f"ns=2;s={path}",
        path=path,
        name=name,
        kind="object" if kind == "object" else "variable",
        depth=path.count("/") + 1,
        **given,  # type: ignore[arg-type]
    )


TREE = [
    node("Server", "object"),
    node("2:CNC01", "object"),
    node("2:CNC02", "object"),
    node("Server/ServerStatus"),
    node("2:CNC01/2:PartsGood"),
    node("2:CNC02/2:PartsGood"),
    node("2:CNC01/2:PartsGood/EURange", type="Range", value=None, cause="type_mismatch"),
    node("2:CNC01/2:Axes", type="Double[]", value=None, cause="type_mismatch"),
    node("2:CNC01/2:Secret", readable=False),
]


def test_what_every_server_has_is_left_out() -> None:
    paths = [one.path for one in wanted(TREE)]
    assert paths == sorted(paths)
    assert "Server" not in paths
    assert "2:CNC01/2:PartsGood/EURange" not in paths
    assert len(wanted(TREE, everything=True)) == len(TREE)


def test_only_what_has_the_text() -> None:
    assert [one.path for one in wanted(TREE, text="cnc02/2:parts")] == ["2:CNC02/2:PartsGood"]


def test_the_list_holds_what_can_be_read_under_names_of_its_own() -> None:
    header, *rows = tag_rows(wanted(TREE))
    assert header == HEADER
    assert [(row[0], row[2]) for row in rows] == [
        ("cnc01_parts_good", "ns=2;s=2:CNC01/2:PartsGood"),
        ("cnc02_parts_good", "ns=2;s=2:CNC02/2:PartsGood"),
    ]


def test_the_columns_are_those_of_the_import() -> None:
    known = [column_of(one, ["node"]) for one in HEADER]
    assert known == list(HEADER)
    assert "remark" in KEPT


def test_a_description_that_only_repeats_the_name_is_no_remark() -> None:
    said = [node("2:a", description="a"), node("2:b", description="oil")]
    assert [row[-1] for row in tag_rows(said)[1:]] == ["", "oil"]


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=30))
def test_any_tree_gets_names_that_a_configuration_takes(paths: list[str]) -> None:
    names = [row[0] for row in tag_rows([node(path) for path in paths])[1:]]
    assert len(set(names)) == len(paths)
    assert all(re.fullmatch(NAME_PATTERN, name) for name in names)
