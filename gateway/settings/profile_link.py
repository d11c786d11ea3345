"""What a profile says of a link, laid under the link of an equipment.

- It holds for one link: the one the equipment names, or the only one it has.
- Of another protocol than the profile's, only the settings it has count: a meter behind
  a serial server needs no baud rate.
- A link that several equipment share is nobody's to complete; where it differs from what
  the profile is for, that is said.
"""

from collections.abc import Mapping
from typing import Any

from drivers.registry import UnknownProtocol
from gateway.settings.links import LinkSource, SpecOf
from gateway.settings.node import Node, find, merged, plain
from gateway.settings.problems import Place, Prose, Report
from gateway.settings.profile_model import ProfileFile

_A_SITE_DECIDES = frozenset({"protocol", "poll_interval_ms", "timeout_ms", "groups"})
"""Settings in which a shared link may differ without anything being wrong."""


def laid_under(defaults: Node | None, equipment: Node, spec_of: SpecOf) -> Node:
    """Return the equipment with its link upon the profile's settings."""
    name = _completed(equipment)
    if defaults is None or name is None:
        return equipment
    links = equipment.entries["links"]
    link = merged(_of_its_protocol(defaults, links.entries[name], spec_of), links.entries[name])
    entries = {**links.entries, name: link}
    return Node(equipment.place, {**equipment.entries, "links": Node(links.place, entries)})


def missing_settings(file: ProfileFile, equipment: Node, report: Report) -> bool:
    """Report what the link must say itself and does not."""
    name = _completed(equipment)
    if name is None:
        return False
    link = equipment.entries["links"].entries[name]
    missing = [key for key in file.link_needs if key not in link.entries]
    for key in missing:
        path = ("links", name, key)
        report.add("link_needs", link.place, path, profile=file.profile, name=key)
    return bool(missing)


def find_differences(
    wanted: Node | None, link: LinkSource | None, profile: str, at: Place, report: Report
) -> None:
    """Report where a shared link is not as the profile says."""
    if wanted is None or link is None or link.settings is None:
        return
    settings: Any = link.settings
    for key, node in wanted.entries.items():
        value = getattr(settings, key, None)
        if key in _A_SITE_DECIDES or isinstance(node.value, Mapping | tuple) or value is None:
            continue
        if value != node.value:
            report.add(
                "link_differs",
                at,
                ("link",),
                link=link.name,
                name=key,
                value=value,
                wanted=Prose(plain(node)),
                profile=profile,
            )


def _completed(equipment: Node) -> str | None:
    """Return the private link the profile's settings are for, None if there is none."""
    links = equipment.entries.get("links")
    private = {} if links is None else links.entries
    named = find(equipment, ("link",))
    if named is not None:
        return named.value if isinstance(named.value, str) and named.value in private else None
    return next(iter(private)) if len(private) == 1 else None


def _of_its_protocol(defaults: Node, link: Node, spec_of: SpecOf) -> Node:
    ours, own = find(defaults, ("protocol",)), find(link, ("protocol",))
    if own is None or ours is None or own.value == ours.value:
        return defaults
    try:
        known = spec_of(str(own.value)).link_settings.model_fields
    except UnknownProtocol:
        return Node(defaults.place, {})
    return Node(defaults.place, {k: v for k, v in defaults.entries.items() if k in known})
