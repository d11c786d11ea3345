"""Reading JSON that somebody else wrote: the value of the right type, or WireError."""

import re
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TypeVar

import orjson

from gateway.domain.vocabulary import Json
from gateway.wire.error import WireError

T = TypeVar("T")

MAX_TEXT = 1024
_SECOND = slice(17, 19)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def json_object(payload: bytes) -> Json:
    """Return the JSON object in ``payload``."""
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError as err:
        raise WireError(f"not JSON: {err}") from err
    if not isinstance(message, dict):
        raise WireError("not a JSON object")
    return message


def typed(message: Json, key: str, kind: type[T]) -> T:
    """Return a value of exactly this type: true is no int."""
    value = message.get(key)
    if type(value) is not kind:
        raise WireError(f"{key} is not a JSON {kind.__name__}")
    return value


def text(message: Json, key: str) -> str:
    """Return a text that is neither empty nor endless, and that every store can hold."""
    value = typed(message, key, str)
    if not 0 < len(value) <= MAX_TEXT:
        raise WireError(f"{key} is empty or longer than {MAX_TEXT} characters")
    if "\0" in value:
        raise WireError(f"{key} holds a NUL")
    return value


def text_or_none(message: Json, key: str) -> str | None:
    """Return a text; None if it is null or absent."""
    return None if message.get(key) is None else text(message, key)


def positive(message: Json, key: str) -> int:
    """Return an integer from 1."""
    value = typed(message, key, int)
    if value < 1:
        raise WireError(f"{key} is not positive")
    return value


def amount_or_none(message: Json, key: str) -> float | None:
    """Return a finite number from 0; None if it is null or absent."""
    value = message.get(key)
    if value is None:
        return None
    if type(value) not in {int, float} or not isfinite(value) or value < 0:
        raise WireError(f"{key} is not a number from 0")
    return float(value)


def matched(pattern: re.Pattern[str], message: Json, key: str) -> re.Match[str]:
    """Return the match of a whole text."""
    match = pattern.fullmatch(text(message, key))
    if match is None:
        raise WireError(f"{key} is not of this contract")
    return match


def time(message: Json, key: str) -> datetime:
    """Return an RFC 3339 time as aware UTC; a leap second is the one after it, as in POSIX."""
    value = text(message, key)
    if _TIME.fullmatch(value) is None:
        raise WireError(f"{key} is not an RFC 3339 time")
    is_leap = value[_SECOND] == "60"
    if is_leap:
        value = value[: _SECOND.start] + "59" + value[_SECOND.stop :]
    try:
        at = datetime.fromisoformat(value).astimezone(UTC)
        after = at + timedelta(seconds=is_leap)
    except (ValueError, OverflowError) as err:
        raise WireError(f"{key}: {err}") from err
    if is_leap and (at.hour, at.minute) != (23, 59):
        raise WireError(f"{key}: no leap second is at that time")
    return after


def time_or_none(message: Json, key: str) -> datetime | None:
    """Return an RFC 3339 time as aware UTC; None if it is null or absent."""
    return None if message.get(key) is None else time(message, key)
