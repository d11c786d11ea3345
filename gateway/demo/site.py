"""The demo's configuration, written as files so that people can read and change it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.demo.broker import Broker
from gateway.demo.plant import PlantOptions
from gateway.settings.load import load
from gateway.settings.site import Site
from simulators.sites import site_files

_GATEWAY = """\
# 演示现场 / the demo's site. 每次演示重新生成 / written anew by each demo.
site: demo
gateway: gw-01
timezone: Asia/Shanghai
mqtt: {{host: 127.0.0.1, port: {port}, protocol: "{protocol}"}}
journal: {{path: data/journal.db, heartbeat_s: {heartbeat_s}}}
historian:
  stores:
    - {{kind: sql, url: "sqlite:///data/history.db"}}
web: {{host: 127.0.0.1, port: {web_port}}}
"""


def write_site(
    directory: Path,
    links: Mapping[str, Any],
    broker: Broker,
    watched: PlantOptions,
    *,
    web_port: int = 0,
) -> Site:
    """Write the configuration of a plant behind ``links`` and return it checked."""
    files = site_files(
        dict(links),
        interval_ms=watched.interval_ms,
        hold_ms=watched.hold_ms,
        scenario=watched.scenario,
        speed=watched.speed,
    )
    files["gateway.yaml"] = _GATEWAY.format(
        port=broker.port,
        protocol=broker.protocol,
        heartbeat_s=watched.interval_ms / 1000,
        web_port=web_port,
    )
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(directory)
