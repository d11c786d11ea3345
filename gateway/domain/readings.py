"""Values by exception: what moved by more than its deadband, and full sets now and then."""

from collections.abc import Mapping

from drivers.contract import Value
from gateway.domain.events import Reading
from gateway.domain.facts import Observation
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import Live
from gateway.domain.vocabulary import Order, stamp


def report(
    before: Live, live: Live, seen: Observation, rules: EquipmentRules, order: Order | None
) -> tuple[Live, list[Reading]]:
    """Return ``live`` after the readings of a batch, and these; ``before`` is what was known.

    A group is reported in full when its snapshot is due, otherwise by what changed and
    by what turned bad.
    """
    due = _due_groups(live, seen, rules)
    if not seen.changed and not seen.bad and not due:
        return _told(live, before.published), []
    groups = _moved(before.published, seen, rules, due)
    bad = _bad(groups, live, seen, rules, due) if due or seen.bad else {}
    events = [
        _reading(group, values, bad.get(group, {}), seen, order, full=group in due)
        for group, values in groups.items()
        if values or bad.get(group)
    ]
    if due:
        again_s = dict.fromkeys(due, seen.mono_s + rules.snapshot_s)
        live = live._replace(snapshot_due_s={**live.snapshot_due_s, **again_s})
    return _told(live, _published(before, live, seen, groups, due)), events


def _told(live: Live, published: Mapping[str, Value]) -> Live:
    return live if live.published is published else live._replace(published=published)


def _bad(
    groups: dict[str, dict[str, Value]],
    live: Live,
    seen: Observation,
    rules: EquipmentRules,
    due: frozenset[str],
) -> dict[str, dict[str, str]]:
    """Return by group what is bad; ``groups`` gets those that are told for it or in full."""
    bad: dict[str, dict[str, str]] = {}
    for group in due:
        groups[group], bad[group] = _full_set(group, live, rules)
    for tag, cause in seen.bad.items():
        rule = rules.tags.get(tag)
        if rule is not None and rule.publish and rule.group not in due:
            groups.setdefault(rule.group, {})
            bad.setdefault(rule.group, {})[tag] = cause
    return bad


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
    published = dict(before.published)
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
    published: Mapping[str, Value],
    seen: Observation,
    rules: EquipmentRules,
    due: frozenset[str],
) -> dict[str, dict[str, Value]]:
    """Return by group what changed by more than its deadband since it was published.

    The rule of a tag is looked at only where it matters: those of 1,000 machines fit no cache.
    """
    moved: dict[str, dict[str, Value]] = {}
    for tag, value in seen.changed.items():
        last, group = published.get(tag), rules.sole_group
        if last == value:
            continue
        if last is None or group is None or tag in rules.held_back:
            rule = rules.tags.get(tag)
            if rule is None or not rule.publish or not _differs(last, value, rule.deadband):
                continue
            group = rule.group
        if group not in due:
            moved.setdefault(group, {})[tag] = value
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
