from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from jsonschema import Draft202012Validator

from gateway.domain.events import FaultText, Health
from gateway.domain.vocabulary import State
from gateway.journal.row import Row
from gateway.web.app import create_app
from gateway.web.live import Board
from gateway.web.source import SourceUnavailable
from tests.support.board import NOW, FakeSource, ago, fault, links, press

EPOCH = "t5k2m0-9f3a"


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
async def client(source: FakeSource) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(source, board=Board(source, refresh_s=0, now=lambda: NOW))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
    await app.state.board.close()


def row(seq: int) -> Row:
    at = int(NOW.timestamp() * 1000)
    data = orjson.dumps({"state": "running"})
    return Row(seq, "press-07", "status", "", seq, at, at + 27, local=False, data=data, epoch=EPOCH)


async def test_the_equipment_list_has_every_tile(client: httpx.AsyncClient) -> None:
    tiles = (await client.get("/api/v1/equipment")).json()
    assert [(tile["equipment"], tile["state"]) for tile in tiles] == [
        ("press-07", "running"),
        ("oven-01", "offline"),
    ]
    assert tiles[0]["name"] == {"zh": "7号冲床", "en": "Press 07"}


async def test_health_counts_states_and_links(client: httpx.AsyncClient) -> None:
    health = (await client.get("/api/v1/health")).json()
    assert health == {
        "now": "2026-03-20T01:01:29.123Z",
        "collector": {"alive": True, "at": None, "problem": None},
        "epoch": EPOCH,
        "head_seq": 7,
        "equipment": 2,
        "states": {"running": 1, "offline": 1},
        "links": {"online": 1},
    }


async def test_events_are_paged_by_seq(client: httpx.AsyncClient, source: FakeSource) -> None:
    source.journal = [row(seq) for seq in (3, 4, 9)]
    first = (await client.get("/api/v1/events", params={"after": 3, "limit": 1})).json()
    assert first["next"] == 4
    assert first["events"] == [
        {
            "id": f"{EPOCH}-4",
            "seq": 4,
            "equipment": "press-07",
            "type": "status",
            "part": "",
            "streamseq": 4,
            "local": False,
            "time": "2026-03-20T01:01:29.123Z",
            "recordedtime": "2026-03-20T01:01:29.150Z",
            "data": {"state": "running"},
        }
    ]
    second = (await client.get("/api/v1/events", params={"after": first["next"]})).json()
    assert [event["seq"] for event in second["events"]] == [9]
    last = (await client.get("/api/v1/events", params={"after": 9})).json()
    assert (last["events"], last["next"]) == ([], 9)


@pytest.mark.parametrize(
    "query", ["after=-1", "limit=0", "limit=1001", "after=x", f"after={2**63}"]
)
async def test_a_range_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, query: str
) -> None:
    assert (await client.get(f"/api/v1/events?{query}")).status_code == 422


async def test_a_journal_that_cannot_be_read_answers_503_with_the_reason(
    client: httpx.AsyncClient, source: FakeSource
) -> None:
    source.failure = SourceUnavailable("journal.db: locked")
    answer = await client.get("/api/v1/events")
    assert (answer.status_code, answer.json()) == (503, {"detail": "journal.db: locked"})
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


@pytest.mark.parametrize("path", ["/", "/static/app/icon.svg", "/api/v1/equipment", "/nowhere"])
async def test_every_answer_forbids_foreign_content(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.5:8080"])
async def test_a_request_addressed_to_another_name_is_refused(
    client: httpx.AsyncClient, host: str
) -> None:
    assert (await client.get("/api/v1/equipment", headers={"Host": host})).status_code == 400


async def test_nothing_can_be_changed(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
    assert {method for operations in paths.values() for method in operations} == {"get"}


async def test_there_is_no_viewer_that_loads_from_another_host(client: httpx.AsyncClient) -> None:
    assert [(await client.get(path)).status_code for path in ("/docs", "/redoc")] == [404, 404]
