"""From an equipment's file to the rules the domain works with."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.domain import maps
from gateway.domain.events import FaultText
from gateway.domain.expression import Expression, ExpressionError, compile_expression
from gateway.domain.rules import (
    STOPPING_FAULT,
    Alive,
    BalanceRule,
    CounterRule,
    EquipmentRules,
    FaultRule,
    StatusRule,
    TagRule,
    UsageRule,
)
from gateway.domain.vocabulary import Reason, State
from gateway.settings.counters import CounterReader, read_balance
from gateway.settings.equipment_model import (
    EquipmentFile,
    FaultFile,
    ReasonFile,
    StatusRuleFile,
)
from gateway.settings.faults import Kind
from gateway.settings.node import Node, locate
from gateway.settings.problems import Path, Prose, Report
from gateway.settings.state_maps import MapInUse, read_map
from gateway.settings.usage import read_usage
from gateway.settings.words import texts

Dictionary = Callable[[str, Kind, Path], Mapping[int, FaultText]]
"""(file, kind, where it is named) -> the texts in it; problems are reported."""


class RuleReader:
    """Builds the rules of one equipment; every name it meets must be one of its tags."""

    def __init__(self, file: EquipmentFile, node: Node, report: Report) -> None:
        """Take the checked file and the tree it came from."""
        self._file = file
        self._node = node
        self._report = report
        self._tags = tuple(node.entries["tags"].entries) if "tags" in node.entries else ()

    def rules(
        self, tags: Mapping[str, TagRule], meanings: Mapping[str, str], dictionary: Dictionary
    ) -> EquipmentRules:
        """Return the rules; problems are reported and their parts left out.

        ``meanings`` says of each tag what its raw value means.
        """
        file = self._file
        balance = read_balance(file, self._node, self._report)
        if not self._written("status") and not self._written("status_map"):
            self._report.add("no_status", self._node.place, ("status",))
        status = [self._status(i, rule) for i, rule in enumerate(file.status)]
        states = self._map()
        return EquipmentRules(
            equipment=file.equipment,
            status=(
                *(rule for rule in status if rule is not None),
                *(() if states is None else maps.rules_of(states.states, states.tags)),
            ),
            mode=None if states is None else maps.mode_of(states.states, states.tags),
            min_hold_s=file.min_hold_ms / 1000,
            repeat_s=file.repeat_s,
            alive=self._alive(),
            counters=self._counters(tags, meanings),
            balance=balance,
            faults=tuple(self._fault(i, f, dictionary) for i, f in enumerate(file.faults)),
            tags={name: self._published(name, tag) for name, tag in tags.items()},
            snapshot_s=file.snapshot_s,
            max_shelf_s=file.max_shelf_s,
            stage=file.stage,
            usage=self._usage(balance),
            ideal_cycle_ms=file.ideal_cycle_ms,
        )

    def _published(self, name: str, tag: TagRule) -> TagRule:
        """A list of alarms is told as faults; as a reading it would say all of it again."""
        lists = any(fault.conditions and fault.tag == name for fault in self._file.faults)
        return replace(tag, publish=False) if lists else tag

    def _usage(self, balance: BalanceRule | None) -> tuple[UsageRule, ...]:
        counters = set(self._file.counters)
        if balance is not None:
            counters |= {balance.good, balance.reject, balance.total}
        return read_usage(self._file.usage, counters, self._node, self._report)

    def _written(self, key: str) -> bool:
        """Say whether there is anything under ``key``, be it right or wrong."""
        node = self._node.entries.get(key)
        return node is not None and bool(node.value)

    def _status(self, number: int, rule: StatusRuleFile) -> StatusRule | None:
        when = self._condition(rule.when, ("status", number, "when"))
        if when is None:
            return None
        if rule.reason_tag is not None:
            self._known_tag(rule.reason_tag, ("status", number, "reason_tag"))
        return StatusRule(
            State(rule.state),
            when,
            None if rule.reason is None else _reason(rule.reason),
            rule.mode,
            rule.reason_tag,
            {shown: _reason(reason) for shown, reason in rule.reasons.items()},
        )

    def _map(self) -> MapInUse | None:
        states = read_map(self._file.status_map, self._node, self._report)
        for role, tag in () if states is None else states.tags.items():
            self._known_tag(tag, ("status_map", role))
        return states

    def _condition(self, text: str, path: Path) -> Expression | None:
        place = locate(self._node, path)
        try:
            expression = compile_expression(text)
        except ExpressionError as err:
            reason, column = Prose(err.problem), err.column
            self._report.add(
                err.code, place, path, text=text, column=column, reason=reason, part=err.part
            )
            return None
        for name in sorted(expression.names - {STOPPING_FAULT}):
            self._known_tag(name, path, also=(STOPPING_FAULT,))
        if STOPPING_FAULT in expression.names and not self._written("faults"):
            self._report.add("no_fault_source", place, path)
        return expression

    def _known_tag(self, name: str, path: Path, *, also: tuple[str, ...] = ()) -> None:
        if name not in self._tags:
            place = locate(self._node, path)
            self._report.add_unknown("unknown_tag", place, path, name, (*self._tags, *also))

    def _alive(self) -> Alive | None:
        alive = self._file.alive
        if alive is None:
            return None
        self._known_tag(alive.tag, ("alive", "tag"))
        return Alive(alive.tag, alive.changes_within_s)

    def _counters(
        self, tags: Mapping[str, TagRule], meanings: Mapping[str, str]
    ) -> tuple[CounterRule, ...]:
        read = CounterReader(
            tags, meanings, self._condition, self._known_tag, self._node, self._report
        )
        return tuple(read.rule(name, counter) for name, counter in self._file.counters.items())

    def _fault(self, number: int, file: FaultFile, dictionary: Dictionary) -> FaultRule:
        path: Path = ("faults", number)
        self._known_tag(file.tag, (*path, "tag"))
        self._first_of_its_tag(number, file, path)
        kind: Kind = "codes" if file.bits is None else "bits"
        named = file.bits or file.codes
        return FaultRule(
            tag=file.tag,
            kind="conditions" if named is None else "bits" if kind == "bits" else "code",
            texts={} if named is None else dictionary(named, kind, (*path, kind)),
            stops_from=file.stops_from,
            on_delay_s=file.on_delay_ms / 1000,
            off_delay_s=file.off_delay_ms / 1000,
            inverted=file.inverted,
            chatter_raises=file.chatter_raises,
            chatter_s=file.chatter_s,
        )

    def _first_of_its_tag(self, number: int, file: FaultFile, path: Path) -> None:
        """Two dictionaries on one word would raise and clear each other's faults."""
        earlier = [i for i, one in enumerate(self._file.faults[:number]) if one.tag == file.tag]
        if earlier:
            line = locate(self._node, ("faults", earlier[0])).line
            place = locate(self._node, path)
            self._report.add("same_fault_source", place, (*path, "tag"), name=file.tag, line=line)


def _reason(file: ReasonFile) -> Reason:
    return Reason(file.code, file.category, texts(file.text), file.planned)
