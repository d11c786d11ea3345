"""Profiles: what the machines of one model have in common, laid under an equipment."""

from gateway.settings.equipment_model import PROFILE_ONLY, ProfileFile
from gateway.settings.node import Node, find, merged
from gateway.settings.problems import Place, Prose, Report
from gateway.settings.sources import Sources
from gateway.settings.validation import validate
from gateway.settings.yaml_source import read

FOLDER = "profiles"


def with_profile(equipment: Node, sources: Sources, report: Report) -> Node | None:
    """Return the equipment upon the profile it names; None if that cannot be used.

    Mappings merge key by key; a list replaces the profile's; a null takes a key away.
    """
    named = find(equipment, ("profile",))
    if named is None or not isinstance(named.value, str):
        return equipment
    profile = _read(named.value, named.place, sources, report)
    if profile is None:
        return None
    return merged(profile.without(*PROFILE_ONLY), equipment)


def _read(name: str, named_at: Place, sources: Sources, report: Report) -> Node | None:
    relative = f"{FOLDER}/{name}.yaml"
    source = sources.find(relative) if "/" not in name and "\\" not in name else None
    if source is None:
        known = Prose(", ".join(sources.names(FOLDER)) or "-")
        places = Prose(sources.places(relative))
        report.add("missing_profile", named_at, ("profile",), name=name, places=places, known=known)
        return None
    node = read(source.path, source.label, report)
    if node is None:
        return None
    file = validate(ProfileFile, node, report)
    if file is not None and file.profile != name:
        report.add("profile_name", node.place, ("profile",), name=file.profile, stem=name)
    if file is not None and file.verified == "none":
        report.add("unverified_profile", named_at, ("profile",), name=name)
    return node
