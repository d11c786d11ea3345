from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from gateway.settings import shipped
from gateway.settings.node import plain
from gateway.settings.problems import Report
from gateway.settings.schema import configuration_schema
from gateway.settings.yaml_source import read

SCHEMA = configuration_schema()
EXAMPLES = sorted(shipped.directory().glob("**/*.yaml"))
KINDS = {"equipment": "equipment", "links": "link", "profiles": "profile"}


def check(kind: str, document: Any) -> None:
    schema = {"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}
    Draft202012Validator(schema).validate(document)


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_shipped_file_fits(path: Path) -> None:
    node = read(path, path.name, Report())
    assert node is not None
    kind = "shifts" if path.name.startswith("shifts") else "gateway"
    check(KINDS.get(path.parent.name, kind), plain(node))


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("gateway", {"site": "a", "gateway": "b", "timezone": "UTC", "mqqt": {}}),
        ("gateway", {"site": "A", "gateway": "b", "timezone": "UTC"}),
        ("shifts", {"patterns": {"A": {"start": "8:00", "end": "20:00"}}, "week": {}}),
        ("link", {"protocol": "modbus-tcp"}),
        ("link", {"host": "a"}),
        ("link", {"protocol": "smoke", "host": "a"}),
        ("equipment", {"tags": {}}),
        ("equipment", {"equipment": "a", "tags": {"run": {"adress": 1}}}),
        ("profile", {"profile": "a", "verified": "perhaps"}),
    ],
)
def test_what_is_wrong_does_not_fit(kind: str, document: Any) -> None:
    with pytest.raises(ValidationError):
        check(kind, document)
