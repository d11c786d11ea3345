"""The whole way to a device, step by step, up to the values of its tags.

- Each step is told when it is done; after one that failed none follows but of other tags.
- A failed step says why and what to try next, the likeliest first.
- Nothing is written to a device. One connection at a time is taken, and it is given back.
- It ends within the time it was given.
"""

import asyncio
import ipaddress
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from drivers.contract import (
    Batch,
    DriverError,
    Misconfigured,
    Rejected,
    Shared,
    TagRequest,
    Value,
    close_shared,
)
from drivers.probed import Said, Step, Tell
from gateway.commission.network import advice, connect, resolve
from gateway.commission.target import Target
from gateway.ops.clock import SYSTEM_CLOCK, Clock

CONNECT_S = 3.0
PUSHED_S = 5.0
"""How long a server that pushes is waited for until each tag has a value."""


async def probe(
    target: Target, tell: Tell, *, seconds: float = 30.0, clock: Clock = SYSTEM_CLOCK
) -> bool:
    """Take every step; return whether all of them, and all tags, went well."""
    began_s = clock.mono_s()
    way = _Way(target, tell, clock)
    try:
        async with asyncio.timeout(seconds):
            return await way.go()
    except TimeoutError:
        cause = Said("time_is_up", {"seconds": f"{seconds:g}"})
        hints = (Said("try_more_time"),)
        tell(Step("end", target.endpoint, clock.mono_s() - began_s, "", cause, hints))
        return False


@dataclass
class _Seen:
    """What the tags held, and why others held nothing."""

    values: dict[str, Value] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    rtt_s: float = 0.0

    def take(self, batch: Batch) -> None:
        for key in batch.changed:
            self.causes.pop(key, None)
        self.values |= batch.changed
        self.causes |= batch.bad
        self.rtt_s = batch.rtt_s or self.rtt_s

    def has(self, tags: Iterable[TagRequest]) -> bool:
        return all(tag.key in self.values or tag.key in self.causes for tag in tags)


@dataclass
class _Way:
    target: Target
    tell: Tell
    clock: Clock

    async def go(self) -> bool:
        spec, settings = self.target.spec, self.target.settings
        reach = None if spec.reach is None else spec.reach(settings)
        if reach is not None and not (await self._resolved(reach[0]) and await self._there(*reach)):
            return False
        if spec.probe is not None and not await spec.probe(settings, self.target.tags, self.tell):
            return False
        return not self.target.tags or await self._tags()

    async def _resolved(self, host: str) -> bool:
        if _is_address(host):
            return True
        began_s = self.clock.mono_s()
        try:
            found = await resolve(host)
        except OSError as err:
            cause = Said("unknown_host", {"host": host, "reason": err.strerror or str(err)})
            self._told("resolve", host, began_s, cause=cause, hints=(Said("try_address"),))
            return False
        self._told("resolve", host, began_s, detail=", ".join(found))
        return True

    async def _there(self, host: str, port: int) -> bool:
        began_s = self.clock.mono_s()
        cause = await connect(host, port, CONNECT_S)
        took_s = self.clock.mono_s() - began_s
        hints = () if cause is None else await advice(host, port, cause)
        self.tell(Step("connect", f"{host}:{port}", took_s, "", cause, hints))
        return cause is None

    async def _tags(self) -> bool:
        target, began_s = self.target, self.clock.mono_s()
        try:
            seen = await self._read()
        except DriverError as err:
            refused = {tag.key: "device_refused" for tag in target.tags[:1]}
            hints = await self._doubts({}, refused if isinstance(err, Rejected) else {})
            cause = said_of(err)
            first = next(iter(hints.values()), ())
            self._told("tags", target.endpoint, began_s, cause=cause, hints=first)
            return False
        hints = await self._doubts(seen.values, seen.causes)
        for tag in target.tags:
            self.tell(_tag_step(tag.key, seen, hints.get(tag.key, ())))
        return not seen.causes and seen.has(target.tags)

    async def _read(self) -> _Seen:
        shared: Shared = {}
        seen, target = _Seen(), self.target
        driver = target.spec.create(target.settings, target.tags, shared)
        try:
            async with driver.open() as session:
                seen.take(await session.read(driver.groups))
                with suppress(TimeoutError):
                    async with asyncio.timeout(PUSHED_S):
                        while not seen.has(target.tags):
                            seen.take(await session.read(driver.groups))
        finally:
            close_shared(shared)
        return seen

    async def _doubts(
        self, values: Mapping[str, Value], causes: Mapping[str, str]
    ) -> Mapping[str, tuple[Said, ...]]:
        spec, target = self.target.spec, self.target
        if spec.doubts is None:
            return {}
        return await spec.doubts(target.settings, target.tags, values, causes)

    def _told(
        self,
        name: str,
        subject: str,
        began_s: float,
        *,
        detail: str = "",
        cause: Said | None = None,
        hints: tuple[Said, ...] = (),
    ) -> None:
        self.tell(Step(name, subject, self.clock.mono_s() - began_s, detail, cause, hints))


def said_of(err: DriverError) -> Said:
    """Return the sentence about an error of a driver: its own, where it has one by a code."""
    if isinstance(err, Misconfigured) and err.refusal is not None:
        refusal = err.refusal
        said_so = {**refusal.fields, "reason": refusal.problem, "hint": refusal.hint}
        return Said(refusal.code, said_so)
    return Said("driver_error", {"reason": err.reason})


def cause_of(word: str) -> Said:
    """Return the sentence about a cause of `drivers.contract.CAUSES`, or of a bad status."""
    name, _, status = word.partition(":")
    return Said(f"cause_{name}", {"status": status})


def _tag_step(key: str, seen: _Seen, hints: tuple[Said, ...]) -> Step:
    if key in seen.values:
        return Step("tag", key, seen.rtt_s, str(seen.values[key]), None, hints)
    return Step("tag", key, seen.rtt_s, "", cause_of(seen.causes.get(key, "never_read")), hints)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
