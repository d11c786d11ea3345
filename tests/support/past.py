"""What a machine did, for a journal that the web tells of."""

from typing import Any

from gateway.domain.events import Count, Fault, FaultText, Status
from gateway.domain.vocabulary import Reason, State
from tests.support.board import ago

PRESS = "press-07"
TIMELINE = f"/api/v1/equipment/{PRESS}/timeline"
COUNTS = f"/api/v1/equipment/{PRESS}/counts"
JAM = Reason("E204", "equipment", {"en": "Jam"})


def status(state: State, seconds_ago: float, **more: Any) -> Status:
    at = ago(seconds_ago)
    return Status(at=at, since=more.pop("since", at), state=state, cause="sample", **more)


def count(total: float, seconds_ago: float, **more: Any) -> Count:
    told: dict[str, Any] = {"counter": "good", "kind": "good", "delta": 1, "raw": total} | more
    return Count(at=ago(seconds_ago), total=total, **told)


def fault(code: str, seconds_ago: float, transition: str = "raised", **more: Any) -> Fault:
    raised = ago(more.pop("raised_ago", seconds_ago))
    told: dict[str, Any] = {"fault_id": f"{code}-1", "transition": transition}
    text = FaultText(code, {"en": f"Text of {code}"}, severity=950)
    return Fault(at=ago(seconds_ago), fault=text, raised_at=raised, **told | more)


def asked(seconds_ago: float, until_ago: float = 0, **more: str) -> dict[str, str]:
    return {
        "from": ago(seconds_ago).isoformat(),
        "to": ago(until_ago).isoformat(),
        **more,
    }
