"""Opens and closes one session through asyncua; `drivers.opcua.connection` uses it.

Promises:

- A connection is opened anew each time and never mends itself; whoever holds it opens
  another. It has no task of its own.
- The socket is released on exit, also after a cancellation in the middle of opening.
- The library's own publish loop, which acknowledges what nobody has stored yet, does not
  run.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from asyncua import Client
from asyncua.client.ua_session import UaSession

from drivers.contract import BadReply, Unreachable
from drivers.opcua.connection import Connection
from drivers.opcua.errors import as_driver_errors
from drivers.opcua.secure import log_in, prepare
from drivers.opcua.settings import LinkSettings
from drivers.opcua.sockets import connect_socket, disconnect, open_channel
from drivers.opcua.turned_away import turned_away
from drivers.opcua.wire import session_lifetime_s


class _Session(UaSession):  # type: ignore[misc]
    """A session that sends no publish requests of its own."""

    def ensure_publish_loop(self) -> None:
        """Nothing: `Connection.publish` sends them."""


@asynccontextmanager
async def connect(
    link: LinkSettings, *, now: Callable[[], datetime], monotonic: Callable[[], float]
) -> AsyncIterator[Connection]:
    """Open a session; close it on exit. Raises DriverError."""
    client = Client(link.endpoint, timeout=link.timeout_s)
    client.name = client.description = "millgate"
    client.session_timeout = int(session_lifetime_s(link) * 1000)
    client.uaclient.session = _Session(client.uaclient)
    heard = True
    try:
        with as_driver_errors(link.endpoint), turned_away(link) as us:
            own = await prepare(client, link, now)
            us.expired = own if own is not None and own.ends < now() else None
            await connect_socket(client)
            await client.send_hello()
            await open_channel(client)
            await client.create_session()
            await log_in(client, link)
        connection = Connection(client, link, now, monotonic)
        await connection.prepare()
        yield connection
    except (Unreachable, BadReply):
        heard = False
        raise
    finally:
        await disconnect(client, session=True, say_goodbye=heard)
