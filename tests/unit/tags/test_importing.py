from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.settings.load import load
from gateway.settings.yaml_edit import document
from gateway.tags.entries import Assumed
from gateway.tags.exporting import export
from gateway.tags.files import Form, write
from gateway.tags.importing import Outcome, Wanted, import_tags
from gateway.tags.messages import SheetError
from gateway.tags.site_files import equipment_of
from tests.support.config_site import GATEWAY, write_site

PRESS = """\
# the press by the door
equipment: press-07
links:
  plc: {protocol: modbus-tcp, host: 192.168.1.17, groups: {slow: {poll_interval_ms: 5000}}}
tags:
  run: {address: M100}   # green lamp
  parts: {address: D200, type: uint32}

# what it means
status: [{state: running, when: run}]
"""
PACKER = """\
equipment: packer-01
links:
  a: {protocol: modbus-tcp, host: 192.168.1.18}
  b: {protocol: opcua, endpoint: "opc.tcp://192.168.1.19:4840"}
tags:
  run: {link: a, address: coil:1}
  count: {link: b, node: "ns=2;s=Count", publish: false}
status: [{state: running, when: run}]
"""
MAP = """\
点位,地址,数据类型,单位
run,M100,BOOL,
heat,D210,INT,Cel
torn,D300,QQQ,
odd,mr:5,INT,
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(
        tmp_path,
        {
            "gateway.yaml": GATEWAY,
            "equipment/press-07.yaml": PRESS,
            "equipment/packer-01.yaml": PACKER,
        },
    )


def take(site: Path, text: str, **wanted: Any) -> Outcome:
    assumed = wanted.pop("assumed", Assumed("press-07"))
    return import_tags(site, "map.csv", text.encode(), Wanted(assumed, **wanted))


def files(site: Path) -> dict[str, bytes]:
    return {str(p.relative_to(site)): p.read_bytes() for p in site.rglob("*") if p.is_file()}


def test_good_rows_go_in_and_bad_ones_are_named_as_the_check_says_it(site: Path) -> None:
    outcome = take(site, MAP)
    assert outcome.written
    assert not outcome.complete
    assert [error.row for error in outcome.errors] == [4, 5]
    assert "QQQ" in outcome.errors[0].text["zh"]
    assert "mr:5" in outcome.errors[1].text["en"]
    text = (site / "equipment/press-07.yaml").read_text("utf-8")
    heat = "  heat: {address: D210, type: int16, unit: Cel}\n"
    typed = PRESS.replace("{address: M100}   #", "{address: M100, type: bool} #")
    assert text == typed.replace("uint32}\n", "uint32}\n" + heat)
    assert len(load(site).links["press-07.plc"].tags) == 3


@pytest.mark.parametrize("wanted", [{"dry_run": True}, {"all_or_nothing": True}])
def test_what_is_not_wanted_is_not_written(site: Path, wanted: dict[str, bool]) -> None:
    before = files(site)
    outcome = take(site, MAP, **wanted)
    assert not outcome.written
    assert outcome.changes["press-07"].added == ("heat",)
    assert files(site) == before


def test_a_site_that_is_wrong_already_is_left_alone(site: Path) -> None:
    write_site(site, {"equipment/packer-01.yaml": PACKER.replace("status", "stats")})
    before = files(site)
    outcome = take(site, "tag,address\nheat,D210\n")
    assert not outcome.written
    assert [problem.file for problem in outcome.refused] == ["equipment/packer-01.yaml"]
    assert files(site) == before


def test_a_list_that_says_what_is_there_changes_nothing(site: Path) -> None:
    before = files(site)
    for form in ("csv", "xlsx"):
        content = export(site, form)
        outcome = import_tags(site, f"x.{form}", content, Wanted())
        assert outcome.complete
        assert outcome.files == ()
        assert [changes.unchanged for changes in outcome.changes.values()] == [2, 2]
    assert files(site) == before


def test_rows_of_several_equipment_go_where_they_say(site: Path) -> None:
    text = "equipment,tag,link,address\npress-07,heat,,D9\npacker-01,full,a,D1\n"
    outcome = take(site, text, assumed=Assumed())
    assert sorted(outcome.files) == ["equipment/packer-01.yaml", "equipment/press-07.yaml"]
    tags = {key for link in load(site).links.values() for key in (t.key for t in link.tags)}
    assert {"press-07/heat", "packer-01/full"} <= tags


def test_an_unknown_equipment_or_group_is_named(site: Path) -> None:
    with pytest.raises(SheetError):
        take(site, "tag,address\nx,D1\n", assumed=Assumed("none"))
    outcome = take(site, "tag,address,group\nx,D1,slow\ny,D2,fast\n")
    assert [error.row for error in outcome.errors] == [3]
    assert load(site).equipment["press-07"].rules.tags["x"].group == "slow"


@pytest.mark.parametrize("link", ["modbus-tcp://192.168.1.20:502/3", "line1"])
def test_a_list_makes_a_device(site: Path, link: str) -> None:
    shared = "protocol: modbus-tcp\nhost: 192.168.1.30\n"
    write_site(site, {"links/line1.yaml": shared})
    text = "名称,地址,用途\n运行,M1,运行\n急停,D9.3,报警\n良品,D20,良品数\n速度,D30,\n"
    outcome = take(site, text, new="press-09", assumed=Assumed(link=link))
    assert outcome.complete
    assert outcome.files == ("faults/press-09-alarm_d9.csv", "equipment/press-09.yaml")
    rules = load(site).equipment["press-09"].rules
    assert [rule.state.value for rule in rules.status] == ["fault", "running"]
    assert [counter.tag for counter in rules.counters] == ["d20"]
    assert rules.faults[0].texts[3].text["zh"] == "急停"


def test_what_is_wrong_with_an_alarm_word_is_the_error_of_its_rows(site: Path) -> None:
    text = "名称,地址,用途,组\n急停,D9.3,报警,none\n门开,D9.4,报警,none\n速度,D30,,\n"
    outcome = take(site, text, new="press-09", assumed=Assumed(link="modbus-tcp://h"))
    assert outcome.written
    assert [error.row for error in outcome.errors] == [2, 3]
    assert load(site).links["press-09.plc"].tags[0].key == "press-09/d30"


def test_a_dictionary_somebody_wrote_is_kept(site: Path) -> None:
    write_site(site, {"faults/press-09-alarm_d9.csv": "bit,text_zh\n3,手写\n"})
    outcome = take(
        site,
        "名称,地址,用途\n急停,D9.3,报警\n",
        new="press-09",
        assumed=Assumed(link="modbus-tcp://h"),
    )
    assert outcome.files == ("equipment/press-09.yaml",)
    assert load(site).equipment["press-09"].rules.faults[0].texts[3].text["zh"] == "手写"


def test_a_device_that_exists_or_cannot_be_reached_by_such_a_link_is_refused(site: Path) -> None:
    before = files(site)
    for new, link in (("press-07", "modbus-tcp://h"), ("press-09", "nonsense")):
        with pytest.raises(SheetError):
            take(site, MAP, new=new, assumed=Assumed(link=link))
    outcome = take(site, MAP, new="press-09", assumed=Assumed(link="nonsense://host"))
    assert outcome.refused
    assert files(site) == before


TITLES = st.text(
    st.characters(exclude_categories=["C", "Z"], max_codepoint=0xFFFF), min_size=1, max_size=10
)
NUMBERS = st.floats(-1e6, 1e6).filter(bool) | st.integers(1, 10**6)
MODBUS = st.fixed_dictionaries(
    {"address": st.integers(0, 65000).map(lambda n: f"hr:{n}") | st.integers(40001, 49999)},
    optional={
        "type": st.sampled_from(["int16", "uint16"]),
        "scale": NUMBERS,
        "offset": NUMBERS,
        "unit": TITLES,
        "deadband": st.floats(0, 1e6),
        "low": st.floats(-1e6, 0),
        "high": st.floats(1, 1e6),
        "publish": st.booleans(),
        "group": st.just("slow"),
        "name": st.fixed_dictionaries({"zh": TITLES}, optional={"en": TITLES}),
    },
)
TAGS = st.dictionaries(
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,39}", fullmatch=True).filter(
        lambda name: name != "stopping_fault"
    ),
    MODBUS,
    min_size=1,
    max_size=5,
    # each place once: two tags that overlap are a problem of their own
).filter(lambda tags: len({str(tag["address"]) for tag in tags.values()}) == len(tags))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tags=TAGS)
def test_out_and_in_again_is_the_same_configuration(
    form: Form, tags: dict[str, dict[str, Any]]
) -> None:
    link = {"protocol": "modbus-tcp", "host": "h", "groups": {"slow": {"poll_interval_ms": 9000}}}
    machine: dict[str, Any] = {"equipment": "press-07", "links": {"plc": link}}
    with TemporaryDirectory() as made:
        site = Path(made)
        full = document({**machine, "tags": tags})
        write_site(site, {"gateway.yaml": GATEWAY, "equipment/p.yaml": full})
        before = load(site)
        content = export(site, form)
        write_site(site, {"equipment/p.yaml": document(machine)})
        outcome = import_tags(site, f"tags.{form}", content, Wanted())
        assert outcome.complete, outcome.errors
        assert equipment_of(site)["press-07"].tags() == tags
        after = load(site)
    assert after.equipment == before.equipment
    assert [link.tags for link in after.links.values()] == [
        link.tags for link in before.links.values()
    ]


ANYTHING = st.text(max_size=12) | st.sampled_from(["D1", "hr:5", "40001.1", "运行", "slow", "INT"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(ANYTHING, min_size=7, max_size=7), min_size=1, max_size=4),
    st.sampled_from([None, "press-09"]),
)
def test_whatever_the_cells_hold_the_site_stays_valid(
    lines: list[list[str]], new: str | None
) -> None:
    header = ["tag", "name", "address", "type", "unit", "role", "group"]
    with TemporaryDirectory() as made:
        site = write_site(Path(made), {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": PRESS})
        link = "modbus-tcp://h" if new else None
        assumed = Assumed(None if new else "press-07", link)
        with suppress(SheetError):
            import_tags(site, "x.csv", write([header, *lines], "csv"), Wanted(assumed, new))
        load(site)
