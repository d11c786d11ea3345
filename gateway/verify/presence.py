"""What gateways say of themselves, held against what they do.

- A gateway that is online reports its health before the time it named; a snapshot of it is
  inside its ``valid_until``. Its clock is compared with ours by its live health, so that a
  clock that is wrong is not taken for silence.
- What its health says was sent has arrived here, once we have heard one health live.
- Nobody publishes events while ``online`` is false. An ``online`` of an earlier session is old
  news: the will of a connection that the broker noticed late.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.domain.vocabulary import Json
from gateway.verify.findings import Flaw
from gateway.wire.cloudevent import Envelope
from gateway.wire.topics import GatewayTopics

GRACE = timedelta(seconds=5)
"""So much later than it was announced a report may come."""


@dataclass(slots=True)
class _Gateway:
    topics: GatewayTopics
    since: datetime
    """When we began to listen to it."""
    online: bool | None = None
    session: int = 0
    period: timedelta = timedelta(seconds=10)
    """From one health to the next, as it says."""
    health_at: datetime | None = None
    """When its last live health came, by our clock."""
    skew: timedelta | None = None
    """How much our clock is ahead of its own."""
    newest: dict[tuple[str, str], int] = field(default_factory=dict)
    """(epoch, type) -> newest seq that came, or that was sent before we could know."""
    snapshots: dict[str, datetime] = field(default_factory=dict)
    """topic -> valid until."""


class Presence:
    """Follows all gateways. Times are aware and of our clock unless they come in a message."""

    def __init__(self) -> None:
        self._gateways: dict[str, _Gateway] = {}

    @property
    def sources(self) -> list[str]:
        """Every gateway that said something of itself."""
        return sorted(self._gateways)

    def say(
        self, topics: GatewayTopics, kind: str, body: Json, at: datetime, *, retained: bool
    ) -> list[Flaw]:
        """Take ``online`` or ``health``, already known to fit its schema."""
        gateway = self._gateways.setdefault(topics.source, _Gateway(topics, at))
        if kind == "online":
            self._online(gateway, body)
            return []
        return self._health(gateway, body, at, retained=retained)

    def event(self, event: Envelope) -> list[Flaw]:
        """Take an event that came as it happened, or again."""
        gateway = self._gateways.get(event.source)
        if gateway is None:
            return []
        stream = (event.epoch, event.type)
        gateway.newest[stream] = max(event.seq, gateway.newest.get(stream, 0))
        if gateway.online is False:
            return [Flaw("offline", event.id)]
        return []

    def snapshot(self, topic: str, event: Envelope, valid_until: datetime) -> None:
        """Take a snapshot of an equipment."""
        gateway = self._gateways.get(event.source)
        if gateway is not None:
            gateway.snapshots[topic] = valid_until

    def forget(self, topic: str) -> None:
        """Take that a retained topic was cleared."""
        for gateway in self._gateways.values():
            gateway.snapshots.pop(topic, None)

    def interrupted(self, at: datetime) -> None:
        """Take that we were not listening until ``at``."""
        for gateway in self._gateways.values():
            gateway.health_at, gateway.since = None, at
            gateway.newest.clear()

    def flaws(self, now: datetime) -> Iterator[tuple[str, Flaw]]:
        """Yield topic and flaw of what is too late by now."""
        for gateway in self._gateways.values():
            if not gateway.online:
                continue
            heard = gateway.health_at or gateway.since
            if now > heard + gateway.period + GRACE:
                late_s = (now - heard).total_seconds()
                yield gateway.topics.health, Flaw("overdue", f"none for {late_s:.0f} s")
            if gateway.skew is not None:
                there = now - gateway.skew - GRACE
                for topic, valid_until in gateway.snapshots.items():
                    if valid_until < there:
                        yield topic, Flaw("expired", f"valid_until {valid_until.isoformat()}")

    def _online(self, gateway: _Gateway, body: Json) -> None:
        if body["session"] >= gateway.session:
            gateway.session, gateway.online = body["session"], body["online"]

    def _health(self, gateway: _Gateway, body: Json, at: datetime, *, retained: bool) -> list[Flaw]:
        written = datetime.fromisoformat(body["at"])
        gateway.period = datetime.fromisoformat(body["next_report_at"]) - written
        if retained:
            return []
        first, gateway.health_at, gateway.skew = gateway.health_at is None, at, at - written
        flaws = []
        for type_, seq in body["last_seq"].items():
            stream, here = (body["epoch"], type_), gateway.newest.get((body["epoch"], type_), 0)
            if here < seq <= body["sent_seq"]:
                gateway.newest[stream] = seq
                if not first:
                    flaws.append(Flaw("behind", f"{type_}: seq {seq} was sent, {here} is here"))
        return flaws
