from datetime import timedelta

import httpx
import pytest
from jsonschema import Draft202012Validator

from gateway.domain.events import FaultText, Health
from gateway.domain.vocabulary import State
from gateway.web.access.roles import Role
from gateway.web.source import SourceUnavailable
from tests.support.board import NOW, FakeSource, ago, fault, links, press
from tests.support.journal import entry, open_journal
from tests.support.web import Rig

EPOCH = "t5k2m0-9f3a"


@pytest.fixture
def source(rig: Rig) -> FakeSource:
    return rig.source


@pytest.fixture
async def client(rig: Rig) -> httpx.AsyncClient:
    return await rig.client(Role.VIEWER)


async def test_the_equipment_list_has_every_tile(client: httpx.AsyncClient) -> None:
    tiles = (await client.get("/api/v1/equipment")).json()
    assert [(tile["equipment"], tile["state"]) for tile in tiles] == [
        ("press-07", "running"),
        ("oven-01", "offline"),
    ]
    assert tiles[0]["name"] == {"zh": "7号冲床", "en": "Press 07"}


async def test_health_counts_states_and_links(client: httpx.AsyncClient) -> None:
    health = (await client.get("/api/v1/health")).json()
    checks = {one["name"]: one["ok"] for one in health.pop("checks")}
    assert health == {
        "now": "2026-03-20T01:01:29.123Z",
        "collector": {"alive": True, "at": None, "problem": None},
        "epoch": EPOCH,
        "head_seq": 7,
        "equipment": 2,
        "states": {"running": 1, "offline": 1},
        "links": {"online": 1},
    }
    assert checks == {
        "collector": True,
        "links": True,
        "broker": True,
        "queue": True,
        "history": None,
        "disk": True,
        "versions": True,
    }


async def test_a_queue_that_does_not_move_is_told(rig: Rig, client: httpx.AsyncClient) -> None:
    async with open_journal(rig.journal, now=lambda: NOW) as journal:
        await journal.append([entry()])
        await journal.advance("mqtt", 1)
        await journal.append([entry(counts=2, total=2)])
        rig.clock.pass_by(timedelta(minutes=3))
        checks = (await client.get("/api/v1/health")).json()["checks"]
    told = {one["name"]: (one["ok"], one["detail"]) for one in checks}
    assert told["queue"] == (False, "2 events wait")


async def test_a_journal_that_cannot_be_read_is_told_with_the_reason(
    client: httpx.AsyncClient, source: FakeSource
) -> None:
    source.failure = SourceUnavailable("journal.db: locked")
    health = await client.get("/api/v1/health")
    assert health.json()["collector"]["problem"] == "journal.db: locked"


async def test_answers_keep_to_the_published_schema(
    client: httpx.AsyncClient, source: FakeSource
) -> None:
    broken = Health(at=NOW, link="plc", state="offline", last_ok=ago(9), error={"class": "x"})
    alarm = fault(FaultText("E1", {"en": "Jam"}, severity=950), ago(5))
    snaps = press(State.FAULT)["press-07"]
    more = {"faults": {"active": [alarm]}, "health": links(broken)}
    source.show({"press-07": {**snaps, **more}})
    schema = (await client.get("/api/v1/openapi.json")).json()
    for path in ("/api/v1/equipment", "/api/v1/health"):
        answers = schema["paths"][path]["get"]["responses"]["200"]["content"]
        promised = answers["application/json"]["schema"] | {"components": schema["components"]}
        Draft202012Validator(promised).validate((await client.get(path)).json())


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/", "no-cache"),
        ("/static/app/icon.svg", "no-cache"),
        ("/api/v1/equipment", "no-store"),
        ("/nowhere", "no-cache"),
    ],
)
async def test_every_answer_forbids_foreign_content(
    client: httpx.AsyncClient, path: str, kept: str
) -> None:
    headers = (await client.get(path)).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == kept


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.5:8080"])
async def test_a_request_addressed_to_another_name_is_refused(
    client: httpx.AsyncClient, host: str
) -> None:
    answer = await client.get("/api/v1/equipment", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_host")


async def test_there_is_no_viewer_that_loads_from_another_host(client: httpx.AsyncClient) -> None:
    assert [(await client.get(path)).status_code for path in ("/docs", "/redoc")] == [404, 404]
