"""The push targets of a site, composed: beside the publisher, out of the way of collecting."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.app import translate
from gateway.collect.guard import guard
from gateway.journal.journal import Journal
from gateway.journal.row import Row
from gateway.push.courier import Courier, Ports
from gateway.push.dead import DeadLetters
from gateway.settings.site import Site
from gateway.wire.topics import GatewayTopics, Place


def couriers(
    site: Site,
    journal: Journal,
    place_of: Callable[[str], Place],
    set_aside: Callable[[Row, str], Awaitable[None]],
) -> list[Courier]:
    """Return one for each target; nothing is sent yet."""
    gateway = site.gateway
    source = GatewayTopics(gateway.mqtt.root, gateway.site, gateway.gateway).source
    ports = Ports(source=source, place_of=place_of, set_aside=set_aside)
    folder = site.path(gateway.journal.path).parent / "push"
    return [
        Courier(target, journal, ports, DeadLetters(folder / f"{target.name}.dead.jsonl"))
        for target in translate.push_targets(site)
    ]


async def pushing(courier: Courier) -> None:
    """Serve one target for ever; a defect in it costs nobody else anything."""
    name = f"push {courier.target.name}"
    await guard(name, courier.serve, courier.failed, asyncio.sleep)
