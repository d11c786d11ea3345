"""The numbers a profile leaves open: ratios of transformers and the like.

- An equipment says them under ``parameters``; those without a default it must say.
- A tag that takes them says so with ``times``: its scale is multiplied by them.
"""

from math import prod

from gateway.settings.node import Node, find, locate
from gateway.settings.problems import Path, Prose, Report
from gateway.settings.profile_model import ProfileFile

KEY = "parameters"
TIMES = "times"
_DIGITS = 12
"""Significant ones of a product: 0.1 times 3 is 0.3."""


def missing_parameters(file: ProfileFile, equipment: Node, report: Report) -> bool:
    """Report what the profile asks for and the equipment does not say, and the other way round."""
    given = find(equipment, (KEY,))
    own = {} if given is None else given.entries
    for name in sorted(own.keys() - file.parameters.keys()):
        path: Path = (KEY, name)
        report.add_unknown("unknown_parameter", own[name].place, path, name, file.parameters)
    missing = [
        name
        for name, parameter in file.parameters.items()
        if parameter.default is None and name not in own
    ]
    for name in missing:
        meaning = Prose(" / ".join(file.parameters[name].name.values()))
        place = locate(equipment, (KEY,))
        report.add("missing_parameter", place, (KEY, name), name=name, meaning=meaning)
    return bool(missing)


def filled_in(file: ProfileFile, profile: Node, equipment: Node, report: Report) -> Node:
    """Return the profile with the numbers of this equipment in its scales."""
    tags = profile.entries.get("tags")
    if tags is None:
        return profile
    numbers = {name: _number(file, name, equipment) for name in file.parameters}
    entries = {name: _scaled(name, tag, numbers, report) for name, tag in tags.entries.items()}
    return Node(profile.place, {**profile.entries, "tags": Node(tags.place, entries)})


def _number(file: ProfileFile, name: str, equipment: Node) -> float:
    """A number that is none is the equipment's own problem; 1 stands for it."""
    given = find(equipment, (KEY, name))
    value = file.parameters[name].default if given is None else given.value
    usable = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if usable and isinstance(value, int | float) else 1.0


def _scaled(name: str, tag: Node, numbers: dict[str, float], report: Report) -> Node:
    times = tag.entries.get(TIMES)
    if times is None:
        return tag
    items = times.value if isinstance(times.value, tuple) else ()
    wanted = [str(item.value) for item in items]
    unknown = [one for one in wanted if one not in numbers]
    if unknown or not wanted:
        path: Path = ("tags", name, TIMES)
        report.add_unknown("bad_times", times.place, path, ", ".join(unknown), numbers)
        return tag.without(TIMES)
    written = find(tag, ("scale",))
    scale = 1 if written is None or not isinstance(written.value, int | float) else written.value
    product = float(f"{scale * prod(numbers[one] for one in wanted):.{_DIGITS}g}")
    rest = tag.without(TIMES)
    return Node(tag.place, {**rest.entries, "scale": Node(times.place, product)})
