"""Where each message goes: the contract's topic tree, both ways.

- An equipment's topics have four levels under the root; a missing area or line is ``_``.
- A segment is ``[a-z0-9][a-z0-9_-]{0,39}``, so no equipment can be taken for ``_gateways``.
- `parse_topic` understands exactly what the builders here make and refuses the rest.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from gateway.wire.error import WireError

SEGMENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_LEVEL = r"(\+|_|[a-z0-9][a-z0-9_-]{0,39})"
PLACE_FILTER = rf"^({_LEVEL}/#|{_LEVEL}/{_LEVEL}/#|{_LEVEL}/{_LEVEL}/{_LEVEL})$"
"""Of areas, lines and equipment, as MQTT writes filters: ``stamping/#``, ``+/+/press-03``."""
_LEVELS = 3
MISSING = "_"
GATEWAYS = "_gateways"


def _checked(name: str, value: str, *, optional: bool = False) -> None:
    if not (optional and value == MISSING) and SEGMENT.fullmatch(value) is None:
        raise WireError(f"{name}: {value!r} is not a topic segment")


def _checked_root(root: str) -> None:
    for segment in root.split("/"):
        _checked("root", segment)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an equipment hangs in the tree; WireError if a segment is not one."""

    root: str
    site: str
    area: str
    line: str
    equipment: str

    def __post_init__(self) -> None:
        _checked_root(self.root)
        _checked("site", self.site)
        _checked("area", self.area, optional=True)
        _checked("line", self.line, optional=True)
        _checked("equipment", self.equipment)

    @property
    def subject(self) -> str:
        """site/area/line/equipment, as events carry it."""
        return f"{self.site}/{self.area}/{self.line}/{self.equipment}"

    @property
    def topic(self) -> str:
        """What all its topics begin with; `parse_place` reads it."""
        return f"{self.root}/{self.subject}"


@dataclass(frozen=True, slots=True)
class PlaceFilter:
    """Some of a site's equipment; WireError if ``text`` is no such filter."""

    levels: tuple[str, ...]
    """Area, line, equipment; ``+`` for any."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what ``text`` means."""
        if re.fullmatch(PLACE_FILTER, text, re.ASCII) is None:
            raise WireError(f"{text!r} is no filter of area/line/equipment")
        given = [level for level in text.split("/") if level != "#"]
        return cls((*given, *["+"] * (_LEVELS - len(given))))

    def __str__(self) -> str:
        return "/".join(self.levels)

    def matches(self, place: Place) -> bool:
        """Whether it means this equipment."""
        found = (place.area, place.line, place.equipment)
        return all(level in {"+", name} for level, name in zip(self.levels, found, strict=True))


def is_meant(place: Place, filters: Collection[PlaceFilter]) -> bool:
    """Whether one of them means this equipment; no filter means all."""
    return not filters or any(one.matches(place) for one in filters)


def event_topic(place: Place, type_: str, part: str = "") -> str:
    """Return the topic of an event; ``part`` is the group of a reading, else ""."""
    tail = f"/{part}" if part else ""
    return f"{place.root}/{place.subject}/evt/{type_}{tail}"


def state_topic(place: Place, kind: str) -> str:
    """Return the retained topic of one kind of snapshot."""
    return f"{place.root}/{place.subject}/state/{kind}"


def birth_topic(place: Place) -> str:
    """Return the retained topic of the equipment's dictionary."""
    return f"{place.root}/{place.subject}/birth"


def command_topic(place: Place, name: str = "order") -> str:
    """Return where this equipment is asked; ``name`` is one of `gateway.wire.command.COMMANDS`."""
    return f"{place.root}/{place.subject}/cmd/{name}"


@dataclass(frozen=True, slots=True)
class GatewayTopics:
    """The topics of one gateway; WireError if a segment is not one."""

    root: str
    site: str
    gateway: str

    def __post_init__(self) -> None:
        _checked_root(self.root)
        _checked("site", self.site)
        _checked("gateway", self.gateway)

    @property
    def _under(self) -> str:
        return f"{self.root}/{self.site}/{GATEWAYS}/{self.gateway}"

    @property
    def source(self) -> str:
        """The CloudEvents source of everything this gateway says."""
        return f"/{self.site}/gateways/{self.gateway}"

    @property
    def online(self) -> str:
        """Retained; the will writes it too."""
        return f"{self._under}/online"

    @property
    def birth(self) -> str:
        """Retained: equipment, epochs, time zone, schema versions."""
        return f"{self._under}/birth"

    @property
    def health(self) -> str:
        """Retained: the newest seq per stream, backlog, drops."""
        return f"{self._under}/health"

    @property
    def cmd_replay(self) -> str:
        """Where consumers ask for what they missed."""
        return f"{self._under}/cmd/replay"

    @property
    def selftest(self) -> str:
        """Where a MQTT 3.1.1 session hears itself."""
        return f"{self._under}/selftest"

    def reply(self, command_id: str) -> str:
        """Return where the answer to a command goes when it named no response topic."""
        return f"{self._under}/reply/{command_id}"


@dataclass(frozen=True, slots=True)
class EquipmentTopic:
    """A topic under an equipment: ``kind`` evt, state, birth or cmd, then its name.

    ``name`` is the event type, the kind of snapshot or the command; ``part`` the reading
    group. Both are "" where there is none.
    """

    place: Place
    kind: str
    name: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class GatewayTopic:
    """A topic under a gateway: online, birth, health, selftest, cmd or reply."""

    gateway: GatewayTopics
    kind: str
    name: str = ""


_EQUIPMENT_TAIL = re.compile(
    r"(?:(?P<named>evt|state|cmd)/(?P<name>[a-z]+)|evt/(?P<reading>reading)/(?P<part>[^/]+)|birth)"
)
_GATEWAY_TAIL = re.compile(r"(?P<kind>online|birth|health|selftest)|cmd/replay|reply/(?P<id>[^/]+)")
_GATEWAY_LEVELS = 2
_EQUIPMENT_LEVELS = 4


def parse_place(topic: str) -> Place:
    """Return the place whose ``topic`` this is; WireError if it is none."""
    levels = topic.split("/")
    if len(levels) <= _EQUIPMENT_LEVELS:
        raise WireError(f"{topic!r} has too few levels")
    return Place("/".join(levels[:-_EQUIPMENT_LEVELS]), *levels[-_EQUIPMENT_LEVELS:])


def parse_topic(root: str, topic: str) -> EquipmentTopic | GatewayTopic:
    """Return what ``topic`` is under ``root``; WireError if it is not of the contract."""
    if not topic.startswith(f"{root}/"):
        raise WireError(f"{topic!r} is not under {root!r}")
    levels = topic[len(root) + 1 :].split("/")
    if len(levels) > _GATEWAY_LEVELS and levels[1] == GATEWAYS:
        return _parse_gateway(root, levels)
    if len(levels) <= _EQUIPMENT_LEVELS:
        raise WireError(f"{topic!r} has too few levels")
    place = Place(root, *levels[:_EQUIPMENT_LEVELS])
    tail = "/".join(levels[_EQUIPMENT_LEVELS:])
    match = _EQUIPMENT_TAIL.fullmatch(tail)
    if match is None:
        raise WireError(f"{tail!r} is not of an equipment")
    if match["part"] is not None:
        return EquipmentTopic(place, "evt", match["reading"], match["part"])
    return EquipmentTopic(place, match["named"] or "birth", match["name"] or "")


def _parse_gateway(root: str, levels: list[str]) -> GatewayTopic:
    gateway = GatewayTopics(root, levels[0], levels[2])
    tail = "/".join(levels[3:])
    match = _GATEWAY_TAIL.fullmatch(tail)
    if match is None:
        raise WireError(f"{tail!r} is not of a gateway")
    if match["id"] is not None:
        return GatewayTopic(gateway, "reply", match["id"])
    return GatewayTopic(gateway, match["kind"] or "cmd", "" if match["kind"] else "replay")
