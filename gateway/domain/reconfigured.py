"""Other rules for an equipment that goes on, and the end of one that does not.

- Totals, the order, the open interval and active faults go on; what a link that is opened
  anew said is unknown until it speaks again, since it last did.
- A counter that means something else keeps its total and gives a baseline, at once where its
  reading is known: what comes after it is booked.
- Going live tells where everything stands, as facts without a past: what was made and what
  happened in commissioning stays on the gateway.
- An equipment that goes is offline from then on, and its faults are over.
"""

from collections.abc import Iterable
from dataclasses import replace

from gateway.domain import counts, faults, production, quality, shift_change, status
from gateway.domain.events import Event
from gateway.domain.facts import Observation, Reconfigured, Removed
from gateway.domain.judging import judge
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import (
    CounterState,
    Durable,
    EquipmentState,
    LinkHealth,
    Live,
    Moment,
    Verdict,
)
from gateway.domain.vocabulary import Reason, State

Step = tuple[EquipmentState, list[Event]]

NOT_CONFIGURED = Reason(
    "not_configured", "unspecified", {"zh": "已不在配置中", "en": "not configured any more"}
)


def take_up(state: EquipmentState, changed: Reconfigured, rules: EquipmentRules) -> Step:
    """Return the state under the new rules and what has to be told at once."""
    now, before = Moment(changed.at, changed.mono_s), changed.before
    durable, live = state.durable, _live(state.live, changed, rules, now)
    durable = replace(durable, links=dict(_links(durable, changed, rules)))
    durable = production.darken(durable, live, rules)
    events: list[Event] = []
    if rules.calendar != before.calendar:
        durable, live, events = shift_change.replanned(
            durable, live, rules.calendar, now, changed.mono_s
        )
    if live.verdict is not None and rules.decisive.isdisjoint(quality.unread(changed, rules)):
        durable, live = judge(durable, live, rules, now, events)
    rebased = _rebased(state, changed, rules)
    durable, live, counted = production.book(durable, live, rebased, rules, now)
    if durable.local and rules.stage == "live":
        durable, told = went_live(durable, now)
        return EquipmentState(durable, live), told
    return EquipmentState(staged(durable, rules), live), events + counted


def close(state: EquipmentState, removed: Removed, rules: EquipmentRules) -> Step:
    """End what is open. The rules are those that held so far."""
    now = Moment(removed.at, removed.mono_s)
    look = faults.watch(state.durable, Live(), replace(rules, faults=()), now)
    durable, events = replace(look.durable, links={}), list[Event](look.events)
    held = durable.status
    if held is not None:
        dark = Verdict(State.OFFLINE, now, NOT_CONFIGURED)
        opened, event = status.begin(held, dark, "command", faults.order_of(durable))
        durable = replace(durable, status=opened)
        events.append(event)
    return EquipmentState(durable, Live()), events


def went_live(durable: Durable, now: Moment) -> tuple[Durable, list[Event]]:
    """Return a state without a past to be told, and the events that say where it stands."""
    order = faults.order_of(durable)
    counters = {name: _untold(counter) for name, counter in sorted(durable.counters.items())}
    durable = replace(durable, counters=counters, local=False)
    events: list[Event] = [
        counts.restate(counter, name, now.at, order) for name, counter in counters.items()
    ]
    held = durable.status
    if held is not None:
        verdict = Verdict(held.state, now, held.reason, held.mode)
        opened, event = status.begin(None, verdict, "command", order)
        durable = replace(durable, status=opened)
        events.append(event)
    return durable, [*events, *faults.told_all(durable, now.at)]


def staged(durable: Durable, rules: EquipmentRules) -> Durable:
    """Note whether anybody is told of it; the same object where that is noted."""
    local = rules.stage != "live"
    return durable if durable.local == local else replace(durable, local=local)


def _untold(counter: CounterState) -> CounterState:
    return replace(counter, withheld=0, carry=0, part_at=None)


def _live(live: Live, changed: Reconfigured, rules: EquipmentRules, now: Moment) -> Live:
    live = quality.rebind(live, changed, rules)
    alive, was = rules.alive, changed.before.alive
    moved = live.alive_changed
    if alive is None or alive.tag not in live.values:
        moved = None
    elif was is None or was.tag != alive.tag:
        moved = now
    unbalanced = live.unbalanced_reads if rules.balance == changed.before.balance else 0
    return live._replace(alive_changed=moved, usage_due_s=None, unbalanced_reads=unbalanced)


def _links(
    durable: Durable, changed: Reconfigured, rules: EquipmentRules
) -> Iterable[tuple[str, LinkHealth]]:
    used = {rule.link for rule in rules.tags.values()}
    for name, link in durable.links.items():
        if name in used:
            anew = name in changed.reopened
            yield name, replace(link, state="starting") if anew else link


def _rebased(state: EquipmentState, changed: Reconfigured, rules: EquipmentRules) -> Observation:
    """Return the known readings of counters that mean something else, as if read just now."""
    fresh = quality.unread(changed, rules)
    held = state.durable.counters
    tags = {
        rule.tag: state.live.values[rule.tag]
        for rule in rules.counters
        if rule.tag in state.live.values
        and rule.tag not in fresh
        and (rule.name not in held or held[rule.name].identity != rule.identity)
    }
    return Observation("", changed.at, changed.mono_s, frozenset(), tags)
