"""A certificate authority whose time is over, and a server it vouched for."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


def expire(
    ca_file: Path, cert_file: Path, key_file: Path, *, ends_in: timedelta = timedelta(days=-1)
) -> None:
    """Write an authority that ended yesterday and a server certificate for 127.0.0.1 by it.

    Each lasts 60 days: what ends later begins later.
    """
    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = _name("plant authority"), _name("broker")
    authority = _begun(ca_name, ca_name, ca_key, now + ends_in).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    server = _begun(name, ca_name, key, now + timedelta(days=30)).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
    )
    pem = serialization.Encoding.PEM
    ca_file.write_bytes(authority.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    cert_file.write_bytes(server.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    key_file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: Key, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=60))
        .not_valid_after(until)
    )
