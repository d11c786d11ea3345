"""What differs between two checked configurations, and what each difference touches.

Pure: two `Site`s in, plain data out.

- A link has changed if its settings or its tags have: it is opened anew. Every other link
  keeps its session.
- An equipment has changed if anything said of it has, its links apart.
- What only a new start takes up is named by its key in ``gateway.yaml``.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pydantic import BaseModel

from gateway.domain.rules import EquipmentRules
from gateway.settings.site import EquipmentConfig, LinkConfig, Site

COLLECTOR_KEYS = ("site", "gateway", "clock", "mqtt", "journal", "metrics", "pki")
"""Keys of ``gateway.yaml`` that a running collector has built upon."""

_PARTS: Mapping[str, tuple[str, ...]] = {
    "status": ("status", "mode", "min_hold_s", "repeat_s", "alive"),
    "counters": ("counters", "balance", "ideal_cycle_ms"),
    "faults": ("faults", "max_shelf_s"),
    "tags": ("tags", "snapshot_s"),
    "calendar": ("calendar",),
    "usage": ("usage",),
    "stage": ("stage",),
}


@dataclass(frozen=True, slots=True)
class Names:
    """What came, went and stayed under its name but is not the same."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def counts(self) -> dict[str, int]:
        """Return how many of each."""
        return {one.name: len(getattr(self, one.name)) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A link that has to be opened anew."""

    settings: tuple[str, ...]
    """Keys that differ; ``protocol`` if that is another one."""
    tags: Names


@dataclass(frozen=True, slots=True)
class EquipmentChange:
    """An equipment about which something else is said."""

    parts: tuple[str, ...]
    """Of ``name``, ``place``, ``status``, ``counters``, ``faults``, ``tags``, ``calendar``,
    ``usage``, ``stage``."""
    rebased: tuple[str, ...] = ()
    """Counters whose next reading is a baseline, because it means something else."""


@dataclass(frozen=True, slots=True)
class SiteDiff:
    """Everything that differs."""

    gateway: tuple[str, ...] = ()
    """Keys of ``gateway.yaml``, dotted."""
    links: Names = field(default_factory=Names)
    link_changes: Mapping[str, LinkChange] = field(default_factory=dict)
    equipment: Names = field(default_factory=Names)
    equipment_changes: Mapping[str, EquipmentChange] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.gateway or self.links or self.equipment)

    @property
    def reopened(self) -> frozenset[str]:
        """Links that get a new session."""
        return frozenset(self.links.changed) | frozenset(self.links.added)

    @property
    def closed(self) -> frozenset[str]:
        """Links whose session ends."""
        return frozenset(self.links.changed) | frozenset(self.links.removed)

    def needs_restart(self, keys: Collection[str]) -> tuple[str, ...]:
        """Return what differs below these keys of ``gateway.yaml``."""
        return tuple(key for key in self.gateway if key.partition(".")[0] in keys)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many of each, for people."""
        return {"equipment": self.equipment.counts(), "links": self.links.counts()}


def compare(before: Site, after: Site) -> SiteDiff:
    """Return what has to be done to come from one to the other."""
    links = {
        name: _link_change(before.links[name], after.links[name])
        for name in _common(before.links, after.links)
        if _link_differs(before.links[name], after.links[name])
    }
    equipment = {
        name: change
        for name in _common(before.equipment, after.equipment)
        if (change := _equipment_change(before.equipment[name], after.equipment[name])).parts
    }
    return SiteDiff(
        gateway=tuple(_different_keys(before.gateway, after.gateway)),
        links=_names(before.links, after.links, links),
        link_changes=links,
        equipment=_names(before.equipment, after.equipment, equipment),
        equipment_changes=equipment,
    )


def _common(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return sorted(before.keys() & after.keys())


def _names(before: Collection[str], after: Collection[str], changed: Iterable[str] = ()) -> Names:
    old, new = set(before), set(after)
    return Names(tuple(sorted(new - old)), tuple(sorted(old - new)), tuple(sorted(changed)))


def _link_differs(before: LinkConfig, after: LinkConfig) -> bool:
    """Ask for the same tags in any order."""
    if (before.protocol, before.settings) != (after.protocol, after.settings):
        return True
    return {tag.key: tag for tag in before.tags} != {tag.key: tag for tag in after.tags}


def _link_change(before: LinkConfig, after: LinkConfig) -> LinkChange:
    # How often a tag is read stands in the link's settings.
    old, new = ({t.key: (t.group, t.settings) for t in one.tags} for one in (before, after))
    changed = [key for key in _common(old, new) if old[key] != new[key]]
    settings: tuple[str, ...] = ("protocol",)
    if before.protocol == after.protocol:
        settings = tuple(_different_keys(before.settings, after.settings))
    return LinkChange(settings, _names(old, new, changed))


def _different_keys(before: Any, after: Any, above: str = "") -> Iterable[str]:
    """Name what differs in two settings of one class, as deep as both have keys."""
    if isinstance(before, BaseModel) and type(before) is type(after):
        for name in type(before).model_fields:
            yield from _different_keys(
                getattr(before, name), getattr(after, name), f"{above}.{name}" if above else name
            )
    elif before != after:
        yield above


def _equipment_change(before: EquipmentConfig, after: EquipmentConfig) -> EquipmentChange:
    parts = ["name"] if before.name != after.name else []
    if (before.area, before.line) != (after.area, after.line):
        parts.append("place")
    parts += [
        part
        for part, names in _PARTS.items()
        if any(getattr(before.rules, name) != getattr(after.rules, name) for name in names)
    ]
    return EquipmentChange(tuple(parts), _rebased(before.rules, after.rules))


def _rebased(before: EquipmentRules, after: EquipmentRules) -> tuple[str, ...]:
    held = {counter.name: counter.identity for counter in before.counters}
    return tuple(
        counter.name
        for counter in after.counters
        if counter.name in held and held[counter.name] != counter.identity
    )
