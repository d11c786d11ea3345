"""A recording played as a device.

- The recording's place in time lives in what the links of the protocol share, so that a
  session reopened after a recorded outage goes on where the device was by then.
- `Batch.read_at` is now; the device's own stamps keep their distance to it.
"""

import asyncio
import gzip
import zlib
from collections.abc import (
    AsyncIterator,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from drivers.clock import Clock
from drivers.contract import (
    BadReply,
    Batch,
    DriverError,
    Misconfigured,
    Rejected,
    Shared,
    TagGroup,
    TagRequest,
    Unreachable,
)
from drivers.replay.playback import Image, Told, absence, image_at
from drivers.replay.recording import ErrorKind, Failed, Recording, Said, Unreadable, parse
from drivers.replay.settings import LinkSettings, endpoint_of

MAX_CHARACTERS = 500_000_000
ERRORS: Mapping[ErrorKind, type[DriverError]] = {
    "Unreachable": Unreachable,
    "BadReply": BadReply,
    "Rejected": Rejected,
    "Misconfigured": Misconfigured,
}
ENDED = "the recording has ended"


@dataclass
class Player:
    """One recording on its way; every session of its link looks at the same one."""

    recording: Recording
    started_s: float
    speed: float
    loop: bool

    def elapsed_s(self, mono_s: float) -> float:
        """Return how far it is, in recorded seconds; it grows on through the loops."""
        return (mono_s - self.started_s) * self.speed

    def lap(self, elapsed_s: float) -> int:
        """Return how often it has begun again."""
        length_s = self.recording.length_s
        return int(elapsed_s // length_s) if self.loop and length_s > 0 else 0

    def is_over(self, elapsed_s: float) -> bool:
        """Say whether there is nothing left to play."""
        return not self.loop and elapsed_s >= self.recording.length_s


class ReplaySession:
    """What the recorded device says from now on."""

    def __init__(
        self, endpoint: str, player: Player, told: Told, keepalive_s: float, clock: Clock
    ) -> None:
        self._endpoint = endpoint
        self._player = player
        self._told = told
        self._keepalive_s = keepalive_s
        self._clock = clock
        elapsed_s = player.elapsed_s(clock.mono_s())
        self._lap = player.lap(elapsed_s)
        here_s = elapsed_s - self._lap * player.recording.length_s
        self._next = player.recording.until(here_s)
        self._image: Image = image_at(player.recording, here_s)
        self._begun = False

    async def read(self, due: Collection[TagGroup]) -> Batch:
        """Return the next batch when its time has come; see `drivers.contract.Session`."""
        del due  # recorded as it was asked for then
        if not self._begun:
            self._begun = True
            first = self._told.first(self._image, self._clock.now(), self._clock.mono_s())
            if first is not None:
                return first
        silent_since_s = self._clock.mono_s()
        while True:
            wait_s = self._wait_s()
            if wait_s <= 0:
                batch = self._play()
                if batch is not None:
                    return batch
                continue
            left_s = silent_since_s + self._keepalive_s - self._clock.mono_s()
            if left_s <= 0:
                return self._told.alive(self._image, self._clock.now(), self._clock.mono_s())
            await self._clock.sleep(min(wait_s, left_s))

    def _wait_s(self) -> float:
        """Return the seconds until something happens: an event, or the end."""
        player, events = self._player, self._player.recording.events
        at_end = self._next >= len(events)
        due_s = player.recording.length_s if at_end else events[self._next].t
        due_s += self._lap * player.recording.length_s
        return (due_s - player.elapsed_s(self._clock.mono_s())) / player.speed

    def _play(self) -> Batch | None:
        """Let the next event happen; raises the DriverError it is."""
        events = self._player.recording.events
        if self._next >= len(events):
            if not self._player.loop or not self._player.recording.length_s:
                raise Unreachable(self._endpoint, ENDED)
            self._lap, self._next = self._lap + 1, 0
            return None
        event = events[self._next]
        self._next += 1
        self._image.take(event)
        if isinstance(event, Failed) and event.error == "Rejected":
            return self._told.refused(self._clock.now(), self._clock.mono_s())
        if isinstance(event, Failed):
            raise error_of(self._endpoint, event)
        if isinstance(event, Said):
            return self._told.next(event, self._image, self._clock.now(), self._clock.mono_s())
        return None


@dataclass
class ReplayDriver:
    """One link."""

    settings: LinkSettings
    tags: Sequence[TagRequest]
    shared: Shared
    clock: Clock = field(default_factory=Clock)

    @property
    def endpoint(self) -> str:
        """The file."""
        return endpoint_of(self.settings)

    @property
    def groups(self) -> Collection[TagGroup]:
        """The groups as configured; the recording decides when they were read."""
        names = dict.fromkeys(tag.group for tag in self.tags)
        return tuple(
            TagGroup(name, None, frozenset(tag.key for tag in self.tags if tag.group == name))
            for name in names
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ReplaySession]:
        """Join the recording where it is; raises what the recorded device raised there."""
        player = await self._player()
        elapsed_s = player.elapsed_s(self.clock.mono_s())
        if player.is_over(elapsed_s):
            raise Unreachable(self.endpoint, ENDED)
        here_s = elapsed_s - player.lap(elapsed_s) * player.recording.length_s
        away = absence(player.recording, here_s)
        if away is not None:
            raise error_of(self.endpoint, away)
        told = self._told(player.recording)
        yield ReplaySession(self.endpoint, player, told, self.settings.keepalive_s, self.clock)

    async def _player(self) -> Player:
        found = self.shared.get(self.endpoint)
        if isinstance(found, Player):
            return found
        try:
            recording = await asyncio.to_thread(load, Path(self.settings.file))
        except OSError as err:
            raise Misconfigured(self.endpoint, err.strerror or str(err)) from err
        except Unreadable as err:
            raise Misconfigured(self.endpoint, f"not a recording: {err}") from err
        player = Player(recording, self.clock.mono_s(), self.settings.speed, self.settings.loop)
        self.shared[self.endpoint] = player
        return player

    def _told(self, recording: Recording) -> Told:
        names: dict[str, tuple[str, ...]] = {}
        for tag in self.tags:
            recorded = tag.settings.recorded or tag.key
            names[recorded] = (*names.get(recorded, ()), tag.key)
        absent = names.keys() - recording.keys()
        return Told(names, frozenset(key for name in absent for key in names[name]))


def load(path: Path) -> Recording:
    """Return the recording in a file. Raises OSError, Unreadable."""
    try:
        with _text(path) as file:
            return parse(_bounded(file))
    except (UnicodeDecodeError, zlib.error) as err:
        raise Unreadable("not the text of a recording") from err


def error_of(endpoint: str, failed: Failed) -> DriverError:
    """Return a recorded error as the driver raised it."""
    return ERRORS[failed.error](endpoint, failed.reason, failed.hint)


def _text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _bounded(file: TextIO) -> Iterator[str]:
    left = MAX_CHARACTERS
    with suppress(EOFError):  # a packed file whose end is missing
        for line in file:
            left -= len(line)
            if left < 0:
                raise Unreadable(f"more than {MAX_CHARACTERS} characters")
            yield line
