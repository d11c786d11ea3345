"""Listen to a driver at work: every batch and every error, as events of a recording."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from drivers.contract import Batch, Driver, DriverError, Session, TagGroup
from drivers.replay.driver import ERRORS
from drivers.replay.recording import ErrorKind, Event, Failed, Opened, Said

Tell = Callable[[Event], None]


@dataclass
class TappedDriver:
    """Another driver, unchanged but for being listened to."""

    driver: Driver
    tell: Tell
    mono_s: Callable[[], float]
    started_s: float
    """When the recording began, on the clock of ``mono_s``."""

    @property
    def endpoint(self) -> str:
        """The driver's own."""
        return self.driver.endpoint

    @property
    def groups(self) -> Collection[TagGroup]:
        """The driver's own."""
        return self.driver.groups

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Session]:
        """Open the driver's session; tells how it ends if by an error."""
        told: list[DriverError] = []  # what a read raises passes here once more
        try:
            async with self.driver.open() as session:
                self.tell(Opened(self._t()))
                yield _TappedSession(session, self, told)
        except DriverError as err:
            if err not in told:
                self.failed(err)
            raise

    def failed(self, err: DriverError) -> None:
        """Tell an error."""
        self.tell(Failed(self._t(), _kind_of(err), err.reason, err.hint))

    def said(self, batch: Batch) -> None:
        """Tell a batch."""
        self.tell(
            Said(
                t=self._t(),
                covers=batch.covers,
                at=batch.read_at,
                changed=batch.changed,
                bad=batch.bad,
                source_times=batch.source_times,
                uncertain=batch.uncertain,
                overflowed=batch.overflowed,
                time_quality=batch.time_quality,
                rtt_s=batch.rtt_s,
            )
        )

    def _t(self) -> float:
        return self.mono_s() - self.started_s


@dataclass(slots=True)
class _TappedSession:
    session: Session
    tap: TappedDriver
    told: list[DriverError]

    async def read(self, due: Collection[TagGroup]) -> Batch:
        try:
            batch = await self.session.read(due)
        except DriverError as err:
            self.told.append(err)
            self.tap.failed(err)
            raise
        self.tap.said(batch)
        return batch


def _kind_of(err: DriverError) -> ErrorKind:
    for kind, error in ERRORS.items():
        if isinstance(err, error):
            found: ErrorKind = kind
            return found
    return "Unreachable"
