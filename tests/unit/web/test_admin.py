"""Users, tokens, the audit trail."""

import csv
import io
import sqlite3
from datetime import timedelta

import httpx
import pytest

from gateway.web.access.roles import Role
from tests.support.web import PASSWORD, Rig


@pytest.fixture
async def admin(rig: Rig) -> httpx.AsyncClient:
    return await rig.client(Role.ADMIN)


async def log_in(rig: Rig, name: str, password: str) -> httpx.AsyncClient:
    client = await rig.client()
    answer = await client.post("/api/v1/login", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF"] = answer.json()["csrf"]
    return client


async def test_a_new_user_has_to_change_the_password_first(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    body = {"name": "张工", "role": "maintenance"}
    made = await admin.post("/api/v1/users", json=body)
    assert made.status_code == 201
    password = made.json()["one_time_password"]
    client = await log_in(rig, "张工", password)
    refused = await client.get("/api/v1/equipment")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_must_change")
    change = {"old": password, "new": "a password of my own"}
    changed = await client.post("/api/v1/session/password", json=change)
    assert changed.json()["must_change_password"] is False
    assert (await client.get("/api/v1/equipment")).status_code == 200
    users = {one["name"]: one for one in (await admin.get("/api/v1/users")).json()}
    assert users["张工"]["role"] == "maintenance"
    assert users["张工"]["last_login_at"] is not None
    assert password not in (await admin.get("/api/v1/users")).text


async def test_a_name_is_taken_once_upper_or_lower_case(admin: httpx.AsyncClient) -> None:
    again = await admin.post("/api/v1/users", json={"name": "VIEWER", "role": "viewer"})
    assert (again.status_code, again.json()["code"]) == (409, "exists")


@pytest.mark.parametrize("name", ["", "a b", "<script>", "x" * 41, ".", "a\u202eb"])
async def test_a_name_is_something_people_can_read(admin: httpx.AsyncClient, name: str) -> None:
    answer = await admin.post("/api/v1/users", json={"name": name, "role": "viewer"})
    assert answer.status_code == 422


async def test_a_disabled_user_is_out_at_once(rig: Rig, admin: httpx.AsyncClient) -> None:
    client = await rig.client(Role.VIEWER)
    changed = await admin.patch("/api/v1/users/viewer", json={"disabled": True})
    assert changed.json()["disabled"] is True
    assert (await client.get("/api/v1/equipment")).status_code == 401
    body = {"name": "viewer", "password": PASSWORD}
    refused = await (await rig.client()).post("/api/v1/login", json=body)
    assert refused.json()["code"] == "login_failed"


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "engineer"}])
async def test_the_last_administrator_stays(
    admin: httpx.AsyncClient, change: dict[str, object]
) -> None:
    refused = await admin.patch("/api/v1/users/admin", json=change)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    assert (await admin.get("/api/v1/users")).status_code == 200


async def test_a_reset_gives_a_password_for_once(rig: Rig, admin: httpx.AsyncClient) -> None:
    client = await rig.client(Role.ENGINEER)
    password = (await admin.post("/api/v1/users/engineer/reset")).json()["one_time_password"]
    assert (await client.get("/api/v1/equipment")).status_code == 401
    await log_in(rig, "engineer", password)
    assert (await admin.post("/api/v1/users/nobody/reset")).status_code == 404


async def token_of(client: httpx.AsyncClient, **body: object) -> str:
    made = await client.post("/api/v1/tokens", json={"name": "mes"} | body)
    assert made.status_code == 201, made.text
    secret: str = made.json()["secret"]
    return secret


async def test_a_token_lets_a_program_in_without_csrf(rig: Rig, admin: httpx.AsyncClient) -> None:
    secret = await token_of(admin, role="maintenance")
    program = await rig.client(address="10.0.0.9")
    program.headers["Authorization"] = f"Bearer {secret}"
    assert (await program.get("/api/v1/session")).json()["user"] == "token:mes"
    body = {"faults": [{"equipment": "press-07", "fault_id": "f-1"}]}
    assert (await program.post("/api/v1/faults/ack", json=body)).status_code == 200
    assert rig.door.asked[0][2]["by"] == "token:mes"
    (shown,) = (await admin.get("/api/v1/tokens")).json()
    assert "secret" not in shown
    assert shown["last_used_from"] == "10.0.0.9"
    kept = await rig.context.store.run(
        lambda connection: connection.execute("SELECT hash FROM token").fetchall()
    )
    assert secret.encode() not in kept[0][0]
    rig.clock.pass_by(timedelta(days=90))
    assert (await program.get("/api/v1/session")).status_code == 401


async def test_a_token_is_worth_no_more_than_who_made_it(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    engineer = await rig.client(Role.ENGINEER)
    above = await engineer.post("/api/v1/tokens", json={"name": "x", "role": "admin"})
    assert (above.status_code, above.json()["code"]) == (403, "forbidden")
    program = await rig.client()
    program.headers["Authorization"] = f"Bearer {await token_of(engineer, role='engineer')}"
    await admin.patch("/api/v1/users/engineer", json={"role": "viewer"})
    assert (await program.get("/api/v1/session")).json()["role"] == "viewer"
    await admin.patch("/api/v1/users/engineer", json={"disabled": True})
    assert (await program.get("/api/v1/session")).status_code == 401


async def test_a_token_makes_no_tokens(rig: Rig, admin: httpx.AsyncClient) -> None:
    program = await rig.client()
    program.headers["Authorization"] = f"Bearer {await token_of(admin, role='admin')}"
    refused = await program.post("/api/v1/tokens", json={"name": "more"})
    assert refused.status_code == 403


async def test_an_engineer_sees_and_revokes_his_own_tokens_only(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    engineer = await rig.client(Role.ENGINEER)
    await token_of(admin)
    await token_of(engineer)
    ids = [one["id"] for one in (await admin.get("/api/v1/tokens")).json()]
    assert [one["id"] for one in (await engineer.get("/api/v1/tokens")).json()] == ids[1:]
    assert (await engineer.delete(f"/api/v1/tokens/{ids[0]}")).status_code == 404
    assert (await engineer.delete(f"/api/v1/tokens/{ids[1]}")).status_code == 204
    assert [one["id"] for one in (await admin.get("/api/v1/tokens")).json()] == ids[:1]


async def test_the_audit_trail_is_paged_and_filtered(admin: httpx.AsyncClient) -> None:
    for name in ("a1", "a2", "a3"):
        await admin.post("/api/v1/users", json={"name": name, "role": "viewer"})
    url = "/api/v1/audit"
    page = (await admin.get(url, params={"action": "user_add", "limit": 2})).json()
    assert [one["target"] for one in page["entries"]] == ["a3", "a2"]
    older = {"action": "user_add", "before": page["next"]}
    rest = (await admin.get(url, params=older)).json()
    assert [one["target"] for one in rest["entries"]] == ["a1"]
    assert rest["next"] is None
    assert rest["entries"][0]["detail"] == {"role": "viewer"}
    none = (await admin.get(url, params={"who": "somebody"})).json()
    assert none["entries"] == []


async def test_the_audit_table_holds_all_there_is(rig: Rig, admin: httpx.AsyncClient) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50001)"
            " INSERT INTO audit (at_ms, who, address, action, target, accepted, detail)"
            " SELECT i, 'li', '', 'filled', i, 1, '{}' FROM n"
        )

    await rig.context.store.run(fill)
    table = (await admin.get("/api/v1/audit.csv", params={"action": "filled"})).text
    targets = [row["target"] for row in csv.DictReader(io.StringIO(table))]
    assert targets == [str(place) for place in range(50_001, 0, -1)]


async def test_the_audit_table_holds_no_formula(rig: Rig, admin: httpx.AsyncClient) -> None:
    body = {"name": "=cmd|' /C calc'!A0", "password": "x"}
    await (await rig.client()).post("/api/v1/login", json=body)
    answer = await admin.get("/api/v1/audit.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith("\ufeffid,at,who".encode())
    assert "'=cmd" in answer.text
    assert ",=cmd" not in answer.text
