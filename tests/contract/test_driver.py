"""What every driver promises, whatever it speaks: see `drivers.contract`.

A driver is done when it passes this with a real server.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NoReturn

import pytest

from drivers.contract import (
    CAUSES,
    BadReply,
    Batch,
    Driver,
    DriverError,
    Misconfigured,
    Session,
    Unreachable,
    Value,
)
from drivers.registry import protocols
from tests.contract.peers import babbling_peer, silent_peer
from tests.support.driver_rigs import BLUEPRINT, OPCUA_POLLED, RIGS
from tests.support.rig import PATIENT_S, LineRig, Rig

MARGIN_S = 5.0
"""By the clock of the tests' loop, which stands still while the machine is busy."""


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with RIGS[request.param]() as running:
        yield running


async def read(driver: Driver, session: Session) -> Batch:
    async with asyncio.timeout(2 * PATIENT_S):
        return await session.read(driver.groups)


async def values_from(
    driver: Driver, session: Session, *, keys: frozenset[str]
) -> dict[str, Value]:
    """Read until every key has been listed once, good or bad."""
    seen: dict[str, Value] = {}
    bad: set[str] = set()
    while not keys <= seen.keys() | bad:
        batch = await read(driver, session)
        seen.update(batch.changed)
        bad |= batch.bad.keys()
    return seen


def keys_of(driver: Driver) -> frozenset[str]:
    return frozenset().union(*(group.keys for group in driver.groups))


async def read_on(driver: Driver, session: Session) -> NoReturn:
    while True:
        await read(driver, session)


async def open_and_read_on(driver: Driver) -> NoReturn:
    async with driver.open() as session:
        await read_on(driver, session)


@asynccontextmanager
async def opened_in_haste(rig: Rig) -> AsyncIterator[tuple[Driver, Session]]:
    """Yield a session that has read everything and will soon give up when nothing comes.

    On a busy machine it may give up before that: then again.
    """
    driver = rig.driver(hasty=True)
    async with AsyncExitStack() as stack:
        while True:
            async with AsyncExitStack() as attempt:
                try:
                    session = await attempt.enter_async_context(driver.open())
                    await values_from(driver, session, keys=keys_of(driver))
                except Unreachable:
                    continue
                stack.push_async_exit(attempt.pop_all())
                break
        yield driver, session


async def fails(driver: Driver) -> DriverError:
    """Open and read until it fails; return how."""
    with pytest.raises(DriverError) as caught:
        await open_and_read_on(driver)
    return caught.value


def test_every_protocol_that_ships_has_a_rig() -> None:
    spoken = {name.partition(",")[0] for name in RIGS}
    assert spoken - {BLUEPRINT, OPCUA_POLLED} == set(protocols())


async def test_the_groups_hold_every_tag_once(rig: Rig) -> None:
    groups = rig.driver().groups
    listed = [key for group in groups for key in group.keys]
    assert sorted(listed) == sorted({*rig.good, rig.refused})


async def test_the_first_batches_that_cover_a_tag_list_it(rig: Rig) -> None:
    driver = rig.driver()
    listed: set[str] = set()
    async with driver.open() as session:
        while listed != keys_of(driver):
            batch = await read(driver, session)
            assert batch.covers <= keys_of(driver)
            listed |= batch.changed.keys() | batch.bad.keys()
            assert batch.covers <= listed


async def test_values_arrive_with_their_types(rig: Rig) -> None:
    driver = rig.driver()
    async with driver.open() as session:
        seen = await values_from(driver, session, keys=keys_of(driver))
    assert seen == {key: first for key, (first, _) in rig.good.items()}
    assert {key: type(value) for key, value in seen.items()} == {
        key: type(first) for key, (first, _) in rig.good.items()
    }


async def test_a_change_shows_and_nothing_else_does(rig: Rig) -> None:
    key, (_, other) = next(iter(rig.good.items()))
    driver = rig.driver()
    async with driver.open() as session:
        await values_from(driver, session, keys=keys_of(driver))
        await rig.set(key, other)
        batch = await read(driver, session)
        while not batch.changed:
            batch = await read(driver, session)
    assert batch.changed == {key: other}
    assert key in batch.covers


async def test_every_good_tag_can_change(rig: Rig) -> None:
    driver = rig.driver()
    async with driver.open() as session:
        await values_from(driver, session, keys=keys_of(driver))
        for key, (_, other) in rig.good.items():
            await rig.set(key, other)
        seen = await values_from(driver, session, keys=frozenset(rig.good))
    assert seen == {key: other for key, (_, other) in rig.good.items()}


async def test_without_a_change_a_batch_vouches_for_the_good_tags(rig: Rig) -> None:
    driver = rig.driver()
    async with driver.open() as session:
        await values_from(driver, session, keys=keys_of(driver))
        batch = await read(driver, session)
        again = await read(driver, session)
    for calm in (batch, again):
        assert not calm.changed
        assert set(rig.good) <= calm.covers
        assert set(calm.bad) <= {rig.refused}
    assert batch.covers is again.covers


async def test_a_refused_tag_is_bad_and_spoils_no_neighbour(rig: Rig) -> None:
    driver = rig.driver()
    bad: dict[str, str] = {}
    good: set[str] = set()
    async with driver.open() as session:
        while not (bad and good == set(rig.good)):
            batch = await read(driver, session)
            bad.update(batch.bad)
            good |= batch.changed.keys()
    assert set(bad) == {rig.refused}
    assert bad[rig.refused] in CAUSES


async def test_batches_are_stamped_in_utc_and_in_order(rig: Rig) -> None:
    driver = rig.driver()
    started_s = time.monotonic()
    async with driver.open() as session:
        batches = [await read(driver, session) for _ in range(3)]
    stamps_s = [batch.mono_s for batch in batches]
    assert stamps_s == sorted(stamps_s)
    assert started_s <= stamps_s[0]
    assert stamps_s[-1] <= time.monotonic()
    for batch in batches:
        offset = batch.read_at.utcoffset()
        assert offset is not None
        assert not offset


async def test_committed_may_be_called_after_each_batch(rig: Rig) -> None:
    driver = rig.driver()
    async with driver.open() as session:
        for _ in range(3):
            (await read(driver, session)).committed()


async def test_two_sessions_in_turn_both_list_everything(rig: Rig) -> None:
    driver = rig.driver()
    for _ in range(2):
        async with driver.open() as session:
            seen = await values_from(driver, session, keys=keys_of(driver))
        assert set(seen) == set(rig.good)


async def test_nobody_there_is_unreachable(rig: Rig) -> None:
    await rig.stop_server()
    driver = rig.driver(hasty=True)
    if isinstance(rig, LineRig) and not rig.notices_absence:
        err = await fails(driver)
    else:
        with pytest.raises(Unreachable) as caught:
            async with driver.open():
                pytest.fail("opened without a server")
        err = caught.value
    assert isinstance(err, Unreachable)
    assert err.endpoint
    assert err.reason


async def test_a_server_that_stops_ends_the_session_in_time(rig: Rig) -> None:
    async with opened_in_haste(rig) as (driver, session):
        await rig.stop_server()
        async with asyncio.timeout(rig.gives_up_s + MARGIN_S):
            with pytest.raises((Unreachable, BadReply)):
                await read_on(driver, session)


async def test_after_a_restart_a_new_session_works(rig: Rig) -> None:
    async with opened_in_haste(rig) as (hasty, session):
        await rig.stop_server()
        with pytest.raises(DriverError):
            await read_on(hasty, session)
    await rig.start_server()
    driver = rig.driver()
    async with driver.open() as session:
        seen = await values_from(driver, session, keys=keys_of(driver))
    assert set(seen) == set(rig.good)


async def test_a_silent_peer_is_unreachable_in_time_and_is_let_go(rig: Rig) -> None:
    async with silent_peer(rig) as silent:
        async with asyncio.timeout(rig.gives_up_s + MARGIN_S):
            err = await fails(rig.driver(at=silent.address, hasty=True))
        assert isinstance(err, Unreachable)
        await silent.is_left()


async def test_a_peer_that_talks_nonsense_is_an_error_of_the_tree(rig: Rig) -> None:
    async with babbling_peer(rig) as babbler:
        err = await fails(rig.driver(at=babbler.address, hasty=True))
    assert not isinstance(err, Misconfigured)


async def test_cancel_while_opening_releases_the_socket(rig: Rig) -> None:
    async with silent_peer(rig) as silent:
        driver = rig.driver(at=silent.address, hasty=True)
        for steps in range(12):
            opening = asyncio.create_task(open_and_read_on(driver))
            for _ in range(steps):
                await asyncio.sleep(0)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            await silent.is_left()


async def test_cancel_while_reading_ends_the_read(rig: Rig) -> None:
    driver = rig.driver()
    async with driver.open() as session:
        await values_from(driver, session, keys=keys_of(driver))
        reading = asyncio.create_task(read_on(driver, session))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
