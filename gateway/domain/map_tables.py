"""The state maps by name.

Numbers and names are those of the standards; what they mean in the seven states is this
gateway's proposal where the standard does not say. In every map a fault that stops the
machine comes before the mode and the mode before the state: an alarm word may be ahead of
the state, and a machine that moves in manual mode does not produce.
"""

from collections.abc import Mapping
from types import MappingProxyType

from drivers.contract import Value
from gateway.domain.maps import MODE, STATE, Row, StateMap, Values
from gateway.domain.rules import STOPPING_FAULT
from gateway.domain.vocabulary import Reason, ReasonCategory, State

_YES: Values = (True,)


def _reason(
    code: str, category: ReasonCategory, zh: str, en: str, *, planned: bool = False
) -> Reason:
    return Reason(code, category, {"zh": zh, "en": en}, planned)


_STARVED = _reason("starved", "starved", "上游缺料", "Starved")
_BLOCKED = _reason("blocked", "blocked", "下游堵料", "Blocked")
_SUSPENDED = _reason("suspended", "external", "因外部原因暂停", "Suspended from outside")
_HELD = _reason("held", "operator", "保持，等待操作员", "Held, waits for the operator")
_INTERRUPTED = _reason("interrupted", "operator", "程序中断，等待操作员", "Program interrupted")
_WAITING = _reason("waiting", "external", "等待外部条件", "Waits for something outside")
_FINISHED = _reason("job_finished", "no_order", "任务已完成", "Job finished")
_JOB_INTERRUPTED = _reason("job_interrupted", "unspecified", "任务中断", "Job interrupted")
_CHANGEOVER = _reason("changeover", "changeover", "换型", "Change-over")
_DEVELOPMENT = _reason("process_development", "unspecified", "工艺试制", "Process development")
_SLEEP = _reason("energy_saving", "energy", "关机或节能", "Switched off or saving energy")
_EMERGENCY_STOP = _reason("emergency_stop", "safety", "急停", "Emergency stop")
_UNAVAILABLE = _reason("unavailable", "comms", "采集不到设备", "The machine cannot be reached")
_PLANNED_DOWN = _reason("scheduled_down", "none", "计划停机", "Scheduled downtime", planned=True)
_NO_SHIFT = _reason("non_scheduled", "none", "非计划时间", "Non-scheduled time", planned=True)
_ENGINEERING = _reason("engineering", "unspecified", "工程时间", "Engineering")

_STOPPING = Row(State.FAULT, {STOPPING_FAULT: _YES})


def _state(state: State, *values: Value, reason: Reason | None = None) -> Row:
    return Row(state, {STATE: values}, reason)


def _mode(state: State, *values: Value, reason: Reason | None = None) -> Row:
    return Row(state, {MODE: values}, reason)


def _packml(numbers: Mapping[str, int]) -> StateMap:
    """One meaning of the seventeen names; the two standards number them differently."""

    def known(*names: str) -> Values:
        return tuple(value for name in names for value in (numbers[name], name))

    suspended = known("Suspended", "Suspending")
    return StateMap(
        rows=(
            _STOPPING,
            _mode(State.MAINTENANCE, 2, "Maintenance"),
            _mode(State.SETUP, 3, "Manual"),
            _state(State.RUNNING, *known("Execute", "Unholding", "Unsuspending", "Completing")),
            Row(State.IDLE, {STATE: suspended, "starved": _YES}, _STARVED),
            Row(State.IDLE, {STATE: suspended, "blocked": _YES}, _BLOCKED),
            Row(State.IDLE, {STATE: suspended}, _SUSPENDED),
            _state(State.IDLE, *known("Starting", "Idle", "Resetting", "Complete")),
            _state(State.STOPPED, *known("Clearing", "Stopped", "Stopping")),
            _state(State.FAULT, *known("Aborting", "Aborted", "Holding")),
            _state(State.IDLE, *known("Held"), reason=_HELD),
        ),
        modes={
            "auto": (1, "Produce", "Production"),
            "maintenance": (2, "Maintenance"),
            "manual": (3, "Manual"),
        },
    )


_TR88 = {
    "Clearing": 1,
    "Stopped": 2,
    "Starting": 3,
    "Idle": 4,
    "Suspended": 5,
    "Execute": 6,
    "Stopping": 7,
    "Aborting": 8,
    "Aborted": 9,
    "Holding": 10,
    "Held": 11,
    "Unholding": 12,
    "Suspending": 13,
    "Unsuspending": 14,
    "Resetting": 15,
    "Completing": 16,
    "Complete": 17,
}
"""ISA-TR88.00.02 and OPC 30050."""
_TMC = {
    "Stopped": 0,
    "Resetting": 1,
    "Idle": 2,
    "Starting": 3,
    "Execute": 4,
    "Completing": 5,
    "Complete": 6,
    "Aborting": 7,
    "Aborted": 8,
    "Stopping": 9,
    "Clearing": 10,
    "Suspending": 11,
    "Suspended": 12,
    "Unsuspending": 13,
    "Holding": 14,
    "Held": 15,
    "Unholding": 16,
}
"""OPC 30060, the tobacco machine communication: the same names, other numbers."""

_OPC40001 = StateMap(
    rows=(
        _STOPPING,
        _mode(State.MAINTENANCE, 1, "Maintenance"),
        _mode(State.SETUP, 2, "Setup"),
        # Also in mode None: a machine may not know its mode, and it does say that it executes.
        _state(State.RUNNING, 3, "Executing"),
        _state(State.IDLE, 2, "NotExecuting"),
        _state(State.FAULT, 1, "OutOfService"),
        _state(State.STOPPED, 0, "NotAvailable", reason=_SLEEP),
    ),
    modes={
        "auto": (3, "Processing"),
        "setup": (2, "Setup"),
        "maintenance": (1, "Maintenance"),
    },
)
"""OPC 40001-1: MachineryItemState, MachineryOperationMode."""

_MTCONNECT = StateMap(
    rows=(
        Row(State.OFFLINE, {"availability": ("UNAVAILABLE",)}, _UNAVAILABLE),
        _STOPPING,
        Row(State.FAULT, {"emergency_stop": ("TRIGGERED",)}, _EMERGENCY_STOP),
        Row(State.MAINTENANCE, {"functional_mode": ("MAINTENANCE",)}),
        Row(State.SETUP, {"functional_mode": ("SETUP", "TEARDOWN")}, _CHANGEOVER),
        Row(State.SETUP, {"functional_mode": ("PROCESS_DEVELOPMENT",)}, _DEVELOPMENT),
        _mode(State.SETUP, "MANUAL", "MANUAL_DATA_INPUT", "EDIT"),
        _state(State.RUNNING, "ACTIVE"),
        _state(State.IDLE, "READY"),
        _state(State.IDLE, "WAIT", reason=_WAITING),
        _state(State.IDLE, "PROGRAM_COMPLETED", reason=_FINISHED),
        _state(
            State.IDLE,
            "INTERRUPTED",
            "FEED_HOLD",
            "OPTIONAL_STOP",
            "PROGRAM_STOPPED",
            "PROGRAM_OPTIONAL_STOP",
            reason=_INTERRUPTED,
        ),
        _state(State.STOPPED, "STOPPED"),
        _state(State.OFFLINE, "UNAVAILABLE", reason=_UNAVAILABLE),
    ),
    modes={
        "auto": ("AUTOMATIC",),
        "semi_auto": ("SEMI_AUTOMATIC",),
        "manual": ("MANUAL", "MANUAL_DATA_INPUT", "EDIT"),
    },
)
"""MTConnect 2.7: Execution is ``state``, ControllerMode is ``mode``."""

_EUROMAP77 = StateMap(
    rows=(
        _STOPPING,
        _mode(State.STOPPED, 5, "SLEEP", reason=_SLEEP),
        _mode(State.SETUP, 3, "MANUAL", 4, "SETUP"),
        _state(
            State.SETUP,
            *(2, "SET_UP_ACTIVE", 3, "SET_UP_INTERRUPTED", 4, "SET_UP_FINISHED"),
            *(5, "START_UP_ACTIVE", 9, "TEAR_DOWN_ACTIVE", 10, "TEAR_DOWN_INTERRUPTED"),
            reason=_CHANGEOVER,
        ),
        # Only in automatic or semi-automatic: mode OTHER says nothing of production.
        Row(
            State.RUNNING,
            {
                STATE: (6, "JOB_IN_PRODUCTION"),
                MODE: (1, "AUTOMATIC", 2, "SEMI_AUTOMATIC"),
            },
        ),
        _state(State.IDLE, 7, "JOB_INTERRUPTED", reason=_JOB_INTERRUPTED),
        _state(State.IDLE, *(8, "JOB_FINISHED", 11, "TEAR_DOWN_FINISHED"), reason=_FINISHED),
        _state(State.IDLE, 1, "TRANSFERRED_ASSIGNED"),
    ),
    modes={
        "auto": (1, "AUTOMATIC"),
        "semi_auto": (2, "SEMI_AUTOMATIC"),
        "manual": (3, "MANUAL"),
        "setup": (4, "SETUP"),
    },
    needed=frozenset({STATE, MODE}),
)
"""OPC 40077: JobStatus is ``state``, MachineMode is ``mode``."""

_UMATI = StateMap(
    rows=(
        _STOPPING,
        _mode(State.MAINTENANCE, 4, "Service"),
        _mode(State.SETUP, 0, "Manual", 2, "Setup"),
        _state(State.RUNNING, 0, "Active"),
        _state(State.IDLE, 1, "Interrupted", reason=_INTERRUPTED),
        _state(State.IDLE, 2, "Reset"),
    ),
    modes={
        "manual": (0, "Manual"),
        "auto": (1, "Automatic"),
        "setup": (2, "Setup"),
        "semi_auto": (3, "AutoWithManualIntervention"),
        "maintenance": (4, "Service"),
    },
)
"""OPC 40501-1: ChannelState is ``state``, MachineOperationMode is ``mode``."""

_SEMI_E10 = StateMap(
    rows=(
        _STOPPING,
        _state(State.RUNNING, 1, "PRD", "PRD_1", "Productive"),
        _state(State.IDLE, 2, "SBY", "SBY_2", "Standby"),
        _state(State.SETUP, 3, "ENG", "ENG_3", "Engineering", reason=_ENGINEERING),
        _state(State.MAINTENANCE, 4, "SDT", "SDT_4", "Scheduled downtime", reason=_PLANNED_DOWN),
        _state(State.FAULT, 5, "UDT", "UDT_5", "Unscheduled downtime"),
        _state(State.STOPPED, 6, "NST", "NST_6", "Non-scheduled", reason=_NO_SHIFT),
    )
)
"""SEMI E10, numbered as OPC 40100 does."""

MAPS: Mapping[str, StateMap] = MappingProxyType(
    {
        "packml_tr88": _packml(_TR88),
        "packml_tmc": _packml(_TMC),
        "opc40001": _OPC40001,
        "mtconnect": _MTCONNECT,
        "euromap77": _EUROMAP77,
        "umati": _UMATI,
        "semi_e10": _SEMI_E10,
    }
)
