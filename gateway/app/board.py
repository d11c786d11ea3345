"""The board, reading the journal from beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.journal.reader import JournalReader
from gateway.settings.site import Site
from gateway.web.app import create_app
from gateway.web.journal_source import JournalBoardSource
from gateway.web.server import BoardServer, serve


@asynccontextmanager
async def board(site: Site) -> AsyncIterator[BoardServer]:
    """Serve the site's board; raises OSError for a taken port."""
    reader = JournalReader(site.path(site.gateway.journal.path))
    try:
        source = JournalBoardSource.of(site, reader)
        web = site.gateway.web
        async with await serve(create_app(source), web.host, web.port) as server:
            yield server
    finally:
        reader.close()
