"""A store that version 1 wrote: its dump is in ``tests/cases_history``."""

import logging
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.shifts import Span
from gateway.domain.vocabulary import Json
from gateway.historian import kpi_rows
from gateway.historian.sql import SqlStore
from gateway.historian.sql_schema import VERSION, metadata
from gateway.historian.store import Batch, StoreUnavailable, StoreUnusable
from tests.support.postgres import Database
from tests.support.stores import SOURCE, START, envelope, fault_data, reading_data

CASES = Path(__file__).parents[2] / "cases_history"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def earlier(database: Database) -> Database:
    kind = "sqlite" if database.is_sqlite else "postgresql"
    database.run_script((CASES / f"version-1-{kind}.sql").read_text("utf-8"))
    return database


def columns(database: Database) -> dict[str, list[str]]:
    """The columns of each table; in the order of an INSERT that names none."""
    if database.is_sqlite:
        found = "SELECT name FROM pragma_table_info('{}') ORDER BY cid"
    else:
        found = (
            "SELECT column_name FROM information_schema.columns WHERE table_name = '{}'"
            " AND table_schema = 'public' ORDER BY ordinal_position"
        )
    return {
        name: [row[0] for row in database.query(found.format(name))] for name in metadata.tables
    }


def test_the_columns_are_those_of_this_version(earlier: Database) -> None:
    SqlStore.open(earlier.url, zone=SHANGHAI).close()
    wanted = {name: {column.name for column in table.c} for name, table in metadata.tables.items()}
    assert {name: set(found) for name, found in columns(earlier).items()} == wanted
    assert earlier.query("SELECT MAX(version) FROM schema_version") == [(VERSION,)]


def test_what_the_facts_say_fills_the_new_columns(earlier: Database) -> None:
    SqlStore.open(earlier.url, zone=SHANGHAI).close()
    fault = "SELECT acked_by, acked_at, first_up, flood, order_no, shift FROM fault_occurrence"
    at = "2026-03-20T01:07:00.000Z"
    assert earlier.query(fault) == [("li", at, True, False, "WO-1", "A")]
    assert earlier.query("SELECT planned FROM status_event ORDER BY seq") == [
        (None,),
        (None,),
        (True,),
        (None,),
    ]
    spent = "SELECT state, planned, reason_code FROM status_interval ORDER BY seq"
    assert earlier.query(spent)[2:] == [("idle", True, "lunch"), ("running", True, "lunch")]
    assert earlier.query("SELECT failures, response_ms, repair_ms FROM fault_reliability") == [
        (1, 420_000, 120_000)
    ]


def test_nothing_that_was_stored_is_lost_and_the_next_fact_fits(earlier: Database) -> None:
    rows = "SELECT (SELECT COUNT(*) FROM event), (SELECT COUNT(*) FROM dead_letter)"
    before = earlier.query(rows)
    store = SqlStore.open(earlier.url, zone=SHANGHAI)
    assert earlier.query(rows) == before == [(11, 1)]
    more = [
        envelope("fault", 12, 5, fault_data("f2", "raised", flood=True)),
        envelope("reading", 13, 2, reading_data({"t": 2}, order={"order_no": "WO-2"})),
    ]
    store.write(Batch(more, store.ledger().plan(more)))
    store.close()
    assert earlier.query("SELECT flood FROM fault_occurrence WHERE fault_id = 'f2'") == [(True,)]
    assert earlier.query("SELECT order_no FROM reading ORDER BY time") == [("WO-2",), (None,)]


def test_it_is_upgraded_once(earlier: Database, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            SqlStore.open(earlier.url, zone=SHANGHAI).close()
    assert [record.message for record in caplog.records] == [
        f"upgrading the history from version 1 to {VERSION}"
    ]


def test_an_upgrade_that_is_broken_off_has_not_begun(
    earlier: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Json:
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr("gateway.historian.sql._envelope", broken)
        with pytest.raises(StoreUnavailable):
            SqlStore.open(earlier.url, zone=SHANGHAI)
    assert "acked_at" not in columns(earlier)["fault_occurrence"]
    assert earlier.query("SELECT fault_id FROM fault_occurrence") == [("f1",)]
    SqlStore.open(earlier.url, zone=SHANGHAI).close()
    assert "acked_at" in columns(earlier)["fault_occurrence"]


def test_figures_are_not_read_from_an_earlier_version(earlier: Database) -> None:
    hour = Span(START, START + timedelta(hours=1))
    with pytest.raises(StoreUnusable, match="the historian brings older ones up"):
        kpi_rows.read(earlier.url, SOURCE, hour, {})


def test_views_that_others_made_on_ours_stay(earlier: Database) -> None:
    earlier.execute("CREATE VIEW mine AS SELECT equipment, state FROM status_interval")
    SqlStore.open(earlier.url, zone=SHANGHAI).close()
    assert len(earlier.query("SELECT * FROM mine")) == 4
