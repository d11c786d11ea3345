"""Good, reject and total: the third is derived from two, or all three are compared.

- Both go by the gateway's own totals from where it first saw them, never by raw readings.
- A sum is booked at once. A difference is that of the total at the reading before: a part
  may be judged one reading later than it was counted. It never falls.
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
    whole, other = _sides(rule, role, totals)
    held = durable.counters.get(role)
    order = orders.in_force_at(durable, now.at)
    if held is None or held.identity != identity(rule):
        total = 0 if held is None else held.total
        fresh = CounterState(identity(rule), whole - other, now, total, role, rule.unit)
        event = replace(restate(fresh, role, now.at, order), raw=total)
        return Weighed(_with(durable, role, fresh), live, [event])
    earlier = whole if role == "total" else held.raw + other
    if role != "total" and held.pending is not None:
        earlier = held.pending.raw
    stood = max(earlier - other, held.raw)
    waiting = Pending(whole, now, 1, before, 1) if whole - other > stood else None
    delta = stood - held.raw
    if delta == 0:
        if waiting is held.pending:
            return Weighed(durable, live)
        return Weighed(_with(durable, role, replace(held, pending=waiting)), live)
    after = replace(held, raw=stood, booked=now, total=held.total + delta, pending=waiting)
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
    return Weighed(_with(durable, role, after), live, [event])


def _sides(rule: BalanceRule, role: BalanceRole, totals: Mapping[str, int]) -> tuple[int, int]:
    """Return what is counted and what is taken from it."""
    if role == "total":
        return totals[rule.good] + totals[rule.reject], 0
    return totals[rule.total], totals[rule.reject if role == "good" else rule.good]


def _compare(
    rule: BalanceRule, totals: Mapping[str, int], durable: Durable, live: Live, seen: Observation
) -> Weighed:
    apart = totals[rule.total] - totals[rule.good] - totals[rule.reject]
    check = durable.balance
    if check is None or check.of != identity(rule):
        check = BalanceCheck(identity(rule), apart)
        return Weighed(replace(durable, balance=check), live._replace(unbalanced_reads=0))
    if abs(apart - check.apart) <= rule.tolerance:
        fits = replace(durable, balance=replace(check, told=False)) if check.told else durable
        return Weighed(fits, live._replace(unbalanced_reads=0))
    reads = min(live.unbalanced_reads + 1, READS_TO_BELIEVE)
    live = live._replace(unbalanced_reads=reads)
    if check.told or reads < READS_TO_BELIEVE:
        return Weighed(durable, live)
    order = orders.in_force_at(durable, seen.at)
    said = replace(
        restate(durable.counters[rule.total], rule.total, seen.at, order), anomaly="inconsistent"
    )
    return Weighed(replace(durable, balance=replace(check, told=True)), live, [said])


def _with(durable: Durable, name: str, counter: CounterState) -> Durable:
    return replace(durable, counters={**durable.counters, name: counter})
