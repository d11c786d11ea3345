"""Which part of a batch belongs to which equipment: pure, but for what it remembers of coverings.

- A link may serve several equipment; the keys of its tags are ``<equipment>/<tag>``.
- Each equipment that a batch covers gets its part, an empty one too: a sign of life.
- What a batch tells is gone through once, however many equipment there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import TypeVar

from drivers.contract import Batch
from gateway.domain.facts import Observation
from gateway.domain.vocabulary import NOTHING, StampQuality

KEY_SEPARATOR = "/"
_NONE = frozenset[str]()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Covering:
    """Whose the tags of a covering are."""

    shares: Mapping[str, frozenset[str]]
    """Equipment -> its tags."""
    tag_of: Mapping[str, str]
    """Key -> tag where all are one equipment's, as for most links; else empty."""

    def parted(self, of: Mapping[str, _T]) -> Mapping[str, Mapping[str, _T]]:
        """Return equipment -> tag -> value."""
        if self.tag_of:
            (equipment,) = self.shares
            try:
                return {equipment: {self.tag_of[key]: value for key, value in of.items()}}
            except KeyError:  # a driver tells of what it does not cover
                pass
        return _parted(of)


class Parting:
    """Remembers whose the tags of a covering are: a link covers the same ones again and again."""

    def __init__(self) -> None:
        """Nothing was covered yet."""
        self._coverings: dict[frozenset[str], _Covering] = {}
        self._alike: dict[frozenset[str], frozenset[str]] = {}
        """Tags seen so far: equal machines have equal tags, and one set does for all."""

    def forget(self) -> None:
        """Other coverings are to come."""
        self._coverings.clear()

    def of(self, link: str, batch: Batch, quality: StampQuality) -> list[tuple[str, Observation]]:
        """Return each equipment that is covered, by name, and what the batch says about it.

        ``quality`` is what the stamps without one of the device's own are worth.
        """
        covering = self._coverings.get(batch.covers) or self._covering(batch.covers)
        parted = covering.parted
        changed = parted(batch.changed) if batch.changed else {}
        bad = parted(batch.bad) if batch.bad else {}
        source_times = parted(batch.source_times) if batch.source_times else {}
        uncertain = parted(dict.fromkeys(batch.uncertain)) if batch.uncertain else {}
        overflowed = parted(batch.overflowed) if batch.overflowed else {}
        return [
            (
                name,
                Observation(
                    link,
                    batch.read_at,
                    batch.mono_s,
                    tags,
                    changed.get(name, NOTHING),
                    bad.get(name, NOTHING),
                    source_times.get(name, NOTHING),
                    frozenset(uncertain[name]) if name in uncertain else _NONE,
                    overflowed.get(name, NOTHING),
                    quality,
                    batch.rtt_s,
                ),
            )
            for name, tags in covering.shares.items()
        ]

    def _covering(self, covers: frozenset[str]) -> _Covering:
        by_equipment: dict[str, dict[str, str]] = {}
        for key in covers:
            equipment, _, tag = key.partition(KEY_SEPARATOR)
            by_equipment.setdefault(equipment, {})[key] = intern(tag)
        shares = {
            equipment: self._alike.setdefault(tags := frozenset(tag_of.values()), tags)
            for equipment, tag_of in sorted(by_equipment.items())
        }
        tag_of = by_equipment[next(iter(shares))] if len(shares) == 1 else {}
        self._coverings[covers] = covering = _Covering(shares, tag_of)
        return covering


def _parted(of: Mapping[str, _T]) -> dict[str, dict[str, _T]]:
    parts: dict[str, dict[str, _T]] = {}
    for key, value in of.items():
        equipment, _, tag = key.partition(KEY_SEPARATOR)
        part = parts.get(equipment)
        if part is None:
            parts[equipment] = part = {}
        part[intern(tag)] = value
    return parts
