from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua.ua import uaerrors

from drivers.contract import Misconfigured
from drivers.opcua.certificates import Certificate, read_certificate
from drivers.opcua.settings import LinkSettings
from drivers.opcua.turned_away import turned_away
from tests.support.opcua_secure import certificate, der, home

SIGNED = {"security": {"mode": "sign"}}
USER = SIGNED | {"user": {"name": "joe", "password_file": "secrets/plc"}}
PERSON = SIGNED | {"user_certificate": {"cert_file": "joe.der", "key_file": "joe.pem"}}


def said(
    err: Exception, settings: dict[str, Any], site: Path, *, expired: Certificate | None = None
) -> Misconfigured:
    link = LinkSettings.model_validate({"endpoint": "opc.tcp://plc"} | settings, context=home(site))

    def answered() -> None:
        with turned_away(link) as us:
            us.expired = expired
            raise err

    with pytest.raises(Misconfigured) as caught:
        answered()
    assert caught.value.__cause__ is err
    return caught.value


@pytest.mark.parametrize(
    ("kind", "settings", "code"),
    [
        ("BadSecurityChecksFailed", SIGNED, "opcua_we_are_untrusted"),
        ("BadCertificateUntrusted", SIGNED, "opcua_we_are_untrusted"),
        ("BadSecurityChecksFailed", {}, "opcua_needs_security"),
        ("BadCertificateTimeInvalid", SIGNED, "opcua_our_time"),
        ("BadCertificateUriInvalid", SIGNED, "opcua_our_certificate"),
        ("BadCertificateUseNotAllowed", SIGNED, "opcua_our_certificate"),
        ("BadCertificateHostNameInvalid", SIGNED, "opcua_our_certificate"),
        ("BadIdentityTokenRejected", {}, "opcua_no_anonymous"),
        ("BadIdentityTokenRejected", USER, "opcua_user_refused"),
        ("BadUserAccessDenied", USER, "opcua_user_refused"),
        ("BadUserAccessDenied", PERSON, "opcua_user_certificate_refused"),
        ("BadUserSignatureInvalid", PERSON, "opcua_user_certificate_refused"),
        ("BadSecurityPolicyRejected", {}, "opcua_needs_security"),
        ("BadSecurityPolicyRejected", SIGNED, "opcua_policy_refused"),
        ("BadSecurityModeInsufficient", SIGNED, "opcua_policy_refused"),
    ],
)
def test_each_answer_has_a_sentence_that_says_where_to_act(
    kind: str, settings: dict[str, Any], code: str, tmp_path: Path
) -> None:
    err = said(getattr(uaerrors, kind)(), settings, tmp_path)
    assert err.refusal is not None
    assert err.refusal.code == code
    assert err.hint
    assert kind in err.reason


def test_the_file_to_be_trusted_is_named(tmp_path: Path) -> None:
    err = said(uaerrors.BadSecurityChecksFailed(), SIGNED, tmp_path)
    assert str(tmp_path / "pki/own/cert.der") in err.hint


@pytest.mark.parametrize("kind", ["BadSecurityChecksFailed", "BadCertificateTimeInvalid"])
def test_a_server_need_not_say_that_our_certificate_is_over(kind: str, tmp_path: Path) -> None:
    own = read_certificate(der(certificate(begins=timedelta(-9), ends=timedelta(-2))))
    err = said(getattr(uaerrors, kind)(), SIGNED, tmp_path, expired=own)
    assert "expired on" in err.reason
    assert f"millgate opcua certificate {tmp_path} --renew" in err.hint


@pytest.mark.parametrize(
    "err",
    [
        TimeoutError(),
        uaerrors.BadTooManySessions(),
        uaerrors.UaError("No request found"),
        ValueError("x"),
    ],
)
def test_what_needs_no_person_passes(err: Exception) -> None:
    link = LinkSettings(endpoint="opc.tcp://plc")
    with pytest.raises(type(err)) as caught, turned_away(link):
        raise err
    assert caught.value is err
