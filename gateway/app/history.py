"""The historian, composed from one site."""

import asyncio
from functools import partial
from typing import NoReturn

from gateway.app import translate
from gateway.app.following import LOOK_S, following, in_force_or_on_disk
from gateway.historian.historian import Historian
from gateway.historian.settings import HistorianSettings, InfluxSettings, SqlSettings
from gateway.historian.shift_windows import ShiftPlan
from gateway.settings.model import SqlStoreFile, StoreFile
from gateway.settings.revisions import Revisions
from gateway.settings.secrets import store_url
from gateway.settings.site import Site
from gateway.wire.topics import GatewayTopics, PlaceFilter


def historian(site: Site) -> Historian:
    """Return the site's historian, not yet running. Raises SecretUnreadable."""
    return Historian(settings(site))


async def follow_shifts(site: Site, historian: Historian, *, look_s: float = LOOK_S) -> NoReturn:
    """Let the shifts the historian plans be those of the configuration in force.

    Without a collector beside it that is the one on the disk.
    """
    kept = Revisions(site.directory, site.path(site.gateway.journal.path))
    mark = partial(in_force_or_on_disk, kept)

    def become(after: Site) -> None:
        historian.plan(_shifts(after))

    seen = await asyncio.to_thread(mark)
    await following(site.directory, mark, become, seen=seen, look_s=look_s)


def settings(site: Site) -> HistorianSettings:
    """Return what is consumed and where it is kept. Raises SecretUnreadable."""
    gateway = site.gateway
    first, *standbys = translate.brokers(site)
    name = gateway.historian.name
    return HistorianSettings(
        broker=first,
        standbys=tuple(standbys),
        client_id="" if name is None else f"millgate-historian-{gateway.site}-{name}",
        places=tuple(PlaceFilter.read(text) for text in gateway.historian.topics),
        site=gateway.site,
        root=gateway.mqtt.root,
        timezone=gateway.timezone,
        stores=tuple(_store(site, store) for store in gateway.historian.stores),
        shifts=_shifts(site),
    )


def _shifts(site: Site) -> ShiftPlan:
    gateway = site.gateway
    calendars = {
        name: config.rules.calendar
        for name, config in site.equipment.items()
        if config.rules.calendar is not None
    }
    topics = GatewayTopics(gateway.mqtt.root, gateway.site, gateway.gateway)
    return ShiftPlan(topics.source, calendars)


def _store(site: Site, store: StoreFile) -> SqlSettings | InfluxSettings:
    if isinstance(store, SqlStoreFile):
        return SqlSettings(url=store_url(site.directory, store).get_secret_value())
    return InfluxSettings(
        url=store.url,
        org=store.org,
        bucket=store.bucket,
        token_file=translate.file(site, store.token_file),
    )
