"""Links as written, and the sessions they become.

Promises:

- Links that lead to the same endpoint become one session under the first of their names,
  shared links first.
- They must agree in every setting; if not, the problem names both files.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from drivers.contract import Home, ProtocolSpec
from drivers.registry import UnknownProtocol
from gateway.settings.node import Node, find
from gateway.settings.problems import Path, Place, Prose, Report
from gateway.settings.validation import validate

SpecOf = Callable[[str], ProtocolSpec]
"""Protocol name -> spec; raises `drivers.registry.UnknownProtocol`."""


@dataclass(frozen=True, slots=True)
class LinkSource:
    """One link as written in a file."""

    key: str
    """``<equipment>.<name>``, or ``<name>`` if it is shared."""
    name: str
    place: Place
    path: Path
    spec: ProtocolSpec
    settings: Any
    """An instance of the protocol's link settings class; None after a problem."""

    @property
    def session(self) -> tuple[str, str]:
        """What two links have in common if they are one session."""
        return self.spec.protocol, self.spec.endpoint_of(self.settings)

    def poll_interval_s(self, group: str | None) -> float | None:
        """Return how often a group is read, None where the device pushes.

        A polled protocol's link settings have ``poll_interval_ms``, and so has each of
        their ``groups``. Raises LookupError for a group the link does not have.
        """
        if self.spec.pushed:
            return None
        settings = self.settings if group is None else self.settings.groups[group]
        return _seconds(settings.poll_interval_ms)


def read_link(
    key: str,
    name: str,
    node: Node,
    report: Report,
    *,
    at: Path,
    spec_of: SpecOf,
    home: Home | None = None,
) -> LinkSource | None:
    """Return the link declared by ``node``; None if not even its protocol is clear."""
    spec = _spec(node, report, at, spec_of)
    if spec is None:
        return None
    settings = validate(spec.link_settings, node, report, at=at, context=home)
    return LinkSource(key, name, node.place, at, spec, settings)


def sessions(links: Iterable[LinkSource], report: Report) -> Mapping[str, LinkSource]:
    """Return for each link's key the link whose session it is."""
    first: dict[tuple[str, str], LinkSource] = {}
    found: dict[str, LinkSource] = {}
    for link in sorted(links, key=lambda link: ("." in link.key, link.key)):
        leader = first.setdefault(link.session, link)
        found[link.key] = leader
        if leader.settings != link.settings:
            report.add(
                "contradictory_links",
                link.place,
                link.path,
                name=leader.name,
                file=leader.place.file,
                line=leader.place.line,
                endpoint=link.session[1],
                keys=Prose(", ".join(_differences(leader.settings, link.settings))),
            )
    return found


def find_notices(link: LinkSource, now: datetime, report: Report) -> None:
    """Report what the driver says needs a hand soon."""
    if link.spec.notices is not None:
        for notice in link.spec.notices(link.settings, now):
            report.add_refusal(notice, link.place, link.path)


@cache
def _seconds(milliseconds: int) -> float:
    """Return the same object for the same interval: every tag has one."""
    return milliseconds / 1000


def _spec(node: Node, report: Report, at: Path, spec_of: SpecOf) -> ProtocolSpec | None:
    protocol = find(node, ("protocol",))
    if not isinstance(node.value, Mapping):
        report.add("not_mapping", node.place, at, value=node.value)
    elif protocol is None:
        report.add("missing", node.place, (*at, "protocol"), name="protocol")
    elif not isinstance(protocol.value, str):
        report.add("not_string", protocol.place, (*at, "protocol"), value=protocol.value)
    else:
        try:
            return spec_of(protocol.value)
        except UnknownProtocol as err:
            path = (*at, "protocol")
            known = Prose(", ".join(err.known))
            report.add("unknown_protocol", protocol.place, path, value=protocol.value, known=known)
    return None


def _differences(one: Any, other: Any) -> list[str]:
    return [name for name in type(one).model_fields if getattr(one, name) != getattr(other, name)]
