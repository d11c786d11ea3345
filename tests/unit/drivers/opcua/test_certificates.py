from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.opcua.certificates import (
    EXPIRED,
    Certificate,
    belong_together,
    load,
    load_key,
    make_own,
    read_certificate,
    stage_of,
)
from tests.support.opcua_secure import certificate, der, key, key_pem

NOW = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)
URI = "urn:suzhou:millgate:gw-01"


@cache
def own() -> tuple[bytes, bytes]:
    return make_own(application_uri=URI, name="millgate suzhou gw-01", host="box-1", now=NOW)


def test_our_certificate_has_what_opc_ua_asks_of_a_client() -> None:
    made, private = own()
    found = x509.load_der_x509_certificate(made)
    usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert usage.key_encipherment
    assert usage.data_encipherment
    extended = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.CLIENT_AUTH in extended
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert found.signature_hash_algorithm is not None
    assert found.signature_hash_algorithm.name == "sha256"
    found.verify_directly_issued_by(found)
    assert belong_together(found, load_key(private))


def test_our_certificate_names_the_gateway_and_lasts_five_years() -> None:
    found = read_certificate(own()[0])
    assert found.uris == (URI,)
    assert found.hosts == ("box-1",)
    assert found.key_bits == 2048
    assert found.begins == NOW - timedelta(days=1)
    assert found.days_left(NOW) == 5 * 365
    assert "CN=millgate suzhou gw-01" in found.subject


def test_a_chain_is_known_by_its_first_certificate() -> None:
    first, second = der(certificate("first")), der(certificate("second"))
    assert read_certificate(first + second) == read_certificate(first)
    assert len(read_certificate(first).fingerprint) == 64
    assert len(read_certificate(first).thumbprint) == 40


def test_a_certificate_need_not_name_a_host() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plc")])
    made = (
        x509.CertificateBuilder(name, name, key(2048).public_key(), 7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key(2048), SHA256())
    )
    found = read_certificate(der(made))
    assert (found.uris, found.hosts) == ((), ())


def test_pem_and_der_are_the_same_certificate() -> None:
    made = certificate()
    assert read_certificate(made.public_bytes(Encoding.PEM)) == read_certificate(der(made))


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x30\x02\x05\x00")
def test_other_bytes_are_no_certificate(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_certificate(data)


@given(st.data())
def test_a_damaged_certificate_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    damaged = bytearray(own()[0])
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] ^= data.draw(st.integers(1, 255))
    try:
        found = read_certificate(bytes(damaged))
    except ValueError:
        return
    assert isinstance(found, Certificate)


@pytest.mark.parametrize(
    ("days", "stage"),
    [(400, None), (61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-1, EXPIRED)],
)
def test_a_certificate_is_warned_of_at_60_30_and_7_days(days: int, stage: int | None) -> None:
    found = read_certificate(der(certificate(begins=timedelta(days=-90))))
    now = found.ends - timedelta(days=days)
    assert stage_of(found, now) == stage


def test_keys_are_pem_or_der_and_rsa_and_open() -> None:
    one = key(2048)
    plain = one.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert load_key(plain).public_key() == one.public_key()
    assert load_key(key_pem()).public_key() == one.public_key()
    locked = one.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(ValueError, match="password"):
        load_key(locked)
    curve = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(ValueError, match="not an RSA key"):
        load_key(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert not belong_together(load(own()[0]), one)
