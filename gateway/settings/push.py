"""What only shows when push targets and equipment are looked at together."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from gateway.settings.model import GatewayFile, PushFile
from gateway.settings.node import Node, locate
from gateway.settings.problems import Path, Prose, Report

MAX_NAMED = 20


def find_push_problems(
    gateway: GatewayFile, node: Node, equipment: Collection[str], report: Report
) -> None:
    """Report equipment nobody configured, and ways on which everybody can listen."""
    for number, target in enumerate(gateway.push):
        path: Path = ("push", number)
        known = sorted(equipment)[:MAX_NAMED]
        for index, name in enumerate(target.equipment):
            if name not in equipment:
                at = (*path, "equipment", index)
                report.add(
                    "push_unknown_equipment",
                    locate(node, at),
                    at,
                    target=target.name,
                    name=name,
                    known=Prose(", ".join(known)),
                )
        if _is_overheard(target):
            at = (*path, "url")
            report.add("push_plain_http", locate(node, at), at, name=target.name)


def _is_overheard(target: PushFile) -> bool:
    parts = urlsplit(target.url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True
