"""What the driver contract suite needs of a protocol: a real server and a driver for it.

A protocol joins the suite with one module ``tests/support/<protocol>_rig.py`` that exports
``RIG``, a `RigFactory`; ``tests/support/driver_rigs.py`` lists them.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from drivers.contract import Driver, Value

Address = tuple[str, int]
"""host, port"""
PATIENT_S = 30
"""What a driver that is not hasty waits for an answer."""


class Rig(Protocol):
    """A running server on a free port of 127.0.0.1, its tags, and drivers that read them."""

    @property
    def good(self) -> Mapping[str, tuple[Value, Value]]:
        """Keys the server knows: (the value at the start, another one for `set`). Two or more."""
        ...

    @property
    def refused(self) -> str:
        """The key of one more configured tag, at an address the server does not have."""
        ...

    @property
    def gives_up_s(self) -> float:
        """A session that is hasty has raised after this time before a dead or silent peer.

        A pushed session also gives its empty covering batch at least this often.
        """
        ...

    def driver(self, *, at: Address | None = None, hasty: bool = False) -> Driver:
        """Return a new driver for all the tags; it talks to the rig's server, or to ``at``.

        A hasty one gives up soon; the others are as patient as a busy machine may need them.
        """
        ...

    async def set(self, key: str, value: Value) -> None:
        """Change what the server holds for a good tag."""
        ...

    async def stop_server(self) -> None:
        """Stop the server and cut its connections. Once stopped, the port refuses."""
        ...

    async def start_server(self) -> None:
        """Start it again, on the same port, with the values it had."""
        ...


class StrangePeer(Protocol):
    """One that accepts a driver and does not answer it as it should."""

    @property
    def address(self) -> Address | None:
        """Where it is; None: where the rig's server was."""
        ...

    async def is_left(self) -> None:
        """Return when the driver has let go of it."""
        ...


@runtime_checkable
class LineRig(Rig, Protocol):
    """A rig on something else than a TCP server: it brings its own strange peers."""

    @property
    def notices_absence(self) -> bool:
        """Whether opening finds out that nobody is there; else the first read does."""
        ...

    def silent(self) -> AbstractAsyncContextManager[StrangePeer]:
        """Never say a word."""
        ...

    def babbling(self) -> AbstractAsyncContextManager[StrangePeer]:
        """Answer everything with what is no answer."""
        ...


RigFactory = Callable[[], AbstractAsyncContextManager[Rig]]
"""Starts a rig on enter; stops its server on exit, whether it runs or not."""
