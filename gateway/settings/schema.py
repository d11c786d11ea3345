"""JSON Schema of the configuration files, made from the models that check them.

One document; ``$defs`` holds ``gateway``, ``equipment``, ``link``, ``profile`` and
``shifts``. An editor shows and completes keys with it; `load` stays the judge.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from drivers import registry
from drivers.contract import ProtocolSpec
from gateway.settings.calendar_model import CalendarFile
from gateway.settings.equipment_model import CounterFile, EquipmentFile, TagFile
from gateway.settings.model import GatewayFile
from gateway.settings.profile_model import ProfileFile
from gateway.settings.profile_parameters import TIMES
from gateway.settings.words import NAME_PATTERN

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PREFIX = "#/$defs/"
_TIMES: Json = {"type": "array", "items": {"pattern": NAME_PATTERN}, "minItems": 1}
_NAMES: dict[str, type[BaseModel]] = {
    "gateway": GatewayFile,
    "equipment": EquipmentFile,
    "profile": ProfileFile,
    "shifts": CalendarFile,
}


def configuration_schema(specs: Sequence[ProtocolSpec] | None = None) -> Json:
    """Return the schema of all configuration files for these protocols, by default all."""
    if specs is None:
        specs = [registry.spec(name) for name in registry.protocols()]
    settings: list[type[BaseModel]] = [
        cls for spec in specs for cls in (spec.link_settings, spec.tag_settings)
    ]
    models: list[type[BaseModel]] = [*_NAMES.values(), CounterFile, TagFile, *settings]
    mapping, document = models_json_schema(
        [(model, "validation") for model in models], ref_template=_PREFIX + "{model}"
    )
    definitions: Json = document["$defs"]

    def definition(model: Any) -> Json:
        name = mapping[model, "validation"]["$ref"].removeprefix(_PREFIX)
        found: Json = definitions[name]
        return found

    links = [_with_protocol(definition(spec.link_settings), spec) for spec in specs]
    tags = [_merged(definition(TagFile), definition(spec.tag_settings)) for spec in specs]
    for name, model in _NAMES.items():
        definitions[name] = definition(model)
    entries = {"links": links, "tags": tags, "counters": [definition(CounterFile)]}
    scaled = [{**tag, "properties": {**tag["properties"], TIMES: _TIMES}} for tag in tags]
    for name, kinds_of in (("equipment", entries), ("profile", {**entries, "tags": scaled})):
        for key, kinds in kinds_of.items():
            property_: Json = definitions[name]["properties"][key]
            property_.update(_named([_partial(kind) for kind in kinds]))
    definitions["link"] = {"anyOf": links}
    definitions["profile"]["properties"]["link"].update(anyOf=[_partial(link) for link in links])
    refs = [{"$ref": _PREFIX + name} for name in (*_NAMES, "link")]
    return {"$schema": DIALECT, "title": "millgate", "anyOf": refs, "$defs": definitions}


def _with_protocol(link: Json, spec: ProtocolSpec) -> Json:
    properties = {**link["properties"], "protocol": {"const": spec.protocol}}
    required = sorted({*link.get("required", ()), "protocol"})
    return {**link, "properties": properties, "required": required}


def _merged(common: Json, own: Json) -> Json:
    return {**own, "properties": {**common["properties"], **own["properties"]}}


def _named(kinds: Sequence[Json]) -> Json:
    """Beside a profile null takes an entry away."""
    return {
        "patternProperties": {NAME_PATTERN: {"anyOf": [*kinds, {"type": "null"}]}},
        "additionalProperties": False,
    }


def _partial(entry: Json) -> Json:
    """Beside a profile an entry may hold a part of its keys."""
    return {key: value for key, value in entry.items() if key != "required"}
