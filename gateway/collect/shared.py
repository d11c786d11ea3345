"""What links of one protocol have in common, and which of them use it.

A driver takes what it shares with others (a bus, a listening socket) from a mapping by name.
Each link is given its own view of it, which notes what it asked for: so what only closed
links used can be let go, also when its settings have changed, and the rest stays open.
"""

from collections.abc import Collection, Iterator, MutableMapping
from typing import Any

from drivers.contract import Shared, close_shared


class SharedThings:
    """Protocol -> name -> thing. Owned by one collector."""

    def __init__(self) -> None:
        """Begin with nothing shared."""
        self._things: dict[str, dict[str, Any]] = {}
        self._views: dict[str, _View] = {}

    def of(self, protocol: str, link: str) -> Shared:
        """Return the mapping for the driver of one link."""
        view = _View(protocol, self._things.setdefault(protocol, {}))
        self._views[link] = view
        return view

    def release(self, links: Collection[str]) -> None:
        """Let go of what no other link uses; these links are closed."""
        gone = [self._views.pop(link) for link in links if link in self._views]
        for view in gone:
            used = {
                name
                for other in self._views.values()
                if other.protocol == view.protocol
                for name in other.used
            }
            things = self._things[view.protocol]
            free = {name: things.pop(name) for name in view.used - used if name in things}
            close_shared(free)

    def close(self) -> None:
        """Let go of everything; all links are closed."""
        for things in self._things.values():
            close_shared(things)
            things.clear()


class _View(MutableMapping[str, Any]):
    """A mapping that notes which names were asked for."""

    def __init__(self, protocol: str, things: dict[str, Any]) -> None:
        self.protocol = protocol
        self.used: set[str] = set()
        self._things = things

    def __getitem__(self, name: str) -> Any:
        self.used.add(name)
        return self._things[name]

    def __setitem__(self, name: str, thing: Any) -> None:
        self.used.add(name)
        self._things[name] = thing

    def __delitem__(self, name: str) -> None:
        del self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)
