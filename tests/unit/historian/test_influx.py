import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.historian.influx import ChartsUnavailable, InfluxStore, LinesRefused
from gateway.historian.settings import InfluxSettings
from tests.support.ports import free_port


class Server(ThreadingHTTPServer):
    """Answers every write with ``status`` and keeps what it was sent."""

    status = 204
    seen: list[tuple[str, str, bytes]]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # the library's name
        assert isinstance(self.server, Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers["Authorization"], gzip.decompress(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(server: Server, tmp_path: Path) -> Iterator[InfluxStore]:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    url = f"http://127.0.0.1:{server.server_port}"
    settings = InfluxSettings(url=url, org="factory", bucket="mill", token_file=token)
    opened = InfluxStore(settings)
    yield opened
    opened.close()


def test_lines_go_out_compressed_in_one_request(server: Server, store: InfluxStore) -> None:
    store.write(["a x=1 1", "a x=2 2"])
    ((path, authorization, body),) = server.seen
    assert path.startswith("/api/v2/write?")
    assert {"org=factory", "bucket=mill", "precision=ms"} <= set(path.partition("?")[2].split("&"))
    assert authorization == "Token s3cret"
    assert body == b"a x=1 1\na x=2 2"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_of_the_lines(server: Server, store: InfluxStore, status: int) -> None:
    server.status = status
    with pytest.raises(LinesRefused, match=str(status)):
        store.write(["a x=1 1"])


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_everything_else_is_to_be_tried_again(
    server: Server, store: InfluxStore, status: int
) -> None:
    server.status = status
    with pytest.raises(ChartsUnavailable, match=str(status)) as caught:
        store.write(["a x=1 1"])
    assert caught.value.has_too_much is (status == 429)


def test_nobody_there_is_unavailable() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    store = InfluxStore(InfluxSettings(url=url, org="o", bucket="b", timeout_s=1))
    with pytest.raises(ChartsUnavailable):
        store.write(["a x=1 1"])
    store.close()
