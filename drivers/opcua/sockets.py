"""Opens and closes a client's socket and channel, where the library loses track of them."""

import asyncio
from contextlib import suppress
from typing import Any

from asyncua import Client

from drivers.opcua.errors import ERROR_MAP

_GOODBYE_S = 2.0


async def connect_socket(client: Client) -> None:
    """Connect; a cancellation is never lost. Raises what the library raises."""
    task = asyncio.current_task()
    asked = task.cancelling() if task else 0
    await client.connect_socket()
    # The library connects under `asyncio.wait_for`, and before Python 3.12 that one forgets
    # a cancellation which comes together with the connection.
    if task and task.cancelling() > asked:
        raise asyncio.CancelledError


async def open_channel(client: Client) -> None:
    """Open the secure channel. Raises what the library raises, and what the server answered.

    A server may refuse with a ServiceFault in place of the response. The library takes that
    for a response, fails on what is missing in it, and the answer is lost.
    """
    protocol = client.uaclient.protocol
    answers: list[Any] = []
    hand_over = protocol._call_callback  # noqa: SLF001

    def keep(number: int, body: Any) -> None:
        answers.append(body.copy())
        hand_over(number, body)

    protocol._call_callback = keep  # noqa: SLF001
    try:
        await client.open_secure_channel()
    except AssertionError:
        for answer in answers:
            protocol.check_answer(answer, "")
        raise
    finally:
        del protocol._call_callback  # noqa: SLF001  it hides the method of that name


async def disconnect(client: Client, *, session: bool, say_goodbye: bool) -> None:
    """Release the socket; ``session``: there may be one to close. Raises cancellation only."""
    protocol = client.uaclient.protocol
    if protocol is None:
        return
    try:
        if say_goodbye and not protocol.is_closed:
            with suppress(*ERROR_MAP):
                async with asyncio.timeout(_GOODBYE_S):
                    if session:
                        await client.close_session()
                    await client.close_secure_channel()
    finally:
        client.disconnect_socket()
        # Closing would wait until a dead link has taken what is still to be sent.
        if protocol.transport is not None:
            protocol.transport.abort()
