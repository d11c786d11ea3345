"""Which of several brokers to connect to, and how long to wait before.

- They are tried in the order of the configuration. One is given up for the next when it has
  failed for ``PATIENCE_S``; after a session that held for ``STEADY_S`` the order begins anew.
- Waits have full jitter and a ceiling that doubles; moving on to the next broker is at once.
- Somebody else with our client id is no outage: who comes back at once is put out at once, so
  there we stay away for at least ``TAKEN_OVER_S``, longer each time. Some brokers do not say
  that it was so: ``DISPLACED`` short sessions in a row that were closed without a word, with
  the broker there all the time, mean the same.
- Beside a session with a lesser broker the better ones are looked for; one that has let us in
  twice in a row is returned to.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from gateway.ops.backoff import Uniform, delays
from gateway.ops.mqtt_link import connect
from gateway.ops.mqtt_terms import CLOSED, TAKEN_OVER, BrokerSettings, MqttError, Session

STEADY_S = 60.0
"""After a session this long the next outage begins with short waits again."""
PATIENCE_S = 10.0
TAKEN_OVER_S = 10.0
DISPLACED = 3
_LONGEST_AWAY_S = 30.0
"""And as much again by chance. It may be a broker that falls over again and again."""
LOOK_S = 30.0
"""How often a better broker is looked for."""
_GREETINGS = 2

_log = logging.getLogger(__name__)


class BetterBroker(Exception):
    """One that is preferred to the present one lets us in again."""

    def __init__(self, index: int) -> None:
        super().__init__(f"broker {index} is back")
        self.index = index


class BrokerChoice:
    """The brokers in order of preference, and where we are with them."""

    def __init__(
        self,
        brokers: Sequence[BrokerSettings],
        *,
        uniform: Uniform,
        mono_s: Callable[[], float],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.takeovers = 0
        """How often somebody else took our place, since the start."""
        self._brokers = tuple(brokers)
        self._uniform = uniform
        self._mono_s = mono_s
        self._patience_s = patience_s
        self._index = 0
        self._waits = delays(uniform)
        self._failing_since_s: float | None = None
        self._away_s = TAKEN_OVER_S
        self._closed = 0

    @property
    def broker(self) -> BrokerSettings:
        """The one to connect to."""
        return self._brokers[self._index]

    @property
    def others(self) -> tuple[BrokerSettings, ...]:
        """All but `broker`."""
        return self._brokers[: self._index] + self._brokers[self._index + 1 :]

    @property
    def better(self) -> tuple[BrokerSettings, ...]:
        """Those preferred to it, best first."""
        return self._brokers[: self._index]

    def failed(
        self, began_s: float, reason_code: int | None = None, *, was_up: bool = False
    ) -> float:
        """Note the end of a try, or of a session, that began then; return how long to wait."""
        now_s = self._mono_s()
        if now_s - began_s > STEADY_S:
            self._begin_anew()
        self._closed = self._closed + 1 if was_up and reason_code == CLOSED else 0
        if reason_code == TAKEN_OVER or self._closed >= DISPLACED:
            return self._stay_away()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        if now_s - self._failing_since_s >= self._patience_s and len(self._brokers) > 1:
            self._index = (self._index + 1) % len(self._brokers)
            self._failing_since_s = None
            if self._index:
                return 0.0
        return next(self._waits)

    def turn_to(self, better: BetterBroker) -> None:
        """Connect to that one next."""
        self._begin_anew()
        self._index = better.index

    def _begin_anew(self) -> None:
        self._index = 0
        self._failing_since_s = None
        self._waits = delays(self._uniform)
        self._away_s = TAKEN_OVER_S
        self._closed = 0

    def _stay_away(self) -> float:
        self.takeovers += 1
        ceiling, self._away_s = self._away_s, min(2 * self._away_s, _LONGEST_AWAY_S)
        return ceiling + self._uniform(0.0, ceiling)


async def look_for_better(
    choice: BrokerChoice, client_id: str, sleep: Callable[[float], Awaitable[None]]
) -> NoReturn:
    """Try the better brokers until one lets us in twice in a row. Raises BetterBroker."""
    greeted = [0] * len(choice.better)
    while greeted:
        await sleep(LOOK_S)
        for index, broker in enumerate(choice.better):
            greeted[index] = greeted[index] + 1 if await _lets_us_in(broker, client_id) else 0
            if greeted[index] >= _GREETINGS:
                _log.warning("the better broker %s is back", broker.name)
                raise BetterBroker(index)
    await asyncio.Event().wait()  # we are with the best
    raise AssertionError


async def _lets_us_in(broker: BrokerSettings, client_id: str) -> bool:
    try:
        async with connect(broker, Session(client_id=f"{client_id}-look")):
            return True
    except MqttError:
        return False
