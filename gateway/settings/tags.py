"""Tags as written: which link reads them, and whether two read the same."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from drivers.contract import Misconfigured, Overlap, Shared, TagRequest
from gateway.domain.rules import STOPPING_FAULT, TagRule
from gateway.domain.vocabulary import Text
from gateway.settings.equipment_model import TagFile
from gateway.settings.links import LinkSource
from gateway.settings.node import Node, locate
from gateway.settings.problems import Path, Place, Prose, Report
from gateway.settings.validation import salvage, validate
from gateway.settings.words import texts

NO_TEXT: Text = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TagSource:
    """One tag as written in a file."""

    equipment: str
    name: str
    place: Place
    rule: TagRule
    """What the domain needs to know of it; its link is the one that is written."""
    link: LinkSource
    settings: Any
    own_group: str | None
    """The group it was put in, None for that of its link."""

    @property
    def key(self) -> str:
        """How drivers call it."""
        return f"{self.equipment}/{self.name}"

    @property
    def path(self) -> Path:
        """Where it stands in its file."""
        return ("tags", self.name)

    @property
    def meaning(self) -> str:
        """What its raw value means: the settings that differ from their defaults."""
        settings = self.settings.model_dump(mode="json", exclude_defaults=True)
        return f"{self.link.spec.protocol} {json.dumps(settings, sort_keys=True)}"

    def request(self, session: LinkSource) -> TagRequest:
        """Return what the driver needs to know of it."""
        return TagRequest(
            key=self.key,
            group=self.own_group or session.name,
            poll_interval_s=self.link.poll_interval_s(self.own_group),
            settings=self.settings,
        )


def read_tag(
    equipment: str, name: str, node: Node, links: "Links", report: Report
) -> TagSource | None:
    """Return the tag declared by ``node``; None after a problem."""
    path: Path = ("tags", name)
    if name == STOPPING_FAULT:
        report.add("reserved_name", node.place, path, name=name)
    own = node.without(*TagFile.model_fields)
    common = Node(node.place, {k: v for k, v in node.entries.items() if k not in own.entries})
    file = salvage(TagFile, common, report, at=path)
    link = None if file is None else links.of(file, node, name, report)
    if file is None or link is None:
        return None
    settings = validate(link.spec.tag_settings, own, report, at=path, known=TagFile.model_fields)
    if link.settings is None or settings is None:
        return None
    if not _group_exists(file, link, node, name, report):
        return None
    own_group = None if file.group == link.name else file.group
    alike, rule = links.one_for_all(settings), _rule(name, file, link)
    return TagSource(equipment, name, node.place, rule, link, alike, own_group)


def _rule(name: str, tag: TagFile, link: LinkSource) -> TagRule:
    return TagRule(
        name=name,
        link=link.key,
        group=tag.group or link.name,
        unit=tag.unit,
        deadband=tag.deadband,
        publish=tag.publish,
        low=tag.low,
        high=tag.high,
        text=texts(tag.name) if tag.name else NO_TEXT,
    )


@dataclass(frozen=True, slots=True)
class Links:
    """The links one equipment may name; None stands for one that has a problem."""

    by_name: Mapping[str, LinkSource | None]
    default: str | None
    """The link of a tag that names none; whoever names it here has checked it."""
    alike: dict[Any, Any] = field(default_factory=dict)
    """Settings seen so far: equal machines have equal tags, thousands of them."""

    def one_for_all(self, settings: Any) -> Any:
        """Return the first settings that are equal to these."""
        try:
            return self.alike.setdefault(settings, settings)
        except TypeError:  # a driver's settings need not be hashable
            return settings

    def of(self, tag: TagFile, node: Node, name: str, report: Report) -> LinkSource | None:
        """Return the link of a tag; None after a problem."""
        wanted = tag.link or self.default
        if wanted is None:
            report.add("which_link", node.place, ("tags", name), name=name)
            return None
        if wanted not in self.by_name and tag.link:
            path = ("tags", name, "link")
            report.add_unknown("unknown_link", locate(node, ("link",)), path, wanted, self.by_name)
        return self.by_name.get(wanted)


def _group_exists(file: TagFile, link: LinkSource, node: Node, name: str, report: Report) -> bool:
    if file.group is None or file.group == link.name:
        return True
    try:
        link.poll_interval_s(file.group)
    except LookupError:
        place = node.entries["group"].place
        report.add("unknown_group", place, ("tags", name, "group"), name=file.group, link=link.name)
        return False
    return True


def find_overlaps(session: LinkSource, tags: Iterable[TagSource], report: Report) -> None:
    """Report tags of one equipment and session that read the same, or part of another."""
    owner = attrgetter("equipment")
    for _, group in groupby(sorted(tags, key=owner), key=owner):
        members = sorted(group, key=attrgetter("place.line"))
        for one, other in _equal(members):
            line = one.place.line
            report.add("same_value", other.place, other.path, other=one.name, line=line)
        for one, other, found in _overlaps(session, members):
            if repr(one.settings) != repr(other.settings):
                report.add(
                    "same_place" if found.same else "overlapping_tags",
                    other.place,
                    other.path,
                    other=one.name,
                    line=one.place.line,
                    other_span=found.spans[0],
                    span=found.spans[1],
                )


def find_misconfigured(
    session: LinkSource, tags: Sequence[TagSource], report: Report, shared: Shared
) -> None:
    """Report what the driver itself refuses: for each tag that is, else for the link.

    ``shared`` is one mapping for all links of the protocol: see `drivers.contract.Shared`.
    """
    refused = _refused_tags(session, tags)
    for tag in tags:
        if tag.key in refused:
            _add_refusal(refused[tag.key], tag.place, tag.path, report, key=tag.key)
    whole = None if refused else _refusal(session, tags, shared)
    if whole is not None:
        _add_refusal(whole, session.place, session.path, report)


def _add_refusal(
    err: Misconfigured, place: Place, path: Path, report: Report, *, key: str = ""
) -> None:
    if err.refusal is not None:
        report.add_refusal(err.refusal, place, path)
    else:
        reason = Prose(err.reason.removeprefix(f"{key}: "))
        report.add("misconfigured", place, path, reason=reason, hint=Prose(err.hint))


def _refused_tags(session: LinkSource, tags: Sequence[TagSource]) -> Mapping[str, Misconfigured]:
    """Return what is wrong with each tag by itself, by key."""
    if session.spec.problems is not None:
        return dict(session.spec.problems(session.settings, _requests(session, tags)))
    if _refusal(session, tags, {}) is None:
        return {}
    each = [(tag.key, _refusal(session, [tag], {})) for tag in tags]
    return {key: err for key, err in each if err is not None}


def _refusal(
    session: LinkSource, tags: Sequence[TagSource], shared: Shared
) -> Misconfigured | None:
    try:
        session.spec.create(session.settings, _requests(session, tags), shared)
    except Misconfigured as err:
        return err
    return None


def _requests(session: LinkSource, tags: Sequence[TagSource]) -> list[TagRequest]:
    return [tag.request(session) for tag in tags]


def _overlaps(
    session: LinkSource, tags: Sequence[TagSource]
) -> Iterator[tuple[TagSource, TagSource, Overlap]]:
    if session.spec.overlaps is not None:
        for found in session.spec.overlaps(session.settings, _requests(session, tags)):
            yield tags[found.first], tags[found.second], found


def _equal(tags: Sequence[TagSource]) -> list[tuple[TagSource, TagSource]]:
    first: dict[str, TagSource] = {}
    pairs = [(first.setdefault(repr(tag.settings), tag), tag) for tag in tags]
    return [(one, other) for one, other in pairs if one is not other]
