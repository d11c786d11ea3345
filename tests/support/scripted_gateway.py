"""A gateway as consumers see it: a list of events, published as told, sent again on demand."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.ops.mqtt_link import MqttLink, connect
from gateway.ops.mqtt_terms import BrokerSettings, ConnectionLost, Session
from gateway.wire.cloudevent import Envelope
from gateway.wire.topics import GatewayTopics
from tests.support.stores import EPOCH, text

ROOT = "mg/v1"
TOPICS = GatewayTopics(ROOT, "plant", "gw-01")


@dataclass
class ScriptedGateway:
    """``events`` is its journal; ``publish`` sends some of them, ``serve`` answers replays."""

    at: BrokerSettings
    events: dict[int, Envelope] = field(default_factory=dict)
    epoch: str = EPOCH
    first_seq: int = 1
    mute: int = 0
    """So many replay requests it takes without an answer."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    _link: MqttLink | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["ScriptedGateway"]:
        """Be online, and answer replays, for a while."""
        async with connect(self.at, Session(client_id="scripted-gateway")) as link:
            self._link = link
            await link.subscribe([TOPICS.cmd_replay])
            serving = asyncio.create_task(self._serve(link))
            try:
                yield self
            finally:
                serving.cancel()
                await asyncio.wait([serving])
                self._link = None

    def journal(self, *events: Envelope) -> None:
        """Add events to the journal without sending them."""
        self.events.update({event.seq: event for event in events})

    async def publish(self, events: Iterable[Envelope], *, replay: bool = False) -> None:
        """Send them, confirmed, in this order."""
        window = [self._send(event, replay=replay) for event in events]
        await asyncio.gather(*window)

    async def say(self, topic: str, body: dict[str, Any], *, retain: bool = True) -> None:
        """Publish one JSON message."""
        assert self._link is not None
        await self._link.publish(topic, orjson.dumps(body), retain=retain)

    async def health(self, sent_seq: int | None = None) -> None:
        """Publish the health of the journal, all of it sent."""
        last: dict[str, int] = {}
        for event in self.events.values():
            last[event.type] = max(last.get(event.type, 0), event.seq)
        sent = max(last.values(), default=0) if sent_seq is None else sent_seq
        body = {"epoch": self.epoch, "last_seq": last, "sent_seq": sent, "backlog": 0}
        await self.say(TOPICS.health, body)

    def _send(self, event: Envelope, *, replay: bool) -> asyncio.Future[None]:
        assert self._link is not None
        topic = f"{ROOT}/{event.subject}/evt/{event.type}"
        if event.type == "reading":
            topic += f"/{event.data['group']}"
        return self._link.publish(topic, message(event, replay=replay))

    async def _serve(self, link: MqttLink) -> None:
        try:
            while True:
                for received in await link.receive(10):
                    link.ack(received)
                    await self._answer(orjson.loads(received.payload))
        except ConnectionLost:
            return

    async def _answer(self, request: dict[str, Any]) -> None:
        self.requests.append(request)
        if self.mute:
            self.mute -= 1
            return
        id_ = request["command_id"]
        if request["from_seq"] < self.first_seq or request["epoch"] != self.epoch:
            body = {"accepted": False, "error": "OUT_OF_RANGE", "first_seq": self.first_seq}
            body |= {"last_seq": max(self.events, default=0), "epoch": self.epoch}
        else:
            range_ = range(request["from_seq"], request["to_seq"] + 1)
            rows = [self.events[seq] for seq in sorted(self.events) if seq in range_]
            for start in range(0, len(rows), 50):
                await self.publish(rows[start : start + 50], replay=True)
            body = {"accepted": True, "count": len(rows), "upto_seq": request["to_seq"]}
        await self.say(TOPICS.reply(id_), body | {"command_id": id_}, retain=False)


def message(event: Envelope, *, replay: bool = False) -> bytes:
    """Return the event as it travels."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": f"millgate.{event.type}.v1",
            "subject": event.subject,
            "time": text(event.time),
            "recordedtime": text(event.recordedtime),
            "datacontenttype": "application/json",
            "dataschema": f"urn:millgate:{event.type}:1",
            "epoch": event.epoch,
            "streamseq": event.streamseq,
            "replay": replay,
            "data": event.data,
        }
    )
