"""A real OPC UA server with a certificate, logins and a list of clients it trusts."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from drivers.clock import utc_now
from drivers.contract import Driver, Home, TagRequest, Value
from drivers.opcua import SPEC
from drivers.opcua.driver import OpcUaDriver
from tests.support.opcua_rig import URI, OpcUaServer

APPLICATION_URI = "urn:freeopcua:python:server"
EVERY_POLICY = (
    ua.SecurityPolicyType.NoSecurity,
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_Sign,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_Sign,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
)


@cache
def key(bits: int) -> rsa.RSAPrivateKey:
    """Return the one key of all certificates in the tests; to make one takes its time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    name: str = "plc",
    *,
    uri: str = APPLICATION_URI,
    host: str = "127.0.0.1",
    begins: timedelta = timedelta(days=-1),
    ends: timedelta = timedelta(days=365),
    bits: int = 2048,
) -> x509.Certificate:
    """Return a new certificate that signs itself; the times are from now."""
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.UniformResourceIdentifier(uri), x509.IPAddress(ip_address(host))]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key(bits).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key(bits), hashes.SHA256())
    )


def der(found: x509.Certificate) -> bytes:
    return found.public_bytes(serialization.Encoding.DER)


def key_pem(bits: int = 2048) -> bytes:
    return key(bits).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@dataclass
class Users:
    """Who may log in: names with passwords, and certificates."""

    passwords: dict[str, str] = field(default_factory=dict)
    certificates: set[bytes] | None = None
    """None: no certificate is asked for, that of the client's program counts as anybody."""

    def get_user(
        self,
        _: object,
        username: str | None = None,
        password: str | None = None,
        certificate: bytes | None = None,
    ) -> User | None:
        if username is not None:
            known = self.passwords.get(username) == password
        else:
            known = self.certificates is None or certificate in self.certificates
        return User(role=UserRole.User) if known else None


class SecureServer(OpcUaServer):
    """Everything can be changed between a stop and a start."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        super().__init__(values)
        self.certificate: x509.Certificate | None = certificate()
        self.policies: tuple[ua.SecurityPolicyType, ...] = EVERY_POLICY
        self.tokens: list[type] = [
            ua.AnonymousIdentityToken,
            ua.UserNameIdentityToken,
            ua.X509IdentityToken,
        ]
        self.users = Users()
        self.trusted_clients: set[bytes] | None = None
        """None: any."""
        self.host_in_endpoints: str | None = None
        self.plain_passwords = False
        self.sessions = 0
        """How many were created."""

    def configure(self, server: Server) -> None:
        server.iserver.certificate = self.certificate
        server.iserver.private_key = key(2048)
        server.iserver.user_manager = self.users
        server.set_security_policy(list(self.policies))
        server.set_identity_tokens(self.tokens)
        server.set_certificate_validator(self._validate)
        if self.host_in_endpoints is not None:
            server.set_match_discovery_endpoint_url(False)
            server.socket_address = ("127.0.0.1", self.port)
            server.set_endpoint(f"opc.tcp://{self.host_in_endpoints}:{self.port}/")

    async def start(self) -> None:
        await super().start()
        if self.plain_passwords:
            for endpoint in self._server.iserver.endpoints:
                for token in endpoint.UserIdentityTokens:
                    token.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#None"

    def show(self, data: bytes) -> None:
        """Show other bytes as the certificate to who asks for the endpoints."""
        for endpoint in self._server.iserver.endpoints:
            endpoint.ServerCertificate = data

    async def _validate(self, shown: x509.Certificate, _: Any) -> None:
        self.sessions += 1
        if self.trusted_clients is not None and der(shown) not in self.trusted_clients:
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)


@asynccontextmanager
async def secure_server(values: Mapping[str, Value]) -> AsyncIterator[SecureServer]:
    """Make a server for `SecureServer.start`; stop it on exit."""
    server = SecureServer(values)
    try:
        yield server
    finally:
        await server.stop()


def home(directory: Path) -> Home:
    """Return a configuration directory of the gateway gw-01 in suzhou."""
    return Home(directory, directory / "pki", "suzhou", "gw-01", lambda name: directory / name)


def secure_driver(
    directory: Path,
    endpoint: str,
    names: Mapping[str, str],
    *,
    now: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
    **link: Any,
) -> Driver:
    """Return a driver whose link comes from a configuration directory."""
    settings = SPEC.link_settings.model_validate(
        {"endpoint": endpoint, "publishing_interval_ms": 50, "keepalive_s": 0.4, "timeout_s": 5}
        | link,
        context=home(directory),
    )
    requests = [
        TagRequest(tag, "plc", None, SPEC.tag_settings(node=f"nsu={URI};s={name}"))
        for tag, name in names.items()
    ]
    return OpcUaDriver(settings, requests, now=now, monotonic=monotonic)
