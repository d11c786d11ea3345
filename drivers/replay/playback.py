"""Where a recording stands, and what a session at that moment has to say. Pure.

Promises:

- A session that begins in the middle first lists what the device last said of each tag.
- While the recorded device was away nobody gets a session.
- A covering never vouches for a tag whose value this session has not listed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from drivers.contract import Batch, Value
from drivers.replay.recording import Event, Failed, Opened, Recording, Said

Item = TypeVar("Item")


def absence(recording: Recording, t: float) -> Failed | None:
    """Return why there was no session at ``t``; None if there was one."""
    for event in reversed(recording.events[: recording.until(t)]):
        if isinstance(event, Failed) and event.error != "Rejected":
            return event
        if isinstance(event, Opened | Said):
            return None
    return None


@dataclass
class Image:
    """What one session knows of the device: good values and bad causes by recorded key."""

    good: dict[str, Value] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take in one event."""
        if isinstance(event, Opened):
            self.good, self.bad = {}, {}
        elif isinstance(event, Said):
            for key, value in event.changed.items():
                self.good[key] = value
                self.bad.pop(key, None)
            for key, cause in event.bad.items():
                self.bad[key] = cause
                self.good.pop(key, None)


def image_at(recording: Recording, t: float) -> Image:
    """Return what was known at ``t``."""
    image = Image()
    for event in recording.events[: recording.until(t)]:
        image.take(event)
    return image


@dataclass
class Told:
    """What one session has listed, by the keys the gateway uses."""

    names: Mapping[str, tuple[str, ...]]
    """Recorded key -> the keys of the tags that play it."""
    unknown: frozenset[str] = frozenset()
    """Keys of tags that are not in the recording."""
    listed: set[str] = field(default_factory=set)
    covers: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    def first(self, image: Image, now: datetime, mono_s: float) -> Batch | None:
        """Return all that is known when a session begins; None if nothing is."""
        good, bad = dict(self._named(image.good)), self._bad(image)
        if not good and not bad:
            return None
        self.listed |= good.keys() | bad.keys()
        covers = self._same(frozenset(self.listed))
        return Batch(now, mono_s, covers, changed=good, bad=bad)

    def next(self, said: Said, image: Image, now: datetime, mono_s: float) -> Batch:
        """Return a recorded batch as said now; ``image`` has taken it in already."""
        changed, bad = dict(self._named(said.changed)), dict(self._named(said.bad))
        fresh = {key for _, key in self._pairs(said.covers)} - self.listed
        changed |= {k: v for k, v in self._named(image.good) if k in fresh}
        bad |= {k: v for k, v in self._named(image.bad) if k in fresh}
        self.listed |= changed.keys() | bad.keys()
        covers = {key for _, key in self._pairs(said.covers)} & self.listed
        moved = now - said.at
        times = {key: at + moved for key, at in self._named(said.source_times)}
        return Batch(
            read_at=now,
            mono_s=mono_s,
            covers=self._same(frozenset(covers)),
            changed=changed,
            bad=bad,
            source_times=times,
            uncertain=frozenset(key for _, key in self._pairs(said.uncertain)),
            overflowed=dict(self._named(said.overflowed)),
            time_quality=said.time_quality,
            rtt_s=said.rtt_s,
        )

    def alive(self, image: Image, now: datetime, mono_s: float) -> Batch:
        """Return a sign of life."""
        return Batch(now, mono_s, self._same(frozenset(self.listed)), bad=self._bad(image))

    def refused(self, now: datetime, mono_s: float) -> Batch:
        """Return what a read the device refused comes to: the link lives, its tags are bad."""
        covers = self._same(frozenset(self.listed))
        return Batch(now, mono_s, covers, bad=dict.fromkeys(covers, "device_refused"))

    def _bad(self, image: Image) -> dict[str, str]:
        return {**dict(self._named(image.bad)), **dict.fromkeys(self.unknown, "illegal_address")}

    def _same(self, covers: frozenset[str]) -> frozenset[str]:
        return self.covers.setdefault(covers, covers)

    def _named(self, said: Mapping[str, Item]) -> Iterator[tuple[str, Item]]:
        for recorded, value in said.items():
            for key in self.names.get(recorded, ()):
                yield key, value

    def _pairs(self, recorded: frozenset[str]) -> Iterator[tuple[str, str]]:
        for name in recorded:
            for key in self.names.get(name, ()):
                yield name, key
