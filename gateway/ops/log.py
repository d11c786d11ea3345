"""One line per event of interest, for people or for a log collector.

- Every line has a UTC time, a level, a logger and a message; fields given as
  ``extra={...}`` follow as ``key=value`` or stand in the JSON object.
- A message or a field never breaks the line: what a device or a caller sent cannot forge
  a second one. Only a traceback takes lines of its own, and not in JSON.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def setup_logging(level: str, *, json: bool = False, stream: TextIO | None = None) -> None:
    """Send the whole program's log to ``stream`` (default: standard error).

    ``level`` is a name such as "INFO"; raises ValueError for one that is not. Replaces
    what was set up before.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines() if json else TextLines())
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.handlers[:] = [handler]
    logging.captureWarnings(capture=True)


class TextLines(logging.Formatter):
    """``2026-03-20T01:01:29.123Z WARNING gateway.journal.space message key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and a traceback's if there is one."""
        fields = "".join(f" {key}={_value(value)}" for key, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname} {record.name} {record.getMessage()}{fields}"
        trace = _traceback(self, record)
        return _one_line(line) + (f"\n{trace}" if trace else "")


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, the fields, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line = _fields(record) | {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = _traceback(self, record)
        return json.dumps(
            line | ({"traceback": trace} if trace else {}), ensure_ascii=False, default=str
        )


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _OWN}


def _value(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text else text


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""
