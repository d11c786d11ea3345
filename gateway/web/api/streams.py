"""The answer to whoever looks at the live stream: it takes a place and gives it back."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.web import tile_figures
from gateway.web.api.asked import wrong
from gateway.web.context import Context
from gateway.web.problems import Problem
from gateway.web.seats import Seats
from gateway.web.streams import TOPICS

Topics = Annotated[str, Query(description="`tiles`, `faults` or both", examples=["tiles,faults"])]


class _Seated(StreamingResponse):
    """Gives its place back when it is over, however it ends."""

    def __init__(self, seats: Seats, name: str, messages: AsyncIterator[bytes]) -> None:
        super().__init__(
            messages,
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._seats, self._name = seats, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._seats.leave(self._name)


def wanted(topics: str) -> frozenset[str]:
    """Return the topics that somebody names. Raises Problem."""
    named = frozenset(topics.split(","))
    if not named or not named <= TOPICS:
        known = ", ".join(sorted(TOPICS))
        raise wrong("topics", "unknown", {"zh": f"只能是 {known}", "en": f"only {known}"})
    return named


def seated(
    web: Context, name: str, messages: AsyncIterator[bytes], most: int | None = None
) -> StreamingResponse:
    """Answer with ``messages``, if a place is free, and one of the ``most`` of this name.

    Raises Problem.
    """
    tile_figures.forget_what_is_old(web)
    if not web.streams.seats.take(name, most):
        raise Problem("busy", headers={"Retry-After": "10"})
    return _Seated(web.streams.seats, name, messages)
