"""Devices that run in a thread of their own, for commands that bring their own loop."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def served(make: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """Run what ``make`` gives on a loop in a thread; end both on exit.

    What is given may be looked at and changed from outside; nothing of it may be awaited.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = AsyncExitStack()
    try:
        yield asyncio.run_coroutine_threadsafe(stack.enter_async_context(make()), loop).result(20)
    finally:
        asyncio.run_coroutine_threadsafe(_ended(stack), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(stack: AsyncExitStack) -> None:
    await stack.aclose()
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0.05)  # transports that were aborted are closed in the loop's next turns
