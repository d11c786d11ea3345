"""What this process is asked to do by a signal: heard from its first moment on.

A signal that comes while code is loaded or files are checked is kept, and obeyed as soon as
there is somebody who can.
"""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

TO_END = ("SIGINT", "SIGTERM")
TO_RELOAD = ("SIGHUP",)


class Signals:
    """One wish, by any of the signals that mean it."""

    def __init__(self, *names: str) -> None:
        """Listen from now on, in the main thread; names this system does not know mean nothing."""
        self.came = False
        self._numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        for number in self._numbers:
            signal.signal(number, self._keep)

    def obey(self, loop: asyncio.AbstractEventLoop, act: Callable[[], object]) -> None:
        """Call ``act`` on ``loop`` whenever one comes; soon if one came already."""

        def hear() -> None:
            self.came = True
            act()

        for number in self._numbers:
            loop.add_signal_handler(number, hear)
        if self.came:
            loop.call_soon(act)

    def _keep(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.came = True
