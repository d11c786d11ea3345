"""What the API tells of the journal, with a real one."""

import csv
import io
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from openpyxl import load_workbook

from gateway.domain.events import Event, Fault, FaultText, Note, Reading
from gateway.domain.notes import part_about
from gateway.domain.vocabulary import Order, Reason, State, stamp
from gateway.journal.history import JournalHistory, QueryTooLong, Wanted
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.web import tile_figures
from gateway.web.access.roles import Role
from gateway.web.api import fault_history
from gateway.web.order_progress import OrderProgress
from gateway.web.parts_so_far import PartsSoFar
from gateway.web.shift_figures import shift_figures
from tests.support.board import NOW, ago, press
from tests.support.past import COUNTS, JAM, PRESS, TIMELINE, asked, count, fault, status
from tests.support.web import Rig


async def test_without_a_journal_the_history_is_empty(viewer: httpx.AsyncClient) -> None:
    answer = (await viewer.get(TIMELINE)).json()
    assert (answer["intervals"], answer["kept_from"]) == ([], None)
    assert (await viewer.get("/api/v1/events")).json() == {
        "kept_from": None,
        "events": [],
        "next": 0,
    }


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
    assert [one["seq"] for one in page["events"]] == [3, 2]
    assert page["kept_from"] == stamp(ago(99))
    page = (await viewer.get(url, params={"limit": 2, "before": page["next"]})).json()
    assert ([one["seq"] for one in page["events"]], page["next"]) == ([1], None)
    none = (await viewer.get(url, params={"types": "status"})).json()
    assert none["events"] == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/events?after=-1", "after"),
        ("/api/v1/events?limit=1001", "limit"),
        (f"/api/v1/equipment/{PRESS}/events?before=2", "before"),
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
    assert {one["target"] for one in answer["buckets"]} == {None}  # it has no ideal cycle
    assert sum(one["anomalies"] for one in answer["buckets"]) == 1
    scrap = answer["buckets"][-1]["values"]["scrap"]
    assert scrap == {"kind": "reject", "quantity": 1, "unit": "1", "manual": 1}


async def test_an_hour_has_a_target_where_an_ideal_cycle_is_known(
    viewer: httpx.AsyncClient,
) -> None:
    query = asked(4 * 3600, until_ago=-1800)  # half an hour of it has not come yet
    buckets = (await viewer.get("/api/v1/equipment/oven-01/counts", params=query)).json()["buckets"]
    assert [one["target"] for one in buckets] == [29, 30, 30, 30, 0]


async def test_counts_of_a_shift(viewer: httpx.AsyncClient, journal: Journal) -> None:
    night, day = timedelta(hours=2), timedelta(minutes=1)
    events = [count(5, night.total_seconds(), delta=5), count(9, day.total_seconds(), delta=4)]
    await journal.append([Entry(PRESS, events)])
    answer = (await viewer.get(COUNTS, params=asked(4 * 3600, per="shift"))).json()
    shown = [(one["label"], one["values"]["good"]["quantity"]) for one in answer["buckets"]]
    assert shown == [("2026-03-19 B", 5), ("2026-03-20 A", 4)]


async def two_faults(journal: Journal) -> None:
    """A jam of a minute that somebody acknowledged, and a stop that goes on."""
    jam = {"raised_ago": 1000}
    events = [
        status(State.RUNNING, 7000),
        status(State.FAULT, 1000, reason=JAM),
        fault("E1", 1000),
        fault("E1", 970, "acked", **jam, acked=True, acked_by="li", acked_at=ago(970), by="li"),
        fault(
            "E1",
            960,
            "updated",
            **jam,
            acked=True,
            acked_by="li",
            acked_at=ago(970),
            by="li",
            comment="air hose changed",
        ),
        fault(
            "E1",
            940,
            "cleared",
            **jam,
            acked=True,
            acked_by="li",
            acked_at=ago(970),
            cleared_at=ago(940),
            duration_ms=60_000,
        ),
        status(State.RUNNING, 940),
        status(State.FAULT, 100, reason=JAM),
        fault("E2", 100),
    ]
    await journal.append([Entry(PRESS, events)])


async def test_the_history_of_faults_has_one_row_an_occurrence(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    await two_faults(journal)
    url = "/api/v1/faults/history"
    first = (await viewer.get(url, params={"limit": 1})).json()
    assert [(one["code"], one["duration_ms"]) for one in first["faults"]] == [("E2", None)]
    older = (await viewer.get(url, params={"before": first["next"]})).json()
    (jam,) = older["faults"]
    assert (jam["code"], jam["duration_ms"], jam["priority"]) == ("E1", 60_000, 1)
    assert (jam["acked"]["by"], jam["comments"][0]["comment"]) == ("li", "air hose changed")
    assert older["next"] is None
    for query, codes in (
        ({"code": "E1"}, ["E1"]),
        ({"acked_by": "li"}, ["E1"]),
        ({"equipment": "oven-01"}, []),
        ({"line": "line-1"}, ["E2", "E1"]),
        (asked(500), ["E2"]),
    ):
        found = (await viewer.get(url, params=query)).json()["faults"]
        assert [one["code"] for one in found] == codes, query
    assert (await viewer.get(url, params={"line": "line-9"})).status_code == 404
    table = (await viewer.get("/api/v1/faults/history.csv")).text
    assert "li: air hose changed" in table
    assert len(table.strip().splitlines()) == 3


async def test_what_happened_around_a_fault(viewer: httpx.AsyncClient, journal: Journal) -> None:
    await two_faults(journal)
    told = [
        Reading(at=ago(1500), group="plc", values={"temperature": 20.5, "run": True}, full=True),
        Reading(at=ago(1000), group="plc", values={"run": False}, bad={"alarm_word": "timeout"}),
        Reading(at=ago(999), group="plc", values={"temperature": 99.0}),
    ]
    parts = [count(5, 1200), count(9, 1100, delta=4), count(10, 700)]
    await journal.append([Entry(PRESS, [*told, *parts])])
    text = FaultText("H7", {"en": "Too hot"}, severity=700)
    hot = Fault(at=ago(1060), fault=text, raised_at=ago(1060), fault_id="H7-1", transition="raised")
    await journal.append([Entry("oven-01", [hot])])
    url = f"/api/v1/equipment/{PRESS}/around"
    answer = (await viewer.get(url, params={"at": ago(1000).isoformat()})).json()
    assert [one["state"] for one in answer["intervals"]] == ["running", "fault", "running"]
    assert [(one["equipment"], one["code"]) for one in answer["faults"]] == [
        ("oven-01", "H7"),
        (PRESS, "E1"),
    ]
    (good,) = answer["counts"]
    assert (good["counter"], good["before"], good["after"]) == ("good", 5, 1)
    shown = {one["tag"]: (one["value"], one["bad"]) for one in answer["values"]}
    assert shown == {
        "run": (False, None),
        "alarm_word": (None, "timeout"),
        "temperature": (20.5, None),
    }
    assert [one["tag"] for one in answer["values"] if one["decides"]] == ["run", "alarm_word"]
    assert (await viewer.get(url)).status_code == 422
    assert (await viewer.get(url, params={"at": "2026-03-20T01:00:00"})).status_code == 422


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"text": "HOSE"}, ["E1"]),
        ({"text": "text of e"}, ["E2", "E1"]),
        ({"text": " e2 "}, ["E2"]),
        ({"text": "nothing such"}, []),
        ({"by": "li"}, ["E1"]),
        ({"by": "wang"}, ["E2"]),
        ({"acked_by": "wang"}, []),
        ({"by": "l"}, []),
    ],
)
async def test_the_history_of_faults_is_searched(
    viewer: httpx.AsyncClient, journal: Journal, query: dict[str, str], codes: list[str]
) -> None:
    await two_faults(journal)
    said = fault("E2", 50, "updated", raised_ago=100, by="wang", comment="looking")
    await journal.append([Entry(PRESS, [said])])
    found = (await viewer.get("/api/v1/faults/history", params=query)).json()["faults"]
    assert [one["code"] for one in found] == codes


async def test_what_faults_cost(viewer: httpx.AsyncClient, journal: Journal) -> None:
    await two_faults(journal)
    rows = (await viewer.get("/api/v1/faults/pareto")).json()["rows"]
    shown = [(one["code"], one["occurrences"], one["duration_ms"]) for one in rows]
    assert shown == [("E2", 1, 100_000), ("E1", 1, 60_000)]
    assert rows[0]["text"] == {"en": "Text of E2"}
    assert rows[1]["cumulative"] == 1
    answer = (await viewer.get("/api/v1/faults/figures")).json()
    figures = answer["figures"]
    assert (figures["failures"], figures["repaired"], figures["mttr_s"]) == (2, 1, 60)
    assert figures["operating_s"] == 6000 + 840
    assert figures["mtbf_s"] == 3420
    assert figures["down_s"] == 60 + 100
    assert figures["response_s"] == 30
    assert answer["previous"] is None


async def test_faults_are_counted_day_by_day(viewer: httpx.AsyncClient, journal: Journal) -> None:
    night = 9.5 * 3600  # 23:31 on the wall, so that the fault lasts over midnight
    over = {"raised_ago": night, "fault_id": "E1-0"}
    events = [
        fault("E1", night, fault_id="E1-0"),
        fault("E1", night - 3600, "cleared", **over, cleared_at=ago(night - 3600)),
    ]
    await journal.append([Entry(PRESS, events)])
    await two_faults(journal)
    url = "/api/v1/faults/trend"
    days = (await viewer.get(url, params=asked(40 * 3600, code="E1"))).json()["days"]
    assert [(one["label"], one["occurrences"]) for one in days] == [
        ("2026-03-18", 0),
        ("2026-03-19", 1),
        ("2026-03-20", 1),
    ]
    before = 3600 - days[2]["duration_ms"] // 1000 + 60
    assert days[1]["duration_ms"] // 1000 == pytest.approx(before, abs=1)
    assert days[1]["duration_ms"] == pytest.approx(1710_877, abs=1)
    every = (await viewer.get(url, params=asked(3600))).json()["days"]
    assert [(one["occurrences"], one["duration_ms"]) for one in every] == [(2, 160_000)]


async def test_oee_of_a_shift_with_what_it_rests_on(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    order = Order("WO-1", ideal_cycle_ms=60_000)
    events = [
        status(State.RUNNING, 3600, order=order),
        count(30, 1800, delta=30, order=order),
        count(2, 1700, delta=2, counter="bad", kind="reject", order=order),
        status(State.IDLE, 1200, order=order),
    ]
    await journal.append([Entry(PRESS, events)])
    query = asked(3600, by="hour", equipment=PRESS)
    rows = (await viewer.get("/api/v1/kpi", params=query)).json()["rows"]
    assert [one["window"] for one in rows] == ["2026-03-20T08:00+08:00", "2026-03-20T09:00+08:00"]
    first = rows[0]
    assert first["equipment"] == PRESS
    assert (first["inputs"]["produced"], first["inputs"]["good"]) == (32, 30)
    assert first["quality"] == 30 / 32
    assert first["oee"] is not None
    assert rows[1]["missing"]
    shift = (await viewer.get("/api/v1/kpi", params=asked(3600, equipment=PRESS))).json()["rows"]
    assert [one["window"] for one in shift] == ["2026-03-20 A"]
    per_order = (await viewer.get("/api/v1/kpi", params=asked(3600, by="order"))).json()["rows"]
    assert [one["window"] for one in per_order] == ["WO-1"]
    orders = (await viewer.get("/api/v1/orders", params=asked(3600))).json()["orders"]
    assert [(one["order_no"], one["good"], one["reject"]) for one in orders] == [("WO-1", 30, 2)]
    assert orders[0]["running_s"] == 2400


async def test_readings_are_thinned_without_losing_a_peak(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    values = [20.0] * 500
    values[321] = 99.5
    events: list[Reading] = [
        Reading(at=ago(1000 - n), group="plc", values={"temperature": value, "run": True})
        for n, value in enumerate(values)
    ]
    events.append(Reading(at=ago(400), group="plc", values={}, bad={"temperature": "timeout"}))
    await journal.append([Entry(PRESS, events)])
    url = f"/api/v1/equipment/{PRESS}/readings"
    query = asked(1000, tags="temperature,run", points="50")
    answer = (await viewer.get(url, params=query)).json()
    temperature, run = answer["series"]
    assert (temperature["unit"], temperature["name"]["en"]) == ("Cel", "Temperature")
    assert 10 < len(temperature["points"]) <= 51
    assert max(point[2] for point in temperature["points"] if point[2] is not None) == 99.5
    assert temperature["points"][-1] == [int(ago(400).timestamp() * 1000), None, None, None]
    assert run["points"][0][1:] == [1, 1, 1]
    assert temperature["limits"] == {"low": 15, "high": None}
    assert run["limits"] == {"low": None, "high": None}
    unknown = await viewer.get(url, params={"tags": "nonsense"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_the_dictionary_names_everything(viewer: httpx.AsyncClient) -> None:
    words = (await viewer.get("/api/v1/dictionary")).json()
    press = next(one for one in words["equipment"] if one["equipment"] == PRESS)
    assert press["tags"]["temperature"]["unit"] == "Cel"
    assert press["faults"][0]["texts"]["0"]["code"] == "P01"


async def test_a_look_that_takes_too_long_is_ended(rig: Rig, journal: Journal) -> None:
    await journal.append([Entry(PRESS, [count(n, 5) for n in range(1, 2000)])])
    history = JournalHistory(rig.journal, limit_s=0.0)
    with pytest.raises(QueryTooLong), history.look() as look:
        look.counted(PRESS, ago(100), NOW)
    patient = JournalHistory(rig.journal)
    with patient.look() as look:
        assert look.counted(PRESS, ago(100), NOW)


async def test_the_facts_of_an_equipment_are_found_by_their_index(
    rig: Rig, journal: Journal
) -> None:
    await journal.append([Entry(PRESS, [count(1, 5)])])
    wanted = Wanted(equipment=PRESS, types=("status", "count"), start=ago(9), end=NOW)
    where, parameters = wanted.where()
    with closing(sqlite3.connect(rig.journal)) as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN SELECT * FROM event WHERE {where}",  # noqa: S608
            parameters,
        )
        assert "USING INDEX event_of" in str(plan.fetchall())


async def test_a_tile_shows_what_the_running_shift_made(
    rig: Rig, viewer: httpx.AsyncClient, journal: Journal
) -> None:
    order = Order("WO-1", ideal_cycle_ms=60_000)
    events = [
        status(State.RUNNING, 7200, order=order),
        count(100, 7000, delta=100, order=order),  # before 08:00: the night's
        count(130, 1800, delta=30, order=order),
        count(2, 1700, delta=2, counter="bad", kind="reject", order=order),
    ]
    await journal.append([Entry(PRESS, events)])
    rig.context.board.figures = await shift_figures(rig.context)
    press, oven = (await viewer.get("/api/v1/equipment")).json()
    figures = press["figures"]
    assert (figures["shift"], figures["since"]) == ("A", "2026-03-20T00:00:00.000Z")
    assert (figures["good"], figures["reject"], figures["target"]) == (30, 2, None)
    assert figures["oee"] is not None
    assert (oven["figures"]["oee"], oven["figures"]["missing"]) == (None, "nothing_known")
    detail = (await viewer.get(f"/api/v1/equipment/{PRESS}")).json()
    assert detail["kpi"]["inputs"]["good"] == 30
    assert (detail["previous"], detail["next"]) == ("oven-01", None)
    night = {"from": "2026-03-19T12:00:00.000Z", "to": "2026-03-20T00:00:00.000Z"}
    assert detail["last_shift"] == {"shift": "B"} | night
    assert {tag["tag"] for tag in detail["tags"]} >= {"temperature", "good_parts"}


async def test_what_is_added_to_is_what_would_be_added_up_afresh(
    rig: Rig, journal: Journal
) -> None:
    so_far, total = PartsSoFar(), 100
    bad = count(0, 1800, counter="bad", kind="reject", delta=0)
    await journal.append([Entry(PRESS, [status(State.RUNNING, 7200), count(total, 7000), bad])])
    for step in range(6):
        events = []
        for seconds in (55, 30, 1):
            total += 1 + step
            order = Order(f"WO-{step // 2}", ideal_cycle_ms=60_000)
            events.append(count(total, seconds - 60 * step, delta=1 + step, order=order))
        await journal.append([Entry(PRESS, events)])
        rig.clock.at = NOW + timedelta(minutes=step)
        figures = await shift_figures(rig.context, so_far)
        assert figures == await shift_figures(rig.context)
        assert figures[PRESS].good == total - 100
    rig.clock.at = NOW + timedelta(hours=12)  # another shift
    assert await shift_figures(rig.context, so_far) == await shift_figures(rig.context)


async def test_what_is_booked_late_is_added_up_all_the_same(rig: Rig, journal: Journal) -> None:
    so_far = PartsSoFar()
    bad = count(0, 2000, counter="bad", kind="reject", delta=0)
    events = [status(State.RUNNING, 7200), count(1, 3000), bad, count(6, 1000, delta=5)]
    await journal.append([Entry(PRESS, events)])
    for _ in range(2):
        assert (await shift_figures(rig.context, so_far))[PRESS].good == 6
    await journal.append([Entry(PRESS, [count(10, 600, delta=4)])])  # a queue kept it so long
    assert (await shift_figures(rig.context, so_far))[PRESS].good == 10
    assert await shift_figures(rig.context, so_far) == await shift_figures(rig.context)


async def test_what_was_added_up_of_another_life_of_the_journal_is_forgotten(
    rig: Rig, journal: Journal
) -> None:
    so_far = PartsSoFar()
    bad = count(0, 2000, counter="bad", kind="reject", delta=0)
    events = [status(State.RUNNING, 7200), count(1, 3000), bad, count(6, 1000, delta=5)]
    await journal.append([Entry(PRESS, events)])
    assert (await shift_figures(rig.context, so_far))[PRESS].good == 6
    with closing(sqlite3.connect(rig.journal)) as connection, connection:
        connection.execute("DELETE FROM event WHERE CAST(data AS TEXT) LIKE '%good%'")
    assert (await shift_figures(rig.context, so_far))[PRESS].good == 6
    rig.source.reading = replace(rig.source.reading, epoch="t5k2m1-0000")
    assert (await shift_figures(rig.context, so_far))[PRESS].good == 0


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    """Return the rows of a table as its reader sees them."""
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")  # else Excel takes it for GBK
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_what_the_page_of_a_machine_shows_comes_as_tables_too(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    wicked = Reason("=1+1", "equipment", {"zh": "卡料", "en": "Jam"})
    values: list[Event] = [
        Reading(at=ago(1000 - n), group="plc", values={"temperature": 20 + n / 10})
        for n in range(100)
    ]
    events = [status(State.RUNNING, 900), status(State.FAULT, 300, reason=wicked)]
    counts = [count(10, 7300, delta=0), count(12, 7200, delta=2), count(17, 60, delta=5)]
    await journal.append([Entry(PRESS, [*events, *counts, *values])])
    url, query = f"/api/v1/equipment/{PRESS}", asked(3 * 3600)
    first, last = rows_of(await viewer.get(f"{url}/timeline.csv", params=query))
    assert (first["state"], first["since"]) == ("running", "2026-03-20T00:46:29.123Z")
    assert (first["since_local"], first["duration_s"]) == ("2026-03-20 08:46:29", "600.0")
    assert (last["until"], last["text_zh"], last["reason"]) == ("", "卡料", "'=1+1")
    made = rows_of(await viewer.get(f"{url}/counts.csv", params=query))
    assert [(one["label"][11:16], one["counter"], one["quantity"]) for one in made] == [
        ("06:00", "good", "0.0"),
        ("07:00", "good", "2.0"),
        ("09:00", "good", "5.0"),
    ]
    more = query | {"tags": "temperature", "points": "1000"}
    read = rows_of(await viewer.get(f"{url}/readings.csv", params=more))
    assert sum(int(one["values"]) for one in read) == 100
    assert (read[0]["unit"], max(float(one["greatest"]) for one in read)) == ("Cel", 29.9)
    refused = await viewer.get(f"{url}/readings.csv", params={"tags": "nonsense"})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


async def test_the_history_of_faults_is_a_workbook_with_moments_and_numbers(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    await two_faults(journal)
    said = fault("E3", 50, "updated", by="li", comment="=cmd|calc\x07")
    await journal.append([Entry(PRESS, [said])])
    answer = await viewer.get("/api/v1/faults/history.xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    head, *rows = sheet.iter_rows(values_only=True)
    assert head[:2] == ("发生时间 raised_at (Asia/Shanghai)", "恢复时间 cleared_at (Asia/Shanghai)")
    assert [row[6] for row in rows] == ["E3", "E2", "E1"]
    jam = rows[-1]
    assert jam[0] == datetime(2026, 3, 20, 8, 44, 49)  # noqa: DTZ001 - a workbook knows no zone
    assert jam[2] == 60
    assert jam[15] == "li: air hose changed"
    assert sheet["P2"].data_type == "s"


async def test_what_a_table_of_faults_leaves_out_it_says(
    viewer: httpx.AsyncClient, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fault_history, "MAX_TABLE", 1)
    await two_faults(journal)
    table = (await viewer.get("/api/v1/faults/history.csv")).text
    assert [row["code"] for row in csv.DictReader(io.StringIO(table))] == ["E2", "E1"]
    answer = await viewer.get("/api/v1/faults/history.xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    _, shown, last = sheet.iter_rows(values_only=True)
    assert shown[6] == "E2"
    assert "1 older ones are left out" in str(last[0])


async def test_tiles_say_what_is_true_now_though_no_page_is_open(
    rig: Rig, viewer: httpx.AsyncClient, journal: Journal
) -> None:
    order = Order("WO-1", planned_qty=500, ideal_cycle_ms=30_000)
    snapshot = {"order": order.data(), "planned_qty": 500, "ideal_cycle_ms": 30_000}
    snaps = press(State.RUNNING)[PRESS]
    rig.source.show({PRESS: {**snaps, "order": snapshot | {"since": stamp(ago(3600))}}})
    booked = [status(State.RUNNING, 7200), count(30, 1800, delta=30, order=order)]
    await journal.append([Entry(PRESS, booked)])
    tile = (await viewer.get("/api/v1/equipment")).json()[0]
    assert (tile["figures"]["shift"], tile["order"]["good"]) == ("A", 30)
    await journal.append([Entry(PRESS, [count(530, -11 * 3600, delta=500, order=order)])])
    rig.clock.pass_by(timedelta(hours=11, minutes=59))
    viewer = await rig.client(Role.VIEWER)
    tile = (await viewer.get(f"/api/v1/equipment/{PRESS}")).json()
    assert (tile["figures"]["shift"], tile["figures"]["since"]) == ("B", "2026-03-20T12:00:00.000Z")
    assert tile["order"]["good"] == 530


async def test_a_page_is_shown_no_figures_rather_than_old_ones(
    rig: Rig, viewer: httpx.AsyncClient, journal: Journal
) -> None:
    await journal.append([Entry(PRESS, [status(State.RUNNING, 60)])])
    assert (await viewer.get("/api/v1/equipment")).json()[0]["figures"] is not None
    rig.clock.pass_by(timedelta(hours=1))
    tile_figures.forget_what_is_old(rig.context)
    tiles = (await rig.context.board.picture()).tiles.values()
    assert [tile.figures for tile in tiles] == [None, None]


async def test_an_order_says_how_far_it_is(
    rig: Rig, viewer: httpx.AsyncClient, journal: Journal
) -> None:
    order = Order("WO-1042", product="A-77", planned_qty=500, ideal_cycle_ms=30_000)
    snapshot = {"order": order.data(), "planned_qty": 500, "ideal_cycle_ms": 30_000}
    snaps = press(State.RUNNING)[PRESS]
    rig.source.show({PRESS: {**snaps, "order": snapshot | {"since": stamp(ago(3600))}}})
    progress = OrderProgress()

    async def far() -> tuple[float | None, float | None]:
        await progress.bring_up_to_date(rig.context)
        told = (await viewer.get(f"/api/v1/equipment/{PRESS}")).json()["order"]
        return told["good"], told["due"]

    assert await far() == (None, 120)  # nothing reaches back to its beginning
    events = [
        status(State.RUNNING, 7200),
        count(100, 4000, delta=100),  # another order's
        count(130, 1800, delta=30, order=order),
        count(3, 1750, delta=3, counter="other", order=Order("WO-1041")),
        count(2, 1700, delta=2, counter="bad", kind="reject", order=order),
        count(1, 1600, delta=1, counter="scrap", kind="reject", origin="manual", order=order),
        count(140, 30, delta=10, order=order),
        # Made for another order, told of late.
        count(10, 20, delta=7, counter="other", order=Order("WO-1041")),
    ]
    await journal.append([Entry(PRESS, events)])
    assert await far() == (39, 120)
    rig.clock.pass_by(timedelta(minutes=5))
    await journal.append([Entry(PRESS, [count(160, -200, delta=20, order=order)])])
    assert await far() == (59, 130)
    rig.clock.pass_by(timedelta(hours=5))
    assert await far() == (59, 500)
    rig.source.show({PRESS: {**snaps, "order": snapshot | {"since": stamp(rig.clock.now())}}})
    assert await far() == (0, 0)


async def split_stop(journal: Journal, *more: Note) -> str:
    """Ten minutes of idle, split after four and again after seven; then it runs."""
    await journal.append([Entry(PRESS, [status(State.IDLE, 900)])])
    await journal.append([Entry(PRESS, [status(State.RUNNING, 300)])])
    whole = f"{journal.epoch}-1"
    lunch = Reason("lunch", "break", {}, planned=True)
    told = [
        Note(at=ago(50), about=whole, by="wang", reason=JAM, comment="jam"),
        Note(at=ago(40), about=part_about(whole, ago(660)), by="li", reason=lunch),
        Note(at=ago(30), about=part_about(whole, ago(480)), by="li", reason=JAM),
        Note(at=ago(20), about=part_about(whole, ago(2000)), by="li", reason=JAM),  # before it
        *more,
    ]
    await journal.append([Entry(PRESS, told)])
    return whole


async def test_a_stop_that_was_split_is_its_parts_everywhere(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    whole = await split_stop(journal)
    shown = (await viewer.get(TIMELINE, params=asked(1200))).json()["intervals"]
    assert [(one["id"], one["part_of"], one["duration_ms"]) for one in shown] == [
        (whole, whole, 240_000),
        (part_about(whole, ago(660)), whole, 180_000),
        (part_about(whole, ago(480)), whole, 180_000),
        (f"{journal.epoch}-2", None, 300_000),
    ]
    reasons = [(one["reason"] or {}).get("code") for one in shown]
    assert reasons == ["E204", "lunch", "E204", None]
    assert [one["until"] for one in shown[:-1]] == [one["since"] for one in shown[1:]]
    table = rows_of(await viewer.get(f"{TIMELINE}.csv", params=asked(1200)))
    assert [(row["duration_s"], row["reason"]) for row in table] == [
        ("240.0", "E204"),
        ("180.0", "lunch"),
        ("180.0", "E204"),
        ("300.0", ""),
    ]
    hour = {"from": "2026-03-20T00:00:00Z", "to": "2026-03-20T01:02:00Z", "equipment": PRESS}
    (window,) = (await viewer.get("/api/v1/kpi", params=hour)).json()["rows"]
    inputs = window["inputs"]
    assert (inputs["planned_stop_s"], inputs["delay_s"]) == (180, 420)
    # What was told of the machine stays as it was told.
    events = (await viewer.get("/api/v1/events", params={"types": "status"})).json()["events"]
    assert [one["data"]["state"] for one in events] == ["idle", "running"]
    later = (await viewer.get(TIMELINE, params=asked(600, 0))).json()["intervals"]
    assert [one["id"] for one in later] == [one["id"] for one in shown[1:]]


async def test_parts_that_are_joined_are_one_stop_again(
    viewer: httpx.AsyncClient, journal: Journal
) -> None:
    begun = f"{journal.epoch}-1"
    joins = [
        Note(at=ago(10 - n), about=part_about(begun, ago(second)), by="li", comment="joined")
        for n, second in enumerate((660, 480))
    ]
    whole = await split_stop(journal, *joins)
    shown = (await viewer.get(TIMELINE, params=asked(1200))).json()["intervals"]
    assert [(one["id"], one["part_of"], one["duration_ms"]) for one in shown] == [
        (whole, None, 600_000),
        (f"{journal.epoch}-2", None, 300_000),
    ]
    assert shown[0]["reason"]["code"] == "E204"
