"""What may be believed: good values, bad tags, and since when a tag is in the dark."""

from gateway.domain.facts import LinkLost, Observation, Reconfigured, Started
from gateway.domain.rules import EquipmentRules
from gateway.domain.state import Live, Moment

NO_LINK = "no_link"
NEVER_READ = "never_read"


def absorb(live: Live, seen: Observation, now: Moment) -> Live:
    """Return what is known after a batch. A tag it does not cover stays as it was.

    Where all that is good was published it is again, unless `readings.report` says no.
    """
    last_ok = {**live.last_ok, seen.link: now}
    if not seen.changed and not seen.bad:
        return Live(live.values, live.bad, live.lost, last_ok, *live[4:])
    values = {**live.values, **seen.changed}
    bad, lost = live.bad, live.lost
    if seen.bad or (bad and not bad.keys().isdisjoint(seen.changed)):
        before = live.last_ok.get(seen.link, now)
        bad = {tag: cause for tag, cause in bad.items() if tag not in seen.changed}
        lost = {tag: moment for tag, moment in lost.items() if tag not in seen.changed}
        for tag, cause in seen.bad.items():
            bad[tag] = cause
            lost.setdefault(tag, before)
            values.pop(tag, None)
    published = values if live.published is live.values else live.published
    return Live(values, bad, lost, last_ok, published, *live[5:])


def lose_link(live: Live, lost_link: LinkLost, rules: EquipmentRules) -> Live:
    """Return what is known after a link went: nothing of its tags, since its last reply."""
    now = Moment(lost_link.at, lost_link.mono_s)
    since = live.last_ok.get(lost_link.link, now)
    tags = [tag for tag, rule in rules.tags.items() if rule.link == lost_link.link]
    bad, lost, values = dict(live.bad), dict(live.lost), dict(live.values)
    for tag in tags:
        bad[tag] = NO_LINK
        lost.setdefault(tag, since)
        values.pop(tag, None)
    return live._replace(bad=bad, lost=lost, values=values)


def wake(started: Started, rules: EquipmentRules) -> Live:
    """Return what is known when the gateway comes up: nothing, since it was last alive."""
    alive = started.last_alive
    since = Moment(started.at, started.mono_s) if alive is None else Moment(alive, None)
    links = {rule.link for rule in rules.tags.values()}
    return Live(
        bad=dict.fromkeys(rules.tags, NEVER_READ),
        lost=dict.fromkeys(rules.tags, since),
        last_ok=dict.fromkeys(links, since),
        snapshot_due_s=dict.fromkeys({rule.group for rule in rules.tags.values()}, 0.0),
    )


def unread(changed: Reconfigured, rules: EquipmentRules) -> frozenset[str]:
    """Return the tags of which nothing is known under the new rules."""
    before = changed.before.tags
    return frozenset(
        name
        for name, rule in rules.tags.items()
        if rule.link in changed.reopened or name not in before or before[name].link != rule.link
    )


def rebind(live: Live, changed: Reconfigured, rules: EquipmentRules) -> Live:
    """Return what is still known under other rules: what links brought that go on."""
    now, fresh = Moment(changed.at, changed.mono_s), unread(changed, rules)
    kept, tags = rules.tags.keys() - fresh, rules.tags.keys()
    lost = {tag: live.lost[tag] for tag in kept if tag in live.lost}
    for tag in fresh:
        old = changed.before.tags.get(tag)
        heard = now if old is None else live.last_ok.get(old.link, now)
        lost[tag] = live.lost.get(tag, heard)
    bad = {tag: cause for tag, cause in live.bad.items() if tag in kept}
    groups, links = ({getattr(r, n) for r in rules.tags.values()} for n in ("group", "link"))
    return live._replace(
        values={tag: value for tag, value in live.values.items() if tag in kept},
        bad=bad | dict.fromkeys(fresh, NEVER_READ),
        lost=lost,
        last_ok={link: live.last_ok.get(link, now) for link in links},
        read_at={tag: moment for tag, moment in live.read_at.items() if tag in tags},
        stamps={tag: stamp for tag, stamp in live.stamps.items() if tag in kept},
        published={tag: value for tag, value in live.published.items() if tag in kept},
        snapshot_due_s={group: live.snapshot_due_s.get(group, 0.0) for group in groups},
        fault_edges={k: v for k, v in live.fault_edges.items() if k.rpartition("/")[0] in kept},
    )
