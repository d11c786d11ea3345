"""Polling, paths, browsing and plans against a real server."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import ServiceError

from drivers.contract import Batch, DriverError, Rejected, Session, TagRequest, Unreachable, Value
from drivers.opcua import SPEC
from drivers.opcua.browse import browse
from drivers.opcua.driver import OpcUaDriver
from drivers.opcua.plan import plan_live
from tests.support.opcua_rig import URI, OpcUaServer, opcua_server

VALUES: dict[str, Value] = {f"v{n}": n for n in range(6)}
TAGS = {f"m/{name}": {"node": f"nsu={URI};s={name}"} for name in VALUES}
FIRST = {f"m/v{n}": n for n in range(6)}


def requests(tags: dict[str, dict[str, str]]) -> list[TagRequest]:
    return [TagRequest(k, "plc", None, SPEC.tag_settings(**tag)) for k, tag in tags.items()]


def link(server: OpcUaServer, **settings: object) -> Any:
    quick = {
        "endpoint": server.endpoint,
        "publishing_interval_ms": 50,
        "keepalive_s": 0.5,
        "timeout_s": 1.0,
        "poll_interval_ms": 100,
    }
    return SPEC.link_settings(**quick | settings)


def driver(server: OpcUaServer, **settings: object) -> OpcUaDriver:
    return OpcUaDriver(link(server, **settings), requests(TAGS))


async def until(session: Session, wanted: Callable[[Batch], object]) -> Batch:
    async with asyncio.timeout(60):
        while True:
            batch = await session.read(())
            batch.committed()
            if wanted(batch):
                return batch


@contextmanager
def refusing(server: OpcUaServer, status: int, *, after: int | None = None) -> Iterator[None]:
    """Refuse subscriptions, or every item beyond the first ``after``."""
    service = server.library.iserver.subscription_service
    create, subscribe, made = service.create_monitored_items, service.create_subscription, [0]

    async def no_items(parameters: Any) -> Any:
        results = []
        for item in parameters.ItemsToCreate:
            made[0] += 1
            if after is not None and made[0] > after:
                refused = ua.MonitoredItemCreateResult()
                refused.StatusCode = ua.StatusCode(status)
                results.append(refused)
                continue
            one = ua.CreateMonitoredItemsParameters()
            one.SubscriptionId, one.ItemsToCreate = parameters.SubscriptionId, [item]
            results += await create(one)
        return results

    async def no_subscription(*_: Any, **__: Any) -> Any:
        raise ServiceError(status)

    service.create_monitored_items = no_items
    if after is None:
        service.create_subscription = no_subscription
    yield
    service.create_monitored_items, service.create_subscription = create, subscribe


@pytest.mark.parametrize("status", ["BadServiceUnsupported", "BadTooManySubscriptions"])
@pytest.mark.fault(
    47,
    injection="the server refuses every subscription",
    expectation="all values are polled",
)
async def test_where_subscriptions_are_refused_all_is_polled(status: str) -> None:
    async with opcua_server(VALUES) as server:
        with refusing(server, getattr(ua.StatusCodes, status)):
            async with driver(server).open() as session:
                first = await session.read(())
                assert (first.changed, first.bad) == (FIRST, {})
                assert first.source_times.keys() == FIRST.keys()
                await server.set("v3", 33)
                assert (await until(session, lambda b: b.changed)).changed == {"m/v3": 33}
                assert server.subscriptions == []
            with pytest.raises(DriverError):
                async with driver(server, mode="subscribe").open():
                    pass


@pytest.mark.fault(
    47,
    injection="the server takes 4 monitored items of 6",
    expectation="the rest is polled",
)
async def test_where_items_are_refused_the_rest_is_polled() -> None:
    async with opcua_server(VALUES) as server:
        with refusing(server, ua.StatusCodes.BadTooManyMonitoredItems, after=4):
            async with driver(server).open() as session:
                first = await session.read(())
                assert (first.changed, first.bad) == (FIRST, {})
                assert len(server.items) == 4
                for name in ("v0", "v5"):
                    await server.set(name, 50)
                    changed = await until(session, lambda b: b.changed)
                    assert changed.changed == {f"m/{name}": 50}
                    assert changed.covers is first.covers


async def test_several_subscriptions_of_one_session_are_one_stream() -> None:
    async with opcua_server(VALUES) as server:
        several = driver(server, limits={"items_per_subscription": 2})
        async with several.open() as session:
            first = await session.read(())
            first.committed()
            assert (first.changed, first.bad) == (FIRST, {})
            assert len(server.subscriptions) == 3
            for count in range(10, 20):
                for name in ("v0", "v3", "v5"):
                    await server.set(name, count)
            seen: dict[str, list[Value]] = {}
            while any(len(seen.get(f"m/{name}", [])) < 10 for name in ("v0", "v3", "v5")):
                for key, value in (await until(session, lambda b: b.changed)).changed.items():
                    seen.setdefault(key, []).append(value)
            assert seen == {f"m/{name}": list(range(10, 20)) for name in ("v0", "v3", "v5")}
            for _ in range(6):
                (await session.read(())).committed()
            kept = [len(one._not_acknowledged_results) for one in server.subscriptions]  # noqa: SLF001
            assert kept == [0, 0, 0]
            dead = server.subscriptions[1].data.SubscriptionId
            service = server.library.iserver.subscription_service
            await service.delete_subscriptions([dead])
            with pytest.raises(Unreachable):
                await until(session, lambda _: False)


async def test_what_the_server_makes_of_a_wish_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with opcua_server(VALUES) as server:
        wanted = driver(server, sampling_interval_ms=10)
        for _ in range(2):
            async with wanted.open() as session:
                await session.read(())
    said = [r.getMessage() for r in caplog.records if r.name == "drivers.opcua.driver"]
    assert said == [f"{server.endpoint}: the server makes sampling_interval_ms 50, not 10"]


async def test_polling_is_a_sign_of_life_and_ends_with_the_server() -> None:
    async with opcua_server(VALUES) as server:
        slow = driver(server, mode="poll", poll_interval_ms=5000)
        async with slow.open() as session:
            await session.read(())
            async with asyncio.timeout(1):
                assert not (await session.read(())).changed
            reading = asyncio.create_task(until(session, lambda _: False))
            await server.stop()
            with pytest.raises(DriverError):
                await reading


async def test_a_polled_node_that_is_missing_or_appears_is_told() -> None:
    tags = TAGS | {"m/late": {"node": f"nsu={URI};s=late"}}
    async with opcua_server(VALUES) as server:
        polling = OpcUaDriver(link(server, mode="poll"), requests(tags))
        async with polling.open() as session:
            first = await session.read(())
            assert (first.changed, first.bad) == (FIRST, {"m/late": "missing_node"})
            await server.add("late", 5)
            later = await until(session, lambda b: b.changed)
            assert (later.changed, later.bad) == ({"m/late": 5}, {})


async def grown(server: OpcUaServer, name: str) -> None:
    """Add a machine with a state below the Objects folder, under ids made by the server."""
    index = await server.library.get_namespace_index(URI)
    machines = await server.library.nodes.objects.add_object(index, "Machines")
    machine = await machines.add_object(index, name)
    await machine.add_variable(index, "State", 3)


@pytest.mark.parametrize(
    "path", ["{URI}Machines/{URI}press-07/{URI}State", "Objects/{URI}Machines/*/{URI}State"]
)
async def test_a_node_is_found_by_its_path_whatever_its_id(path: str) -> None:
    async with opcua_server({}) as server:
        tags = {"m/state": {"path": path.replace("{URI}", f"{{{URI}}}")}}
        wanted = OpcUaDriver(link(server, retry_refused_s=0.2), requests(tags))
        async with wanted.open() as session:
            assert (await session.read(())).bad == {"m/state": "missing_node"}
            await grown(server, "press-07")
            batch = await until(session, lambda b: b.changed)
            assert (batch.changed, batch.bad) == ({"m/state": 3}, {})


async def test_a_path_that_could_be_two_nodes_is_missing() -> None:
    async with opcua_server({}) as server:
        await grown(server, "press-07")
        index = await server.library.get_namespace_index(URI)
        [machines] = await server.library.nodes.objects.get_children_by_path(
            [[ua.QualifiedName("Machines", index)]]
        )
        await machines[0].add_object(index, "press-08")
        tags = {"m/state": {"path": f"{{{URI}}}Machines/*/{{{URI}}}State"}}
        async with OpcUaDriver(link(server), requests(tags)).open() as session:
            assert (await session.read(())).bad == {"m/state": "missing_node"}


async def test_browsing_lists_nodes_as_settings_write_them() -> None:
    async with opcua_server({"run": True, "heat": 20.5}) as server:
        await grown(server, "press-07")
        found = await browse(link(server), depth=3)
        nodes = {one.path: one for one in found.nodes}
        assert found.complete
        run = nodes["run"]
        assert (run.node, run.kind, run.type, run.value) == (
            f"nsu={URI};s=run",
            "variable",
            "Boolean",
            True,
        )
        assert (run.readable, run.depth) == (True, 1)
        assert nodes["Server"].notifier
        state = nodes[f"{{{URI}}}Machines/{{{URI}}}press-07/{{{URI}}}State"]
        assert (state.name, state.type, state.value, state.depth) == ("State", "Int64", 3, 3)
        below = await browse(link(server), nodes[f"{{{URI}}}Machines"].node, depth=1)
        assert [one.name for one in below.nodes] == ["press-07"]


async def test_browsing_shows_names_that_are_no_utf_8_as_a_person_reads_them() -> None:
    sent = "急停".encode("gb18030").decode(errors="surrogateescape")
    async with opcua_server({sent: True}) as server:
        found = await browse(link(server))
        (stop,) = [one for one in found.nodes if one.node == f"nsu={URI};s=急停"]
        assert (stop.path, stop.name, stop.value) == ("急停", "急停", True)


async def test_browsing_is_bounded_and_a_missing_start_is_refused() -> None:
    async with opcua_server(VALUES) as server:
        some = await browse(link(server), depth=9, max_nodes=7)
        assert (len(some.nodes), some.complete) == (7, False)
        with pytest.raises(Rejected):
            await browse(link(server), "ns=9;s=nowhere")


async def test_a_server_that_sends_less_often_is_taken_as_it_is() -> None:
    async with opcua_server(VALUES) as server:
        service = server.library.iserver.subscription_service
        subscribe = service.create_subscription

        async def slower(parameters: Any, *more: Any, **others: Any) -> Any:
            parameters.RequestedPublishingInterval = 200.0
            return await subscribe(parameters, *more, **others)

        service.create_subscription = slower
        plan = await plan_live(link(server), requests(TAGS))
        assert plan.publishing_ms == 200
        assert "the server makes publishing_interval_ms 200, not 50" in plan.lines("en")
        async with driver(server).open() as session:
            assert (await session.read(())).changed == FIRST


async def test_a_live_plan_says_what_the_server_makes_of_it() -> None:
    tags = TAGS | {"m/late": {"node": f"nsu={URI};s=late"}, "m/alarms": {"conditions": "server"}}
    async with opcua_server(VALUES) as server:
        with refusing(server, ua.StatusCodes.BadTooManyMonitoredItems, after=5):
            plan = await plan_live(link(server, sampling_interval_ms=10), requests(tags))
    assert plan.subscriptions == [4]
    assert (plan.conditions, plan.polled, plan.refused) == (1, {0.1: 3}, {"m/late": "missing_node"})
    assert [str(one) for one in plan.revised] == [
        "the server makes sampling_interval_ms 50, not 10"
    ]
