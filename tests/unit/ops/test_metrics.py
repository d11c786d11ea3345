import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.ops.durations import Durations
from gateway.ops.metrics import Kind, Metric, text
from gateway.ops.metrics_server import serving

UP = Kind("millgate_link_up", "gauge", "1 while the link answers.", "link")
READS = Kind("millgate_link_replies_total", "counter", "Good replies.", "link")
LAG = Kind("millgate_loop_lag_seconds", "histogram", "How late.")


def metrics() -> Iterator[Metric]:
    lag = Durations((0.1, 1.0))
    lag.note(0.5)
    yield Metric(UP, {"press-07.plc": True, 'a"b': False})
    yield Metric(READS, {"press-07.plc": 3})
    yield Metric(LAG, {"": lag.histogram()})
    yield Metric(Kind("millgate_nothing", "gauge", "Not known yet."), {})


def test_another_implementation_reads_what_is_written() -> None:
    families = {
        family.name: family for family in text_string_to_metric_families(text(metrics()).decode())
    }
    assert [(one.labels, one.value) for one in families["millgate_link_up"].samples] == [
        ({"link": "press-07.plc"}, 1.0),
        ({"link": 'a"b'}, 0.0),
    ]
    assert families["millgate_link_replies"].type == "counter"
    lag = families["millgate_loop_lag_seconds"]
    assert lag.type == "histogram"
    assert [
        (one.name.rpartition("_")[2], one.labels.get("le"), one.value) for one in lag.samples
    ] == [
        ("bucket", "0.1", 0.0),
        ("bucket", "1.0", 1.0),
        ("bucket", "+Inf", 1.0),
        ("sum", None, 0.5),
        ("count", None, 1.0),
    ]
    assert "millgate_nothing" not in families


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving("127.0.0.1", 0, metrics) as port:
        yield port


async def ask(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Return the status line and the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0], body


async def test_metrics_are_got_over_http(port: int) -> None:
    status, body = await ask(port, b"GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == b"HTTP/1.1 200 OK"
    assert b'millgate_link_up{link="press-07.plc"} 1.0\n' in body


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", b""),
    ],
)
async def test_other_requests_are_refused_and_leave_the_server_well(
    port: int, request_: bytes, status: bytes
) -> None:
    try:
        assert (await ask(port, request_))[0] == status
    except ConnectionError:
        assert status == b""
    assert (await ask(port, b"GET /metrics HTTP/1.0\r\n\r\n"))[0] == b"HTTP/1.1 200 OK"


async def test_who_says_nothing_holds_up_nobody_and_is_let_go_at_the_end() -> None:
    async with serving("127.0.0.1", 0, metrics) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n"))[0] == b"HTTP/1.1 200 OK"
    for reader, writer in silent:
        assert await reader.read() == b""
        writer.close()


async def test_a_taken_port_is_an_error(port: int) -> None:
    with pytest.raises(OSError, match="in use"):
        async with serving("127.0.0.1", port, metrics):
            pass
