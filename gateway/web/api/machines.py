"""Which machines a question is about: one, a line, all."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query

from gateway.domain.figures import Machine
from gateway.settings.site import EquipmentConfig
from gateway.web.api.guard import Web
from gateway.web.problems import Problem


def _machines(
    web: Web,
    equipment: Annotated[str | None, Query(description="Only this one")] = None,
    line: Annotated[str | None, Query(description="Only this line: `line` or `area/line`")] = None,
) -> Sequence[EquipmentConfig]:
    found = [
        config
        for config in web.site.equipment.values()
        if equipment in (None, config.equipment)
        and line in (None, config.line, f"{config.area}/{config.line}")
    ]
    if not found:
        raise Problem("not_found")
    return found


def machine(config: EquipmentConfig) -> Machine:
    """Return an equipment as the figures know it."""
    return Machine(config.equipment, f"{config.area}/{config.line}", config.rules.calendar)


Machines = Annotated[Sequence[EquipmentConfig], Depends(_machines)]
