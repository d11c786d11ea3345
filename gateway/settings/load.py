"""Read a configuration directory completely, before anything connects.

Promises:

- Every problem is reported in one go, with file, line and key, in both languages.
- Whatever the files hold, the answer is a `Site` or `ConfigProblems`.
- Nothing is written and no device, broker or store is touched.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from drivers import registry
from drivers.contract import Home
from gateway.domain.events import FaultText
from gateway.settings import faults, shipped
from gateway.settings.calendar import with_calendars
from gateway.settings.equipment_model import EquipmentFile
from gateway.settings.links import LinkSource, SpecOf, find_notices, read_link, sessions
from gateway.settings.model import GatewayFile
from gateway.settings.node import Node, locate
from gateway.settings.problems import ConfigProblems, Place, Prose, Report
from gateway.settings.problems import Path as KeyPath
from gateway.settings.profile import Profiles, Upon
from gateway.settings.profile_link import find_differences
from gateway.settings.push import find_push_problems
from gateway.settings.rules import RuleReader
from gateway.settings.site import NO_LEVEL, EquipmentConfig, LinkConfig, Site, home_of
from gateway.settings.sources import Source, Sources
from gateway.settings.tags import Links, TagSource, find_misconfigured, find_overlaps, read_tag
from gateway.settings.validation import salvage, validate
from gateway.settings.words import NAME_PATTERN
from gateway.settings.yaml_source import read

GATEWAY_FILE = "gateway.yaml"
A_PROFILE_MAY_BRING = frozenset(
    {
        "missing",
        "no_fault_source",
        "no_status",
        "unknown_link",
        "unknown_tag",
        "unknown_tag_guess",
        "unused_link",
        "which_link",
    }
)
"""Problems an equipment has only because its profile is not there."""


def load(
    directory: Path,
    *,
    spec_of: SpecOf = registry.spec,
    shipped_data: Path | None = None,
    now: datetime | None = None,
    meant_for: Path | None = None,
) -> Site:
    """Return the checked configuration; raises ConfigProblems with everything found.

    ``meant_for`` is the directory these files will lie in, if that is another one: secrets
    are there, and the `Site` is as if it had been read there. ``now`` dates the warnings of
    what will expire; the present, if not given.
    """
    report = Report()
    if not directory.is_dir():
        report.add("missing_directory", Place(""))
        raise ConfigProblems(report.problems)
    sources = Sources(directory, shipped_data or shipped.directory())
    home = meant_for or directory
    site = _Loader(sources, home, report, spec_of, now or datetime.now(UTC)).site()
    if site is None or report.refused:
        raise ConfigProblems(report.problems)
    return site


@dataclass(frozen=True, slots=True)
class _Equipment:
    """One equipment as read, before links are merged. Its tree is gone: a site has many."""

    config: EquipmentConfig
    tags: tuple[TagSource, ...]


@dataclass
class _Loader:
    """The way through the files, in the order a person would read them."""

    sources: Sources
    directory: Path
    report: Report
    spec_of: SpecOf
    now: datetime
    home: Home | None = None
    gateway_node: Node | None = None
    links: list[LinkSource] = field(default_factory=list)
    dictionaries: dict[tuple[str, faults.Kind], Mapping[int, FaultText]] = field(
        default_factory=dict
    )
    files: dict[str, str] = field(default_factory=dict)
    """Equipment -> the file that declares it."""
    alike: dict[Any, Any] = field(default_factory=dict)
    """Tag settings seen so far."""
    shared: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Protocol -> what its links have in common."""
    without_profile: set[str] = field(default_factory=set)
    """Files of equipment whose profile cannot be used."""
    profiles: Profiles = field(init=False)

    def __post_init__(self) -> None:
        self.profiles = Profiles(self.sources, self.spec_of)

    def site(self) -> Site | None:
        """Return the site; None or a site of no use if the report refuses it."""
        gateway = self._gateway()
        self.home = None if gateway is None else home_of(self.directory, gateway)
        shared = self._shared_links()
        equipment = self._all_equipment(shared)
        leaders = sessions(self.links, self.report)
        configs = {e.config.equipment: _on_sessions(e.config, leaders) for e in equipment}
        links = self._sessions(equipment, leaders)
        configs = with_calendars(self.sources, gateway, configs, self.report)
        if gateway is not None and self.gateway_node is not None:
            find_push_problems(gateway, self.gateway_node, configs, self.report)
        for label in self.without_profile:
            self.report.forget(label, A_PROFILE_MAY_BRING)
        if gateway is None:
            return None
        warnings = tuple(self.report.problems)
        return Site(self.directory, gateway, configs, links, warnings)

    def _gateway(self) -> GatewayFile | None:
        path = self.sources.directory / GATEWAY_FILE
        if not path.exists():
            self.report.add("missing_file", Place(GATEWAY_FILE), name=GATEWAY_FILE)
            return None
        self.gateway_node = node = read(path, GATEWAY_FILE, self.report)
        file = None if node is None else validate(GatewayFile, node, self.report)
        if node is not None and file is not None and file.web.is_open and not file.web.cert_file:
            at = ("web", "host")
            self.report.add("web_without_tls", locate(node, at), at)
        return file

    def _shared_links(self) -> dict[str, LinkSource | None]:
        found: dict[str, LinkSource | None] = {}
        for source in self.sources.own("links", self.report):
            if not re.fullmatch(NAME_PATTERN, source.stem):
                self.report.add("bad_name", Place(source.label), value=source.stem)
            node = read(source.path, source.label, self.report)
            found[source.stem] = None if node is None else self._link(source.stem, node)
        return found

    def _link(self, name: str, node: Node, owner: str = "") -> LinkSource | None:
        key, at = (f"{owner}.{name}", ("links", name)) if owner else (name, ())
        link = read_link(key, name, node, self.report, at=at, spec_of=self.spec_of, home=self.home)
        if link is not None and link.settings is not None:
            self.links.append(link)
        return link

    def _all_equipment(self, shared: Mapping[str, LinkSource | None]) -> list[_Equipment]:
        files = self.sources.own("equipment", self.report)
        if not files:
            self.report.add("no_equipment", Place("equipment"))
        found = (self._equipment(source, shared) for source in files)
        return [equipment for equipment in found if equipment is not None]

    def _equipment(
        self, source: Source, shared: Mapping[str, LinkSource | None]
    ) -> _Equipment | None:
        written = read(source.path, source.label, self.report)
        if written is None:
            return None
        upon = self.profiles.under(written, self.report)
        if upon is None:  # what it says itself can be checked all the same
            self.without_profile.add(source.label)
            upon = Upon(written)
        node = upon.node
        file = self._equipment_file(node, source.label)
        if file is None:
            return None
        own = _below(node, "links")
        private = {name: self._link(name, own[name], file.equipment) for name in own}
        only = next(iter(private)) if len(private) == 1 else None
        links = Links({**shared, **private}, file.link or only, self.alike)
        if file.link is not None and file.link not in links.by_name:
            place = locate(node, ("link",))
            self.report.add_unknown("unknown_link", place, ("link",), file.link, links.by_name)
        if file.profile is not None and file.link not in private:
            at = locate(node, ("link",))
            find_differences(upon.link, shared.get(file.link or ""), file.profile, at, self.report)
        read_tags = [
            read_tag(file.equipment, name, tag, links, self.report)
            for name, tag in _below(node, "tags").items()
        ]
        tags = tuple(tag for tag in read_tags if tag is not None)
        return _Equipment(self._config(file, node, source.label, tags), tags)

    def _equipment_file(self, node: Node, label: str) -> EquipmentFile | None:
        """Return the file under a name of its own, so that all of it can be checked."""
        file = salvage(EquipmentFile, node, self.report)
        name = "" if file is None else file.equipment
        if name in self.files:
            place, earlier = locate(node, ("equipment",)), self.files[name]
            path = ("equipment",)
            self.report.add("duplicate_equipment", place, path, name=name, file=earlier)
        if name and name not in self.files:
            self.files[name] = label
            return file
        if not isinstance(node.value, Mapping):
            return None
        stand_in = Node(node.place, f"unnamed-{len(self.files)}")
        self.files[str(stand_in.value)] = label
        named = Node(node.place, {**node.entries, "equipment": stand_in})
        return salvage(EquipmentFile, named, self.report)

    def _config(
        self, file: EquipmentFile, node: Node, label: str, tags: Sequence[TagSource]
    ) -> EquipmentConfig:
        code = file.equipment
        tag_rules = {tag.name: tag.rule for tag in tags}
        meanings = {tag.name: tag.meaning for tag in tags}
        reader = RuleReader(file, node, self.report)
        rules = reader.rules(tag_rules, meanings, partial(self._dictionary, node))
        zh, en = file.name.get("zh"), file.name.get("en")
        return EquipmentConfig(
            equipment=code,
            name={"zh": zh or en or code, "en": en or zh or code},
            area=file.area or NO_LEVEL,
            line=file.line or NO_LEVEL,
            rules=rules,
            links=frozenset(rule.link for rule in tag_rules.values()),
            file=label,
        )

    def _dictionary(
        self, node: Node, name: str, kind: faults.Kind, at: KeyPath
    ) -> Mapping[int, FaultText]:
        source = self.sources.find(name)
        if source is None:
            places = Prose(self.sources.places(name))
            self.report.add("missing_fault_file", locate(node, at), at, name=name, places=places)
            return {}
        known = self.dictionaries.get((name, kind))
        if known is None:
            known = faults.load(source, kind, self.report)
            self.dictionaries[name, kind] = known
        return known

    def _sessions(
        self, equipment: list[_Equipment], leaders: Mapping[str, LinkSource]
    ) -> dict[str, LinkConfig]:
        tags: dict[str, list[TagSource]] = {link.key: [] for link in leaders.values()}
        for tag in (tag for one in equipment for tag in one.tags):
            tags[leaders[tag.link.key].key].append(tag)
        used = {tag.link.key for one in equipment for tag in one.tags}
        for link in self.links:
            if link.key not in used and not self.report.refused:
                self.report.add("unused_link", link.place, link.path, name=link.name)
        return {
            key: self._session(leaders[key], members) for key, members in tags.items() if members
        }

    def _session(self, link: LinkSource, tags: list[TagSource]) -> LinkConfig:
        shared = self.shared.setdefault(link.spec.protocol, {})
        find_misconfigured(link, tags, self.report, shared)
        find_overlaps(link, tags, self.report)
        find_notices(link, self.now, self.report)
        return LinkConfig(
            name=link.key,
            protocol=link.spec.protocol,
            settings=link.settings,
            tags=tuple(tag.request(link) for tag in tags),
            equipment=frozenset(tag.equipment for tag in tags),
            spec=link.spec,
        )


def _on_sessions(config: EquipmentConfig, leaders: Mapping[str, LinkSource]) -> EquipmentConfig:
    """Name the sessions its links became part of."""
    if all(leaders[link].key == link for link in config.links):
        return config
    tags = {
        name: replace(tag, link=leaders[tag.link].key) for name, tag in config.rules.tags.items()
    }
    links = frozenset(tag.link for tag in tags.values())
    return replace(config, rules=replace(config.rules, tags=tags), links=links)


def _below(node: Node, key: str) -> Mapping[str, Node]:
    found = node.entries.get(key)
    return {} if found is None else found.entries
