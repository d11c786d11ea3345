"""Good, reject and total: the third is derived from two, or all three are compared.

- Both go by the gateway's own totals from where it first saw them, never by raw readings.
- A sum is booked at once. A difference is booked as far as it stood for two readings, since
  a machine may count a part before it judges it; it never falls.
- A contradiction that stands for two readings is said once, as ``inconsistent`` on the
  total, and again only after it had fitted in between.
- While one of the counters is dark or doubtful nothing is concluded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.domain import orders
from gateway.domain.counts import restate
from gateway.domain.events import Count, Event
from gateway.domain.facts import Observation
from gateway.domain.rules import BalanceRole, BalanceRule, EquipmentRules
from gateway.domain.state import BalanceCheck, CounterState, Durable, Live, Moment, Pending

READS_TO_BELIEVE = 2


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is known after a comparison, and what it showed."""

    durable: Durable
    live: Live
    events: list[Event] = field(default_factory=list)


def weigh(
    durable: Durable,
    live: Live,
    read_before: Mapping[str, Moment],
    seen: Observation,
    rules: EquipmentRules,
) -> Weighed:
    """Follow the counters after a batch; ``read_before`` is `Live.read_at` before it."""
    rule = rules.balance
    totals = None if rule is None else _totals(rule, durable, seen, rules)
    if rule is None or totals is None:
        return Weighed(durable, live)
    if rule.derived is None:
        return _compare(rule, totals, durable, live, seen)
    tags = [counter.tag for counter in rules.counters if counter.name in _names(rule)]
    now = Moment(seen.at, seen.mono_s)
    before = min((read_before.get(tag, now) for tag in tags), key=lambda moment: moment.at)
    return _derive(rule, rule.derived, totals, durable, live, now, before)


def identity(rule: BalanceRule) -> str:
    """Return what is compared or derived; another one begins anew."""
    return f"{rule.good} + {rule.reject} = {rule.total}"


def _names(rule: BalanceRule) -> set[str]:
    roles = {"good": rule.good, "reject": rule.reject, "total": rule.total}
    return {name for role, name in roles.items() if role != rule.derived}


def _totals(
    rule: BalanceRule, durable: Durable, seen: Observation, rules: EquipmentRules
) -> Mapping[str, int] | None:
    """Return the totals by counter; None if they cannot be compared now."""
    names = _names(rule)
    if not any(c.name in names and c.tag in seen.covers for c in rules.counters):
        return None
    held = {name: durable.counters[name] for name in names if name in durable.counters}
    if len(held) < len(names) or any(c.pending or c.dark_since for c in held.values()):
        return None
    return {name: counter.total for name, counter in held.items()}


def _derive(
    rule: BalanceRule,
    role: BalanceRole,
    totals: Mapping[str, int],
    durable: Durable,
    live: Live,
    now: Moment,
    before: Moment,
) -> Weighed:
    due = _due(rule, role, totals)
    held = durable.counters.get(role)
    order = orders.in_force_at(durable, now.at)
    if held is None or held.identity != identity(rule):
        total = 0 if held is None else held.total
        fresh = CounterState(identity(rule), due, now, total, role, rule.unit)
        event = replace(restate(fresh, role, now.at, order), raw=total)
        return Weighed(_with(durable, role, fresh), live, [event])
    stood = due if role == "total" else _stood(held, due)
    if stood <= held.raw:
        after = _waiting(held, due, now, before)
        return Weighed(durable if after is held else _with(durable, role, after), live)
    delta = stood - held.raw
    after = replace(held, raw=stood, booked=now, total=held.total + delta, pending=None)
    since = before if held.pending is None else held.pending.since
    event = Count(
        at=now.at,
        counter=role,
        kind=held.kind,
        delta=delta,
        total=after.total,
        raw=after.total,
        unit=held.unit,
        window_from=since.at,
        order=order,
        order_ambiguous=orders.crosses(durable, since.at, now.at),
    )
    return Weighed(_with(durable, role, _waiting(after, due, now, before)), live, [event])


def _due(rule: BalanceRule, role: BalanceRole, totals: Mapping[str, int]) -> int:
    if role == "total":
        return totals[rule.good] + totals[rule.reject]
    return totals[rule.total] - totals[rule.reject if role == "good" else rule.good]


def _stood(held: CounterState, due: int) -> int:
    return held.raw if held.pending is None else min(held.pending.raw, due)


def _waiting(held: CounterState, due: int, now: Moment, before: Moment) -> CounterState:
    """What is above the booked figure must be seen again."""
    if due > held.raw:
        return replace(held, pending=Pending(due, now, 1, before, 1))
    return held if held.pending is None else replace(held, pending=None)


def _compare(
    rule: BalanceRule, totals: Mapping[str, int], durable: Durable, live: Live, seen: Observation
) -> Weighed:
    apart = totals[rule.total] - totals[rule.good] - totals[rule.reject]
    check = durable.balance
    if check is None or check.of != identity(rule):
        check = BalanceCheck(identity(rule), apart)
        return Weighed(replace(durable, balance=check), replace(live, unbalanced_reads=0))
    if abs(apart - check.apart) <= rule.tolerance:
        fits = replace(durable, balance=replace(check, told=False)) if check.told else durable
        return Weighed(fits, replace(live, unbalanced_reads=0))
    reads = min(live.unbalanced_reads + 1, READS_TO_BELIEVE)
    live = replace(live, unbalanced_reads=reads)
    if check.told or reads < READS_TO_BELIEVE:
        return Weighed(durable, live)
    order = orders.in_force_at(durable, seen.at)
    said = replace(
        restate(durable.counters[rule.total], rule.total, seen.at, order), anomaly="inconsistent"
    )
    return Weighed(replace(durable, balance=replace(check, told=True)), live, [said])


def _with(durable: Durable, name: str, counter: CounterState) -> Durable:
    return replace(durable, counters={**durable.counters, name: counter})
