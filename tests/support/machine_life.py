"""Two days of two machines drawn at random: states, orders, faults, parts, as facts."""

from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from gateway.domain.notes import part_about
from gateway.historian.sql import SqlStore
from gateway.historian.store import Batch
from gateway.wire.cloudevent import Envelope
from tests.support.stores import (
    EPOCH,
    START,
    count_data,
    envelope,
    fault_data,
    reading_data,
    status_data,
    text,
)

MACHINES = ("press-03", "press-04")
LIFE = timedelta(hours=48)
STATES = ("running", "running", "fault", "fault", "idle", "stopped", "setup", "offline")
REASONS = (
    None,
    {"code": "lunch", "category": "break", "text": {}, "planned": True},
    {"code": "meeting", "category": "operator", "text": {}, "planned": True},
    {"code": "none-left", "category": "material", "text": {}, "planned": False},
    {"code": "no-order", "category": "no_order", "text": {}, "planned": False},
)
ORDERS = (None, {"order_no": "WO-1", "product": "A-77", "batch": "B9", "ideal_cycle_ms": 6000})

Fact = tuple[datetime, str, str, dict[str, Any]]
"""time, equipment, type, data."""


def life(chance: Random) -> list[Envelope]:
    """Return the facts in the order of time, numbered as a journal numbers them."""
    facts = [fact for machine in MACHINES for fact in _machine(chance, machine)]
    facts.sort(key=lambda fact: fact[0])
    stands = [n for n, fact in enumerate(facts, 1) if fact[2] == "status"]
    for n in chance.choices(stands, k=10):
        note: dict[str, Any] = {"about": f"{EPOCH}-{n}", "by": "li", "comment": None}
        reason = chance.choice(REASONS)
        facts.append((START + LIFE, facts[n - 1][1], "note", {**note, "reason": reason}))
    facts += [_part(chance, n, facts[n - 1]) for n in chance.choices(stands, k=40)]
    facts.append((START + LIFE, MACHINES[0], "reading", reading_data({"t": 1})))
    streams: dict[tuple[str, str], count[int]] = {}
    return [
        envelope(
            type_,
            seq,
            next(streams.setdefault((equipment, type_), count(1))),
            data,
            at=at,
            equipment=equipment,
        )
        for seq, (at, equipment, type_, data) in enumerate(facts, 1)
    ]


def store_life(url: str, events: list[Envelope]) -> None:
    """Put the facts into the store of record."""
    store = SqlStore.open(url)
    store.write(Batch(events, store.ledger().plan(events)))
    store.close()


def _part(chance: Random, number: int, fact: Fact) -> Fact:
    """Split a state, mostly where it lasts, or join what was never split."""
    cut = fact[0] + timedelta(seconds=chance.choice((-60, 1, 90, 600, 1800, 7200)))
    about = part_about(f"{EPOCH}-{number}", cut)
    reason = chance.choice(REASONS)
    note = {"about": about, "by": "li", "comment": "word", "reason": reason}
    return START + LIFE, fact[1], "note", note


def _machine(chance: Random, name: str) -> list[Fact]:
    facts: list[Fact] = []
    at, total = START, 0
    while at < START + LIFE:
        order, reason = chance.choice(ORDERS), chance.choice(REASONS)
        state = chance.choice(STATES)
        data = status_data(state, at, order=order, reason=reason)
        facts.append((at, name, "status", data))
        if state == "fault":
            facts += _faults(chance, name, at)
        if state == "running":
            total += chance.randrange(300)
            made = count_data(0, total, order=order)
            facts.append((at + timedelta(seconds=30), name, "count", made))
        at += timedelta(seconds=chance.randrange(60, 7200))
    return facts


def _faults(chance: Random, name: str, at: datetime) -> list[Fact]:
    facts: list[Fact] = []
    code, cleared = "", at
    for _ in range(chance.randrange(1, 5)):
        if code and chance.random() < 0.6:  # the same again, soon after its end
            raised = cleared + timedelta(seconds=chance.randrange(1, 120))
        else:
            raised = at + timedelta(seconds=chance.randrange(-30, 300))
            code = chance.choice(("E1", "E2", "W1"))
        cleared = raised + timedelta(seconds=chance.randrange(1, 4000))
        acked = raised + timedelta(seconds=chance.randrange(1, 5000))
        data = fault_data(f"f{chance.getrandbits(64):x}", "raised", raised_at=text(raised))
        data |= {"code": code, "stops_machine": code != "W1"}
        steps: list[tuple[datetime, dict[str, Any]]] = [(raised, {"transition": "raised"})]
        if chance.random() < 0.9:
            ended = {"transition": "cleared", "cleared_at": text(cleared)}
            steps.append((cleared, {**ended, "duration_ms": _ms(cleared - raised)}))
        if chance.random() < 0.7:
            ack = {"acked": True, "acked_at": text(acked), "acked_by": "li"}
            steps.append((acked, {"transition": "acked", **ack}))
        for moment, step in sorted(steps, key=lambda one: one[0]):
            data = data | step
            facts.append((moment, name, "fault", data))
    return [fact for fact in facts if START <= fact[0] <= START + LIFE]


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
