"""Values by exception: what moved by more than its deadband, and full sets now and then."""

from collections.abc import Mapping
from typing import NamedTuple

from drivers.contract import Value
from gateway.domain.events import Reading
from gateway.domain.facts import Observation
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import Live
from gateway.domain.vocabulary import Order, stamp


class ReadingStep(NamedTuple):
    """What one batch publishes."""

    published: Mapping[str, Value]
    snapshot_due_s: Mapping[str, float]
    events: tuple[Reading, ...]


def report(
    before: Live, live: Live, seen: Observation, rules: EquipmentRules, order: Order | None
) -> ReadingStep:
    """Return the readings of a batch; ``before`` is what was known, ``live`` what is now.

    A group is reported in full when its snapshot is due, otherwise by what changed and
    by what turned bad.
    """
    due = _due_groups(live, seen, rules)
    if not seen.changed and not seen.bad and not due:
        return ReadingStep(live.published, live.snapshot_due_s, ())
    groups = _moved(live, seen, rules, due)
    bad: dict[str, dict[str, str]] = {}
    for tag, cause in seen.bad.items():
        rule = rules.tags.get(tag)
        if rule is not None and rule.publish and rule.group not in due:
            bad.setdefault(rule.group, {})[tag] = cause
    for group in due:
        groups[group], bad[group] = _full_set(group, live, rules)
    return _step(before, live, seen, rules, groups, bad, due, order)


def _step(
    before: Live,
    live: Live,
    seen: Observation,
    rules: EquipmentRules,
    groups: Mapping[str, Mapping[str, Value]],
    bad: Mapping[str, Mapping[str, str]],
    due: frozenset[str],
    order: Order | None,
) -> ReadingStep:
    events = [
        _reading(group, groups.get(group, {}), bad.get(group, {}), seen, order, full=group in due)
        for group in (dict.fromkeys((*groups, *bad)) if bad else groups)
        if groups.get(group) or bad.get(group)
    ]
    snapshot_due_s = live.snapshot_due_s
    if due:
        snapshot_due_s = {
            **snapshot_due_s,
            **dict.fromkeys(due, seen.mono_s + rules.snapshot_s),
        }
    return ReadingStep(_published(before, live, seen, groups, due), snapshot_due_s, tuple(events))


def _published(
    before: Live,
    live: Live,
    seen: Observation,
    groups: Mapping[str, Mapping[str, Value]],
    due: frozenset[str],
) -> Mapping[str, Value]:
    """Return what is published now: the very mapping of what is good, if that is the same.

    It is for most machines, which have no deadband; so one mapping serves instead of two.
    """
    were_same = before.published is before.values and not due and not seen.bad
    if were_same and sum(map(len, groups.values())) == len(seen.changed):
        return live.values
    published = dict(live.published)
    for values in groups.values():
        published.update(values)
    for tag in seen.bad:
        published.pop(tag, None)
    return live.values if due and published == live.values else published


def _due_groups(live: Live, seen: Observation, rules: EquipmentRules) -> frozenset[str]:
    late = [group for group, due_s in live.snapshot_due_s.items() if seen.mono_s >= due_s]
    if not late:
        return frozenset()
    covered = {rules.tags[tag].group for tag in seen.covers if tag in rules.tags}
    return frozenset(covered.intersection(late))


def _full_set(
    group: str, live: Live, rules: EquipmentRules
) -> tuple[dict[str, Value], dict[str, str]]:
    tags = [name for name, rule in rules.tags.items() if rule.group == group and rule.publish]
    values = {tag: live.values[tag] for tag in tags if tag in live.values}
    return values, {tag: live.bad[tag] for tag in tags if tag in live.bad}


def _reading(
    group: str,
    values: Mapping[str, Value],
    bad: Mapping[str, str],
    seen: Observation,
    order: Order | None,
    *,
    full: bool,
) -> Reading:
    stamps = seen.source_times
    return Reading(
        at=seen.at,
        group=group,
        values=values,
        bad=bad,
        uncertain=tuple(sorted(seen.uncertain.intersection(values))) if seen.uncertain else (),
        full=full,
        sourcetime={tag: stamp(stamps[tag]) for tag in values if tag in stamps} if stamps else {},
        order=order,
        time_quality=seen.time_quality,
    )


def _moved(
    live: Live, seen: Observation, rules: EquipmentRules, due: frozenset[str]
) -> dict[str, dict[str, Value]]:
    """Return by group what changed by more than its deadband since it was published."""
    moved: dict[str, dict[str, Value]] = {}
    published, known = live.published, rules.tags
    for tag, value in seen.changed.items():
        rule = known.get(tag)
        if rule is None or not rule.publish or rule.group in due:
            continue
        last = published.get(tag)
        if last != value if not rule.deadband else _differs(last, value, rule.deadband):
            group = moved.get(rule.group)
            if group is None:
                moved[rule.group] = group = {}
            group[tag] = value
    return moved


def _differs(published: Value | None, value: Value, deadband: float) -> bool:
    if not deadband or published is None:
        return published != value
    if isinstance(value, bool | str) or isinstance(published, bool | str):
        return published != value
    try:
        return abs(value - published) > deadband
    except OverflowError:  # one of them is beyond any float
        return True
