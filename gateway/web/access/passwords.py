"""Passwords: argon2id, at the cost OWASP names for small machines (19 MiB, two passes).

Hashing takes tens of milliseconds of CPU; callers do it in a thread, a few at a time.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 200
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hashed(password: str) -> str:
    """Return what is stored."""
    return _hasher.hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether ``password`` is the one that was stored."""
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def nobody() -> str:
    """Return what to check where there is no such user, so that the answer takes as long."""
    return hashed("nobody has this password")
