import asyncio
from typing import Any, cast

import pytest

from gateway.ops.mqtt_link import MqttLink
from gateway.ops.mqtt_terms import ConnectionLost, Refused
from gateway.publish.mqtt import Connection
from tests.support.until import until
from tests.unit.publish.running import running


class FakeLink:
    """A link whose broker allows two unconfirmed messages."""

    def __init__(self) -> None:
        self.receive_maximum = 2
        self.sent: list[str] = []
        self.futures: list[asyncio.Future[None]] = []
        self.gone = False

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
        link.futures[1].set_result(None)
        await until(lambda: link.sent == ["a", "b", "c"])
        link.futures[0].set_exception(Refused("no", 0x87))
        await until(lambda: link.sent == ["a", "b", "c", "d"])


async def test_what_was_sent_is_confirmed_later() -> None:
    link, connection = opened()
    one, other = await connection.send("a", b""), await connection.send("b", b"")
    assert not one.done()
    link.futures[0].set_result(None)
    await one
    link.futures[1].set_exception(Refused("no", 0x87))
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
