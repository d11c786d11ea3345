from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.contract import TagRequest
from gateway.domain.vocabulary import State
from gateway.settings.diff import compare
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems, Problem
from gateway.settings.site import Site
from tests.support.config_site import GATEWAY, GOOD, PRESS, write_site
from tests.support.fake_protocol import TagSettings, spec_of

Files = Mapping[str, str | bytes]
SHARED = "protocol: polled\nhost: plc-1\n"
STATION = "equipment: {name}\nlink: line1\ntags:\n  run: {{at: {at}}}\nstatus: []\n"


def site_of(directory: Path, files: Files = GOOD) -> Site:
    return load(write_site(directory, files), spec_of=spec_of, shipped_data=directory / "none")


def problems_of(directory: Path, files: Files) -> list[Problem]:
    try:
        return list(site_of(directory, files).warnings)
    except ConfigProblems as err:
        return err.problems


def codes(directory: Path, files: Files) -> list[str]:
    return [f"{p.file}:{p.line} {p.code}" for p in problems_of(directory, files)]


def test_a_good_site_is_read_completely(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    assert site.warnings == ()
    assert site.gateway.site == "suzhou"
    assert site.path("data/journal.db") == tmp_path / "data/journal.db"
    press = site.equipment["press-07"]
    assert press.name == {"zh": "7号冲床", "en": "Press 07"}
    assert (press.area, press.line, press.stage) == ("stamping", "line-1", "live")
    assert press.links == {"press-07.plc"}
    assert press.file == "equipment/press-07.yaml"
    rules = press.rules
    assert [rule.state for rule in rules.status] == [State.FAULT, State.RUNNING]
    assert rules.status[1].mode == "auto"
    assert rules.tags["temperature"].link == "press-07.plc"
    assert rules.tags["temperature"].group == "slow"
    assert rules.tags["temperature"].text == {"zh": "温度"}
    assert rules.tags["run"].group == "plc"
    assert not rules.tags["alarm_word"].publish
    assert rules.faults[0].texts[0].code == "P01"
    assert rules.faults[0].on_delay_s == 0.2
    assert rules.min_hold_s == 1.0


def test_files_meant_for_another_directory_are_read_as_if_they_lay_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    draft = write_site(tmp_path / "draft", GOOD)
    site = load(draft, spec_of=spec_of, shipped_data=tmp_path / "none", meant_for=there)
    assert site.directory == site.home.directory == there
    assert site.home.find("secrets/x") == there / "secrets/x"
    again = load(write_site(there), spec_of=spec_of, shipped_data=tmp_path / "none")
    assert not compare(site, again)


def test_a_push_target_for_nobody_and_one_that_is_overheard_are_warned_of(tmp_path: Path) -> None:
    push = """\
push:
  - {name: a, url: http://127.0.0.1/x, secret_file: s, equipment: [press-07]}
  - {name: b, url: http://mes.plant/x, secret_file: s}
  - {name: c, url: https://mes.plant/x, secret_file: s, equipment: [press-7]}
"""
    found = codes(tmp_path, dict(GOOD) | {"gateway.yaml": GATEWAY + push})
    assert found == ["gateway.yaml:6 push_plain_http", "gateway.yaml:7 push_unknown_equipment"]


def test_a_link_knows_its_tags_their_groups_and_pace(tmp_path: Path) -> None:
    link = site_of(tmp_path).links["press-07.plc"]
    assert (link.protocol, link.endpoint) == ("polled", "plc-7")
    assert link.equipment == {"press-07"}
    assert link.tags == (
        TagRequest("press-07/run", "plc", 1.0, TagSettings(at=1)),
        TagRequest("press-07/good_parts", "plc", 1.0, TagSettings(at=2, words=2)),
        TagRequest("press-07/temperature", "slow", 5.0, TagSettings(at=4)),
        TagRequest("press-07/alarm_word", "plc", 1.0, TagSettings(at=5)),
    )
    assert link.driver({}).endpoint == "plc-7"


def test_one_link_in_links_feeds_several_equipment(tmp_path: Path) -> None:
    files = {
        "gateway.yaml": GATEWAY,
        "links/line1.yaml": SHARED,
        "equipment/a.yaml": STATION.format(name="a-1", at=1),
        "equipment/b.yaml": STATION.format(name="b-1", at=1),
    }
    site = site_of(tmp_path, files)
    assert set(site.links) == {"line1"}
    assert site.links["line1"].equipment == {"a-1", "b-1"}
    assert [tag.key for tag in site.links["line1"].tags] == ["a-1/run", "b-1/run"]
    assert site.equipment["a-1"].rules.tags["run"].link == "line1"


def test_links_to_one_endpoint_become_one_session_and_one_group(tmp_path: Path) -> None:
    private = STATION.replace("link: line1", "links: {{plc: {{protocol: polled, host: plc-1}}}}")
    files = {
        "gateway.yaml": GATEWAY,
        "links/line1.yaml": SHARED,
        "equipment/a.yaml": private.format(name="a-1", at=1),
        "equipment/b.yaml": STATION.format(name="b-1", at=2),
    }
    site = site_of(tmp_path, files)
    assert set(site.links) == {"line1"}
    assert {tag.group for tag in site.links["line1"].tags} == {"line1"}
    assert site.equipment["a-1"].links == {"line1"}
    rule = site.equipment["a-1"].rules.tags["run"]
    assert (rule.link, rule.group) == ("line1", "plc")


def test_contradictory_links_name_both_files(tmp_path: Path) -> None:
    private = STATION.replace(
        "link: line1", "links: {{plc: {{protocol: polled, host: plc-1, poll_interval_ms: 7}}}}"
    )
    files = {
        "gateway.yaml": GATEWAY,
        "links/line1.yaml": SHARED,
        "equipment/a.yaml": private.format(name="a-1", at=1),
        "equipment/b.yaml": STATION.format(name="b-1", at=2),
    }
    problem = next(p for p in problems_of(tmp_path, files) if p.severity == "error")
    assert (problem.file, problem.line, problem.key) == ("equipment/a.yaml", 2, "links.plc")
    assert "links/line1.yaml line 1" in problem.text["en"]
    assert "poll_interval_ms" in problem.text["en"]
    assert "links/line1.yaml" in problem.text["zh"]


def test_the_file_of_a_shared_link_names_it(tmp_path: Path) -> None:
    files = {**GOOD, "links/Line 1.yaml": SHARED}
    assert codes(tmp_path, files) == ["links/Line 1.yaml:0 bad_name"]


def test_a_pushed_link_has_no_interval_and_any_group(tmp_path: Path) -> None:
    press = PRESS.replace("polled", "pushed").replace("group: slow", "group: anything")
    site = site_of(tmp_path, {**GOOD, "equipment/press-07.yaml": press})
    tags = site.links["press-07.plc"].tags
    assert {tag.poll_interval_s for tag in tags} == {None}
    assert {tag.group for tag in tags} == {"plc", "anything"}


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    press = (
        PRESS.replace("area:", "aera:")
        .replace("{at: 1}", "{at: -1}")
        .replace("when: run", "when: 'run and'")
        .replace("tag: good_parts", "tag: good")
        .replace("press.csv", "none.csv")
        .replace("group: slow", "group: quick")
    )
    files = {
        "gateway.yaml": GATEWAY.replace("Shanghai", "Sanghai"),
        "links/x.yaml": "protocol: other\n",
        "equipment/a.yaml": press,
        "equipment/b.yaml": "equipment: [\n",
        "equipment/c.yaml": "equipment: Press\ntags: {run: {at: 666}}\nlink: nowhere\n",
    }
    assert codes(tmp_path, files) == [
        "equipment/a.yaml:3 unknown_key_guess",
        "equipment/a.yaml:8 too_small",
        "equipment/a.yaml:10 unknown_group",
        "equipment/a.yaml:14 bad_condition",
        "equipment/a.yaml:16 unknown_tag",
        "equipment/a.yaml:18 missing_fault_file",
        "equipment/b.yaml:2 unclosed_bracket",
        "equipment/c.yaml:1 bad_name",
        "equipment/c.yaml:1 no_status",
        "equipment/c.yaml:3 unknown_link",
        "gateway.yaml:3 timezone",
        "links/x.yaml:1 unknown_protocol",
    ]


def test_the_tags_of_a_broken_link_are_checked_too(tmp_path: Path) -> None:
    press = PRESS.replace("host: plc-7", "hots: plc-7").replace("{at: 1}", "{att: 1}")
    assert codes(tmp_path, {**GOOD, "equipment/press-07.yaml": press}) == [
        "equipment/press-07.yaml:6 missing",
        "equipment/press-07.yaml:6 unknown_key_guess",
        "equipment/press-07.yaml:8 missing",
        "equipment/press-07.yaml:8 unknown_key_guess",
    ]


def test_each_tag_the_driver_refuses_is_named(tmp_path: Path) -> None:
    press = PRESS.replace("{at: 1}", "{at: 666}").replace("{at: 5,", "{at: 666,")
    found = problems_of(tmp_path, {**GOOD, "equipment/press-07.yaml": press})
    refused = [(p.key, p.text["en"], p.hint) for p in found if p.code == "misconfigured"]
    hint = {"zh": "take another", "en": "take another"}
    assert refused == [
        ("tags.run", "forbidden place", hint),
        ("tags.alarm_word", "forbidden place", hint),
    ]


def test_what_the_driver_refuses_of_all_tags_is_said_of_the_link(tmp_path: Path) -> None:
    crowd = "".join(f"  t{i}: {{at: {100 + i}}}\n" for i in range(10))
    press = PRESS.replace("status:", f"{crowd}status:", 1)
    found = problems_of(tmp_path, {**GOOD, "equipment/press-07.yaml": press})
    assert [(p.line, p.key, p.text["en"], p.hint) for p in found] == [
        (6, "links.plc", "too many tags", None)
    ]


def test_overlapping_and_equal_tags_are_reported_at_the_later_one(tmp_path: Path) -> None:
    more = "  half: {at: 3}\n  same: {at: 1}\n  near: {at: 5, words: 2}\n"
    press = PRESS.replace("status:", f"{more}status:", 1)
    found = problems_of(tmp_path, {**GOOD, "equipment/press-07.yaml": press})
    assert [(p.key, p.code, p.severity) for p in found] == [
        ("tags.half", "overlapping_tags", "error"),
        ("tags.same", "same_value", "error"),
        ("tags.near", "same_place", "warning"),
    ]


def test_a_driver_that_names_its_refusals_is_asked_once_for_all(tmp_path: Path) -> None:
    press = PRESS.replace("polled", "pushed").replace(
        ", groups: {slow: {poll_interval_ms: 5000}}", ""
    )
    press = press.replace("group: slow, ", "").replace("{at: 1}", "{at: 666}")
    found = problems_of(tmp_path, {**GOOD, "equipment/press-07.yaml": press})
    assert [(p.key, p.code, p.text["en"]) for p in found] == [
        ("tags.run", "misconfigured", "666 is forbidden")
    ]
    crowd = "".join(f"  t{i}: {{at: {100 + i}}}\n" for i in range(10))
    press = press.replace("{at: 666}", "{at: 1}").replace("status:", f"{crowd}status:", 1)
    found = problems_of(tmp_path, {**GOOD, "equipment/press-07.yaml": press})
    assert [(p.key, p.text["en"]) for p in found] == [("links.plc", "too many tags")]


def test_the_link_may_be_left_out_only_where_it_is_clear(tmp_path: Path) -> None:
    two = PRESS.replace("tags:", "  other: {protocol: polled, host: x}\ntags:", 1)
    found = problems_of(tmp_path, {**GOOD, "equipment/press-07.yaml": two})
    assert {p.code for p in found} == {"which_link"}
    named = two.replace("area:", "link: plc\narea:")
    found = problems_of(tmp_path, {**GOOD, "equipment/press-07.yaml": named})
    assert [p.code for p in found] == ["unused_link"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  run: {at: 1}", "  stopping_fault: {at: 1}", "8 reserved_name"),
        ("plc: {protocol: polled", "plc: {protocol: 5", "6 not_string"),
        ("plc: {protocol: polled,", "plc: {", "6 missing"),
        ("{protocol: polled, host: plc-7, groups: {slow: {poll_interval_ms: 5000}}}", "x",
         "6 not_mapping"),
        ("link: plc", "link: nowhere", "9 unknown_link"),
    ],
)  # fmt: skip
def test_one_mistake(tmp_path: Path, old: str, new: str, problem: str) -> None:
    press = PRESS.replace("good_parts: {", "good_parts: {link: plc, ").replace(old, new)
    assert f"equipment/press-07.yaml:{problem}" in codes(
        tmp_path, {**GOOD, "equipment/press-07.yaml": press}
    )


@pytest.mark.parametrize("content", ["5\n", "- a\n", "x\n", "[]\n", "null\n"])
@pytest.mark.parametrize("name", ["gateway.yaml", "equipment/press-07.yaml", "links/a.yaml"])
def test_a_file_that_is_no_mapping(tmp_path: Path, name: str, content: str) -> None:
    assert f"{name}:1 not_mapping" in codes(tmp_path, {**GOOD, name: content})


def test_a_dictionary_that_cannot_be_read(tmp_path: Path) -> None:
    write_site(tmp_path)
    (tmp_path / "faults/press.csv").unlink()
    (tmp_path / "faults/press.csv").mkdir()
    files = {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": PRESS}
    assert codes(tmp_path, files) == ["equipment/press-07.yaml:18 missing_fault_file"]


def test_a_dictionary_two_equipment_use_is_reported_once(tmp_path: Path) -> None:
    other = PRESS.replace("press-07", "press-08").replace("plc-7", "plc-8")
    faults = "bit,text_en\n99,x\n"
    files = {**GOOD, "equipment/press-08.yaml": other, "faults/press.csv": faults}
    assert codes(tmp_path, files) == ["faults/press.csv:2 csv_number"]


def test_example_files_and_hidden_files_are_not_read(tmp_path: Path) -> None:
    extra = {"equipment/x.example.yaml": "nonsense: [", "equipment/.x.yaml": "nonsense: ["}
    assert codes(tmp_path, {**GOOD, **extra}) == []


def test_a_missing_directory_and_a_missing_gateway_file_are_problems(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(tmp_path / "none")
    assert [p.code for p in caught.value.problems] == ["missing_directory"]
    assert codes(tmp_path, {"equipment/a.txt": ""}) == [
        "equipment:0 no_equipment",
        "gateway.yaml:0 missing_file",
    ]


def test_directories_where_files_should_be_are_problems(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").mkdir()
    (tmp_path / "equipment").write_text("")
    assert codes(tmp_path, {}) == [
        "equipment:0 no_equipment",
        "equipment:0 unreadable",
        "gateway.yaml:0 unreadable",
    ]


def test_the_identity_of_a_counter_changes_with_its_meaning_only(tmp_path: Path) -> None:
    def identity(number: int, old: str = "", new: str = "") -> str:
        press = PRESS.replace(old, new) if old else PRESS
        files = {**GOOD, "equipment/press-07.yaml": press}
        return (
            site_of(tmp_path / str(number), files).equipment["press-07"].rules.counters[0].identity
        )

    first = identity(0)
    same = [("host: plc-7", "host: plc-8"), ("max_rate_per_s: 5", "max_rate_per_s: 6")]
    other = [("at: 2,", "at: 12,"), ("65536", "65535"), ("kind: good,", "kind: good, factor: 2,")]
    assert {identity(i, *change) for i, change in enumerate(same, 1)} == {first}
    found = {identity(i, *change) for i, change in enumerate(other, 11)}
    assert len(found | {first}) == 4


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["gateway.yaml", "equipment/press-07.yaml", "faults/press.csv"]),
    st.binary(max_size=40),
    st.integers(0, 400),
    st.integers(0, 40),
)
def test_damage_anywhere_gives_problems_or_a_site(
    tmp_path: Path, name: str, junk: bytes, start: int, length: int
) -> None:
    good = GOOD[name].encode()
    damaged = good[:start] + junk + good[start + length :]
    problems_of(tmp_path, {**GOOD, name: damaged})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(
        ["equipment", "links", "tags", "status", "counters", "faults", "name", "alive"]
    ),
    st.sampled_from(
        ["5", "[1]", "{a: 1}", "{a: {b: [c]}}", "null", "x", "[{}]", "{'': {}}", ".nan"]
    ),
)
def test_a_key_of_any_shape_gives_problems_or_a_site(tmp_path: Path, key: str, shape: str) -> None:
    lines = [line for line in PRESS.splitlines() if not line.startswith(f"{key}:")]
    problems_of(
        tmp_path, {**GOOD, "equipment/press-07.yaml": f"{key}: {shape}\n" + "\n".join(lines)}
    )
