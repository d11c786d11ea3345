"""Which part of a batch belongs to which equipment: pure, but for what it remembers of coverings.

- A link may serve several equipment; the keys of its tags are ``<equipment>/<tag>``.
- Each equipment that a batch covers gets its part, an empty one too: a sign of life.
- What a batch tells is gone through once, however many equipment there are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import TypeVar

from drivers.contract import Batch
from gateway.domain.facts import Observation
from gateway.domain.vocabulary import NOTHING, StampQuality

KEY_SEPARATOR = "/"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Share:
    """One equipment's part of a covering."""

    equipment: str
    tags: frozenset[str]


class Parting:
    """Remembers whose the tags of a covering are: a link covers the same ones again and again."""

    def __init__(self) -> None:
        """Nothing was covered yet."""
        self._shares: dict[frozenset[str], tuple[_Share, ...]] = {}
        self._alike: dict[frozenset[str], frozenset[str]] = {}
        """Tags seen so far: equal machines have equal tags, and one set does for all."""

    def forget(self) -> None:
        """Other coverings are to come."""
        self._shares.clear()

    def of(
        self, link: str, batch: Batch, quality: StampQuality
    ) -> Iterator[tuple[str, Observation]]:
        """Give each equipment that is covered, by name, and what the batch says about it.

        ``quality`` is what the stamps without one of the device's own are worth.
        """
        changed, bad = _parted(batch.changed), _parted(batch.bad)
        source_times, overflowed = _parted(batch.source_times), _parted(batch.overflowed)
        uncertain = _parted(dict.fromkeys(batch.uncertain)) if batch.uncertain else {}
        for share in self._shares.get(batch.covers) or self._shared(batch.covers):
            name = share.equipment
            yield (
                name,
                Observation(
                    link,
                    batch.read_at,
                    batch.mono_s,
                    share.tags,
                    changed.get(name, NOTHING),
                    bad.get(name, NOTHING),
                    source_times.get(name, NOTHING),
                    frozenset(uncertain.get(name, NOTHING)),
                    overflowed.get(name, NOTHING),
                    quality,
                    batch.rtt_s,
                ),
            )

    def _shared(self, covers: frozenset[str]) -> tuple[_Share, ...]:
        by_equipment: dict[str, set[str]] = {}
        for key in covers:
            equipment, _, tag = key.partition(KEY_SEPARATOR)
            by_equipment.setdefault(equipment, set()).add(intern(tag))
        shares = tuple(
            _Share(equipment, self._alike.setdefault(alike := frozenset(tags), alike))
            for equipment, tags in sorted(by_equipment.items())
        )
        self._shares[covers] = shares
        return shares


def _parted(of: Mapping[str, _T]) -> dict[str, dict[str, _T]]:
    """Return equipment -> tag -> value."""
    parts: dict[str, dict[str, _T]] = {}
    for key, value in of.items():
        equipment, _, tag = key.partition(KEY_SEPARATOR)
        part = parts.get(equipment)
        if part is None:
            parts[equipment] = part = {}
        part[intern(tag)] = value
    return parts
