"""One equipment: what was known, and what happened -> what is known, and the facts.

`step` is deterministic and total: no clock, no I/O, and no input makes it raise. The
durable part of the state it returns belongs into the transaction of its events.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from gateway.domain import (
    commanding,
    counts,
    fault_desk,
    faults,
    production,
    quality,
    readings,
    reconfigured,
    repeats,
    series,
    shift_change,
    status,
    usage,
)
from gateway.domain.events import CLOCK, Event, Gap, Health
from gateway.domain.facts import (
    ClockStepped,
    Commanded,
    Fact,
    LinkLost,
    Observation,
    Reconfigured,
    Removed,
    SeriesBegan,
    Started,
    Tick,
)
from gateway.domain.judging import judge
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import (
    Durable,
    EquipmentState,
    LinkHealth,
    Live,
    Moment,
    Verdict,
)
from gateway.domain.vocabulary import Order, State

Step = tuple[EquipmentState, list[Event]]


def step(state: EquipmentState, fact: Fact, rules: EquipmentRules) -> Step:
    """Return the state after ``fact`` and the events it caused, in order."""
    calendar, then, cuts = rules.calendar, state, list[Event]()
    if calendar is not None:
        then, cuts = shift_change.turn(state, fact, calendar)
    after, events = _STEPS[type(fact)](then, fact, rules)
    told = cuts + events
    if type(fact) is not Observation or after.durable is not state.durable:  # else no status is new
        after, told = repeats.tell(after, told, fact, rules)
    if rules.usage or after.durable.usage:
        after = usage.follow(after, told, fact, rules)
    if calendar is None:
        return after, told
    return shift_change.marked(state, after, told, fact, calendar)


def next_due_s(state: EquipmentState, rules: EquipmentRules) -> float | None:
    """Return the monotonic moment at which a `Tick` would change something, if any."""
    live = state.live
    moments = [faults.due_s(state.durable, live, rules), fault_desk.due_s(state.durable)]
    if live.verdict is not None:
        moments.append(status.hold_ends_s(state.durable, live.verdict, rules))
    moments += [status.freezes_s(live, rules), repeats.due_s(state, rules)]
    moments += [shift_change.changes_s(live, rules), usage.due_s(state, rules)]
    return min((moment for moment in moments if moment is not None), default=None)


def waits_alike(before: EquipmentState, after: EquipmentState, rules: EquipmentRules) -> bool:
    """Return True only where `next_due_s` of both is the same: after most readings."""
    one, other = before.live, after.live
    return (
        before.durable is after.durable
        and rules.alive is None
        and one.verdict is other.verdict
        and one.fault_edges is other.fault_edges
        and one.status_told_s == other.status_told_s
        and one.turn is other.turn
        and one.usage_due_s == other.usage_due_s
    )


def _observed(state: EquipmentState, seen: Observation, rules: EquipmentRules) -> Step:
    now = Moment(seen.at, seen.mono_s)
    durable, previous = state
    live = quality.absorb(previous, seen, now)
    if rules.alive is not None and rules.alive.tag in seen.changed:
        live = live._replace(alive_changed=now)
    events: list[Event] = []
    held = durable.links.get(seen.link)
    if held is None or held.state != "online":
        durable = _link_heard(durable, seen, events)
    if _undecided(durable, live, seen, rules):
        durable, live = judge(durable, live, rules, now, events)
    if rules.counters:
        durable, live, counted = production.book(durable, live, seen, rules, now)
        events += counted
    news = _newly_bad(seen, previous) if seen.bad else seen
    live, told = readings.report(previous, live, news, rules, _order(durable))
    events += told
    if seen.overflowed:
        events += _overflows(seen)
    return EquipmentState(durable, live), events


def _newly_bad(seen: Observation, previous: Live) -> Observation:
    """A tag that stays bad for the same cause is not news."""
    news = {tag: cause for tag, cause in seen.bad.items() if previous.bad.get(tag) != cause}
    return seen._replace(bad=news)


def _undecided(durable: Durable, live: Live, seen: Observation, rules: EquipmentRules) -> bool:
    """Whether this batch can change a fault or the status; most cannot."""
    verdict = live.verdict
    if verdict is None or live.fault_edges or rules.alive is not None:
        return True
    if not rules.decisive.isdisjoint(seen.changed) or not rules.decisive.isdisjoint(seen.bad):
        return True
    return not status.same(durable.status, verdict)


def _link_heard(durable: Durable, seen: Observation, events: list[Event]) -> Durable:
    rtt_ms = None if seen.rtt_s is None else round(seen.rtt_s * 1000, 1)
    link = LinkHealth("online", seen.at, seen.at, 0, rtt_ms)
    events.append(
        Health(at=seen.at, link=seen.link, state="online", last_ok=seen.at, rtt_ms=rtt_ms)
    )
    return replace(durable, links={**durable.links, seen.link: link})


def _overflows(seen: Observation) -> list[Event]:
    return [
        Gap(at=seen.at, stream=f"reading:{tag}", reason="not_observed", count=count)
        for tag, count in sorted(seen.overflowed.items())
    ]


def _link_lost(state: EquipmentState, lost: LinkLost, rules: EquipmentRules) -> Step:
    events: list[Event] = []
    durable = _link_silent(state, lost, events)
    live = quality.lose_link(state.live, lost, rules)
    durable = production.darken(durable, live, rules)
    now = Moment(lost.at, lost.mono_s)
    durable, live = judge(durable, live, rules, now, events)
    return EquipmentState(durable, live), events


def _link_silent(state: EquipmentState, lost: LinkLost, events: list[Event]) -> Durable:
    held = state.durable.links.get(lost.link)
    if held is not None and held.state == "offline":
        return state.durable
    heard = state.live.last_ok.get(lost.link)
    last_ok = None if held is None or heard is None else heard.at
    link = LinkHealth("offline", lost.at, last_ok, lost.failures, None, lost.error)
    events.append(
        Health(
            at=lost.at,
            link=lost.link,
            state="offline",
            last_ok=last_ok,
            failures=lost.failures,
            error=lost.error,
        )
    )
    return replace(state.durable, links={**state.durable.links, lost.link: link})


def _ticked(state: EquipmentState, tick: Tick, rules: EquipmentRules) -> Step:
    events: list[Event] = []
    now = Moment(tick.at, tick.mono_s)
    durable, unshelved = fault_desk.expire(state.durable, now)
    events += unshelved
    if state.live.verdict is None:
        return state._replace(durable=durable), events
    durable, live = judge(durable, state.live, rules, now, events)
    return EquipmentState(durable, live), events


def _started(state: EquipmentState, started: Started, rules: EquipmentRules) -> Step:
    """Open an offline interval from when the gateway was last alive."""
    events: list[Event] = []
    durable = state.durable
    comes_live = durable.local and rules.stage == "live"
    if durable.boot_id != started.boot_id:
        durable = _other_boot(durable, started.boot_id)
    live = quality.wake(started, rules)
    now = Moment(started.at, started.mono_s)
    woken = fault_desk.wake(durable, started.at, started.mono_s)
    look = faults.watch(woken, live, rules, now)
    durable, unshelved = fault_desk.expire(look.durable, now)
    events += [*look.events, *unshelved]
    links = {name: replace(link, state="starting") for name, link in durable.links.items()}
    durable = production.wake(replace(durable, links=links), started, rules)
    held = None if comes_live else durable.status
    if held is None or held.state is not State.OFFLINE:
        since = Moment(started.last_alive, None) if held and started.last_alive else now
        dark = Verdict(State.OFFLINE, since, status.NO_ANSWER)
        opened, event = status.begin(held, dark, "start", _order(durable))
        durable = replace(durable, status=opened)
        events.append(event)
    if comes_live:
        durable, events = reconfigured.went_live(durable, now)
    return EquipmentState(reconfigured.staged(durable, rules), live), events


def _other_boot(durable: Durable, boot_id: str) -> Durable:
    """Forget monotonic moments of another boot: they compare with nothing here."""
    held = durable.status
    return replace(
        durable,
        boot_id=boot_id,
        status=None if held is None else replace(held, since=_wall(held.since)),
        counters={name: production.reboot(counter) for name, counter in durable.counters.items()},
        faults={
            key: replace(fault, raised=_wall(fault.raised)) for key, fault in durable.faults.items()
        },
    )


def _wall(moment: Moment) -> Moment:
    return replace(moment, mono_s=None)


def _series_began(state: EquipmentState, began: SeriesBegan, rules: EquipmentRules) -> Step:
    """Say where everything stands, so that a consumer of the new series has a start."""
    durable = state.durable
    if began.doubtful:
        durable = replace(durable, counters=series.distrusted(state, rules))
    order = _order(durable)
    events: list[Event] = [
        counts.restate(counter, name, began.at, order)
        for name, counter in sorted(durable.counters.items())
    ]
    if durable.status is not None:
        held, told = series.opened(durable.status, began, order)
        events += told
        if held is not durable.status:
            durable = replace(durable, status=held)
    events += faults.told_all(durable, began.at)
    return state._replace(durable=durable), events


def _clock_stepped(state: EquipmentState, stepped: ClockStepped, _rules: EquipmentRules) -> Step:
    """Say it where the times it makes doubtful are read."""
    clock = {"boot_id": stepped.boot_id, "offset_ms": stepped.offset_ms}
    return state, [Health(at=stepped.at, link=CLOCK, state="online", clock=clock)]


def _order(durable: Durable) -> Order | None:
    return None if durable.order is None else durable.order.order


_STEPS: Mapping[type[Any], Callable[[EquipmentState, Any, EquipmentRules], Step]] = (
    MappingProxyType(
        {
            Observation: _observed,
            LinkLost: _link_lost,
            Tick: _ticked,
            Started: _started,
            Commanded: commanding.obey,
            SeriesBegan: _series_began,
            ClockStepped: _clock_stepped,
            Reconfigured: reconfigured.take_up,
            Removed: reconfigured.close,
        }
    )
)
