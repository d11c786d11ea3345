"""Random secrets and what is kept of them: a hash, so that a stolen file opens nothing."""

import secrets
from hashlib import sha256

BITS = 256
TOKEN_PREFIX = "mgt_"  # noqa: S105 - what all tokens begin with, so that scanners find a leaked one
_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that looks like something else
_CODE_LENGTH = 16
_PASSWORD_LENGTH = 14
_DIGITS = 6


def new_secret() -> str:
    """Return 256 random bits as text that fits a cookie."""
    return secrets.token_urlsafe(BITS // 8)


def new_token() -> str:
    """Return the secret of an API token."""
    return TOKEN_PREFIX + new_secret()


def new_code() -> str:
    """Return a code that a person reads off a terminal: 80 bits, in groups."""
    letters = "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))
    return "-".join(letters[at : at + 4] for at in range(0, _CODE_LENGTH, 4))


def new_digits() -> str:
    """Return a code that a person reads off a television: good once, and for a short time."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"


def new_password() -> str:
    """Return a password to be used once and then changed."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(_PASSWORD_LENGTH)).lower()


def digest(secret: str) -> bytes:
    """Return what is kept of a secret of full length; no salt is needed, it cannot be guessed."""
    return sha256(secret.encode()).digest()


def same(one: str, other: str) -> bool:
    """Compare in a time that says nothing."""
    return secrets.compare_digest(one.encode(), other.encode())
