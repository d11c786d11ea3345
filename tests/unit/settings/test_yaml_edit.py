from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings.node import plain
from gateway.settings.problems import Report
from gateway.settings.yaml_edit import Uneditable, document, with_tags
from gateway.settings.yaml_source import parse

FILE = """\
# the press by the door
equipment: press-07
links:
  plc: {protocol: modbus-tcp,   host: 192.168.1.17}  # in cabinet 3
tags:
  # lamps
  run: {address: M100}   # green
  heat:
    address: 0x1000   # where
    # of the ram
    scale: 0.1

# rules
status:
- {state: running, when: run}
"""
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
VALUES = st.one_of(
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(st.characters(exclude_categories=["C"], max_codepoint=0xFFFF), max_size=20),
)


def meaning(text: str) -> Any:
    report = Report()
    node = parse(text.encode(), "x.yaml", report)
    assert node is not None, report.problems
    return plain(node)


def test_lines_about_other_things_keep_every_byte() -> None:
    changed = with_tags(FILE, {"run": {"address": "M101"}, "door": {"address": "M102"}})
    assert changed == FILE.replace("M100}   # green", "M101}   # green").replace(
        "    scale: 0.1\n", "    scale: 0.1\n  door: {address: M102}\n"
    )


def test_a_changed_tag_keeps_its_comments_and_what_it_said() -> None:
    changed = with_tags(FILE, {"heat": {"address": "0x1000", "scale": 0.2, "unit": "Cel"}})
    assert "# where" in changed
    assert "# of the ram" in changed
    assert "address: 0x1000" in changed
    assert meaning(changed)["tags"]["heat"] == {"address": "0x1000", "scale": 0.2, "unit": "Cel"}


def test_what_is_no_longer_said_goes() -> None:
    changed = with_tags(FILE, {"heat": {"address": "0x1000"}})
    assert meaning(changed)["tags"]["heat"] == {"address": "0x1000"}


@pytest.mark.parametrize(
    "text",
    [
        "equipment: a\n",
        "equipment: a\ntags: {}\n",
        "equipment: a\ntags:\n",
        "equipment: a\ntags: {b: {address: M1}}  # short\n",
        "equipment: a\ntags:\n    b: {address: M1}",
        "equipment: a\r\ntags:\r\n  b: {address: M1}\r\nstatus: []\r\n",
    ],
)
def test_however_tags_are_written_a_new_one_goes_in(text: str) -> None:
    changed = with_tags(text, {"x": {"address": 40001}})
    before = meaning(text)
    assert meaning(changed) == {
        **before,
        "tags": {**(before.get("tags") or {}), "x": {"address": 40001}},
    }
    assert ("\r\n" in changed) == ("\r\n" in text)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), max_size=4))
def test_what_comes_out_means_what_was_asked(tags: dict[str, dict[str, Any]]) -> None:
    try:
        changed = with_tags(FILE, tags)
    except Uneditable:
        return
    assert meaning(changed)["tags"] == {**meaning(FILE)["tags"], **tags}
    assert changed.startswith(FILE[: FILE.index("  run:")])
    assert changed.endswith(FILE[FILE.index("\n# rules") :])


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3))
def test_usual_values_can_always_be_written(tag: dict[str, Any]) -> None:
    assert meaning(with_tags(FILE, {"new": tag}))["tags"]["new"] == tag


def test_a_new_file_reads_back() -> None:
    content = {
        "equipment": "press-09",
        "links": {"plc": {"protocol": "modbus-tcp", "host": "10.0.0.1"}},
        "tags": {"run": {"address": "00001", "name": {"zh": "运行"}}},
        "status": [{"state": "running", "when": "run"}],
    }
    text = document(content)
    assert meaning(text) == content
    assert '  run: {address: "00001", name: {zh: 运行}}\n' in text.replace("'", '"')


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", ""])
def test_what_is_no_equipment_file_is_not_edited(text: str) -> None:
    with pytest.raises(Uneditable):
        with_tags(text, {"x": {"address": 1}})
