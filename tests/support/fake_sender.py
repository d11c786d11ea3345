"""A broker reduced to what the publisher's parts see of it."""

import asyncio
from dataclasses import dataclass, field

import orjson

from gateway.domain.vocabulary import Json
from gateway.ops.mqtt_pending import code_name
from gateway.ops.mqtt_terms import ConnectionLost, Refused


@dataclass(slots=True)
class Sent:
    """One message handed to the broker."""

    topic: str
    payload: bytes
    retain: bool
    confirmed: asyncio.Future[None]
    content_type: str | None = None
    correlation: bytes | None = None

    @property
    def content(self) -> Json:
        content: Json = orjson.loads(self.payload)
        return content


@dataclass
class FakeSender:
    """Follows `gateway.publish.mqtt.Sender`: confirms, refuses or waits, as told."""

    confirms: bool = True
    denied: set[str] = field(default_factory=set)
    reason_code: int = 0x87
    """Why what is denied is."""
    sent: list[Sent] = field(default_factory=list)
    lost: bool = False

    async def send(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str | None = None,
        correlation: bytes | None = None,
    ) -> asyncio.Future[None]:
        if self.lost:
            raise ConnectionLost("gone")
        confirmed = asyncio.get_running_loop().create_future()
        one = Sent(topic, payload, retain, confirmed, content_type, correlation)
        self.sent.append(one)
        if topic in self.denied:
            confirmed.set_exception(Refused(code_name(self.reason_code), self.reason_code))
            confirmed.exception()
        elif self.confirms:
            confirmed.set_result(None)
        return confirmed

    def lose(self) -> None:
        """End the connection: nothing under way is confirmed any more."""
        self.lost = True
        for one in self.sent:
            if not one.confirmed.done():
                one.confirmed.set_exception(ConnectionLost("gone"))
                one.confirmed.exception()

    def on(self, topic: str) -> list[Json]:
        return [one.content for one in self.sent if one.topic == topic]

    def seqs(self) -> list[int]:
        """Return the seqs of the events sent so far."""
        events = [one.content["id"] for one in self.sent if "/evt/" in one.topic]
        return [int(id_.rpartition("-")[2]) for id_ in events]
