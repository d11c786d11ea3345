"""How long to wait before the next try."""

from collections.abc import Callable, Iterator

MAX_DELAY_S = 60.0

Uniform = Callable[[float, float], float]
"""A source of chance: random.uniform, or what a test says."""


def delays(
    uniform: Uniform,
    *,
    first_s: float = 1.0,
    max_s: float = MAX_DELAY_S,
) -> Iterator[float]:
    """Yield full-jitter delays whose ceiling doubles from ``first_s`` to ``max_s``.

    Make a new one to start over.
    """
    ceiling = first_s
    while True:
        yield uniform(0.0, ceiling)
        ceiling = min(ceiling * 2, max_s)
