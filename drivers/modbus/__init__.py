"""Modbus TCP."""

from collections.abc import Sequence

from drivers.contract import Driver, ProtocolSpec, Shared, TagRequest
from drivers.modbus.check import overlaps, problems
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.point import point_of
from drivers.modbus.settings import LinkSettings, TcpSettings, endpoint_of
from drivers.modbus.tag import TagSettings

__all__ = ["SPEC"]


def create(link: LinkSettings, tags: Sequence[TagRequest], shared: Shared) -> Driver:
    """Return the driver of a link; raises Misconfigured for the first tag that cannot be."""
    points = {tag.key: point_of(link, tag.key, tag.settings) for tag in tags}
    return ModbusDriver(link, tags, points, shared)


SPEC = ProtocolSpec(
    protocol="modbus-tcp",
    link_settings=TcpSettings,
    tag_settings=TagSettings,
    create=create,
    endpoint_of=endpoint_of,
    problems=problems,
    overlaps=overlaps,
)
