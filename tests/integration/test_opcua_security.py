"""Encrypted OPC UA links and logins, against a real server of the same library."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.connection import SecureConnection, TransportLimits
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.ua.ua_binary import struct_to_binary

from drivers.contract import Misconfigured
from drivers.opcua.certificates import VALID_FOR, read_certificate
from drivers.opcua.own import OwnFiles
from drivers.opcua.trust import TrustList
from tests.support.opcua_secure import (
    SecureServer,
    certificate,
    der,
    home,
    key_pem,
    secure_driver,
    secure_server,
)
from tests.support.until import until

POLICIES = ("basic256sha256", "aes128-sha256-rsaoaep", "aes256-sha256-rsapss")
PASSWORD = "open sesame 4711"  # noqa: S105


@pytest.fixture
async def server() -> AsyncIterator[SecureServer]:
    async with secure_server({"count": 7}) as made:
        yield made


async def first_values(site: Path, server: SecureServer, **link: Any) -> Any:
    driver = secure_driver(site, server.endpoint, {"m/count": "count"}, **link)
    async with asyncio.timeout(60), driver.open() as session:
        return (await session.read(())).changed


async def refusal(site: Path, server: SecureServer, **link: Any) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        await first_values(site, server, **link)
    assert caught.value.refusal is not None
    return caught.value


def code_of(err: Misconfigured) -> str:
    assert err.refusal is not None
    return err.refusal.code


async def trust(site: Path, server: SecureServer, endpoint: str = "") -> None:
    assert server.certificate is not None
    shown = read_certificate(der(server.certificate))
    files = TrustList(site / "pki")
    await asyncio.to_thread(files.trust, shown, endpoint or server.endpoint)


async def start_and_trust(site: Path, server: SecureServer) -> None:
    await server.start()
    await trust(site, server)


def encrypted(**more: Any) -> dict[str, Any]:
    return {"mode": "sign_and_encrypt", **more}


@pytest.mark.parametrize("mode", ["sign", "sign_and_encrypt"])
@pytest.mark.parametrize("policy", POLICIES)
async def test_values_come_over_every_policy_and_mode(
    policy: str, mode: str, server: SecureServer, tmp_path: Path
) -> None:
    await start_and_trust(tmp_path, server)
    security = {"policy": policy, "mode": mode}
    assert await first_values(tmp_path, server, security=security) == {"m/count": 7}


@pytest.mark.fault(
    48,
    injection="a server nobody has trusted",
    expectation="refused with its fingerprint and the command that trusts it",
)
async def test_u13_an_unknown_server_is_refused_until_a_person_trusts_it(
    server: SecureServer, tmp_path: Path
) -> None:
    await server.start()
    err = await refusal(tmp_path, server, security=encrypted())
    assert code_of(err) == "opcua_untrusted"
    assert server.certificate is not None
    shown = read_certificate(der(server.certificate))
    assert shown.fingerprint in err.reason
    assert f"millgate opcua trust {tmp_path} {server.endpoint}" in err.hint
    assert server.sessions == 0
    (kept,) = (tmp_path / "pki/rejected").glob("*.der")
    assert kept.read_bytes() == shown.der
    (tmp_path / "pki/trusted").mkdir()
    kept.rename(tmp_path / "pki/trusted" / kept.name)
    assert await first_values(tmp_path, server, security=encrypted()) == {"m/count": 7}


@pytest.mark.fault(
    48,
    injection="the server has another certificate than the one that was trusted",
    expectation="refused as changed",
)
async def test_another_certificate_at_a_known_endpoint_is_refused_as_changed(
    server: SecureServer, tmp_path: Path
) -> None:
    await start_and_trust(tmp_path, server)
    await server.stop()
    server.certificate = certificate("somebody else")
    await server.start()
    err = await refusal(tmp_path, server, security=encrypted())
    assert code_of(err) == "opcua_changed_certificate"
    assert "CN=somebody else" in err.reason
    assert server.sessions == 0


@pytest.mark.fault(
    48,
    injection="the server's certificate has expired",
    expectation="refused and named, unless the link accepts it",
)
async def test_an_expired_certificate_is_refused_unless_the_link_accepts_it(
    server: SecureServer, tmp_path: Path
) -> None:
    server.certificate = certificate(begins=timedelta(days=-9), ends=timedelta(days=-2))
    await start_and_trust(tmp_path, server)
    err = await refusal(tmp_path, server, security=encrypted())
    assert code_of(err) == "opcua_expired_certificate"
    accepted = encrypted(accept_expired=True)
    assert await first_values(tmp_path, server, security=accepted) == {"m/count": 7}


@pytest.mark.fault(
    24,
    injection="the machine starts in January 1970 and meets a server whose certificate is trusted",
    expectation="the link is not opened and says that the clock of this machine may be the cause;"
    " it opens once the clock is set",
)
async def test_a_certificate_of_the_future_asks_for_the_clock(
    server: SecureServer, tmp_path: Path
) -> None:
    await start_and_trust(tmp_path, server)
    assert await first_values(tmp_path, server, security=encrypted()) == {"m/count": 7}
    in_1970 = datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)
    err = await refusal(tmp_path, server, security=encrypted(), now=lambda: in_1970)
    assert code_of(err) == "opcua_early_certificate"
    assert "clock of this machine" in err.hint
    assert await first_values(tmp_path, server, security=encrypted()) == {"m/count": 7}


async def test_what_is_not_offered_is_answered_with_what_is(
    server: SecureServer, tmp_path: Path
) -> None:
    server.policies = (
        ua.SecurityPolicyType.NoSecurity,
        ua.SecurityPolicyType.Aes256Sha256RsaPss_Sign,
    )
    await server.start()
    err = await refusal(tmp_path, server, security=encrypted())
    assert code_of(err) == "opcua_not_offered"
    assert "basic256sha256 sign_and_encrypt" in err.reason
    assert "none, aes256-sha256-rsapss sign." in err.hint


async def test_what_is_shown_as_a_certificate_and_is_none_is_said(
    server: SecureServer, tmp_path: Path
) -> None:
    await server.start()
    server.show(b"0\x82\x01\x00 not a certificate")
    assert code_of(await refusal(tmp_path, server, security=encrypted())) == "opcua_no_certificate"


async def test_a_trust_list_that_cannot_be_read_trusts_nobody_and_is_named(
    server: SecureServer, tmp_path: Path
) -> None:
    await start_and_trust(tmp_path, server)
    unreadable = tmp_path / "pki/trusted/a.der"
    unreadable.mkdir()
    err = await refusal(tmp_path, server, security=encrypted())
    assert code_of(err) == "opcua_unusable_file"
    assert str(unreadable) in err.reason


async def test_the_host_in_the_servers_endpoints_does_not_matter(
    server: SecureServer, tmp_path: Path
) -> None:
    await start_and_trust(tmp_path, server)
    await server.stop()
    server.host_in_endpoints = "plc-7.cell-3.invalid"
    await server.start()
    assert await first_values(tmp_path, server, security=encrypted()) == {"m/count": 7}


@pytest.mark.fault(
    48,
    injection="the server does not trust our certificate",
    expectation="refused, with the file to give to the server",
)
async def test_the_server_must_trust_us_too_and_is_told_where_our_certificate_is(
    server: SecureServer, tmp_path: Path
) -> None:
    server.trusted_clients = set()
    await start_and_trust(tmp_path, server)
    err = await refusal(tmp_path, server, security=encrypted())
    assert code_of(err) == "opcua_we_are_untrusted"
    own = tmp_path / "pki/own/cert.der"
    assert str(own) in err.hint
    server.trusted_clients.add(own.read_bytes())
    assert await first_values(tmp_path, server, security=encrypted()) == {"m/count": 7}


@pytest.mark.fault(
    48,
    injection="our own certificate has expired",
    expectation="said when the server refuses it",
)
async def test_u14_when_our_certificate_is_over_we_go_on_and_say_it_when_refused(
    server: SecureServer, tmp_path: Path
) -> None:
    await start_and_trust(tmp_path, server)
    files = OwnFiles(tmp_path / "pki", home(tmp_path))
    own = await asyncio.to_thread(files.identity, datetime.now(UTC) - VALID_FOR - timedelta(days=1))
    assert await first_values(tmp_path, server, security=encrypted()) == {"m/count": 7}
    server.trusted_clients = set()
    err = await refusal(tmp_path, server, security=encrypted())
    assert code_of(err) == "opcua_own_expired"
    assert await asyncio.to_thread(files.shown) == own.certificate


@pytest.mark.parametrize("mode", ["sign", "sign_and_encrypt"])
async def test_a_user_logs_in_with_a_password_from_a_file(
    mode: str, server: SecureServer, tmp_path: Path
) -> None:
    server.tokens = [ua.UserNameIdentityToken]
    server.users.passwords["millgate"] = PASSWORD
    await start_and_trust(tmp_path, server)
    (tmp_path / "plc").write_text(f"{PASSWORD}\n", "utf-8")
    login: dict[str, Any] = {
        "security": {"mode": mode},
        "user": {"name": "millgate", "password_file": "plc"},
    }
    assert await first_values(tmp_path, server, **login) == {"m/count": 7}
    server.users.passwords["millgate"] = "another"
    err = await refusal(tmp_path, server, **login)
    assert code_of(err) == "opcua_user_refused"
    assert PASSWORD not in str(err)


async def test_no_password_is_sent_where_it_could_be_read(
    server: SecureServer, tmp_path: Path
) -> None:
    server.plain_passwords = True
    server.users.passwords["millgate"] = PASSWORD
    await start_and_trust(tmp_path, server)
    (tmp_path / "plc").write_text(PASSWORD, "utf-8")
    login = {"user": {"name": "millgate", "password_file": "plc"}}
    err = await refusal(tmp_path, server, security={"mode": "sign"}, **login)
    assert code_of(err) == "opcua_plain_password"
    assert await first_values(tmp_path, server, security=encrypted(), **login) == {"m/count": 7}


async def test_a_password_is_never_on_the_wire(server: SecureServer, tmp_path: Path) -> None:
    server.users.passwords["millgate"] = PASSWORD
    await server.start()
    seen = bytearray()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            seen.extend(data)
            writer.write(data)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", server.port)
        ways = [asyncio.create_task(copy(*way)) for way in ((reader, outer), (inner, writer))]
        with suppress(OSError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (outer, writer):
            end.close()
        await asyncio.gather(*ways, return_exceptions=True)

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as tap:
        port = tap.sockets[0].getsockname()[1]
        endpoint = f"opc.tcp://127.0.0.1:{port}"
        await trust(tmp_path, server, endpoint)
        (tmp_path / "plc").write_text(PASSWORD, "utf-8")
        user = {"name": "millgate", "password_file": "plc"}
        driver = secure_driver(
            tmp_path, endpoint, {"m/count": "count"}, security={"mode": "sign"}, user=user
        )
        async with asyncio.timeout(60), driver.open() as session:
            assert (await session.read(())).changed == {"m/count": 7}
    assert b"millgate" in seen
    assert PASSWORD.encode() not in seen


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_certificate_logs_in(policy: str, server: SecureServer, tmp_path: Path) -> None:
    person = certificate("line 3", uri="urn:suzhou:line-3")
    server.users.certificates = {der(person)}
    await start_and_trust(tmp_path, server)
    (tmp_path / "line3.der").write_bytes(der(person))
    (tmp_path / "line3.pem").write_bytes(key_pem())
    login = {
        "security": {"policy": policy},
        "user_certificate": {"cert_file": "line3.der", "key_file": "line3.pem"},
    }
    assert await first_values(tmp_path, server, **login) == {"m/count": 7}
    server.users.certificates.clear()
    err = await refusal(tmp_path, server, **login)
    assert code_of(err) == "opcua_user_certificate_refused"


async def test_a_login_the_server_does_not_take_is_answered_with_those_it_takes(
    server: SecureServer, tmp_path: Path
) -> None:
    server.tokens = [ua.UserNameIdentityToken]
    await start_and_trust(tmp_path, server)
    err = await refusal(tmp_path, server, security=encrypted())
    assert code_of(err) == "opcua_no_such_login"
    assert err.hint == "it takes: user"


async def test_a_server_without_open_sessions_asks_for_security(
    server: SecureServer, tmp_path: Path
) -> None:
    server.policies = (ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,)
    await server.start()
    err = await refusal(tmp_path, server)
    assert code_of(err) == "opcua_needs_security"


async def test_a_missing_password_file_is_named(server: SecureServer, tmp_path: Path) -> None:
    await start_and_trust(tmp_path, server)
    login = {"user": {"name": "millgate", "password_file": "plc"}}
    err = await refusal(tmp_path, server, security=encrypted(), **login)
    assert code_of(err) == "opcua_unusable_file"
    assert str(tmp_path / "plc") in err.reason


async def test_a_secured_channel_is_renewed_and_values_go_on(
    server: SecureServer, tmp_path: Path
) -> None:
    hours = 0.0
    await start_and_trust(tmp_path, server)
    driver = secure_driver(
        tmp_path,
        server.endpoint,
        {"m/count": "count"},
        monotonic=lambda: time.monotonic() + hours * 3600,
        security=encrypted(),
    )
    async with asyncio.timeout(60), driver.open() as session:
        await session.read(())
        [first] = server.channel_tokens
        for renewals, count in enumerate((8, 9, 10), start=1):
            hours += 0.8
            await server.set("count", count)
            while not (await session.read(())).changed:
                pass
            assert server.channel_tokens == [first + renewals]


async def test_a_server_that_hangs_up_on_us_is_understood(
    server: SecureServer, tmp_path: Path
) -> None:
    """As controllers do: the endpoints are told to everybody, the channel is refused."""
    await server.start()
    refusals = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refusals
        hello = await _message(reader)
        writer.write(b"ACKF" + struct.pack("<I5I", 28, 0, 65536, 65536, 0, 0))
        opening = await _message(reader)
        if b"#None" not in opening:
            refusals += 1
            writer.write(b"ERRF" + struct.pack("<IIi", 16, 0x80130000, -1))
        else:
            await _relayed(hello, opening, reader, writer, server.port)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as front:
        endpoint = f"opc.tcp://127.0.0.1:{front.sockets[0].getsockname()[1]}"
        await trust(tmp_path, server, endpoint)
        driver = secure_driver(tmp_path, endpoint, {"m/count": "count"}, security=encrypted())
        with pytest.raises(Misconfigured) as caught:
            async with asyncio.timeout(60), driver.open():
                pass
    assert refusals == 1
    assert code_of(caught.value) == "opcua_we_are_untrusted"
    assert "BadSecurityChecksFailed" in caught.value.reason


async def test_a_refusal_in_place_of_the_channel_is_understood(tmp_path: Path) -> None:
    fault = ua.ServiceFault()
    fault.ResponseHeader.ServiceResult = ua.StatusCode(ua.StatusCodes.BadSecurityPolicyRejected)
    channel = SecureConnection(SecurityPolicyNone(), TransportLimits(65535, 65535, 0, 0))
    refused = channel.message_to_binary(
        struct_to_binary(fault), message_type=ua.MessageType.SecureOpen, request_id=1
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _message(reader)
        writer.write(b"ACKF" + struct.pack("<I5I", 28, 0, 65536, 65536, 0, 0))
        await _message(reader)
        writer.write(refused)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as front:
        endpoint = f"opc.tcp://127.0.0.1:{front.sockets[0].getsockname()[1]}"
        driver = secure_driver(tmp_path, endpoint, {"m/count": "count"})
        with pytest.raises(Misconfigured) as caught:
            async with asyncio.timeout(60), driver.open():
                pass
    assert code_of(caught.value) == "opcua_needs_security"
    assert "BadSecurityPolicyRejected" in caught.value.reason


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(8)
    return head + await reader.readexactly(struct.unpack("<I", head[4:])[0] - 8)


async def _relayed(
    hello: bytes,
    opening: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int,
) -> None:
    inner, outer = await asyncio.open_connection("127.0.0.1", port)
    outer.write(hello)
    await _message(inner)
    with suppress(asyncio.IncompleteReadError):
        while True:
            outer.write(opening)
            writer.write(await _message(inner))
            opening = await _message(reader)
    outer.close()


async def test_a_secured_server_that_is_away_is_unreachable_and_no_socket_is_left(
    server: SecureServer, tmp_path: Path
) -> None:
    await start_and_trust(tmp_path, server)
    for _ in range(3):
        assert await first_values(tmp_path, server, security=encrypted()) == {"m/count": 7}
    await until(lambda: server.connections == 0, timeout_s=90)
