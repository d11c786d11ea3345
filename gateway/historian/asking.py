"""Which replay to ask for next, and what to believe of its answer.

A gateway sends ``evt/*`` strictly in journal order, but the broker between may drop what it
queued for us. So a series is *suspect* after each connect and each time we were slow, until
everything up to the newest seq that the gateway reports is here or was sent again.

- One request at a time for one gateway, of at most CHUNK seqs; a hole comes before a tail.
- A request is done when as many rows of it were stored as the gateway says it sent.
- A hole is a loss only after a complete replay of its range, and after all that was
  journaled up to then (a ``gap`` event naming it may be there) has been seen too.
- Who reads a part of the plant (``is_part``) cannot hold a gateway's newest seq against its own:
  it asks what is the newest of its part, by a replay of nothing, when a report has news.
- No answer and no row for ``patience_s``: the same again after a growing delay.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.domain.vocabulary import Json
from gateway.historian.ledger import Ledger, Loss, Series
from gateway.historian.missing import Report, SeriesSoFar, judge, losses, wanted, whole
from gateway.wire.cloudevent import Envelope

MAX_DELAY_S = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """A replay to ask for: the rows of ``series`` with from_seq <= seq <= to_seq."""

    series: Series
    command_id: str
    from_seq: int
    to_seq: int
    is_survey: bool = False
    """Nothing is wanted but the answer's word of what is newest."""


@dataclass(slots=True)
class _Current:
    request: Request
    patient_until_s: float
    got: set[int] = field(default_factory=set)
    count: int | None = None
    upto_seq: int = 0
    """How far the gateway went; it sends nothing again that it has not sent yet."""
    is_stale: bool = False
    """A survey whose answer may be older than what made the series suspect."""


@dataclass(slots=True)
class _Gateway:
    online: bool = True
    current: _Current | None = None
    not_before_s: float = 0.0
    failures: int = 0


class Asker:
    """The replays of all gateways. Time comes in as monotonic seconds."""

    def __init__(
        self,
        new_id: Callable[[], str],
        *,
        settle_s: float = 1.0,
        patience_s: float = 30.0,
        is_part: bool = False,
    ) -> None:
        self.requests = 0
        """Requests sent so far, repeats included."""
        self._new_id = new_id
        self._settle_s = settle_s
        self._patience_s = patience_s
        self._is_part = is_part
        self._series: dict[Series, SeriesSoFar] = {}
        self._gateways: dict[str, _Gateway] = {}
        self._not_before_s = 0.0

    def connected(self, now_s: float) -> None:
        """Note a new connection: anything may have been dropped while we were away."""
        self._not_before_s = now_s + self._settle_s  # what the broker kept for us comes first
        for gateway in self._gateways.values():
            gateway.current = None
            gateway.not_before_s = 0.0
        self.suspect()

    def suspect(self) -> None:
        """Note that the broker may have dropped something; what was reported before is no proof."""
        for series in self._series.values():
            series.suspect, series.report_is_new = True, False
            series.to_survey = series.surveyed = None
        for gateway in self._gateways.values():
            if gateway.current is not None:
                gateway.current.is_stale = True

    def online(self, source: str, *, is_online: bool) -> None:
        """Note what the gateway's ``online`` says; a gateway that is offline is not asked."""
        self._gateway(source).online = is_online

    def report(self, report: Report) -> None:
        """Note what the gateway's ``health`` says."""
        series = self._of(report.series)
        if not self._is_part:
            series.report, series.report_is_new = report, True
        elif report != series.surveyed:
            series.to_survey = report

    def stored(self, events: Iterable[Envelope], now_s: float) -> None:
        """Note rows that are safe in the store."""
        for event in events:
            gateway = self._gateways.get(event.source)
            if gateway is None or gateway.current is None:
                continue
            request = gateway.current.request
            if (
                event.epoch == request.series.epoch
                and request.from_seq <= event.seq <= request.to_seq
            ):
                gateway.current.got.add(event.seq)
                gateway.current.patient_until_s = now_s + self._patience_s

    def answer(self, body: Json, now_s: float) -> str | None:
        """Take a reply; return why the gateway refused, if that is not about the range."""
        for gateway in self._gateways.values():
            current = gateway.current
            if current is None or current.request.command_id != body.get("command_id"):
                continue
            if current.request.is_survey:
                return self._surveyed(gateway, current, body, now_s)
            if body.get("accepted") is True:
                upto = whole(body, "upto_seq")
                current.upto_seq = current.request.to_seq if upto is None else upto
                current.count = whole(body, "count") or 0
                return None
            if body.get("error") == "OUT_OF_RANGE":
                self._out_of_range(gateway, current.request, body)
                return None
            self._failed(gateway, now_s)
            return str(body.get("error"))
        return None

    def due(self, ledger: Ledger, now_s: float) -> list[Request]:
        """Return the requests to send now."""
        return [
            request
            for source in {series.source for series in self._series}
            if (request := self._due(source, ledger, now_s)) is not None
        ]

    def settled(self, ledger: Ledger, now_s: float) -> tuple[list[tuple[Series, int]], list[Loss]]:
        """Return the positions that are proven by now, and the holes that are losses."""
        for gateway in self._gateways.values():
            if gateway.current is not None and _is_complete(gateway.current):
                self._complete(gateway, gateway.current, now_s)
        positions: list[tuple[Series, int]] = []
        lost: list[Loss] = []
        for key, series in self._series.items():
            known = ledger.position(key)
            position = series.replayed.cover(1, known).last if known else series.replayed.last
            position = max(position, judge(series, position, ledger))
            if not series.suspect and series.report_is_new:
                lost += losses(key, series, ledger)
            if position > known:
                positions.append((key, position))
        return positions, lost

    def learn(self, ledger: Ledger) -> None:
        """Take in the series the store knows of."""
        for series in ledger.all_series():
            self._of(series)

    def _of(self, series: Series) -> SeriesSoFar:
        self._gateway(series.source)
        return self._series.setdefault(series, SeriesSoFar())

    def _gateway(self, source: str) -> _Gateway:
        return self._gateways.setdefault(source, _Gateway())

    def _due(self, source: str, ledger: Ledger, now_s: float) -> Request | None:
        gateway = self._gateways[source]
        if gateway.current is not None:
            if now_s < gateway.current.patient_until_s:
                return None
            self._failed(gateway, now_s)
        if not gateway.online or now_s < max(gateway.not_before_s, self._not_before_s):
            return None
        for key, series in self._series.items():
            if key.source != source:
                continue
            request = self._request(key, series, ledger)
            if request is not None:
                gateway.current = _Current(request, now_s + self._patience_s)
                self.requests += 1
                return request
        return None

    def _request(self, key: Series, series: SeriesSoFar, ledger: Ledger) -> Request | None:
        if series.to_survey is not None:
            beyond = series.to_survey.head + 1
            return Request(key, self._new_id(), beyond, beyond, is_survey=True)
        lacks = wanted(key, series, ledger)
        return None if lacks is None else Request(key, self._new_id(), *lacks)

    def _surveyed(
        self, gateway: _Gateway, current: _Current, body: Json, now_s: float
    ) -> str | None:
        """Take what is newest of our part; return why the gateway refused, if it did."""
        series, newest = self._of(current.request.series), body.get("newest")
        if body.get("accepted") is not True or not isinstance(newest, dict):
            self._failed(gateway, now_s)
            return str(body.get("error"))
        gateway.current, gateway.failures = None, 0
        of_all, series.to_survey = series.to_survey, None
        if current.is_stale or of_all is None:
            return None
        seqs = {key: seq for key, seq in newest.items() if isinstance(seq, int)}
        head = max(seqs.values(), default=0)
        series.report, series.report_is_new = Report(of_all.series, seqs, head), True
        series.surveyed = of_all
        return None

    def _failed(self, gateway: _Gateway, now_s: float) -> None:
        gateway.current = None
        gateway.not_before_s = now_s + min(MAX_DELAY_S, 2.0**gateway.failures)
        gateway.failures += 1

    def _out_of_range(self, gateway: _Gateway, request: Request, body: Json) -> None:
        series = self._of(request.series)
        gateway.current, gateway.failures = None, 0
        first = whole(body, "first_seq")
        below = request.to_seq  # what it refuses although it lies in its range is not there
        if first is not None and first > request.from_seq:
            below = min(first - 1, request.to_seq)
        series.replayed = series.replayed.cover(request.from_seq, below)
        series.report_is_new, series.surveyed = False, None

    def _complete(self, gateway: _Gateway, current: _Current, now_s: float) -> None:
        request = current.request
        series = self._of(request.series)
        gateway.current, gateway.failures = None, 0
        upto = min(request.to_seq, current.upto_seq)
        if upto >= request.from_seq:
            series.replayed = series.replayed.cover(request.from_seq, upto)
        if upto < request.to_seq:
            gateway.not_before_s = now_s + self._settle_s
        series.report_is_new, series.surveyed = False, None


def _is_complete(current: _Current) -> bool:
    return current.count is not None and len(current.got) >= current.count
