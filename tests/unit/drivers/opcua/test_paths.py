import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import BadSetting
from drivers.opcua.paths import PathRef, PathStep, Step, parse_path

IMM = "http://opcfoundation.org/UA/PlasticsRubber/IMM2MES/"


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Server", [PathStep(0, "Server")]),
        ("/Objects/Server", [PathStep(0, "Server")]),
        ("0:Objects/2:Press/2:State", [PathStep(2, "Press"), PathStep(2, "State")]),
        (f"DeviceSet/{{{IMM}}}IMM_1", [PathStep(0, "DeviceSet"), PathStep(IMM, "IMM_1")]),
        ("2:a&/b/3:c&:d", [PathStep(2, "a/b"), PathStep(3, "c:d")]),
        ("2:Press 1/2:压力", [PathStep(2, "Press 1"), PathStep(2, "压力")]),
        ("Machines/*/State", [PathStep(0, "Machines"), PathStep(0, "*", any=True)]),
        ("2:&*", [PathStep(2, "*")]),
    ],
)
def test_a_path_is_read(text: str, steps: list[PathStep]) -> None:
    assert list(parse_path(text).steps[: len(steps)]) == steps


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "Objects/",
        "a//b",
        "a/",
        "{}a",
        "{urn:x}",
        "70000:a",
        "a/*",
        "a&",
        "/".join("a" * 33),
    ],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="is no browse path"):
        parse_path(text)


def test_namespaces_are_looked_up_in_each_session() -> None:
    path = parse_path(f"DeviceSet/{{{IMM}}}IMM/2:State")
    assert path.in_session(["", "urn:plc", IMM]) == (
        Step(0, "DeviceSet"),
        Step(2, "IMM"),
        Step(2, "State"),
    )
    assert path.in_session(["", "urn:plc"]) is None


def test_the_last_name_may_end_with_a_slash_of_its_own() -> None:
    assert parse_path("Objects/Tank/a&/").steps == (PathStep(0, "Tank"), PathStep(0, "a/"))


names = st.text(min_size=1, max_size=10).filter(lambda name: name == name.strip())
uris = st.text(st.characters(exclude_characters="{}"), min_size=1, max_size=10)
steps = st.builds(PathStep, st.one_of(st.integers(0, 0xFFFF), uris), names)


@given(st.lists(steps, min_size=1, max_size=4))
def test_a_path_written_and_read_is_the_same(path: list[PathStep]) -> None:
    assert parse_path(f"Objects/{PathRef(tuple(path))}").steps == tuple(path)
