import io
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli import faults, kpi
from gateway.cli.main import app
from gateway.domain.vocabulary import Json
from gateway.historian.shift_windows import ShiftPlan
from gateway.historian.sql import SqlStore
from gateway.settings.load import load
from tests.support.config_site import write_site
from tests.support.machine_life import LIFE, MACHINES, life, store_life
from tests.support.postgres import Database
from tests.support.stores import SOURCE, START, envelope, fault_data, status_data, text

MINUTE = timedelta(minutes=1)
NOW = START + LIFE
GATEWAY = """\
site: plant
gateway: gw-01
timezone: Asia/Shanghai
historian: {{stores: [{{kind: sql, url: "{url}"}}]}}
"""
SHIFTS = """\
day_starts: 08:00
patterns:
  A: {start: 08:00, end: 16:00, breaks: [{start: 11:30, end: 12:15}, {start: 14:00, end: 14:10}]}
  B: {start: 17:00, end: 01:00, breaks: [{start: 20:00, end: 20:30}]}
week: {fri: [A, B], sat: [A, B], sun: [A, B]}
"""


def machine(name: str) -> str:
    return f"""\
equipment: {name}
area: stamping
line: line-2
link: plc
tags: {{run: {{address: M1}}}}
status: [{{state: running, when: run}}]
links: {{plc: {{protocol: modbus-tcp, host: 10.0.0.{name[-1]}}}}}
"""


@pytest.fixture
def site(tmp_path: Path, database: Database) -> Path:
    files = {f"equipment/{name}.yaml": machine(name) for name in MACHINES}
    files |= {"gateway.yaml": GATEWAY.format(url=database.url), "shifts.yaml": SHIFTS}
    return write_site(tmp_path / "site", files)


def lived(site: Path, database: Database, seed: int) -> None:
    """Store two random days, and the shifts as the historian plans them."""
    store_life(database.url, life(Random(seed)))
    configs = load(site).equipment.items()
    calendars = {name: one.rules.calendar for name, one in configs if one.rules.calendar}
    store = SqlStore.open(database.url)
    store.plan_shifts(ShiftPlan(SOURCE, calendars), START)
    store.close()


def answer(site: Path, **options: Any) -> Json:
    out = io.StringIO()
    assert faults.run(site, json=True, now=NOW, out=out, **options) == 0
    found: Json = orjson.loads(out.getvalue())
    return found


def alike(told: Any, asked: Any) -> bool:
    return told is None if asked is None else told == pytest.approx(asked)


FIGURES = ("operating", "unknown", "mtbf", "mttr", "response", "repair", "restart")
COUNTS = ("failures", "repaired", "acknowledged", "restarted", "availability")
COLUMNS = ", ".join([*(f"{name}_ms / 1000.0" for name in FIGURES), *COUNTS])


def same(row: tuple[Any, ...], one: Json) -> bool:
    figures = [one[f"{name}_s"] for name in FIGURES] + [one[name] for name in COUNTS]
    return all(alike(told, asked) for told, asked in zip(row, figures, strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_sql_and_the_command_give_the_same_figures(
    site: Path, database: Database, seed: int
) -> None:
    lived(site, database, seed)
    begins = START.isoformat()
    query = f"SELECT {COLUMNS} FROM fault_reliability WHERE equipment = "  # noqa: S608
    for one in answer(site, begins=begins)["figures"]:
        (row,) = database.query(f"{query}'{one['equipment']}'")
        assert same(row, one), (row, one)
        assert one["failures"] > 0


@pytest.mark.parametrize("seed", range(3))
def test_sql_and_the_command_give_the_same_figures_of_each_shift(
    site: Path, database: Database, seed: int
) -> None:
    lived(site, database, seed)
    found = answer(site, begins=START.isoformat(), by="shift")["figures"]
    query = f"SELECT {COLUMNS} FROM fault_reliability_by_shift WHERE equipment = "  # noqa: S608
    whole = [
        one for one in found if one["to"] < NOW.isoformat() and one["from"] > START.isoformat()
    ]
    assert len(whole) == 2 * (2 + 1)
    for one in whole:
        day, shift = one["shift"].split()
        which = f"'{one['equipment']}' AND production_date = '{day}' AND shift = '{shift}'"
        (row,) = database.query(query + which)
        assert same(row, one), (row, one)


@pytest.mark.parametrize("seed", range(3))
def test_sql_and_the_command_give_the_same_pareto(
    site: Path, database: Database, seed: int
) -> None:
    lived(site, database, seed)
    found = answer(site, begins=(START - timedelta(hours=1)).isoformat())["pareto"]
    rows = database.query(
        "SELECT equipment, code, occurrences, raises, duration_ms / 1000.0, share, cumulative"
        " FROM fault_pareto ORDER BY duration_ms DESC, occurrences DESC, equipment, code"
    )
    keys = ("equipment", "code", "occurrences", "raises", "duration_s", "share", "cumulative")
    assert [tuple(one[key] for key in keys) for one in found] == [
        (*row[:4], *(pytest.approx(number) for number in row[4:])) for row in rows
    ]
    assert rows[-1][-1] == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_sql_and_kpi_give_the_same_minutes_of_each_shift(
    site: Path, database: Database, seed: int
) -> None:
    lived(site, database, seed)
    out = io.StringIO()
    begins, now = (START - timedelta(hours=1)).isoformat(), NOW + timedelta(hours=16)
    assert kpi.run(site, json=True, begins=begins, now=now, out=out) == 0
    parts = ("production", "setup", "delay", "down", "planned_stop", "unknown", "planned_busy")
    columns = ", ".join(f"{part}_ms / 1000.0" for part in (*parts, "total"))
    found = [one for one in orjson.loads(out.getvalue()) if "equipment" in one]
    assert len(found) == 2 * 6
    for one in found:
        day, shift = one["window"].split()
        (row,) = database.query(
            f"SELECT {columns} FROM times_by_shift WHERE equipment = '{one['equipment']}'"  # noqa: S608
            f" AND production_date = '{day}' AND shift = '{shift}'"
        )
        assert row == pytest.approx([one["inputs"][f"{part}_s"] for part in (*parts, "total")])


def scene(site: Path, url: str) -> Path:
    """One failure of press-03: acknowledged after 2, mended after 10, running after 15 minutes."""
    states = [("running", 0), ("fault", 60), ("idle", 70), ("running", 75), ("offline", 180)]
    facts = [
        envelope("status", n, n, status_data(state, START + at * MINUTE), at=START + at * MINUTE)
        for n, (state, at) in enumerate(states, 1)
    ]
    done = {
        "raised_at": text(START + 60 * MINUTE),
        "cleared_at": text(START + 70 * MINUTE),
        "acked_at": text(START + 62 * MINUTE),
        "acked_by": "li",
        "raises": 3,
    }
    fault = fault_data("f1", "cleared", **done)
    facts.append(envelope("fault", len(facts) + 1, 1, fault, at=START + 240 * MINUTE))
    store_life(url, facts)
    return site


def test_every_figure_of_one_failure(site: Path, database: Database) -> None:
    found = answer(scene(site, database.url), begins="2026-03-20T09:00", ends="2026-03-20T14:00")
    assert (found["from"], found["to"]) == (
        "2026-03-20T01:00:00+00:00",
        "2026-03-20T05:00:00+00:00",
    )
    press, idle = found["figures"]
    assert press == {
        "equipment": "press-03",
        "from": found["from"],
        "to": found["to"],
        "operating_s": 165 * 60,
        "unknown_s": 3600,
        "failures": 1,
        "repaired": 1,
        "acknowledged": 1,
        "mended": 1,
        "restarted": 1,
        "mtbf_s": 165 * 60,
        "mttr_s": 600,
        "response_s": 120,
        "repair_s": 480,
        "restart_s": 300,
        "availability": pytest.approx(165 / 175),
    }
    assert (idle["failures"], idle["mtbf_s"], idle["availability"]) == (0, None, None)
    assert idle["unknown_s"] == 4 * 3600
    (row,) = found["pareto"]
    assert (row["code"], row["raises"], row["duration_s"], row["share"]) == ("E17", 3, 600, 1)
    assert row["text"] == {"zh": "防护门打开", "en": "Guard open"}


def test_by_code_and_of_one_equipment(site: Path, database: Database) -> None:
    scene(site, database.url)
    (found,) = answer(site, begins="2026-03-20", by="code")["figures"]
    assert (found["equipment"], found["code"], found["failures"]) == ("press-03", "E17", 1)
    other = answer(site, begins="2026-03-20", equipment="press-04")
    assert [one["equipment"] for one in other["figures"]] == ["press-04"]
    assert other["pareto"] == []


def test_by_default_the_last_thirty_days(site: Path, database: Database) -> None:
    scene(site, database.url)
    assert answer(site)["from"] == "2026-02-19T16:00:00+00:00"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("lang", "shown", "hidden"),
    [
        ("zh", ("固有可用度", "防护门打开"), "Guard"),
        ("en", ("inherent", "Guard open"), "防护门打开"),
    ],
)
def test_the_tables_speak_the_language_asked_for(
    site: Path, database: Database, lang: str, shown: tuple[str, ...], hidden: str
) -> None:
    scene(site, database.url)
    asked = ["faults", str(site), "--from", "2026-03-20", "--to", "2026-03-20T13:00"]
    result = CliRunner().invoke(app, [*asked, "--lang", lang])
    assert result.exit_code == 0
    assert all(word in result.output for word in (*shown, "2:45:00", "0:10:00", "94.3%", "1/1/1/1"))
    assert hidden not in result.output
    none = CliRunner().invoke(app, [*asked, "--lang", lang, "--equipment", "press-04"])
    assert ("没有故障记录" if lang == "zh" else "no faults") in none.output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"begins": "2026-03-19", "ends": "2026-03-18"}, "--from must lie before --to"),
        ({"begins": "2026-03-21"}, "nothing was told in that time"),
        ({"begins": "2026-03-20", "equipment": "press-99"}, "no such equipment: press-99"),
    ],
)
def test_what_cannot_be_answered_is_said(
    site: Path,
    database: Database,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, Any],
    reason: str,
) -> None:
    scene(site, database.url)
    assert faults.run(site, now=NOW, **options) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_a_calendar_not_by_shift(
    site: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    scene(site, database.url)
    (site / "shifts.yaml").unlink()
    assert faults.run(site, by="shift", begins="2026-03-20", now=NOW) == 1
    assert "there is no shifts.yaml" in capsys.readouterr().err


def test_an_empty_store_and_a_bad_configuration_are_said(
    site: Path, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    SqlStore.open(database.url).close()
    assert faults.run(site, now=NOW) == 1
    assert "nothing was told" in capsys.readouterr().err
    assert faults.run(tmp_path / "none", now=NOW) == 1
    assert "millgate check" in capsys.readouterr().err
