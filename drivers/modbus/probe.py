"""The way to a unit, step by step: the port or the channel, then any answer of the unit.

- Requests only read, one at a time, each over a connection that is closed again; what the
  link forbids is not asked.
- Any answer of the unit counts, a refusal too; what a gateway says in its place does not.
- Where the unit is silent, others that are usual are asked, then other ways to speak.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from time import monotonic
from types import MappingProxyType

from drivers.clock import Clock
from drivers.contract import DriverError, TagRequest, close_shared
from drivers.modbus.answer import BadAnswer, Refusal
from drivers.modbus.errors import Absence, NoAnswer, PortBusy, PortForbidden, PortUnfit
from drivers.modbus.plan import Place
from drivers.modbus.point import point_of
from drivers.modbus.references import show
from drivers.modbus.settings import LinkSettings, NetworkSettings, RtuTcpSettings, TcpSettings
from drivers.modbus.settings_serial import RtuSettings, SerialSettings
from drivers.modbus.wire import Reply, Request, Wire
from drivers.modbus.wires import wire_of
from drivers.probed import Said, Step, Tell

USUAL_UNITS = (1, 0, 255, 247)
USUAL_PLACES = (Place("", "hr", 0), Place("", "ir", 0), Place("", "coil", 0))
"""Asked for where the first tag is met with silence: some devices say nothing to an address
they do not have."""
USUAL_LINES = tuple(
    (rate, parity) for rate in (9600, 19200, 38400, 115200) for parity in ("none", "even")
)
SHORT_MS = 400
"""How long somebody is waited for who need not be there."""
_BEHIND_A_GATEWAY = frozenset({Refusal.GATEWAY_PATH, Refusal.GATEWAY_TARGET})
_OPENING: Mapping[str, str] = MappingProxyType(
    {
        "modbus-ascii": "port",
        "modbus-listen": "dial_in",
        "modbus-rtu": "port",
        "modbus-tls": "tls",
    }
)
_OPENING_HINTS: Mapping[str, str] = MappingProxyType(
    {"port": "try_port", "tls": "try_tls", "dial_in": "try_dial_in"}
)
_CAUSES: Mapping[type[BaseException], str] = MappingProxyType(
    {
        NoAnswer: "unit_silent",
        BadAnswer: "foreign_answer",
        Absence: "nobody_dialled_in",
        PortBusy: "port_busy",
        PortForbidden: "port_forbidden",
        PortUnfit: "port_unfit",
        FileNotFoundError: "port_missing",
    }
)


def reach(link: LinkSettings) -> tuple[str, int] | None:
    """Return where a TCP connection must be taken, None if none leads to the unit."""
    if isinstance(link, NetworkSettings) and link.protocol != "modbus-udp":
        return link.host, link.port
    return None


async def probe(link: LinkSettings, tags: Sequence[TagRequest], tell: Tell) -> bool:
    """Open what leads to the unit and ask it something; return whether it answered."""
    shared: dict[str, object] = {}
    wire = wire_of(link, Clock(), shared)
    try:
        return await _open(link, wire, tell) and await _unit(link, wire, tags, tell)
    finally:
        wire.close()
        close_shared(shared)


async def _open(link: LinkSettings, wire: Wire, tell: Tell) -> bool:
    name, began_s = _OPENING.get(link.protocol, ""), monotonic()
    try:
        await wire.open(link.timeout_ms / 1000)
    except DriverError as err:
        hints = (Said(_OPENING_HINTS.get(name, "try_connection")),)
        if cause_of(err).code.startswith("port_"):
            hints = (Said(f"try_{cause_of(err).code}"),)
        tell(Step(name or "connect", link.bus, monotonic() - began_s, "", cause_of(err), hints))
        return False
    if name:
        tell(Step(name, link.bus, monotonic() - began_s))
    return True


async def _unit(link: LinkSettings, wire: Wire, tags: Sequence[TagRequest], tell: Tell) -> bool:
    place = _first_place(link, tags)
    subject, began_s = f"{link.bus}#{link.unit_id}", monotonic()
    try:
        reply = await wire.ask(request_of(link, place))
    except DriverError as err:
        duration_s = monotonic() - began_s
        wire.close()
        cause = cause_of(err)
        first = (Said("try_foreign"),) if cause.code == "foreign_answer" else ()
        instead = [said async for said in _instead(link, place)]
        tell(Step("unit", subject, duration_s, "", cause, (*first, *instead)))
        return False
    if reply.answer in _BEHIND_A_GATEWAY:
        wire.close()
        cause = Said("gateway_no_target", {"code": reply.answer})
        instead = [said async for said in _instead(link, place)]
        tell(Step("unit", subject, reply.rtt_s, "", cause, tuple(instead)))
        return False
    detail = f"{_shown(place)}: {said_of(reply)}"
    others: list[int] = []
    if reply.answer == Refusal.DEVICE_FAILURE:
        wire.close()
        others = await _without_failure(link, place)
    if others:
        cause = Said("unit_fails", {"unit": link.unit_id})
        tell(Step("unit", subject, reply.rtt_s, detail, cause, (_answering(others),)))
    else:
        tell(Step("unit", subject, reply.rtt_s, detail))
    return not others


def _first_place(link: LinkSettings, tags: Sequence[TagRequest]) -> Place:
    if tags:
        return point_of(link, tags[0].key, tags[0].settings).place
    return next(usual_places(link), Place("", "di", 0))


def usual_places(link: LinkSettings) -> Iterator[Place]:
    """Return what most devices have and this link does not forbid."""
    return (place for place in USUAL_PLACES if may_ask(link, place))


def may_ask(link: LinkSettings, place: Place) -> bool:
    """Say whether a place lies outside what the link forbids."""
    return not any(
        area.table == place.table and place.offset < area.end and area.first < place.end
        for area in link.areas
    )


def request_of(link: LinkSettings, place: Place) -> Request:
    """Return the request for one place, as this link asks."""
    return Request(
        unit=link.unit_id,
        table=place.table,
        start=place.offset,
        count=place.width,
        timeout_s=link.timeout_ms / 1000,
        accept_transaction_zero=link.transaction_zero,
        pause_s=link.pause_ms / 1000,
    )


def said_of(reply: Reply) -> str:
    """Return an answer as hex digits, or the exception code of a refusal."""
    answer = reply.answer
    return f"exception {answer}" if isinstance(answer, int) else answer.hex(" ", 2).upper()


def cause_of(err: DriverError) -> Said:
    """Return why something failed, as a sentence."""
    raised = err.__cause__ or err
    kinds = (*type(err).__mro__, *type(raised).__mro__)
    code = next((_CAUSES[kind] for kind in kinds if kind in _CAUSES), "driver_error")
    return Said(code, {"reason": err.reason})


async def _answers(link: LinkSettings, place: Place) -> bool:
    """Say whether this unit, spoken to like this, says anything that makes sense."""
    return await _answer(link, place) not in {None, *_BEHIND_A_GATEWAY}


async def _answer(link: LinkSettings, place: Place) -> bytes | int | None:
    """Return what this unit, spoken to like this, answers; None if nothing that makes sense."""
    patience_ms = min(link.timeout_ms, SHORT_MS)
    short = link.model_copy(update={"timeout_ms": patience_ms})
    shared: dict[str, object] = {}
    wire = wire_of(short, Clock(), shared)
    try:
        await wire.open(patience_ms / 1000)
        reply = await wire.ask(request_of(short, place))
    except DriverError:
        return None
    finally:
        wire.close()
        close_shared(shared)
    return reply.answer


async def _instead(link: LinkSettings, place: Place) -> AsyncIterator[Said]:
    """Yield what answers in place of a silent unit; in the end what else there is to try."""
    if link.protocol == "modbus-listen":
        yield Said("try_serial_side")
        return
    for usual in usual_places(link):
        if _shown(usual) != _shown(place) and await _answers(link, usual):
            yield Said("place_answers", {"place": _shown(place), "other": _shown(usual)})
            return
    units = _others(link)
    there = [
        unit for unit in units if await _answers(link.model_copy(update={"unit_id": unit}), place)
    ]
    if there:
        yield _answering(there)
        return
    for other in _otherwise(link):
        if await _answers(other, place):
            yield _spoken(other)
            return
    yield Said("units_silent", {"units": ", ".join(map(str, units))})
    serial = isinstance(link, SerialSettings)
    yield Said("try_line" if serial else "try_unit")


def _shown(place: Place) -> str:
    return show(place.table, place.offset)


async def _without_failure(link: LinkSettings, place: Place) -> list[int]:
    """Return which other units give values or refuse in another way.

    A device that has a failure has it for all units it answers to.
    """
    return [
        unit
        for unit in _others(link)
        if await _answer(link.model_copy(update={"unit_id": unit}), place)
        not in {None, *_BEHIND_A_GATEWAY, Refusal.DEVICE_FAILURE}
    ]


def _answering(units: Sequence[int]) -> Said:
    return Said("unit_answers", {"units": ", ".join(map(str, units)), "unit": units[0]})


def _others(link: LinkSettings) -> list[int]:
    return [unit for unit in USUAL_UNITS if unit != link.unit_id and _may(link, unit)]


def _may(link: LinkSettings, unit: int) -> bool:
    return unit > 0 or not isinstance(link, SerialSettings)


def _otherwise(link: LinkSettings) -> Iterator[LinkSettings]:
    """Yield the same unit spoken to in other ways that are often meant."""
    if isinstance(link, TcpSettings | RtuTcpSettings):
        other = RtuTcpSettings if isinstance(link, TcpSettings) else TcpSettings
        yield other(
            host=link.host, port=link.port, unit_id=link.unit_id, timeout_ms=link.timeout_ms
        )
    if isinstance(link, RtuSettings):
        for rate, parity in USUAL_LINES:
            if (rate, parity) != (link.baudrate, link.parity):
                yield link.model_copy(update={"baudrate": rate, "parity": parity})


def _spoken(link: LinkSettings) -> Said:
    if isinstance(link, SerialSettings):
        return Said("line_answers", {"baudrate": link.baudrate, "parity": link.parity})
    return Said("protocol_answers", {"protocol": link.protocol})
