"""Changes as the server reported them -> batches, none of which hides another.

Promises:

- A batch holds at most one value of a tag, and a tag's values keep their order: a state
  shorter than the publishing interval is a batch of its own.
- Every batch covers every tag and lists in ``bad`` each one that is bad now. So a tag
  in neither ``changed`` nor ``bad`` is unchanged and good, and the covering is one
  object for the whole session.
- ``mono_s`` never goes backwards from one batch to the next, and ``read_at`` is the same
  moment: as long as nobody sets the gateway's clock, it does not go backwards either.
- With a trusted device clock a batch holds changes of one device stamp and is dated by
  it, if the stamp is credible: later than the batch before and not after the arrival,
  each with ``max_skew_s`` to spare. Otherwise it is dated by the arrival and says so.
- First values are in one batch, dated by the arrival unless they share a stamp: rules are
  not asked about half a machine.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from drivers.contract import Batch, TimeQuality
from drivers.opcua.convert import Sample

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a message arrived, on both clocks."""

    at: datetime
    mono_s: float


class Change(NamedTuple):
    """One notified value of one tag."""

    key: str
    sample: Sample
    source_at: datetime | None = None


def _nothing() -> None:
    pass


@dataclass(slots=True)
class AcknowledgingBatch(Batch):
    """A batch whose commit lets the server forget the messages it came from."""

    acknowledge: Callable[[], None] = field(default=_nothing, repr=False, compare=False)

    def committed(self) -> None:
        """Release the messages; the next request tells the server."""
        self.acknowledge()


def in_source_order(changes: Iterable[Change]) -> list[Change]:
    """Return the changes by device stamp, the values of one tag in the order they came.

    A value without a stamp, or with one older than the value before it, counts as old
    as the value before it. Of several values of one stamp the first of each tag come first,
    so that servers without stamps do not cause a batch for each value.
    """
    latest: dict[str, tuple[datetime, int]] = {}
    dated: list[tuple[datetime, int, Change]] = []
    for change in changes:
        before, nth = latest.get(change.key, (_NEVER, -1))
        at = max(before, change.source_at or _NEVER)
        nth = nth + 1 if at == before else 0
        latest[change.key] = (at, nth)
        dated.append((at, nth, change))
    dated.sort(key=lambda entry: entry[:2])
    return [change for _, _, change in dated]


def split(changes: Iterable[Change], *, by_stamp: bool) -> list[list[Change]]:
    """Cut ordered changes into the fewest runs in which no tag comes twice.

    ``by_stamp`` also cuts wherever the device stamp differs.
    """
    runs: list[list[Change]] = []
    seen: set[str] = set()
    for change in changes:
        foreign = by_stamp and bool(runs) and runs[-1][0].source_at != change.source_at
        if not runs or foreign or change.key in seen:
            runs.append([])
            seen = set()
        runs[-1].append(change)
        seen.add(change.key)
    return runs


def credible_age_s(
    stamp: datetime | None, arrived: Arrival, *, last_mono_s: float, max_skew_s: float
) -> float | None:
    """Return how long before its arrival a change happened, None if that is not credible.

    Never negative, and never longer than the time since ``last_mono_s``.
    """
    if stamp is None:
        return None
    age_s = (arrived.at - stamp).total_seconds()
    window_s = max(0.0, arrived.mono_s - last_mono_s)
    if not -max_skew_s <= age_s <= window_s + max_skew_s:
        return None
    return min(max(age_s, 0.0), window_s)


class Picture:
    """What is known of every tag of a session, and the batches that follow from news."""

    def __init__(
        self, keys: Iterable[str], *, opened_mono_s: float, max_skew_s: float | None
    ) -> None:
        """``max_skew_s`` is None where the gateway's clock dates everything."""
        self._covers = frozenset(keys)
        self._bad: Mapping[str, str] = dict.fromkeys(self._covers, "never_read")
        self._unread = set(self._covers)
        self._last_mono_s = opened_mono_s
        self._max_skew_s = max_skew_s

    def refuse(self, causes: Mapping[str, str]) -> None:
        """The server gives no item for these tags: they are bad from the next batch on."""
        if causes:
            self._bad = {**self._bad, **causes}

    def batches(
        self,
        changes: Sequence[Change],
        arrived: Arrival,
        *,
        skipped: int = 0,
        acknowledge: Callable[[], None] = _nothing,
    ) -> list[Batch]:
        """Return one batch or more; the last one acknowledges. No change is a sign of life.

        ``skipped`` messages got lost on the way: any tag may have lost as many values.
        """
        runs = self._runs(changes)
        last = len(runs) - 1
        return [
            self._batch(
                run,
                arrived,
                skipped=0 if number else skipped,
                acknowledge=acknowledge if number == last else _nothing,
            )
            for number, run in enumerate(runs or [[]])
        ]

    def _firsts(self, changes: Sequence[Change]) -> tuple[list[Change], Sequence[Change]]:
        """Part the first value of each tag that was never read from all others."""
        if not self._unread:
            return [], changes
        firsts: dict[str, Change] = {}
        later: list[Change] = []
        for change in changes:
            if change.key in self._unread and change.key not in firsts:
                firsts[change.key] = change
            else:
                later.append(change)
        self._unread -= firsts.keys()
        return list(firsts.values()), later

    def _runs(self, changes: Sequence[Change]) -> list[list[Change]]:
        trusting = self._max_skew_s is not None
        firsts, later = self._firsts(changes)
        if len({change.key for change in changes}) == len(changes) and not trusting:
            return [list(changes)]
        runs = split(in_source_order(later), by_stamp=trusting)
        return [firsts, *runs] if firsts else runs

    def _batch(
        self,
        run: Sequence[Change],
        arrived: Arrival,
        *,
        skipped: int,
        acknowledge: Callable[[], None],
    ) -> Batch:
        age_s, quality = self._age(run, arrived)
        self._last_mono_s = max(self._last_mono_s, arrived.mono_s - age_s)
        self._note(run)
        overflowed = dict.fromkeys(self._covers, skipped) if skipped else {}
        for change in run:
            if change.sample.overflowed:
                overflowed[change.key] = overflowed.get(change.key, 0) + 1
        return AcknowledgingBatch(
            read_at=arrived.at - timedelta(seconds=age_s),
            mono_s=self._last_mono_s,
            covers=self._covers,
            changed={c.key: c.sample.value for c in run if c.sample.value is not None},
            bad=self._bad,
            source_times={c.key: c.source_at for c in run if c.source_at is not None},
            uncertain=frozenset(c.key for c in run if c.sample.uncertain),
            overflowed=overflowed,
            time_quality=quality,
            acknowledge=acknowledge,
        )

    def _age(self, run: Sequence[Change], arrived: Arrival) -> tuple[float, TimeQuality]:
        one_stamp = len({change.source_at for change in run}) == 1
        if self._max_skew_s is None or not one_stamp:
            return 0.0, "gateway"
        age_s = credible_age_s(
            run[0].source_at,
            arrived,
            last_mono_s=self._last_mono_s,
            max_skew_s=self._max_skew_s,
        )
        return (0.0, "gateway") if age_s is None else (age_s, "device")

    def _note(self, run: Sequence[Change]) -> None:
        fallen = {c.key: c.sample.cause for c in run if c.sample.cause is not None}
        if not fallen and self._bad.keys().isdisjoint(c.key for c in run):
            return
        risen = {c.key for c in run}
        kept = {key: cause for key, cause in self._bad.items() if key not in risen}
        self._bad = {**kept, **fallen}
