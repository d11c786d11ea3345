from dataclasses import fields
from pathlib import Path

import pytest

from gateway.domain.rules import EquipmentRules
from gateway.settings.diff import _PARTS, COLLECTOR_KEYS, Names, SiteDiff, compare
from gateway.settings.difference import MAX_NOTES, file_counts, file_notes, notes, unified
from gateway.settings.load import load
from gateway.settings.model import GatewayFile
from gateway.settings.site import Site
from tests.support.config_site import GATEWAY, GOOD, PRESS, write_site
from tests.support.fake_protocol import spec_of

OTHER = """\
equipment: {name}
links: {{plc: {{protocol: polled, host: {name}}}}}
tags:
  run: {{at: 1}}
"""


def site(directory: Path, **files: str) -> Site:
    named = {name.replace("__", "/") + ".yaml": text for name, text in files.items()}
    root = write_site(directory, dict(GOOD) | named)
    return load(root, spec_of=spec_of, shipped_data=directory / "none")


def press(old: str, new: str) -> str:
    assert old in PRESS
    return PRESS.replace(old, new)


def diff(tmp_path: Path, text: str) -> SiteDiff:
    files = {"equipment__press-07": text, "equipment__oven-1": OTHER.format(name="oven-1")}
    before = site(tmp_path / "a", **(files | {"equipment__press-07": PRESS}))
    return compare(before, site(tmp_path / "b", **files))


def test_the_same_files_differ_in_nothing(tmp_path: Path) -> None:
    found = diff(tmp_path, PRESS + "# a comment\n")
    assert not found
    assert found == SiteDiff()
    assert notes(found) == []


def test_an_interval_reopens_one_link_and_touches_no_rules(tmp_path: Path) -> None:
    found = diff(tmp_path, press("host: plc-7,", "host: plc-7, poll_interval_ms: 250,"))
    assert found.reopened == found.closed == {"press-07.plc"}
    assert found.link_changes["press-07.plc"].settings == ("poll_interval_ms",)
    assert not found.equipment
    assert notes(found) == ["~ link press-07.plc: poll_interval_ms"]


def test_a_moved_tag_reopens_its_link_and_rebases_its_counter(tmp_path: Path) -> None:
    found = diff(tmp_path, press("{at: 2, words: 2}", "{at: 22, words: 2}"))
    change = found.link_changes["press-07.plc"]
    assert (change.settings, change.tags) == ((), Names(changed=("press-07/good_parts",)))
    assert found.equipment_changes["press-07"].parts == ("counters",)
    assert found.equipment_changes["press-07"].rebased == ("good",)
    assert notes(found) == [
        "~ equipment press-07: counters (baseline: good)",
        "~ link press-07.plc: tags ~press-07/good_parts",
    ]


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("line: line-1", "line: line-2", ("place",)),
        ("en: Press 07", "en: Press seven", ("name",)),
        ("when: run, mode: auto", "when: run or ready2, mode: auto", ("status",)),
        ("unit: Cel, deadband: 0.5", "unit: Cel, deadband: 1.5", ("tags",)),
        ("on_delay_ms: 200", "on_delay_ms: 300", ("faults",)),
        ("max_rate_per_s: 5", "max_rate_per_s: 6", ("counters",)),
        ("area: stamping", "area: stamping\nstage: commissioning", ("stage",)),
    ],
)
def test_rules_are_told_by_their_parts(
    tmp_path: Path, old: str, new: str, parts: tuple[str, ...]
) -> None:
    text = press(old, new).replace("ready2", "temperature > 3")
    found = diff(tmp_path, text)
    assert found.equipment_changes["press-07"].parts == parts
    assert not found.links


def test_equipment_comes_and_goes_with_its_link(tmp_path: Path) -> None:
    before = site(tmp_path / "a")
    after = site(tmp_path / "b", **{"equipment__oven-1": OTHER.format(name="oven-1")})
    there, back = compare(before, after), compare(after, before)
    assert (there.equipment.added, there.links.added) == (("oven-1",), ("oven-1.plc",))
    assert (back.equipment.removed, back.links.removed) == (("oven-1",), ("oven-1.plc",))
    assert there.counts()["equipment"] == {"added": 1, "removed": 0, "changed": 0}
    assert notes(back) == ["- equipment oven-1", "- link oven-1.plc"]


def test_what_needs_a_restart_is_named_by_its_key(tmp_path: Path) -> None:
    before = site(tmp_path / "a")
    text = GATEWAY + "mqtt: {port: 1884, tls: {}}\njournal: {path: other.db}\nweb: {port: 0}\n"
    found = compare(before, site(tmp_path / "b", gateway=text))
    assert found.gateway == ("mqtt.port", "mqtt.tls", "journal.path", "web.port")
    assert found.needs_restart(COLLECTOR_KEYS) == ("mqtt.port", "mqtt.tls", "journal.path")


def test_every_key_of_the_gateway_needs_a_restart_or_says_who_reads_it() -> None:
    live, of_others = {"timezone", "push"}, {"historian", "web"}
    assert set(COLLECTOR_KEYS) | live | of_others == set(GatewayFile.model_fields)


def test_every_rule_belongs_to_a_part() -> None:
    named = {name for names in _PARTS.values() for name in names}
    assert named == {f.name for f in fields(EquipmentRules) if f.init} - {"equipment"}


def test_files_are_compared_by_their_text() -> None:
    before = {"a.yaml": b"one\ntwo\n", "b.csv": b"x", "c.xlsx": b"\xff\x00"}
    after = {"a.yaml": b"one\nthree\n", "c.xlsx": b"\xff\x01", "d.yaml": b"new\n"}
    assert file_notes(before, after) == ["~ a.yaml", "- b.csv", "~ c.xlsx", "+ d.yaml"]
    assert file_counts(before, after) == {"added": 1, "removed": 1, "changed": 2}
    lines = list(unified(before, after))
    assert {"-two", "+three", "--- /dev/null", "+++ b/d.yaml", "+new"} <= set(lines)
    assert "Binary files a/c.xlsx and b/c.xlsx differ" in lines


def test_endless_differences_are_cut() -> None:
    names = Names(added=tuple(f"m-{i}" for i in range(MAX_NOTES + 7)))
    assert notes(SiteDiff(equipment=names))[-1] == "... +7"
