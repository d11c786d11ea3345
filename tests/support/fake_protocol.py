"""A protocol without devices, to load configurations with: polled or pushed."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import combinations

from pydantic import BaseModel, ConfigDict, Field

from drivers.contract import (
    BadSetting,
    Driver,
    Misconfigured,
    Overlap,
    ProtocolSpec,
    Session,
    Shared,
    TagGroup,
    TagRequest,
)
from drivers.registry import UnknownProtocol


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pace(Strict):
    poll_interval_ms: int = Field(ge=1)


class LinkSettings(Strict):
    protocol: str
    host: str
    poll_interval_ms: int = 1000
    groups: dict[str, Pace] = Field(default_factory=dict)


class TagSettings(Strict):
    at: int = Field(ge=0)
    words: int = 1


@dataclass(frozen=True)
class FakeDriver:
    endpoint: str
    groups: Collection[TagGroup] = ()

    def open(self) -> AbstractAsyncContextManager[Session]:
        raise NotImplementedError


FORBIDDEN = 666
"""A tag at this place is refused by `create`."""
CROWD = 10
"""So many tags and more are refused by `create`, whichever they are."""


def create(link: LinkSettings, tags: Sequence[TagRequest], _shared: Shared) -> Driver:
    for tag in tags:
        if tag.settings.at == FORBIDDEN:
            raise Misconfigured(link.host, f"{tag.key}: forbidden place", "take another")
    if len(tags) >= CROWD:
        raise Misconfigured(link.host, "too many tags")
    return FakeDriver(link.host)


def problems(link: LinkSettings, tags: Sequence[TagRequest]) -> list[tuple[str, Misconfigured]]:
    refusal = BadSetting("fake_forbidden", "{at} is forbidden", "take another", at=FORBIDDEN)
    forbidden = [tag.key for tag in tags if tag.settings.at == FORBIDDEN]
    return [(key, Misconfigured.of(link.host, key, refusal)) for key in forbidden]


def overlaps(_link: LinkSettings, tags: Sequence[TagRequest]) -> list[Overlap]:
    """Tags that meet; with one ``at`` they lie at the same place."""

    def meet(one: TagSettings, other: TagSettings) -> bool:
        return one.at < other.at + other.words and other.at < one.at + one.words

    pairs = combinations(enumerate(tag.settings for tag in tags), 2)
    return [
        Overlap(i, j, (f"{a.at}", f"{b.at}"), same=a.at == b.at)
        for (i, a), (j, b) in pairs
        if meet(a, b)
    ]


def _spec(protocol: str, *, pushed: bool) -> ProtocolSpec:
    return ProtocolSpec(
        protocol=protocol,
        link_settings=LinkSettings,
        tag_settings=TagSettings,
        create=create,
        endpoint_of=lambda link: str(link.host),
        pushed=pushed,
        problems=problems if pushed else None,
        overlaps=None if pushed else overlaps,
    )


SPECS = {"polled": _spec("polled", pushed=False), "pushed": _spec("pushed", pushed=True)}


def spec_of(protocol: str) -> ProtocolSpec:
    if protocol not in SPECS:
        raise UnknownProtocol(protocol, tuple(sorted(SPECS)))
    return SPECS[protocol]
