"""The audit of states: what was believed, and when nothing was."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from simulators.audit_store import Interval, Stored
from simulators.audit_view import NOTICEABLE_S, Findings, View, Window, merged
from simulators.clock import iso


@dataclass(frozen=True, slots=True)
class Stay:
    """A state and when it began, wall seconds."""

    state: str
    since: float

    def __str__(self) -> str:
        return f"{self.state} at {iso(self.since)}"


def check_states(view: View, stored: Stored, found: Findings) -> tuple[int, int]:
    """Compare the order of states; return how many are observable and how many stored."""
    held = [interval for interval in stored.intervals if interval.state != "offline"]
    actual = _without_repeats(Stay(interval.state, interval.since) for interval in held)
    expected = _expected(view, held)
    names = [stay.state for stay in expected], [stay.state for stay in actual]
    steps = SequenceMatcher(None, *names, autojunk=False).get_opcodes()
    for step, i, j, k, m in steps:
        if step == "equal":
            _check_boundaries(view, expected[i:j], actual[k:m], found)
            continue
        found.missing += [f"{view.name}: {stay} is not stored" for stay in expected[i:j]]
        found.wrong += [f"{view.name}: {stay} is stored, nobody saw it" for stay in actual[k:m]]
    return len(expected), len(actual)


def _check_boundaries(
    view: View, expected: Sequence[Stay], actual: Sequence[Stay], found: Findings
) -> None:
    for one, other in zip(expected, actual, strict=True):
        late_s = other.since - one.since
        if abs(late_s) > view.tolerance_s:
            found.wrong.append(f"{view.name}: {one} is stored {late_s:+.3f} s away")


def _expected(view: View, held: Sequence[Interval]) -> list[Stay]:
    """Return what must be stored; what may be, counts if it is."""
    required: dict[Stay, bool] = {}
    for seen in view.observable["states"]:
        stay = Stay(seen["state"], view.seconds(seen["since"]))
        apart_s = view.apart_s(stay.since, seen["at_most_s"])
        if seen["at_most_s"] >= view.hold_s - apart_s:
            long = seen["lasted_s"] >= view.hold_s + apart_s
            required[stay] = long and not view.is_doubtful(stay.since, stay.since + view.hold_s)
    stored = _stored(view, list(required), held)
    return _without_repeats(stay for stay in required if required[stay] or stay in stored)


def _stored(view: View, stays: Sequence[Stay], held: Sequence[Interval]) -> set[Stay]:
    """Return which of these the intervals are: each is the one that is nearest."""
    found = set()
    for interval in held:
        same = [stay for stay in stays if stay.state == interval.state]
        nearest = min(same, key=lambda stay: abs(stay.since - interval.since), default=None)
        if nearest is not None and abs(nearest.since - interval.since) <= view.tolerance_s:
            found.add(nearest)
    return found


def _without_repeats(stays: Iterable[Stay]) -> list[Stay]:
    kept: list[Stay] = []
    for stay in stays:
        if not kept or kept[-1].state != stay.state:
            kept.append(stay)
    return kept


def offline(view: View, stored: Stored) -> list[Window]:
    """Return the offline intervals; one that lasts ends with the truth."""
    return [
        Window(interval.since, view.ended if interval.until is None else interval.until, "")
        for interval in stored.intervals
        if interval.state == "offline"
    ]


def check_offline(view: View, stored: Stored, found: Findings) -> None:
    """Compare offline intervals with the blind windows, both ways."""
    dark = offline(view, stored)
    windows = merged(view.windows, view.tolerance_s)
    for interval in dark:
        if not any(_inside(view, interval, window) for window in windows):
            found.wrong.append(
                f"{view.name}: offline from {iso(interval.since)} to {iso(interval.until)},"
                " but samples were served"
            )
    for window in view.windows:
        long = window.until - window.since > view.interval_s + view.hold_s + NOTICEABLE_S
        required = window.why in {"power_off", "collector_down"} and long
        if required and not any(_covers(view, interval, window) for interval in dark):
            found.uncovered += 1
            found.not_admitted.append(
                f"{view.name}: nothing was served from {iso(window.since)} to"
                f" {iso(window.until)} ({window.why}), and no offline interval says so"
            )


def _early_s(view: View, window: Window) -> float:
    """Return how much before a window its offline interval may begin."""
    heartbeat_s = view.heartbeat_s if window.why == "collector_down" else 0.0
    return view.tolerance_s + heartbeat_s


def _inside(view: View, interval: Window, window: Window) -> bool:
    return (
        interval.since >= window.since - _early_s(view, window)
        and interval.until <= window.until + view.tolerance_s
    )


def _covers(view: View, interval: Window, window: Window) -> bool:
    return (
        interval.since <= window.since + view.tolerance_s
        and interval.until >= window.until - view.tolerance_s
    )
