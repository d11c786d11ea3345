"""A plant for the board to show, without a journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.domain.events import Fault, FaultText, Health, Status
from gateway.domain.vocabulary import Json, Order, Reason, State, stamp
from gateway.web.board import EquipmentCard
from gateway.web.source import BoardReading, SiteCard

NOW = datetime(2026, 3, 20, 1, 1, 29, 123000, UTC)


def ago(seconds: float, now: datetime = NOW) -> datetime:
    return now - timedelta(seconds=seconds)


def status(state: State, since: datetime, reason: Reason | None = None, **more: Any) -> Json:
    return Status(
        at=since, since=since, state=state, cause="sample", reason=reason, repeat=True, **more
    ).data()


def fault(text: FaultText, raised_at: datetime, **more: Any) -> Json:
    return Fault(
        at=raised_at,
        fault_id=f"{text.code}-1",
        transition="raised",
        fault=text,
        raised_at=raised_at,
        **more,
    ).data()


def counters(at: datetime, **totals: float) -> Json:
    return {
        "counters": [
            {"counter": kind, "kind": kind, "total": total, "raw": 1, "unit": "1", "at": stamp(at)}
            for kind, total in totals.items()
        ]
    }


def links(*health: Health) -> Json:
    return {"links": [one.data() for one in health]}


def order(order: Order | None) -> Json:
    if order is None:
        return {"order": None, "command_id": None, "since": None, "by": None}
    return {"order": order.data(), "planned_qty": order.planned_qty, "command_id": "c-1"}


PRESS = EquipmentCard(
    "press-07",
    name={"zh": "7号冲床", "en": "Press 07"},
    area="stamping",
    line="line-1",
    links=frozenset({"plc"}),
)
OVEN = EquipmentCard(
    "oven-01",
    name={"zh": "1号烘箱", "en": "Oven 01"},
    area="stamping",
    line="line-1",
    links=frozenset({"oven-01.plc"}),
)


@dataclass
class FakeSource:
    """Shows what it is given; `read` raises ``failure`` if one is set."""

    cards: Sequence[EquipmentCard] = (PRESS, OVEN)
    site: SiteCard = field(default_factory=lambda: SiteCard("suzhou", "gw-01", "Asia/Shanghai"))
    reading: BoardReading = field(
        default_factory=lambda: BoardReading("t5k2m0-9f3a", 7, NOW, press(State.RUNNING))
    )
    failure: Exception | None = None
    reads: int = 0

    def read(self) -> BoardReading:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return self.reading

    def show(self, snapshots: Mapping[str, Mapping[str, Json]]) -> None:
        self.reading = replace(self.reading, snapshots=snapshots)


def press(state: State, total: float = 12) -> dict[str, Mapping[str, Json]]:
    return {
        "press-07": {
            "status": status(state, ago(90)),
            "counters": counters(ago(1), good=total),
            "faults": {"active": []},
            "health": links(Health(at=ago(90), link="plc", state="online", last_ok=ago(1))),
            "order": order(Order("WO-1042", product="A-77", planned_qty=500)),
        }
    }
