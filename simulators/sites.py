"""The gateway's configuration for this plant, as the files of its directory.

Everything a machine's controller offers becomes a tag; the names are those a factory
would use. ``gateway.yaml`` is not among the files: it is not about the plant.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simulators.kinds import fault_file
from simulators.machine import CounterSpec, MachineSpec
from simulators.nodes import EXECUTION, NAMESPACE, NODES, node_name
from simulators.registers import EUROMAP_MODES, FIELDS, Field
from simulators.scenario import SCENARIOS

MADE = frozenset({"good", "total"})
"""The kinds of counter whose parts have a planned time."""
RATE_MARGIN = 1.5
"""How much faster than its nominal pace a machine may be before a gateway doubts it."""

LINKS = {
    "press-01": "line1-plc",
    "press-02": "line1-plc",
    "conveyor-01": "line1-plc",
    "meter-01": "line1-meter",
    "mould-01": "mould-01",
    "cnc-01": "cnc",
    "cnc-02": "cnc",
}
PLACES = {
    "press": ("stamping", "line-1"),
    "conveyor": ("stamping", "line-1"),
    "meter": ("stamping", "line-1"),
    "mould": ("moulding", "line-2"),
    "cnc": ("machining", "cell-1"),
}
NAMES = {
    "press-01": ("1号冲床", "Press 01"),
    "press-02": ("2号冲床", "Press 02"),
    "conveyor-01": ("1号输送线", "Conveyor 01"),
    "meter-01": ("1号线电表", "Line 1 energy meter"),
    "mould-01": ("1号注塑机", "Moulding machine 01"),
    "cnc-01": ("1号加工中心", "Machining centre 01"),
    "cnc-02": ("2号加工中心", "Machining centre 02"),
}
TAG_NAMES = {
    "run": ("运行", "Running"),
    "ready": ("就绪", "Ready"),
    "setup": ("调整", "Setting up"),
    "maintenance": ("保养", "Maintenance"),
    "alarm": ("报警", "Alarm"),
    "jam": ("堵塞", "Jam"),
    "cleaning": ("清洁", "Cleaning"),
    "mode": ("机器模式", "Machine mode"),
    "execution": ("执行状态", "Execution"),
    "alarm_word": ("报警字", "Alarm word"),
    "alarm_code": ("报警代码", "Alarm code"),
    "fault_code": ("故障代码", "Fault code"),
    "good_parts": ("合格数", "Good parts"),
    "reject_parts": ("不合格数", "Rejected parts"),
    "shots": ("合格模次", "Good shots"),
    "bad_shots": ("不合格模次", "Bad shots"),
    "packages": ("包装数", "Packages"),
    "energy": ("电能", "Energy"),
    "temperature": ("温度", "Temperature"),
    "pressure": ("气压", "Air pressure"),
    "speed": ("带速", "Belt speed"),
    "voltage": ("电压", "Voltage"),
    "current": ("电流", "Current"),
    "power": ("功率", "Power"),
    "barrel_temperature": ("料筒温度", "Barrel temperature"),
    "clamp_force": ("锁模力", "Clamp force"),
    "cycle_time": ("周期", "Cycle time"),
    "spindle_speed": ("主轴转速", "Spindle speed"),
    "feed_rate": ("进给速度", "Feed rate"),
}
STATUS: Mapping[str, Mapping[str, str]] = {
    "press-01": {
        "fault": "stopping_fault",
        "running": "run",
        "idle": "ready",
        "setup": "setup",
        "maintenance": "maintenance",
    },
    "press-02": {"fault": "alarm", "running": "run", "idle": "ready", "setup": "setup"},
    "conveyor-01": {"fault": "jam", "running": "run", "idle": "ready", "setup": "cleaning"},
    "meter-01": {"running": "power > 5.0", "idle": "power > 0.5"},
    "mould-01": {
        state: f"mode == {number}" for state, number in EUROMAP_MODES.items() if state != "stopped"
    },
    "cnc": {
        state: f"execution == {number}" for state, number in EXECUTION.items() if state != "stopped"
    },
}
"""machine (or kind) -> its rules in order; where none is true the machine is stopped."""
DEADBANDS = {"spindle_speed": 20.0, "feed_rate": 10.0, "voltage": 0.5, "temperature": 0.5}

Entries = Mapping[str, Any]


def site_files(
    links: Mapping[str, Entries],
    *,
    interval_ms: int,
    hold_ms: int,
    scenario: str = "demo",
    speed: float = 1.0,
) -> dict[str, str]:
    """Return the configuration of a gateway for this plant: relative path -> content.

    ``links`` is what the plant says of itself. Machines behind a link that is missing
    are left out. ``scenario`` and ``speed`` decide how fast a counter may move.
    """
    files = {f"links/{name}.yaml": _link(link, interval_ms) for name, link in links.items()}
    kinds = set()
    for spec in SCENARIOS[scenario].specs():
        if LINKS[spec.name] in links:
            files[f"equipment/{spec.name}.yaml"] = _equipment(spec, hold_ms, speed)
            kinds.add(spec.kind)
    for kind in sorted(kinds - {"meter"}):
        files[f"faults/{kind}.csv"] = fault_file(kind)
    return files


def _link(link: Entries, interval_ms: int) -> str:
    pace = "publishing_interval_ms" if link["protocol"] == "opcua" else "poll_interval_ms"
    return "".join(
        f"{key}: {_scalar(value)}\n" for key, value in {**link, pace: interval_ms}.items()
    )


def _equipment(spec: MachineSpec, hold_ms: int, speed: float) -> str:
    zh, en = NAMES[spec.name]
    area, line = PLACES[spec.kind]
    head = {"equipment": spec.name, "name": {"zh": zh, "en": en}, "area": area, "line": line}
    lines = [f"{key}: {_scalar(value)}" for key, value in head.items()]
    lines += [f"link: {LINKS[spec.name]}", f"min_hold_ms: {hold_ms}"]
    if made := [counter for counter in spec.counters if counter.kind in MADE]:
        lines.append(f"ideal_cycle_ms: {_ideal_cycle_ms(spec, made[0], speed)}")
    lines += ["tags:", *_entries(_tags(spec))]
    lines += ["status:", *_items(_status(spec))]
    lines += ["counters:", *_entries(_counters(spec, speed))]
    if spec.faults:
        lines += ["faults:", *_items([_fault_source(spec)])]
    return "\n".join(lines) + "\n"


def _ideal_cycle_ms(spec: MachineSpec, made: CounterSpec, speed: float) -> float:
    """Return the wall time of one part at the nominal pace."""
    return round(1000 * spec.cycle_s / (speed * made.steps * made.factor), 3)


def _tags(spec: MachineSpec) -> Iterator[tuple[str, Entries]]:
    if spec.kind == "cnc":
        for tag, node in NODES.items():
            entry = {"node": f"nsu={NAMESPACE};s={node_name(spec.name, node)}"}
            yield tag, entry | _words(tag, node.unit)
        return
    for field in FIELDS[spec.name]:
        if field.bits:
            for bit, name in enumerate(field.bits):
                yield (
                    name,
                    {"address": f"{field.table}:{field.offset}", "bit": bit} | _words(name, ""),
                )
        else:
            yield field.tag, _modbus_tag(field) | _words(field.tag, field.unit)


def _modbus_tag(field: Field) -> dict[str, Any]:
    entry: dict[str, Any] = {"address": f"{field.table}:{field.offset}", "type": field.type}
    if field.order != "ABCD":
        entry["order"] = field.order
    if field.scale != 1.0:
        entry["scale"] = field.scale
    return entry


def _words(tag: str, unit: str) -> dict[str, Any]:
    zh, en = TAG_NAMES[tag]
    extra: dict[str, Any] = {"unit": unit} if unit else {}
    if tag in DEADBANDS:
        extra["deadband"] = DEADBANDS[tag]
    return extra | {"name": {"zh": zh, "en": en}}


def _status(spec: MachineSpec) -> list[Entries]:
    rules = STATUS.get(spec.name) or STATUS[spec.kind]
    return [{"state": state, "when": when} for state, when in rules.items()]


def _counters(spec: MachineSpec, speed: float) -> Iterator[tuple[str, Entries]]:
    for counter in spec.counters:
        rate = RATE_MARGIN * speed * counter.steps / spec.cycle_s
        entry: dict[str, Any] = {"tag": _counter_tag(spec, counter), "kind": counter.kind}
        if counter.unit != "1":
            entry["unit"] = counter.unit
        if counter.factor != 1:
            entry["factor"] = counter.factor
        yield counter.name, entry | {"modulus": counter.modulus, "max_rate_per_s": round(rate, 3)}


def _counter_tag(spec: MachineSpec, counter: CounterSpec) -> str:
    if spec.kind == "cnc":
        return f"{counter.name}_parts"
    facet = f"counter:{counter.name}"
    return next(field.tag for field in FIELDS[spec.name] if field.facet == facet)


def _fault_source(spec: MachineSpec) -> Entries:
    if spec.kind == "cnc":
        return {"tag": "alarm_code", "codes": "faults/cnc.csv"}
    tag = next(field.tag for field in FIELDS[spec.name] if field.facet == "faults")
    return {"tag": tag, "bits" if spec.kind == "press" else "codes": f"faults/{spec.kind}.csv"}


def _entries(entries: Iterable[tuple[str, Entries]]) -> list[str]:
    return [f"  {name}: {_scalar(entry)}" for name, entry in entries]


def _items(items: Iterable[Entries]) -> list[str]:
    return [f"  - {_scalar(item)}" for item in items]


def _scalar(value: Any) -> str:
    """Return a value in YAML's flow style, quoted where it is text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_scalar(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
