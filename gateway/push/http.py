"""One endpoint over HTTP: the only module that knows the library.

- Redirects are not followed, no proxy of the environment is used.
- The whole of a request has one limit, however slowly the answer drips.
- An answer counts once its status was read: a body that is cut off or drips after that changes
  nothing.
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
            until_s = asyncio.get_running_loop().time() + timeout_s
            request = client.build_request("POST", url, content=body, headers=dict(headers))
            try:
                async with asyncio.timeout_at(until_s):
                    response = await client.send(request, stream=True)
            except (httpx.HTTPError, ssl.SSLError, TimeoutError) as err:
                raise Unanswered(str(err) or type(err).__name__) from err
            try:
                text = await _beginning(response, until_s)
            finally:
                await response.aclose()
            return Answer(response.status_code, response.headers.get("retry-after"), text)

        yield post


async def _beginning(response: httpx.Response, until_s: float) -> str:
    said = b""
    try:
        async with asyncio.timeout_at(until_s):
            async for chunk in response.aiter_bytes():
                said += chunk
                if len(said) >= MAX_ANSWER_BYTES:
                    break
    except (httpx.HTTPError, ssl.SSLError, TimeoutError):
        pass  # the status is the answer
    return said[:MAX_ANSWER_BYTES].decode("utf-8", "replace")


def _context(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
