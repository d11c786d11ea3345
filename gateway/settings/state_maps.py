"""Reading `status_map`: is the map known, and has it the tags it needs."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.map_tables import MAPS
from gateway.domain.maps import StateMap
from gateway.settings.equipment_model import StatusMapFile
from gateway.settings.node import Node, locate
from gateway.settings.problems import Path, Prose, Report

KEY = "status_map"


@dataclass(frozen=True, slots=True)
class MapInUse:
    """A map and the tags of an equipment that play its roles."""

    states: StateMap
    tags: Mapping[str, str]


def read_map(file: StatusMapFile | None, node: Node, report: Report) -> MapInUse | None:
    """Return the map an equipment names; problems are reported.

    Whether its tags exist is left to who knows them.
    """
    if file is None:
        return None
    states = MAPS.get(file.map)
    if states is None:
        path: Path = (KEY, "map")
        report.add_unknown("unknown_map", locate(node, path), path, file.map, MAPS)
        return None
    tags = {role: tag for role, tag in file if role != "map" and tag is not None}
    for role in sorted(states.needed - tags.keys()):
        report.add("missing", locate(node, (KEY,)), (KEY, role), name=role)
    for role in sorted(tags.keys() - set(states.roles)):
        path = (KEY, role)
        known = Prose(", ".join(states.roles))
        report.add("unused_role", locate(node, path), path, name=role, map=file.map, known=known)
    return MapInUse(states, tags)
