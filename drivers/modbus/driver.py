"""One unit behind a Modbus TCP server, as a driver: its tags, its groups, its sessions."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from drivers.clock import Clock
from drivers.contract import Shared, TagGroup, TagRequest
from drivers.modbus.bus import Bus, bus_of
from drivers.modbus.cost import limits_of
from drivers.modbus.plan import GroupPlan
from drivers.modbus.point import Point, point_of
from drivers.modbus.session import ModbusSession
from drivers.modbus.settings import LinkSettings, endpoint_of


class ModbusDriver:
    """One link: a unit, its tags, and the bus it shares."""

    def __init__(
        self,
        settings: LinkSettings,
        tags: Sequence[TagRequest],
        shared: Shared,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        self._shared = shared
        self._tags = tuple(tags)
        self.groups: tuple[TagGroup, ...] = tuple(_groups(settings, tags))

    @property
    def endpoint(self) -> str:
        """``host:port#unit``."""
        return endpoint_of(self._settings)

    def points(self) -> dict[str, Point]:
        """Return where and how each tag is read; raises Misconfigured for one that cannot be."""
        return {tag.key: point_of(self._settings, tag.key, tag.settings) for tag in self._tags}

    def plans(self) -> dict[str, GroupPlan]:
        """Return the requests of each group, for people."""
        return self._plans(self.points())

    def _plans(self, points: Mapping[str, Point]) -> dict[str, GroupPlan]:
        limits = limits_of(self._settings)
        return {
            group.name: GroupPlan.of((points[key].place for key in group.keys), limits)
            for group in self.groups
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator["ModbusSession"]:
        """Join the bus; raises Unreachable if nobody listens there."""
        settings = self._settings
        bus = bus_of(self._shared, settings, clock=self._clock)
        async with bus.entered(settings.timeout_ms / 1000):
            yield self._session(bus)

    def _session(self, bus: Bus) -> ModbusSession:
        points = self.points()  # of use until it is planned; a session lasts
        readings = {key: point.reading for key, point in points.items()}
        return ModbusSession(self._settings, bus, self._plans(points), readings, clock=self._clock)


def _groups(settings: LinkSettings, tags: Sequence[TagRequest]) -> Iterator[TagGroup]:
    names = dict.fromkeys(tag.group for tag in tags)
    for name in names:
        members = [tag for tag in tags if tag.group == name]
        interval_s = next(
            (tag.poll_interval_s for tag in members if tag.poll_interval_s is not None),
            settings.poll_interval_ms / 1000,
        )
        yield TagGroup(name, interval_s, frozenset(tag.key for tag in members))
