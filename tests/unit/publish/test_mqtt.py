import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from gateway.ops.mqtt_link import MqttLink, connect
from gateway.ops.mqtt_terms import BrokerSettings, ConnectionLost, Refused, Session
from gateway.publish.mqtt import Connection
from tests.support.broker import mosquitto
from tests.support.until import until
from tests.unit.publish.running import running


class FakeLink:
    """A link whose broker allows two unconfirmed messages."""

    def __init__(self) -> None:
        self.receive_maximum = 2
        self.sent: list[str] = []
        self.futures: list[asyncio.Future[None]] = []
        self.gone = False
        self.tell: Callable[[Sequence[float]], None]

    def on_published(self, tell: Callable[[Sequence[float]], None]) -> None:
        self.tell = tell

    def answer(self, number: int, error: Refused | None = None) -> None:
        if error is None:
            self.futures[number].set_result(None)
        else:
            self.futures[number].set_exception(error)
        self.tell([asyncio.get_running_loop().time()])

    def publish(self, topic: str, _payload: bytes, **_more: Any) -> asyncio.Future[None]:
        if self.gone:
            raise ConnectionLost("gone")
        self.sent.append(topic)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        return future


def opened() -> tuple[FakeLink, Connection]:
    link = FakeLink()
    return link, Connection(cast("MqttLink", link))


async def test_the_receive_maximum_holds_for_all_senders_in_turn() -> None:
    link, connection = opened()
    senders = [connection.send(name, b"") for name in ("a", "b", "c", "d")]
    async with running(*senders):
        await until(lambda: link.sent == ["a", "b"])
        link.answer(1)
        await until(lambda: link.sent == ["a", "b", "c"])
        link.answer(0, Refused("no", 0x87))
        await until(lambda: link.sent == ["a", "b", "c", "d"])
    link.futures[0].exception()


async def test_what_was_sent_is_confirmed_later() -> None:
    link, connection = opened()
    one, other = await connection.send("a", b""), await connection.send("b", b"")
    assert not one.done()
    link.answer(0)
    await one
    link.answer(1, Refused("no", 0x87))
    with pytest.raises(Refused):
        await other


async def test_a_lost_link_takes_no_room() -> None:
    link, connection = opened()
    link.gone = True
    for _ in range(3):
        with pytest.raises(ConnectionLost):
            await connection.send("a", b"")
    link.gone = False
    await connection.send("a", b"")
    await connection.send("b", b"")
    assert link.sent == ["a", "b"]


async def test_what_the_broker_would_not_take_takes_no_room() -> None:
    with mosquitto(extra=["max_packet_size 2000", "max_inflight_messages 1"]) as broker:
        at = BrokerSettings(host=broker.host, port=broker.port)
        async with connect(at, Session(client_id="out")) as link:
            connection = Connection(link)
            for _ in range(3):
                with pytest.raises(Refused, match="more than the 2000"):
                    await (await connection.send("a", bytes(3000)))
            await (await connection.send("a", b""))
