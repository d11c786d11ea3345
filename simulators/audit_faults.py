"""The audit of faults: the same occurrences, each once."""

from dataclasses import dataclass
from typing import Any

from simulators.audit_store import Stored, StoredFault
from simulators.audit_view import Findings, View


@dataclass(frozen=True, slots=True)
class Expected:
    """An occurrence as it was served, wall seconds."""

    code: str
    raised: float
    cleared: float | None
    text: str


def check_faults(view: View, stored: Stored, found: Findings) -> None:
    """Match every occurrence with one of the store."""
    left = list(stored.faults)
    for seen in view.observable["faults"]:
        expected = _expected(view, seen)
        match = next((fault for fault in left if _raised_alike(view, expected, fault)), None)
        if match is None:
            if not _may_be_lost(view, expected):
                found.missing.append(f"{view.name}: {expected.text} is not stored")
            continue
        left.remove(match)
        if not _cleared_alike(view, expected, match):
            found.wrong.append(f"{view.name}: {expected.text} is stored with another end")
    known = {seen["code"] for seen in view.observable["faults"]}
    for fault in left:
        sentence = f"{view.name}: fault {fault.code} is stored once more than it occurred"
        (found.duplicated if fault.code in known else found.wrong).append(sentence)


def _expected(view: View, seen: dict[str, Any]) -> Expected:
    cleared = None if seen["cleared_at"] is None else view.seconds(seen["cleared_at"])
    text = f"fault {seen['code']} from {seen['raised_at']} to {seen['cleared_at'] or 'now'}"
    return Expected(seen["code"], view.seconds(seen["raised_at"]), cleared, text)


def _near(view: View, seen: float, stored: float) -> bool:
    """Whether a moment fits; one lost in a kill is found at the next sample."""
    latest = view.first_sample_after(seen) if view.is_doubtful(seen) else seen
    slack_s = view.interval_s + view.slack_s
    return seen - slack_s <= stored <= latest + slack_s


def _raised_alike(view: View, expected: Expected, fault: StoredFault) -> bool:
    return fault.code == expected.code and _near(view, expected.raised, fault.raised)


def _cleared_alike(view: View, expected: Expected, fault: StoredFault) -> bool:
    if expected.cleared is None or fault.cleared is None:
        return expected.cleared is fault.cleared
    return _near(view, expected.cleared, fault.cleared)


def _may_be_lost(view: View, expected: Expected) -> bool:
    """Whether only samples right before a kill showed it.

    The first sample after it may have begun with another register than that of faults.
    """
    if expected.cleared is None or not view.is_doubtful(expected.raised):
        return False
    return expected.cleared <= view.first_sample_after(expected.raised) + view.scan_s
