"""Ready-made state maps: what a standard's numbers and names mean in the seven states.

- A map is a table; `rules_of` turns it into ordinary status rules, so a mapped state is
  held, dated and explained like any other.
- The first row whose tags all show one of its values decides; a tag that is not
  configured takes its rows away.
- A value no row knows is ``offline``, not ``stopped``: the machine says something nobody
  understands, and that is unknown time, not lost time. Of a mode an unknown value decides
  nothing: standards leave modes to vendors and users.
- Names are compared without regard to case; numbers and names mean the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from drivers.contract import Value
from gateway.domain.expression import Expression, compile_expression, every, folded, one_of
from gateway.domain.rules import STOPPING_FAULT, ModeRule, StatusRule
from gateway.domain.vocabulary import Mode, Reason, State

STATE = "state"
MODE = "mode"
UNKNOWN_VALUE = Reason(
    "unknown_value",
    "unspecified",
    {"zh": "状态值不在对照表内", "en": "The state map does not know this value"},
)

Values = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """``state`` while each of these roles shows one of its values."""

    state: State
    when: Mapping[str, Values]
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class StateMap:
    """What the values of one standard mean, in the order in which they decide."""

    rows: tuple[Row, ...]
    modes: Mapping[Mode, Values] = field(default_factory=dict)
    """What the role ``mode`` says, beside what its rows decide."""
    needed: frozenset[str] = frozenset({STATE})
    """Roles without which the map has no meaning."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role a tag may be given to, the needed ones first."""
        named = {role for row in self.rows for role in row.when} | self.needed
        named |= {MODE} if self.modes else set()
        optional = named - self.needed - {STOPPING_FAULT}
        return (*sorted(self.needed), *sorted(optional))


def rules_of(states: StateMap, tags: Mapping[str, str]) -> tuple[StatusRule, ...]:
    """Return the map as status rules over these tags; ``tags`` is role -> tag name."""
    names = {**tags, STOPPING_FAULT: STOPPING_FAULT}
    rules = [
        StatusRule(row.state, _condition(row, names), row.reason)
        for row in states.rows
        if row.when.keys() <= names.keys()
    ]
    return (*rules, StatusRule(State.OFFLINE, compile_expression("true"), UNKNOWN_VALUE))


def mode_of(states: StateMap, tags: Mapping[str, str]) -> ModeRule | None:
    """Return what the mode tag says, None where the map or the equipment has none."""
    if not states.modes or MODE not in tags:
        return None
    table = {folded(value): mode for mode, values in states.modes.items() for value in values}
    return ModeRule(tags[MODE], MappingProxyType(table))


def _condition(row: Row, names: Mapping[str, str]) -> Expression:
    return every([one_of(names[role], values) for role, values in row.when.items()])
