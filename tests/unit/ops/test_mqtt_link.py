import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.ops.mqtt_link import connect
from gateway.ops.mqtt_terms import (
    BrokerSettings,
    ConnectionLost,
    Denied,
    Refused,
    Session,
    TlsSettings,
    Unreachable,
    Will,
)
from tests.support.broker import Broker, mosquitto
from tests.support.ports import free_port
from tests.support.until import until

ACL = "topic readwrite open/#\ntopic read shut/#\n"


@pytest.fixture(scope="module")
def plain() -> Iterator[Broker]:
    with mosquitto(acl=ACL) as running:
        yield running


@pytest.fixture(params=["5", "3.1.1"])
def at(plain: Broker, request: pytest.FixtureRequest) -> BrokerSettings:
    return BrokerSettings(host=plain.host, port=plain.port, protocol=request.param)


async def test_a_confirmed_publish_reaches_a_subscriber(at: BrokerSettings) -> None:
    async with (
        connect(at, Session(client_id="in")) as subscriber,
        connect(at, Session(client_id="out")) as publisher,
    ):
        await subscriber.subscribe(["open/a", "open/b/#"])
        await publisher.publish(
            "open/b/c", b"hello", content_type="text/plain", response_topic="r", correlation=b"1"
        )
        (message,) = await subscriber.receive(10)
        assert (message.topic, message.payload, message.qos) == ("open/b/c", b"hello", 1)
        v5 = at.protocol == "5"
        assert message.content_type == ("text/plain" if v5 else None)
        assert message.response_topic == ("r" if v5 else None)
        assert message.correlation == (b"1" if v5 else None)


async def test_what_is_not_acknowledged_comes_again(at: BrokerSettings) -> None:
    session = Session(client_id=f"kept-{at.protocol}", clean_start=False, expiry_s=60)
    async with connect(at, session) as link, connect(at, Session(client_id="out")) as publisher:
        assert not link.session_present
        await link.subscribe(["open/kept"])
        for payload in (b"1", b"2"):
            await publisher.publish("open/kept", payload)
        seen = await link.receive(1)
        link.ack(seen[0])
    async with connect(at, session) as link:
        assert link.session_present
        assert [message.payload for message in await link.receive(10)] == [b"2"]


async def test_a_refusal_is_told(plain: Broker) -> None:
    at = BrokerSettings(host=plain.host, port=plain.port)
    async with connect(at, Session(client_id="out")) as link:
        with pytest.raises(Refused) as refused:
            await link.publish("shut/a", b"1")
    assert refused.value.reason_code == 0x87


async def test_it_uses_no_thread_once_connected(at: BrokerSettings) -> None:
    async with connect(at, Session(client_id="out")) as link:
        await link.publish("open/a", b"1")
        names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if "paho" in name] == []


async def test_a_thousand_messages_keep_their_order(at: BrokerSettings) -> None:
    async with (
        connect(at, Session(client_id="in", receive_maximum=200)) as subscriber,
        connect(at, Session(client_id="out")) as publisher,
    ):
        await subscriber.subscribe(["open/many"])
        got: list[bytes] = []

        async def take() -> None:
            while len(got) < 1000:
                for message in await subscriber.receive(100):
                    got.append(message.payload)
                    subscriber.ack(message)

        taking = asyncio.create_task(take())
        for start in range(0, 1000, 20):
            sent = [publisher.publish("open/many", b"%d" % n) for n in range(start, start + 20)]
            await asyncio.gather(*sent)
        await taking
        assert got == [b"%d" % n for n in range(1000)]


@pytest.mark.parametrize("how", ["clean", "cancelled", "error"])
async def test_the_will_speaks_only_after_an_error(at: BrokerSettings, how: str) -> None:
    will = Will(topic="open/will", payload=b"gone", retain=False)
    async with connect(at, Session(client_id="in")) as watcher:
        await watcher.subscribe(["open/will", "open/end"])
        entered = asyncio.Event()

        async def live() -> None:
            async with connect(at, Session(client_id="mortal"), will=will):
                entered.set()
                if how == "error":
                    raise ValueError
                if how == "cancelled":
                    await asyncio.Event().wait()

        task = asyncio.create_task(live())
        await entered.wait()
        if how == "cancelled":
            task.cancel()
        await asyncio.wait([task])
        if how == "error":
            assert isinstance(task.exception(), ValueError)
            assert (await watcher.receive(1))[0].payload == b"gone"
        async with connect(at, Session(client_id="out")) as publisher:
            await publisher.publish("open/end", b"end")
        assert (await watcher.receive(1))[0].payload == b"end"


async def test_a_killed_broker_fails_everything_that_waits() -> None:
    with mosquitto() as broker:
        at = BrokerSettings(host=broker.host, port=broker.port)
        async with connect(at, Session(client_id="a")) as link:
            receiving = asyncio.create_task(link.receive(1))
            broker.suspend()
            sent = link.publish("a", b"1")
            broker.kill()
            with pytest.raises(ConnectionLost):
                await sent
            with pytest.raises(ConnectionLost):
                await receiving
            assert link.lost.done()
            with pytest.raises(ConnectionLost):
                link.publish("a", b"2")


async def test_a_broker_that_stops_answering_is_left() -> None:
    with mosquitto() as broker:
        at = BrokerSettings(host=broker.host, port=broker.port, ack_timeout_s=0.5)
        async with connect(at, Session(client_id="a")) as link:
            broker.suspend()
            with pytest.raises(ConnectionLost, match="no acknowledgement within"):
                await link.publish("a", b"1")


async def test_nobody_there_is_unreachable() -> None:
    at = BrokerSettings(port=free_port())
    with pytest.raises(Unreachable, match="refused"):
        async with connect(at, Session(client_id="a")):
            pass


async def test_a_mute_server_is_unreachable() -> None:
    writers: list[asyncio.StreamWriter] = []

    def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    at = BrokerSettings(port=server.sockets[0].getsockname()[1], connect_timeout_s=0.1)
    with pytest.raises(Unreachable, match="no answer"):
        async with connect(at, Session(client_id="a")):
            pass
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()


async def test_cancelling_a_connect_leaves_no_connection() -> None:
    accepted: list[asyncio.StreamReader] = []
    writers: list[asyncio.StreamWriter] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(reader)
        writers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    at = BrokerSettings(port=server.sockets[0].getsockname()[1])

    async def live() -> None:
        async with connect(at, Session(client_id="a")):
            raise AssertionError

    task = asyncio.create_task(live())
    await until(lambda: accepted)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await accepted[0].read()  # returns at the end of the stream
    writers[0].close()
    server.close()
    await server.wait_closed()


@pytest.fixture(scope="module")
def locked() -> Iterator[Broker]:
    with mosquitto(users={"gw": "right"}, tls=True) as running:
        yield running


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_tls_and_password(locked: Broker, tmp_path: Path, protocol: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("right\n")
    assert locked.tls_port is not None
    at = BrokerSettings(
        host=locked.host,
        port=locked.tls_port,
        protocol="5" if protocol == "5" else "3.1.1",
        username="gw",
        password_file=secret,
        tls=TlsSettings(ca_file=locked.ca_file),
    )
    async with connect(at, Session(client_id="a")) as link:
        await link.subscribe(["x"])
        for _ in range(50):
            link.publish("x", b"1" * 2000)
        got = 0
        while got < 50:
            for message in await link.receive(50):
                link.ack(message)
                got += 1
    secret.write_text("wrong")
    with pytest.raises(Denied) as denied:
        async with connect(at, Session(client_id="a")):
            pass
    assert denied.value.reason_code in {0x86, 0x87}


# A handshake that fails leaves the library's socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_unknown_authority_is_unreachable(locked: Broker) -> None:
    assert locked.tls_port is not None
    at = BrokerSettings(host=locked.host, port=locked.tls_port, tls=TlsSettings())
    with pytest.raises(Unreachable, match="certificate"):
        async with connect(at, Session(client_id="a")):
            pass


async def test_a_password_file_that_is_missing_is_named(locked: Broker, tmp_path: Path) -> None:
    at = BrokerSettings(
        host=locked.host, port=locked.port, username="gw", password_file=tmp_path / "none"
    )
    with pytest.raises(Unreachable, match="none"):
        async with connect(at, Session(client_id="a")):
            pass


async def test_what_paho_reads_and_what_goes_around_it_come_in_order(plain: Broker) -> None:
    at = BrokerSettings(host=plain.host, port=plain.port)
    client = Client(CallbackAPIVersion.VERSION2, client_id="stranger", protocol=MQTTv5)
    with_property = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    with_property.UserProperty = ("trace", "1")
    async with connect(at, Session(client_id="in", receive_maximum=1000)) as link:
        await link.subscribe(["open/mixed"])
        await asyncio.to_thread(client.connect, plain.host, plain.port)
        client.loop_start()
        for number in range(200):
            properties = with_property if number % 3 == 0 else None
            client.publish("open/mixed", str(number), qos=1, properties=properties)
        read: list[int] = []
        while len(read) < 200:
            for message in await link.receive(1000):
                read.append(int(message.payload))
                link.ack(message)
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
    assert read == list(range(200))
