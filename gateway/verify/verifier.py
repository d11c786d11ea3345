"""Whether what stands on a broker keeps the contract: every message is judged as it comes.

- Each topic is one of the contract, each payload fits its JSON Schema, what is said twice
  (topic, subject, source, type, id) agrees, and CloudEvents attributes keep the rules of the
  specification: names of ``[a-z0-9]{1,20}``, whole numbers of 32 bits.
- Identity, order and completeness of events: `Streams`. Gateways and snapshots in time: `Presence`.
- Retained is what must be, and nothing else.
- Nothing that is sent can make it fail, and its memory is bounded.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from gateway.domain.vocabulary import Json
from gateway.verify.attributes import attribute_flaws
from gateway.verify.findings import Finding, Findings, Flaw
from gateway.verify.presence import Presence
from gateway.verify.shape import flaws as shape_flaws
from gateway.verify.streams import Streams
from gateway.wire.cloudevent import CONTENT_TYPE, decode
from gateway.wire.error import WireError
from gateway.wire.fields import json_object
from gateway.wire.schema import schemas
from gateway.wire.topics import EquipmentTopic, GatewayTopic, parse_topic

MAX_DETAILS = 3
"""So many flaws of one message are named."""
_RETAINED = frozenset({"state", "birth", "gateway/online", "gateway/birth", "gateway/health"})


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came, ``at`` an aware time that never goes back.

    ``content_type`` is None where the protocol (MQTT 3.1.1) has none to say.
    """

    topic: str
    payload: bytes
    retain: bool
    at: datetime
    qos: int = 1
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was heard, and what is wrong with it."""

    messages: int
    events: int
    gateways: Sequence[str]
    equipment: Collection[str]
    violations: int
    findings: Sequence[Finding]

    def data(self) -> Json:
        """As JSON."""
        return {
            "ok": not self.findings,
            "messages": self.messages,
            "events": self.events,
            "gateways": list(self.gateways),
            "equipment": sorted(self.equipment),
            "violations": self.violations,
            "findings": [finding.data() for finding in self.findings],
        }


class Verifier:
    """Fed with every message under one root; `report` may be called once, at the end."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._schemas = schemas()
        self._findings = Findings()
        self._streams = Streams()
        self._presence = Presence()
        self.messages = 0
        """Judged so far."""
        self._events = 0
        self._equipment: set[str] = set()
        self._to_be_kept: set[str] = set()

    def take(self, heard: Heard) -> None:
        """Judge one message."""
        self.messages += 1
        try:
            flaws = self._judge(heard)
        except WireError as err:
            flaws = [Flaw("topic", str(err))]
        self._findings.add(heard.topic, flaws)

    def interrupted(self, at: datetime) -> None:
        """Take that we were not listening until ``at``: what was missed is nobody's fault."""
        self._streams.interrupted()
        self._presence.interrupted(at)

    def report(self, now: datetime, kept: Collection[str] | None = None) -> Report:
        """Return what was found. Holes and what is too late are judged now.

        ``kept`` are the topics on which a late subscriber gets something, None if not known.
        """
        for topic, flaw in [*self._streams.holes(), *self._presence.flaws(now)]:
            self._findings.add(topic, [flaw])
        known = self._to_be_kept if kept is None else kept
        for topic in sorted(self._to_be_kept.difference(known)):
            self._findings.add(topic, [Flaw("not_retained", "a late subscriber does not get it")])
        if not self._presence.sources:
            self._findings.add(self._root, [Flaw("silent", f"nothing under {self._root}/")])
        return Report(
            self.messages,
            self._events,
            self._presence.sources,
            self._equipment,
            self._findings.total,
            self._findings.all(),
        )

    def _judge(self, heard: Heard) -> list[Flaw]:
        topic = parse_topic(self._root, heard.topic)
        name = _name(topic)
        if name == "gateway/selftest":
            return []
        if name not in self._schemas:
            raise WireError(f"nothing is defined for {name}")
        flaws = self._manners(heard, name)
        if not heard.payload and name.partition("/")[0] in {"state", "birth", "gateway"}:
            self._to_be_kept.discard(heard.topic)
            self._presence.forget(heard.topic)
            return flaws
        try:
            body = json_object(heard.payload)
        except WireError as err:
            return [*flaws, Flaw("schema", str(err))]
        found = islice(shape_flaws(self._schemas[name], body), MAX_DETAILS)
        misshapen = [Flaw("schema", detail) for detail in found]
        if misshapen:
            return flaws + misshapen
        if isinstance(topic, GatewayTopic):
            return flaws + self._gateway(topic, body, heard)
        return flaws + self._of_equipment(topic, body, heard)

    def _manners(self, heard: Heard, name: str) -> list[Flaw]:
        """Judge how it was sent."""
        flaws = []
        must = name.partition("/")[0] in {"state", "birth"} or name in _RETAINED
        if must and not heard.retain:
            self._to_be_kept.add(heard.topic)
        if heard.retain and not must:
            flaws.append(Flaw("retained", name))
        if heard.qos != 1:
            flaws.append(Flaw("qos", f"QoS {heard.qos}"))
        return flaws

    def _gateway(self, topic: GatewayTopic, body: Json, heard: Heard) -> list[Flaw]:
        if topic.kind not in {"online", "health"}:
            return []
        return self._presence.say(topic.gateway, topic.kind, body, heard.at, retained=heard.retain)

    def _of_equipment(self, topic: EquipmentTopic, body: Json, heard: Heard) -> list[Flaw]:
        self._equipment.add(topic.place.subject)
        if topic.kind not in {"evt", "state"}:
            return []
        flaws = attribute_flaws(body)
        if heard.content_type not in {None, CONTENT_TYPE}:
            flaws.append(Flaw("attributes", f"content type {heard.content_type}"))
        try:
            event = decode(heard.payload)
        except WireError as err:
            return [*flaws, Flaw("mismatch", str(err))]
        if event.subject != topic.place.subject:
            flaws.append(Flaw("mismatch", f"subject {event.subject}"))
        if not event.source.startswith(f"/{topic.place.site}/"):
            flaws.append(Flaw("mismatch", f"source {event.source}"))
        if topic.part != body["data"].get("group", ""):
            flaws.append(Flaw("mismatch", f"group {body['data'].get('group')}"))
        if topic.kind == "state":
            valid_until = datetime.fromisoformat(body["data"]["valid_until"])
            self._presence.snapshot(heard.topic, event, valid_until)
            return flaws
        self._events += 1
        return flaws + self._presence.event(event) + self._streams.take(heard.topic, event)


def _name(topic: EquipmentTopic | GatewayTopic) -> str:
    """Return the name of the message's schema."""
    if isinstance(topic, GatewayTopic):
        if topic.kind == "cmd":
            return f"cmd/{topic.name}"
        return "reply" if topic.kind == "reply" else f"gateway/{topic.kind}"
    return f"{topic.kind}/{topic.name}" if topic.name else topic.kind
