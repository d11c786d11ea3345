"""Televisions: paired once by an administrator, and then the board and nothing else."""

import asyncio
import sqlite3
from collections import Counter
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import APIRouter

from gateway.web.access.caller import DISPLAY_COOKIE
from gateway.web.access.gate import DISPLAYS, PAIR, PUBLIC
from gateway.web.access.pairing import LASTS_S, MAX_OF_ADDRESS, MAX_WAITING
from gateway.web.access.roles import Role
from gateway.web.api import guard
from gateway.web.api.pairing import TICKET_COOKIE
from gateway.web.app import create_app
from gateway.web.live import Board
from gateway.web.openapi import document
from gateway.web.server import Address, serve
from gateway.web.store import schema
from gateway.web.store.displays import UNUSED
from tests.support.board import NOW, FakeSource
from tests.support.until import until
from tests.support.web import PASSWORD, Rig, web_rig
from tests.unit.web.test_access import operations

ADMIN_PATH = "/api/v1/displays"
STREAM = f"{DISPLAYS}stream"
HALL: dict[str, Any] = {"name": "hall 1", "theme": "dark", "language": "en"}
LOOKS = {**HALL, "lines": ["stamping/line-1"]}


@pytest.fixture
async def admin(rig: Rig) -> httpx.AsyncClient:
    return await rig.client(Role.ADMIN)


async def ask(television: httpx.AsyncClient) -> dict[str, Any]:
    answer = await television.post(PAIR)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def paired(
    rig: Rig, admin: httpx.AsyncClient, **looks: Any
) -> tuple[httpx.AsyncClient, dict[str, Any]]:
    """Return a television that was paired, and what the administrator was told of it."""
    television = await rig.client(address="10.0.0.40")
    code = (await ask(television))["code"]
    made = await admin.post(ADMIN_PATH, json={**HALL, **looks, "code": code})
    assert made.status_code == 201, made.text
    assert (await ask(television))["display"] is not None
    return television, made.json()


def with_display(client: httpx.AsyncClient, value: str) -> httpx.AsyncClient:
    """Send the secret of a display wherever one asks: no browser keeps us from it."""
    client.cookies.clear()
    client.headers["Cookie"] = f"{DISPLAY_COOKIE}={value}"
    return client


async def test_a_television_shows_a_code_and_is_at_the_board_once_it_was_entered(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    television = await rig.client(address="10.0.0.40")
    first = await ask(television)
    assert (len(first["code"]), first["expires_in_s"], first["display"]) == (6, LASTS_S, None)
    rig.clock.pass_by(timedelta(seconds=30))
    again = await ask(television)
    assert (again["code"], again["expires_in_s"]) == (first["code"], LASTS_S - 30)
    spoken = f"{first['code'][:3]} {first['code'][3:]}"
    made = await admin.post(ADMIN_PATH, json={**LOOKS, "code": spoken})
    assert made.status_code == 201, made.text
    assert made.json() == {
        **LOOKS,
        "id": 1,
        "created_by": "admin",
        "created_at": "2026-03-20T01:01:59.123Z",
        "last_seen_at": None,
        "last_seen_from": None,
    }
    assert await ask(television) == {"code": None, "expires_in_s": None, "display": LOOKS}
    (listed,) = (await admin.get(ADMIN_PATH)).json()
    assert (listed["last_seen_at"], listed["last_seen_from"]) == (
        "2026-03-20T01:01:59.123Z",
        "10.0.0.40",
    )
    rows = [row for row in await rig.audit() if row[1] in {"display_add", "login"}]
    assert rows[-2:] == [
        ("admin", "display_add", "hall 1", True),
        ("display:hall 1", "login", "", True),
    ]


@pytest.mark.parametrize("secure", [False, True])
async def test_no_script_can_read_what_lets_a_display_in_and_only_a_hash_is_kept(
    tmp_path: Path, *, secure: bool
) -> None:
    async with web_rig(tmp_path, secure=secure) as rig:
        admin, television = await rig.client(Role.ADMIN), await rig.client()
        begun = await television.post(PAIR)
        ticket = SimpleCookie(begun.headers["set-cookie"])[TICKET_COOKIE]
        television.headers["Cookie"] = f"{TICKET_COOKIE}={ticket.value}"
        code = begun.json()["code"]
        await admin.post(ADMIN_PATH, json={**HALL, "code": code})
        cookie = SimpleCookie((await television.post(PAIR)).headers["set-cookie"])[DISPLAY_COOKIE]
        for one in (ticket, cookie):
            assert (one["httponly"], one["samesite"], one["path"]) == (
                True,
                "strict",
                DISPLAYS[:-1],
            )
            assert bool(one["secure"]) is secure
        assert int(cookie["max-age"]) == UNUSED.total_seconds()
        assert len(cookie.value) >= 43  # 256 bits
        assert cookie.value != ticket.value
        kept = (tmp_path / "web.db").read_bytes() + (tmp_path / "web.db-wal").read_bytes()
        assert cookie.value.encode() not in kept
        assert b"hall 1" in kept


@pytest.mark.fault(
    64,
    injection="every route of the API, and every change, is asked with the secret of a display",
    expectation="401 for each but its stream and the pairing: elsewhere it is nothing",
)
async def test_a_display_may_look_at_its_stream_and_at_nothing_else(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    television, _ = await paired(rig, admin)
    value = television.cookies[DISPLAY_COOKIE]
    intruder = with_display(await rig.client(), value)
    refused = 0
    for method, path, _ in operations(rig):
        if (method, path) not in {*PUBLIC, ("GET", STREAM)}:
            answer = await intruder.request(method, path)
            assert (method, path, answer.status_code) == (method, path, 401)
            refused += 1
    assert refused > 40
    assert [row[1] for row in await rig.audit()].count("refused") == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("more", [{}, {"X-CSRF": ""}, {"X-CSRF": "guess"}])
async def test_a_display_changes_nothing_not_even_below_its_own_paths(
    rig: Rig, admin: httpx.AsyncClient, method: str, more: dict[str, str]
) -> None:
    television, _ = await paired(rig, admin)
    answer = await television.request(method, STREAM, headers=more)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert (await rig.audit())[-1] == ("display:hall 1", "refused", f"{method} {STREAM}", False)


async def test_a_route_below_the_paths_of_displays_is_closed_to_them_unless_it_says_so(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    television, _ = await paired(rig, admin)

    async def secret_plan() -> dict[str, str]:
        return {"plan": "secret"}

    rig.app.get(f"{DISPLAYS}plan", **guard.needs(Role.VIEWER))(secret_plan)
    answer = await television.get(f"{DISPLAYS}plan")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", f"{DISPLAYS}note"), ("GET", "/api/v1/equipment/note")]
)
async def test_the_application_does_not_start_with_a_display_that_does_more(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    router = APIRouter()

    async def note() -> None:
        pass

    router.add_api_route(path, note, methods=[method], **guard.for_displays())
    monkeypatch.setattr("gateway.web.app.ROUTERS", (router,))
    with pytest.raises(RuntimeError, match="a display only looks"):
        create_app(rig.context)


async def test_sessions_and_tokens_do_not_count_where_displays_look(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    token = (await admin.post("/api/v1/tokens", json={"name": "mes"})).json()["secret"]
    television, _ = await paired(rig, admin)
    assert (await admin.get(STREAM)).status_code == 401
    program = await rig.client(headers={"Authorization": f"Bearer {token}"})
    assert (await program.get(STREAM)).status_code == 401
    both = {"Authorization": f"Bearer {token}"}
    assert (await television.get(STREAM, headers=both)).status_code == 401


async def test_another_site_cannot_look_through_a_display(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    television, _ = await paired(rig, admin)
    for path, method in ((STREAM, "GET"), (PAIR, "POST")):
        answer = await television.request(method, path, headers={"Origin": "http://evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MAINTENANCE, Role.ENGINEER])
async def test_displays_are_for_administrators(rig: Rig, role: Role) -> None:
    client = await rig.client(role)
    code = (await ask(await rig.client()))["code"]
    answers = [
        await client.get(ADMIN_PATH),
        await client.post(ADMIN_PATH, json={**HALL, "code": code}),
        await client.patch(f"{ADMIN_PATH}/1", json={"name": "x"}),
        await client.delete(f"{ADMIN_PATH}/1"),
    ]
    assert {(one.status_code, one.json()["role_needed"]) for one in answers} == {(403, "admin")}


async def test_a_code_counts_once_and_not_when_it_is_over(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    television = await rig.client()
    code = (await ask(television))["code"]
    assert (await admin.post(ADMIN_PATH, json={**HALL, "code": code})).status_code == 201
    again = await admin.post(ADMIN_PATH, json={"name": "another", "code": code})
    assert (again.status_code, again.json()["code"]) == (404, "unknown_code")
    other = await rig.client()
    late = (await ask(other))["code"]
    rig.clock.pass_by(timedelta(seconds=LASTS_S))
    over = await admin.post(ADMIN_PATH, json={"name": "another", "code": late})
    assert (over.status_code, over.json()["code"]) == (404, "unknown_code")
    assert (await ask(other))["expires_in_s"] == LASTS_S  # a new code, by itself
    assert (await rig.audit())[-1] == ("admin", "display_add", "another", False)


async def test_a_name_is_taken_once_and_the_code_is_then_still_good(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    await paired(rig, admin)
    television = await rig.client()
    code = (await ask(television))["code"]
    taken = await admin.post(ADMIN_PATH, json={"name": "HALL 1", "code": code})
    assert (taken.status_code, taken.json()["code"]) == (409, "exists")
    assert (await ask(television))["code"] == code
    assert (await admin.post(ADMIN_PATH, json={"name": "hall 2", "code": code})).status_code == 201


@pytest.mark.fault(
    64,
    injection="codes of televisions are guessed, in turn and at once",
    expectation="429 with a growing wait after five, an audit row for each that was looked at",
)
async def test_who_guesses_codes_waits_longer_and_longer(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    code = (await ask(await rig.client()))["code"]
    wrong = [f"{n:06}" for n in range(12) if f"{n:06}" != code]
    bodies = [{"name": "guess", "code": guess} for guess in wrong]
    answers = await asyncio.gather(*(admin.post(ADMIN_PATH, json=body) for body in bodies))
    counted = Counter(answer.status_code for answer in answers)
    assert counted == {404: 5, 429: len(wrong) - 5}
    refused = await admin.post(ADMIN_PATH, json={"name": "hall 1", "code": code})
    assert refused.json()["code"] == "too_many_attempts"
    rig.clock.pass_by(timedelta(seconds=int(refused.headers["retry-after"])))
    made = await admin.post(ADMIN_PATH, json={"name": "hall 1", "code": code})
    assert made.status_code == 201
    rows = [row for row in await rig.audit() if row[1] == "display_add"]
    assert rows.count(("admin", "display_add", "guess", False)) == 5
    assert rows.count(("admin", "display_add", "", False)) == 1  # said once for this wait


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12a456", "123-456", "１２３４５６", " 123456", "123456\n"]
)
async def test_what_is_no_code_is_not_a_try(admin: httpx.AsyncClient, code: str) -> None:
    answer = await admin.post(ADMIN_PATH, json={"name": "x", "code": code})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "code"


@pytest.mark.fault(
    64,
    injection="strangers ask for codes without end, from one address and from many",
    expectation="one address drives out only its own; beyond a hundred 503; nothing is stored",
)
async def test_codes_that_wait_are_bounded(rig: Rig) -> None:
    television = await rig.client(address="10.0.0.40")
    code = (await ask(television))["code"]
    before = len(await rig.audit())
    for _ in range(MAX_OF_ADDRESS + 5):
        await ask(await rig.client(address="10.0.0.66"))
    assert (await ask(television))["code"] == code
    statuses = []
    for n in range(MAX_WAITING):
        answer = await (await rig.client(address=f"10.0.1.{n}")).post(PAIR)
        statuses.append((answer.status_code, answer.json().get("code") == "busy"))
    assert statuses.count((503, True)) == MAX_OF_ADDRESS + 1
    assert answer.headers["retry-after"] == "10"
    assert (await ask(television))["code"] == code
    assert len(await rig.audit()) == before


async def test_a_display_is_changed_and_keeps_what_is_left_out(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    television, made = await paired(rig, admin, lines=["stamping/line-1"])
    url = f"{ADMIN_PATH}/{made['id']}"
    renamed = (await admin.patch(url, json={"name": "hall 1 south"})).json()
    assert (renamed["name"], renamed["theme"], renamed["lines"]) == (
        *("hall 1 south", "dark"),
        ["stamping/line-1"],
    )
    every = (await admin.patch(url, json={"lines": [], "theme": "tower"})).json()
    assert (every["lines"], every["theme"]) == ([], "tower")
    looks = (await ask(television))["display"]
    assert looks == {"name": "hall 1 south", "theme": "tower", "language": "en", "lines": []}
    assert (await admin.patch(f"{ADMIN_PATH}/99", json={"name": "x"})).status_code == 404
    await paired(rig, admin, name="hall 2")
    taken = await admin.patch(url, json={"name": "Hall 2"})
    assert (taken.status_code, taken.json()["code"]) == (409, "exists")
    rows = [row for row in await rig.audit() if row[1] == "display_change"]
    assert rows == [
        ("admin", "display_change", "hall 1", True),
        ("admin", "display_change", "hall 1 south", True),
    ]


async def test_a_line_that_the_site_does_not_have_is_refused(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    _, made = await paired(rig, admin)
    code = (await ask(await rig.client()))["code"]
    lines = ["stamping/line-1", "stamping/line-9"]
    for answer in (
        await admin.post(ADMIN_PATH, json={"name": "x", "code": code, "lines": lines}),
        await admin.patch(f"{ADMIN_PATH}/{made['id']}", json={"lines": lines}),
    ):
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "lines", "code": "unknown"}]
        assert "line-9" in answer.json()["detail"]


async def test_a_display_lasts_as_long_as_it_is_used(rig: Rig, admin: httpx.AsyncClient) -> None:
    television, _ = await paired(rig, admin)
    for _ in range(3):
        rig.clock.pass_by(UNUSED - timedelta(days=1))
        assert (await ask(television))["display"] is not None
    rig.clock.pass_by(UNUSED)
    assert (await ask(television))["code"] is not None


async def test_a_display_outlives_who_paired_it(rig: Rig, admin: httpx.AsyncClient) -> None:
    await admin.post("/api/v1/users", json={"name": "boss", "role": "admin"})
    television, _ = await paired(rig, admin)
    boss = await rig.client(Role.ADMIN)
    boss.cookies.clear()
    made = (await admin.post("/api/v1/users/boss/reset")).json()
    body = {"name": "boss", "password": made["one_time_password"]}
    session = (await boss.post("/api/v1/login", json=body)).json()
    new = {"old": made["one_time_password"], "new": PASSWORD}
    boss.headers["X-CSRF"] = session["csrf"]
    boss.headers["X-CSRF"] = (await boss.post("/api/v1/session/password", json=new)).json()["csrf"]
    assert (await boss.patch("/api/v1/users/admin", json={"disabled": True})).is_success
    assert (await ask(television))["display"] is not None


async def test_who_was_revoked_before_he_asked_shows_a_code_again(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    television = await rig.client()
    code = (await ask(television))["code"]
    made = (await admin.post(ADMIN_PATH, json={**HALL, "code": code})).json()
    assert (await admin.delete(f"{ADMIN_PATH}/{made['id']}")).status_code == 204
    shown = await ask(television)
    assert shown["display"] is None
    assert shown["code"] not in {None, code}


async def test_an_answer_that_was_lost_is_given_again(rig: Rig, admin: httpx.AsyncClient) -> None:
    television = await rig.client()
    code = (await ask(television))["code"]
    ticket = television.cookies[TICKET_COOKIE]
    await admin.post(ADMIN_PATH, json={**HALL, "code": code})
    await ask(television)
    forgetful = await rig.client()
    forgetful.headers["Cookie"] = f"{TICKET_COOKIE}={ticket}"
    assert (await ask(forgetful))["display"]["name"] == "hall 1"
    logins = [row for row in await rig.audit() if row[0] == "display:hall 1"]
    assert len(logins) == 1


async def events(lines: Any) -> tuple[str, Any]:
    """Return the next event of a stream that is no beat and no news of tiles."""
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: ") and name in {"hello", "display"}:
            return name, orjson.loads(line.removeprefix("data: "))
    return "", None


@pytest.mark.fault(
    64,
    injection="a display is changed, then revoked, while its stream is open",
    expectation="the stream says the change and ends with its next message; then 401 and a code",
)
async def test_a_stream_tells_a_display_of_changes_and_ends_when_it_is_revoked(
    tmp_path: Path,
) -> None:
    board = Board(FakeSource(), refresh_s=0.01, now=lambda: NOW)
    async with web_rig(tmp_path, board=board, beat_s=0.0) as rig:
        admin = await rig.client(Role.ADMIN)
        television, made = await paired(rig, admin)
        cookies = {DISPLAY_COOKIE: television.cookies[DISPLAY_COOKIE]}
        async with (
            await serve(rig.app, Address()) as server,
            httpx.AsyncClient(cookies=cookies, timeout=20) as client,
            client.stream("GET", f"{server.url}{STREAM[1:]}") as answer,
            asyncio.timeout(60),
        ):
            lines = answer.aiter_lines()
            first = dict([await events(lines), await events(lines)])
            assert first["display"] == {**HALL, "lines": []}
            assert [tile["equipment"] for tile in first["hello"]["tiles"]] == [
                "press-07",
                "oven-01",
            ]
            await admin.patch(f"{ADMIN_PATH}/{made['id']}", json={"lines": ["stamping/line-1"]})
            assert await events(lines) == ("display", LOOKS)
            await admin.delete(f"{ADMIN_PATH}/{made['id']}")
            assert await events(lines) == ("", None)
        await until(lambda: rig.context.streams.lookers == 0)
        assert (await television.get(STREAM)).status_code == 401
        assert (await ask(television))["code"] is not None
        assert ("admin", "display_remove", "hall 1", True) in await rig.audit()
        assert (await admin.delete(f"{ADMIN_PATH}/{made['id']}")).status_code == 404
    await board.close()


async def test_one_display_takes_a_few_places_and_no_more(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    television, _ = await paired(rig, admin)
    for _ in range(4):
        assert rig.context.streams.seats.take("display:hall 1", 4)
    refused = await television.get(STREAM)
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")


def test_a_file_of_the_version_before_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "web.db"
    with monkeypatch.context() as past:
        past.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        old = schema.connect(file)
    old.execute("INSERT INTO audit VALUES (1, 0, 'li', '', 'login', '', 1, '{}')")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        old.execute("SELECT * FROM display")
    old.close()
    new = schema.connect(file)
    assert new.execute("SELECT who FROM audit").fetchall() == [("li",)]
    assert new.execute("SELECT count(*) FROM display").fetchone() == (0,)
    assert new.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    new.close()


def test_the_document_says_who_displays_are(rig: Rig) -> None:
    found = document(rig.app)
    looks = found["paths"][STREAM]["get"]
    assert (looks["x-role"], looks["security"]) == ("display", [{"display": []}])
    assert found["components"]["securitySchemes"]["display"]["name"] == DISPLAY_COOKIE
    assert found["paths"][PAIR]["post"]["security"] == []
