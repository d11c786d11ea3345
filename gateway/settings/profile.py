"""Profiles: what the machines of one model have in common, laid under an equipment.

- The site's own profile of a name goes before the shipped one.
- A variant is laid upon the profile, the equipment upon both. Mappings merge key by key,
  a list replaces the one below it, a null takes a key away.
- What a profile wants to know and nobody says is one problem, at the equipment.
- Who uses a profile whose addresses nobody has checked is told which values to compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers import registry
from gateway.settings.links import SpecOf
from gateway.settings.node import Node, find, locate, merged
from gateway.settings.problems import Path, Place, Prose, Report
from gateway.settings.profile_link import laid_under, missing_settings
from gateway.settings.profile_model import ABOUT_ITSELF, ProfileFile
from gateway.settings.profile_parameters import filled_in, missing_parameters
from gateway.settings.sources import Source, Sources
from gateway.settings.validation import validate
from gateway.settings.yaml_source import read

FOLDER = "profiles"
COMPARED = 3
"""So many values tell whether addresses, types and orders are right."""
_NEEDS_A_PROFILE = ("variant", "parameters", "compared")
Checked = tuple[Node, ProfileFile]
"""A profile, with the variant laid upon it, as written and as checked."""


@dataclass(frozen=True, slots=True)
class Upon:
    """An equipment upon its profile."""

    node: Node
    link: Node | None = None
    """What the profile says of a link, for an equipment whose link is a shared one."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles of one site. Each is read once, and what is wrong in it said once."""

    sources: Sources
    spec_of: SpecOf = registry.spec
    _written: dict[str, Node | None] = field(default_factory=dict)
    _checked: dict[tuple[str, str | None], Checked | None] = field(default_factory=dict)

    def under(self, equipment: Node, report: Report) -> Upon | None:
        """Return the equipment upon the profile it names; None if that cannot be used."""
        named = find(equipment, ("profile",))
        if named is None or not isinstance(named.value, str):
            for key in _NEEDS_A_PROFILE:
                if key in equipment.entries:
                    report.add("only_with_profile", equipment.entries[key].place, (key,), name=key)
            return Upon(equipment)
        profile = self._profile(named.value, named.place, equipment, report)
        if profile is None:
            return None
        node, file = profile
        missing = missing_parameters(file, equipment, report)
        if missing_settings(file, equipment, report) or missing:
            return None
        _warn(file, named.place, equipment, report)
        filled = filled_in(file, node, equipment, report)
        link = filled.entries.get("link")
        linked = laid_under(link, equipment, self.spec_of)
        return Upon(merged(filled.without(*ABOUT_ITSELF), linked), link)

    def _profile(self, name: str, at: Place, equipment: Node, report: Report) -> Checked | None:
        source = self._source(name, at, report)
        if source is None:
            return None
        if name not in self._written:
            self._written[name] = read(source.path, source.label, report)
        written = self._written[name]
        if written is None:
            return None
        variant = equipment.entries.get("variant")
        if not _variant_is_clear(written, name, equipment, report):
            return None
        chosen = None if variant is None or variant.value is None else str(variant.value)
        key = name, chosen
        if key not in self._checked:
            self._checked[key] = _check(_of_variant(written, chosen), name, report)
        return self._checked[key]

    def _source(self, name: str, at: Place, report: Report) -> Source | None:
        relative = f"{FOLDER}/{name}.yaml"
        source = self.sources.find(relative) if "/" not in name and "\\" not in name else None
        if source is None:
            known = Prose(", ".join(self.sources.names(FOLDER)) or "-")
            places = Prose(self.sources.places(relative))
            report.add("missing_profile", at, ("profile",), name=name, places=places, known=known)
        return source


def _variant_is_clear(profile: Node, name: str, equipment: Node, report: Report) -> bool:
    """Report a variant that is missing or unknown."""
    variants = _below(profile, "variants")
    chosen = equipment.entries.get("variant")
    path: Path = ("variant",)
    if chosen is None or chosen.value is None:
        if not variants or "tags" in profile.entries:
            return True
        known = Prose(", ".join(sorted(variants)))
        report.add("no_variant", equipment.place, path, name=name, known=known)
        return False
    if isinstance(chosen.value, str) and chosen.value in variants:
        return True
    report.add_unknown("unknown_variant", chosen.place, path, str(chosen.value), variants)
    return False


def _of_variant(profile: Node, variant: str | None) -> Node:
    rest = profile.without("variants")
    return rest if variant is None else merged(rest, _below(profile, "variants")[variant])


def _check(profile: Node, name: str, report: Report) -> Checked | None:
    file = validate(ProfileFile, profile, report)
    if file is None:
        return None
    if file.profile != name:
        place = locate(profile, ("profile",))
        report.add("profile_name", place, ("profile",), name=file.profile, stem=name)
    _check_names(file, profile, report)
    return profile, file


def _below(node: Node, key: str) -> Mapping[str, Node]:
    found = node.entries.get(key)
    return {} if found is None else found.entries


def _check_names(file: ProfileFile, profile: Node, report: Report) -> None:
    """Report tags the profile speaks of and does not have."""
    for key, names in (("compare", file.compare), ("unverified", file.unverified)):
        for number, name in enumerate(names):
            if name not in file.tags:
                path: Path = (key, number)
                report.add_unknown("no_such_tag", locate(profile, path), path, name, file.tags)


def _warn(file: ProfileFile, named_at: Place, equipment: Node, report: Report) -> None:
    compared = equipment.entries.get("compared")
    if compared is not None and compared.value is True:
        return
    named = equipment.entries.get("equipment")
    fields = {
        "name": file.profile,
        "equipment": "" if named is None else named.value,
        "compare": Prose(", ".join(file.compare or tuple(file.tags)[:COMPARED]) or "-"),
    }
    path: Path = ("profile",)
    if file.verified == "none":
        report.add("unverified_profile", named_at, path, **fields)
    elif file.layout == "program":
        report.add("profile_layout", named_at, path, **fields)
    elif file.unverified:
        tags = Prose(", ".join(file.unverified))
        report.add("partly_unverified_profile", named_at, path, tags=tags, **fields)
