from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from drivers.opcua.certificates import Certificate, read_certificate
from drivers.opcua.trust import Shown, Trusted, TrustList, judge, mismatch, place_of
from tests.support.opcua_secure import APPLICATION_URI, certificate, der

ENDPOINT = "opc.tcp://127.0.0.1:4840"
PLACE = "127.0.0.1_4840"
COMMAND = "millgate opcua trust DIR LINK"


@cache
def plc(name: str = "plc", **about: object) -> Certificate:
    return read_certificate(der(certificate(name, **about)))  # type: ignore[arg-type]


def verdict(
    shown: Certificate,
    *trusted: Trusted,
    endpoint: str = ENDPOINT,
    uri: str = APPLICATION_URI,
    now: datetime | None = None,
    accept_expired: bool = False,
) -> str | None:
    refusal = judge(
        Shown(shown, uri, endpoint),
        trusted,
        now=now or datetime.now(UTC),
        accept_expired=accept_expired,
        command=COMMAND,
    )
    return None if refusal is None else refusal.code


def test_only_what_a_person_trusted_is_trusted() -> None:
    assert verdict(plc()) == "opcua_untrusted"
    assert verdict(plc(), Trusted(plc("other"), "plc-8_4840")) == "opcua_untrusted"
    assert verdict(plc(), Trusted(plc(), PLACE)) is None
    assert verdict(plc(), Trusted(plc(), "")) is None


def test_another_certificate_at_a_known_endpoint_has_changed() -> None:
    assert verdict(plc("new"), Trusted(plc(), PLACE)) == "opcua_changed_certificate"


def test_who_signed_a_certificate_trusts_it_not() -> None:
    signed_alike = plc("plc", ends=timedelta(days=30))  # same name, same key, another certificate
    assert verdict(signed_alike, Trusted(plc(), "")) == "opcua_untrusted"


def test_time_is_judged_after_trust() -> None:
    later, earlier = plc().ends + timedelta(days=1), plc().begins - timedelta(days=1)
    known = Trusted(plc(), PLACE)
    assert verdict(plc(), known, now=later) == "opcua_expired_certificate"
    assert verdict(plc(), known, now=later, accept_expired=True) is None
    assert verdict(plc(), known, now=earlier) == "opcua_early_certificate"
    assert verdict(plc(), known, now=earlier, accept_expired=True) == "opcua_early_certificate"
    assert verdict(plc(), now=later, accept_expired=True) == "opcua_untrusted"


def test_host_and_uri_must_fit_unless_it_was_trusted_for_this_endpoint() -> None:
    by_hand, elsewhere = Trusted(plc(), ""), "opc.tcp://plc-7:4840"
    assert verdict(plc(), by_hand, endpoint=elsewhere) == "opcua_other_host"
    assert verdict(plc(), by_hand, uri="urn:another") == "opcua_other_uri"
    by_name = Trusted(plc(), place_of(elsewhere))
    assert verdict(plc(), by_name, endpoint=elsewhere, uri="urn:another") is None
    assert verdict(plc(), by_hand, by_name, endpoint=elsewhere) is None


def test_an_address_may_be_written_in_any_way() -> None:
    shown = plc(host="fe80::1")
    by_hand = Trusted(shown, "")
    for host in ("[fe80::1]", "[FE80:0:0::1]", "[fe80::1%eth0]"):
        assert verdict(shown, by_hand, endpoint=f"opc.tcp://{host}:4840") is None
    assert verdict(shown, by_hand, endpoint="opc.tcp://[fe80::2]:4840") == "opcua_other_host"


def test_a_short_key_is_refused_whoever_trusts_it() -> None:
    weak = plc(bits=1024)
    assert verdict(weak, Trusted(weak, PLACE)) == "opcua_weak_key"


def test_a_refusal_names_the_fingerprint_the_owner_and_the_command() -> None:
    refusal = judge(
        Shown(plc(), APPLICATION_URI, ENDPOINT), (), now=datetime.now(UTC), command=COMMAND
    )
    assert refusal is not None
    assert plc().fingerprint in refusal.problem
    assert "CN=plc" in refusal.problem
    assert COMMAND in refusal.hint


@pytest.mark.parametrize(
    ("endpoint", "place"),
    [
        (ENDPOINT, PLACE),
        ("opc.tcp://plc-7.cell:4841/Server/UA", "plc-7.cell_4841"),
        ("opc.tcp://[fe80::1]:4840", "fe80--1_4840"),
        ("opc.tcp://a_b:4840", "a-b_4840"),
    ],
)
def test_a_place_is_a_plain_file_name(endpoint: str, place: str) -> None:
    assert place_of(endpoint) == place


def test_a_mismatch_is_shown_before_it_is_trusted() -> None:
    found = mismatch(Shown(plc(), "urn:another", ENDPOINT), COMMAND)
    assert found is not None
    assert "urn:another" in found.problem
    assert mismatch(Shown(plc(), APPLICATION_URI, ENDPOINT), COMMAND) is None


def test_nothing_is_trusted_where_there_is_no_directory(tmp_path: Path) -> None:
    assert TrustList(tmp_path / "none").trusted() == []
    assert not (tmp_path / "none").exists()


def test_trust_replaces_what_was_trusted_for_the_endpoint(tmp_path: Path) -> None:
    files = TrustList(tmp_path)
    other, _ = files.trust(plc("other"), "opc.tcp://plc-8:4840")
    first, earlier = files.trust(plc(), ENDPOINT)
    assert earlier == []
    second, earlier = files.trust(plc("new"), ENDPOINT)
    assert earlier == [plc()]
    assert not first.exists()
    assert {known.certificate for known in files.trusted()} == {plc("new"), plc("other")}
    assert set(files.trusted_in.iterdir()) == {second, other}


def test_what_is_refused_is_kept_once_for_each_endpoint_and_trusts_nobody(tmp_path: Path) -> None:
    files = TrustList(tmp_path)
    for name in ("plc", "new", "newer"):
        kept = files.reject(plc(name), ENDPOINT)
    files.reject(plc(), "opc.tcp://plc-8:4840")
    assert len(list(files.rejected_in.iterdir())) == 2
    assert kept.read_bytes() == plc("newer").der
    assert files.trusted() == []
    files.trust(plc("newer"), ENDPOINT)
    assert not kept.exists()


def test_a_file_that_is_no_certificate_trusts_nobody(tmp_path: Path) -> None:
    files = TrustList(tmp_path)
    files.trust(plc(), ENDPOINT)
    (files.trusted_in / "a.der").write_bytes(b"hello")
    (files.trusted_in / "by hand.der").write_bytes(plc("other").der)
    assert {(known.certificate.subject, known.place) for known in files.trusted()} == {
        ("CN=plc", PLACE),
        ("CN=other", ""),
    }
