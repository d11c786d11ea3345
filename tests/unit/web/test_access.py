"""Nobody gets in who may not: every route, every role, every door."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import orjson
import pytest

from gateway.web.access import login
from gateway.web.access.gate import DISPLAYS, PUBLIC, STRANGER
from gateway.web.access.in_force import still_in_force
from gateway.web.access.roles import Role
from gateway.web.api import guard
from gateway.web.openapi import document
from gateway.web.store import sessions
from tests.support.web import PASSWORD, SETUP_CODE, Rig, web_rig

OWN_PASSWORD = "/api/v1/session/password"  # noqa: S105 - a path
EVIL = "http://evil.example"


def operations(rig: Rig) -> Iterator[tuple[str, str, Role | None]]:
    """Every (method, path, role) of the API; parameters filled with something harmless."""
    for method, route in guard.operations(rig.app.routes):
        path = route.path.replace("{equipment}", "press-07").replace("{name}", "nobody")
        path = path.replace("{id}", "999").replace("{number}", "999")
        yield method, path, guard.role_of(route)


def test_the_walk_over_the_routes_finds_all_that_is_documented(rig: Rig) -> None:
    walked = {(method.lower(), route.path) for method, route in guard.operations(rig.app.routes)}
    paths = document(rig.app)["paths"]
    assert walked == {(method, path) for path, found in paths.items() for method in found}


@pytest.mark.fault(
    64,
    injection="every route of the API is asked without credentials",
    expectation="401 for each that is not on the list of four",
)
async def test_no_route_answers_without_credentials(rig: Rig) -> None:
    client = await rig.client()
    every = list(operations(rig))
    assert len(every) > 10
    for method, path, _ in every:
        if (method, path) not in PUBLIC:
            answer = await client.request(method, path)
            assert (method, path, answer.status_code) == (method, path, 401)
            assert answer.json()["code"] == "not_logged_in"
    nobodys = {(method, path) for method, path, role in every if role is None}
    assert nobodys == PUBLIC | {("GET", f"{DISPLAYS}stream")}


async def test_what_does_not_exist_is_not_told_to_strangers(rig: Rig) -> None:
    assert (await (await rig.client()).get("/api/v1/nothing")).status_code == 401
    answer = await (await rig.client(Role.ADMIN)).get("/api/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.fault(
    64,
    injection="every route is asked by every role that is too low for it",
    expectation="403 for each, with the role needed, and a row in the audit trail",
)
async def test_no_role_does_what_it_may_not(rig: Rig) -> None:
    refusals = 0
    for role in Role:
        client = await rig.client(role)
        for method, path, needed in operations(rig):
            if needed is None or role.includes(needed):
                continue
            answer = await client.request(method, path)
            assert (method, path, answer.status_code) == (method, path, 403)
            assert (answer.json()["code"], answer.json()["role_needed"]) == ("forbidden", needed)
            refusals += 1
    assert [row for row in await rig.audit() if row[1] == "refused"].__len__() == refusals


async def test_a_session_of_the_role_needed_passes_the_gate(rig: Rig) -> None:
    for method, path, needed in operations(rig):
        if needed is not None and not path.endswith(("/stream", "/logout")):
            answer = await (await rig.client(needed)).request(method, path)
            assert answer.status_code not in {401, 403, 500}, (method, path)


@pytest.mark.fault(
    64,
    injection="a page of another site uses the browser's session",
    expectation="403 for whatever names a foreign origin, 403 for changes without X-CSRF",
)
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": EVIL}, "cross_origin"),
        ({"Origin": "null"}, "cross_origin"),
        ({"Origin": "http://127.0.0.1:9999"}, "cross_origin"),
        ({"Sec-Fetch-Site": "cross-site"}, "cross_origin"),
        ({"Sec-Fetch-Site": "same-site"}, "cross_origin"),
        ({"X-CSRF": ""}, "csrf"),
        ({"X-CSRF": "guess"}, "csrf"),
    ],
)
async def test_a_session_is_of_no_use_to_another_site(
    rig: Rig, headers: dict[str, str], code: str
) -> None:
    client = await rig.client(Role.ADMIN)
    answer = await client.post("/api/v1/logout", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert ("admin", "refused", "POST /api/v1/logout", False) in await rig.audit()
    fine = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
    assert (await client.post("/api/v1/logout", headers=fine)).status_code == 204


async def test_another_site_cannot_even_read(rig: Rig) -> None:
    client = await rig.client(Role.VIEWER)
    answer = await client.get("/api/v1/stream", headers={"Origin": EVIL})
    assert answer.json()["code"] == "cross_origin"
    assert "access-control-allow-origin" not in answer.headers


async def test_another_site_cannot_log_somebody_in(rig: Rig) -> None:
    client = await rig.client()
    body = {"name": "viewer", "password": PASSWORD}
    answer = await client.post("/api/v1/login", json=body, headers={"Origin": EVIL})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")


@pytest.mark.fault(
    64,
    injection="a page of another site logs somebody in, again and again",
    expectation="403, an audit row for the first of them, and no row for each of many",
)
@pytest.mark.parametrize("path", ["/api/v1/login", "/api/v1/setup"])
async def test_another_site_at_the_door_is_written_down(rig: Rig, path: str) -> None:
    client = await rig.client()
    for _ in range(40):
        answer = await client.post(path, json={}, headers={"Origin": EVIL})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")
    rows = await rig.audit()
    assert rows == [(STRANGER, "refused", f"POST {path}", False)] * 5
    assert (await log_in(client, "viewer", PASSWORD)).status_code == 200


@pytest.mark.parametrize("origin", ["http://[", "http://[x]/", "//[", "http://a:b:c]"])
async def test_an_origin_that_is_no_address_is_refused(rig: Rig, origin: str) -> None:
    client = await rig.client()
    body = {"name": "viewer", "password": PASSWORD}
    answer = await client.post("/api/v1/login", json=body, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")


async def test_a_token_above_ones_own_role_is_refused_and_written_down(rig: Rig) -> None:
    client = await rig.client(Role.ENGINEER)
    answer = await client.post("/api/v1/tokens", json={"name": "mes", "role": "admin"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await rig.audit())[-1] == ("engineer", "refused", "POST /api/v1/tokens", False)


async def test_a_program_that_acts_as_a_person_is_written_down(rig: Rig) -> None:
    engineer = await rig.client(Role.ENGINEER)
    made = (await engineer.post("/api/v1/tokens", json={"name": "mes"})).json()
    program = await rig.client(headers={"Authorization": f"Bearer {made['secret']}"})
    assert (await program.patch("/api/v1/session", json={"theme": "dark"})).status_code == 403
    assert (await rig.audit())[-1] == ("token:mes", "refused", "PATCH /api/v1/session", False)


async def test_a_login_needs_json(rig: Rig) -> None:
    client = await rig.client()
    text = orjson.dumps({"name": "viewer", "password": PASSWORD})
    answer = await client.post(
        "/api/v1/login", content=text, headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 422


async def log_in(client: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    return await client.post("/api/v1/login", json={"name": name, "password": password})


async def test_logging_in_gives_a_cookie_no_script_can_read(rig: Rig) -> None:
    client = await rig.client()
    answer = await log_in(client, "Viewer", PASSWORD)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    session = (await client.get("/api/v1/session")).json()
    assert (session["user"], session["role"]) == ("viewer", "viewer")
    assert session["site"] == {"site": "suzhou", "gateway": "gw-01", "timezone": "Asia/Shanghai"}
    assert ("viewer", "login", "", True) in await rig.audit()
    kept = await rig.context.store.run(
        lambda connection: connection.execute("SELECT hash FROM session").fetchall()
    )
    assert client.cookies["mg_session"].encode() not in b"".join(row[0] for row in kept)


async def test_over_tls_the_cookie_never_leaves_it(tmp_path: Path) -> None:
    async with web_rig(tmp_path, secure=True) as rig:
        answer = await log_in(await rig.client(), "viewer", PASSWORD)
        assert "Secure" in answer.headers["set-cookie"]


async def test_an_unknown_user_and_a_wrong_password_look_the_same(rig: Rig) -> None:
    client = await rig.client()
    unknown = await log_in(client, "nobody", "some password")
    wrong = await log_in(client, "viewer", "some password")
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()


@pytest.mark.fault(
    64,
    injection="passwords of one user are guessed from one address",
    expectation="429 with a growing wait after five, an audit row; others are not held up",
)
async def test_who_guesses_waits_longer_and_longer(rig: Rig) -> None:
    client = await rig.client(address="10.0.0.66")
    for _ in range(5):
        assert (await log_in(client, "viewer", "guess number one")).status_code == 401
    waits = []
    for _ in range(4):
        refused = await log_in(client, "viewer", PASSWORD)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        waits.append(int(refused.headers["retry-after"]))
        rig.clock.pass_by(timedelta(seconds=waits[-1]))
        assert (await log_in(client, "viewer", "guess number two")).status_code == 401
    assert waits == [1, 2, 4, 8]
    elsewhere = await rig.client(address="10.0.0.7")
    assert (await log_in(elsewhere, "viewer", PASSWORD)).status_code == 200
    failures = [row for row in await rig.audit() if row[1:] == ("login", "", False)]
    assert len(failures) == 9 + 4


@pytest.mark.fault(
    64,
    injection="forty passwords of one user are guessed at once, the right one among them",
    expectation="no more than five are looked at: the rest is answered 429",
)
async def test_guessing_at_once_is_no_faster_than_guessing_in_turn(rig: Rig) -> None:
    client = await rig.client(address="10.0.0.66")
    guesses = [f"guess number {n}" for n in range(40)] + [PASSWORD]
    answers = await asyncio.gather(*(log_in(client, "viewer", guess) for guess in guesses))
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 36}


async def test_codes_and_old_passwords_are_not_guessed_at_once_either(
    rig: Rig, tmp_path: Path
) -> None:
    viewer = await rig.client(Role.VIEWER, address="10.0.0.66")
    old = [{"old": f"guess number {n}", "new": "a new password 1"} for n in range(12)]
    answers = await asyncio.gather(*(viewer.post(OWN_PASSWORD, json=body) for body in old))
    assert Counter(answer.status_code for answer in answers) == {403: 5, 429: 7}
    async with web_rig(tmp_path / "new", with_users=False) as bare:
        client = await bare.client()
        body = {"name": "boss", "password": PASSWORD}
        codes = [body | {"code": f"ABCD-{n}"} for n in range(12)]
        answers = await asyncio.gather(*(client.post("/api/v1/setup", json=c) for c in codes))
        assert Counter(answer.status_code for answer in answers) == {403: 5, 429: 7}


async def test_right_passwords_are_never_too_many(rig: Rig) -> None:
    client = await rig.client(address="10.0.0.7")
    for _ in range(30):
        assert (await log_in(client, "viewer", PASSWORD)).status_code == 200


async def test_a_session_ends_when_idle_and_in_the_end_anyway(rig: Rig) -> None:
    idle, busy = await rig.client(Role.MAINTENANCE), await rig.client(Role.MAINTENANCE)
    for _ in range(0, 24 * 7, 11):
        assert (await busy.get("/api/v1/equipment")).status_code == 200
        rig.clock.pass_by(timedelta(hours=11))
    assert (await busy.get("/api/v1/equipment")).status_code == 401
    assert (await idle.get("/api/v1/equipment")).status_code == 401


@pytest.mark.parametrize(("role", "days"), [("viewer", 90), ("engineer", 0)])
async def test_who_only_looks_stays_logged_in_on_the_wall(rig: Rig, role: str, days: int) -> None:
    """An open stream asks every two seconds whether its session is in force."""
    opened = await login.begin(rig.context, role, "10.0.0.7")
    watched = timedelta()
    looks, longest = {opened.caller}, timedelta(days=200)
    while watched < longest and await still_in_force(rig.context.store, looks, rig.clock.now()):
        watched += timedelta(hours=11)
        rig.clock.pass_by(timedelta(hours=11))
    assert (watched - timedelta(hours=22)).days == days - 1 if days else watched.days == 0


async def test_a_page_that_only_asks_does_not_keep_its_session_alive(rig: Rig) -> None:
    client = await rig.client(Role.VIEWER)
    rig.clock.pass_by(timedelta(hours=7))
    assert (await client.get("/api/v1/session")).status_code == 200
    rig.clock.pass_by(timedelta(hours=7))
    assert (await client.get("/api/v1/session")).status_code == 401


async def test_logging_out_ends_the_session_on_the_server(rig: Rig) -> None:
    client = await rig.client(Role.VIEWER)
    stolen = client.cookies["mg_session"]
    await client.post("/api/v1/logout")
    client.cookies.set("mg_session", stolen)
    assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_new_password_ends_every_session_of_the_user(rig: Rig) -> None:
    client, other = await rig.client(Role.ENGINEER), await rig.client(Role.ENGINEER)
    body = {"old": "wrong password", "new": "a better password"}
    refused = await client.post("/api/v1/session/password", json=body)
    assert refused.json()["code"] == "wrong_password"
    answer = await client.post("/api/v1/session/password", json=body | {"old": PASSWORD})
    assert answer.status_code == 200
    assert (await other.get("/api/v1/session")).status_code == 401
    assert (await client.get("/api/v1/session")).status_code == 200
    assert (await log_in(await rig.client(), "engineer", body["new"])).status_code == 200


async def test_a_short_password_is_refused(rig: Rig) -> None:
    client = await rig.client(Role.VIEWER)
    body = {"old": PASSWORD, "new": "short"}
    answer = await client.post("/api/v1/session/password", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "new"


async def test_the_first_administrator_needs_the_code_of_the_start(tmp_path: Path) -> None:
    async with web_rig(tmp_path, with_users=False) as rig:
        client = await rig.client()
        assert (await client.get("/api/v1/setup")).json() == {"needed": True}
        body = {"code": "AAAA-AAAA", "name": "boss", "password": PASSWORD}
        refused = await client.post("/api/v1/setup", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong_code")
        answer = await client.post("/api/v1/setup", json=body | {"code": SETUP_CODE.lower()})
        assert (answer.status_code, answer.json()["role"]) == (200, "admin")
        assert (await client.get("/api/v1/session")).json()["user"] == "boss"
        assert (await client.get("/api/v1/setup")).json() == {"needed": False}
        again = await client.post("/api/v1/setup", json=body | {"code": SETUP_CODE})
        assert (again.status_code, again.json()["code"]) == (409, "already_set_up")
        assert ("boss", "setup", "boss", True) in await rig.audit()


async def test_a_token_in_a_query_string_is_nothing(rig: Rig) -> None:
    client = await rig.client()
    for query in ("token=mgt_x", "access_token=mgt_x", "mg_session=x"):
        assert (await client.get(f"/api/v1/equipment?{query}")).status_code == 401


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "Bearer mgt_wrong", "mgt_x", ""])
async def test_a_wrong_authorization_is_no_fallback_to_the_cookie(rig: Rig, header: str) -> None:
    client = await rig.client(Role.ADMIN)
    answer = await client.get("/api/v1/session", headers={"Authorization": header})
    assert answer.status_code == 401


async def test_preferences_are_kept(rig: Rig) -> None:
    client = await rig.client(Role.VIEWER)
    changed = await client.patch("/api/v1/session", json={"language": "en", "theme": "dark"})
    assert (changed.json()["language"], changed.json()["theme"]) == ("en", "dark")
    kept = (await client.get("/api/v1/session")).json()
    assert (kept["language"], kept["theme"]) == ("en", "dark")
    assert (await client.get("/api/v1/nothing")).json()["title"] == "Not found"


async def test_a_problem_speaks_the_language_asked_for(rig: Rig) -> None:
    client = await rig.client()
    for language, title in (("zh-CN", "请先登录"), ("en-GB", "Log in first")):
        answer = await client.get("/api/v1/session", headers={"Accept-Language": language})
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title"] == title


async def test_a_session_says_what_this_site_offers_to_choose_from(rig: Rig) -> None:
    session = (await (await rig.client(Role.MAINTENANCE)).get("/api/v1/session")).json()
    assert session["quick_comments"] == [{"zh": "已去现场", "en": "on my way"}]
    assert session["ack_comment_for"] == ["safety"]
    (reason,) = session["stop_reasons"]
    assert (reason["code"], reason["category"], reason["planned"]) == ("no_coil", "material", False)


async def test_of_many_sessions_begun_at_once_the_newest_is_in_force(rig: Rig) -> None:
    for _ in range(3 * sessions.MAX_OF_USER):
        client = await rig.client(Role.VIEWER)  # the clock of the rig stands still
    assert (await client.get("/api/v1/session")).status_code == 200
