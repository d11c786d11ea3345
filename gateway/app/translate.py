"""From the site's configuration to the settings of each room."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.domain.vocabulary import Json
from gateway.journal.ledger import Begins
from gateway.journal.retention import Limits
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.ops.mqtt_terms import BrokerSettings, TlsSettings
from gateway.ops.timesync import ClockTrust, kernel_is_synced
from gateway.publish.places import Places
from gateway.publish.publisher import PublishSettings
from gateway.publish.pump import CURSOR
from gateway.push.settings import CURSOR as CURSOR_OF_PUSH
from gateway.push.settings import PushTarget
from gateway.settings import dictionary
from gateway.settings.model import BrokerFile
from gateway.settings.secrets import find_secret
from gateway.settings.site import EquipmentConfig, Site
from gateway.wire.topics import GatewayTopics, Place


def brokers(site: Site) -> tuple[BrokerSettings, ...]:
    """Return where the brokers are, the preferred one first.

    Files are looked for beside the configuration.
    """
    return tuple(_broker(site, one) for one in site.gateway.mqtt.in_order)


def _broker(site: Site, one: BrokerFile) -> BrokerSettings:
    tls = one.tls
    return BrokerSettings(
        host=one.host,
        port=one.port,
        protocol=one.protocol,
        username=one.username,
        password_file=file(site, one.password_file),
        tls=None
        if tls is None
        else TlsSettings(
            ca_file=file(site, tls.ca_file),
            cert_file=file(site, tls.cert_file),
            key_file=file(site, tls.key_file),
        ),
    )


def file(site: Site, name: str | None) -> Path | None:
    """Return where a secret or a certificate lies."""
    return None if name is None else find_secret(site.directory, name)


def publishing(site: Site) -> PublishSettings:
    """Return how fast and where to publish."""
    mqtt = site.gateway.mqtt
    first, *standbys = brokers(site)
    return PublishSettings(
        broker=first,
        standbys=tuple(standbys),
        window=mqtt.window,
        max_rate_per_s=mqtt.max_rate_per_s,
    )


def push_targets(site: Site) -> list[PushTarget]:
    """Return where facts are pushed to."""
    return [
        PushTarget(
            name=target.name,
            url=target.url,
            secret_file=find_secret(site.directory, target.secret_file),
            token_file=file(site, target.token_file),
            ca_file=file(site, target.ca_file),
            types=frozenset(target.types),
            equipment=frozenset(target.equipment),
            flat=target.flat,
            max_events=target.max_events,
            timeout_s=target.timeout_s,
        )
        for target in site.gateway.push
    ]


def readers(site: Site) -> dict[str, Begins]:
    """Return who has to have a row before it counts as delivered, and where new ones begin."""
    found: dict[str, Begins] = {CURSOR: "oldest"}
    for target in site.gateway.push:
        found[CURSOR_OF_PUSH + target.name] = target.backlog
    return found


def limits(site: Site) -> Limits:
    """Return how much disk the journal may take."""
    journal = site.gateway.journal
    return Limits(
        max_bytes=journal.max_bytes,
        readings_max_bytes=journal.readings_max_bytes,
        hold_readings=journal.readings == "memory",
    )


def clock_trust(site: Site) -> ClockTrust:
    """Return whether the clock can be believed, as the site says who vouches for it."""
    by_kernel = site.gateway.clock == "kernel"
    return ClockTrust(SYSTEM_CLOCK, kernel_is_synced if by_kernel else lambda: True)


class _Births(Mapping[str, Json]):
    """Equipment -> its dictionary, made when asked for: once a connection, and it is large."""

    def __init__(self, live: Mapping[str, EquipmentConfig]) -> None:
        self._live = live

    def __getitem__(self, equipment: str) -> Json:
        return dictionary.birth(self._live[equipment])

    def __iter__(self) -> Iterator[str]:
        return iter(self._live)

    def __len__(self) -> int:
        return len(self._live)


def place(site: Site, one: EquipmentConfig) -> Place:
    """Return where an equipment is spoken about."""
    gateway = site.gateway
    return Place(gateway.mqtt.root, gateway.site, one.area, one.line, one.equipment)


def places(
    site: Site, epoch: str, previous: tuple[str, ...], departed: Mapping[str, Place] | None = None
) -> Places:
    """Return where each equipment is spoken about, and its dictionary.

    ``departed`` were spoken about until a moment ago, and are still owed their last word.
    """
    gateway = site.gateway
    live = {name: one for name, one in site.equipment.items() if one.stage == "live"}
    return Places(
        topics=GatewayTopics(gateway.mqtt.root, gateway.site, gateway.gateway),
        equipment={
            **(departed or {}),
            **{name: place(site, config) for name, config in site.equipment.items()},
        },
        local=frozenset(name for name, config in site.equipment.items() if config.stage != "live"),
        birth=dictionary.gateway_birth(site, epoch, previous),
        births=_Births(live),
    )
