from dataclasses import replace

from gateway.domain.equipment import step
from gateway.domain.facts import SeriesBegan
from gateway.domain.series import NO_READING
from gateway.domain.state import Live, Pending
from tests.unit.domain.scene import Play


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
    asleep = replace(scene.state, live=Live())
    after, _ = step(asleep, began(scene, doubtful=True), scene.rules)
    counter = after.durable.counters["good"]
    assert (counter.identity, counter.total) == (NO_READING, before.total)


def test_without_doubt_counting_goes_on() -> None:
    scene = Play().awake()
    asleep = replace(scene.state, live=Live())
    after, _ = step(asleep, began(scene, doubtful=False), scene.rules)
    assert after.durable is asleep.durable


def test_a_reading_not_believed_yet_is_nothing_to_count_from() -> None:
    scene = Play().awake()
    at = scene.state.durable.counters["good"].booked
    waiting = Pending(raw=9_999, read=at, reads=1, since=at, tries=1)
    counter = replace(scene.state.durable.counters["good"], pending=waiting)
    durable = replace(scene.state.durable, counters={"good": counter})
    doubting = replace(scene.state, durable=durable)
    after, _ = step(doubting, began(scene, doubtful=True), scene.rules)
    assert after.durable.counters["good"] == replace(counter, identity=NO_READING, pending=None)
