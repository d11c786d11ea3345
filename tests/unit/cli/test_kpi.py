import io
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli import kpi
from gateway.cli.main import app
from gateway.domain.kpi import Missing
from gateway.domain.vocabulary import Json
from gateway.historian.sql import SqlStore
from gateway.historian.store import Batch
from gateway.wire.cloudevent import Envelope
from tests.support.config_site import write_site
from tests.support.postgres import Database
from tests.support.stores import START, count_data, envelope, reading_data, status_data

MINUTE = timedelta(minutes=1)
NOW = START + 4 * 60 * MINUTE
GATEWAY = "site: plant\ngateway: gw-01\ntimezone: Asia/Shanghai\n"
STORE = 'historian: {{stores: [{{kind: sql, url: "{url}"}}]}}\n'
SHIFTS = """\
day_starts: 08:00
patterns:
  A: {start: 08:00, end: 12:00, breaks: [{start: 10:00, end: 10:15}]}
  B: {start: 12:00, end: 16:00}
week: {fri: [A, B]}
"""
ORDER = {"order_no": "WO-1", "operation": None, "product": None, "batch": None, "operator": None}


def machine(name: str, ideal: str = "ideal_cycle_ms: 6000\n") -> str:
    return f"""\
equipment: {name}
area: stamping
line: line-2
{ideal}link: plc
tags: {{run: {{address: M1}}}}
status: [{{state: running, when: run}}]
links: {{plc: {{protocol: modbus-tcp, host: 10.0.0.{name[-1]}}}}}
"""


def told(name: str, first: int, states: list[tuple[str, int]], good: int) -> list[Envelope]:
    """The states of a machine by minutes after 09:00, and its parts at 09:30."""
    status = [
        envelope(
            "status",
            first + n,
            1 + n,
            status_data(state, START + at * MINUTE, order=ORDER if at < 60 else None),
            equipment=name,
        )
        for n, (state, at) in enumerate(states)
    ]
    counts = [
        count_data(0, total, counter=kind, kind=kind, order=ORDER)
        for total in (0, good)
        for kind in ("good", "reject")
        if kind == "good" or total == 0
    ]
    at = START + 30 * MINUTE
    return status + [
        envelope("count", first + 20 + n, 1 + n, data, equipment=name, at=at)
        for n, data in enumerate(counts)
    ]


@pytest.fixture
def site(tmp_path: Path, database: Database) -> Path:
    write_site(
        tmp_path,
        {
            "gateway.yaml": GATEWAY + STORE.format(url=database.url),
            "shifts.yaml": SHIFTS,
            "equipment/press-03.yaml": machine("press-03"),
            "equipment/press-04.yaml": machine("press-04"),
        },
    )
    store = SqlStore.open(database.url)
    events = [
        *told("press-03", 1, [("running", 0), ("idle", 60), ("fault", 90), ("running", 120)], 300),
        *told("press-04", 50, [("running", 0), ("offline", 120)], 600),
        envelope("reading", 99, 1, reading_data({"t": 1}), at=NOW, equipment="press-03"),
    ]
    store.write(Batch(events, store.ledger().plan(events)))
    store.close()
    return tmp_path


def figures(site: Path, **options: Any) -> list[Json]:
    out = io.StringIO()
    assert kpi.run(site, json=True, now=NOW, out=out, **options) == 0
    rows: list[Json] = orjson.loads(out.getvalue())
    return rows


def test_by_shift_with_the_line_from_the_sums(site: Path) -> None:
    rows = figures(site)
    assert [(row.get("equipment") or row["line"], row["window"]) for row in rows] == [
        ("press-03", "2026-03-20 A"),
        ("press-03", "2026-03-20 B"),
        ("press-04", "2026-03-20 A"),
        ("press-04", "2026-03-20 B"),
        ("stamping/line-2", "2026-03-20 A"),
        ("stamping/line-2", "2026-03-20 B"),
    ]
    first = rows[0]
    assert first["inputs"]["total_s"] == 4 * 3600
    assert first["inputs"]["unknown_s"] == 3600
    assert first["inputs"]["planned_stop_s"] == 900
    assert first["inputs"]["planned_busy_s"] == (180 - 15) * 60
    assert first["availability"] == pytest.approx(120 / 165)
    assert first["performance"] == pytest.approx(300 * 6 / 7200)
    assert first["quality"] == 1
    line = rows[4]
    assert line["availability"] == pytest.approx((120 + 120) / (165 + 120))
    assert line["inputs"]["produced"] == 900
    assert rows[3]["missing"]["availability"] == "nothing_known"


def test_what_counts_no_parts_is_not_part_of_a_line(site: Path) -> None:
    write_site(site, {"equipment/meter-05.yaml": machine("meter-05")})
    rows = figures(site)
    assert "meter-05" in {row.get("equipment") for row in rows}
    line = next(row for row in rows if "line" in row)
    assert line["inputs"]["unknown_s"] == (60 + 120) * 60
    assert line["inputs"]["produced"] == 900


def test_by_hour_by_day_and_by_order(site: Path) -> None:
    assert [row["window"] for row in figures(site, by="hour", begins="2026-03-20T11:00")][:2] == [
        "2026-03-20T11:00+08:00",
        "2026-03-20T12:00+08:00",
    ]
    assert {row["window"] for row in figures(site, by="day")} == {"2026-03-19", "2026-03-20"}
    (first, _, line) = figures(site, by="order")
    assert (first["window"], first["inputs"]["total_s"]) == ("WO-1", 3600)
    assert line["inputs"]["produced"] == 900


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"begins": "2026-03-21"}, "--from must lie before --to"),
        ({"begins": "yesterday"}, "not a date or a time: yesterday"),
    ],
)
def test_what_cannot_be_answered_is_said(
    site: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any], reason: str
) -> None:
    assert kpi.run(site, now=NOW, **options) == 1
    assert reason in capsys.readouterr().err


def test_without_a_calendar_by_shift_is_refused_and_by_day_is_not(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "shifts.yaml").unlink()
    assert kpi.run(site, now=NOW) == 1
    assert "there is no shifts.yaml" in capsys.readouterr().err
    assert figures(site, by="day")[0]["inputs"]["total_s"] == 13 * 3600


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_a_history_it_says_what_is_missing(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "data/history.db").unlink()
    assert kpi.run(site, now=NOW) == 1
    assert "there is no such file" in capsys.readouterr().err
    (site / "gateway.yaml").write_text(
        GATEWAY + "historian: {stores: [{kind: influxdb, url: 'http://127.0.0.1:1'}]}\n", "utf-8"
    )
    assert kpi.run(site, now=NOW) == 1
    assert "there is no SQL store" in capsys.readouterr().err


def test_a_bad_configuration_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kpi.run(tmp_path) == 1
    assert "millgate check" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lang", "shown", "not_shown"),
    [("zh", "未知", "unknown"), ("en", "unknown", "未知"), ("both", "未知", "\x00")],
)
def test_the_table_speaks_the_language_asked_for(
    site: Path, lang: str, shown: str, not_shown: str
) -> None:
    result = CliRunner().invoke(
        app,
        ["kpi", str(site), "--from", "2026-03-20", "--to", "2026-03-20T13:00", "--lang", lang],
    )
    assert result.exit_code == 0
    assert shown in result.output
    assert not_shown not in result.output
    assert "72.7%" in result.output
    assert "2:45:00" in result.output


def test_every_reason_has_words_in_both_languages() -> None:
    assert kpi.MISSING.keys() == set(get_args(Missing))
    assert all(set(words) == {"zh", "en"} for words in kpi.MISSING.values())
