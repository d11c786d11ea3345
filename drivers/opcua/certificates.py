"""Certificates as values: read one, make one of our own, say how long it lasts. No files.

Promises:

- What is no certificate is a ValueError, whatever its bytes are.
- Our own certificate has what OPC UA asks of a client's: Part 6, 6.2.2.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1, sha256

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=5 * 365)
KEY_BITS = 2048
"""Every policy takes it (Part 7), and small controllers take no longer one."""
WARN_DAYS = (60, 30, 7)
EXPIRED = 0
_CLOCK_BEHIND = timedelta(days=1)
_MALFORMED = (UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)
_LONG_LENGTH = 0x80
_SEQUENCE = 0x30


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says of its owner."""

    der: bytes
    subject: str
    """``CN=..., O=...``"""
    uris: tuple[str, ...]
    hosts: tuple[str, ...]
    """DNS names in lower case, and IP addresses."""
    begins: datetime
    ends: datetime
    key_bits: int
    """0 where the key is no RSA key."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex, upper case: what a certificate is known by here."""
        return sha256(self.der).hexdigest().upper()

    @property
    def thumbprint(self) -> str:
        """SHA-1 in hex, upper case: what engineering tools show. Proves nothing."""
        return sha1(self.der, usedforsecurity=False).hexdigest().upper()

    def days_left(self, now: datetime) -> int:
        """Return the whole days until it expires; below zero, it has."""
        return (self.ends - now) // timedelta(days=1)


def read_certificate(data: bytes) -> Certificate:
    """Return the first certificate of a DER chain, or of PEM text. Raises ValueError."""
    try:
        return _described(load(data))
    except _MALFORMED as err:
        raise ValueError(f"not a certificate: {err}") from err


def load(data: bytes) -> x509.Certificate:
    """Return the library's own object; see `read_certificate`."""
    if data.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_certificate(data)
    return x509.load_der_x509_certificate(_first(data))


def load_key(data: bytes) -> rsa.RSAPrivateKey:
    """Return a private key from PEM or DER. Raises ValueError."""
    read = (
        serialization.load_pem_private_key
        if data.lstrip().startswith(b"-----BEGIN")
        else serialization.load_der_private_key
    )
    try:
        key: PrivateKeyTypes = read(data, password=None)
    except TypeError as err:  # a key that wants a password
        raise ValueError("the key is protected by a password") from err
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004  the contents are wrong, not the type
    return key


def belong_together(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bool:
    """Say whether the key is the certificate's."""
    return certificate.public_key() == key.public_key()


def make_own(
    *, application_uri: str, name: str, host: str, now: datetime, bits: int = KEY_BITS
) -> tuple[bytes, bytes]:
    """Return a new certificate (DER) and its key (PEM, not encrypted); takes a second.

    It begins a day early: a controller's clock may be behind ours.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "millgate"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_BEHIND)
        .not_valid_after(now + VALID_FOR)
        .add_extension(_names(application_uri, host), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def stage_of(certificate: Certificate, now: datetime) -> int | None:
    """Return the last of `WARN_DAYS` that is passed, `EXPIRED`, or None while there is time."""
    if certificate.ends < now:
        return EXPIRED
    return min((days for days in WARN_DAYS if certificate.days_left(now) <= days), default=None)


_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=True,
    data_encipherment=True,
    key_agreement=False,
    key_cert_sign=True,  # signed by itself: Part 6, 6.2.2
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _described(certificate: x509.Certificate) -> Certificate:
    key = certificate.public_key()
    names = _alternative_names(certificate)
    dns = [name.lower() for name in names.get_values_for_type(x509.DNSName)] if names else []
    addresses = names.get_values_for_type(x509.IPAddress) if names else []
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    return Certificate(
        der=certificate.public_bytes(serialization.Encoding.DER),
        subject=certificate.subject.rfc4514_string(),
        uris=tuple(uris),
        hosts=(*dns, *(str(address) for address in addresses)),
        begins=certificate.not_valid_before_utc,
        ends=certificate.not_valid_after_utc,
        key_bits=key.key_size if isinstance(key, rsa.RSAPublicKey) else 0,
    )


def _names(application_uri: str, host: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(application_uri), x509.DNSName(host)]
    )


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _first(data: bytes) -> bytes:
    """Return the first of the certificates that a server sends one after another."""
    if len(data) < 2 or data[0] != _SEQUENCE:  # noqa: PLR2004  a tag and a length
        raise ValueError("not a certificate")
    length, header = data[1], 2
    if length >= _LONG_LENGTH:
        count = length - _LONG_LENGTH
        length, header = int.from_bytes(data[2 : 2 + count]), 2 + count
    return data[: header + length]
