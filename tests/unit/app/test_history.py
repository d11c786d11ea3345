from pathlib import Path

from gateway.app.history import settings
from gateway.historian.shift_windows import ShiftPlan
from gateway.settings.load import load
from tests.support.config_site import write_site

PRESS = """\
equipment: press-07
area: stamping
line: line-1
link: plc
tags: {run: {address: M1}}
status: [{state: running, when: run}]
links: {plc: {protocol: modbus-tcp, host: 10.0.0.7}}
"""
SITE = {
    "gateway.yaml": "site: suzhou\ngateway: gw-01\ntimezone: Asia/Shanghai\n",
    "equipment/press-07.yaml": PRESS,
}
SHIFTS = "patterns: {A: {start: 08:00, end: 16:00}}\nweek: {mon: [A]}\n"


def test_the_historian_is_told_the_shifts_of_each_equipment(tmp_path: Path) -> None:
    site = load(write_site(tmp_path, {**SITE, "shifts.yaml": SHIFTS}))
    shifts = settings(site).shifts
    assert shifts.source == "/suzhou/gateways/gw-01"
    assert shifts.calendars == {"press-07": site.equipment["press-07"].rules.calendar}


def test_without_shifts_there_is_nothing_to_plan(tmp_path: Path) -> None:
    shifts = settings(load(write_site(tmp_path, SITE))).shifts
    assert shifts == ShiftPlan("/suzhou/gateways/gw-01", {})
