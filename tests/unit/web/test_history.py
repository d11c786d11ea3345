"""What the API tells of the journal, with a real one."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gateway.domain.events import Count, Note, Status
from gateway.domain.vocabulary import Order, Reason, State
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.web.access.roles import Role
from tests.support.board import NOW, ago
from tests.support.journal import open_journal
from tests.support.web import Rig

PRESS = "press-07"
TIMELINE = f"/api/v1/equipment/{PRESS}/timeline"
COUNTS = f"/api/v1/equipment/{PRESS}/counts"
JAM = Reason("E204", "equipment", {"en": "Jam"})


def status(state: State, seconds_ago: float, **more: Any) -> Status:
    at = ago(seconds_ago)
    return Status(at=at, since=more.pop("since", at), state=state, cause="sample", **more)


def count(total: float, seconds_ago: float, **more: Any) -> Count:
    told: dict[str, Any] = {"counter": "good", "kind": "good", "delta": 1, "raw": total} | more
    return Count(at=ago(seconds_ago), total=total, **told)


@pytest.fixture
async def journal(rig: Rig) -> AsyncIterator[Journal]:
    async with open_journal(rig.journal, now=lambda: NOW) as journal:
        yield journal


@pytest.fixture
async def viewer(rig: Rig) -> httpx.AsyncClient:
    return await rig.client(Role.VIEWER)


def asked(seconds_ago: float, until_ago: float = 0, **more: str) -> dict[str, str]:
    return {
        "from": ago(seconds_ago).isoformat(),
        "to": ago(until_ago).isoformat(),
        **more,
    }


async def test_without_a_journal_the_history_is_empty(viewer: httpx.AsyncClient) -> None:
    answer = (await viewer.get(TIMELINE)).json()
    assert (answer["intervals"], answer["kept_from"]) == ([], None)
    assert (await viewer.get("/api/v1/events")).json() == {"events": [], "next": 0}


async def test_events_are_paged_by_seq(viewer: httpx.AsyncClient, journal: Journal) -> None:
    await journal.append([Entry(PRESS, [count(n, 100 - n) for n in range(1, 4)])])
    first = (await viewer.get("/api/v1/events", params={"after": 1, "limit": 1})).json()
    (event,) = first["events"]
    assert first["next"] == 2
    assert event["id"] == f"{journal.epoch}-2"
    assert (event["seq"], event["equipment"], event["type"]) == (2, PRESS, "count")
    assert event["data"]["total"] == 2
    assert event["time"] == "2026-03-20T00:59:51.123Z"
    rest = (await viewer.get("/api/v1/events", params={"after": 2})).json()
    assert [one["seq"] for one in rest["events"]] == [3]
    last = (await viewer.get("/api/v1/events", params={"after": 3})).json()
    assert (last["events"], last["next"]) == ([], 3)


async def test_events_of_an_equipment_come_newest_first(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    await journal.append([Entry(PRESS, [count(n, 100 - n) for n in range(1, 4)])])
    await journal.append([Entry("oven-01", [status(State.IDLE, 5)])])
    url = f"/api/v1/equipment/{PRESS}/events"
    page = (await viewer.get(url, params={"limit": 2})).json()
    assert ([one["seq"] for one in page["events"]], page["next"]) == ([3, 2], 2)
    page = (await viewer.get(url, params={"before": 2})).json()
    assert [one["seq"] for one in page["events"]] == [1]
    none = (await viewer.get(url, params={"types": "status"})).json()
    assert none["events"] == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/events?after=-1", "after"),
        ("/api/v1/events?limit=1001", "limit"),
        ("/api/v1/events?types=status,nonsense", "types"),
        ("/api/v1/events?from=2026-03-20T01:00:00", "from"),
        (f"{TIMELINE}?from=0001-01-01T00:00:00Z", "from"),
        (f"{TIMELINE}?from=2026-03-20T01:00:00Z&to=2026-03-20T01:00:00Z", "from"),
        (f"{TIMELINE}?from=2024-03-20T01:00:00Z", "from"),
        (f"{COUNTS}?from=2026-01-20T01:00:00Z&to=2026-03-20T01:00:00Z", "per"),
        ("/api/v1/stream?topics=tiles,rubbish", "topics"),
    ],
)
async def test_a_range_that_makes_no_sense_is_refused(
    viewer: httpx.AsyncClient, path: str, field: str
) -> None:
    answer = await viewer.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_an_equipment_nobody_knows_is_not_found(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.get("/api/v1/equipment/press-99/timeline")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_timeline_begins_with_what_lasted_and_has_no_hole(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    events = [
        status(State.RUNNING, 900),
        status(State.RUNNING, 600, repeat=True, since=ago(900)),
        status(State.FAULT, 300, reason=JAM, order=Order("WO-1")),
        status(State.RUNNING, 60),
    ]
    await journal.append([Entry(PRESS, events)])
    answer = (await viewer.get(TIMELINE, params=asked(700))).json()
    shown = [
        (one["state"], one["since"], one["until"], one["duration_ms"])
        for one in answer["intervals"]
    ]
    assert shown == [
        ("running", "2026-03-20T00:46:29.123Z", "2026-03-20T00:56:29.123Z", 600_000),
        ("fault", "2026-03-20T00:56:29.123Z", "2026-03-20T01:00:29.123Z", 240_000),
        ("running", "2026-03-20T01:00:29.123Z", None, 60_000),
    ]
    assert answer["intervals"][1]["reason"]["code"] == "E204"
    assert answer["intervals"][1]["order_no"] == "WO-1"
    assert answer["kept_from"] == "2026-03-20T00:46:29.123Z"


async def test_a_note_gives_an_interval_its_reason(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    await journal.append([Entry(PRESS, [status(State.IDLE, 300)])])
    about = f"{journal.epoch}-1"
    first = Note(at=ago(20), about=about, by="wang", comment="looked at it")
    last = Note(at=ago(10), about=about, by="li", reason=JAM, comment="jam")
    await journal.append([Entry(PRESS, [first, last])])
    (one,) = (await viewer.get(TIMELINE)).json()["intervals"]
    assert one["reason"]["code"] == "E204"
    assert (one["note"]["by"], one["note"]["comment"]) == ("li", "jam")


async def test_counts_are_differences_of_totals_in_each_hour(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    events = [
        count(10, 3 * 3600, delta=0, anomaly="baseline"),
        count(12, 2 * 3600, delta=2),
        count(17, 2 * 3600 - 30, delta=1),  # four were lost: the total knows them
        count(20, 60, delta=3),
        count(1, 50, counter="scrap", kind="reject", origin="manual", delta=1),
    ]
    await journal.append([Entry(PRESS, events)])
    answer = (await viewer.get(COUNTS, params=asked(4 * 3600))).json()
    made = [one["values"].get("good", {}).get("quantity", 0) for one in answer["buckets"]]
    assert [one["label"] for one in answer["buckets"]] == [
        f"2026-03-20T{hour:02}:00+08:00" for hour in (5, 6, 7, 8, 9)
    ]
    assert made == [0, 0, 7, 0, 3]
    assert sum(one["anomalies"] for one in answer["buckets"]) == 1
    scrap = answer["buckets"][-1]["values"]["scrap"]
    assert scrap == {"kind": "reject", "quantity": 1, "unit": "1", "manual": 1}


async def test_counts_of_a_shift(viewer: httpx.AsyncClient, journal: Journal) -> None:
    night, day = timedelta(hours=2), timedelta(minutes=1)
    events = [count(5, night.total_seconds(), delta=5), count(9, day.total_seconds(), delta=4)]
    await journal.append([Entry(PRESS, events)])
    answer = (await viewer.get(COUNTS, params=asked(4 * 3600, per="shift"))).json()
    shown = [(one["label"], one["values"]["good"]["quantity"]) for one in answer["buckets"]]
    assert shown == [("2026-03-19 B", 5), ("2026-03-20 A", 4)]
