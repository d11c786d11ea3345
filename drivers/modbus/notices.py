"""What of a link works today and may not tomorrow."""

from collections.abc import Callable
from datetime import datetime

from drivers.contract import BadSetting
from drivers.modbus.settings import LinkSettings
from drivers.modbus.settings_serial import SerialSettings
from drivers.modbus.wires.ports import is_bare, names_of

EXAMPLE = "/dev/serial/by-path/..."


def notices(
    link: LinkSettings, now: datetime, *, names_of: Callable[[str], list[str]] = names_of
) -> list[BadSetting]:
    """Return them; see `ProtocolSpec.notices`."""
    del now
    if not isinstance(link, SerialSettings) or not is_bare(link.port):
        return []
    return [
        BadSetting(
            "modbus_bare_serial_port",
            "{port} may be another adapter after a restart or in another socket",
            "write {stable}",
            port=link.port,
            stable=next(iter(names_of(link.port)), EXAMPLE),
        )
    ]
