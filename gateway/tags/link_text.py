"""A link on one line, as a person types it for a new device. Pure."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from gateway.settings.yaml_source import scalar
from gateway.tags.messages import SheetError

OPC_UA = "opc.tcp"


def link_of(text: str) -> dict[str, Any]:
    """Return the settings of a link; raises SheetError.

    ``modbus-tcp://HOST:PORT/UNIT``, ``modbus-rtu:///dev/ttyUSB0?unit_id=3``,
    ``opc.tcp://HOST:PORT/PATH``; what follows a ``?`` are settings by their names.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise SheetError("bad_link", value=text) from None
    if not parts.scheme or "://" not in text or parts.username is not None:
        raise SheetError("bad_link", value=text)
    more = {key: scalar(value) for key, value in parse_qsl(parts.query)}
    if parts.scheme == OPC_UA:
        return {"protocol": "opcua", "endpoint": text.partition("?")[0], **more}
    found: dict[str, Any] = {"protocol": parts.scheme}
    if parts.hostname:
        found["host"] = parts.hostname
        found |= {} if port is None else {"port": port}
        found |= _unit(parts)
    elif parts.path:
        found["port"] = unquote(parts.path)
    return {**found, **more}


def _unit(parts: SplitResult) -> dict[str, Any]:
    unit = parts.path.strip("/")
    if not unit:
        return {}
    if not unit.isdecimal():
        raise SheetError("bad_link", value=parts.geturl())
    return {"unit_id": int(unit)}
