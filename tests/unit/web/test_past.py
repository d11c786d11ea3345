"""What was found out late, what reaches over the edge of a span: nothing of it is lost."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from gateway.domain.events import Count, Note
from gateway.domain.vocabulary import Order, Reason, State, stamp
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.web.access.roles import Role
from tests.support.board import NOW, ago, press
from tests.support.past import COUNTS, JAM, PRESS, TIMELINE, asked, count, fault, status
from tests.support.web import Rig

BREAK = Reason("meal", "break", {"en": "Meal"}, planned=True)


def note(about: str, seconds_ago: float, *, by: str = "li", **more: Any) -> Note:
    return Note(at=ago(seconds_ago), about=about, by=by, **more)


async def test_going_back_page_by_page_leaves_out_nothing_that_was_found_out_late(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    await journal.append([Entry(PRESS, [count(1, 100), count(2, 95), count(3, 90), count(4, 90)])])
    await journal.append([Entry(PRESS, [status(State.OFFLINE, 120)])])  # since the last good sample
    url, seen, before = f"/api/v1/equipment/{PRESS}/events", list[int](), ""
    while len(seen) < 9:
        query = {"limit": "2"} | ({"before": before} if before else {})
        page = (await viewer.get(url, params=query)).json()
        seen += [one["seq"] for one in page["events"]]
        if page["next"] is None:
            break
        before = page["next"]
    assert seen == [4, 3, 2, 1, 5]


async def test_the_last_state_of_a_span_ends_when_the_next_one_began(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    told = [(State.RUNNING, 7200), (State.IDLE, 5400), (State.RUNNING, 3500)]
    await journal.append([Entry(PRESS, [status(*one) for one in told])])
    found = (await viewer.get(TIMELINE, params=asked(7000, 3600))).json()["intervals"]
    assert [(one["until"], one["duration_ms"]) for one in found] == [
        (stamp(ago(5400)), 1_800_000),
        (stamp(ago(3500)), 1_900_000),
    ]


async def test_a_reason_given_at_the_edge_of_a_span_counts_in_every_span(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    since = ago(7200)
    repeats = [status(State.IDLE, at, repeat=True, since=since) for at in (3600, 1800)]
    await journal.append([Entry(PRESS, [status(State.IDLE, 7200), *repeats])])
    (shown,) = (await viewer.get(TIMELINE, params=asked(1000))).json()["intervals"]
    assert shown["id"] == f"{journal.epoch}-1"
    await journal.append([Entry(PRESS, [note(shown["id"], 10, reason=JAM)])])
    for begins in (7300, 3000, 1000):
        (one,) = (await viewer.get(TIMELINE, params=asked(begins))).json()["intervals"]
        assert one["reason"]["code"] == "E204", begins


async def test_a_repeat_stands_for_what_is_no_longer_kept(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    repeat = status(State.IDLE, 3600, repeat=True, since=ago(7200))
    await journal.append([Entry(PRESS, [repeat, status(State.RUNNING, 1800)])])
    for begins in (4000, 3000):
        found = (await viewer.get(TIMELINE, params=asked(begins))).json()["intervals"]
        assert [(one["state"], one["since"]) for one in found] == [
            ("idle", stamp(ago(7200))),
            ("running", stamp(ago(1800))),
        ]


async def test_a_word_without_a_reason_leaves_the_reason_that_was_given(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    await journal.append([Entry(PRESS, [status(State.IDLE, 3000)])])
    about = f"{journal.epoch}-1"
    words = [note(about, 100, reason=BREAK), note(about, 50, by="wang", comment="ok")]
    await journal.append([Entry(PRESS, words)])
    (one,) = (await viewer.get(TIMELINE)).json()["intervals"]
    assert (one["reason"]["code"], one["note"]["by"], one["note"]["comment"]) == (
        "meal",
        "wang",
        "ok",
    )


async def test_a_planned_stop_of_many_days_stays_planned(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    days = 4 * 86400
    await journal.append([Entry(PRESS, [status(State.STOPPED, days)])])
    await journal.append([Entry(PRESS, [note(f"{journal.epoch}-1", days - 60, reason=BREAK)])])
    await journal.append([Entry(PRESS, [count(1, 5)])])
    (one,) = (await viewer.get(TIMELINE, params=asked(3600))).json()["intervals"]
    assert one["reason"]["code"] == "meal"
    query = asked(3600, by="day", equipment=PRESS)
    (row,) = (await viewer.get("/api/v1/kpi", params=query)).json()["rows"]
    assert row["inputs"]["planned_stop_s"] == row["inputs"]["total_s"] >= 3600


async def test_of_a_silent_collector_a_state_is_believed_up_to_its_last_sign_of_life(
    rig: Rig, viewer: httpx.AsyncClient, journal: Journal
) -> None:
    order = Order("WO-1")
    await journal.append([Entry(PRESS, [status(State.RUNNING, 60, order=order)])])
    alive = (await viewer.get(TIMELINE)).json()["intervals"]
    assert [(one["state"], one["until"]) for one in alive] == [("running", None)]
    rig.clock.pass_by(timedelta(hours=3))
    silent = (await viewer.get(TIMELINE)).json()["intervals"]
    assert [(one["state"], one["until"], one["duration_ms"]) for one in silent] == [
        ("running", stamp(NOW), 60_000),
        ("offline", None, 3 * 3600_000),
    ]
    assert (silent[1]["id"], silent[1]["reason"]["code"]) == ("", "collector_silent")
    before = (await viewer.get(TIMELINE, params=asked(50, 10))).json()["intervals"]
    assert [(one["state"], one["until"]) for one in before] == [("running", stamp(NOW))]
    table = (await viewer.get(f"/api/v1/equipment/{PRESS}/timeline.csv")).text
    assert "collector_silent" in table
    (made,) = (await viewer.get("/api/v1/orders")).json()["orders"]
    assert made["running_s"] == 60


async def test_orders_count_the_parts_as_the_figures_do(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    order = Order("WO-9")
    by_hand = {"counter": "scrap", "kind": "reject", "origin": "manual"}
    press = [
        status(State.RUNNING, 3000, order=order),
        count(10, 2000, delta=10, order=order),
        count(3, 1900, delta=3, order=order, **by_hand),
    ]
    oven = [
        status(State.RUNNING, 3000, order=order),
        count(7, 2000, delta=7, counter="all", kind="total", order=order),
    ]
    await journal.append([Entry(PRESS, press), Entry("oven-01", oven)])
    found = (await viewer.get("/api/v1/orders", params=asked(3600))).json()["orders"]
    assert {one["equipment"]: (one["good"], one["reject"]) for one in found} == {
        PRESS: (7, 3),
        "oven-01": (7, 0),
    }


async def test_a_fault_of_many_days_is_in_what_faults_cost(
    rig: Rig, viewer: httpx.AsyncClient, journal: Journal
) -> None:
    raised = fault("E9", 3 * 86400)
    await journal.append([Entry(PRESS, [raised, fault("E1", 600)])])
    active = {"active": [raised.data() | {"comments": []}]}
    rig.source.show({PRESS: {**press(State.FAULT)[PRESS], "faults": active}})
    rows = (await viewer.get("/api/v1/faults/pareto")).json()["rows"]
    assert [(one["code"], one["occurrences"], one["duration_ms"]) for one in rows] == [
        ("E9", 0, 8 * 3600_000),
        ("E1", 1, 600_000),
    ]
    assert rows[0]["text"] == {"en": "Text of E9"}
    query = asked(40 * 3600, code="E9")
    days = (await viewer.get("/api/v1/faults/trend", params=query)).json()["days"]
    assert sum(one["duration_ms"] for one in days) == 40 * 3600_000
    earlier = asked(8 * 86400, 4 * 86400)
    assert (await viewer.get("/api/v1/faults/pareto", params=earlier)).json()["rows"] == []


async def test_parts_of_the_minute_in_which_a_span_begins_are_counted(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    parts = [count(5, 3590, delta=5), count(9, 1800, delta=4)]
    await journal.append([Entry(PRESS, [status(State.RUNNING, 7200), *parts])])
    query = asked(3600, by="day", equipment=PRESS)
    (row,) = (await viewer.get("/api/v1/kpi", params=query)).json()["rows"]
    assert (row["from"], row["inputs"]["produced"]) == ("2026-03-20T00:01:00.000Z", 9)
    buckets = (await viewer.get(COUNTS, params=asked(3600, per="day"))).json()["buckets"]
    assert [one["values"]["good"]["quantity"] for one in buckets] == [9]


async def test_parts_before_a_shift_are_not_booked_to_it(rig: Rig, journal: Journal) -> None:
    monday = datetime.fromisoformat("2026-03-23T08:00:00+08:00")  # on Sunday nobody works
    rig.clock.pass_by(monday + timedelta(hours=2) - rig.clock.at)
    viewer = await rig.client(Role.VIEWER)
    made = ((-40, 5, 5), (300, 9, 4))
    parts = [
        Count(
            at=monday + timedelta(seconds=seconds),
            counter="good",
            kind="good",
            delta=delta,
            raw=total,
            total=total,
        )
        for seconds, total, delta in made
    ]
    await journal.append([Entry(PRESS, parts)])
    query = {
        "from": (monday - timedelta(hours=6)).isoformat(),
        "to": (monday + timedelta(hours=2)).isoformat(),
        "per": "shift",
    }
    buckets = (await viewer.get(COUNTS, params=query)).json()["buckets"]
    assert [(one["label"], one["values"]["good"]["quantity"]) for one in buckets] == [
        ("2026-03-23 A", 4)
    ]
