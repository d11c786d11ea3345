"""VictoriaMetrics on a free port of 127.0.0.1, and the facts to put into stores."""

import http.client
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.wire.cloudevent import Envelope
from tests.support.broker import program
from tests.support.ports import HOST, free_port

READY_S = 120.0
SOURCE = "/plant/gateways/gw-01"
EPOCH = "t5k2m0-9f3a"
START = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)


@dataclass
class VictoriaMetrics:
    """One server; what was written can be read after ``flush``."""

    directory: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = (
            "-retentionPeriod=100y -search.latencyOffset=0s -dedup.minScrapeInterval=1ms "
            "-loggerLevel=ERROR"
        )
        command = [
            program("victoria-metrics"),
            f"-storageDataPath={self.directory}",
            f"-httpListenAddr={HOST}:{self.port}",
            *options.split(),
        ]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail("victoria-metrics does not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it; what it has stays on disk."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill it with SIGKILL: what it has in memory is gone."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=READY_S)
            self._process = None

    def series(self, match: str) -> list[dict[str, Any]]:
        """Return what it has of the series that match: metric, values, timestamps (ms)."""
        self._get("/internal/force_flush")
        query = urllib.parse.urlencode({"match[]": match, "start": 0, "end": 4_000_000_000})
        answer = self._get(f"/api/v1/export?{query}")
        return [orjson.loads(line) for line in answer.splitlines()]

    def _answers(self) -> bool:
        try:
            self._get("/health")
        except OSError:
            return False
        return True

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def victoria_metrics() -> Iterator[VictoriaMetrics]:
    """Run one with an empty directory."""
    directory = Path(tempfile.mkdtemp(prefix="victoria-"))
    server = VictoriaMetrics(directory)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


def status_data(state: str, since: datetime, **more: Any) -> dict[str, Any]:
    """Return the data of a status event."""
    codes = ["offline", "running", "idle", "stopped", "fault", "setup", "maintenance"]
    return {
        "state": state,
        "state_code": codes.index(state),
        "since": text(since),
        "cause": "sample",
        "repeat": False,
        "mode": "auto",
        "reason": None,
        "quality": "good",
        "prev_state": None,
        "prev_duration_ms": None,
        "order": None,
        "shift": None,
        **more,
    }


def count_data(delta: float, total: float, **more: Any) -> dict[str, Any]:
    """Return the data of a count event."""
    return {
        "counter": "good",
        "kind": "good",
        "delta": delta,
        "total": total,
        "raw": total,
        "unit": "1",
        "anomaly": "none",
        "refused": 0,
        "window": {"from": None, "to": text(START)},
        "origin": "device",
        "order": None,
        "shift": None,
        **more,
    }


def fault_data(fault_id: str, transition: str, **more: Any) -> dict[str, Any]:
    """Return the data of a fault event."""
    return {
        "fault_id": fault_id,
        "transition": transition,
        "code": "E17",
        "text": {"zh": "防护门打开", "en": "Guard open"},
        "severity": 700,
        "category": "safety",
        "stops_machine": True,
        "active": True,
        "acked": False,
        "raised_at": text(START),
        "cleared_at": None,
        "duration_ms": None,
        "raises": 1,
        "quality": "good",
        "order": None,
        **more,
    }


def reading_data(values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the data of a reading."""
    return {"group": "plc", "values": dict(values), "bad": {}, "full": False, **more}


def text(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def envelope(
    type_: str,
    seq: int,
    streamseq: int,
    data: Mapping[str, Any],
    *,
    at: datetime | None = None,
    equipment: str = "press-03",
    epoch: str = EPOCH,
    replay: bool = False,
) -> Envelope:
    """Return an event as it is decoded; ``at`` defaults to ``seq`` seconds after START."""
    moment = at or START + timedelta(seconds=seq)
    return Envelope(
        id=f"{epoch}-{seq}",
        source=SOURCE,
        epoch=epoch,
        seq=seq,
        type=type_,
        subject=f"plant/stamping/line-2/{equipment}",
        time=moment,
        recordedtime=moment,
        streamseq=streamseq,
        replay=replay,
        data=dict(data),
    )
