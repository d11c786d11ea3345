"""The parts booked since a shift began, looked up again only where they changed.

An hour before the end of a shift costs a board no more than its beginning does. What is booked
late, with a time that was added up already, has the machine added up anew: a server that was
away for a while sends what it kept, under the times of its own.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.domain.kpi import Parts
from gateway.domain.shifts import Span
from gateway.journal.history import Look
from gateway.web.facts import parts_booked

SETTLED = timedelta(minutes=2)
"""What is later than this costs adding up the whole shift of its machine anew."""


@dataclass
class _Page:
    """What one machine booked from the beginning until then, added up."""

    mark: Hashable
    until: datetime
    parts: list[Parts] = field(default_factory=list)


class PartsSoFar:
    """Remembers what was added up. One call at a time."""

    def __init__(self) -> None:
        self._epoch = ""
        self._pages: dict[str, _Page] = {}
        self._newest = 0

    def keep(self, epoch: str, equipment: Iterable[str]) -> None:
        """Forget every machine but these, and all of them in another life of the journal."""
        known = self._pages if epoch == self._epoch else {}
        self._epoch = epoch
        self._pages = {name: known[name] for name in equipment if name in known}

    def look_back(self, look: Look) -> None:
        """Forget what counts have come for since; to be called before `booked` in each look."""
        if not self._pages:
            self._newest = look.newest()
            return
        self._newest, earliest = look.counted_since(self._newest)
        for name, at in earliest.items():
            if name in self._pages and at < self._pages[name].until:
                del self._pages[name]

    def booked(self, look: Look, equipment: str, span: Span, ideal_ms: float | None) -> list[Parts]:
        """Return the parts booked in a span that ends now, those of one sort added up."""
        mark = (span.begins, ideal_ms)
        page = self._pages.get(equipment)
        if page is None or page.mark != mark or page.until > span.ends:
            page = self._pages[equipment] = _Page(mark, span.begins)
        settled = max(page.until, (span.ends - SETTLED).replace(second=0, microsecond=0))
        if settled > page.until:
            new = parts_booked(look, equipment, Span(page.until, settled), ideal_ms)
            page.parts, page.until = _added_up([*page.parts, *new]), settled
        rest = parts_booked(look, equipment, Span(settled, span.ends), ideal_ms)
        return [*page.parts, *rest]


def _added_up(parts: Iterable[Parts]) -> list[Parts]:
    """Return one entry for each sort of parts, at the time of its first."""
    found: dict[Hashable, Parts] = {}
    for one in parts:
        sort = (one.kind, one.ideal_cycle_s, one.origin, one.order_no)
        known = found.get(sort)
        more = one if known is None else replace(known, quantity=known.quantity + one.quantity)
        found[sort] = more
    return list(found.values())
