"""The equipment files of a site as a list sees them: whose tags, over which links."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import TypeAdapter, ValidationError

from drivers import registry
from gateway.settings import shipped
from gateway.settings.node import Node, plain
from gateway.settings.problems import Report
from gateway.settings.profile import Profiles
from gateway.settings.sources import Sources
from gateway.settings.yaml_source import read, scalar
from gateway.tags.entries import Fit, Target


@dataclass(frozen=True, slots=True)
class EquipmentSource:
    """One file under ``equipment/``."""

    code: str
    label: str
    """Relative to the configuration directory."""
    path: Path
    own: Mapping[str, Any]
    """What the file itself says."""
    whole: Mapping[str, Any]
    """The same upon its profile."""
    target: Target

    def tags(self) -> Mapping[str, Mapping[str, Any]]:
        """Return every tag with all its settings."""
        tags = self.whole.get("tags") or {}
        return {name: tag if isinstance(tag, Mapping) else {} for name, tag in tags.items()}


def equipment_of(directory: Path) -> dict[str, EquipmentSource]:
    """Return the equipment files that can be read, by the equipment's code."""
    sources = Sources(directory, shipped.directory())
    profiles = Profiles(sources)
    shared = shared_links(directory)
    found = {}
    for source in sources.own("equipment", Report()):
        node = read(source.path, source.label, Report())
        if node is None:
            continue
        upon = profiles.under(node, Report())
        own, whole = _mapping(node), _mapping(node if upon is None else upon.node)
        code = str(own.get("equipment", source.stem))
        target = _target(whole, shared)
        found[code] = EquipmentSource(code, source.label, source.path, own, whole, target)
    return found


def shared_links(directory: Path) -> dict[str, str]:
    """Return the links several equipment may use, each with its protocol."""
    return {
        source.stem: str(_mapping(read(source.path, source.label, Report())).get("protocol", ""))
        for source in Sources(directory, shipped.directory()).own("links", Report())
    }


@cache
def fields_of(protocol: str) -> Mapping[str, Fit]:
    """Return the settings a tag of this protocol has; none for an unknown protocol."""
    try:
        model = registry.spec(protocol).tag_settings
    except registry.UnknownProtocol:
        return {}
    return {name: _fit(field) for name, field in model.model_fields.items()}


def all_fields() -> list[str]:
    """Return the settings of tags of all protocols."""
    return sorted({name for protocol in registry.protocols() for name in fields_of(protocol)})


def _target(whole: Mapping[str, Any], shared: Mapping[str, str]) -> Target:
    private = whole.get("links") or {}
    protocols = {**shared, **{name: (link or {}).get("protocol") for name, link in private.items()}}
    only = next(iter(private)) if len(private) == 1 else None
    links = {name: fields_of(str(protocol)) for name, protocol in protocols.items()}
    return Target(links, whole.get("link") or only)


def _fit(field: Any) -> Fit:
    """Return how a cell's text becomes a value of a setting: the first reading it takes."""
    kind = field.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(
        Annotated[kind, *field.metadata] if field.metadata else kind
    )

    def fitting(text: str) -> Any:
        for value in _readings(text):
            try:
                adapter.validate_python(value)
            except ValidationError:
                continue
            return value
        return scalar(text)  # the driver says what is wrong with it

    return fitting


def _readings(text: str) -> list[Any]:
    readings: list[Any] = [scalar(text), text]
    if text.startswith(("[", "{")):
        with suppress(orjson.JSONDecodeError):
            readings.insert(0, orjson.loads(text))
    return readings


def _mapping(node: Node | None) -> Mapping[str, Any]:
    value = None if node is None else plain(node)
    return value if isinstance(value, Mapping) else {}
