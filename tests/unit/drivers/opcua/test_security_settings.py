from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.opcua import SPEC
from drivers.opcua.security_settings import Secured
from drivers.opcua.settings import LinkSettings
from tests.support.opcua_secure import home

USER = {"name": "millgate", "password_file": "secrets/plc"}


def link(**settings: Any) -> LinkSettings:
    return LinkSettings.model_validate({"endpoint": "opc.tcp://plc"} | settings)


def test_a_link_is_open_unless_it_says_otherwise() -> None:
    assert link().secured is None
    assert link(security="none").secured is None
    assert link(security={}).secured == Secured()
    assert Secured() == Secured(policy="basic256sha256", mode="sign_and_encrypt")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"security": "sign"}, "none"),
        ({"security": {"policy": "basic128rsa15"}}, "basic256sha256"),
        ({"security": {"mode": "none"}}, "sign_and_encrypt"),
        ({"security": {"trust_all": True}}, "Extra inputs"),
        ({"user": USER}, "without encryption"),
        ({"user_certificate": {"cert_file": "a", "key_file": "b"}}, "without encryption"),
        ({"security": {}, "user": {"name": "millgate", "password": "x"}}, "Extra inputs"),
        ({"security": {}, "user": {"name": "millgate"}}, "password_file"),
        (
            {
                "security": {},
                "user": USER,
                "user_certificate": {"cert_file": "a", "key_file": "b"},
            },
            "two logins",
        ),
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        link(**settings)


def test_a_link_knows_the_configuration_it_comes_from(tmp_path: Path) -> None:
    settings = {"endpoint": "opc.tcp://plc", "security": {}}
    context = home(tmp_path)
    assert LinkSettings.model_validate(settings, context=context).home is context
    assert LinkSettings.model_validate(settings).home is None


def test_links_of_one_configuration_with_the_same_keys_are_equal(tmp_path: Path) -> None:
    settings, context = {"endpoint": "opc.tcp://plc", "security": {}}, home(tmp_path)
    one, other = (LinkSettings.model_validate(settings, context=context) for _ in range(2))
    assert one == other


def test_the_schema_offers_both_kinds_of_security() -> None:
    schema = SPEC.link_settings.model_json_schema()
    assert "home" not in schema["properties"]
    kinds = schema["properties"]["security"]["oneOf"]
    assert {"const": "none", "type": "string"} in kinds
