"""What the gateway says about itself: online, birth, health. All of it retained.

- ``online`` true and the will differ in nothing but ``online``: the same session number,
  so that a late will of an older session can be told from a new one.
- On a clean stop ``online`` false is the last message.
- ``health`` comes every ten seconds and says when the next one is due.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import NoReturn

import orjson

from gateway.domain.vocabulary import Json, stamp
from gateway.publish.counts import Counts
from gateway.publish.mqtt import Sender
from gateway.publish.places import Places
from gateway.publish.pump import CURSOR
from gateway.publish.retained import Retained
from gateway.publish.source import Source
from gateway.publish.timing import Timing
from gateway.wire.topics import birth_topic

HEALTH_S = 10.0
_MAX_SESSION = 2**53
"""Beyond that not every reader of JSON can count."""


def online_payload(*, online: bool, session: int, epoch: str, at: datetime) -> bytes:
    """Return the message of ``online``. ``session`` grows with every MQTT session."""
    return orjson.dumps({"online": online, "session": session, "epoch": epoch, "at": stamp(at)})


def session_of(online: bytes | None) -> int:
    """Return the number of the session that an ``online`` tells of; 0 if it tells of none."""
    try:
        said = orjson.loads(online or b"")
    except orjson.JSONDecodeError:
        return 0
    number = said.get("session") if isinstance(said, dict) else None
    return number if isinstance(number, int) and 0 < number < _MAX_SESSION else 0


class Presence:
    """Says who we are and how we are."""

    def __init__(
        self,
        journal: Source,
        places: Places,
        counts: Counts,
        *,
        protocol: str,
        more_health: Callable[[], Mapping[str, object]],
        timing: Timing,
    ) -> None:
        self._journal = journal
        self._places = places
        self._counts = counts
        self.protocol = protocol
        self._more_health = more_health
        self._timing = timing

    async def announce_births(self, sender: Sender, of: Collection[str] | None = None) -> None:
        """Publish the dictionaries of the equipment and of the gateway. Raises ConnectionLost.

        ``of`` names the equipment if it is not all of it.
        """
        retained = Retained(sender, self._counts)
        for name, place in list(self._places.live.items()):
            if of is not None and name not in of:
                continue
            if name in self._places.births:
                await retained.put(birth_topic(place), orjson.dumps(self._places.births[name]))
        previous = list(self._journal.previous_epochs)
        epochs = {"epoch": self._journal.epoch, "previous_epochs": previous}
        birth = orjson.dumps(dict(self._places.birth) | epochs)
        await retained.put(self._places.topics.birth, birth)

    async def announce_online(self, sender: Sender, online: bytes) -> None:
        """Publish ``online``, true or false. Raises ConnectionLost."""
        await Retained(sender, self._counts).put(self._places.topics.online, online)

    async def run(self, sender: Sender, *, selftest_passed: bool | None) -> NoReturn:
        """Publish the health every `HEALTH_S`. Raises ConnectionLost."""
        retained = Retained(sender, self._counts)
        selftest = {None: None, True: "passed", False: "failed"}[selftest_passed]
        while True:
            health = self.health() | {"selftest": selftest}
            await retained.put(self._places.topics.health, orjson.dumps(health))
            await self._timing.sleep(HEALTH_S)

    def health(self) -> Json:
        """Return the message of ``health``."""
        now = self._timing.clock.now()
        head, cursor = self._journal.head(), self._journal.cursor(CURSOR)
        held = self._counts.held
        return {
            **self._more_health(),
            "at": stamp(now),
            "next_report_at": stamp(now + timedelta(seconds=HEALTH_S)),
            "epoch": self._journal.epoch,
            "life": self._journal.lineage.life,
            "last_seq": dict(self._journal.last_seqs()),
            "first_seq": self._journal.first_seq(),
            "sent_seq": cursor,
            "backlog": max(0, head - cursor),
            "protocol": self.protocol,
            "published": self._counts.published,
            "replayed": self._counts.replayed,
            "refused": self._counts.refused,
            "reconnects": self._counts.reconnects,
            "dead_letters": self._counts.dead_letters,
            "taken_over": self._counts.taken_over,
            "commands_kept_out": self._counts.kept_out,
            "broker": self._counts.broker,
            "on_standby": self._counts.on_standby,
            "held": None if held is None else held.data(),
            "not_retained": dict(self._counts.not_retained),
        }
