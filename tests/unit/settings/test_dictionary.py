from pathlib import Path

import orjson
from jsonschema import Draft202012Validator

from gateway.domain.events import STREAMS
from gateway.domain.vocabulary import State
from gateway.settings.dictionary import STATE_TEXTS, birth, gateway_birth
from gateway.settings.load import load
from gateway.settings.site import Site
from gateway.wire.schema import schemas
from tests.support.config_site import GOOD, PRESS, write_site
from tests.support.fake_protocol import spec_of


def site_of(directory: Path, press: str = PRESS) -> Site:
    return load(write_site(directory, {**GOOD, "equipment/press-07.yaml": press}), spec_of=spec_of)


def test_birth_holds_what_a_reader_of_the_facts_needs(tmp_path: Path) -> None:
    words = birth(site_of(tmp_path).equipment["press-07"])
    assert orjson.loads(orjson.dumps(words)) == words
    assert words["equipment"] == "press-07"
    assert words["name"] == {"zh": "7号冲床", "en": "Press 07"}
    assert words["tags"]["temperature"] == {
        "name": {"zh": "温度"},
        "unit": "Cel",
        "group": "slow",
        "deadband": 0.5,
        "publish": True,
    }
    assert words["counters"]["good"]["kind"] == "good"
    assert words["faults"][0]["texts"]["0"]["text"]["en"] == "Emergency stop"
    assert words["states"]["running"] == {"code": 1, "text": {"zh": "运行", "en": "Running"}}


def test_a_derived_counter_stands_among_the_others(tmp_path: Path) -> None:
    press = PRESS.replace("faults:", "balance: {good: good, total: strokes}\nfaults:").replace(
        "counters:", "counters:\n  strokes: {tag: run, kind: total, max_rate_per_s: 5}"
    )
    counters = birth(site_of(tmp_path, press).equipment["press-07"])["counters"]
    assert set(counters) == {"strokes", "good", "reject"}
    assert counters["reject"]["derived_from"] == ["good", "strokes"]
    assert (counters["reject"]["kind"], counters["reject"]["unit"]) == ("reject", "1")


def test_births_are_what_the_contract_says(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    contract = schemas()
    Draft202012Validator(contract["birth"]).validate(birth(site.equipment["press-07"]))
    words = gateway_birth(site, "t5k2m0-9f3a", ["t5k2aa-1b2c"])
    Draft202012Validator(contract["gateway/birth"]).validate(words)


def test_every_state_has_its_words() -> None:
    assert set(STATE_TEXTS) == set(State)
    assert all(set(text) == {"zh", "en"} for text in STATE_TEXTS.values())


def test_the_revision_changes_with_the_words_only(tmp_path: Path) -> None:
    def revision(name: str, press: str) -> str:
        found: str = birth(site_of(tmp_path / name, press).equipment["press-07"])["dictionary_rev"]
        return found

    first = revision("a", PRESS)
    assert revision("b", PRESS) == first
    assert revision("c", PRESS.replace("host: plc-7", "host: plc-8")) == first
    assert revision("d", PRESS.replace("unit: Cel", "unit: K")) != first


def test_the_gateway_names_its_live_equipment(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    words = gateway_birth(site, "e2", ["e1"])
    assert orjson.loads(orjson.dumps(words)) == words
    assert (words["epoch"], words["previous_epochs"]) == ("e2", ["e1"])
    assert (words["site"], words["gateway"], words["timezone"]) == (
        "suzhou",
        "gw-01",
        "Asia/Shanghai",
    )
    (press,) = words["equipment"]
    assert press["dictionary_rev"] == birth(site.equipment["press-07"])["dictionary_rev"]
    assert words["schemas"] == {f"millgate.{stream}": 1 for stream in STREAMS}


def test_equipment_in_commissioning_is_not_named(tmp_path: Path) -> None:
    site = site_of(tmp_path, PRESS + "stage: commissioning\n")
    assert gateway_birth(site, "e")["equipment"] == []
