"""What a batch of MQTT messages means: pure.

Every message becomes exactly one thing: an event, a birth, a word of a gateway, a dead
letter, or nothing (a birth that was cleared).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.domain.vocabulary import Json
from gateway.historian.store import Birth, DeadLetter
from gateway.ops.mqtt_terms import Message
from gateway.wire.cloudevent import Envelope, decode
from gateway.wire.error import WireError
from gateway.wire.fields import json_object
from gateway.wire.topics import GatewayTopic, PlaceFilter, is_meant, parse_topic


@dataclass(frozen=True, slots=True)
class Word:
    """What a gateway says of itself: online, health, birth or a reply."""

    source: str
    kind: str
    data: Json


@dataclass(frozen=True, slots=True)
class Sorted:
    """One batch, by what is to be done with it."""

    events: list[Envelope] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)


def filters(root: str, site: str, places: Collection[PlaceFilter] = ()) -> list[str]:
    """Return what a historian of these places, by default of all, subscribes to."""
    gateway = f"{root}/{site}/_gateways/+"
    wanted = []
    for place in places or (PlaceFilter(("+", "+", "+")),):
        equipment = f"{root}/{site}/{place}"
        wanted += [f"{equipment}/evt/#", f"{equipment}/birth"]
    return wanted + [f"{gateway}/{kind}" for kind in ("health", "birth", "online", "reply/+")]


def sort(
    messages: Sequence[Message],
    *,
    root: str,
    now: datetime,
    places: Collection[PlaceFilter] = (),
) -> Sorted:
    """Return what the messages mean; what cannot be understood becomes a dead letter.

    What is of other places is left out: filters overlap, and a broker's session remembers
    those of yesterday.
    """
    result = Sorted()
    for message in messages:
        try:
            _put(result, message, root, places)
        except WireError as err:
            result.dead.append(DeadLetter(now, message.topic, message.payload, str(err)))
    return result


def _put(result: Sorted, message: Message, root: str, places: Collection[PlaceFilter]) -> None:
    topic = parse_topic(root, message.topic)
    if isinstance(topic, GatewayTopic):
        if message.payload:
            word = Word(topic.gateway.source, topic.kind, json_object(message.payload))
            result.words.append(word)
    elif not is_meant(topic.place, places):
        return
    elif topic.kind == "evt":
        event = decode(message.payload)
        if event.streamseq == 0:
            raise WireError("a snapshot is no event")
        result.events.append(event)
    elif topic.kind == "birth" and message.payload:
        place = topic.place
        data = json_object(message.payload)
        result.births.append(Birth("", place.equipment, place.subject, data))


class Origins:
    """Which gateway speaks for which equipment: a birth does not say, its gateway's does."""

    def __init__(self) -> None:
        self._sources: dict[str, str] = {}
        self._waiting: dict[str, Birth] = {}

    def learn(self, source: str, equipment: Iterable[str]) -> None:
        """Note that this gateway speaks for this equipment."""
        self._sources.update(dict.fromkeys(equipment, source))

    def claim(self, births: Iterable[Birth]) -> list[Birth]:
        """Return the births whose gateway is known by now, those that waited for it included."""
        self._waiting.update({birth.equipment: birth for birth in births})
        known = self._waiting.keys() & self._sources.keys()
        return [
            replace(self._waiting.pop(name), source=self._sources[name]) for name in sorted(known)
        ]


def equipment_in(gateway_birth: Json) -> list[str]:
    """Return the equipment a gateway's birth lists: names, or objects that have one."""
    listed = gateway_birth.get("equipment")
    if not isinstance(listed, (list, dict)):
        return []
    names = [one.get("equipment") if isinstance(one, dict) else one for one in listed]
    return [name for name in names if isinstance(name, str)]
