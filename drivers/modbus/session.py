"""One open Modbus session: passes over the due groups, each of them a batch.

- A batch is one pass. None mixes values from before and after a reconnection; it is
  stamped when its last reply arrived.
- No change is lost between two batches: nothing is decoded before a pass is complete.
- The first batch that covers a tag lists it, and so does the first after it was bad.
- One silence is forgiven (new socket, the pass from its start) if the device has answered
  all of a pass since the last one. Two in one read are Unreachable.
- A refused address is found by halving its request. Its tag is bad, ``illegal_address``,
  and asked again every illegal_retry_ms; its neighbours live on.
- Busy is not offline: if some blocks are busy their tags are bad, if all are, Rejected.
"""

import math
from collections.abc import Collection, Sequence
from datetime import timedelta

from drivers.clock import Clock
from drivers.contract import Batch, Rejected, TagGroup, Unreachable
from drivers.modbus.answer import Refusal
from drivers.modbus.bus import Bus
from drivers.modbus.decode import News, Reading
from drivers.modbus.errors import NoAnswer
from drivers.modbus.plan import GroupPlan
from drivers.modbus.scan import ILLEGAL, Answer, Group, Reader, Scan, Scans
from drivers.modbus.settings import LinkSettings, endpoint_of

MAX_EXTRA_REQUESTS = 64
"""Requests one pass may spend on halving; what is left over waits for the next."""
MAX_RETRIES = 4
"""Quarantined tags of a group asked again in one pass."""

_HALVED = frozenset({Refusal.ILLEGAL_ADDRESS, Refusal.ILLEGAL_VALUE})
_ABSENT = frozenset({Refusal.GATEWAY_PATH, Refusal.GATEWAY_TARGET})
_CAUSES: dict[int, str] = {
    Refusal.ILLEGAL_ADDRESS: ILLEGAL,
    Refusal.ILLEGAL_VALUE: ILLEGAL,
    Refusal.ACKNOWLEDGE: "device_busy",
    Refusal.BUSY: "device_busy",
    Refusal.GATEWAY_PATH: "not_connected",
    Refusal.GATEWAY_TARGET: "not_connected",
}
_REASONS: dict[int, str] = {
    Refusal.ILLEGAL_FUNCTION: "the device does not know this function code",
    Refusal.DEVICE_FAILURE: "the device reports a failure",
    Refusal.ACKNOWLEDGE: "the device is busy",
    Refusal.BUSY: "the device is busy",
    Refusal.GATEWAY_PATH: "the Modbus gateway has no path to this unit",
    Refusal.GATEWAY_TARGET: "the Modbus gateway gets no answer from this unit",
}


class ModbusSession:
    """Reads one unit over its bus."""

    __slots__ = (
        "_arrived_s",
        "_bus",
        "_clock",
        "_closes_after_read",
        "_endpoint",
        "_has_answered",
        "_scans",
        "_slowest_s",
    )

    def __init__(
        self,
        settings: LinkSettings,
        bus: Bus,
        plans: dict[str, GroupPlan],
        readings: dict[str, Reading],
        *,
        clock: Clock,
    ) -> None:
        self._endpoint = endpoint_of(settings)
        self._bus = bus
        self._closes_after_read = settings.close_after_read
        self._scans = Scans({name: Group(plan, settings, readings) for name, plan in plans.items()})
        self._clock = clock
        self._has_answered = False
        self._arrived_s = 0.0
        self._slowest_s = 0.0

    async def read(self, due: Collection[TagGroup]) -> Batch:
        """Return one pass over the due groups; see `drivers.contract.Session`."""
        try:
            return await self._pass(due)
        except NoAnswer:
            if not self._has_answered:
                raise
            self._has_answered = False
            return await self._pass(due)
        finally:
            if self._closes_after_read:
                self._bus.rest()

    async def _pass(self, due: Collection[TagGroup]) -> Batch:
        scan = self._scans.of(due)
        found: Sequence[bytes | int] = ()
        self._slowest_s = 0.0
        if scan.requests:
            found, self._arrived_s, self._slowest_s = await self._bus.ask_all(scan.requests)
            self._has_answered = True
        news = News({}, {})
        if scan.has_quarantine or int in map(type, found):
            await self._take_partly_refused(scan, found, news)
        else:
            for decoder, answer in zip(scan.decoders, found, strict=True):
                decoder.take(answer, news)  # type: ignore[arg-type]  # none is a refusal
        return self._batch(scan.covers, news)

    async def _take_partly_refused(
        self, scan: Scan, found: Sequence[bytes | int], news: News
    ) -> None:
        answers = await self._settled(scan, [*zip(scan.readers, found, strict=True)])
        self._refuse_if_all_did(answers)
        for group in scan.groups:
            news.bad.update(group.illegal)
        for reader, answer in answers:
            if isinstance(answer, bytes):
                reader.decoder.take(answer, news)
            else:
                reader.decoder.forget()
                news.bad.update(dict.fromkeys(reader.keys, cause_word(answer)))

    async def _settled(self, scan: Scan, answers: list[Answer]) -> list[Answer]:
        """Return the answers after what was refused is halved and what was is asked again."""
        settled: list[Answer] = []
        for group, own in scan.by_group(answers):
            plan, done = group.plan, [*own]
            try:
                for answer in own:
                    if answer[1] in _HALVED:
                        done.remove(answer)
                        await self._halve(group, *answer, done)
                if plan.quarantine:
                    await self._retry(group, done)
            finally:  # what was found out before a silence is not to be found out again
                if group.plan is not plan:
                    group.adopt(reader for reader, _ in done)
                    self._scans.forget()
            settled += done
        return settled

    async def _ask(self, reader: Reader) -> bytes | int:
        reply = await self._bus.ask(reader.request)
        self._has_answered = True
        self._arrived_s = reply.mono_s
        self._slowest_s = max(self._slowest_s, reply.rtt_s)
        return reply.answer

    async def _halve(
        self,
        group: Group,
        reader: Reader,
        refusal: bytes | int,
        answers: list[Answer],
    ) -> None:
        """Ask smaller and smaller parts of a refused block until each is good or one tag."""
        refused = [(reader, refusal)]
        budget = MAX_EXTRA_REQUESTS
        while refused and budget > 0:
            whole, _ = refused.pop()
            group.refused(whole.block, self._clock.mono_s())
            for block in whole.block.halves():
                part = group.reader(block)
                answer = await self._ask(part)
                budget -= 1
                (refused if answer in _HALVED else answers).append((part, answer))
        answers.extend(refused)

    async def _retry(self, group: Group, answers: list[Answer]) -> None:
        blocks = group.plan.retries(self._clock.mono_s(), MAX_RETRIES)
        if not group.readers and not blocks:
            blocks = group.plan.retries(math.inf, 1)  # else nobody would notice a dead link
        for block in blocks:
            reader = group.reader(block)
            answer = await self._ask(reader)
            if isinstance(answer, bytes):
                group.plan = group.plan.recovered(block)
                answers.append((reader, answer))
            else:
                group.refused(block, self._clock.mono_s())

    def _refuse_if_all_did(self, answers: list[Answer]) -> None:
        codes = [answer for _, answer in answers if isinstance(answer, int)]
        if not codes or len(codes) < len(answers) or not _HALVED.isdisjoint(codes):
            return
        for reader, _ in answers:
            reader.decoder.forget()
        reason = _REASONS.get(codes[0], f"the device refuses with code {codes[0]}")
        raise (Unreachable if codes[0] in _ABSENT else Rejected)(self._endpoint, reason)

    def _batch(self, covers: frozenset[str], news: News) -> Batch:
        ago_s = self._clock.mono_s() - self._arrived_s
        return Batch(
            read_at=self._clock.now() - timedelta(seconds=ago_s),
            mono_s=self._arrived_s,
            covers=covers,
            changed=news.changed,
            bad=news.bad,
            rtt_s=self._slowest_s,
        )


def cause_word(code: int) -> str:
    """Return why a tag is bad that was refused with this exception code."""
    return _CAUSES.get(code, "device_refused")
