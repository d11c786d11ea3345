from dataclasses import replace

from gateway.domain.equipment import step
from gateway.domain.facts import ClockStepped, SeriesBegan
from gateway.domain.series import NO_READING
from gateway.domain.state import Live, Pending
from gateway.domain.vocabulary import stamp
from tests.unit.domain.scene import IDLE, Play, at, of_type, seen, started


def began(scene: Play, *, doubtful: bool) -> SeriesBegan:
    return SeriesBegan(scene.state.durable.counters["good"].booked.at, 1e6, doubtful)


def test_what_was_read_since_the_start_is_trusted() -> None:
    scene = Play().awake()
    after, events = step(scene.state, began(scene, doubtful=True), scene.rules)
    assert after.durable.counters == scene.state.durable.counters
    assert [event.data()["anomaly"] for event in events if event.type == "count"] == ["baseline"]


def test_an_older_reading_is_nothing_to_count_from_but_the_total_stays() -> None:
    scene = Play().awake()
    before = scene.state.durable.counters["good"]
    asleep = scene.state._replace(live=Live())
    after, _ = step(asleep, began(scene, doubtful=True), scene.rules)
    counter = after.durable.counters["good"]
    assert (counter.identity, counter.total) == (NO_READING, before.total)


def test_without_doubt_counting_goes_on() -> None:
    scene = Play().awake()
    asleep = scene.state._replace(live=Live())
    after, _ = step(asleep, began(scene, doubtful=False), scene.rules)
    assert after.durable is asleep.durable


def test_a_reading_not_believed_yet_is_nothing_to_count_from() -> None:
    scene = Play().awake()
    booked = scene.state.durable.counters["good"].booked
    waiting = Pending(raw=9_999, read=booked, reads=1, since=booked, tries=1)
    counter = replace(scene.state.durable.counters["good"], pending=waiting)
    durable = replace(scene.state.durable, counters={"good": counter})
    doubting = scene.state._replace(durable=durable)
    after, _ = step(doubting, began(scene, doubtful=True), scene.rules)
    assert after.durable.counters["good"] == replace(counter, identity=NO_READING, pending=None)


def in_new_series(scene: Play, rival_seen: float | None) -> list[tuple[str, str, object]]:
    """Return state, since and previous state of what a new series begins with."""
    seen_at = None if rival_seen is None else at(rival_seen)
    events = scene.feed(SeriesBegan(at(100), 100, doubtful=True, rival_seen=seen_at))
    return [(one["state"], one["since"], one["prev_state"]) for one in of_type(events, "status")]


def test_a_series_begins_where_the_rival_ended() -> None:
    scene = Play().awake()
    scene.feed(started(90, last_alive=20), seen(91, **IDLE))
    assert in_new_series(scene, rival_seen=80) == [
        ("offline", stamp(at(80)), None),
        ("idle", stamp(at(91)), "offline"),
    ]
    (change,) = of_type(scene.feed(seen(101, run=True)), "status")
    assert change["prev_duration_ms"] == 10_000


def test_an_offline_that_began_before_the_rival_ended_begins_there() -> None:
    scene = Play().awake()
    scene.feed(started(90, last_alive=20))
    assert in_new_series(scene, rival_seen=80) == [("offline", stamp(at(80)), None)]
    (change,) = of_type(scene.feed(seen(101, **IDLE)), "status")
    assert (change["since"], change["prev_state"]) == (stamp(at(101)), "offline")


def test_a_rival_that_spoke_later_than_our_state_began_has_told_until_then() -> None:
    assert in_new_series(Play().awake(), rival_seen=80) == [("idle", stamp(at(80)), None)]


def test_without_a_rival_the_state_in_force_is_restated() -> None:
    assert in_new_series(Play().awake(), rival_seen=None) == [("idle", stamp(at(1)), None)]


def test_a_stepped_clock_is_told_and_changes_nothing() -> None:
    scene = Play().awake()
    before = scene.state
    (health,) = of_type(scene.feed(ClockStepped(at(3700), 100, 3_600_000, "boot-1")), "health")
    assert (health["link"], health["clock"]) == (
        "_clock",
        {"boot_id": "boot-1", "offset_ms": 3_600_000},
    )
    assert scene.state.durable is before.durable


def test_a_machine_that_was_offline_before_and_after_the_rival_spoke_stays_so() -> None:
    scene = Play().awake()
    scene.feed(started(90, last_alive=85))
    assert in_new_series(scene, rival_seen=80) == [("offline", stamp(at(85)), None)]
