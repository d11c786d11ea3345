import io
import json
import logging
from collections.abc import Iterator

import pytest

from gateway.ops.log import setup_logging

log = logging.getLogger("gateway.journal")


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(*, as_json: bool) -> io.StringIO:
    stream = io.StringIO()
    setup_logging("info", json=as_json, stream=stream)
    return stream


def test_a_text_line_has_time_level_logger_message_and_fields() -> None:
    stream = lines(as_json=False)
    log.warning("disk %s", "full", extra={"journal": "a b.db", "rows": 3})
    log.debug("not shown")
    at, rest = stream.getvalue().split(" ", 1)
    assert at.endswith("Z")
    assert rest == 'WARNING gateway.journal disk full journal="a b.db" rows=3\n'


def test_a_message_cannot_forge_a_line() -> None:
    stream = lines(as_json=False)
    log.info("device says %s", "x\n2026-01-01 ERROR forged\x1b[2J", extra={"raw": "a\rb"})
    (line,) = stream.getvalue().splitlines()
    assert "x\\n2026" in line
    assert "\\x1b" in line
    assert "a\\rb" in line


def test_chinese_text_stays_readable() -> None:
    stream = lines(as_json=False)
    log.info("设备离线")
    assert "设备离线" in stream.getvalue()


def test_a_json_line_is_one_object_with_the_traceback_in_it() -> None:
    stream = lines(as_json=True)
    try:
        int("boom")
    except ValueError:
        log.exception("failed", extra={"rows": 3, "where": object})
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert (record["level"], record["logger"], record["message"]) == (
        "ERROR",
        "gateway.journal",
        "failed",
    )
    assert record["rows"] == 3
    assert "ValueError: invalid literal" in record["traceback"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        setup_logging("loud")
