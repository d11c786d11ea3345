"""What a person points a tool at: a link of the configuration, or one typed on the spot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from drivers import registry
from drivers.contract import BadSetting, Home, ProtocolSpec, TagRequest
from drivers.modbus.address import parse
from drivers.modbus.tag import REGISTERS, ValueType
from drivers.probed import Said
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.site import LinkConfig, Site
from gateway.tags.link_text import link_of
from gateway.tags.messages import SheetError


class NoTarget(Exception):
    """What was typed leads nowhere; ``said`` is the sentence."""

    def __init__(self, code: str, **fields: object) -> None:
        """``fields`` are the values in the sentence of ``code``."""
        super().__init__(code)
        self.said = Said(code, fields)


@dataclass(frozen=True, slots=True)
class Target:
    """One link and the tags to look at."""

    name: str
    spec: ProtocolSpec
    settings: Any
    tags: tuple[TagRequest, ...] = ()

    @property
    def endpoint(self) -> str:
        """Where it leads, without credentials."""
        return self.spec.endpoint_of(self.settings)


def is_link_text(text: str) -> bool:
    """Say whether a link is typed out, such as ``modbus-tcp://192.168.1.17:502/1``."""
    return "://" in text


def typed(text: str, home: Home | None = None) -> Target:
    """Return the link that is typed out; raises NoTarget."""
    try:
        given = link_of(text)
        protocol = str(given["protocol"])
        spec = registry.spec(protocol)
        settings = spec.link_settings.model_validate(given, context=home)
    except SheetError:
        raise NoTarget("no_link_text", text=text) from None
    except registry.UnknownProtocol as err:
        raise NoTarget("no_protocol", text=err.protocol, known=", ".join(err.known)) from None
    except ValidationError as err:
        raise refused(err) from None
    return Target(spec.endpoint_of(settings), spec, settings)


def typed_tags(target: Target, tags: Mapping[str, Mapping[str, object]]) -> Target:
    """Return the target with tags of these settings; raises NoTarget."""
    try:
        made = tuple(
            TagRequest(key, "typed", None, target.spec.tag_settings.model_validate(settings))
            for key, settings in tags.items()
        )
    except ValidationError as err:
        raise refused(err) from None
    return replace(target, tags=made)


def typed_read(
    target: Target, what: str, *, count: int = 1, kind: str | None = None, order: str | None = None
) -> Target:
    """Return the target with ``count`` values in a row from ``what`` on; raises NoTarget.

    ``what`` is an address, or a node id where the protocol has nodes, which have no row.
    """
    if "node" in target.spec.tag_settings.model_fields:
        return typed_tags(target, {what: {"node": what}})
    form = {key: value for key, value in (("type", kind), ("order", order)) if value is not None}
    try:
        at = parse(what, target.settings.family, assigned=target.settings.devices)
    except BadSetting as err:
        raise NoTarget(err.code, **_fields(err)) from None
    if count == 1:
        return typed_tags(target, {what: {"address": what, **form}})
    width = REGISTERS.get(cast("ValueType", kind or at.default or "uint16"), 1)
    addresses = (f"{at.table}:{at.offset + index * width}" for index in range(count))
    return typed_tags(target, {address: {"address": address, **form} for address in addresses})


def configured(directory: Path, name: str) -> tuple[Target, ...]:
    """Return a link of that name, all links of an equipment of that name, or one typed out.

    Raises NoTarget.
    """
    site = _loaded(directory)
    if is_link_text(name):
        return (_known_endpoint(site, typed(name, site.home)),)
    if name in site.links:
        return (_target(site.links[name]),)
    if name in site.equipment:
        links = [site.links[link] for link in sorted(site.equipment[name].links)]
        return tuple(_target(link, only=f"{name}/") for link in links)
    known = ", ".join([*sorted(site.links), *sorted(site.equipment)])
    raise NoTarget("no_such_link", name=name, known=known)


def all_configured(directory: Path) -> tuple[Target, ...]:
    """Return every link of a configuration, by name; raises NoTarget."""
    return tuple(_target(link) for _, link in sorted(_loaded(directory).links.items()))


def only_tags(targets: Sequence[Target], wanted: Sequence[str]) -> tuple[Target, ...]:
    """Return the targets with the tags of these names or keys only; raises NoTarget."""
    if not wanted:
        return tuple(targets)
    known = {tag.key for target in targets for tag in target.tags}
    for name in wanted:
        if not any(_is(key, name) for key in known):
            raise NoTarget("no_such_tag", name=name, known=", ".join(sorted(known)[:20]))
    found = (
        replace(
            target,
            tags=tuple(tag for tag in target.tags if any(_is(tag.key, name) for name in wanted)),
        )
        for target in targets
    )
    return tuple(target for target in found if target.tags)


def refused(err: ValidationError) -> NoTarget:
    """Return the first thing that is wrong with settings."""
    first = err.errors()[0]
    refusal = first.get("ctx", {}).get("error")
    if isinstance(refusal, BadSetting):
        return NoTarget(refusal.code, **_fields(refusal))
    key = ".".join(str(part) for part in first["loc"])
    return NoTarget("bad_setting", key=key, reason=first["msg"])


def _fields(refusal: BadSetting) -> dict[str, object]:
    return {**refusal.fields, "reason": refusal.problem, "hint": refusal.hint}


def _is(key: str, name: str) -> bool:
    return key == name or key.partition("/")[2] == name


def _loaded(directory: Path) -> Site:
    try:
        return load(directory)
    except ConfigProblems as err:
        problem = next(one for one in err.problems if one.severity == "error")
        where = f"{problem.file}:{problem.line}" if problem.file else str(directory)
        raise NoTarget("bad_configuration", where=where, **_both(problem.text)) from None


def _known_endpoint(site: Site, target: Target) -> Target:
    """Return the settings of the configuration for an endpoint that it knows."""
    known = (link for link in site.links.values() if link.protocol == target.spec.protocol)
    same = (link for link in known if link.endpoint == target.endpoint)
    return next((_target(link) for link in same), target)


def _target(link: LinkConfig, only: str = "") -> Target:
    tags = tuple(tag for tag in link.tags if tag.key.startswith(only))
    return Target(link.name, link.spec, link.settings, tags)


def _both(text: Mapping[str, str]) -> dict[str, str]:
    return {"reason_zh": text["zh"], "reason": text["en"]}
