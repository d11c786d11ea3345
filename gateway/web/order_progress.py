"""How far each order in force is: good parts since it began here, and what the plan says by now.

Only what came since the last time is added up, so that an order of weeks costs a board no more
than one of minutes. Before `SETTLED` ago nothing is expected to change any more.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from gateway.domain.rules import EquipmentRules
from gateway.domain.shifts import ShiftCalendar, breaks_between, shifts_between
from gateway.journal.history import Booked, Look
from gateway.web.board import OrderLine, Progress
from gateway.web.context import Context
from gateway.web.facts import moment
from gateway.web.problems import Problem

EVERY_S = 5.0
SETTLED = timedelta(minutes=2)


@dataclass
class _Booking:
    """What one order booked up to ``until``."""

    order: OrderLine
    until: datetime
    parts: dict[str, float] = field(default_factory=lambda: defaultdict(float))


class OrderProgress:
    """Remembers what was added up. One call at a time."""

    def __init__(self) -> None:
        self._bookings: dict[str, _Booking] = {}

    async def bring_up_to_date(self, web: Context) -> None:
        """Give the board what is known now: nothing where the journal cannot be read in time."""
        tiles = (await web.board.picture()).tiles
        orders = {name: tile.order for name, tile in tiles.items() if tile.order is not None}
        rules = {
            name: web.site.equipment[name].rules for name in orders if name in web.site.equipment
        }
        now = web.now()
        try:
            found = await web.history.look(lambda look: self._all(look, orders, rules, now))
        except Problem:
            found = {}
        web.board.progress = found

    def _all(
        self,
        look: Look,
        orders: Mapping[str, OrderLine],
        rules: Mapping[str, EquipmentRules],
        now: datetime,
    ) -> Mapping[str, Progress]:
        extent = look.extent()
        found = {}
        for name, rule in rules.items():
            order = orders[name]
            if order.since is None:
                continue
            begun = moment(order.since)
            whole = extent is not None and extent.first_at <= begun
            good = self._good(look, name, order, begun, now) if whole else None
            found[name] = Progress(order.order_no, order.since, good, _due(rule, order, begun, now))
        self._bookings = {name: one for name, one in self._bookings.items() if name in found}
        return found

    def _good(
        self, look: Look, name: str, order: OrderLine, begun: datetime, now: datetime
    ) -> float | None:
        known = self._bookings.get(name)
        if known is None or (known.order.order_no, known.order.since) != (
            order.order_no,
            order.since,
        ):
            known = self._bookings[name] = _Booking(order, begun)
        settled = max(known.until, (now - SETTLED).replace(second=0, microsecond=0))
        if settled > known.until:
            _book(known.parts, look.counted(name, known.until, settled), order.order_no)
            known.until = settled
        parts = defaultdict(float, known.parts)
        _book(parts, look.counted(name, settled, now + timedelta(milliseconds=1)), order.order_no)
        return good_of(parts)


def _book(parts: dict[str, float], booked: list[Booked], order_no: str) -> None:
    for row in booked:
        _, kind, origin, of_order, _, _, _ = orjson.loads(row.what)
        if of_order == order_no:
            parts[kind if origin == "device" else "by_hand"] += row.quantity


def good_of(parts: Mapping[str, float]) -> float:
    """Return the good ones; a machine that only counts all of them gives what is not bad.

    ``parts`` are by kind, and ``by_hand`` those that people found bad: the machine had counted
    them.
    """
    if "good" in parts or "total" not in parts:
        good = parts.get("good", 0.0)
    else:
        good = parts["total"] - parts.get("reject", 0.0) - parts.get("rework", 0.0)
    return max(0.0, good - parts.get("by_hand", 0.0))


def _due(rules: EquipmentRules, order: OrderLine, begun: datetime, now: datetime) -> float | None:
    """Return the parts that the planned time since the order began makes, at most all of them."""
    ideal_ms = order.ideal_cycle_ms or rules.ideal_cycle_ms
    if not ideal_ms or order.planned_qty is None:
        return None
    made = planned(rules.calendar, begun, now) / timedelta(milliseconds=ideal_ms) // 1
    return min(order.planned_qty, float(made))


def planned(calendar: ShiftCalendar | None, begins: datetime, ends: datetime) -> timedelta:
    """Return the time in shifts, breaks left out; without a calendar all of it."""
    if begins >= ends:
        return timedelta()
    if calendar is None:
        return ends - begins
    worked = sum(
        (
            min(shift.ends_at, ends) - max(shift.starts_at, begins)
            for shift in shifts_between(calendar, begins, ends)
        ),
        timedelta(),
    )
    pauses = breaks_between(calendar, begins, ends)
    return worked - sum((pause.duration for pause in pauses), timedelta())
