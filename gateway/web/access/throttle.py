"""How long somebody who guesses passwords has to wait. Pure but for the clock it is given.

- After `FREE` failures of one name from one address each further try has to wait, twice as long
  every time, up to `LONGEST_S`. A success forgets them.
- A try counts as a failure from its beginning: many at once are no more than many in turn.
- One address may not go through names either: `FREE_OF_ADDRESS` failures, then the same.
- Nobody is locked out by what another address does.
- What is remembered is bounded: the oldest entries go first.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

FREE = 5
FREE_OF_ADDRESS = 25
LONGEST_S = 900.0
FORGET_S = 3600.0
MAX_ENTRIES = 10_000
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    newest_s: float
    until_s: float
    told: bool = False
    """Whether the present wait was written down."""


class Throttle:
    """Counts the failures of each (name, address)."""

    def __init__(self, mono_s: Callable[[], float]) -> None:
        self.mono_s = mono_s
        self._failures: OrderedDict[Key, _Failures] = OrderedDict()

    def begin(self, name: str, address: str) -> float:
        """Return how long this one has to wait; 0 if it may try now: the try is counted then."""
        wait_s = self._wait_s(name, address)
        if wait_s <= 0:
            self._count(name, address)
        return wait_s

    def _wait_s(self, name: str, address: str) -> float:
        now_s = self.mono_s()
        entries = (self._failures.get(key) for key in _keys(name, address))
        return max((entry.until_s - now_s for entry in entries if entry is not None), default=0.0)

    def _count(self, name: str, address: str) -> None:
        now_s = self.mono_s()
        for key, free in zip(_keys(name, address), (FREE, FREE_OF_ADDRESS), strict=True):
            known = self._failures.pop(key, None)
            if known is None or now_s - known.newest_s > FORGET_S:
                known = _Failures(0, now_s, now_s)
            count = known.count + 1
            self._failures[key] = _Failures(count, now_s, now_s + _delay_s(count, free))
        while len(self._failures) > MAX_ENTRIES:
            self._failures.popitem(last=False)

    def is_news(self, name: str, address: str) -> bool:
        """Whether this wait was not asked about before."""
        known = [key for key in _keys(name, address) if key in self._failures]
        news = [key for key in known if not self._failures[key].told]
        for key in news:
            self._failures[key] = replace(self._failures[key], told=True)
        return bool(news)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name from this address, and this try of the address."""
        ours, of_address = _keys(name, address)
        self._failures.pop(ours, None)
        known = self._failures.pop(of_address, None)
        if known is not None and known.count > 1:
            count = known.count - 1
            until_s = known.newest_s + _delay_s(count, FREE_OF_ADDRESS)
            self._failures[of_address] = replace(known, count=count, until_s=until_s)


def _delay_s(count: int, free: int) -> float:
    return 0.0 if count < free else min(LONGEST_S, 2.0 ** min(count - free, 16))


def _keys(name: str, address: str) -> tuple[Key, Key]:
    return (name, address), ("", address)
