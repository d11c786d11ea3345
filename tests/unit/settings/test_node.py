from gateway.settings.node import Node, find, locate, merged, plain
from gateway.settings.problems import Place, Report
from gateway.settings.yaml_source import parse


def tree(text: str, name: str = "a.yaml") -> Node:
    node = parse(text.encode(), name, Report())
    assert node is not None
    return node


def test_merging_lays_mappings_key_by_key_and_replaces_the_rest() -> None:
    under = tree("tags: {run: {at: 1, link: plc}, stop: {at: 2}}\nstatus: [a, b]\nunit: x\n")
    over = tree("tags: {run: {at: 9}}\nstatus: [c]\nline: l\n")
    assert plain(merged(under, over)) == {
        "tags": {"run": {"at": 9, "link": "plc"}, "stop": {"at": 2}},
        "status": ["c"],
        "unit": "x",
        "line": "l",
    }


def test_null_takes_a_key_away_and_stays_where_there_is_none() -> None:
    merged_tree = merged(tree("a: {b: 1, c: 2}"), tree("a: {b: null, d: null}"))
    assert plain(merged_tree) == {"a": {"c": 2, "d": None}}


def test_each_part_keeps_the_place_it_was_written_at() -> None:
    under = tree("\n\na: {b: 1}\nz: 1\n", "profile.yaml")
    over = tree("a:\n  c: 2\n", "equipment.yaml")
    both = merged(under, over)
    places = [locate(both, path) for path in [("a",), ("a", "b"), ("a", "c"), ("z",)]]
    assert places == [
        Place("equipment.yaml", 1),
        Place("profile.yaml", 3),
        Place("equipment.yaml", 2),
        Place("profile.yaml", 4),
    ]


def test_what_is_missing_is_located_where_it_should_stand() -> None:
    node = tree("a:\n  b:\n    - c: 1\n")
    assert locate(node, ("a", "x", "y")).line == 1
    assert locate(node, ("a", "b", 0, "d")).line == 3
    assert locate(node, ("a", "b", 7)).line == 2
    assert locate(node, ("a", "b", "c")).line == 2


def test_find_gives_none_for_what_is_not_there() -> None:
    node = tree("a: [1]\n")
    assert find(node, ("a", 0)) == Node(Place("a.yaml", 1), 1)
    assert find(node, ("a", 1)) is None
    assert find(node, ("a", 0, "b")) is None
    assert find(node, ("b",)) is None
