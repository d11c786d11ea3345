"""A chart store that speaks the InfluxDB v2 write API (InfluxDB, VictoriaMetrics).

- ``write`` returns when the store has answered 2xx; blocks, one call at a time.
- Every error of the client is a ChartError, by one table.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from influxdb_client import InfluxDBClient
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from gateway.historian.settings import InfluxSettings

_TOO_MUCH = 429
_REFUSED = frozenset({400, 413, 422})
_LONGEST_WAIT_S = 300.0


class ChartError(Exception):
    """What can go wrong with a chart store.

    * ChartError
      + ChartsUnavailable  down, busy, wrong token: keep everything, wait, write again
      + LinesRefused       at least one of these lines is at fault
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChartsUnavailable(ChartError):
    """It takes nothing at the moment; not for ``retry_after_s``, if it said so."""

    def __init__(
        self, reason: str, retry_after_s: float = 0.0, *, has_too_much: bool = False
    ) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.has_too_much = has_too_much
        """It lives, and asks for less."""


class LinesRefused(ChartError):
    """It answered 400, 413 or 422."""


class ChartStore(Protocol):
    """Takes line protocol with millisecond stamps; blocks."""

    def write(self, lines: Sequence[str]) -> None:
        """Write them all. Raises ChartError."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


@contextmanager
def as_chart_errors() -> Iterator[None]:
    """Re-raise what the client raises as the ChartError it means."""
    try:
        yield
    except (ApiException, InfluxDBError) as err:
        status = getattr(err, "status", None)
        body = getattr(err, "body", None) or getattr(err, "message", None) or err.reason or ""
        reason = f"HTTP {status}: {body}".strip()
        if status in _REFUSED:
            raise LinesRefused(reason) from err
        too_much = status == _TOO_MUCH
        raise ChartsUnavailable(reason, _retry_after_s(err), has_too_much=too_much) from err
    except (HTTPError, OSError) as err:
        raise ChartsUnavailable(str(err)) from err


def _retry_after_s(err: Exception) -> float:
    """Return what the store's Retry-After says in seconds; 0 if it says none or a date."""
    said = (getattr(err, "headers", None) or {}).get("Retry-After", "")
    return min(float(said), _LONGEST_WAIT_S) if str(said).isdecimal() else 0.0


class InfluxStore:
    """Implements ``ChartStore`` with influxdb-client."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        token = None
        if settings.token_file is not None:
            token = settings.token_file.read_text(encoding="utf-8").strip()
        self._client = InfluxDBClient(
            url=settings.url,
            token=token,
            org=settings.org,
            enable_gzip=True,
            timeout=round(settings.timeout_s * 1000),
        )
        # Its batching mode keeps points in memory and forgets them when the store is away.
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> None:
        """Write them all in one request. Raises ChartError."""
        with as_chart_errors():
            self._api.write(
                self._settings.bucket,
                self._settings.org,
                "\n".join(lines),
                write_precision="ms",
            )

    def close(self) -> None:
        """Release the connection."""
        self._api.close()
        self._client.close()
