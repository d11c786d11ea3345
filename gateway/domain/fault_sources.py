"""What the sources of faults show: bits, a code, or alarms that the device keeps itself.

- A value that cannot be read says nothing: neither that a fault is there nor that it is not.
- A condition has the same number wherever and whenever it is active: it is made of the
  device's own id for it. What it says of itself is its row of the dictionary. It stops the
  machine if it is at least as severe as the rule says; where the rule says nothing, none does.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from drivers.contract import Condition, Value, conditions_of
from gateway.domain.events import FaultText
from gateway.domain.rules import FaultRule

MAX_BITS = 64
WORD_BITS = 16
_NUMBER_BYTES = 6
"""A number of 48 bits is exact in JSON; two of a million conditions share one by 1 in 500."""


def seen(source: FaultRule, value: Value | None) -> tuple[FaultRule, frozenset[int]] | None:
    """Return the rule and what it shows; None if that cannot be told."""
    if value is None:
        return None
    if source.kind == "conditions":
        rule = _explained(source, value)
        return None if rule is None else (rule, frozenset(rule.texts))
    shown = numbers(value, source)
    return None if shown is None else (source, shown)


def numbers(value: Value, rule: FaultRule) -> frozenset[int] | None:
    """Return the bit numbers or the code that a source shows; None if it is no such number.

    A negative word is taken as two's complement of as many 16-bit words as it and the
    dictionary need: the sign of a 16-bit word is its bit 15 and no other.
    """
    if isinstance(value, str) or (isinstance(value, float) and not value.is_integer()):
        return None
    number = int(value)
    if not -(1 << MAX_BITS) < number < 1 << MAX_BITS:
        return None
    if rule.kind == "code":
        return frozenset((number,)) if number else frozenset()
    if number < 0:
        needed = max((~number).bit_length(), *rule.texts, 0) + 1
        number &= (1 << -(-needed // WORD_BITS) * WORD_BITS) - 1
    if rule.inverted:
        return frozenset(bit for bit in rule.texts if not number >> bit & 1)
    return frozenset(bit for bit in range(MAX_BITS) if number >> bit & 1)


def _explained(rule: FaultRule, value: Value) -> FaultRule | None:
    """Return the rule with exactly the conditions in ``value`` as its texts.

    None if it is no list of conditions, which says nothing.
    """
    texts = _texts(value, rule.stops_from) if isinstance(value, str) else None
    return None if texts is None else replace(rule, texts=texts)


@lru_cache(maxsize=64)
def _texts(value: str, stops_from: int | None) -> Mapping[int, FaultText] | None:
    """Return the conditions of a list by number; it is looked at more often than it changes."""
    active = conditions_of(value)
    return None if active is None else {number_of(one): _text(one, stops_from) for one in active}


def number_of(condition: Condition) -> int:
    """Return the number of a condition, never 0."""
    digest = sha256(condition.id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:_NUMBER_BYTES]) or 1


def _text(condition: Condition, stops_from: int | None) -> FaultText:
    return FaultText(
        code=condition.code,
        text={condition.language: condition.text} if condition.text else {},
        severity=condition.severity,
        stops_machine=stops_from is not None and condition.severity >= stops_from,
    )
