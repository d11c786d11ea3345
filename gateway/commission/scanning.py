"""A search for units and registers over one Modbus link, as a command or a screen asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.contract import BadSetting
from drivers.modbus.areas import Area
from drivers.modbus.scan_units import (
    LAST_UNIT,
    Found,
    NoUnits,
    Pace,
    Tell,
    registers_of,
    scan_registers,
    scan_units,
    seconds_for_registers,
    seconds_for_units,
    units_of,
)
from drivers.modbus.settings import LinkSettings
from gateway.commission.target import NoTarget, Target


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, checked."""

    link: LinkSettings
    units: tuple[int, ...]
    areas: tuple[Area, ...]
    rate: float
    """Questions a second."""

    @property
    def registers(self) -> int:
        """How many addresses are looked for."""
        return sum(area.end - area.first for area in self.areas)

    @property
    def seconds(self) -> tuple[float, float]:
        """How long it takes at least and at most."""
        units_s = seconds_for_units(len(self.units), self.rate)
        least_s, most_s = seconds_for_registers(self.areas, self.rate)
        return len(self.units) / self.rate + least_s, units_s + most_s


def search_of(
    targets: Sequence[Target], units: str | None, registers: Sequence[str], rate: float
) -> Search:
    """Return what is looked for over the first Modbus link; all units if nothing is named.

    Raises NoTarget.
    """
    links = [one.settings for one in targets if isinstance(one.settings, LinkSettings)]
    if not links:
        raise NoTarget("only_modbus", protocol=targets[0].spec.protocol)
    try:
        areas = registers_of(links[0], registers)
    except BadSetting as err:
        fields = {**err.fields, "reason": err.problem, "hint": err.hint}
        raise NoTarget(err.code, **fields) from None
    text = units or ("" if areas else f"1-{LAST_UNIT}")
    try:
        return Search(links[0], units_of(text) if text else (), areas, rate)
    except NoUnits:
        raise NoTarget("no_units", text=text) from None


async def search(wanted: Search, found: Found, tell: Tell) -> None:
    """Look for the units, then for the registers of the first that answered.

    Raises DriverError; what was found until then, or until it is cancelled, is in ``found``.
    """
    pace = Pace(wanted.rate)
    if wanted.units:
        await scan_units(wanted.link, wanted.units, pace, found, tell)
    if wanted.areas:
        unit = found.units[0].unit if found.units else wanted.link.unit_id
        link = wanted.link.model_copy(update={"unit_id": unit})
        await scan_registers(link, wanted.areas, pace, found, tell)
