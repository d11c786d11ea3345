"""The counters of one equipment, batch by batch.

- A counter is read by every batch that covers its tag, also where nothing changed: the time
  between two readings is its own, whatever else its link brings.
- A counter that cannot be read stays dark from its last good reading on, over restarts too;
  what was made meanwhile is judged when it can be read again.
- A reading stamped by the device before one already taken, and below it, is dropped and
  counted.
- Parts made while ``count_when`` is false or unknown are not booked. They are refused by
  the next event of the counter; until then the snapshot shows them. Only until all of the
  condition was read once after a start does the counter wait for it.
- A part carries the order in force when it was read. Where the order changed since the
  reading before, the event says that it is ambiguous.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.domain import balance, counts, orders, status
from gateway.domain.events import Count, Event, Gap
from gateway.domain.facts import Observation, Started
from gateway.domain.quality import NEVER_READ
from gateway.domain.rules import CounterRule, EquipmentRules
from gateway.domain.state import CounterState, Durable, Live, Moment

OUT_OF_ORDER = timedelta(seconds=60)
"""A stamp older than this is not late: the device's clock was set."""
MAX_CYCLE_MS = 86_400_000


@dataclass
class _Batch:
    """One batch while its counters are booked."""

    durable: Durable
    live: Live
    seen: Observation
    rules: EquipmentRules
    now: Moment
    counters: dict[str, CounterState] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


def book(
    durable: Durable, live: Live, seen: Observation, rules: EquipmentRules, now: Moment
) -> tuple[Durable, Live, list[Event]]:
    """Read every counter ``seen`` covers; ``live`` has absorbed it already."""
    durable = darken(durable, live, rules) if seen.bad else durable
    batch = _Batch(durable, live, seen, rules, now)
    read = [rule for rule in rules.counters if _is_read(rule, batch)]
    for rule in read:
        _read(rule, batch)
    durable = _with(batch.durable, batch.counters)
    if read:
        stamps = {rule.tag: _newest(rule, batch) for rule in read if rule.tag in seen.source_times}
        live = live._replace(
            read_at={**live.read_at, **dict.fromkeys([rule.tag for rule in read], now)},
            stamps={**live.stamps, **stamps} if stamps else live.stamps,
        )
    if rules.balance is None or not read:
        return durable, live, batch.events
    weighed = balance.weigh(durable, live, batch.live.read_at, seen, rules)
    return weighed.durable, weighed.live, [*batch.events, *weighed.events]


def darken(durable: Durable, live: Live, rules: EquipmentRules) -> Durable:
    """Note since when counters cannot be read."""
    dark = {
        rule.name: replace(held, dark_since=live.read_at.get(rule.tag, live.lost[rule.tag]))
        for rule in rules.counters
        if rule.tag in live.lost
        and (held := durable.counters.get(rule.name)) is not None
        and held.dark_since is None
    }
    return _with(durable, dark)


def wake(durable: Durable, started: Started, rules: EquipmentRules) -> Durable:
    """Every counter is dark since the gateway was last alive, if not for longer."""
    dark = {}
    for rule in rules.counters:
        held = durable.counters.get(rule.name)
        if held is None:
            continue
        alive = held.booked if started.last_alive is None else Moment(started.last_alive, None)
        since = held.dark_since or (alive if held.pending is None else held.pending.since)
        dark[rule.name] = replace(held, dark_since=since)
    return _with(durable, dark)


def reboot(held: CounterState) -> CounterState:
    """Forget monotonic moments of another boot: they compare with nothing here."""
    since = held.dark_since or (None if held.pending is None else held.pending.since)
    return replace(
        held,
        booked=_wall(held.booked),
        pending=None,
        dark_since=None if since is None else _wall(since),
        part_at=None,
    )


def _wall(moment: Moment) -> Moment:
    return replace(moment, mono_s=None)


def _with(durable: Durable, counters: dict[str, CounterState]) -> Durable:
    if not counters:
        return durable
    return replace(durable, counters={**durable.counters, **counters})


def _is_read(rule: CounterRule, batch: _Batch) -> bool:
    covered = rule.tag in batch.seen.covers or rule.tag in batch.seen.changed
    return covered and rule.tag in batch.live.values


def _read(rule: CounterRule, batch: _Batch) -> None:
    held = batch.durable.counters.get(rule.name)
    if not _is_news(held, rule, batch):
        return
    value = batch.live.values[rule.tag]
    raw = counts.raw_steps(value, rule)
    if raw is None or isinstance(value, str):
        _unusable(held, rule, batch)
        return
    if held is not None and _is_late(held, raw, rule, batch):
        batch.counters[rule.name] = replace(held, out_of_order=held.out_of_order + 1)
        return
    counting = held is None or _counts(rule, batch)
    if counting is None:
        return
    reading = counts.Reading(
        shown=value,
        raw=raw,
        now=batch.now,
        since=_since(held, rule, batch),
        blind=held is not None and held.dark_since is not None,
        counting=counting,
        cycle_time_ms=_cycle_time_ms(rule, batch.live),
        order=orders.in_force_at(batch.durable, batch.now.at),
    )
    after, event = counts.read(held, reading, rule)
    if after is not held:
        batch.counters[rule.name] = after
    if event is not None:
        batch.events.append(_marked(event, batch.durable))


def _is_news(held: CounterState | None, rule: CounterRule, batch: _Batch) -> bool:
    """Whether this batch can change the counter; most cannot."""
    if rule.tag in batch.seen.changed or held is None:
        return True
    return held.pending is not None or (held.dark_since is not None and not held.unusable)


def _since(held: CounterState | None, rule: CounterRule, batch: _Batch) -> Moment:
    if held is None:
        return batch.now
    if held.pending is not None:
        return held.pending.since
    return held.dark_since or batch.live.read_at.get(rule.tag, held.booked)


def _unusable(held: CounterState | None, rule: CounterRule, batch: _Batch) -> None:
    """No reading at all, said once: the counter is dark until it shows a number again."""
    if held is None or held.unusable:
        return
    since = _since(held, rule, batch)
    batch.counters[rule.name] = replace(held, unusable=True, pending=None, dark_since=since)
    gap = Gap(at=batch.seen.at, stream=f"count:{rule.name}", reason="not_observed", count=1)
    batch.events.append(gap)


def _is_late(held: CounterState, raw: int, rule: CounterRule, batch: _Batch) -> bool:
    newest, stamp = batch.live.stamps.get(rule.tag), batch.seen.source_times.get(rule.tag)
    if newest is None or stamp is None or raw >= held.raw:
        return False
    return timedelta() < newest - stamp <= OUT_OF_ORDER


def _newest(rule: CounterRule, batch: _Batch) -> datetime:
    stamp, newest = batch.seen.source_times[rule.tag], batch.live.stamps.get(rule.tag)
    late = newest is not None and timedelta() < newest - stamp <= OUT_OF_ORDER
    return newest if late and newest is not None else stamp


def _counts(rule: CounterRule, batch: _Batch) -> bool | None:
    """Whether parts count now; None while that cannot be told yet after a start."""
    if rule.count_when is None:
        return True
    live, names = batch.live, rule.count_when.names
    holds = status.holds(rule.count_when, live, batch.durable, batch.rules)
    if holds is None and any(live.bad.get(name) == NEVER_READ for name in names):
        return None
    return bool(holds)


def _cycle_time_ms(rule: CounterRule, live: Live) -> int | None:
    value = None if rule.cycle_time_tag is None else live.values.get(rule.cycle_time_tag)
    if isinstance(value, bool | str) or value is None or not 0 <= value <= MAX_CYCLE_MS:
        return None
    cycle_ms = value * rule.cycle_time_unit_ms
    return round(cycle_ms) if cycle_ms <= MAX_CYCLE_MS else None


def _marked(event: Count, durable: Durable) -> Count:
    if event.anomaly == "baseline" or not orders.crosses(durable, event.window_from, event.at):
        return event
    return replace(event, order_ambiguous=True)
