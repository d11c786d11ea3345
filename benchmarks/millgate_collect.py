"""Turn a workload of the measuring load into a millgate site and become its collector.

python millgate_collect.py WORKLOAD.json DIR [OPTION=VALUE ...]

An option is one of the Modbus links: client=fast pipeline=auto.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TABLE_OF_FUNCTION = {1: "coil", 2: "di", 3: "hr", 4: "ir"}
TYPE_OF_KIND = {"bit": "bool"}
OPCUA_LINK = "server"


def gateway_file(workload: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``gateway.yaml``: the collector alone, publishing to the load's broker."""
    broker = workload["broker"]
    return {
        "site": "bench",
        "gateway": "gw-01",
        "timezone": "UTC",
        "mqtt": {"host": broker["host"], "port": broker["port"]},
        "historian": {"enabled": False},
        "web": {"enabled": False},
    }


def equipment_file(
    device: Mapping[str, Any], workload: Mapping[str, Any], options: Mapping[str, str]
) -> dict[str, Any]:
    """Return the file of one device: every value is a tag, published when it changed."""
    link = {
        "protocol": "modbus-tcp",
        "host": device["host"],
        "port": device["port"],
        "unit_id": device["unit"],
        "poll_interval_ms": round(1000 / workload["scan_hz"]),
        "max_gap_registers": 0,
        **options,
    }
    tags = {
        tag["name"]: {
            "link": "plc",
            "address": f"{TABLE_OF_FUNCTION[tag['fc']]}:{tag['addr']}",
            "type": TYPE_OF_KIND.get(tag["kind"], tag["kind"]),
        }
        for tag in workload["tags"]
    }
    return {
        "equipment": device["name"],
        "area": "bench",
        "line": "line-1",
        "links": {"plc": link},
        "tags": tags,
        "status": [{"state": "running", "when": "read_ms >= 0"}],
    }


def opcua_equipment(workload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the files of equipment that share one OPC UA server and its items evenly."""
    items, machines = workload["opcua"]["items"], workload["opcua"]["equipment"]
    files = []
    for machine in range(machines):
        mine = range(items * machine // machines, items * (machine + 1) // machines)
        tags = {
            f"v{i}" if i else "chg_ms": {"link": OPCUA_LINK, "node": f"nsu=bench;s=v{i}"}
            for i in mine
        }
        files.append(
            {
                "equipment": f"eq{machine:04d}",
                "area": "bench",
                "line": "line-1",
                "tags": tags,
                "status": [{"state": "running", "when": f"{next(iter(tags))} >= 0"}],
            }
        )
    return files


def write_opcua(workload: Mapping[str, Any], directory: Path) -> None:
    """Write the shared link and the equipment of an OPC UA workload."""
    opcua = workload["opcua"]
    link = {
        "protocol": "opcua",
        "endpoint": opcua["endpoint"],
        "publishing_interval_ms": opcua["publishing_ms"],
    }
    (directory / "links").mkdir()
    path = directory / "links" / f"{OPCUA_LINK}.yaml"
    path.write_text(json.dumps(link, indent=2), encoding="utf-8")
    for equipment in opcua_equipment(workload):
        path = directory / "equipment" / f"{equipment['equipment']}.yaml"
        path.write_text(json.dumps(equipment, indent=1), encoding="utf-8")


def write_site(
    workload: Mapping[str, Any], directory: Path, options: Mapping[str, str] | None = None
) -> None:
    """Write the configuration into ``directory``; JSON is YAML too."""
    (directory / "equipment").mkdir(parents=True)
    text = json.dumps(gateway_file(workload), indent=2)
    (directory / "gateway.yaml").write_text(text, encoding="utf-8")
    if "opcua" in workload:
        write_opcua(workload, directory)
    for device in workload.get("devices", ()):
        path = directory / "equipment" / f"{device['name']}.yaml"
        path.write_text(
            json.dumps(equipment_file(device, workload, options or {}), indent=1), encoding="utf-8"
        )


def main() -> None:
    workload, directory = Path(sys.argv[1]), Path(sys.argv[2]) / "site"
    options = dict(option.split("=", 1) for option in sys.argv[3:])
    write_site(json.loads(workload.read_text(encoding="utf-8")), directory, options)
    os.execv(sys.executable, [sys.executable, "-m", "gateway", "collect", str(directory)])  # noqa: S606


if __name__ == "__main__":
    main()
