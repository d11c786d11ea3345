"""How fast a backlog may leave."""

from gateway.ops.timing import Timing

__all__ = ["Pace", "Timing"]


class Pace:
    """Lets at most ``rate_per_s`` steps pass, in small bursts."""

    _BURST_S = 0.02  # shorter sleeps cost more than they smooth

    def __init__(self, rate_per_s: float, timing: Timing) -> None:
        self._step_s = 1.0 / rate_per_s
        self._timing = timing
        self._due_s = 0.0

    async def step(self) -> None:
        """Return when the next step may be taken."""
        now_s = self._timing.clock.mono_s()
        self._due_s = max(self._due_s, now_s - self._BURST_S) + self._step_s
        if self._due_s > now_s + self._BURST_S:
            await self._timing.sleep(self._due_s - now_s)
