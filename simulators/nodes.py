"""The variables an OPC UA machine offers, and what stands in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from simulators.machine import Machine, State
from simulators.registers import fault_code, state_number

NAMESPACE = "urn:millgate:plant"
EXECUTION: Mapping[State, int] = {
    "stopped": 2, "idle": 4, "running": 6, "fault": 9, "setup": 10, "maintenance": 11
}  # fmt: skip
"""Execution as a number, after PackML's states: stopped 2, idle 4, execute 6, aborted 9."""


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A variable under a machine; ``type`` is an OPC UA built-in type."""

    name: str
    type: Literal["Int32", "UInt32", "Double"]
    value: Callable[[Machine], int | float]
    facet: str = ""
    """"state", "faults" or "counter:<name>"; "" for a mere reading."""
    unit: str = ""


def _raw(counter: str, machine: Machine) -> int:
    return machine.raw(counter)


def _reading(name: str, machine: Machine) -> float:
    return round(machine.reading(name), 3)


def _analog(name: str, tag: str, unit: str) -> NodeSpec:
    return NodeSpec(name, "Double", partial(_reading, tag), unit=unit)


NODES: Mapping[str, NodeSpec] = {
    "execution": NodeSpec("Execution", "Int32", partial(state_number, EXECUTION), "state"),
    "alarm_code": NodeSpec("AlarmCode", "UInt32", fault_code, "faults"),
    "good_parts": NodeSpec("PartsGood", "UInt32", partial(_raw, "good"), "counter:good"),
    "reject_parts": NodeSpec("PartsReject", "UInt32", partial(_raw, "reject"), "counter:reject"),
    "spindle_speed": _analog("SpindleSpeed", "spindle_speed", "rpm"),
    "feed_rate": _analog("FeedRate", "feed_rate", "mm/min"),
    "temperature": _analog("Temperature", "temperature", "Cel"),
}
"""tag -> its node; the same for every machine of the server."""


def folder(machine: str) -> str:
    """Return the first part of a machine's node ids: cnc-01 -> CNC01."""
    return machine.upper().replace("-", "")


def node_name(machine: str, node: NodeSpec) -> str:
    """Return the identifier of a node in `NAMESPACE`: CNC01.Execution."""
    return f"{folder(machine)}.{node.name}"
