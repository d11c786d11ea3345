from typing import Any

from gateway.tags.entries import Entry, Path
from gateway.tags.merge import changes_of


def entry(says: dict[Path, Any], raw: dict[Path, str] | None = None, name: str = "heat") -> Entry:
    return Entry(2, "press-07", name, says, raw or {})


def test_a_new_tag_is_written_without_defaults() -> None:
    says: dict[Path, Any] = {
        ("address",): "D1",
        ("unit",): None,
        ("name", "zh"): "温度",
        ("name", "en"): None,
    }
    changes = changes_of([entry(says)], {}, {})
    assert changes.tags == {"heat": {"address": "D1", "name": {"zh": "温度"}}}
    assert changes.added == ("heat",)


def test_what_is_there_already_changes_nothing() -> None:
    present = {"heat": {"address": "40001", "scale": 1.0, "publish": False}}
    says: dict[Path, Any] = {("address",): 40001, ("scale",): 1, ("publish",): False}
    raw: dict[Path, str] = {("address",): "40001", ("scale",): "1", ("publish",): "false"}
    changes = changes_of([entry(says, raw)], present, present)
    assert (changes.tags, changes.unchanged) == ({}, 1)


def test_what_differs_is_said_before_and_after() -> None:
    present = {"heat": {"address": "D1", "unit": "Cel", "deadband": 1}}
    changes = changes_of(
        [entry({("unit",): "K", ("deadband",): None}, {("unit",): "K", ("deadband",): ""})],
        present,
        present,
    )
    assert changes.tags == {"heat": {"address": "D1", "unit": "K"}}
    assert changes.changed == {"heat": ("unit: Cel -> K", "deadband: 1 -> -")}


def test_one_is_not_true() -> None:
    present = {"heat": {"publish": True}}
    assert changes_of([entry({("publish",): False})], present, present).changed
    assert changes_of([entry({("publish",): 1})], present, present).changed


def test_of_a_profiles_tag_only_what_differs_is_written() -> None:
    whole = {"heat": {"address": "D1", "unit": "Cel", "name": {"zh": "温度", "en": "Heat"}}}
    says: dict[Path, Any] = {
        ("address",): "D1",
        ("unit",): None,
        ("name", "zh"): "油温",
        ("name", "en"): "Heat",
    }
    changes = changes_of([entry(says)], {}, whole)
    assert changes.tags == {"heat": {"unit": None, "name": {"zh": "油温"}}}
