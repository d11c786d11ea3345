"""The web application without a browser: a rig of one site, its users and their clients."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from gateway.control.client import NoCollector
from gateway.control.configuring import Wish
from gateway.domain.commands import Reply
from gateway.domain.vocabulary import Json
from gateway.journal.history import JournalHistory
from gateway.settings.load import load
from gateway.settings.outcome import Outcome
from gateway.settings.site import Site
from gateway.web.access import login
from gateway.web.access.roles import Role
from gateway.web.access.throttle import Throttle
from gateway.web.app import create_app
from gateway.web.context import Context
from gateway.web.history import History
from gateway.web.live import Board
from gateway.web.store import users
from gateway.web.store.database import Connection, Store
from tests.support.board import NOW, FakeSource
from tests.support.config_site import write_site

PASSWORD = "correct horse battery"  # noqa: S105 - of the users of a test
SETUP_CODE = "ABCD-EFGH-JKLM-NPQR"
SITE = {
    "gateway.yaml": """\
site: suzhou
gateway: gw-01
timezone: Asia/Shanghai
web:
  quick_comments: [{zh: 已去现场, en: on my way}]
  ack_comment_for: [safety]
  stop_reasons: [{code: no_coil, category: material, text: {zh: 等卷料}}]
""",
    "equipment/press-07.yaml": """\
equipment: press-07
name: {zh: 7号冲床, en: Press 07}
area: stamping
line: line-1
links: {plc: {protocol: modbus-tcp, host: 127.0.0.1}}
tags:
  run: {address: "coil:100"}
  good_parts: {address: "hr:200", type: uint32}
  alarm_word: {address: "hr:300"}
  temperature: {address: "hr:310", unit: Cel, low: 15, name: {zh: 温度, en: Temperature}}
status:
  - {state: fault, when: stopping_fault}
  - {state: running, when: run}
counters:
  good: {tag: good_parts, kind: good, modulus: 4294967296, max_rate_per_s: 5}
faults:
  - {tag: alarm_word, bits: faults/press.csv}
""",
    "equipment/oven-01.yaml": """\
equipment: oven-01
name: {zh: 1号烘箱, en: Oven 01}
area: stamping
line: line-1
links: {plc: {protocol: modbus-tcp, host: 127.0.0.1, port: 503}}
tags:
  run: {address: "coil:100"}
status:
  - {state: running, when: run}
ideal_cycle_ms: 120000
""",
    "faults/press.csv": "bit,code,text_zh,text_en,severity\n0,P01,急停,Emergency stop,950\n",
    "shifts.yaml": """\
patterns:
  A: {start: 08:00, end: 20:00}
  B: {start: 20:00, end: 08:00}
week: {mon: [A, B], tue: [A, B], wed: [A, B], thu: [A, B], fri: [A, B]}
""",
}
_stored: list[str] = []
"""The hash of PASSWORD, made once: hashing is slow on purpose."""


@dataclass
class Clock:
    """Both clocks of the application, moved by hand."""

    at: datetime = NOW
    s: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def mono_s(self) -> float:
        return self.s

    def pass_by(self, span: timedelta) -> None:
        self.at += span
        self.s += span.total_seconds()


@dataclass
class Door:
    """The collector's local door: keeps what was asked, answers what it is told to."""

    asked: list[tuple[str, str, Json]] = field(default_factory=list)
    reply: Reply = field(default_factory=lambda: Reply(accepted=True, seq=17))
    is_open: bool = True
    wishes: list[Wish] = field(default_factory=list)
    outcome: Outcome = field(
        default_factory=lambda: Outcome("applied", 1, {"zh": "好", "en": "ok"})
    )

    async def ask(self, equipment: str, name: str, content: Json) -> Reply:
        if not self.is_open:
            raise NoCollector(Path("control.sock"), "nobody")
        self.asked.append((equipment, name, content))
        return self.reply

    async def configure(self, wish: Wish) -> Outcome:
        if not self.is_open:
            raise NoCollector(Path("control.sock"), "nobody")
        self.wishes.append(wish)
        return self.outcome


@dataclass
class Rig:
    """One application; `client` gives somebody who may or may not be logged in."""

    context: Context
    app: FastAPI
    source: FakeSource
    clock: Clock
    door: Door
    journal: Path
    _clients: AsyncExitStack

    async def client(
        self, role: Role | None = None, *, address: str = "127.0.0.1", **more: Any
    ) -> httpx.AsyncClient:
        """Return a client; with a role it is logged in and sends its ``X-CSRF``."""
        transport = httpx.ASGITransport(
            self.app, client=(address, 50_000), raise_app_exceptions=False
        )
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", **more)
        await self._clients.enter_async_context(client)
        if role is not None:
            opened = await login.begin(self.context, role.value, address)
            client.cookies.set("mg_session", opened.secret)
            client.headers["X-CSRF"] = opened.caller.csrf or ""
        return client

    async def audit(self) -> list[tuple[str, str, str, bool]]:
        """Return (who, action, target, accepted), oldest first."""

        def read(connection: Connection) -> list[tuple[str, str, str, bool]]:
            rows = connection.execute("SELECT who, action, target, accepted FROM audit ORDER BY id")
            return [(who, action, target, bool(accepted)) for who, action, target, accepted in rows]

        return await self.context.store.run(read)


@asynccontextmanager
async def web_rig(directory: Path, *, with_users: bool = True, **more: Any) -> AsyncIterator[Rig]:
    """Compose the application over a fake source and an empty journal."""
    site = load(write_site(directory / "site", SITE))
    clock, source, door = Clock(), FakeSource(), Door()
    journal = directory / "journal.db"
    async with AsyncExitStack() as stack:
        store = Store.open(directory / "web.db")
        stack.callback(store.close)
        history = History(JournalHistory(journal))
        stack.callback(history.close)
        board = Board(source, refresh_s=0, now=clock.now, mono_s=clock.mono_s)
        stack.push_async_callback(board.close)
        context = Context(
            site=site,
            board=board,
            store=store,
            ask=door.ask,
            configure=door.configure,
            throttle=Throttle(clock.mono_s),
            history=history,
            now=clock.now,
            setup_code=SETUP_CODE,
        )
        context = replace(context, **more)
        stack.push_async_callback(context.streams.close)
        if with_users:
            await add_users(context)
        clients = await stack.enter_async_context(AsyncExitStack())
        yield Rig(context, create_app(context), source, clock, door, journal, clients)


async def add_users(context: Context) -> None:
    """Make a user of each role, all with PASSWORD."""
    if not _stored:
        _stored.append(await login.hashed(context, PASSWORD))
    at = context.now()

    def create(connection: Connection) -> None:
        for role in Role:
            users.add(connection, role.value, role, _stored[0], at)

    await context.store.run(create)


def site_of(rig: Rig) -> Site:
    """Return the configuration."""
    return rig.context.site
