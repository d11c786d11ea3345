import pytest
from asyncua.ua import uaerrors

from drivers.contract import DriverError
from drivers.opcua.errors import as_driver_errors
from drivers.opcua.items import Items, Target
from drivers.opcua.limits import Limits
from drivers.opcua.nodes import parse
from drivers.opcua.paths import parse_path
from drivers.opcua.services import Place, Raw
from tests.support.clock import FakeClock
from tests.unit.drivers.opcua.fake_connection import FakeConnection

FULL, UNKNOWN = 0x80DB_0000, 0x8034_0000
NAMES = "ABCDEFG"


def refusal(name: str) -> DriverError:
    """Return the error that a service's refusal becomes."""
    try:
        with as_driver_errors("opc.tcp://plc:4840"):
            raise getattr(uaerrors, name)
    except DriverError as err:
        return err


def items(
    server: FakeConnection,
    *,
    limits: Limits | None = None,
    may_subscribe: bool = True,
    may_poll: bool = True,
    conditions: bool = False,
) -> Items:
    server.limits = limits or Limits()
    targets = {name.lower(): Target(parse(f"nsu=urn:plc;s={name}")) for name in NAMES}
    if conditions:
        targets["alarms"] = Target(parse("i=2253"), conditions=True)
    return Items(
        server,
        targets,
        retry_refused_s=30,
        monotonic=server.clock.mono_s,
        may_subscribe=may_subscribe,
        may_poll=may_poll,
    )


async def test_what_one_subscription_does_not_take_goes_into_the_next(
    server: FakeConnection,
) -> None:
    wanted = items(server, limits=Limits(items_per_subscription=3))
    await wanted.start()
    assert server.created == [["A", "B", "C"], ["D", "E", "F"], ["G"]]
    assert server.put_in == [1, 2, 3]
    assert list(wanted.counts()) == [3, 3, 1]
    assert wanted.polled == {}


@pytest.mark.parametrize(
    ("limits", "watched"),
    [
        (Limits(items_per_session=5), 5),
        (Limits(items_per_subscription=2, subscriptions_per_session=2), 4),
        (Limits(items_per_subscription=2, items_per_session=3), 3),
    ],
)
async def test_what_a_session_does_not_take_is_polled(
    server: FakeConnection, limits: Limits, watched: int
) -> None:
    wanted = items(server, limits=limits)
    await wanted.start()
    assert [name for names in server.created for name in names] == list(NAMES[:watched])
    assert wanted.polled == {name.lower(): Place(1, name) for name in NAMES[watched:]}
    assert wanted.refused == {}


async def test_without_polling_what_finds_no_room_is_busy(server: FakeConnection) -> None:
    wanted = items(server, limits=Limits(items_per_session=6), may_poll=False)
    await wanted.start()
    assert wanted.refused == {"g": "device_busy"}
    assert wanted.polled == {}


@pytest.mark.parametrize("name", ["BadServiceUnsupported", "BadTooManySubscriptions"])
async def test_a_server_that_takes_no_subscription_is_polled(
    server: FakeConnection, name: str
) -> None:
    server.subscribe_fails = refusal(name)
    wanted = items(server, conditions=True)
    await wanted.start()
    assert wanted.polled.keys() == {name.lower() for name in NAMES}
    assert wanted.refused == {"alarms": "device_refused"}
    assert wanted.subscriptions == []


@pytest.mark.parametrize(
    ("name", "may_poll"), [("BadTimeout", True), ("BadServiceUnsupported", False)]
)
async def test_any_other_failure_to_subscribe_is_raised(
    server: FakeConnection, name: str, may_poll: bool
) -> None:
    server.subscribe_fails = refusal(name)
    with pytest.raises(DriverError) as caught:
        await items(server, may_poll=may_poll).start()
    assert caught.value is server.subscribe_fails


async def test_a_node_the_server_has_no_room_for_is_polled_and_the_others_watched(
    server: FakeConnection,
) -> None:
    server.refuses = {"C": FULL, "D": UNKNOWN}
    wanted = items(server)
    await wanted.start()
    assert wanted.polled.keys() == {"c"}
    assert wanted.refused == {"d": "missing_node"}
    assert list(wanted.counts()) == [5]


@pytest.mark.parametrize("name", ["BadTooManyMonitoredItems", "BadServiceUnsupported"])
async def test_a_piece_the_server_refuses_for_want_of_room_is_polled(
    server: FakeConnection, name: str
) -> None:
    server.create_fails = refusal(name)
    wanted = items(server)
    await wanted.start()
    assert wanted.polled.keys() == {name.lower() for name in NAMES}


async def test_a_piece_that_is_too_big_is_halved_until_it_fits(server: FakeConnection) -> None:
    server.most_items = 2
    wanted = items(server)
    await wanted.start()
    assert server.created == [["A"], ["B"], ["C"], ["D"], ["E"], ["F"], ["G"]]
    server.most_items = -1
    with pytest.raises(DriverError):
        await items(server).start()


async def test_polling_alone_watches_conditions_only(server: FakeConnection) -> None:
    wanted = items(server, may_subscribe=False, conditions=True)
    await wanted.start()
    assert server.created == [["2253"]]
    assert wanted.polled.keys() == {name.lower() for name in NAMES}
    assert wanted.new_conditions == ["alarms"]
    alone = items(server, may_subscribe=False)
    await alone.start()
    assert alone.subscriptions == []


async def test_an_item_made_anew_is_told_apart_from_the_old_one(server: FakeConnection) -> None:
    wanted = items(server, limits=Limits(items_per_subscription=4))
    await wanted.start()
    old = server.handles["B"]
    wanted.note([Raw(old, 1, 0, None)])
    await wanted.replace(["b"])
    assert server.deleted == [1000 + old]
    assert wanted.key_of(old) is None
    assert wanted.key_of(server.handles["B"]) == "b"
    assert "b" not in wanted.last
    assert list(wanted.counts()) == [4, 3]


async def test_what_lost_its_item_in_between_is_asked_for_again(
    server: FakeConnection, clock: FakeClock
) -> None:
    wanted = items(server)
    await wanted.start()
    server.create_fails = refusal("BadTimeout")
    with pytest.raises(DriverError):
        await wanted.replace(["b"])
    server.create_fails = None
    clock.advance(31)
    await wanted.retry()
    assert server.created[-1] == ["B"]


async def test_a_path_is_looked_up_each_time(server: FakeConnection, clock: FakeClock) -> None:
    targets = {"state": Target(parse_path("{urn:plc}Press/{urn:plc}State"))}
    wanted = Items(server, targets, retry_refused_s=30, monotonic=clock.mono_s)
    await wanted.start()
    assert wanted.refused == {"state": "missing_node"}
    server.paths = {("Press", "State"): "4711"}
    clock.advance(31)
    await wanted.retry()
    assert server.created == [["4711"]]
    assert wanted.refused == {}
    server.uris = [""]
    await wanted.replace(["state"])
    assert wanted.refused == {"state": "missing_node"}


async def test_what_the_server_makes_slower_or_shorter_is_noted(server: FakeConnection) -> None:
    server.makes = {"A": (2000.0, 100), "B": (0.0, 7)}
    wanted = items(server)
    await wanted.start()
    slower, shorter = wanted.revised["sampling_interval_ms"], wanted.revised["queue_size"]
    assert slower.got == 2000
    assert (shorter.asked, shorter.got) == (100, 7)
