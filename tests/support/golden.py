"""Golden cases: what happens to one equipment, and the events it must cause.

A case is a directory:

- ``equipment.yaml``: a configuration file, with a protocol of `tests.support.fake_protocol`.
  Everything else in the directory (``faults/*.csv``, ``profiles/``, ...) goes into the
  site beside it; ``gateway.yaml`` may be left out. ``later.yaml`` is what the equipment is
  configured as from a line ``configured`` on.
- ``facts.jsonl``: one fact a line, ``at_s`` seconds after `EPOCH` (or after the ``epoch`` of
  a first line ``{"epoch": "2026-10-25T00:00:00Z"}``):

      {"at_s": 0, "started": {"last_alive_s": -60, "boot": "b-2"}}   both may be left out
      {"at_s": 1, "seen": {"run": true}, "bad": {"ready": "illegal_address"}}
      {"at_s": 2, "lost": true}              or the name of one link, as the file writes it
      {"at_s": 3, "tick": true}              time passes up to here
      {"at_s": 4, "command": {"order": {"command_id": "c-1", "order_no": "WO-1"}}}
      {"at_s": 5, "series": true}            a new epoch began
      {"at_s": 6, "configured": true}        ``later.yaml`` takes the place of ``equipment.yaml``

  ``seen`` is one batch for each link that has a tag in it, covering all tags of that link;
  ``{}`` is a batch of every link in which nothing changed. ``stamped_s`` is the device's own
  stamp of what is seen. ``mono_s`` sets the monotonic clock apart from ``at_s``. Ticks that
  are due between two facts, or up to ``last_alive_s``, are fed by themselves, and a start
  reads the state back from its stored form, as the gateway does.
- ``expected.jsonl``: the events in order, each a subset of what must come:

      {"type": "status", "at_s": 1, "data": {"state": "running", "reason": {"code": "R1"}}}
      {"snapshot": "order", "data": {"order": null}}         how it stands in the end
      {"refused": "c-1", "error": "..."}                     a command that is not obeyed

  Events of a type that no line names are not looked at; a line ``{"only": ["count"]}``
  names types without an event.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.domain import durable
from gateway.domain.commanding import refusal
from gateway.domain.equipment import next_due_s, step
from gateway.domain.events import Event
from gateway.domain.facts import (
    Commanded,
    Fact,
    LinkLost,
    Observation,
    SeriesBegan,
    Started,
    Tick,
)
from gateway.domain.rules import EquipmentRules
from gateway.domain.snapshot import snapshots
from gateway.domain.state import EquipmentState
from gateway.domain.vocabulary import Json, stamp
from gateway.settings.load import load
from gateway.wire import command
from tests.support.config_site import GATEWAY, write_site
from tests.support.fake_protocol import spec_of

CASES = Path(__file__).parents[1] / "cases"
EPOCH = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)
_MAX_TICKS = 1000
"""Between two facts; more means that a tick does not change what it is due for."""


def cases() -> list[Path]:
    """Every case there is."""
    return sorted(path.parent for path in CASES.glob("*/facts.jsonl"))


def play_of(case: Path, site: Path) -> "Play":
    """Load the case's configuration as a site in the empty directory ``site``."""
    files: dict[str, bytes | str] = {
        str(path.relative_to(case)): path.read_bytes()
        for path in case.rglob("*")
        if path.is_file() and path.suffix != ".jsonl"
    }
    equipment = files.pop("equipment.yaml")
    later = files.pop("later.yaml", equipment)

    def rules_of(text: bytes | str) -> EquipmentRules:
        write_site(site, {"gateway.yaml": GATEWAY, **files, "equipment/case.yaml": text})
        (config,) = load(site, spec_of=spec_of).equipment.values()
        return config.rules

    return Play(rules_of(equipment), rules_of(later))


def lines(path: Path) -> list[Json]:
    """Return the objects of a file with one JSON object a line."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


@dataclass
class Play:
    """Feeds the facts of a case and keeps what came out."""

    rules: EquipmentRules
    later: EquipmentRules
    epoch: datetime = EPOCH
    state: EquipmentState = field(init=False)
    events: list[Event] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Command -> why it was not obeyed."""
    _at_s: float = 0.0
    _mono_s: float = 0.0
    """When the last line happened, on both clocks."""

    def __post_init__(self) -> None:
        self.state = EquipmentState.new(self.rules.equipment)

    def run(self, facts: Iterable[Json]) -> None:
        """Feed every line."""
        for line in facts:
            if "epoch" in line:
                self.epoch = datetime.fromisoformat(line["epoch"])
                continue
            mono_s = _mono_s(line)
            if "started" in line:
                alive_s = _told(line).get("last_alive_s", self._at_s)
                self._pass_time(alive_s, self._mono_s + alive_s - self._at_s)
                self.state = durable.load(durable.dump(self.state))
            else:
                self._pass_time(line["at_s"], mono_s)
            self._at_s, self._mono_s = line["at_s"], mono_s
            if "configured" in line:
                self.rules = self.later
                continue
            for fact in self._facts(line):
                self._feed(fact)

    def _feed(self, fact: Fact) -> None:
        if isinstance(fact, Commanded):
            error = refusal(self.state, fact, self.rules)
            if error is not None:
                self.refused[fact.command.command_id] = error
        self.state, events = step(self.state, fact, self.rules)
        self.events += events

    def _pass_time(self, at_s: float, mono_s: float) -> None:
        """Feed the ticks that are due up to this moment, of the run that lasts until then."""
        for _ in range(_MAX_TICKS):
            due_s = next_due_s(self.state, self.rules)
            if due_s is None or due_s > mono_s:
                return
            self._feed(Tick(self._at(at_s - (mono_s - due_s)), due_s))
        raise AssertionError(f"still due after {_MAX_TICKS} ticks")

    def _at(self, second: float) -> datetime:
        return self.epoch + timedelta(seconds=second)

    def _facts(self, line: Json) -> Iterator[Fact]:
        at = self._at(line["at_s"])
        mono_s = _mono_s(line)
        if "started" in line:
            told = _told(line)
            alive_s = told.get("last_alive_s")
            alive = None if alive_s is None else self._at(alive_s)
            yield Started(at, mono_s, told.get("boot", "b-1"), alive)
        elif "seen" in line or "bad" in line:
            yield from self._batches(line, at, mono_s)
        elif "lost" in line:
            error = {"class": "Unreachable", "text": "gone", "hint": ""}
            for link in self._links(line["lost"]):
                yield LinkLost(link, at, mono_s, 1, error)
        elif "command" in line:
            ((kind, content),) = line["command"].items()
            yield Commanded(at, mono_s, command.COMMANDS[kind](content))
        elif "series" in line:
            yield SeriesBegan(at, mono_s)
        else:
            assert "tick" in line, f"not a fact: {line}"
            yield Tick(at, mono_s)

    def _batches(self, line: Json, at: datetime, mono_s: float) -> Iterator[Observation]:
        seen, bad = line.get("seen", {}), line.get("bad", {})
        unknown = (seen.keys() | bad.keys()) - self.rules.tags.keys()
        assert not unknown, f"no such tags: {sorted(unknown)}"
        for link in self._links(True):  # noqa: FBT003
            tags = {name for name, tag in self.rules.tags.items() if tag.link == link}
            batch = Observation(link, at, mono_s, frozenset(tags))
            batch = batch._replace(changed=_of(tags, seen), bad=_of(tags, bad))
            if "stamped_s" in line:
                stamps = dict.fromkeys(batch.changed, self._at(line["stamped_s"]))
                batch = batch._replace(source_times=stamps)
            if batch.changed or batch.bad or not (seen or bad):
                yield batch

    def _links(self, named: object) -> list[str]:
        links = sorted({tag.link for tag in self.rules.tags.values()})
        if named is True:
            return links
        own = [link for link in links if link in (named, f"{self.rules.equipment}.{named}")]
        assert own, f"no link {named}"
        return own


def _told(line: Json) -> Json:
    return line["started"] if isinstance(line["started"], dict) else {}


def _mono_s(line: Json) -> float:
    return float(line["mono_s"] if "mono_s" in line else line["at_s"])


def _of(tags: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {tag: values[tag] for tag in tags if tag in values}


def differences(play: Play, expected: Iterable[Json]) -> list[str]:
    """Compare what came with what must come; empty if all is as expected."""
    expected = list(expected)
    wanted = [line for line in expected if "type" in line]
    only = {name for line in expected for name in line.get("only", ())}
    only |= {line["type"] for line in wanted}
    came = [event for event in play.events if event.type in only]
    found = [text for line in expected for text in _in_the_end(line, play)]
    pairs = enumerate(zip(wanted, came, strict=False))
    for number, (line, event) in pairs:
        found += _unlike(_in_full(line, play), _shown(event), f"event {number}")
    found += [f"missing: {line}" for line in wanted[len(came) :]]
    return found + [f"too many: {_shown(event)}" for event in came[len(wanted) :]]


def _in_the_end(line: Json, play: Play) -> list[str]:
    if "snapshot" in line:
        shown = snapshots(play.state).get(line["snapshot"])
        return _unlike(line["data"], shown, f"snapshot {line['snapshot']}")
    if "refused" in line:
        error = play.refused.get(line["refused"])
        return _unlike(line["error"], error, f"refusal of {line['refused']}")
    return []


def _shown(event: Event) -> Json:
    return {"type": event.type, "at": stamp(event.at), "data": event.data()}


def _in_full(line: Json, play: Play) -> Json:
    if "at_s" not in line:
        return line
    at = stamp(play.epoch + timedelta(seconds=line["at_s"]))
    return {key: value for key, value in line.items() if key != "at_s"} | {"at": at}


def _unlike(wanted: object, came: object, where: str) -> list[str]:
    """Say where ``came`` is not at least what is ``wanted``; lists are compared item by item."""
    if isinstance(wanted, dict) and isinstance(came, dict):
        return [
            text
            for key, value in wanted.items()
            for text in _unlike(value, came.get(key, "(absent)"), f"{where}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(came, list) and len(wanted) == len(came):
        pairs = enumerate(zip(wanted, came, strict=True))
        return [text for i, (a, b) in pairs for text in _unlike(a, b, f"{where}[{i}]")]
    return [] if wanted == came else [f"{where}: wanted {wanted!r}, came {came!r}"]
