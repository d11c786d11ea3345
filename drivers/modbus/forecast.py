"""What a link's scans will ask and how long that will take, from its settings alone."""

from collections.abc import Sequence

from drivers.contract import TagRequest
from drivers.modbus.cost import Pace, pace_of
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.plan import Block
from drivers.modbus.settings import LinkSettings, bus_key_of
from drivers.planned import LinkPlan, PlannedGroup, PlannedRequest


def plan_of(link: LinkSettings, tags: Sequence[TagRequest], rtt_s: float | None) -> LinkPlan:
    """Return the requests of a link; ``rtt_s`` is its round trip where it was measured.

    Raises Misconfigured for a tag that cannot be.
    """
    driver = ModbusDriver(link, tags, {})
    plans = driver.plans()
    pace = pace_of(link, rtt_s)
    groups = tuple(
        PlannedGroup(
            group.name,
            group.poll_interval_s,
            tuple(_request(block, pace) for block in plans[group.name].blocks),
        )
        for group in driver.groups
    )
    return LinkPlan(bus_key_of(link), pace.basis, link.timeout_ms / 1000, groups)


def _request(block: Block, pace: Pace) -> PlannedRequest:
    tags = tuple(place.key for place in block.places)
    return PlannedRequest(str(block), tags, pace.duration_s(block))
