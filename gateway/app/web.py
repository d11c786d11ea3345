"""The screens and the API of one site: they read the journal from beside it."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

from gateway.app import translate
from gateway.app.collector import SOCKET, cancelled
from gateway.app.following import LOOK_S, following, in_force
from gateway.app.ports import refused
from gateway.app.visitors import Visitors
from gateway.control import client
from gateway.control.configuring import Reload, Restore, Wish
from gateway.journal.history import JournalHistory
from gateway.journal.reader import JournalReader
from gateway.settings.outcome import Outcome
from gateway.settings.revision import Draft
from gateway.settings.revisions import Revisions
from gateway.settings.site import Site
from gateway.web import tile_figures
from gateway.web.access import login
from gateway.web.access.roles import Role
from gateway.web.access.throttle import Throttle
from gateway.web.app import create_app
from gateway.web.context import Context, DemoEntry
from gateway.web.history import History
from gateway.web.journal_source import JournalBoardSource
from gateway.web.live import Board, utc_now
from gateway.web.server import Address, WebServer, listen, serve
from gateway.web.store import users
from gateway.web.store.database import Connection, Store


@asynccontextmanager
async def web(site: Site, visitors: Visitors | None = None) -> AsyncIterator[WebServer]:
    """Serve the site's screens, at the visitors' door if there are any.

    Raises OSError for a taken port or an unusable web.db, StoreFull where waiting may help.
    """
    async with context(site) as parts:
        if visitors is not None:
            await _let_in(parts, visitors)
        elif not await parts.store.run(users.has_admin):
            _ask_for_set_up(parts.setup_code)
        listener = _listening(site) if visitors is None else visitors.listener
        async with await serve(create_app(parts), address(site), listener) as server:
            yield server


def listening(port: int) -> socket.socket:
    """Return what listens on this port of this machine, on any where somebody else has it."""
    try:
        return listen(Address(port=port))
    except OSError:
        return listen(Address())


def _listening(site: Site) -> socket.socket:
    at = address(site)
    try:
        return listen(at)
    except OSError as err:
        raise refused(site, "web.port", at.host, at.port, err) from err


@asynccontextmanager
async def context(site: Site) -> AsyncIterator[Context]:
    """Open what the application works with, and close it in the end."""
    journal = site.path(site.gateway.journal.path)
    door = journal.parent / SOCKET
    settings = site.gateway.web

    async with AsyncExitStack() as stack:
        store = await asyncio.to_thread(Store.open, site.path(settings.path))
        stack.callback(store.close)
        reader = stack.enter_context(JournalReader(journal))
        history = History(JournalHistory(journal))
        stack.callback(history.close)
        source = JournalBoardSource.of(site, reader)
        board = Board(source)
        trust = translate.clock_trust(site)
        stack.push_async_callback(board.close)
        parts = Context(
            site=site,
            board=board,
            store=store,
            ask=partial(client.command, door),
            configure=partial(_configured, door),
            throttle=Throttle(time.monotonic),
            history=history,
            now=utc_now,
            hosts=_names(site),
            any_address=settings.is_open,
            clock_is_trusted=lambda: trust.trusted,
            version=version("millgate"),
            secure=settings.cert_file is not None,
        )
        stack.push_async_callback(parts.streams.close)

        def become(after: Site) -> None:
            parts.site = after
            source.follow(after)

        kept = Revisions(site.directory, journal)
        mark = partial(in_force, kept)
        seen = await asyncio.to_thread(mark)
        follow = following(site.directory, mark, become, seen=seen, look_s=LOOK_S)
        tasks = [
            asyncio.create_task(follow, name="web.following"),
            asyncio.create_task(tile_figures.keep_up(parts), name="web.figures"),
        ]
        try:
            yield parts
        finally:
            await cancelled(tasks)


async def _configured(door: Path, wish: Wish) -> Outcome:
    match wish:
        case Draft():
            return await client.apply(door, wish)
        case Restore():
            return await client.restore(door, wish.number, by=wish.by, why=wish.why)
        case Reload():
            return await client.reload(door, by=wish.by, why=wish.why)


def address(site: Site) -> Address:
    """Return where to listen; certificates are looked for as secrets are."""
    settings = site.gateway.web
    return Address(
        settings.host,
        settings.port,
        translate.file(site, settings.cert_file),
        translate.file(site, settings.key_file),
    )


def _names(site: Site) -> frozenset[str]:
    """Return the names this machine is called by."""
    settings = site.gateway.web
    if not settings.is_open:
        return frozenset(settings.names)
    own = socket.gethostname().lower()
    return frozenset({*settings.names, own, f"{own}.local"})


async def _let_in(parts: Context, visitors: Visitors) -> None:
    """Make a user of each role, all with the demo's password, and open the demo's link."""
    stored, at = await login.hashed(parts, visitors.password), parts.now()

    def create(connection: Connection) -> None:
        for role in Role:
            if users.find(connection, role.value) is None:
                users.add(connection, role.value, role, stored, at)
            else:
                users.set_password(connection, role.value, stored, must_change=False)

    await parts.store.run(create)
    parts.entry = DemoEntry(visitors.code, Role.ADMIN.value)


def _ask_for_set_up(code: str) -> None:
    sys.stdout.write(
        f"初始化代码 / set-up code: {code}\n"
        "用它创建第一个管理员 / create the first administrator with it, in the browser\n"
    )
    sys.stdout.flush()
