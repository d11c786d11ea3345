from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import httpx
import orjson
import pytest
from jsonschema import Draft202012Validator

from drivers.contract import DriverError
from drivers.registry import protocols, spec
from gateway.domain.events import CLOCK, FaultText, Health
from gateway.domain.vocabulary import State
from gateway.journal.retention import Limits
from gateway.journal.row import Entry
from gateway.web.access.roles import Role
from gateway.web.checks import Code, Name
from gateway.web.source import SourceUnavailable
from tests.support.board import NOW, FakeSource, ago, fault, links, press
from tests.support.journal import entry, open_journal
from tests.support.web import Rig
from tests.unit.web.test_pages import CATALOGUE

EPOCH = "t5k2m0-9f3a"


def _kinds(kind: type[Exception]) -> Iterator[str]:
    for below in kind.__subclasses__():
        if below.__module__.startswith("drivers."):
            yield below.__name__
            yield from _kinds(below)


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
        "collector": {"alive": True, "at": None, "problem": None, "problem_code": None},
        "epoch": EPOCH,
        "head_seq": 7,
        "equipment": 2,
        "states": {"running": 1, "offline": 1},
        "links": {"online": 1, "starting": 1},
    }
    assert checks == {
        "collector": True,
        "links": True,
        "broker": True,
        "queue": True,
        "history": None,
        "clock": True,
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


async def test_a_journal_that_fills_with_what_nobody_has_and_a_disk_that_was_full_are_told(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    site = rig.context.site
    room = {"max_bytes": 200_000, "path": str(rig.journal)}
    own = site.gateway.journal.model_copy(update=room)
    gateway = site.gateway.model_copy(update={"journal": own})
    rig.context.site = replace(site, gateway=gateway)
    limits = Limits(ballast_bytes=64 << 10)  # less than is wished for: as if half were given up
    async with open_journal(rig.journal, now=lambda: NOW, limits=limits) as journal:
        await journal.append([entry(counts=500)])
        checks = (await client.get("/api/v1/health")).json()["checks"]
    told = {one["name"]: (one["ok"], one["code"], one["values"]) for one in checks}
    assert told["queue"][:2] == (False, "filling")
    assert 70 <= told["queue"][2]["percent"] <= 200
    assert told["disk"][:2] == (False, "disk_full")


async def test_a_journal_that_cannot_be_read_is_told_with_the_reason(
    client: httpx.AsyncClient, source: FakeSource
) -> None:
    source.failure = SourceUnavailable("journal.db: not a database", "damaged")
    health = (await client.get("/api/v1/health")).json()
    assert health["collector"]["problem"] == "journal.db: not a database"
    assert health["collector"]["problem_code"] == "damaged"
    told = health["checks"][0]
    assert (told["ok"], told["code"]) == (False, "damaged")
    assert told["values"] == {"error": "journal.db: not a database"}


async def test_a_clock_nobody_vouches_for_is_told_with_how_often_it_was_set(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    rig.context.clock_is_trusted = lambda: False
    steps = [
        Health(at=ago(s), link=CLOCK, state="online", clock={"boot_id": "b", "offset_ms": ms})
        for s, ms in ((9 * 86_400, 1), (7200, 3_600_000), (60, -250))
    ]
    async with open_journal(rig.journal, now=lambda: NOW) as journal:
        await journal.append([Entry("press-07", steps), Entry("oven-01", steps[-1:])])
        checks = (await client.get("/api/v1/health")).json()["checks"]
    (told,) = [one for one in checks if one["name"] == "clock"]
    assert (told["ok"], told["code"]) == (False, "unsynced")
    assert told["values"] == {"steps": 2, "days": 7, "last_step_ms": -250}
    assert told["since"] == "2026-03-20T01:00:29.123Z"


async def test_a_person_may_vouch_for_the_clock(rig: Rig, client: httpx.AsyncClient) -> None:
    site = rig.context.site
    gateway = site.gateway.model_copy(update={"clock": "trusted"})
    rig.context.site = replace(site, gateway=gateway)
    checks = (await client.get("/api/v1/health")).json()["checks"]
    assert [one["code"] for one in checks if one["name"] == "clock"] == ["vouched"]


def test_the_screens_have_words_for_every_code() -> None:
    texts = set(orjson.loads(CATALOGUE.read_bytes()))
    said = {f"health.{code}" for code in get_args(Code)} - {"health.links"}
    assert said <= texts
    assert {f"check.{name}" for name in get_args(Name)} <= texts
    for protocol in protocols():
        spec(protocol)  # loads its kinds of error
    errors = {*_kinds(DriverError), "Defect"}
    assert "NoAnswer" in errors
    assert {f"{what}.{one}" for what in ("linkError", "linkAdvice") for one in errors} <= texts


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
