"""One SELECT for both databases: written for PostgreSQL, adapted where SQLite differs.

Only these words differ: ``LEAST(``, ``GREATEST(``, ``NOW()`` and ``MS(start, end)``, the
milliseconds between two columns that hold instants.
"""

import re
from collections.abc import Mapping
from typing import Literal

Dialect = Literal["sqlite", "postgresql"]

_MS = re.compile(r"\bMS\(([\w.]+), ([\w.]+)\)")
_MS_BETWEEN: Mapping[Dialect, str] = {
    "sqlite": r"CAST(ROUND((julianday(\2) - julianday(\1)) * 86400000) AS INTEGER)",
    "postgresql": r"CAST(ROUND(EXTRACT(EPOCH FROM (\2 - \1)) * 1000) AS BIGINT)",
}
_OF_SQLITE: Mapping[str, str] = {
    "LEAST(": "MIN(",
    "GREATEST(": "MAX(",
    "NOW()": "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
}


def adapted(query: str, dialect: Dialect) -> str:
    """Return the query as ``dialect`` understands it.

    Arguments of LEAST and GREATEST must not be NULL: SQLite would return NULL.
    """
    query = _MS.sub(_MS_BETWEEN[dialect], query)
    if dialect == "sqlite":
        for word, own in _OF_SQLITE.items():
            query = query.replace(word, own)
    return query
