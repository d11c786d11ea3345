"""Which servers are trusted: two directories of certificates, and the judgement of one.

Promises:

- A certificate is trusted because a person put it into ``trusted/``; nothing here does it
  by itself. What was refused lies in ``rejected/``, one file for each endpoint.
- It is the certificate that is trusted, not who signed it. Taking its file away ends it.
- A certificate that was trusted for an endpoint by name may carry another host or
  ApplicationUri than the server uses; whoever trusted it was shown that (Part 6, Table E.6).
- An expired certificate is refused unless the link accepts it.

A file is called ``<host>_<port>_<fingerprint>.der`` where it was trusted for an endpoint;
any other name trusts it for none by name.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from drivers.contract import BadSetting
from drivers.opcua.certificates import KEY_BITS, Certificate, read_certificate

_SHOWN_FINGERPRINT = 16
_MAX_FILES = 1000
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server shows, and at which endpoint."""

    certificate: Certificate
    application_uri: str
    """What the server calls itself."""
    endpoint: str

    @property
    def host(self) -> str:
        """As the endpoint has it."""
        return urlsplit(self.endpoint).hostname or ""


@dataclass(frozen=True, slots=True)
class Trusted:
    """One certificate of ``trusted/``."""

    certificate: Certificate
    place: str
    """`place_of` the endpoint it was trusted for; empty where it was put there by hand."""


class TrustList:
    """The files. Every method may raise OSError."""

    def __init__(self, directory: Path) -> None:
        """``directory`` holds ``trusted`` and ``rejected``; neither need exist."""
        self.trusted_in = directory / "trusted"
        self.rejected_in = directory / "rejected"

    def trusted(self) -> list[Trusted]:
        """Return what is trusted; a file that is no certificate trusts nobody."""
        return _read(self.trusted_in)

    def trust(self, certificate: Certificate, endpoint: str) -> tuple[Path, list[Certificate]]:
        """Trust a certificate for an endpoint, instead of those trusted for it before.

        Return its file and what is no longer trusted.
        """
        place = place_of(endpoint)
        earlier = [
            known.certificate
            for known in self.trusted()
            if known.place == place and known.certificate.der != certificate.der
        ]
        path = _write(self.trusted_in, place, certificate)
        _forget(self.rejected_in, place)
        return path, earlier

    def reject(self, certificate: Certificate, endpoint: str) -> Path:
        """Keep what was refused at an endpoint, instead of what was before; return its file.

        A link is refused each minute; what lies there already is not written again.
        """
        place = place_of(endpoint)
        path = _path(self.rejected_in, place, certificate)
        return path if path.exists() else _write(self.rejected_in, place, certificate)


def place_of(endpoint: str) -> str:
    """Return the host and the port of an endpoint as the beginning of a file name."""
    parts = urlsplit(endpoint)
    host = "".join(c if c in _PLAIN else "-" for c in (parts.hostname or ""))
    return f"{host}_{parts.port}"


def judge(
    shown: Shown,
    trusted: Sequence[Trusted],
    *,
    now: datetime,
    accept_expired: bool = False,
    command: str,
) -> BadSetting | None:
    """Return why a server is refused, in the order of Part 4, 6.1.3; None if it is not.

    ``command`` is what a person types to trust it.
    """
    certificate = shown.certificate
    if certificate.key_bits < KEY_BITS:
        return _weak(certificate)
    places = {known.place for known in trusted if known.certificate.der == certificate.der}
    if not places:
        return _untrusted(shown, trusted, command)
    if certificate.begins > now:
        return _too_early(certificate)
    if certificate.ends < now and not accept_expired:
        return _expired(certificate)
    return None if place_of(shown.endpoint) in places else mismatch(shown, command)


def mismatch(shown: Shown, command: str) -> BadSetting | None:
    """Return in what the certificate differs from who shows it; None if in nothing."""
    certificate = shown.certificate
    if _plain(shown.host) not in certificate.hosts:
        return BadSetting(
            "opcua_other_host",
            "the server's certificate is for {hosts}, not for {host}",
            "if it is the right server: {command}",
            hosts=", ".join(certificate.hosts) or "no host",
            host=shown.host,
            command=command,
        )
    if shown.application_uri not in certificate.uris:
        return BadSetting(
            "opcua_other_uri",
            "the server calls itself {said}, its certificate {uris}",
            "if it is the right server: {command}",
            said=shown.application_uri or "-",
            uris=", ".join(certificate.uris) or "-",
            command=command,
        )
    return None


def _plain(host: str) -> str:
    """Return a host as certificates are read: an address in its short form, without a zone."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return host.lower()


def _untrusted(shown: Shown, trusted: Sequence[Trusted], command: str) -> BadSetting:
    place = place_of(shown.endpoint)
    certificate = shown.certificate
    before = [known.certificate for known in trusted if known.place == place]
    if before:
        return BadSetting(
            "opcua_changed_certificate",
            "the server shows another certificate than the one trusted for {endpoint}: "
            "{subject}, SHA-256 {fingerprint}; trusted is {before}",
            "if it was renewed on purpose: {command}; if nobody did that, find out who answers",
            endpoint=shown.endpoint,
            subject=certificate.subject,
            fingerprint=certificate.fingerprint,
            before=before[0].fingerprint,
            command=command,
        )
    return BadSetting(
        "opcua_untrusted",
        "the server's certificate is not trusted: {subject}, SHA-256 {fingerprint}",
        "compare the fingerprint with what the server itself shows, then: {command}",
        subject=certificate.subject,
        fingerprint=certificate.fingerprint,
        command=command,
    )


def _weak(certificate: Certificate) -> BadSetting:
    return BadSetting(
        "opcua_weak_key",
        "the key of the server's certificate has {bits} bits",
        "let the server make a certificate with an RSA key of {least} bits or more",
        bits=certificate.key_bits,
        least=KEY_BITS,
    )


def _too_early(certificate: Certificate) -> BadSetting:
    return BadSetting(
        "opcua_early_certificate",
        "the server's certificate is valid from {begins} on",
        "is the clock of this machine right, and was the server's when it made it?",
        begins=f"{certificate.begins:%Y-%m-%d %H:%M} UTC",
    )


def _expired(certificate: Certificate) -> BadSetting:
    return BadSetting(
        "opcua_expired_certificate",
        "the server's certificate expired on {ends}",
        "renew it in the server and trust the new one; until then, accept_expired: true goes on",
        ends=f"{certificate.ends:%Y-%m-%d}",
    )


def _read(directory: Path) -> list[Trusted]:
    found = []
    for path in sorted(directory.glob("*.der"))[:_MAX_FILES]:
        place, _, rest = path.stem.rpartition("_")
        with suppress(ValueError):
            found.append(Trusted(read_certificate(path.read_bytes()), place if rest else ""))
    return found


def _path(directory: Path, place: str, certificate: Certificate) -> Path:
    return directory / f"{place}_{certificate.fingerprint[:_SHOWN_FINGERPRINT]}.der"


def _write(directory: Path, place: str, certificate: Certificate) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = _path(directory, place, certificate)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(certificate.der)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _forget(directory, place, but=path)
    return path


def _forget(directory: Path, place: str, *, but: Path | None = None) -> None:
    for path in directory.glob("*.der"):
        if path != but and path.stem.rpartition("_")[0] == place:
            path.unlink(missing_ok=True)
