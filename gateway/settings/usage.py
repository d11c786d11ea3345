"""What wears out on an equipment, and after how much of what."""

from collections.abc import Collection, Mapping
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.domain.rules import UsageKind, UsageRule
from gateway.settings.node import Node, locate
from gateway.settings.problems import Path, Report
from gateway.settings.words import Name, Strict, Texts, texts

WARN_AT = 0.9
"""Of the limit, where the file does not say."""


class UsageFile(Strict):
    """Hours run, hours on, or the steps of a counter until maintenance is due."""

    kind: UsageKind
    limit: float = Field(gt=0, le=1e15)
    warn_at: float | None = Field(None, ge=0, le=1e15)
    counter: Name | None = None
    """What counts the cycles."""
    name: Texts = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.counter is None) == (self.kind == "cycles"):
            raise PydanticCustomError("cycles_and_counter", "both or none")
        if self.warn_at is not None and self.warn_at > self.limit:
            raise PydanticCustomError("warning_after_limit", "too late")
        return self


def read_usage(
    files: Mapping[str, UsageFile], counters: Collection[str], node: Node, report: Report
) -> tuple[UsageRule, ...]:
    """Return the rules of one equipment, whose counters are ``counters``."""
    for name, file in files.items():
        if file.counter is not None and file.counter not in counters:
            path: Path = ("usage", name, "counter")
            place = locate(node, path)
            report.add_unknown("unknown_counter", place, path, file.counter, counters)
    return tuple(_rule(name, file) for name, file in files.items())


def _rule(name: str, file: UsageFile) -> UsageRule:
    return UsageRule(
        name=name,
        kind=file.kind,
        limit=file.limit,
        warn_at=file.limit * WARN_AT if file.warn_at is None else file.warn_at,
        counter=file.counter,
        text=texts(file.name),
    )
