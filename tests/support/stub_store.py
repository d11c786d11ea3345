"""An HTTP store that answers as it is told; for what a real one cannot be made to do."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StubStore(ThreadingHTTPServer):
    """Answers each write with ``status`` after ``delay_s``; keeps the lines it said 204 to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.delay_s = 0.0
        self.retry_after = ""
        self.poison = ""
        """A request that holds this text is answered with 400, and nothing of it kept."""
        self.lines: list[str] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def judge(self, lines: list[str]) -> int:
        status = self.status
        if status == 204 and self.poison and any(self.poison in line for line in lines):
            status = 400
        if status == 204:
            self.lines += lines
        self.answers.append(status)
        return status


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # the library's name
        assert isinstance(self.server, StubStore)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.judge(gzip.decompress(body).decode().splitlines())
        time.sleep(self.server.delay_s)
        try:
            self.send_response(status)
            if self.server.retry_after:
                self.send_header("Retry-After", self.server.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass  # the client gave up

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def stub_store() -> Iterator[StubStore]:
    server = StubStore()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
