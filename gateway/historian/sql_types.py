"""How an instant, a JSON object and a long number are kept, in SQLite and in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from gateway.domain.vocabulary import stamp


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
JSON_TEXT = Text().with_variant(JSONB(), "postgresql")
NUMBER = BigInteger().with_variant(Integer(), "sqlite")
