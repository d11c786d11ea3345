"""Opens and closes one session through asyncua; `drivers.opcua.connection` uses it.

Promises:

- A connection is opened anew each time and never mends itself; whoever holds it opens
  another. It has no task of its own.
- The socket is released on exit, also after a cancellation in the middle of opening.
- The library's own publish loop, which acknowledges what nobody has stored yet, does not
  run.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from asyncua import Client
from asyncua.client.ua_session import UaSession

from drivers.contract import BadReply, Unreachable
from drivers.opcua.connection import Connection, session_lifetime_s
from drivers.opcua.errors import ERROR_MAP, as_driver_errors
from drivers.opcua.settings import LinkSettings

_GOODBYE_S = 2.0


class _Session(UaSession):  # type: ignore[misc]
    """A session that sends no publish requests of its own."""

    def ensure_publish_loop(self) -> None:
        """Nothing: `Connection.publish` sends them."""


@asynccontextmanager
async def connect(
    link: LinkSettings, *, now: Callable[[], datetime], monotonic: Callable[[], float]
) -> AsyncIterator[Connection]:
    """Open a session with a subscription; close both on exit. Raises DriverError."""
    client = Client(link.endpoint, timeout=link.timeout_s)
    client.name = client.description = "millgate"
    client.application_uri = "urn:millgate:gateway"
    client.session_timeout = int(session_lifetime_s(link) * 1000)
    client.uaclient.session = _Session(client.uaclient)
    heard = True
    try:
        with as_driver_errors(link.endpoint):
            await _connect_socket(client)
            await client.send_hello()
            await client.open_secure_channel()
            await client.create_session()
            await client.activate_session()
        connection = Connection(client, link, now, monotonic)
        await connection.prepare()
        yield connection
    except (Unreachable, BadReply):
        heard = False
        raise
    finally:
        await _disconnect(client, say_goodbye=heard)


async def _connect_socket(client: Client) -> None:
    task = asyncio.current_task()
    asked = task.cancelling() if task else 0
    await client.connect_socket()
    # The library connects under `asyncio.wait_for`, and before Python 3.12 that one forgets
    # a cancellation which comes together with the connection.
    if task and task.cancelling() > asked:
        raise asyncio.CancelledError


async def _disconnect(client: Client, *, say_goodbye: bool) -> None:
    protocol = client.uaclient.protocol
    if protocol is None:
        return
    try:
        if say_goodbye and not protocol.is_closed:
            with suppress(*ERROR_MAP):
                async with asyncio.timeout(_GOODBYE_S):
                    await client.close_session()
                    await client.close_secure_channel()
    finally:
        client.disconnect_socket()
        # Closing would wait until a dead link has taken what is still to be sent.
        if protocol.transport is not None:
            protocol.transport.abort()
