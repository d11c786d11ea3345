"""Profiles as a person uses them: in a site of one machine, and against a fake device.

`Play` reads the device with the real driver and feeds the domain, scene by scene; what
the gateway makes of each scene is compared with what the profile says of it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drivers.contract import Batch
from gateway.domain.equipment import next_due_s, step
from gateway.domain.events import Event
from gateway.domain.facts import Observation, Started, Tick
from gateway.domain.rules import EquipmentRules
from gateway.domain.snapshot import snapshots
from gateway.domain.state import EquipmentState
from gateway.settings import shipped
from gateway.settings.load import load
from gateway.settings.node import Node, merged
from gateway.settings.problems import Report
from gateway.settings.profile_model import ProfileFile, SceneFile
from gateway.settings.site import Site
from gateway.settings.validation import validate
from gateway.settings.yaml_source import read
from simulators.profile_device import ProfileDevice
from tests.support.config_site import GATEWAY, write_site

SCENE_S = 5.0
"""Between two scenes: less than what `alive` and repeats wait for."""
HOLD_S = 2.0
"""After which a state is believed."""
BEGAN = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)
LINK = "links: {plc: {protocol: modbus-tcp, host: 127.0.0.1}}\n"


@dataclass(frozen=True)
class Model:
    """A profile, or one of its variants, and what else an equipment must say."""

    profile: str
    variant: str | None = None
    says: str = ""

    def __str__(self) -> str:
        return self.profile if self.variant is None else f"{self.profile}-{self.variant}"

    def equipment(self, link: str = LINK) -> str:
        """Return the shortest file of a machine of this model."""
        variant = "" if self.variant is None else f"variant: {self.variant}\n"
        return f"equipment: machine-1\nprofile: {self.profile}\n{variant}{self.says}{link}"

    def site(self, directory: Path, link: str = LINK) -> Site:
        """Return the site of one such machine."""
        files = {"gateway.yaml": GATEWAY, "equipment/machine-1.yaml": self.equipment(link)}
        return load(write_site(directory, files))

    def file(self) -> ProfileFile:
        """Return what the profile says, with the variant laid upon it."""
        return _file(shipped.directory() / f"profiles/{self.profile}.yaml", self.variant)


def scenes_of(path: Path) -> tuple[SceneFile, ...]:
    """Return the scenes of a profile without variants."""
    return _file(path, None).simulate


def _file(path: Path, variant: str | None) -> ProfileFile:
    report = Report()
    node = read(path, path.name, report)
    assert node is not None, report.problems
    if variant is not None:
        node = merged(node.without("variants"), node.entries["variants"].entries[variant])
    file = validate(ProfileFile, node, report)
    assert file is not None, report.problems
    return file


def show_registers(device: ProfileDevice, scene: SceneFile) -> None:
    """Have a device show what a scene says."""
    device.show("coil", scene.coil)
    device.show("di", scene.di)
    device.show("ir", scene.ir)
    device.show("hr", scene.hr)


def variants_of(profile: str) -> list[str]:
    """Return the variants a profile has."""
    path = shipped.directory() / f"profiles/{profile}.yaml"
    node = read(path, path.name, Report())
    assert node is not None
    found = node.entries.get("variants", Node(node.place, {}))
    return sorted(found.entries)


@dataclass
class Play:
    """One machine and what the gateway has made of it."""

    rules: EquipmentRules
    link: str
    state: EquipmentState = field(init=False)
    values: dict[str, Any] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    _now_s: float = 0.0

    def __post_init__(self) -> None:
        self.state = EquipmentState.new(self.rules.equipment)
        self._feed(Started(BEGAN, 0.0, "b-1", None))

    def sees(self, *batches: Batch) -> list[Event]:
        """Feed what was read now, wait until it is believed, return the events."""
        before = len(self.events)
        self._now_s += SCENE_S
        for batch in batches:
            self._feed(self._observation(batch))
        self._pass_time(self._now_s + HOLD_S)
        return self.events[before:]

    def _observation(self, batch: Batch) -> Observation:
        tags = {key.partition("/")[2]: value for key, value in batch.changed.items()}
        bad = {key.partition("/")[2]: cause for key, cause in batch.bad.items()}
        self.values |= tags
        self.bad = {name: cause for name, cause in (self.bad | bad).items() if name not in tags}
        covers = frozenset(key.partition("/")[2] for key in batch.covers)
        return Observation(self.link, self._at(self._now_s), self._now_s, covers, tags, bad)

    def _pass_time(self, until_s: float) -> None:
        while (due_s := next_due_s(self.state, self.rules)) is not None and due_s <= until_s:
            self._feed(Tick(self._at(due_s), due_s))

    def _feed(self, fact: Any) -> None:
        self.state, events = step(self.state, fact, self.rules)
        self.events += events

    @staticmethod
    def _at(second: float) -> datetime:
        return BEGAN + timedelta(seconds=second)


def told(scene: SceneFile, play: Play, events: list[Event]) -> dict[str, Any]:
    """Return what the gateway says now, in the words of a scene."""
    shown = snapshots(play.state)
    counts = [event.data() for event in events if event.type == "count"]
    booked = {
        name: sum(count["delta"] for count in counts if count["counter"] == name)
        for name in sorted({count["counter"] for count in counts} | set(scene.counts))
    }
    return {
        "bad": play.bad,
        "state": shown.get("status", {}).get("state"),
        "faults": sorted(fault["code"] for fault in shown["faults"]["active"]),
        "counts": {name: delta for name, delta in booked.items() if delta or name in scene.counts},
        "values": {name: play.values.get(name) for name in scene.values},
    }


def expected(scene: SceneFile) -> dict[str, Any]:
    """Return what the profile says the gateway must say."""
    return {
        "bad": {},
        "state": scene.state,
        "faults": sorted(scene.faults),
        "counts": scene.counts,
        "values": scene.values,
    }
