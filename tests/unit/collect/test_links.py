"""What links share, and what the first words of new ones say."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from drivers.contract import Batch, Unreachable
from gateway.collect.first_reads import FirstReads
from gateway.collect.poller import taken
from gateway.collect.shared import SharedThings

KEYS = frozenset({"a/run", "a/parts"})


@dataclass
class Line:
    closed: bool = False

    def close(self) -> None:
        assert not self.closed
        self.closed = True


def joined(things: SharedThings, link: str, *names: str, protocol: str = "modbus-tcp") -> list[Any]:
    view = things.of(protocol, link)
    return [view[name] if name in view else view.setdefault(name, Line()) for name in names]


def test_what_a_link_used_alone_is_let_go_with_it() -> None:
    things = SharedThings()
    (line,), (shared, own) = joined(things, "a", "bus"), joined(things, "b", "bus", "other")
    assert line is shared
    (far,) = joined(things, "c", "bus", protocol="opcua")
    assert far is not line
    things.release(["b", "nobody"])
    assert (own.closed, line.closed) == (True, False)
    things.release(["a"])
    assert line.closed
    assert joined(things, "a", "bus") != [line]
    assert not far.closed
    things.close()
    assert far.closed


def test_a_view_is_a_mapping_of_what_all_see() -> None:
    things = SharedThings()
    one, other = things.of("p", "a"), things.of("p", "b")
    one["x"] = 1
    assert (dict(other), len(other), "x" in other) == ({"x": 1}, 1, True)
    del other["x"]
    with pytest.raises(KeyError):
        one["x"]


@dataclass
class Ear:
    heard: list[str] = field(default_factory=list)

    def observe(self, link: str, batch: Batch) -> Awaitable[object]:
        del batch
        self.heard.append(link)
        return taken()

    async def lose(self, link: str, err: Exception, failures: int) -> None:
        self.heard.append(f"{link}: {err} {failures}")


def batch(**bad: str) -> Batch:
    causes = {key.replace("_", "/"): cause for key, cause in bad.items()}
    return Batch(datetime.now(UTC), 0.0, KEYS, bad=causes)


async def test_a_link_has_spoken_when_anything_good_came() -> None:
    ear = Ear()
    first = FirstReads(ear, ["a", "b"])
    waiting = asyncio.create_task(first.silent(20))
    await first.observe("a", batch(a_run="illegal_address"))
    await first.observe("c", batch())
    await first.observe("b", batch())
    assert await waiting == {}
    assert ear.heard == ["a", "c", "b"]


async def test_a_link_that_has_nothing_good_to_say_is_named_with_the_reason() -> None:
    ear = Ear()
    first = FirstReads(ear, ["a", "b", "c"])
    await first.observe("a", batch(a_run="illegal_address", a_parts="device_busy"))
    await first.lose("b", Unreachable("h:1", "refused"), 1)
    assert await first.silent(0.01) == {
        "a": "device_busy, illegal_address",
        "b": "h:1: refused",
        "c": "no answer",
    }
    assert ear.heard == ["a", "b: h:1: refused 1"]
