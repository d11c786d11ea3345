"""Faults that come too often: one number that flickers, one machine that raises many.

- A number raised ``chatter_raises`` times within ``chatter_s`` chatters: its occurrence
  stays open over short clears and is over when its source was quiet for ``chatter_s``.
- More than ten raises of one equipment within ten minutes are a flood. What is folded
  into a chattering occurrence is no raise of its own and adds nothing to it.
- The memory of raises is bounded and ends with the process: after a restart a flicker
  needs its full number of raises again.
"""

from gateway.domain.rules import FaultRule
from gateway.domain.state import ActiveFault, Moment, Raised

FLOOD_RAISES = 10
FLOOD_S = 600.0
TELL_S = 1.0
"""A chattering fault is told of at most so often."""
MAX_REMEMBERED = 256


def remember(raises: tuple[Raised, ...], key: str, moment: Moment) -> tuple[Raised, ...]:
    """Return the raises that still matter, with the new one last."""
    recent = [past for past in raises if past.moment.seconds_until(moment) < FLOOD_S]
    return (*recent, Raised(key, moment))[-MAX_REMEMBERED:]


def chatters(raises: tuple[Raised, ...], key: str, moment: Moment, rule: FaultRule) -> bool:
    """Whether the newest of ``raises``, at ``moment``, makes its number chatter."""
    if rule.chatter_raises == 0:
        return False
    same = [past for past in raises if past.key == key]
    close = [past for past in same if past.moment.seconds_until(moment) < rule.chatter_s]
    return len(close) >= rule.chatter_raises


def floods(raises: tuple[Raised, ...], moment: Moment) -> bool:
    """Whether the newest of ``raises``, at ``moment``, is one of too many."""
    close = [past for past in raises if past.moment.seconds_until(moment) < FLOOD_S]
    return len(close) > FLOOD_RAISES


def may_tell(fault: ActiveFault, now: Moment) -> bool:
    """Whether another raise within the occurrence is published now or with the next word."""
    return (fault.told or fault.raised).lasted(TELL_S, now)


def over_since(fault: ActiveFault, rule: FaultRule, now: Moment) -> Moment | None:
    """Return the last real clear of a fault that was quiet for long enough, else None."""
    quiet = fault.quiet_since
    return quiet if quiet is not None and quiet.lasted(rule.chatter_s, now) else None


def over_at_s(fault: ActiveFault, rule: FaultRule) -> float | None:
    """Return the monotonic moment at which a quiet fault is over."""
    quiet = fault.quiet_since
    if quiet is None or quiet.mono_s is None or fault.frozen:
        return None
    return quiet.mono_s + rule.chatter_s
