"""Names of epochs: ``<UTC seconds in base 36>-<4 random>``, so that they can be ordered."""

from collections.abc import Callable
from datetime import datetime

MAX_STREAMSEQ = 2**31 - 1
"""CloudEvents 1.0: an integer attribute fits 32 bits, signed."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SECONDS_WIDTH = 6
_RANDOM_WIDTH = 4


def draw_epoch(at: datetime, randbelow: Callable[[int], int], *, after: str | None = None) -> str:
    """Return a new epoch name that sorts after ``after``, also if the clock went back."""
    seconds = max(0, int(at.timestamp()))
    if after is not None:
        seconds = max(seconds, int(after.partition("-")[0], 36) + 1)
    return (
        f"{base36(seconds, _SECONDS_WIDTH)}-{base36(randbelow(36**_RANDOM_WIDTH), _RANDOM_WIDTH)}"
    )


def base36(number: int, width: int) -> str:
    """Return ``number`` in base 36, at least ``width`` digits long."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, "0")
