"""The way to a session, against real servers; what is wrong with nodes; raw readings."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asyncua import ua

from drivers.contract import Home, TagRequest
from drivers.opcua import SPEC
from drivers.opcua.probe import doubts, probe, reach
from drivers.opcua.raw import read_raw
from drivers.opcua.settings import LinkSettings
from drivers.probed import Step
from tests.support.modbus_device import device
from tests.support.opcua_rig import URI, OpcUaServer, opcua_server
from tests.support.opcua_secure import SecureServer

EVERY = "basic256sha256 sign"


@pytest.fixture
async def plc() -> AsyncIterator[OpcUaServer]:
    async with opcua_server({"count": 41, "heat": 20.5}) as server:
        yield server


@pytest.fixture
async def secured() -> AsyncIterator[SecureServer]:
    server = SecureServer({"count": 41})
    await server.start()
    yield server
    await server.stop()
    await asyncio.get_running_loop().shutdown_default_executor()


def link(endpoint: str, directory: Path | None = None, **settings: object) -> LinkSettings:
    given = {"endpoint": endpoint, "timeout_s": 1.0, **settings}
    if directory is None:
        return LinkSettings.model_validate(given)
    home = Home(directory, directory / "pki", "suzhou", "gw-01", lambda name: directory / name)
    return LinkSettings.model_validate(given, context=home)


async def steps(settings: LinkSettings) -> tuple[bool, list[Step]]:
    told: list[Step] = []
    return await probe(settings, [], told.append), told


def names(told: list[Step]) -> list[str]:
    return [one.name for one in told]


def cause(step: Step) -> str:
    assert step.cause is not None
    return step.cause.code


async def test_an_open_server_is_three_steps(plc: OpcUaServer) -> None:
    well, told = await steps(link(plc.endpoint))
    assert well
    assert names(told) == ["endpoint", "security", "session"]
    assert told[0].detail == "none"
    assert URI in told[2].detail
    assert plc.subscriptions == []


async def test_what_a_server_offers_is_listed(secured: SecureServer) -> None:
    _, told = await steps(link(secured.endpoint))
    assert EVERY in told[0].detail
    assert "aes256-sha256-rsapss sign_and_encrypt" in told[0].detail


async def test_security_that_is_not_offered(plc: OpcUaServer, tmp_path: Path) -> None:
    well, told = await steps(link(plc.endpoint, tmp_path, security={"mode": "sign"}))
    assert not well
    assert (names(told), cause(told[-1])) == (["endpoint", "security"], "opcua_not_offered")


async def test_a_certificate_nobody_trusted_yet(secured: SecureServer, tmp_path: Path) -> None:
    well, told = await steps(link(secured.endpoint, tmp_path, security={}))
    assert not well
    assert (told[-1].name, cause(told[-1])) == ("security", "opcua_untrusted")


async def test_a_server_that_takes_no_open_session(secured: SecureServer) -> None:
    await secured.stop()
    secured.policies = (ua.SecurityPolicyType.Basic256Sha256_Sign,)
    await secured.start()
    well, told = await steps(link(secured.endpoint))
    assert not well
    assert (told[-1].name, cause(told[-1])) == ("session", "opcua_needs_security")


async def test_anonymous_users_are_refused(secured: SecureServer) -> None:
    await secured.stop()
    secured.tokens = [ua.UserNameIdentityToken]
    await secured.start()
    well, told = await steps(link(secured.endpoint))
    assert not well
    assert (told[-1].name, cause(told[-1])) == ("session", "opcua_no_such_login")


async def test_what_is_no_opcua_server() -> None:
    async with device() as modbus:
        well, told = await steps(link(f"opc.tcp://127.0.0.1:{modbus.port}", timeout_s=0.3))
    assert not well
    assert names(told) == ["endpoint"]
    assert cause(told[0]) in {"server_silent", "server_hung_up"}


async def test_what_talks_something_else() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ftp server ready, who are you\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        well, told = await steps(link(f"opc.tcp://127.0.0.1:{port}", timeout_s=0.5))
    assert not well
    assert cause(told[0]) in {"foreign_server", "server_hung_up", "server_silent", "driver_error"}


def test_where_a_connection_is_to_be_taken() -> None:
    assert reach(link("opc.tcp://plc-7")) == ("plc-7", 4840)
    assert reach(link("opc.tcp://plc-7:4841/path")) == ("plc-7", 4841)


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (f"nsu={URI};s=gone", "node_absent"),
        ("nsu=urn:nobody;s=count", "namespace_absent"),
        ("ns=77;s=count", "namespace_absent"),
    ],
)
async def test_a_missing_node_is_told_from_a_missing_namespace(
    node: str, code: str, plc: OpcUaServer
) -> None:
    tag = TagRequest("cell/x", "g", None, SPEC.tag_settings(node=node))
    found = await doubts(link(plc.endpoint), [tag], {}, {"cell/x": "missing_node"})
    (said,) = found["cell/x"]
    assert said.code == code
    assert URI in str(said.fields["known"])


async def test_without_a_missing_node_nobody_is_asked() -> None:
    tag = TagRequest("cell/x", "g", None, SPEC.tag_settings(node="ns=2;s=x"))
    assert await doubts(link("opc.tcp://127.0.0.1:1"), [tag], {"cell/x": 1}, {}) == {}


async def test_nodes_are_read_raw_and_decoded(plc: OpcUaServer) -> None:
    settings: dict[str, dict[str, object]] = {
        "count": {"node": f"nsu={URI};s=count", "scale": 10},
        "gone": {"node": f"nsu={URI};s=gone"},
        "nowhere": {"node": "nsu=urn:nobody;s=x"},
        "alarms": {"conditions": "server"},
    }
    tags = [TagRequest(key, "g", None, SPEC.tag_settings(**one)) for key, one in settings.items()]
    async with read_raw(link(plc.endpoint), tags, {}) as read:
        first = {one.key: one for one in await read()}
        await plc.set("count", 42)
        second = {one.key: one for one in await read()}
    assert list(first) == ["count", "gone", "nowhere"]
    assert (first["count"].raw, first["count"].value) == ("41", 410)
    assert second["count"].value == 420
    assert first["gone"].cause == first["nowhere"].cause == "missing_node"
    assert plc.subscriptions == []
