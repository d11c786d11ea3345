"""Parts between two readings of a counter.

    no previous reading        baseline, nothing booked
    0 <= step <= cap           booked
    step > cap                 not believed until it stands for ``confirm_reads`` reads;
                               then taken as a gap if nobody could see it happen,
                               otherwise refused as a jump
    wrapped step <= cap        rollover, the wrapped step is booked
    more than a lap possible   rollover_ambiguous, the one lap that is certain is booked
    small value after a fall   reset, what it shows is booked (a lower bound)
    any other fall             preset, nothing booked

``cap`` is the most the machine can make in the time since the last reading, with half
as much again for late replies. Nothing negative is ever booked.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from drivers.contract import Value
from gateway.domain.events import Anomaly, Count, Order
from gateway.domain.rules import CounterRule
from gateway.domain.state import CounterState, Moment, Pending

LATE_REPLY_MARGIN = 1.5
MAX_TOTAL = 2**53
CYCLE_TIME_MAX_STEPS = 3
"""Above that the time per piece is an average over pieces nobody saw."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What one reading is worth, in raw steps."""

    steps: int
    anomaly: Anomaly
    refused: int = 0


def raw_steps(value: Value, rule: CounterRule) -> int | None:
    """Return a reading as whole steps, None if it cannot be a counter's."""
    if isinstance(value, bool | str):
        return None
    steps = round(value / rule.resolution) if rule.resolution != 1 else round(value)
    if rule.modulus is not None:
        return steps % rule.modulus  # a signed register shows the upper half as negative
    return steps if steps >= 0 else None


def count(
    held: CounterState | None,
    value: Value,
    rule: CounterRule,
    *,
    now: Moment,
    last_read: Moment,
    blind: bool,
    order: Order | None,
) -> tuple[CounterState | None, Count | None]:
    """Return the counter after one good reading, and the event if there is one.

    ``last_read`` is the reading before this one; ``blind`` says that readings were
    interrupted in between.
    """
    raw = raw_steps(value, rule)
    if raw is None:
        return held, None
    if held is None or held.identity != rule.identity:
        return _baseline(held, raw, value, rule, now, order)
    cap = _cap(rule, last_read.seconds_until(now))
    booking, pending = _judge(held, raw, rule, cap, now=now, blind=blind)
    if booking is None:
        return (held if pending == held.pending else replace(held, pending=pending)), None
    total = held.total + round(booking.steps * rule.factor)
    after = replace(held, raw=raw, booked=now, total=min(total, MAX_TOTAL), pending=None)
    return after, _event(held, after, booking, value, rule, order, last_read)


def baseline(held: CounterState, rule: CounterRule, at: datetime, order: Order | None) -> Count:
    """Return the event that opens a series: where the counter stands, nothing booked."""
    return Count(
        at=at,
        counter=rule.name,
        kind=rule.kind,
        delta=0,
        total=held.total,
        raw=held.raw,
        unit=rule.unit,
        anomaly="baseline",
        order=order,
    )


def _baseline(
    held: CounterState | None,
    raw: int,
    value: Value,
    rule: CounterRule,
    now: Moment,
    order: Order | None,
) -> tuple[CounterState, Count]:
    total = 0 if held is None else held.total
    after = CounterState(rule.identity, raw, now, total, rule.kind, rule.unit)
    return after, _event(held, after, Booking(0, "baseline"), value, rule, order, None)


def _cap(rule: CounterRule, elapsed_s: float) -> int | None:
    if rule.max_rate_per_s is None:
        return None
    return ceil(rule.max_rate_per_s * elapsed_s * LATE_REPLY_MARGIN) + 1


def _judge(
    held: CounterState, raw: int, rule: CounterRule, cap: int | None, *, now: Moment, blind: bool
) -> tuple[Booking | None, Pending | None]:
    """Return the booking, or None and what must be seen again."""
    step = raw - held.raw
    if step == 0:
        return None, None
    if rule.modulus is not None and cap is not None and cap >= rule.modulus:
        return Booking(step % rule.modulus, "rollover_ambiguous"), None
    if step < 0:
        return _fall(held, raw, rule, cap), None
    if cap is None or step <= cap:
        return Booking(step, "none"), None
    return _confirm(held, raw, step, rule, now=now, blind=blind)


def _fall(held: CounterState, raw: int, rule: CounterRule, cap: int | None) -> Booking:
    if rule.modulus is not None and cap is not None:
        wrapped = (raw - held.raw) % rule.modulus
        if wrapped <= cap:
            return Booking(wrapped, "rollover")
    if rule.on_decrease == "reset_from_zero":
        return Booking(raw, "reset")
    if rule.on_decrease == "auto" and cap is not None and raw <= cap:
        return Booking(raw, "reset")
    return Booking(0, "preset")


def _confirm(
    held: CounterState, raw: int, step: int, rule: CounterRule, *, now: Moment, blind: bool
) -> tuple[Booking | None, Pending | None]:
    waiting = held.pending
    if waiting is None or not _follows(waiting, raw, rule, now):
        return None, Pending(raw, now, 1)
    reads = waiting.reads + 1
    if reads < rule.confirm_reads:
        return None, Pending(raw, now, reads)
    if blind:
        return Booking(step, "gap"), None
    return Booking(0, "jump", refused=step), None


def _follows(waiting: Pending, raw: int, rule: CounterRule, now: Moment) -> bool:
    cap = _cap(rule, waiting.read.seconds_until(now))
    return cap is None or 0 <= raw - waiting.raw <= cap


def _event(
    held: CounterState | None,
    after: CounterState,
    booking: Booking,
    value: Value,
    rule: CounterRule,
    order: Order | None,
    last_read: Moment | None,
) -> Count:
    return Count(
        at=after.booked.at,
        counter=rule.name,
        kind=rule.kind,
        delta=after.total - (held.total if held is not None else after.total),
        total=after.total,
        raw=value if isinstance(value, int | float) else 0,
        unit=rule.unit,
        anomaly=booking.anomaly,
        refused=round(booking.refused * rule.factor),
        window_from=None if last_read is None else last_read.at,
        cycle_time_ms=_cycle_time_ms(held, after, booking),
        order=order,
    )


def _cycle_time_ms(held: CounterState | None, after: CounterState, booking: Booking) -> int | None:
    if held is None or booking.anomaly != "none" or booking.steps > CYCLE_TIME_MAX_STEPS:
        return None
    return round(held.booked.seconds_until(after.booked) * 1000 / booking.steps)
