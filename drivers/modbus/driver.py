"""One unit behind a Modbus TCP server, as a driver: its tags, its groups, its sessions."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from drivers.contract import BadSetting, Misconfigured, Shared, TagGroup, TagRequest
from drivers.modbus.address import ADDRESSES, BIT_TABLES, Table, parse, show
from drivers.modbus.bus import bus_of
from drivers.modbus.clock import Clock
from drivers.modbus.decode import Reading
from drivers.modbus.plan import GroupPlan, Limits, Place
from drivers.modbus.session import ModbusSession
from drivers.modbus.settings import REGISTERS, LinkSettings, TagSettings, ValueType


@dataclass(frozen=True, slots=True)
class Point:
    """One tag, ready to be planned and decoded."""

    place: Place
    reading: Reading


class ModbusDriver:
    """One link: a unit, its tags, and the bus it shares."""

    def __init__(
        self,
        settings: LinkSettings,
        tags: Sequence[TagRequest],
        points: Mapping[str, Point],
        shared: Shared,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        self._shared = shared
        self._points = dict(points)
        self.groups: tuple[TagGroup, ...] = tuple(_groups(settings, tags))

    @property
    def endpoint(self) -> str:
        """``host:port#unit``."""
        return endpoint_of(self._settings)

    def plans(self) -> dict[str, GroupPlan]:
        """Return the requests of each group, for reading and for people."""
        limits = Limits(
            self._settings.max_registers_per_read,
            self._settings.max_bits_per_read,
            self._settings.max_gap_registers,
        )
        return {
            group.name: GroupPlan.of((self._points[key].place for key in group.keys), limits)
            for group in self.groups
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator["ModbusSession"]:
        """Join the bus; raises Unreachable if nobody listens there."""
        settings = self._settings
        bus = bus_of(self._shared, settings.host, settings.port, clock=self._clock)
        async with bus.entered(settings.timeout_ms / 1000):
            readings = {key: point.reading for key, point in self._points.items()}
            yield ModbusSession(settings, bus, self.plans(), readings, clock=self._clock)


def endpoint_of(settings: LinkSettings) -> str:
    """Return ``host:port#unit``: links that agree in it share a session."""
    return f"{settings.host}:{settings.port}#{settings.unit_id}"


def point_of(link: LinkSettings, key: str, tag: TagSettings) -> Point:
    """Return where and how a tag is read; raises Misconfigured naming it by ``key``."""
    try:
        table, offset = parse(tag.address, link.family)
        kind = tag.type or ("bool" if table in BIT_TABLES or tag.bit is not None else "uint16")
        _check(tag, table, offset, kind, link)
    except BadSetting as err:
        raise Misconfigured.of(endpoint_of(link), key, err) from err
    width = 1 if table in BIT_TABLES else REGISTERS[kind]
    reading = Reading(kind, tag.order, tag.bit, tag.scale, tag.offset)
    return Point(Place(key, table, offset, width), reading)


def _check(
    tag: TagSettings, table: Table, offset: int, kind: ValueType, link: LinkSettings
) -> None:
    """Raise BadSetting if such a value cannot be read there."""
    place = show(table, offset)
    if table in BIT_TABLES:
        if kind != "bool" or tag != TagSettings(address=tag.address, type=tag.type):
            raise BadSetting(
                "modbus_single_bit",
                "{place} is a single bit",
                "leave out all but the address, or name a register (hr:, ir:)",
                place=place,
            )
        return
    words = REGISTERS[kind]
    if kind == "bool" and tag.bit is None:
        raise BadSetting(
            "modbus_which_bit",
            "{place} is a register of 16 bits",
            "say which one is the bool: bit: 0 .. 15",
            place=place,
        )
    if offset + words > ADDRESSES:
        raise BadSetting(
            "modbus_no_room",
            "{place} has no room for a {type}",
            "0-based addresses end at 65535 (0xFFFF)",
            place=place,
            type=kind,
        )
    if words > link.max_registers_per_read:
        raise BadSetting(
            "modbus_too_wide",
            "{place} as {type} takes {words} registers",
            "max_registers_per_read is {limit}; raise it",
            place=place,
            type=kind,
            words=words,
            limit=link.max_registers_per_read,
        )


def _groups(settings: LinkSettings, tags: Sequence[TagRequest]) -> Iterator[TagGroup]:
    names = dict.fromkeys(tag.group for tag in tags)
    for name in names:
        members = [tag for tag in tags if tag.group == name]
        interval_s = next(
            (tag.poll_interval_s for tag in members if tag.poll_interval_s is not None),
            settings.poll_interval_ms / 1000,
        )
        yield TagGroup(name, interval_s, frozenset(tag.key for tag in members))
