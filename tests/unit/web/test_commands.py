"""What people ask of the collector through the API."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gateway.domain.commands import Reply
from gateway.domain.events import FaultText, Note
from gateway.domain.notes import part_about
from gateway.domain.vocabulary import Reason, ReasonCategory, State
from gateway.journal.journal import Journal
from gateway.journal.row import Entry
from gateway.web.access.roles import Role
from gateway.web.api.asked import MAX_KEY
from gateway.web.openapi import document
from gateway.wire.command import COMMANDS
from gateway.wire.command import note as read_note
from tests.support.board import ago, fault, press
from tests.support.past import status
from tests.support.web import Rig

CATEGORIES: tuple[tuple[str, ReasonCategory], ...] = (("S1", "safety"), ("E1", "equipment"))
FAULT = {"equipment": "press-07", "fault_id": "press-07.alarm_word.0.x1"}
EQUIPMENT = "/api/v1/equipment/press-07"


@pytest.fixture
async def person(rig: Rig) -> httpx.AsyncClient:
    return await rig.client(Role.ENGINEER)


@pytest.mark.parametrize(
    ("path", "body", "name", "asked"),
    [
        ("/api/v1/faults/ack", {"faults": [FAULT]}, "fault", {"action": "ack", "comment": None}),
        (
            "/api/v1/faults/comment",
            {"faults": [FAULT], "comment": "更换气管接头"},
            "fault",
            {"action": "comment", "comment": "更换气管接头"},
        ),
        (
            "/api/v1/faults/shelve",
            {"faults": [FAULT], "minutes": 15, "reason": "spare part ordered"},
            "fault",
            {
                "action": "shelve",
                "comment": "spare part ordered",
                "until": "2026-03-20T01:16:29.123Z",
            },
        ),
        ("/api/v1/faults/unshelve", {"faults": [FAULT]}, "fault", {"action": "unshelve"}),
        (
            f"{EQUIPMENT}/order",
            {
                "order_no": "WO-1042",
                "planned_qty": 500,
                "effective_at": "2026-03-20T09:00:00+08:00",
            },
            "order",
            {"order_no": "WO-1042", "planned_qty": 500, "effective_at": "2026-03-20T01:00:00.000Z"},
        ),
        (f"{EQUIPMENT}/order", {"order_no": None}, "order", {"order_no": None}),
        (
            f"{EQUIPMENT}/notes",
            {"about": "t5k2m0-9f3a-7", "reason": {"code": "x", "category": "material"}},
            "note",
            {"about": "t5k2m0-9f3a-7"},
        ),
        (f"{EQUIPMENT}/scrap", {"quantity": 3}, "scrap", {"quantity": 3, "kind": "reject"}),
        (f"{EQUIPMENT}/usage", {"usage": "spindle"}, "usage", {"usage": "spindle", "used": 0}),
    ],
)
async def test_what_is_asked_reaches_the_collector_in_the_name_of_the_user(
    rig: Rig,
    person: httpx.AsyncClient,
    path: str,
    body: dict[str, Any],
    name: str,
    asked: dict[str, Any],
) -> None:
    answer = await person.post(path, json=body)
    assert answer.status_code == 200, answer.text
    ((equipment, command, content),) = rig.door.asked
    assert (equipment, command, content["by"]) == ("press-07", name, "engineer")
    assert asked.items() <= content.items()
    COMMANDS[name](content)  # the collector understands it
    action = asked.get("action", name)
    assert ("engineer", action, "press-07", True) in await rig.audit()


async def test_each_fault_has_an_answer_of_its_own(rig: Rig, person: httpx.AsyncClient) -> None:
    refused = "fault f-1 has cleared; it can only be acknowledged"
    rig.door.reply = Reply(accepted=False, error=refused)
    body = {"faults": [FAULT, {"equipment": "oven-01", "fault_id": "f-1"}]}
    answer = await person.post("/api/v1/faults/ack", json=body)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [(one["equipment"], one["accepted"]) for one in results] == [
        ("press-07", False),
        ("oven-01", False),
    ]
    assert results[0]["error"] == refused
    assert results[0]["text"] == {"zh": "该故障已恢复，只能确认", "en": refused}
    assert ("engineer", "ack", "press-07", False) in await rig.audit()


async def test_a_site_may_want_a_word_with_an_acknowledgement(
    rig: Rig, person: httpx.AsyncClient
) -> None:
    safety, jam = (FaultText(code, category=kind) for code, kind in CATEGORIES)
    seen = fault(FaultText("S2", category="safety"), ago(80), acked=True)
    active = [fault(safety, ago(60)), fault(jam, ago(50)), seen]
    snapshots = {**press(State.FAULT)["press-07"], "faults": {"active": active}}
    rig.source.show({"press-07": snapshots})
    ids = [{"equipment": "press-07", "fault_id": f"{code}-1"} for code in ("S1", "E1", "S2")]
    url = "/api/v1/faults/ack"
    for comment in (None, " "):
        answer = await person.post(url, json={"faults": ids, "comment": comment})
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "comment", "code": "required"}]
    assert rig.door.asked == []
    assert (await person.post(url, json={"faults": ids[1:]})).status_code == 200
    assert (await person.post(url, json={"faults": ids, "comment": "guard shut"})).is_success
    assert len(rig.door.asked) == 5


async def test_a_refused_order_is_a_conflict_with_the_reason(
    rig: Rig, person: httpx.AsyncClient
) -> None:
    rig.door.reply = Reply(accepted=False, error="in commissioning")
    answer = await person.post(f"{EQUIPMENT}/order", json={"order_no": "WO-1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
    assert answer.json()["detail"] == "in commissioning"
    late = "effective_at is in the future: send the order when it begins"
    rig.door.reply = Reply(accepted=False, error=late)
    chinese = {"Accept-Language": "zh"}
    answer = await person.post(f"{EQUIPMENT}/order", json={"order_no": "WO-1"}, headers=chinese)
    assert answer.json()["detail"] == "effective_at 在将来：请在工单开始时再发送"


async def test_without_a_collector_a_command_says_so(rig: Rig, person: httpx.AsyncClient) -> None:
    rig.door.is_open = False
    answer = await person.post("/api/v1/faults/ack", json={"faults": [FAULT]})
    assert (answer.status_code, answer.json()["code"]) == (503, "no_collector")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/faults/ack", {"faults": []}),
        ("/api/v1/faults/ack", {"faults": [FAULT], "by": "somebody else"}),
        ("/api/v1/faults/comment", {"faults": [FAULT], "comment": "a\u0000b"}),
        ("/api/v1/faults/comment", {"faults": [FAULT], "comment": "\ud800"}),
        ("/api/v1/faults/shelve", {"faults": [FAULT], "minutes": 481, "reason": "x"}),
        ("/api/v1/faults/shelve", {"faults": [FAULT], "minutes": 10}),
        (
            "/api/v1/faults/shelve",
            {"faults": [FAULT], "until": "2026-03-20T09:01:30Z", "reason": "x"},
        ),
        (f"{EQUIPMENT}/order", {}),
        (f"{EQUIPMENT}/order", {"order_no": ""}),
        (f"{EQUIPMENT}/order", {"order_no": "WO-1", "planned_qty": -1}),
        (f"{EQUIPMENT}/notes", {"about": "x"}),
        (f"{EQUIPMENT}/scrap", {"quantity": 0}),
    ],
)
async def test_nonsense_does_not_reach_the_collector(
    rig: Rig, person: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    answer = await person.post(
        path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert rig.door.asked == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{EQUIPMENT}/scrap", {"quantity": 3}),
        ("/api/v1/faults/shelve", {"faults": [FAULT], "minutes": 15, "reason": "spare part"}),
    ],
)
async def test_the_same_request_under_the_same_key_is_the_same_command(
    rig: Rig, person: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    for key in ("a", "a", "b", None, None):
        headers = {} if key is None else {"Idempotency-Key": key}
        assert (await person.post(path, json=body, headers=headers)).status_code == 200
        rig.clock.pass_by(timedelta(seconds=5))
    other = await rig.client(Role.ADMIN)
    await other.post(path, json=body, headers={"Idempotency-Key": "a"})
    first, again, *rest = [content["command_id"] for _, _, content in rig.door.asked]
    assert first == again
    assert len({first, *rest}) == 5


def test_the_document_names_the_key_of_every_command_and_of_nothing_else(rig: Rig) -> None:
    named = set()
    for path, operations in document(rig.app)["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "Idempotency-Key":
                    assert parameter["in"] == "header"
                    assert not parameter["required"]
                    assert "obeyed once" in parameter["description"]
                    named.add((method, path))
    commands = [("equipment/{equipment}", ("order", "notes", "scrap", "usage"))]
    commands += [("faults", ("ack", "comment", "shelve", "unshelve"))]
    assert named == {("post", f"/api/v1/{of}/{name}") for of, names in commands for name in names}


async def test_a_key_too_long_to_keep_is_refused_and_nothing_is_done(
    rig: Rig, person: httpx.AsyncClient
) -> None:
    head = {"Idempotency-Key": "k" * (MAX_KEY + 1)}
    answer = await person.post(f"{EQUIPMENT}/scrap", json={"quantity": 3}, headers=head)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
    assert rig.door.asked == []


async def test_what_nobody_answered_is_written_down_as_unknown(
    rig: Rig, person: httpx.AsyncClient
) -> None:
    rig.door.is_open = False
    answer = await person.post(f"{EQUIPMENT}/scrap", json={"quantity": 3})
    assert (answer.status_code, answer.json()["code"]) == (503, "no_collector")
    assert (await rig.audit())[-1] == ("engineer", "scrap", "press-07", False)
    admin = await rig.client(Role.ADMIN)
    row = (await admin.get("/api/v1/audit", params={"action": "scrap"})).json()
    detail = json.dumps(row)
    assert '"outcome": "unknown"' in detail
    assert '"command_id": "web-' in detail


async def idle(journal: Journal) -> str:
    """A stop of ten minutes, of which a part was split off after four."""
    await journal.append([Entry("press-07", [status(State.IDLE, 900), status(State.RUNNING, 300)])])
    whole = f"{journal.epoch}-1"
    cut = Note(at=ago(10), about=part_about(whole, ago(660)), by="li", reason=Reason("x"))
    await journal.append([Entry("press-07", [cut])])
    return whole


@pytest.mark.parametrize("seconds_ago", [899.999, 661, 660, 480, 300.001])
async def test_a_stop_is_split_at_a_moment_within_it(
    rig: Rig, journal: Journal, seconds_ago: float
) -> None:
    about = part_about(await idle(journal), ago(seconds_ago))
    person = await rig.client(Role.MAINTENANCE)
    body = {"about": about, "reason": {"code": "no_coil", "category": "material"}}
    answer = await person.post(f"{EQUIPMENT}/notes", json=body)
    assert answer.status_code == 200, answer.text
    joined = await person.post(f"{EQUIPMENT}/notes", json={"about": about, "join": True})
    assert joined.status_code == 200, joined.text
    told = [read_note(content) for _, _, content in rig.door.asked]
    assert [(one.about, one.reason and one.reason.code, one.comment) for one in told] == [
        (about, "no_coil", None),
        (about, None, "joined"),
    ]
    assert (await rig.audit()).count(("maintenance", "note", "press-07", True)) == 2


@pytest.mark.parametrize("seconds_ago", [901, 300, 200, -60])
async def test_a_stop_is_not_split_where_it_is_not(
    rig: Rig, journal: Journal, person: httpx.AsyncClient, seconds_ago: float
) -> None:
    about = part_about(await idle(journal), ago(seconds_ago))
    answer = await person.post(f"{EQUIPMENT}/notes", json={"about": about, "reason": {"code": "x"}})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "outside")
    assert rig.door.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"about": "e-1@noon", "reason": {"code": "x"}},
        {"about": "e-1@2026-03-20T01:00:00.000Z"},
        {"about": "e-1@2026-03-20T01:00:00.000Z", "comment": "a part has a reason"},
        {"about": "e-1@2026-03-20T01:00:00.000Z", "reason": {"code": "x"}, "join": True},
        {"about": "e-1", "join": True},
    ],
)
async def test_what_says_neither_split_nor_join_is_refused(
    rig: Rig, person: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    assert (await person.post(f"{EQUIPMENT}/notes", json=wrong)).status_code == 422
    assert rig.door.asked == []
