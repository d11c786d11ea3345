"""A site of one machine on a profile of its own, over real protocols."""

from pathlib import Path

from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems, Problem
from gateway.settings.site import Site
from tests.support.config_site import GATEWAY, write_site

BODY = """\
profile: press
name: {zh: 冲床, en: Press}
verified: manual
tags:
  run: {address: M1}
status:
  - {state: running, when: run}
"""
EQUIPMENT = """\
equipment: press-1
profile: press
links: {plc: {protocol: modbus-tcp, host: 127.0.0.1}}
"""


def site_of(directory: Path, profile: str = BODY, equipment: str = EQUIPMENT, **links: str) -> Site:
    """Load it; ``links`` are the shared ones by name."""
    files = {
        "gateway.yaml": GATEWAY,
        "profiles/press.yaml": profile,
        "equipment/press-1.yaml": equipment,
        **{f"links/{name}.yaml": text for name, text in links.items()},
    }
    return load(write_site(directory, files), shipped_data=directory / "none")


def problems_of(
    directory: Path, profile: str = BODY, equipment: str = EQUIPMENT, **links: str
) -> list[Problem]:
    """Return everything `check` would say of it."""
    try:
        return list(site_of(directory, profile, equipment, **links).warnings)
    except ConfigProblems as err:
        return err.problems
