"""One endpoint over HTTP: the only module that knows the library.

- Redirects are not followed, no proxy of the environment is used.
- The whole of a request has one limit, however slowly the answer drips.
- An answer counts once its status was read: a body cut off after that changes nothing.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import httpx

from gateway.push.answer import Answer, Unanswered

MAX_ANSWER_BYTES = 2048


class Post(Protocol):
    """Sends one body; a fake of it is a list."""

    async def __call__(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return what was answered; raises Unanswered."""
        ...


@asynccontextmanager
async def endpoint(url: str, *, ca_file: Path | None, timeout_s: float) -> AsyncIterator[Post]:
    """Keep a connection to ``url``, as far as it likes to be kept. Raises OSError."""
    context = await asyncio.to_thread(_context, ca_file)
    async with httpx.AsyncClient(
        verify=context, timeout=timeout_s, trust_env=False, follow_redirects=False
    ) as client:

        async def post(body: bytes, headers: Mapping[str, str]) -> Answer:
            try:
                async with (
                    asyncio.timeout(timeout_s),
                    client.stream("POST", url, content=body, headers=dict(headers)) as response,
                ):
                    text = await _beginning(response)
            except (httpx.HTTPError, ssl.SSLError, TimeoutError) as err:
                raise Unanswered(str(err) or type(err).__name__) from err
            return Answer(response.status_code, response.headers.get("retry-after"), text)

        yield post


async def _beginning(response: httpx.Response) -> str:
    said = b""
    try:
        async for chunk in response.aiter_bytes():
            said += chunk
            if len(said) >= MAX_ANSWER_BYTES:
                break
    except httpx.HTTPError:
        pass  # the status is the answer
    return said[:MAX_ANSWER_BYTES].decode("utf-8", "replace")


def _context(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
