"""Which equipment is concerned when other rules are taken up. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.domain.rules import EquipmentRules


@dataclass(frozen=True, slots=True)
class RulesChange:
    """From one set of rules to another; ``reopened`` links get a new session."""

    before: Mapping[str, EquipmentRules]
    after: Mapping[str, EquipmentRules]
    reopened: frozenset[str]
    changed: Collection[str] | None = None
    """Equipment whose rules may differ; None: whoever's do."""

    def added(self) -> list[str]:
        """Return the equipment that comes."""
        return [name for name in self.after if name not in self.before]

    def removed(self) -> list[str]:
        """Return the equipment that goes."""
        return [name for name in self.before if name not in self.after]

    def closed(self) -> list[str]:
        """Return what those who listen hear no more of: gone, or back in commissioning."""
        back = [
            name
            for name, rules in self.before.items()
            if rules.stage == "live" and name in self.after and self.after[name].stage != "live"
        ]
        return [*self.removed(), *back]

    def begins_live(self) -> list[str]:
        """Return what those who listen hear of from now on."""
        return [
            name
            for name, rules in self.after.items()
            if rules.stage == "live"
            and (name not in self.before or self.before[name].stage != "live")
        ]

    def concerned(self) -> list[str]:
        """Return the equipment that stays and for which something is different."""
        return [
            name
            for name, rules in self.after.items()
            if name in self.before and (self._differs(name) or self._loses_link(rules))
        ]

    def _differs(self, name: str) -> bool:
        if self.changed is not None:
            return name in self.changed
        return self.after[name] != self.before[name]

    def _loses_link(self, rules: EquipmentRules) -> bool:
        return any(tag.link in self.reopened for tag in rules.tags.values())
