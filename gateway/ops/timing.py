"""Time and chance as whoever sends takes them: parameters, so that tests hold them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.ops.backoff import Uniform
from gateway.ops.clock import SYSTEM_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Timing:
    """A clock, a way to wait and a source of chance."""

    clock: Clock = SYSTEM_CLOCK
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Uniform = random.uniform
