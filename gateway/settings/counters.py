"""From a file's counters to the rules that book them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from gateway.domain.expression import Expression
from gateway.domain.rules import BalanceRole, BalanceRule, CounterRule, TagRule
from gateway.settings.equipment_model import CounterFile, EquipmentFile
from gateway.settings.node import Node, locate
from gateway.settings.problems import Path, Report

FLOAT32 = '"type": "float32"'
"""In the meaning of a tag whose raw value is one."""
FLOAT32_STEPS = 2**24
"""Beyond it a float32 does not show every step."""
CYCLE_UNITS_MS: Mapping[str, float] = {"ms": 1, "s": 1000}


class KnownTag(Protocol):
    """Reports a name that is no tag."""

    def __call__(self, name: str, path: Path) -> None:
        """Report ``name`` at ``path`` if nobody knows it."""
        ...


@dataclass(frozen=True)
class CounterReader:
    """Builds the rules of the counters of one equipment; problems are reported."""

    tags: Mapping[str, TagRule]
    meanings: Mapping[str, str]
    condition: Callable[[str, Path], Expression | None]
    known_tag: KnownTag
    node: Node
    report: Report

    def rule(self, name: str, file: CounterFile) -> CounterRule:
        """Return the rule of one counter."""
        path: Path = ("counters", name)
        self.known_tag(file.tag, (*path, "tag"))
        if file.max_rate_per_s is None:
            self.report.add("no_rate", locate(self.node, path), path)
        meaning = self.meanings.get(file.tag, "")
        if FLOAT32 in meaning:
            limit = f"{FLOAT32_STEPS * file.resolution:g}"
            self.report.add("float_counter", locate(self.node, path), path, limit=limit)
        count_when = None
        if file.count_when is not None:
            count_when = self.condition(file.count_when, (*path, "count_when"))
        plain = file.model_dump(exclude={"count_when"})
        return CounterRule(
            name=name,
            identity=_identity(meaning, file),
            count_when=count_when,
            cycle_time_unit_ms=self._cycle_unit_ms(file, (*path, "cycle_time_tag")),
            **plain,
        )

    def _cycle_unit_ms(self, file: CounterFile, path: Path) -> float:
        if file.cycle_time_tag is None:
            return 1
        self.known_tag(file.cycle_time_tag, path)
        tag = self.tags.get(file.cycle_time_tag)
        if tag is not None and tag.unit not in CYCLE_UNITS_MS:
            place = locate(self.node, path)
            self.report.add("cycle_time_unit", place, path, name=tag.name, unit=tag.unit)
        return 1 if tag is None else CYCLE_UNITS_MS.get(tag.unit, 1)


def read_balance(file: EquipmentFile, node: Node, report: Report) -> BalanceRule | None:
    """Return how good, reject and total hang together; None if nobody said or it is wrong."""
    balance = file.balance
    if balance is None:
        return None
    roles: dict[BalanceRole, str | None] = {
        "good": balance.good,
        "reject": balance.reject,
        "total": balance.total,
    }
    given = {role: name for role, name in roles.items() if name is not None}
    counters = {role: file.counters[name] for role, name in given.items() if name in file.counters}
    for role in given.keys() - counters.keys():
        path: Path = ("balance", role)
        place = locate(node, path)
        report.add_unknown("unknown_counter", place, path, given[role], file.counters)
    if len(counters) < len(given):
        return None
    place = locate(node, ("balance",))
    if len({(counter.unit, counter.resolution) for counter in counters.values()}) > 1:
        report.add("balance_units", place, ("balance",))
    derived = next((role for role, name in roles.items() if name is None), None)
    if derived in file.counters:
        report.add("derived_exists", place, ("balance",), name=derived)
    unit = next(iter(counters.values())).unit
    good, reject, total = (given.get(role, role) for role in ("good", "reject", "total"))
    return BalanceRule(good, reject, total, derived, balance.tolerance, unit)


def _identity(meaning: str, file: CounterFile) -> str:
    """Return what changes when the raw reading gets another meaning."""
    steps = "" if file.resolution == 1 else f" {file.resolution:g}"
    identity = f"{meaning} {file.modulus} {file.factor:g}{steps}"
    return sha256(identity.encode()).hexdigest()[:12]
