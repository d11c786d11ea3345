"""Our own certificate and key: who we are to every OPC UA server.

Promises:

- It is made once, when it is first needed, and never replaced by itself: each server
  that trusts us trusts this one certificate.
- A new one is prepared beside the old one, so that servers can be told before it is used.
- The key can be read by its owner only.

``own/`` holds what is used, ``next/`` what is prepared, ``before/`` what was used last.
"""

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from shlex import quote
from socket import gethostname

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from drivers.contract import BadSetting, Home
from drivers.opcua.certificates import (
    Certificate,
    belong_together,
    load,
    load_key,
    make_own,
    read_certificate,
)
from drivers.opcua.security_settings import SecureLink

CERTIFICATE = "cert.der"
KEY = "key.pem"


class Unusable(Exception):
    """A certificate or a key of ours cannot be used; ``refusal`` says why."""

    def __init__(self, refusal: BadSetting) -> None:
        """Keep it in parts."""
        super().__init__(refusal.problem)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key, as values and as the library wants them."""

    certificate: Certificate
    x509: x509.Certificate
    key: rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Login:
    """What a session is activated with; both None: as anybody."""

    password: str | None = field(default=None, repr=False)
    identity: Identity | None = field(default=None, repr=False)


def application_uri(home: Home | None) -> str:
    """Return the name under which servers know this gateway; unique in the plant."""
    return "urn:millgate:gateway" if home is None else f"urn:{home.site}:millgate:{home.gateway}"


def command(word: str, home: Home | None, *arguments: str) -> str:
    """Return a command of ours as a person types it."""
    directory = "DIR" if home is None else quote(str(home.directory))
    return " ".join(["millgate", "opcua", word, directory, *arguments])


def keys_of(link: SecureLink) -> Path:
    """Return the directory of keys and certificates."""
    return Path("pki") if link.home is None else link.home.keys


def own_files(link: SecureLink) -> "OwnFiles":
    """Return the files of our own certificate."""
    return OwnFiles(keys_of(link), link.home)


def login_of(link: SecureLink) -> Login:
    """Read what a link logs in with. Raises Unusable."""
    find = Path if link.home is None else link.home.find
    if link.user is not None:
        return Login(password=read_password(find(link.user.password_file)))
    if link.user_certificate is not None:
        files = link.user_certificate
        return Login(identity=read_identity(find(files.cert_file), find(files.key_file)))
    return Login()


class OwnFiles:
    """The files of our own certificate."""

    def __init__(self, directory: Path, home: Home | None) -> None:
        """``directory`` is that of all keys; it need not exist."""
        self._directory = directory
        self._home = home
        self._own = directory / "own"
        self._next = directory / "next"
        self._before = directory / "before"
        self.certificate = self._own / CERTIFICATE
        """What a server is to trust."""
        self.prepared = self._next / CERTIFICATE
        """What a server is to trust from then on."""

    def identity(self, now: datetime) -> Identity:
        """Return who we are; the first time, make it. Raises Unusable."""
        try:
            if not self._own.exists() and not self._next.exists():
                self._make(self._own, now)
        except OSError as err:
            raise unusable(self._own, err.strerror or str(err)) from err
        return read_identity(self.certificate, self._own / KEY)

    def shown(self) -> Certificate | None:
        """Return our certificate if there is one. Raises Unusable."""
        return _certificate(self.certificate)

    def shown_next(self) -> Certificate | None:
        """Return the prepared one if there is one. Raises Unusable."""
        return _certificate(self.prepared)

    def prepare(self, now: datetime) -> Certificate:
        """Make the next one beside what is used; once. Raises Unusable, OSError."""
        if not self._next.exists():
            self._make(self._next, now)
        return read_identity(self.prepared, self._next / KEY).certificate

    def activate(self) -> Certificate:
        """Use what was prepared from the next connection on. Raises Unusable, OSError."""
        read_identity(self.prepared, self._next / KEY)
        shutil.rmtree(self._before, ignore_errors=True)
        if self._own.exists():
            self._own.rename(self._before)
        self._next.rename(self._own)
        return read_identity(self.certificate, self._own / KEY).certificate

    def _make(self, target: Path, now: datetime) -> None:
        """Make both files at once: another one who does the same wins or loses as a whole."""
        name = "millgate"
        if self._home is not None:
            name = f"millgate {self._home.site} {self._home.gateway}"
        certificate, key = make_own(
            application_uri=application_uri(self._home), name=name, host=gethostname(), now=now
        )
        self._directory.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".own-", dir=self._directory))
        try:
            part.chmod(0o755)  # the certificate is for everybody, the key has its own mode
            _write(part / CERTIFICATE, certificate, 0o644)
            _write(part / KEY, key, 0o600)
            _rename_unless_there(part, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a new file that a power cut leaves whole once it has its final name."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _rename_unless_there(part: Path, target: Path) -> None:
    """A directory with files in it is never replaced by a rename."""
    try:
        part.rename(target)
    except OSError as err:
        if err.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
            raise


def read_identity(cert_file: Path, key_file: Path) -> Identity:
    """Read a certificate and its key, each PEM or DER. Raises Unusable."""
    data = _content(cert_file)
    try:
        certificate, loaded = read_certificate(data), load(data)
    except ValueError as err:
        raise unusable(cert_file, "not a certificate") from err
    try:
        key = load_key(_content(key_file))
    except ValueError as err:
        raise unusable(key_file, str(err)) from err
    if not belong_together(loaded, key):
        raise unusable(key_file, f"not the key of {cert_file.name}")
    return Identity(certificate, loaded, key)


def read_password(path: Path) -> str:
    """Return the first line of a file. Raises Unusable, which never shows what is inside."""
    try:
        lines = _content(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as err:
        raise unusable(path, "not UTF-8") from err
    if not lines or not lines[0].strip():
        raise unusable(path, "empty")
    return lines[0]


def _certificate(path: Path) -> Certificate | None:
    if not path.exists():
        return None
    try:
        return read_certificate(_content(path))
    except ValueError as err:
        raise unusable(path, "not a certificate") from err


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise unusable(path, err.strerror or str(err)) from err


def unusable(path: Path, reason: str) -> Unusable:
    """Return the error of a file that cannot be used."""
    return Unusable(
        BadSetting(
            "opcua_unusable_file",
            "{file}: {reason}",
            "put the file in place, readable by the gateway's user",
            file=path,
            reason=reason,
        )
    )
