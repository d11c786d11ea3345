"""MQTT to the store of record, as a MES would do it.

- A message is acknowledged after the transaction that holds it, never before; killed in
  between, it comes again and changes nothing.
- The broker keeps our session (``session_expiry_s``); what it loses is asked for again.
- Messages that have arrived become one transaction; nothing waits for more.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from gateway.historian.asking import Asker, Request
from gateway.historian.inbox import Origins, Word, equipment_in, filters, sort
from gateway.historian.ledger import Loss, Series, equipment_of
from gateway.historian.missing import read_report
from gateway.historian.record import Record
from gateway.historian.settings import HistorianSettings
from gateway.ops.clock import Clock
from gateway.ops.mqtt_link import MqttLink, connect
from gateway.ops.mqtt_terms import BrokerSettings, Message, Refused, Session
from gateway.wire.topics import GatewayTopics

TICK_S = 0.25
_REQUEST_LIFE_S = 60

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Received:
    """What has come in since the start."""

    messages: int = 0
    connected: bool = False


class Consumer:
    """The messages of a site, or of some places in it, into one record.

    ``run`` lasts as long as one connection.
    """

    def __init__(
        self, settings: HistorianSettings, record: Record, asker: Asker, clock: Clock
    ) -> None:
        self.received = Received()
        self._settings = settings
        self._record = record
        self._asker = asker
        self._clock = clock
        self._origins = Origins()
        for stream in record.ledger.marks:
            self._origins.learn(stream.source, [stream.equipment])

    async def run(
        self,
        broker: BrokerSettings,
        on_connected: Callable[[], None],
        is_done: Callable[[], bool] = lambda: False,
    ) -> None:
        """Connect and consume until the connection ends, or ``is_done`` between two batches.

        Raises MqttError, StoreError.
        """
        settings = self._settings
        session = Session(
            client_id=settings.client_id,
            clean_start=False,
            expiry_s=settings.session_expiry_s,
            receive_maximum=settings.batch,
        )
        async with connect(broker, session) as link:
            await link.subscribe(filters(settings.root, settings.site, settings.places))
            self._asker.connected(self._clock.mono_s())
            self.received.connected = True
            on_connected()
            try:
                while not is_done():
                    messages = await _receive(link, settings.batch)
                    if messages and broker.protocol != "5":
                        self._asker.suspect()  # nobody knows how large our window is
                    await self._take(link, messages)
                    if self._may_have_been_slow(len(messages)):
                        self._asker.suspect()
                    await self._ask(link)
            finally:
                self.received.connected = False

    async def _take(self, link: MqttLink, messages: Sequence[Message]) -> None:
        if not messages:
            return
        settings = self._settings
        content = sort(messages, root=settings.root, now=self._clock.now(), places=settings.places)
        for word in content.words:
            if word.kind == "birth":
                self._origins.learn(word.source, equipment_in(word.data))
        for event in content.events:
            self._origins.learn(event.source, [equipment_of(event)])
        births = self._origins.claim(content.births)
        if content.events or births or content.dead:
            await self._record.write(content.events, births, content.dead)
        for message in messages:
            link.ack(message)
        self.received.messages += len(messages)
        self._asker.stored(content.events, self._clock.mono_s())
        for word in content.words:
            self._hear(word)

    def _hear(self, word: Word) -> None:
        if word.kind == "online":
            self._asker.online(word.source, is_online=word.data.get("online") is True)
        elif word.kind == "health":
            report = read_report(word.source, word.data)
            if report is not None:
                self._asker.report(report)
        elif word.kind == "reply":
            refusal = self._asker.answer(word.data, self._clock.mono_s())
            if refusal is not None:
                _log.warning("%s refuses a replay: %s", word.source, refusal)

    def _may_have_been_slow(self, arrived: int) -> bool:
        """Whether the broker may have queued for us, as it does when our window is full.

        It may then have dropped what was too much.
        """
        stalled, self._record.stalled = self._record.stalled, False
        return stalled or 2 * arrived >= self._settings.batch

    async def _ask(self, link: MqttLink) -> None:
        ledger, now_s = self._record.ledger, self._clock.mono_s()
        self._asker.learn(ledger)
        positions, losses = self._asker.settled(ledger, now_s)
        for series, seq in positions:
            await self._record.change(ledger.plan_position(series, seq))
        if losses:
            await self._write_off(losses)
        for request in self._asker.due(ledger, now_s):
            await self._send(link, request)

    async def _write_off(self, losses: Sequence[Loss]) -> None:
        await self._record.change(self._record.ledger.plan_loss(losses))
        for loss in losses:
            _log.error(
                "lost for ever: %s %s %s, streamseq %d to %d: %s",
                loss.stream.source,
                loss.stream.equipment,
                loss.stream.type,
                loss.hole.first,
                loss.hole.last,
                loss.reason,
            )

    async def _send(self, link: MqttLink, request: Request) -> None:
        topics = self._topics(request.series)
        if topics is None:
            return
        body: dict[str, object] = {
            "command_id": request.command_id,
            "epoch": request.series.epoch,
            "from_seq": request.from_seq,
            "to_seq": request.to_seq,
        }
        if self._settings.places:
            body["places"] = [str(place) for place in self._settings.places]
        try:
            await link.publish(
                topics.cmd_replay,
                orjson.dumps(body),
                content_type="application/json",
                response_topic=topics.reply(request.command_id),
                expiry_s=_REQUEST_LIFE_S,
            )
        except Refused as err:
            _log.warning("the broker refuses %s: %s", topics.cmd_replay, err.reason)

    def _topics(self, series: Series) -> GatewayTopics | None:
        site, _, gateway = series.source.removeprefix("/").partition("/gateways/")
        if site != self._settings.site:
            return None
        return GatewayTopics(self._settings.root, site, gateway)


async def _receive(link: MqttLink, limit: int) -> list[Message]:
    """Return what has come in; nothing after TICK_S, when what is due must be looked at."""
    try:
        async with asyncio.timeout(TICK_S):
            return await link.receive(limit)
    except TimeoutError:
        return []
