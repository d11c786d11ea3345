"""One event of each kind, with everything in it that may be there."""

from datetime import timedelta

from gateway.domain.events import Count, Event, Fault, FaultText, Gap, Health, Note, Reading, Status
from gateway.domain.vocabulary import Order, Reason, State
from tests.support.clock import MORNING

ORDER = Order("WO-1042", operation="10", product="A-77", planned_qty=500)
REASON = Reason("no_material", "material", {"zh": "缺料", "en": "No material"})
GUARD = FaultText(
    "E17", {"zh": "安全门打开", "en": "Guard open"}, remedy={"en": "Close it"}, severity=920
)
LATER = MORNING + timedelta(minutes=3)

EXAMPLES: tuple[Event, ...] = (
    Status(at=MORNING, state=State.OFFLINE, since=MORNING, cause="start"),
    Status(
        at=LATER,
        state=State.IDLE,
        since=MORNING,
        cause="sample",
        prev_state=State.RUNNING,
        prev_duration_ms=48210,
        mode="auto",
        reason=REASON,
        order=ORDER,
    ),
    Status(at=LATER, state=State.IDLE, since=MORNING, cause="sample", repeat=True),
    Count(at=MORNING, counter="good", kind="good", delta=0, total=0, raw=7, anomaly="baseline"),
    Count(
        at=LATER,
        counter="good",
        kind="good",
        delta=2,
        total=2,
        raw=9,
        refused=4,
        anomaly="jump",
        window_from=MORNING,
        cycle_time_ms=9000,
        order=ORDER,
    ),
    Fault(at=MORNING, fault_id="f-1", transition="raised", fault=GUARD, raised_at=MORNING),
    Fault(
        at=LATER,
        fault_id="f-1",
        transition="cleared",
        fault=GUARD,
        raised_at=MORNING,
        cleared_at=LATER,
        duration_ms=180_000,
        by="zhang",
        comment="ok",
        until=LATER,
    ),
    Reading(at=MORNING, group="plc", values={"run": True, "t": 21.5, "program": "中文"}, full=True),
    Reading(
        at=MORNING,
        group="plc",
        values={},
        bad={"t": "no_link"},
        sourcetime={"run": "2026-03-20T01:00:00.000Z"},
        time_quality="device",
    ),
    Health(at=MORNING, link="plc", state="online", last_ok=MORNING, rtt_ms=1.5),
    Health(at=MORNING, link="plc", state="offline", failures=3, error={"class": "Unreachable"}),
    Gap(
        at=MORNING,
        stream="reading",
        reason="retention",
        count=5,
        from_streamseq=1,
        to_streamseq=5,
    ),
    Gap(at=MORNING, stream="count", reason="not_observed", count=0),
    Gap(at=MORNING, stream="count", reason="dead_letter", count=1, target="push/mes"),
    Note(at=MORNING, about="f-1", by="zhang", comment="valve replaced", reason=REASON),
)
