"""A site with one Modbus machine that nobody needs to answer, for commands about journals."""

from collections.abc import Sequence
from pathlib import Path

from tests.support.config_site import write_site

MACHINE = """\
equipment: {code}
area: {area}
line: line-1
links:
  plc: {{protocol: modbus-tcp, host: 127.0.0.1, port: {port}}}
tags:
  parts: {{address: D100, type: uint16}}
status:
  - {{state: running, when: "parts > 0"}}
counters:
  good: {{tag: parts, kind: good}}
"""
NOBODY = 9  # the discard port: refused at once on this machine


def lone_site(
    directory: Path,
    *,
    broker_port: int = NOBODY,
    equipment: Sequence[str] = ("press-07",),
    area: str = "stamping",
    machine_port: int = NOBODY,
) -> Path:
    """Write the configuration and return the directory."""
    gateway = (
        "site: suzhou\ngateway: gw-01\ntimezone: Asia/Shanghai\n"
        f"mqtt: {{port: {broker_port}}}\nhistorian: {{enabled: false}}\nweb: {{enabled: false}}\n"
    )
    files: dict[str, str | bytes] = {"gateway.yaml": gateway}
    for old in (directory / "equipment").glob("*.yaml"):
        old.unlink()
    for code in equipment:
        text = MACHINE.format(code=code, area=area, port=machine_port)
        files[f"equipment/{code}.yaml"] = text
    return write_site(directory, files)
