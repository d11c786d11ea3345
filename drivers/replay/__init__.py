"""A recording in the place of a device."""

from collections.abc import Sequence

from drivers.contract import Driver, ProtocolSpec, Shared, TagRequest
from drivers.replay.driver import ReplayDriver
from drivers.replay.settings import LinkSettings, TagSettings, endpoint_of

__all__ = ["SPEC"]


def create(link: LinkSettings, tags: Sequence[TagRequest], shared: Shared) -> Driver:
    """Return the driver of a link; the file is read when it is opened."""
    return ReplayDriver(link, tags, shared)


SPEC = ProtocolSpec(
    protocol="replay",
    link_settings=LinkSettings,
    tag_settings=TagSettings,
    create=create,
    endpoint_of=endpoint_of,
    pushed=True,
)
