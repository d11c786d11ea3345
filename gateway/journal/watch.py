"""Being told that something was committed."""

import asyncio
from collections.abc import Iterable


class Watch:
    """One watcher's view of the commits. Lives as long as somebody holds it."""

    def __init__(self) -> None:
        """Begin with nothing changed."""
        self._names: set[str] = set()
        self._any = asyncio.Event()

    async def changed(self) -> set[str]:
        """Wait for a commit and return the equipment committed since the last call.

        Nothing is missed between calls; several commits may come as one set.
        """
        await self._any.wait()
        names, self._names = self._names, set()
        self._any.clear()
        return names

    def tell(self, names: Iterable[str]) -> None:
        """Add what was committed."""
        self._names.update(names)
        self._any.set()
