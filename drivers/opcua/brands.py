"""What is known of the servers of one make beyond what they say themselves.

A server does not have to name its limits, and what it names may be more than it can do.
A brand only ever lowers a limit. What no source was found for is not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from drivers.opcua.limits import Limits

BrandName = Literal[
    "generic",
    "s7-1200",
    "s7-1500",
    "omron-nx",
    "beckhoff",
    "kepware",
    "ignition",
    "schneider-bmenua",
]


@dataclass(frozen=True, slots=True)
class Brand:
    """A make of server."""

    limits: Limits = field(default_factory=Limits)
    may_poll: bool = True
    """Whether ``mode: auto`` reads in turn what the server will not watch."""
    text_names_condition: bool = False
    """Several alarms share one condition and only their texts tell them apart."""


BRANDS: Mapping[BrandName, Brand] = MappingProxyType(
    {
        "generic": Brand(),
        # Siemens entry 109755846 (system limits) as benthos-umh cites it: 1,000 items in
        # all, more than about 200 a call takes the CPU tens of times longer. Publishing and
        # sampling intervals are what the project in TIA Portal allows and are revised.
        "s7-1200": Brand(
            Limits(items_per_call=100, items_per_session=1000), text_names_condition=True
        ),
        # The same source: 10,000 items for a CPU 1511..1513; epics-modules/opcua #201: 1,000
        # nodes a call, counted over requests under way. Program_Alarm: all alarms of one
        # function block come from one source (selfpatch/ros2_medkit #514).
        "s7-1500": Brand(
            Limits(items_per_call=500, nodes_per_read=500, items_per_session=10_000),
            text_names_condition=True,
        ),
        # NX102, NJ501-1, NX502, NX701: 2,000 monitored items.
        "omron-nx": Brand(Limits(items_per_session=2000)),
        # TF6100 has no fixed figures: its configuration file names them.
        "beckhoff": Brand(),
        # Each value read past its cache is a request to the device behind the server.
        "kepware": Brand(Limits(items_per_call=1000)),
        # Eclipse Milo names 10,000 items a call and 250 nodes a browse; 100 a call are
        # what benthos-umh settled on.
        "ignition": Brand(Limits(items_per_call=100, nodes_per_browse=250)),
        # Schneider, BMENUA0100 limitations: 250 ms publishing, 125 ms sampling, queue of 100.
        "schneider-bmenua": Brand(
            Limits(queue_size=100, publishing_ms=250, sampling_ms=125, subscriptions_per_session=40)
        ),
    }
)
"""name in the settings -> what is known."""
