from typing import Any

from gateway.tags.entries import Entry, Path
from gateway.tags.roles import meaning_of


def entry(name: str, role: str | None, **says: Any) -> Entry:
    title = says.pop("title", None)
    given: dict[Path, Any] = {(key,): value for key, value in says.items()}
    if title:
        given["name", "zh"] = title
    return Entry(2, "p", name, given, {}, role)


def test_roles_bring_rules_in_the_order_they_are_asked() -> None:
    found = meaning_of(
        "p",
        [
            entry("idle", "ready", address="M2"),
            entry("run", "run", address="M1"),
            entry("estop", "alarm", address="M3", title="急停"),
            entry("parts", "good", address="D1", type="uint32"),
            entry("scrap", "reject", address="D3"),
            entry("beat", "alive", address="D9"),
            entry("heat", None, address="D5"),
        ],
    )
    assert found.sections == {
        "status": [
            {"state": "fault", "when": "stopping_fault"},
            {"state": "running", "when": "run"},
            {"state": "idle", "when": "idle"},
        ],
        "counters": {
            "good": {"tag": "parts", "kind": "good"},
            "reject": {"tag": "scrap", "kind": "reject"},
        },
        "faults": [{"tag": "estop", "bits": "faults/p-estop.csv"}],
        "alive": {"tag": "beat", "changes_within_s": 60},
    }
    assert "急停" in found.dictionaries["faults/p-estop.csv"]
    assert set(found.tags) == {"idle", "run", "estop", "parts", "scrap", "beat", "heat"}


def test_alarm_bits_of_one_word_are_one_source_with_their_texts() -> None:
    found = meaning_of(
        "p",
        [
            entry("a", "alarm", address="D300.0", title="急停"),
            entry("b", "alarm", address="D300", bit=3, title="门开"),
        ],
    )
    assert found.tags == {"alarm_d300": {"address": "D300", "type": "uint16"}}
    assert found.sections["faults"] == [{"tag": "alarm_d300", "bits": "faults/p-alarm_d300.csv"}]
    assert found.dictionaries["faults/p-alarm_d300.csv"].splitlines()[1:] == [
        "0,alarm_d300.0,急停,,500,yes",
        "3,alarm_d300.3,门开,,500,yes",
    ]
    assert found.texts_missing == ()


def test_a_whole_alarm_word_asks_for_its_texts() -> None:
    found = meaning_of("p", [entry("alarms", "alarm", address="D300", type="uint16")])
    assert found.texts_missing == ("faults/p-alarms.csv",)
    assert len(found.dictionaries["faults/p-alarms.csv"].splitlines()) == 17


def test_a_fault_code_brings_an_empty_dictionary_of_codes() -> None:
    found = meaning_of("p", [entry("err", "alarm_code", address="D9", type="int16")])
    assert found.sections["faults"] == [{"tag": "err", "codes": "faults/p-err.csv"}]
    assert found.dictionaries["faults/p-err.csv"].startswith("code,")


def test_without_roles_there_are_only_tags() -> None:
    assert meaning_of("p", [entry("heat", None, address="D5")]).sections == {}
