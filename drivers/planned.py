"""What a link will ask of its device, how long that takes, and what a shared bus makes of it.

- A plan is made of settings alone; nothing is asked of any device.
- A bus serves one request at a time: its load is the time all its links ask for, divided by
  their intervals. Above 1 they cannot all be met.
- A unit that does not answer holds its bus up for one timeout each time it is tried.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request (or subscription) and the keys of the tags it brings."""

    text: str
    tags: tuple[str, ...]
    duration_s: float
    """0 where the device pushes."""


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """What is asked for one tag group at its interval; None: the device pushes."""

    name: str
    poll_interval_s: float | None
    requests: tuple[PlannedRequest, ...]

    @property
    def scan_s(self) -> float:
        """How long one scan takes if nobody else uses the bus."""
        return sum(request.duration_s for request in self.requests)


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What is asked over one link."""

    bus: str
    """Links that agree in it wait for each other."""
    basis: str
    """What the times rest on, in no language's words; a ``?`` marks what is assumed."""
    timeout_s: float
    groups: tuple[PlannedGroup, ...]
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """``zh`` and ``en``: what the protocol has to say beside the requests, line by line."""


@dataclass(frozen=True, slots=True)
class BusLoad:
    """What the links on one bus amount to together."""

    bus: str
    links: tuple[str, ...]
    load: float
    """Share of the time in which the bus is busy; above 1 is more than there is."""
    pass_s: float
    """All groups of all links once, one after the other: the longest a scan can wait."""
    timeout_s: float
    """The longest of its links."""

    def worst_period_s(self, dead: int) -> float:
        """Return after how long each living unit was read again if ``dead`` others are silent."""
        return self.pass_s + dead * self.timeout_s


def loads_of(plans: Mapping[str, LinkPlan]) -> tuple[BusLoad, ...]:
    """Return the load of each bus; ``plans`` are by the name of the link."""
    members: dict[str, list[str]] = defaultdict(list)
    for name in sorted(plans):
        members[plans[name].bus].append(name)
    return tuple(_load(bus, names, plans) for bus, names in sorted(members.items()))


def _load(bus: str, names: Iterable[str], plans: Mapping[str, LinkPlan]) -> BusLoad:
    mine = tuple(names)
    groups = [group for name in mine for group in plans[name].groups if group.poll_interval_s]
    return BusLoad(
        bus=bus,
        links=mine,
        load=sum(group.scan_s / (group.poll_interval_s or 1) for group in groups),
        pass_s=sum(group.scan_s for group in groups),
        timeout_s=max(plans[name].timeout_s for name in mine),
    )
