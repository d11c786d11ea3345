"""A small configuration directory to break in tests."""

from collections.abc import Mapping
from pathlib import Path

GATEWAY = "site: suzhou\ngateway: gw-01\ntimezone: Asia/Shanghai\n"
PRESS = """\
equipment: press-07
name: {zh: 7号冲床, en: Press 07}
area: stamping
line: line-1
links:
  plc: {protocol: polled, host: plc-7, groups: {slow: {poll_interval_ms: 5000}}}
tags:
  run: {at: 1}
  good_parts: {at: 2, words: 2}
  temperature: {at: 4, unit: Cel, deadband: 0.5, group: slow, name: {zh: 温度}}
  alarm_word: {at: 5, publish: false}
status:
  - {state: fault, when: stopping_fault}
  - {state: running, when: run, mode: auto}
counters:
  good: {tag: good_parts, kind: good, modulus: 65536, max_rate_per_s: 5}
faults:
  - {tag: alarm_word, bits: faults/press.csv, on_delay_ms: 200}
"""
FAULTS = "bit,code,text_zh,text_en,severity\n0,P01,急停,Emergency stop,950\n"
GOOD: Mapping[str, str] = {
    "gateway.yaml": GATEWAY,
    "equipment/press-07.yaml": PRESS,
    "faults/press.csv": FAULTS,
}


def write_site(directory: Path, files: Mapping[str, str | bytes] = GOOD) -> Path:
    """Write the files and return the directory."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode("utf-8") if isinstance(content, str) else content
        path.write_bytes(data)
    return directory
