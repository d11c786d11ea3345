"""A checked configuration, ready to be run. Plain frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from drivers.contract import Driver, Home, ProtocolSpec, Shared, TagRequest
from gateway.domain.rules import EquipmentRules, Stage
from gateway.domain.vocabulary import Text
from gateway.settings.model import GatewayFile
from gateway.settings.problems import Problem
from gateway.settings.secrets import find_secret

NO_LEVEL = "_"
"""Stands for an area or a line that an equipment does not have: contract, Topics."""


@dataclass(frozen=True, slots=True)
class EquipmentConfig:
    """One equipment: what people call it, where it stands, what its values mean."""

    equipment: str
    name: Text
    """In both languages; the code where nothing was written."""
    area: str
    line: str
    rules: EquipmentRules
    links: frozenset[str]
    """Keys of `Site.links` its tags are read over."""
    file: str

    @property
    def stage(self) -> Stage:
        """In commissioning its facts stay on the gateway."""
        return self.rules.stage


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """One session: everything that is read over it, for all its equipment.

    ``name`` is ``<equipment>.<link>`` for a private link and ``<link>`` for a shared one;
    links that lead to the same endpoint were merged under the first of their names.
    """

    name: str
    protocol: str
    settings: Any
    """An instance of the protocol's link settings class."""
    tags: tuple[TagRequest, ...]
    """Keys are ``<equipment>/<tag>``."""
    equipment: frozenset[str]
    spec: ProtocolSpec

    @property
    def endpoint(self) -> str:
        """The identity of the session."""
        return self.spec.endpoint_of(self.settings)

    def driver(self, shared: Shared) -> Driver:
        """Return the driver of this link; the network is not touched."""
        return self.spec.create(self.settings, self.tags, shared)


@dataclass(frozen=True, slots=True)
class Site:
    """Everything one gateway has to know."""

    directory: Path
    gateway: GatewayFile
    equipment: Mapping[str, EquipmentConfig]
    links: Mapping[str, LinkConfig]
    warnings: tuple[Problem, ...] = ()

    def path(self, relative: str) -> Path:
        """Return a path of the configuration as one that can be opened."""
        return self.directory / relative

    @property
    def home(self) -> Home:
        """What drivers know of this configuration."""
        return home_of(self.directory, self.gateway)


def home_of(directory: Path, gateway: GatewayFile) -> Home:
    """Return what drivers know of a configuration."""
    return Home(
        directory=directory,
        keys=directory / gateway.pki,
        site=gateway.site,
        gateway=gateway.gateway,
        find=partial(find_secret, directory),
    )
