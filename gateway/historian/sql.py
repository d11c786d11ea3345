"""The store of record: a SQLite file or PostgreSQL, by SQLAlchemy.

- A batch is one transaction: rows, marks, positions, losses, dead letters. All or nothing.
- The same event any number of times, in any order, leaves one row: (source, id) is its key.
- A fault occurrence shows its newest step; an older one that comes late changes nothing.
- Every error is a StoreError.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, func, inspect, make_url, select

from gateway.historian import sql_schema as schema
from gateway.historian.ledger import Changes, Ledger, Series, Stream
from gateway.historian.rows import MalformedFact, Row, detail_rows, event_row
from gateway.historian.runs import Run, Runs
from gateway.historian.shift_windows import ShiftPlan
from gateway.historian.sql_engine import BUSY_TIMEOUT_MS, as_store_errors, open_engine
from gateway.historian.sql_shifts import plan_shifts
from gateway.historian.sql_statements import insert_fact, insert_facts, upsert
from gateway.historian.sql_upgrade import upgrade
from gateway.historian.sql_views import create_views
from gateway.historian.store import Batch, Birth, DeadLetter, StoreUnusable
from gateway.wire.cloudevent import Envelope


class SqlStore:
    """Implements ``gateway.historian.store.Store``; blocks, one call at a time."""

    def __init__(self, engine: Engine, name: str, zone: tzinfo) -> None:
        self._engine = engine
        self._name = name
        self._zone = zone

    @classmethod
    def open(
        cls, url: str, *, zone: tzinfo = UTC, busy_timeout_ms: int = BUSY_TIMEOUT_MS
    ) -> "SqlStore":
        """Open the database, making or checking its tables. Raises StoreError.

        ``zone`` is the site's: local hours and days of new rows are in it. A SQLite file
        that others hold is waited for ``busy_timeout_ms``.
        """
        with as_store_errors(url):
            parsed = make_url(url)
            name = parsed.render_as_string(hide_password=True)
        with as_store_errors(name):
            if parsed.get_backend_name() == "sqlite" and parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            engine = open_engine(url, busy_timeout_ms)
            store = cls(engine, name, zone)
            try:
                store._prepare()
            except BaseException:
                engine.dispose()
                raise
        return store

    def ledger(self) -> Ledger:
        """Return the marks and positions as of the last commit."""
        with as_store_errors(self._name), self._engine.begin() as connection:
            marks = {
                Stream(row.source, row.epoch, row.equipment, row.type): _load_runs(row.runs)
                for row in connection.execute(select(schema.mark))
            }
            positions = {
                Series(row.source, row.epoch): row.seq
                for row in connection.execute(select(schema.position))
            }
        return Ledger(marks, positions)

    def write(self, batch: Batch) -> None:
        """Store all of it or nothing."""
        with as_store_errors(self._name), self._engine.begin() as connection:
            self._write_events(connection, batch.events)
            self._write_births(connection, batch.births)
            self._write_changes(connection, batch.changes, batch.at)
            self._write_dead(connection, batch.dead)

    def events_after(self, number: int, limit: int) -> Sequence[tuple[int, Envelope]]:
        """Return stored events in the order they were stored, each with its number."""
        columns = schema.event.c
        query = (
            select(schema.event)
            .where(columns.number > number)
            .order_by(columns.number)
            .limit(limit)
        )
        with as_store_errors(self._name), self._engine.begin() as connection:
            return [(row.number, _envelope(row)) for row in connection.execute(query)]

    def cursors(self) -> Mapping[str, int]:
        """Return how far each chart store has been fed."""
        with as_store_errors(self._name), self._engine.begin() as connection:
            return {row.name: row.number for row in connection.execute(select(schema.feed))}

    def advance(self, name: str, number: int) -> None:
        """Note that the chart store ``name`` has everything up to ``number``."""
        with as_store_errors(self._name), self._engine.begin() as connection:
            upsert(connection, schema.feed, [{"name": name, "number": number}])

    def plan_shifts(self, plan: ShiftPlan, now: datetime) -> None:
        """Make the shifts to come those of the plan."""
        with as_store_errors(self._name), self._engine.begin() as connection:
            plan_shifts(connection, plan, now)

    def close(self) -> None:
        """Release everything. Idempotent."""
        self._engine.dispose()

    def _prepare(self) -> None:
        with self._engine.begin() as connection:
            is_new = not inspect(connection).has_table(schema.schema_version.name)
            schema.metadata.create_all(connection)
            if is_new:
                connection.execute(schema.schema_version.insert(), {"version": schema.VERSION})
            version = connection.scalar(select(func.max(schema.schema_version.c.version)))
            if version is None or version > schema.VERSION:
                raise StoreUnusable(self._name, f"its tables are of version {version}")
            if version < schema.VERSION:
                upgrade(connection, version, self._zone, _envelope)
            create_views(connection)

    def _write_events(self, connection: Connection, events: Sequence[Envelope]) -> None:
        rows: dict[str, list[Row]] = {"event": [event_row(event) for event in events]}
        dead: list[DeadLetter] = []
        for event in events:
            try:
                for table, row in detail_rows(event, self._zone):
                    rows.setdefault(table, []).append(row)
            except MalformedFact as err:
                payload = orjson.dumps(event.data)
                dead.append(DeadLetter(event.recordedtime, event.subject, payload, str(err)))
        for table, values in rows.items():
            if values:
                insert_facts(connection, schema.metadata.tables[table], values)
        self._write_dead(connection, dead)

    def _write_births(self, connection: Connection, births: Sequence[Birth]) -> None:
        upsert(connection, schema.equipment, [_birth_row(birth) for birth in births])

    def _write_changes(self, connection: Connection, changes: Changes, at: datetime | None) -> None:
        marks = [
            {
                **stream._asdict(),
                "streamseq": runs.last,
                "seq": runs.last_seq,
                "runs": orjson.dumps([tuple(run) for run in runs.runs]).decode(),
            }
            for stream, runs in changes.marks.items()
        ]
        upsert(connection, schema.mark, marks)
        positions = [
            {**series._asdict(), "seq": runs.last} for series, runs in changes.positions.items()
        ]
        upsert(connection, schema.position, positions)
        losses = [
            {
                **loss.stream._asdict(),
                "from_streamseq": loss.hole.first,
                "to_streamseq": loss.hole.last,
                "reason": loss.reason,
                "noticed_at": at,
            }
            for loss in changes.losses
        ]
        if losses:
            connection.execute(insert_fact(connection, schema.loss), losses)

    def _write_dead(self, connection: Connection, dead: Iterable[DeadLetter]) -> None:
        rows = [
            {"at": one.at, "topic": one.topic, "payload": one.payload, "reason": _plain(one.reason)}
            for one in dead
        ]
        if rows:
            connection.execute(schema.dead_letter.insert(), rows)


def _load_runs(stored: str) -> Runs:
    return Runs(tuple(Run(*run) for run in orjson.loads(stored)))


def _plain(reason: str) -> str:
    return reason.replace("\x00", "\ufffd")  # PostgreSQL has no text with a zero in it


def _birth_row(birth: Birth) -> Row:
    name = birth.data.get("name")
    names: Mapping[str, Any] = name if isinstance(name, dict) else {}
    return {
        "source": birth.source,
        "equipment": birth.equipment,
        "subject": birth.subject,
        "name_zh": names.get("zh"),
        "name_en": names.get("en"),
        "birth": orjson.dumps(birth.data).decode(),
    }


def _envelope(row: Any) -> Envelope:
    data = row.data if isinstance(row.data, dict) else orjson.loads(row.data)
    return Envelope(
        id=row.id,
        source=row.source,
        epoch=row.epoch,
        seq=row.seq,
        type=row.type,
        subject=row.subject,
        time=row.time,
        recordedtime=row.recordedtime,
        streamseq=row.streamseq,
        replay=bool(row.replay),
        data=data,
    )
