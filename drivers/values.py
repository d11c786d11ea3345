"""What may be a value: what JSON readers and every store can hold."""

import math


def is_sound(value: float | str) -> bool:
    """Say whether `drivers.contract.Value` may be this: finite, 64 bits at most, or a text."""
    if isinstance(value, str):
        return is_text(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    return math.isfinite(value)


def is_text(text: str) -> bool:
    """Say whether it can be written as UTF-8: halves of surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
