"""Parts between two readings of a counter.

    no previous reading        baseline, nothing booked
    0 <= step <= cap           booked
    wrapped step <= cap        rollover, the wrapped step is booked

What is left is doubtful and not believed until it stands for ``confirm_reads`` reads:

    step > cap                 a gap if nobody could see it happen, and it is booked;
                               otherwise a jump, and it is refused
    small value after a fall   reset, what it shows is booked (a lower bound)
    any other fall             preset, nothing booked
    more than a lap possible   rollover_ambiguous, the least that was made is booked: the
                               step, or after a fall what it shows; the rest is refused

- Nothing negative is ever booked and nothing invented: what may have been made and is not
  booked stands in ``refused``.
- ``cap`` is the most the machine can make in the time since the last reading that was
  believed, half as much again for late replies, and what may come at one stroke.
- Figures are whole steps of the counter's resolution, below 2^53. A factor that is no
  whole number loses nothing: the fraction is carried to the next part.
- A reading that no such counter can show (a text, a negative number without a modulus, a
  number beyond the modulus) is no reading: the counter is unread until it shows one.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from math import ceil

from drivers.contract import Value
from gateway.domain.events import Count
from gateway.domain.rules import CounterRule
from gateway.domain.state import CounterState, Moment, Pending
from gateway.domain.vocabulary import Anomaly, Order

LATE_REPLY_MARGIN = 1.5
LARGEST_STROKE = 64
"""What comes at one stroke is at most this part of the modulus: more would make a reset
look like a rollover."""
MAX_TOTAL = 2**53 - 1
_BEYOND_64_BITS = 2.0**64
CYCLE_TIME_MAX_STEPS = 3
"""Above that the time per piece is an average over pieces nobody saw."""
READS_BEFORE_GIVING_UP = 4
"""Doubtful readings beyond ``confirm_reads`` that do not agree with each other."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One good reading of a counter, and what is known around it."""

    shown: float
    """As the device gave it; the other figures are whole steps."""
    raw: int
    now: Moment
    since: Moment
    """The last reading that was believed."""
    blind: bool = False
    """Readings were interrupted in between."""
    counting: bool = True
    """Whether parts made now are production; otherwise they are refused."""
    cycle_time_ms: int | None = None
    """As the machine itself measured it."""
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """What one reading is worth, in raw steps."""

    steps: int
    anomaly: Anomaly
    refused: int = 0


def raw_steps(value: Value, rule: CounterRule) -> int | None:
    """Return a reading as whole steps, None if it cannot be a counter's."""
    if isinstance(value, bool | str) or not abs(value) < _BEYOND_64_BITS:  # nor is NaN
        return None
    steps = round(value / rule.resolution) if rule.resolution != 1 else round(value)
    modulus = rule.modulus
    if modulus is None:
        return steps if 0 <= steps <= MAX_TOTAL else None
    if steps < 0:  # a signed register shows the upper half as negative
        signed = modulus & (modulus - 1) == 0 and steps >= -modulus // 2
        return steps + modulus if signed else None
    return steps if steps < modulus else None


def read(
    held: CounterState | None, seen: Reading, rule: CounterRule
) -> tuple[CounterState, Count | None]:
    """Return the counter after one good reading, and the event if there is one."""
    if held is None or held.identity != rule.identity:
        return _baseline(held, seen, rule)
    if seen.raw == held.raw:
        return _believed(held), None
    booking = _judge(held, seen, rule)
    if isinstance(booking, Pending):
        return replace(held, pending=booking), None
    if not seen.counting:
        withheld = held.withheld + booking.steps + booking.refused
        after = replace(_believed(held), raw=seen.raw, withheld=withheld, part_at=None)
        return after, None
    return _book(held, seen, booking, rule)


def restate(held: CounterState, name: str, at: datetime, order: Order | None) -> Count:
    """Return the event that opens a series: where the counter stands, nothing booked."""
    return Count(
        at=at,
        counter=name,
        kind=held.kind,
        delta=0,
        total=held.total,
        raw=held.raw,
        unit=held.unit,
        anomaly="baseline",
        origin=held.origin,
        order=order,
    )


def _believed(held: CounterState) -> CounterState:
    """Nothing is doubtful any more; the same object if nothing was."""
    if held.pending is None and held.dark_since is None and not held.unusable:
        return held
    part_at = None if held.dark_since is not None else held.part_at
    return replace(held, pending=None, dark_since=None, unusable=False, part_at=part_at)


def _baseline(
    held: CounterState | None, seen: Reading, rule: CounterRule
) -> tuple[CounterState, Count]:
    total = 0 if held is None else held.total
    after = CounterState(rule.identity, seen.raw, seen.now, total, rule.kind, rule.unit)
    return after, replace(restate(after, rule.name, seen.now.at, seen.order), raw=seen.shown)


def _book(
    held: CounterState, seen: Reading, booking: Booking, rule: CounterRule
) -> tuple[CounterState, Count]:
    ratio = _ratio(rule.factor)
    units, carry = divmod(held.carry + booking.steps * ratio.numerator, ratio.denominator)
    delta = min(units, MAX_TOTAL - held.total)
    after = replace(
        _believed(held),
        raw=seen.raw,
        booked=seen.now,
        total=held.total + delta,
        carry=carry,
        withheld=0,
        part_at=seen.now if booking.anomaly in {"none", "rollover"} else None,
    )
    event = Count(
        at=seen.now.at,
        counter=rule.name,
        kind=rule.kind,
        delta=delta,
        total=after.total,
        raw=seen.shown,
        unit=rule.unit,
        anomaly=booking.anomaly,
        refused=units - delta + int((booking.refused + held.withheld) * ratio),
        window_from=seen.since.at,
        cycle_time_ms=_cycle_time_ms(held, seen, booking, rule),
        order=seen.order,
    )
    return after, event


def _cap(rule: CounterRule, elapsed_s: float) -> int | None:
    if rule.max_rate_per_s is None:
        return None
    stroke = ceil(rule.max_rate_per_s)
    if rule.modulus is not None:
        stroke = max(1, min(stroke, rule.modulus // LARGEST_STROKE))
    return ceil(rule.max_rate_per_s * elapsed_s * LATE_REPLY_MARGIN) + stroke


def _judge(held: CounterState, seen: Reading, rule: CounterRule) -> Booking | Pending:
    """Return what the reading is worth, or what must be seen again."""
    step = seen.raw - held.raw
    cap = _cap(rule, seen.since.seconds_until(seen.now))
    waiting = _doubt(held, seen, rule)
    if rule.modulus is None or cap is None or cap < rule.modulus:
        stands = waiting.reads > 1 and held.pending is not None and held.pending.raw > held.raw
        if step > 0 and (cap is None or step <= cap) and not stands:
            return Booking(step, "none")  # else time alone would make it plausible
        if step < 0 and _wraps(step, rule, cap):
            return Booking(step % (rule.modulus or 1), "rollover")
    if waiting.reads >= rule.confirm_reads:
        return _settle(held, seen, rule, cap)
    if waiting.tries >= rule.confirm_reads + READS_BEFORE_GIVING_UP:
        return Booking(0, "jump", step) if step > 0 else Booking(0, "preset")
    return waiting


def _wraps(step: int, rule: CounterRule, cap: int | None) -> bool:
    return rule.modulus is not None and cap is not None and step % rule.modulus <= cap


def _doubt(held: CounterState, seen: Reading, rule: CounterRule) -> Pending:
    """Count how often this was read in a row, and how often anything doubtful was."""
    waiting = held.pending
    if waiting is None:
        return Pending(seen.raw, seen.now, 1, seen.since, 1)
    cap = _cap(rule, waiting.read.seconds_until(seen.now))
    step = seen.raw - waiting.raw
    step = step if rule.modulus is None else step % rule.modulus
    agrees = step >= 0 and (cap is None or step <= cap)
    reads = waiting.reads + 1 if agrees else 1
    return Pending(seen.raw, seen.now, reads, waiting.since, waiting.tries + 1)


def _settle(held: CounterState, seen: Reading, rule: CounterRule, cap: int | None) -> Booking:
    step, raw = seen.raw - held.raw, seen.raw
    if rule.modulus is not None and cap is not None and cap >= rule.modulus:
        least = step if step > 0 else 0 if rule.on_decrease == "rebaseline" else raw
        return Booking(least, "rollover_ambiguous", step % rule.modulus - least)
    if step > 0:
        return Booking(step, "gap") if seen.blind else Booking(0, "jump", step)
    small = cap is not None and raw <= cap
    if rule.on_decrease == "reset_from_zero" or (rule.on_decrease == "auto" and small):
        return Booking(raw, "reset")
    return Booking(0, "preset")


def _cycle_time_ms(
    held: CounterState, seen: Reading, booking: Booking, rule: CounterRule
) -> int | None:
    """Return the time per stroke of the machine; None where nobody could measure it."""
    if rule.kind == "energy" or booking.anomaly not in {"none", "rollover"}:
        return None
    if rule.cycle_time_tag is not None:
        return seen.cycle_time_ms
    begun = held.part_at
    if begun is None or held.dark_since is not None or booking.steps > CYCLE_TIME_MAX_STEPS:
        return None
    return round(begun.seconds_until(seen.now) * 1000 / booking.steps)


@lru_cache(maxsize=1024)
def _ratio(factor: float) -> Fraction:
    """Return published steps for each raw step, as people wrote it: 0.1 is a tenth."""
    return Fraction(str(factor)).limit_denominator(1_000_000)
