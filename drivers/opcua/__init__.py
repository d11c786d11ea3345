"""OPC UA: a subscription pushes what changes."""

from drivers.contract import ProtocolSpec
from drivers.opcua.driver import create
from drivers.opcua.expiry import notices
from drivers.opcua.forecast import forecast
from drivers.opcua.probe import doubts, probe, reach
from drivers.opcua.raw import read_raw
from drivers.opcua.settings import LinkSettings, TagSettings, endpoint_of

SPEC = ProtocolSpec(
    protocol="opcua",
    link_settings=LinkSettings,
    tag_settings=TagSettings,
    create=create,
    endpoint_of=endpoint_of,
    pushed=True,
    notices=notices,
    plan=forecast,
    reach=reach,
    probe=probe,
    doubts=doubts,
    read_raw=read_raw,
)
