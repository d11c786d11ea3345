"""The tables of the store of record: names and columns are part of the contract (§8).

Times are TIMESTAMPTZ in PostgreSQL and sortable ISO 8601 text in SQLite
(``2026-03-20T01:01:29.123Z``). ``hour_local`` and ``day_local`` are in the site's time zone.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from gateway.domain.vocabulary import stamp

VERSION = 1


class Stamp(TypeDecorator[datetime]):
    """An instant: aware ``datetime`` in Python."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text where the database has no instant of its own."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return what the driver stores."""
        if value is None or dialect.name != "sqlite":
            return value
        return stamp(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return what was stored."""
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]
        return datetime.fromisoformat(value)


# The caller hands over JSON text; the engine's json_serializer passes it on as it is.
_JSON = Text().with_variant(JSONB(), "postgresql")
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()


def _fact(name: str, *columns: SchemaItem) -> Table:
    """A table with one row per fact, keyed like the fact."""
    head: list[Column[Any]] = [
        Column("source", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("epoch", Text, nullable=False),
        Column("seq", _NUMBER, nullable=False),
        Column("equipment", Text, nullable=False),
    ]
    return Table(name, metadata, *head, *columns)


event = Table(
    "event",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", _NUMBER, nullable=False),
    Column("type", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("streamseq", Integer, nullable=False),
    Column("time", Stamp, nullable=False),
    Column("recordedtime", Stamp, nullable=False),
    Column("replay", Boolean, nullable=False),
    Column("data", _JSON, nullable=False),
    Index("event_key", "source", "id", unique=True),
)

status_event = _fact(
    "status_event",
    Column("streamseq", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_code", Integer, nullable=False),
    Column("since", Stamp, nullable=False),
    Column("day_local", Text, nullable=False),
    Column("prev_duration_ms", _NUMBER),
    Column("cause", Text, nullable=False),
    Column("repeat", Boolean, nullable=False),
    Column("mode", Text),
    Column("reason_code", Text),
    Column("reason_category", Text),
    Column("order_no", Text),
    Column("product", Text),
    Column("batch", Text),
    Index("status_event_order", "source", "equipment", "epoch", "seq"),
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
    Column("seq", _NUMBER, nullable=False),
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
    Column("duration_ms", _NUMBER),
    Column("raises", Integer, nullable=False),
    Column("acked", Boolean, nullable=False),
    Column("quality", Text),
    Column("order_no", Text),
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
    Column("count", _NUMBER, nullable=False),
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
)

equipment = Table(
    "equipment",
    metadata,
    Column("source", Text, primary_key=True),
    Column("equipment", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("name_zh", Text),
    Column("name_en", Text),
    Column("birth", _JSON, nullable=False),
)

mark = Table(
    "mark",
    metadata,
    Column("source", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("equipment", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("streamseq", Integer, nullable=False),
    Column("seq", _NUMBER, nullable=False),
    Column("runs", Text, nullable=False),
)

position = Table(
    "position",
    metadata,
    Column("source", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", _NUMBER, nullable=False),
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
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", Stamp, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
)

feed = Table(
    "feed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", _NUMBER, nullable=False),
)

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))
