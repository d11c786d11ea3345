"""Profiles: what the machines of one model have in common, laid under an equipment.

- The site's own profile of a name goes before the shipped one.
- A variant is laid upon the profile, the equipment upon both. Mappings merge key by key,
  a list replaces the one below it, a null takes a key away.
- What a profile wants to know and nobody says is one problem, at the equipment.
- Who uses a profile whose addresses nobody has checked is told which values to compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers import registry
from gateway.settings.links import SpecOf
from gateway.settings.node import Node, find, locate, merged
from gateway.settings.problems import Path, Place, Prose, Report
from gateway.settings.profile_link import laid_under, missing_settings
from gateway.settings.profile_model import ABOUT_ITSELF, ProfileFile
from gateway.settings.profile_parameters import filled_in, missing_parameters
from gateway.settings.sources import Sources
from gateway.settings.validation import validate
from gateway.settings.yaml_source import read

FOLDER = "profiles"
COMPARED = 3
"""So many values tell whether addresses, types and orders are right."""
_NEEDS_A_PROFILE = ("variant", "parameters", "compared")


@dataclass(frozen=True, slots=True)
class Upon:
    """An equipment upon its profile."""

    node: Node
    link: Node | None = None
    """What the profile says of a link, for an equipment whose link is a shared one."""


def with_profile(
    equipment: Node, sources: Sources, report: Report, *, spec_of: SpecOf = registry.spec
) -> Upon | None:
    """Return the equipment upon the profile it names; None if that cannot be used."""
    named = find(equipment, ("profile",))
    if named is None or not isinstance(named.value, str):
        for key in _NEEDS_A_PROFILE:
            if key in equipment.entries:
                report.add("only_with_profile", equipment.entries[key].place, (key,), name=key)
        return Upon(equipment)
    written = _read(named.value, named.place, sources, report)
    profile = None if written is None else _of_variant(written, named.value, equipment, report)
    file = None if profile is None else validate(ProfileFile, profile, report)
    if profile is None or file is None:
        return None
    if file.profile != named.value:
        place = locate(profile, ("profile",))
        report.add("profile_name", place, ("profile",), name=file.profile, stem=named.value)
    _check_names(file, profile, report)
    if missing_parameters(file, equipment, report) | missing_settings(file, equipment, report):
        return None
    _warn(file, named.place, equipment, report)
    filled = filled_in(file, profile, equipment, report)
    linked = laid_under(filled.entries.get("link"), equipment, spec_of)
    return Upon(merged(filled.without(*ABOUT_ITSELF), linked), filled.entries.get("link"))


def _read(name: str, named_at: Place, sources: Sources, report: Report) -> Node | None:
    relative = f"{FOLDER}/{name}.yaml"
    source = sources.find(relative) if "/" not in name and "\\" not in name else None
    if source is None:
        known = Prose(", ".join(sources.names(FOLDER)) or "-")
        places = Prose(sources.places(relative))
        report.add("missing_profile", named_at, ("profile",), name=name, places=places, known=known)
        return None
    return read(source.path, source.label, report)


def _of_variant(profile: Node, name: str, equipment: Node, report: Report) -> Node | None:
    """Return the profile of the model the equipment names; None if it has to name one."""
    variants = _below(profile, "variants")
    rest = profile.without("variants")
    chosen = equipment.entries.get("variant")
    if chosen is None:
        if variants and "tags" not in profile.entries:
            known = Prose(", ".join(sorted(variants)))
            path: Path = ("variant",)
            report.add("no_variant", equipment.place, path, name=name, known=known)
            return None
        return rest
    if not isinstance(chosen.value, str) or chosen.value not in variants:
        report.add_unknown(
            "unknown_variant", chosen.place, ("variant",), str(chosen.value), variants
        )
        return None
    return merged(rest, variants[chosen.value])


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
    compare = Prose(", ".join(file.compare or tuple(file.tags)[:COMPARED]) or "-")
    path: Path = ("profile",)
    if file.verified == "none":
        report.add("unverified_profile", named_at, path, name=file.profile, compare=compare)
    elif file.layout == "program":
        report.add("profile_layout", named_at, path, name=file.profile, compare=compare)
    elif file.unverified:
        tags = Prose(", ".join(file.unverified))
        report.add(
            "partly_unverified_profile",
            named_at,
            path,
            name=file.profile,
            tags=tags,
            compare=compare,
        )
