"""One courier over a journal in memory, to a real HTTP server that misbehaves."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from gateway.journal.row import Row
from gateway.ops.timing import Timing
from gateway.push.courier import MAX_DEAD, Courier, Ports
from gateway.push.dead import DeadLetters
from gateway.push.settings import PushTarget
from tests.support.fake_journal import FakeJournal
from tests.support.publishing import PLACES, PRESS, count, status
from tests.support.push_target import CUT_BEFORE, KEY, Says, Target, target
from tests.support.until import until

SOURCE = "/suzhou/gateways/gw-01"
CURSOR = "push.mes"


@dataclass
class Stage:
    directory: Path
    to: Target
    journal: FakeJournal = field(default_factory=FakeJournal)
    waits: list[float] = field(default_factory=list)
    aside: list[tuple[int, str]] = field(default_factory=list)

    def courier(self, **settings: Any) -> Courier:
        secret = self.directory / "secret"
        if not secret.exists():
            secret.write_text(KEY + "\n")
        one = PushTarget(name="mes", url=self.to.url, secret_file=secret, timeout_s=5.0)
        return Courier(
            replace(one, **settings),
            self.journal,
            Ports(source=SOURCE, place_of=PLACES.of, set_aside=self.set_aside),
            DeadLetters(self.directory / "mes.dead.jsonl"),
            Timing(sleep=self.sleep, uniform=lambda _low, high: high),
        )

    async def set_aside(self, row: Row, reason: str) -> None:
        self.aside.append((row.seq, reason))

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.001)

    @property
    def cursor(self) -> int:
        return self.journal.cursor(CURSOR)

    @property
    def dead(self) -> list[dict[str, Any]]:
        path = self.directory / "mes.dead.jsonl"
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]

    async def delivered(self, upto: int) -> None:
        await until(lambda: self.cursor == upto, timeout_s=20)


@asynccontextmanager
async def pushing(courier: Courier) -> AsyncIterator[Courier]:
    task = asyncio.create_task(courier.serve())
    try:
        yield courier
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with target() as to:
        yield Stage(tmp_path, to)


async def test_facts_leave_in_order_signed_and_under_their_ids(stage: Stage) -> None:
    stage.journal.commit("press-03", *(count(n) for n in range(1, 8)))
    async with pushing(stage.courier(max_events=3)) as courier:
        await stage.delivered(7)
        stage.journal.commit("press-03", status())
        await stage.delivered(8)
    assert stage.to.seqs == [1, 2, 3, 4, 5, 6, 7, 8]
    assert stage.to.sizes == [3, 3, 1, 1]
    first = stage.to.requests[0]
    assert first.headers["content-type"].startswith("application/cloudevents-batch+json")
    assert first.headers["idempotency-key"].split(".")[2] == stage.to.taken[2]["id"]
    assert "authorization" not in first.headers
    event = stage.to.taken[0]
    assert (event["source"], event["subject"]) == (SOURCE, PRESS.subject)
    assert (event["type"], event["data"]["total"]) == ("millgate.count.v1", 1)
    assert [one["replay"] for one in stage.to.taken] == [True] * 7 + [False]
    assert (courier.stats.online, courier.stats.events, courier.backlog) == (True, 8, 0)


async def test_what_nobody_wants_is_passed_over(stage: Stage) -> None:
    stage.journal.commit("press-03", count(1), status())
    stage.journal.commit("oven-01", count(2), local=True)
    stage.journal.commit("oven-01", count(3))
    stage.journal.commit("press-03", status())
    async with pushing(stage.courier(types={"count"}, equipment={"oven-01"})):
        await stage.delivered(5)
        stage.journal.commit("press-03", count(6))
        await stage.delivered(6)
    assert stage.to.seqs == [4]


async def test_a_target_gets_its_own_field_names(stage: Stage) -> None:
    stage.journal.commit("press-03", count(5))
    flat = {
        "machine": "equipment",
        "when": "time",
        "what": "stream",
        "qty": "data.delta",
        "order_no": "data.order.order_no",
        "id": "id",
    }
    async with pushing(stage.courier(flat=flat)):
        await stage.delivered(1)
    assert stage.to.taken == [
        {
            "machine": "press-03",
            "when": stage.to.taken[0]["when"],
            "what": "count",
            "qty": 1,
            "order_no": None,
            "id": f"{stage.journal.epoch}-1",
        }
    ]
    assert stage.to.requests[0].headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "trouble",
    [
        Says(500),
        Says(503, body=b"maintenance"),
        Says(429),
        Says(408),
        Says(409, body=b"still in progress"),
        Says(302, {"Location": "/elsewhere"}),
        Says(404),
        Says(401),
        Says(cut=0),
        Says(cut=9),
        Says(200, {"Content-Length": "x"}),
        Says(after_s=1),
    ],
    ids=str,
)
async def test_what_is_not_taken_is_sent_again_as_it_was(stage: Stage, trouble: Says) -> None:
    stage.journal.commit("press-03", *(count(n) for n in range(5)))
    stage.to.script.extend([trouble, trouble])
    async with pushing(stage.courier(timeout_s=0.3 if trouble.after_s else 5)) as courier:
        await stage.delivered(5)
        assert courier.stats.failures == 2
    assert stage.to.seqs == [1, 2, 3, 4, 5]
    assert [request.path for request in stage.to.requests] == ["/facts"] * 3
    assert len({request.body for request in stage.to.requests}) == 1
    assert stage.waits[:2] == [1.0, 2.0]
    assert stage.aside == []


async def test_a_reply_that_is_lost_gives_the_same_ids_twice(stage: Stage) -> None:
    stage.journal.commit("press-03", *(count(n) for n in range(4)))
    stage.to.script.append(CUT_BEFORE)
    async with pushing(stage.courier()):
        await stage.delivered(4)
    assert stage.to.seqs == [1, 2, 3, 4] * 2
    assert stage.to.taken[:4] == stage.to.taken[4:]


async def test_a_body_that_is_cut_after_its_status_is_an_answer(stage: Stage) -> None:
    stage.journal.commit("press-03", count(1))
    stage.to.script.append(Says(200, body=b"x" * 100, takes=True, cut=60))
    async with pushing(stage.courier()):
        await stage.delivered(1)
    assert stage.to.seqs == [1]


@pytest.mark.fault(
    59,
    injection="the target answers 200 and then drips its body for longer than a request may take",
    expectation="the status is the answer: it is not sent again",
)
async def test_a_body_that_drips_after_its_status_is_an_answer(stage: Stage) -> None:
    stage.journal.commit("press-03", count(1))
    stage.to.script.append(Says(200, body=b"x" * 400, takes=True, drips=True))
    async with pushing(stage.courier(timeout_s=0.5)):
        await stage.delivered(1)
    assert stage.to.seqs == [1]


async def test_a_key_never_comes_with_another_body(stage: Stage) -> None:
    """After a restart the same rows are told to be a replay."""
    stage.to.script.extend([Says(500)] * 10_000)
    courier = stage.courier()
    stage.journal.commit("press-03", count(1))
    async with pushing(courier):
        await until(lambda: len(stage.waits) >= 2)
    stage.to.script.clear()
    async with pushing(stage.courier()):
        await stage.delivered(1)
    assert [stage.to.requests[n].events[0]["replay"] for n in (0, -1)] == [False, True]
    bodies = {(one.headers["idempotency-key"], one.body) for one in stage.to.requests}
    assert len(bodies) == len({key for key, _ in bodies}) == 2


async def test_the_pause_a_target_asks_for_is_kept(stage: Stage) -> None:
    stage.journal.commit("press-03", count(1))
    date = "Wed, 21 Oct 2999 07:28:00 GMT"
    stage.to.script.extend(Says(429, {"Retry-After": said}) for said in ("17", "nonsense", date))
    async with pushing(stage.courier()):
        await stage.delivered(1)
    assert stage.waits == [17.0, 2.0, 3600.0]


@pytest.mark.parametrize("poison", [1, 2, 8, 13, 16])
async def test_one_refused_row_is_found_by_halves_and_set_aside(stage: Stage, poison: int) -> None:
    stage.journal.commit("press-03", *(count(n) for n in range(1, 17)))
    stage.to.refuses = lambda event: event["data"]["total"] == poison
    async with pushing(stage.courier(max_events=16)) as courier:
        await stage.delivered(16)
        assert courier.stats.dead_letters == 1
    assert stage.to.seqs == [n for n in range(1, 17) if n != poison]
    refused = [r for r in stage.to.requests if any(map(stage.to.refuses, r.events))]
    before = stage.to.requests.index(refused[-1]) + 1
    assert before <= 6, stage.to.sizes  # log2(16) + 2
    assert stage.aside == [(poison, "push/mes")]
    (letter,) = stage.dead
    assert (letter["status"], letter["answer"]) == (422, "what is this?")
    assert letter["event"]["data"]["total"] == poison
    assert stage.waits == []


async def test_several_refused_rows_are_each_found(stage: Stage) -> None:
    stage.journal.commit("press-03", *(count(n) for n in range(1, 40)))
    stage.to.refuses = lambda event: event["data"]["total"] in {3, 4, 21, 39}
    async with pushing(stage.courier(max_events=20)):
        await stage.delivered(39)
    assert [seq for seq, _ in stage.aside] == [3, 4, 21, 39]
    assert stage.to.seqs == [n for n in range(1, 40) if n not in {3, 4, 21, 39}]


async def test_a_target_that_refuses_everything_loses_nothing_more(stage: Stage) -> None:
    stage.journal.commit("press-03", *(count(n) for n in range(1, 41)))
    stage.to.refuses = lambda _: True
    async with pushing(stage.courier(max_events=4)) as courier:
        await until(lambda: len(stage.waits) > 3)
        assert len(stage.aside) == MAX_DEAD
        assert "refuses everything" in (courier.stats.held or "")
        stage.to.refuses = lambda _: False
        await stage.delivered(40)
        assert courier.stats.held is None
    assert stage.to.seqs == list(range(MAX_DEAD + 1, 41))


async def test_secrets_are_read_anew(stage: Stage) -> None:
    stage.journal.commit("press-03", count(1))
    secret, token = stage.directory / "secret", stage.directory / "token"
    secret.write_text("an old key\n")
    async with pushing(stage.courier(token_file=token)) as courier:
        await until(lambda: courier.stats.held is not None)
        assert "token" in (courier.stats.held or "")
        token.write_text("\n")
        await until(lambda: "empty" in (courier.stats.held or ""))
        token.write_text("abc\nmore\n")
        await until(lambda: "401" in (courier.stats.held or ""))
        secret.write_text(KEY)
        await stage.delivered(1)
    assert stage.to.requests[-1].headers["authorization"] == "Bearer abc"


async def test_a_batch_is_bounded_by_its_bytes(stage: Stage) -> None:
    stage.journal.commit("press-03", *(count(n) for n in range(6)))
    async with pushing(stage.courier(max_bytes=1500)):
        await stage.delivered(6)
    assert max(len(request.body) for request in stage.to.requests) < 1600
    async with pushing(stage.courier(max_bytes=10)):
        stage.journal.commit("press-03", count(6), count(7))
        await stage.delivered(8)
    assert stage.to.sizes[-2:] == [1, 1]


async def test_a_target_that_is_not_there_is_waited_for(stage: Stage) -> None:
    stage.journal.commit("press-03", count(1))
    await stage.to.stop()
    async with pushing(stage.courier()) as courier:
        await until(lambda: len(stage.waits) > 2)
        assert not courier.stats.online
        await stage.to.start()
        await stage.delivered(1)
    assert stage.to.seqs == [1]


async def test_https_is_believed_by_the_authority_that_is_named(tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    async with target(tls) as to:
        stage, ca = Stage(tmp_path, to), tmp_path / "ca.pem"
        stage.journal.commit("press-03", count(1))
        settings = {"url": f"https://localhost:{to.port}/facts", "ca_file": ca}
        async with pushing(stage.courier(**settings)) as courier:
            await until(lambda: courier.stats.held is not None)  # there is no such file
            trustme.CA().cert_pem.write_to_path(str(ca))
            await asyncio.sleep(0)
        async with pushing(stage.courier(**settings)) as courier:
            await until(lambda: "certificate" in (courier.stats.held or "").lower())
        authority.cert_pem.write_to_path(str(ca))
        async with pushing(stage.courier(**settings)):
            await stage.delivered(1)
        assert to.seqs == [1]
