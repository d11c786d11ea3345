"""Retained messages follow their equipment: nothing of it stays behind at an old place.

- A place is noted in the journal before anything is retained there.
- It is cleared, at once or at the next connect, once its equipment has moved, is in
  commissioning, or was retired. An equipment that merely left the configuration keeps its
  place until it is retired.
- What another gateway retains there by now is left alone.
- Of several brokers the one to be served must be cleared; the others are as far as they can
  be reached at that moment.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping

import orjson

from gateway.domain.snapshot import KINDS
from gateway.journal.identity import IdentityChange
from gateway.ops.mqtt_link import MqttLink, connect
from gateway.ops.mqtt_terms import BrokerSettings, ConnectionLost, MqttError, Refused, Session
from gateway.publish.places import Places
from gateway.publish.source import Source
from gateway.wire.topics import GatewayTopics, Place, birth_topic, parse_place, state_topic

_RECEIVE_LIMIT = 100
_log = logging.getLogger(__name__)


class Moves:
    """Keeps the journal's places and the broker's retained messages in step."""

    def __init__(self, journal: Source, places: Places, *, wait_s: float) -> None:
        """``wait_s``: how long what is retained at an old place is waited for."""
        self._journal = journal
        self._places = places
        self._wait_s = wait_s

    async def occupy(self, places: Places | None = None) -> None:
        """Note where we are about to retain something, or will once ``places`` hold."""
        noted = self._journal.places()
        live = (places or self._places).live
        new = {place.topic: name for name, place in live.items()}
        if any(noted.get(topic) != name for topic, name in new.items()):
            await self._journal.identify(IdentityChange(occupied=new))

    async def vacate(self, broker: BrokerSettings, others: Iterable[BrokerSettings] = ()) -> None:
        """Clear the places that are ours no longer. Raises MqttError of ``broker`` alone."""
        left = vacant(self._journal.places(), self._places)
        if not left:
            return
        gone = await clear(broker, self._places.topics, left, wait_s=self._wait_s)
        for other in others:
            try:
                await clear(other, self._places.topics, left, wait_s=self._wait_s)
            except MqttError as err:
                _log.warning("%s may still retain %s: %s", other.name, sorted(left), err)
        await self._journal.identify(IdentityChange(vacated=gone))


def vacant(noted: Mapping[str, str | None], places: Places) -> set[str]:
    """Return the noted places to be cleared."""
    in_use = {place.topic for place in places.live.values()}
    return {
        topic
        for topic, equipment in noted.items()
        if topic not in in_use and (equipment is None or equipment in places.equipment)
    }


async def clear(
    broker: BrokerSettings, gateway: GatewayTopics, places: Collection[str], *, wait_s: float
) -> set[str]:
    """Clear what this gateway retains at ``places``; return those where nothing is left.

    Has a session of its own. Raises MqttError, Refused apart: such a place is left out.
    """
    session = Session(client_id=f"millgate-{gateway.site}-{gateway.gateway}-moves")
    cleared = set()
    async with connect(broker, session) as link:
        others = await _places_of_others(link, gateway.source, places, wait_s)
        for topic in sorted(places):
            if topic in others or await _clear(link, parse_place(topic)):
                cleared.add(topic)
    return cleared


async def _clear(link: MqttLink, place: Place) -> bool:
    topics = [birth_topic(place), *(state_topic(place, kind) for kind in KINDS)]
    try:
        for confirmed in [link.publish(topic, b"", retain=True) for topic in topics]:
            await confirmed
    except Refused as err:
        _log.warning("the broker does not let us clear %s: %s", place.topic, err.reason)
        return False
    return True


async def _places_of_others(
    link: MqttLink, source: str, places: Collection[str], wait_s: float
) -> set[str]:
    """Return the places at which another gateway speaks."""
    try:
        await link.subscribe([f"{topic}/state/+" for topic in sorted(places)])
    except TimeoutError as err:
        raise ConnectionLost("no answer to SUBSCRIBE") from err
    others: set[str] = set()
    heard: set[str] = set()
    try:
        async with asyncio.timeout(wait_s):
            while heard < set(places):
                for message in await link.receive(_RECEIVE_LIMIT):
                    link.ack(message)
                    topic = message.topic.rsplit("/state/", 1)[0]
                    heard.add(topic)
                    if _speaker(message.payload) != source:
                        others.add(topic)
    except TimeoutError:
        pass  # nothing is retained at some of them
    return others


def _speaker(payload: bytes) -> object:
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    return message.get("source") if isinstance(message, dict) else None
