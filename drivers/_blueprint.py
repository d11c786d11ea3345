r"""A driver to copy: all of the contract, for a protocol of one line.

The device gets ``name\n`` and answers ``value\n`` in JSON, or ``?\n`` where it has no
such name. To make your own: copy this file into a package, replace what is about lines,
name the package in the entry point group ``millgate.drivers``, and run the contract suite
``tests/contract/test_driver.py`` with a rig of yours. It is done when that passes.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from drivers.contract import (
    BadReply,
    Batch,
    Driver,
    DriverError,
    ProtocolSpec,
    Shared,
    TagGroup,
    TagRequest,
    Unreachable,
    Value,
)

ERROR_MAP: dict[type[Exception], type[DriverError]] = {
    OSError: Unreachable,  # TimeoutError and every refused or reset connection among them
    EOFError: Unreachable,
    ValueError: BadReply,  # no JSON, no UTF-8, a line without end
}


class LinkSettings(BaseModel):
    """What an operator may set on a link."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    protocol: Literal["blueprint"] = "blueprint"
    host: str
    port: int = Field(ge=1, le=65535)
    poll_interval_ms: int = Field(1000, ge=10)
    timeout_ms: int = Field(1000, ge=10)
    """For connecting, and for each answer."""


class TagSettings(BaseModel):
    """What an operator may set on a tag."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w/]+$")


class LineSession:
    """An open connection."""

    def __init__(
        self,
        endpoint: str,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        names: dict[str, str],
        timeout_s: float,
    ) -> None:
        self._endpoint = endpoint
        self._reader, self._writer = streams
        self._names = names
        self._timeout_s = timeout_s
        self._known: dict[str, Value] = {}
        self._covers: dict[frozenset[str], frozenset[str]] = {}

    async def read(self, due: Collection[TagGroup]) -> Batch:
        """Return what changed in the due groups; see `drivers.contract.Session`."""
        wanted = frozenset[str]().union(*(group.keys for group in due))
        answers = {key: await self._ask(self._names[key]) for key in sorted(wanted)}
        good = {key: value for key, value in answers.items() if value is not None}
        changed = {key: v for key, v in good.items() if self._known.get(key) != v}
        self._known = {**self._known, **good}
        for key in answers.keys() - good.keys():
            self._known.pop(key, None)  # it must be listed again when it is good again
        return Batch(
            read_at=datetime.now(UTC),
            mono_s=time.monotonic(),
            covers=self._covers.setdefault(wanted, wanted),
            changed=changed,
            bad=dict.fromkeys(answers.keys() - good.keys(), "illegal_address"),
        )

    async def _ask(self, name: str) -> Value | None:
        with _as_driver_errors(self._endpoint):
            async with asyncio.timeout(self._timeout_s):
                self._writer.write(f"{name}\n".encode())
                line = await self._reader.readline()
            if not line:
                raise EOFError("the device closed the connection")
            return None if line == b"?\n" else _value(line)


class LineDriver:
    """One link."""

    def __init__(self, settings: LinkSettings, tags: Sequence[TagRequest]) -> None:
        self._settings = settings
        self._names = {tag.key: tag.settings.name for tag in tags}
        self.endpoint = endpoint_of(settings)
        self.groups = tuple(
            TagGroup(
                name,
                settings.poll_interval_ms / 1000,
                frozenset(tag.key for tag in tags if tag.group == name),
            )
            for name in dict.fromkeys(tag.group for tag in tags)
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LineSession]:
        """Connect on enter, release on exit."""
        timeout_s = self._settings.timeout_ms / 1000
        with _as_driver_errors(self.endpoint):
            async with asyncio.timeout(timeout_s):
                streams = await asyncio.open_connection(self._settings.host, self._settings.port)
        try:
            yield LineSession(self.endpoint, streams, self._names, timeout_s)
        finally:
            streams[1].close()


def endpoint_of(settings: LinkSettings) -> str:
    """Return ``host:port``: links that agree in it share a session."""
    return f"{settings.host}:{settings.port}"


def create(settings: LinkSettings, tags: Sequence[TagRequest], shared: Shared) -> Driver:
    """Return the driver of a link."""
    del shared  # links of this protocol have nothing in common
    return LineDriver(settings, tags)


def _value(line: bytes) -> Value:
    value = json.loads(line)
    if isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"not a value: {line!r}")


@contextmanager
def _as_driver_errors(endpoint: str) -> Iterator[None]:
    try:
        yield
    except tuple(ERROR_MAP) as err:
        kind = next(ERROR_MAP[k] for k in type(err).__mro__ if k in ERROR_MAP)
        raise kind(endpoint, str(err) or type(err).__name__) from err


SPEC = ProtocolSpec("blueprint", LinkSettings, TagSettings, create, endpoint_of)
