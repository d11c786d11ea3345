"""The tables of the store of record: names and columns are part of the contract (§8).

Times are TIMESTAMPTZ in PostgreSQL and sortable ISO 8601 text in SQLite
(``2026-03-20T01:01:29.123Z``). ``hour_local`` and ``day_local`` are in the site's time zone.
"""

from typing import Any

from sqlalchemy import Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.schema import SchemaItem

from gateway.historian.sql_types import JSON_TEXT, NUMBER, Stamp

VERSION = 3
"""A new column may be NULL and stands last, so that `sql_upgrade` can add it."""


metadata = MetaData()


def _fact(name: str, *columns: SchemaItem) -> Table:
    """A table with one row per fact, keyed like the fact."""
    head: list[Column[Any]] = [
        Column("source", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("epoch", Text, nullable=False),
        Column("seq", NUMBER, nullable=False),
        Column("equipment", Text, nullable=False),
    ]
    return Table(name, metadata, *head, *columns)


event = Table(
    "event",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", NUMBER, nullable=False),
    Column("type", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("streamseq", Integer, nullable=False),
    Column("time", Stamp, nullable=False),
    Column("recordedtime", Stamp, nullable=False),
    Column("replay", Boolean, nullable=False),
    Column("data", JSON_TEXT, nullable=False),
    Index("event_key", "source", "id", unique=True),
)

status_event = _fact(
    "status_event",
    Column("streamseq", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_code", Integer, nullable=False),
    Column("since", Stamp, nullable=False),
    Column("day_local", Text, nullable=False),
    Column("prev_duration_ms", NUMBER),
    Column("cause", Text, nullable=False),
    Column("repeat", Boolean, nullable=False),
    Column("mode", Text),
    Column("reason_code", Text),
    Column("reason_category", Text),
    Column("order_no", Text),
    Column("product", Text),
    Column("batch", Text),
    Column("planned", Boolean),
    Index("status_event_order", "source", "equipment", "epoch", "seq"),
    Index("status_event_since", "source", "equipment", "since"),
)

count_event = _fact(
    "count_event",
    Column("counter", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("delta", Float, nullable=False),
    Column("total", Float, nullable=False),
    Column("raw", Float),
    Column("unit", Text),
    Column("anomaly", Text, nullable=False),
    Column("refused", Float, nullable=False),
    Column("window_from", Stamp),
    Column("time", Stamp, nullable=False),
    Column("hour_local", Text, nullable=False),
    Column("day_local", Text, nullable=False),
    Column("shift", Text),
    Column("production_date", Text),
    Column("order_no", Text),
    Column("product", Text),
    Column("batch", Text),
    Column("origin", Text, nullable=False),
    Index("count_event_order", "source", "equipment", "counter", "epoch", "seq"),
)

fault_occurrence = Table(
    "fault_occurrence",
    metadata,
    Column("source", Text, primary_key=True),
    Column("fault_id", Text, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("seq", NUMBER, nullable=False),
    Column("transition", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("text_zh", Text),
    Column("text_en", Text),
    Column("severity", Integer),
    Column("category", Text),
    Column("stops_machine", Boolean),
    Column("raised_at", Stamp, nullable=False),
    Column("cleared_at", Stamp),
    Column("duration_ms", NUMBER),
    Column("raises", Integer, nullable=False),
    Column("acked", Boolean, nullable=False),
    Column("quality", Text),
    Column("order_no", Text),
    Column("product", Text),
    Column("batch", Text),
    Column("shift", Text),
    Column("production_date", Text),
    Column("acked_at", Stamp),
    Column("acked_by", Text),
    Column("first_up", Boolean),
    Column("flood", Boolean),
    Column("shelved_until", Stamp),
    Index("fault_occurrence_time", "equipment", "raised_at"),
)

reading = Table(
    "reading",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("equipment", Text, nullable=False),
    Column("group", Text, nullable=False),
    Column("time", Stamp, nullable=False),
    Column("value", Float),
    Column("text_value", Text),
    Column("quality", Text, nullable=False),
    Column("order_no", Text),
    Column("product", Text),
    Column("batch", Text),
    Index("reading_time", "equipment", "tag", "time"),
)

health_event = _fact(
    "health_event",
    Column("time", Stamp, nullable=False),
    Column("link", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("last_ok", Stamp),
    Column("rtt_ms", Float),
    Column("failures", Integer, nullable=False),
    Column("error_class", Text),
    Column("error_text", Text),
)

gap_event = _fact(
    "gap_event",
    Column("time", Stamp, nullable=False),
    Column("stream", Text, nullable=False),
    Column("from_streamseq", Integer),
    Column("to_streamseq", Integer),
    Column("count", NUMBER, nullable=False),
    Column("reason", Text, nullable=False),
)

note_event = _fact(
    "note_event",
    Column("time", Stamp, nullable=False),
    Column("about", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("comment", Text),
    Column("reason_code", Text),
    Column("reason_category", Text),
    Column("planned", Boolean),
    Column("part_of", Text),
    Column("part_since", Stamp),
    Index("note_event_about", "source", "about"),
    Index("note_event_part", "source", "part_of"),
)

shift_window = Table(
    "shift_window",
    metadata,
    Column("source", Text, primary_key=True),
    Column("equipment", Text, primary_key=True),
    Column("begins", Stamp, primary_key=True),
    Column("ends", Stamp, nullable=False),
    Column("shift", Text, nullable=False),
    Column("production_date", Text, nullable=False),
    Column("planned", Boolean, nullable=False),
    Index("shift_window_date", "production_date", "equipment"),
)

equipment = Table(
    "equipment",
    metadata,
    Column("source", Text, primary_key=True),
    Column("equipment", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("name_zh", Text),
    Column("name_en", Text),
    Column("birth", JSON_TEXT, nullable=False),
)

mark = Table(
    "mark",
    metadata,
    Column("source", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("equipment", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("streamseq", Integer, nullable=False),
    Column("seq", NUMBER, nullable=False),
    Column("runs", Text, nullable=False),
)

position = Table(
    "position",
    metadata,
    Column("source", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", NUMBER, nullable=False),
)

loss = Table(
    "loss",
    metadata,
    Column("source", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("equipment", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("from_streamseq", Integer, primary_key=True),
    Column("to_streamseq", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("noticed_at", Stamp, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("at", Stamp, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
)

feed = Table(
    "feed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", NUMBER, nullable=False),
)

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))
