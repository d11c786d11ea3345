"""A subscriber who holds every event of one equipment against the contract."""

from collections.abc import Callable

import orjson
from jsonschema import Draft202012Validator

from gateway.domain import durable
from gateway.domain.equipment import next_due_s, step
from gateway.domain.events import Event
from gateway.domain.facts import SeriesBegan
from gateway.domain.rules import EquipmentRules
from gateway.domain.snapshot import snapshots
from gateway.domain.state import EquipmentState
from gateway.domain.vocabulary import Json, stamp
from gateway.wire.schema import schemas
from tests.support.anything import EPOCH, Anything

CHECKER = Draft202012Validator.FORMAT_CHECKER
DATA = {
    name: Draft202012Validator(schema["properties"]["data"], format_checker=CHECKER)
    for name, schema in schemas().items()
    if name.startswith(("evt/", "state/"))
}


class Told:
    """What a subscriber has heard, and whether the next event fits."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.active: set[str] = set()
        self.state: str | None = None
        self.since = ""

    def begin(self) -> None:
        """A new series: everything is told from the start."""
        self.totals, self.active, self.state, self.since = {}, set(), None, ""

    def hear(self, event: Event) -> None:
        data: Json = orjson.loads(orjson.dumps(event.data()))
        DATA[f"evt/{event.type}"].validate(data)
        if event.type in _FITS:
            _FITS[event.type](self, data)

    def count(self, data: Json) -> None:
        name, total = data["counter"], data["total"]
        assert total == self.totals.get(name, total - data["delta"]) + data["delta"]
        self.totals[name] = total

    def status(self, data: Json) -> None:
        assert data["since"] >= self.since
        if not data["repeat"]:
            opens = data["prev_state"] is None and data["cause"] == "start"
            assert opens or self.state in {None, data["prev_state"]}
            self.state, self.since = data["state"], data["since"]

    def fault(self, data: Json) -> None:
        if data["transition"] == "raised":
            assert data["fault_id"] not in self.active
            self.active.add(data["fault_id"])
        elif data["transition"] == "cleared":
            self.active.remove(data["fault_id"])


_FITS: dict[str, Callable[[Told, Json], None]] = {
    "count": Told.count,
    "status": Told.status,
    "fault": Told.fault,
}


def live(rules: EquipmentRules, anything: Anything, steps: int) -> None:
    """Live through ``steps`` happenings twice at once; raise where something is wrong."""
    told = Told()
    state = again = EquipmentState.new(rules.equipment)
    for _ in range(steps):
        happened = anything.fact(sorted(one.fault_id for one in state.durable.faults.values()))
        state, events = step(state, happened, rules)
        again, same = step(again, happened, rules)
        assert [event.data() for event in events] == [event.data() for event in same]
        next_due_s(state, rules)
        if isinstance(happened, SeriesBegan):
            told.begin()
        for event in events:
            told.hear(event)
        _check_stored(state)


def _check_stored(state: EquipmentState) -> None:
    assert durable.load(durable.dump(state)).durable == state.durable
    for kind, shown in snapshots(state).items():
        if shown is not None:
            snapshot = shown | {"valid_until": stamp(EPOCH)}
            DATA[f"state/{kind}"].validate(orjson.loads(orjson.dumps(snapshot)))
