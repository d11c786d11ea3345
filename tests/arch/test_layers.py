"""Who may import whom.

A module may import its own room and what its room's line names; `drivers.contract`,
for example, also stands for everything below it. Simulators stay apart from drivers so
that one byte-order mistake cannot hide on both sides of a test.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("drivers", "gateway", "simulators")

MAY_IMPORT: Mapping[str, tuple[str, ...]] = {
    "drivers": (),
    "drivers.clock": (),
    "drivers.planned": (),
    "drivers.turn": (),
    "drivers.values": (),
    "drivers.probed": (),
    "drivers.contract": ("drivers.planned", "drivers.probed"),
    "drivers._blueprint": ("drivers.contract",),
    "drivers.modbus": (
        "drivers.clock",
        "drivers.contract",
        "drivers.planned",
        "drivers.probed",
        "drivers.turn",
        "drivers.values",
    ),
    "drivers.opcua": (
        "drivers.clock",
        "drivers.contract",
        "drivers.planned",
        "drivers.probed",
        "drivers.values",
    ),
    "drivers.registry": ("drivers.contract",),
    "drivers.replay": ("drivers.clock", "drivers.contract", "drivers.values"),
    "simulators": (),
    "gateway": (),
    "gateway.ops": (),
    "gateway.domain": ("drivers.contract",),
    "gateway.wire": ("gateway.domain",),
    "gateway.settings": ("drivers.registry", "drivers.contract", "gateway.domain"),
    "gateway.journal": ("gateway.domain", "gateway.ops"),
    "gateway.collect": (
        "drivers.contract",
        "drivers.turn",
        "gateway.domain",
        "gateway.journal",
        "gateway.ops",
    ),
    "gateway.control": (
        "gateway.domain",
        "gateway.settings",
        "gateway.collect",
        "gateway.journal",
        "gateway.ops",
        "gateway.wire",
    ),
    "gateway.publish": ("gateway.domain", "gateway.journal", "gateway.wire", "gateway.ops"),
    "gateway.push": ("gateway.domain", "gateway.journal", "gateway.wire", "gateway.ops"),
    "gateway.historian": ("gateway.domain", "gateway.wire", "gateway.ops"),
    "gateway.verify": ("gateway.domain", "gateway.wire", "gateway.ops"),
    "gateway.web": (
        "gateway.domain",
        "gateway.wire",
        "gateway.settings",
        "gateway.journal.errors",
        "gateway.journal.history",
        "gateway.journal.reader",
        "gateway.journal.row",
        "gateway.control.client",
        "gateway.control.configuring",
        "gateway.ops",
    ),
    "gateway.tags": (
        "drivers.contract",
        "drivers.registry",
        "gateway.domain",
        "gateway.settings",
    ),
    "gateway.commission": (
        "drivers",
        "gateway.collect",
        "gateway.domain",
        "gateway.ops",
        "gateway.settings",
        "gateway.tags",
    ),
    "gateway.app": (
        "drivers.contract",
        "drivers.registry",
        "gateway.collect",
        "gateway.control",
        "gateway.domain",
        "gateway.historian",
        "gateway.journal",
        "gateway.ops",
        "gateway.publish",
        "gateway.push",
        "gateway.settings",
        "gateway.web",
        "gateway.wire",
    ),
    "gateway.demo": ("gateway.app", "gateway.settings", "gateway.ops", "simulators"),
    "gateway.cli": ("drivers", "gateway", "simulators"),
    "gateway.__main__": ("gateway.cli",),
}

IMPORTERS: Mapping[str, str] = {
    "pymodbus": "drivers.modbus",
    "asyncua": "drivers.opcua",
    "paho": "gateway.ops",
    "prometheus_client": "gateway.ops",
    "sqlite3": "gateway.journal gateway.demo gateway.web.store",
    "sqlalchemy": "gateway.historian",
    "influxdb_client": "gateway.historian",
    "httpx": "gateway.push",
    "fastapi": "gateway.web",
    "uvicorn": "gateway.web",
    "argon2": "gateway.web.access",
    "ruamel": "gateway.settings",
    "amqtt": "gateway.demo",
    "typer": "gateway.cli",
}
"""A library -> the rooms that know it."""

PURE_ROOMS = ("gateway.domain", "gateway.wire")
IMPURE = frozenset(
    [
        "asyncio",
        "concurrent",
        "io",
        "logging",
        "os",
        "pathlib",
        "queue",
        "random",
        "requests",
        "secrets",
        "select",
        "signal",
        "socket",
        "sqlite3",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "uuid",
    ]
)
CLOCKS = frozenset({"now", "utcnow", "today"})


def modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(module: str, tree: ast.Module, known: frozenset[str]) -> set[str]:
    """Every module ``tree`` imports; ``from a import b`` is a.b if that is a module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                found.add(f"{module}: a relative import")
                continue
            source = node.module or ""
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                found.add(inner if inner in known else source)
    return found


def within(module: str, names: Iterable[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def room_of(module: str) -> str:
    return max((room for room in MAY_IMPORT if within(module, (room,))), key=len)


def import_graph(root: Path) -> dict[str, set[str]]:
    trees = dict(modules(root))
    known = frozenset(trees)
    return {name: imports(name, tree, known) for name, tree in trees.items()}


def layer_violations(graph: Mapping[str, set[str]]) -> list[str]:
    wrong = []
    for module, targets in graph.items():
        room = room_of(module)
        for target in sorted(targets):
            ours = target.partition(".")[0] in PACKAGES
            same = ours and room_of(target) == room
            if target.endswith("relative import") or (
                ours and not same and not within(target, MAY_IMPORT[room])
            ):
                wrong.append(f"{module} imports {target}")
    return wrong


def library_violations(graph: Mapping[str, set[str]]) -> list[str]:
    return [
        f"{module} imports {target}"
        for module, targets in graph.items()
        if module.partition(".")[0] != "simulators"
        for target in sorted(targets)
        if (rooms := IMPORTERS.get(target.partition(".")[0])) and not within(module, rooms.split())
    ]


def impurities(root: Path) -> list[str]:
    wrong = []
    for module, tree in modules(root):
        if not within(module, PURE_ROOMS):
            continue
        tops = {target.partition(".")[0] for target in imports(module, tree, frozenset())}
        wrong += [f"{module} imports {name}" for name in sorted(tops & IMPURE)]
        wrong += [f"{module} asks the clock in line {line}" for line in clock_lines(tree)]
        wrong += [
            f"{module} is async in line {node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.AsyncFunctionDef)
        ]
    return wrong


def clock_lines(tree: ast.Module) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ]


def test_every_room_imports_only_what_its_line_allows() -> None:
    assert layer_violations(import_graph(ROOT)) == []


def test_each_library_is_known_to_its_room_only() -> None:
    assert library_violations(import_graph(ROOT)) == []


def test_no_module_imports_itself_round_a_corner() -> None:
    graph = import_graph(ROOT)
    ours = {name: {target for target in graph[name] if target in graph} for name in graph}
    TopologicalSorter(ours).prepare()


def test_the_table_itself_has_no_cycle() -> None:
    rooms = {room: {room_of(target) for target in MAY_IMPORT[room]} - {room} for room in MAY_IMPORT}
    TopologicalSorter(rooms).prepare()


def test_the_pure_rooms_have_no_clock_no_files_no_tasks() -> None:
    assert impurities(ROOT) == []


PLANTED = {
    "drivers/modbus/driver.py": "from gateway.domain.events import State\n",
    "drivers/modbus/plan.py": "def f():\n    import drivers.opcua.driver\n",
    "drivers/opcua/driver.py": "import drivers.contract\n",
    "simulators/plant.py": "from drivers import contract\n",
    "gateway/publish/pump.py": "from drivers.modbus import plan\nimport sqlite3\n",
    "gateway/historian/consumer.py": "if True:\n    from gateway.journal.row import Row\n",
    "gateway/web/app.py": "from gateway.journal import row, writer\n",
    "gateway/journal/row.py": "",
    "gateway/journal/writer.py": "from . import row\n",
    "gateway/domain/status.py": "import time\nasync def f():\n    return datetime.now()\n",
}
BROKEN_LAYERS = [
    "drivers.modbus.driver imports gateway.domain.events",
    "drivers.modbus.plan imports drivers.opcua.driver",
    "gateway.historian.consumer imports gateway.journal.row",
    "gateway.journal.writer imports gateway.journal.writer: a relative import",
    "gateway.publish.pump imports drivers.modbus.plan",
    "gateway.web.app imports gateway.journal.writer",
    "simulators.plant imports drivers",
]


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    for name, text in PLANTED.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_what_is_planted_is_caught(planted: Path) -> None:
    graph = import_graph(planted)
    assert sorted(layer_violations(graph)) == BROKEN_LAYERS
    assert library_violations(graph) == ["gateway.publish.pump imports sqlite3"]
    assert impurities(planted) == [
        "gateway.domain.status imports time",
        "gateway.domain.status asks the clock in line 3",
        "gateway.domain.status is async in line 2",
    ]


def test_a_planted_cycle_is_caught() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()
