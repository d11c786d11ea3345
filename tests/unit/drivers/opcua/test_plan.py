from typing import Any

import pytest

from drivers.contract import TagRequest
from drivers.opcua import SPEC
from drivers.opcua.limits import Limits
from drivers.opcua.plan import Plan, plan_of
from drivers.opcua.services import Revised


def tags(count: int) -> list[TagRequest]:
    return [
        TagRequest(
            f"m/t{n}", "slow" if n % 2 else "plc", None, SPEC.tag_settings(node=f"i={n + 1}")
        )
        for n in range(count)
    ]


def plan(count: int, limits: Limits | None = None, **link: Any) -> Plan:
    alarms = TagRequest("m/alarms", "plc", None, SPEC.tag_settings(conditions="server"))
    groups = {"slow": {"poll_interval_ms": 10_000, "sampling_interval_ms": 5000}}
    settings = {"endpoint": "opc.tcp://plc", "groups": groups} | link
    return plan_of(SPEC.link_settings(**settings), [*tags(count), alarms], limits)


def test_everything_is_watched_where_there_is_room() -> None:
    made = plan(1200)
    assert made.subscriptions == [1201]
    assert made.create_calls == 3
    assert made.sampling == {250.0: 600, 5000.0: 600}
    assert (made.conditions, made.polled) == (1, {})


def test_what_finds_no_room_is_polled_at_its_groups_interval() -> None:
    made = plan(1200, brand="s7-1200")
    assert made.subscriptions == [1000]
    assert (made.create_size, made.create_calls) == (100, 10)
    assert sum(made.sampling.values()) == 999
    assert made.polled == {1.0: 100, 10.0: 101}


@pytest.mark.parametrize(
    ("limits", "subscriptions", "polled"),
    [
        (Limits(items_per_subscription=4), [4, 4, 3], 0),
        (Limits(items_per_subscription=4, subscriptions_per_session=2), [4, 4], 3),
    ],
)
def test_subscriptions_are_filled_one_after_the_other(
    limits: Limits, subscriptions: list[int], polled: int
) -> None:
    made = plan(10, limits)
    assert made.subscriptions == subscriptions
    assert sum(made.polled.values()) == polled


def test_polling_alone_subscribes_to_alarms_only() -> None:
    made = plan(10, mode="poll")
    assert (made.subscriptions, made.sampling) == ([1], {})
    assert made.polled == {1.0: 5, 10.0: 5}


def test_subscribing_alone_polls_nothing() -> None:
    assert plan(10, Limits(items_per_session=5), mode="subscribe").polled == {}


def test_where_nothing_is_subscribed_no_subscription_is_told_of() -> None:
    asked = plan_of(SPEC.link_settings(endpoint="opc.tcp://plc", mode="poll"), tags(1))
    assert asked.lines("en") == ["1 nodes polled every 1 s, 500 at most in a request"]


def test_a_slow_brand_slows_what_is_asked() -> None:
    made = plan(2, brand="schneider-bmenua", publishing_interval_ms=100, sampling_interval_ms=20)
    assert made.publishing_ms == 250
    assert made.sampling == {125.0: 1, 5000.0: 1}


def test_it_reads_as_sentences_in_both_languages() -> None:
    made = plan(1200, brand="s7-1200")
    told = Plan(
        made.subscriptions,
        made.publishing_ms,
        made.create_size,
        made.read_size,
        made.conditions,
        made.sampling,
        made.polled,
        (Revised("publishing_interval_ms", 500, 1000),),
        {"m/t1": "missing_node"},
    )
    assert told.lines("en") == [
        "subscription 1: 1000 items, published every 500 ms",
        "creating items: 10 requests of 100 at most",
        "500 nodes sampled every 250 ms",
        "499 nodes sampled every 5000 ms",
        "1 sources of alarms, all refreshed on connect",
        "100 nodes polled every 1 s, 500 at most in a request",
        "101 nodes polled every 10 s, 500 at most in a request",
        "the server makes publishing_interval_ms 1000, not 500",
        "the server refuses m/t1: missing_node",
    ]
    assert "订阅 1：1000 个监视项，每 500 ms 发布一次" in told.lines("zh")
    assert len(told.lines("zh")) == len(told.lines("en"))
