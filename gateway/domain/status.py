"""Samples -> the seven states: ordered rules, hold time, first moment.

- The first rule that is true decides. A rule that cannot be evaluated and stands before
  it makes the state offline; none true is stopped, reason unspecified.
- A state is believed once it has held ``min_hold_s``; its event carries the first
  moment, and offline begins at the last good sample.
- Intervals abut: no event begins before the one in force.
- Reason and mode refine a state; a tag of theirs that is not good never changes it.
"""

from collections.abc import Iterable
from datetime import datetime

from drivers.contract import Value
from gateway.domain.events import Status
from gateway.domain.expression import Expression, folded
from gateway.domain.rules import STOPPING_FAULT, Alive, EquipmentRules, StatusRule
from gateway.domain.state import Durable, Live, Moment, OpenStatus, Verdict
from gateway.domain.vocabulary import Mode, Order, Reason, State, StatusCause

UNSPECIFIED = Reason("unspecified", "unspecified")
NO_ANSWER = Reason("no_answer", "comms")
FROZEN = Reason("frozen_controller", "comms")


def judge(live: Live, durable: Durable, rules: EquipmentRules, now: Moment) -> Verdict:
    """Return what the rules say of the values known now.

    The verdict's first moment is kept while state, reason and mode stay the same; until it
    is believed, while the state does: a reason that comes later, or keeps changing, delays
    no state.
    """
    frozen = None if rules.alive is None else _frozen(live, rules.alive, now)
    fresh = frozen or _first_true(live, durable, rules, now)
    held = live.verdict
    if held is None or held.state is not fresh.state:
        return fresh
    if (held.reason, held.mode) == (fresh.reason, fresh.mode):
        return held
    return fresh if same(durable.status, held) else fresh._replace(since=held.since)


def holds(
    condition: Expression, live: Live, durable: Durable, rules: EquipmentRules
) -> bool | None:
    """Return whether a condition holds of what is known now; None where that is unknown."""
    if STOPPING_FAULT not in condition.names:
        return condition.evaluate(live.values.get)

    def lookup(name: str) -> Value | None:
        if name == STOPPING_FAULT:
            return stopping_fault(live, durable, rules)
        return live.values.get(name)

    return condition.evaluate(lookup)


def _first_true(live: Live, durable: Durable, rules: EquipmentRules, now: Moment) -> Verdict:
    for rule in rules.status:
        found = holds(rule.when, live, durable, rules)
        if found is None:
            return Verdict(State.OFFLINE, _dark_since(rule, live, rules, now), NO_ANSWER)
        if found:
            mode = rule.mode or _mode(live, rules)
            return Verdict(rule.state, now, _reason(rule, live), mode)
    return Verdict(State.STOPPED, now, UNSPECIFIED, _mode(live, rules))


def _reason(rule: StatusRule, live: Live) -> Reason | None:
    if rule.reason_tag is None or rule.reason_tag not in live.values:
        return rule.reason
    return rule.reasons.get(written(live.values[rule.reason_tag]), rule.reason)


def _mode(live: Live, rules: EquipmentRules) -> Mode:
    if rules.mode is None or rules.mode.tag not in live.values:
        return "unknown"
    return rules.mode.table.get(folded(live.values[rules.mode.tag]), "unknown")


def written(value: Value) -> str:
    """Return a value as a configuration file writes it: 3, 0.5, true, E17."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _frozen(live: Live, alive: Alive, now: Moment) -> Verdict | None:
    changed = live.alive_changed
    if changed is None or alive.tag not in live.values:
        return None
    if not changed.lasted(alive.changes_within_s, now):
        return None
    return Verdict(State.OFFLINE, changed, FROZEN)


def _dark_since(rule: StatusRule, live: Live, rules: EquipmentRules, now: Moment) -> Moment:
    """Return when the first of the tags this rule misses was last good."""
    moments = [live.lost[tag] for tag in _tags_of(rule, rules) if tag in live.lost]
    return min(moments, key=lambda moment: moment.at, default=now)


def _tags_of(rule: StatusRule, rules: EquipmentRules) -> Iterable[str]:
    for name in rule.when.names:
        if name == STOPPING_FAULT:
            yield from (fault.tag for fault in rules.faults)
        else:
            yield name


def stopping_fault(live: Live, durable: Durable, rules: EquipmentRules) -> bool | None:
    """Return whether a fault is active that stops the machine; None where unknown.

    A fault whose source is out of sight decides nothing, nor does one that chatters while
    its source does not show it; a shelved one counts like any other.
    """
    active = durable.faults.values()
    if any(fault.stopping and not fault.frozen for fault in active):
        return True
    if any(rule.tag not in live.values for rule in rules.faults):
        return None
    return False


def believe(
    durable: Durable, verdict: Verdict, rules: EquipmentRules, now: Moment
) -> tuple[OpenStatus, Status] | None:
    """Return the new state and its event once the verdict has held long enough."""
    held = durable.status
    if same(held, verdict):
        return None
    if held is not None and not verdict.since.lasted(rules.min_hold_s, now):
        return None
    order = None if durable.order is None else durable.order.order
    return begin(held, verdict, "sample", order)


def same(held: OpenStatus | None, verdict: Verdict) -> bool:
    """Whether the state in force is the one the rules want."""
    if held is None:
        return False
    if held.state == verdict.state == State.OFFLINE:
        return True  # why nothing is known may change without anything becoming known
    return (held.state, held.reason, held.mode) == (verdict.state, verdict.reason, verdict.mode)


def begin(
    held: OpenStatus | None, verdict: Verdict, cause: StatusCause, order: Order | None
) -> tuple[OpenStatus, Status]:
    """Close the state in force and open the next, without a hole and without overlap."""
    since = verdict.since if held is None else _not_before(held.since, verdict.since)
    duration_s = None if held is None else held.since.seconds_until(since)
    opened = OpenStatus(verdict.state, since, verdict.reason, verdict.mode)
    event = Status(
        at=since.at,
        since=since.at,
        state=verdict.state,
        cause=cause,
        prev_state=None if held is None else held.state,
        prev_duration_ms=None if duration_s is None else round(duration_s * 1000),
        reason=verdict.reason,
        mode=verdict.mode,
        order=order,
        quality="bad" if verdict.state is State.OFFLINE else "good",
    )
    return opened, event


def _not_before(begun: Moment, since: Moment) -> Moment:
    """Keep intervals from overlapping; what lasted while the clock was set back, did last."""
    if since.at >= begun.at:
        return since
    if begun.mono_s is not None and since.mono_s is not None and since.mono_s > begun.mono_s:
        return Moment(begun.at, since.mono_s)
    return begun


def restate(held: OpenStatus, at: datetime, order: Order | None) -> Status:
    """Return the state in force as the first event of a new series."""
    return Status(
        at=at,
        since=held.since.at,
        state=held.state,
        cause="start",
        reason=held.reason,
        mode=held.mode,
        order=order,
        quality="bad" if held.state is State.OFFLINE else "good",
    )


def hold_ends_s(durable: Durable, verdict: Verdict, rules: EquipmentRules) -> float | None:
    """Return the monotonic moment at which a pending verdict will be believed."""
    held = durable.status
    if held is None or same(held, verdict) or verdict.since.mono_s is None:
        return None
    return verdict.since.mono_s + rules.min_hold_s


def freezes_s(live: Live, rules: EquipmentRules) -> float | None:
    """Return the monotonic moment at which an unchanged controller counts as frozen."""
    alive, changed = rules.alive, live.alive_changed
    if alive is None or changed is None or changed.mono_s is None:
        return None
    if alive.tag not in live.values or (live.verdict and live.verdict.reason == FROZEN):
        return None
    return changed.mono_s + alive.changes_within_s
