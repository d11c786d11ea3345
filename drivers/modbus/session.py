"""One open Modbus session: passes over the due groups, each of them a batch.

- A batch is one pass. None mixes values from before and after a reconnection; it is
  stamped when its last reply arrived.
- No change is lost between two batches: nothing is decoded before a pass is complete.
- The first batch that covers a tag lists it, and so does the first after it was bad.
- One silence is forgiven (new socket, the pass from its start) if the device has answered
  since the last one. Two in a row are Unreachable.
- A refused address is found by halving its request. Its tag is bad, ``illegal_address``,
  and asked again every illegal_retry_ms; its neighbours live on.
- Busy is not offline: if some blocks are busy their tags are bad, if all are, Rejected.
"""

import math
from collections.abc import Collection, Iterable
from datetime import timedelta

from drivers.contract import Batch, Rejected, TagGroup, Unreachable, Value
from drivers.modbus.answer import Refusal
from drivers.modbus.bus import Bus
from drivers.modbus.clock import Clock
from drivers.modbus.decode import Reading, decoder
from drivers.modbus.errors import NoAnswer
from drivers.modbus.plan import Block, GroupPlan
from drivers.modbus.settings import LinkSettings, endpoint_of
from drivers.modbus.wire import Reply, Request

MAX_EXTRA_REQUESTS = 64
"""Requests one pass may spend on halving; what is left over waits for the next."""
MAX_RETRIES = 4
"""Quarantined tags of a group asked again in one pass."""

_ILLEGAL = "illegal_address"
_HALVED = frozenset({Refusal.ILLEGAL_ADDRESS, Refusal.ILLEGAL_VALUE})
_ABSENT = frozenset({Refusal.GATEWAY_PATH, Refusal.GATEWAY_TARGET})
_CAUSES: dict[int, str] = {
    Refusal.ILLEGAL_ADDRESS: _ILLEGAL,
    Refusal.ILLEGAL_VALUE: _ILLEGAL,
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


class _Reader:
    """A block with its request and its memory of the last scan."""

    def __init__(self, block: Block, settings: LinkSettings, readings: dict[str, Reading]) -> None:
        self.block = block
        self.keys = tuple(place.key for place in block.places)
        self.decoder = decoder(block, readings)
        self.request = Request(
            unit=settings.unit_id,
            table=block.table,
            start=block.start,
            count=block.count,
            timeout_s=settings.timeout_ms / 1000,
            accept_transaction_zero=settings.accept_transaction_zero,
        )


class _Group:
    """The plan of one tag group as it stands, and the readers that carry it out."""

    def __init__(
        self, plan: GroupPlan, settings: LinkSettings, readings: dict[str, Reading]
    ) -> None:
        self._settings = settings
        self._readings = readings
        self.plan = plan
        self.readers = [self.reader(block) for block in plan.blocks]
        self.illegal: dict[str, str] = {}

    def reader(self, block: Block) -> _Reader:
        return _Reader(block, self._settings, self._readings)

    def refused(self, block: Block, now_s: float) -> None:
        retry_s = self._settings.illegal_retry_ms / 1000
        self.plan = self.plan.refused(block, now_s=now_s, retry_s=retry_s)

    def adopt(self, tried: Iterable[_Reader]) -> None:
        """Bring the readers in line with a plan that changed during a pass."""
        quarantined = {q.place.key for q in self.plan.quarantine}
        if quarantined != set(self.illegal):
            self.plan = self.plan.settled()
            self.illegal = dict.fromkeys(sorted(quarantined), _ILLEGAL)
        known = {reader.block: reader for reader in (*self.readers, *tried)}
        self.readers = [known.get(block) or self.reader(block) for block in self.plan.blocks]


class ModbusSession:
    """Reads one unit over its bus."""

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
        self._groups = {name: _Group(plan, settings, readings) for name, plan in plans.items()}
        self._clock = clock
        self._covers: dict[frozenset[str], frozenset[str]] = {}
        self._has_answered = False
        self._arrived_s = 0.0
        self._slowest_s = 0.0

    async def read(self, due: Collection[TagGroup]) -> Batch:
        """Return one pass over the due groups; see `drivers.contract.Session`."""
        while True:
            try:
                return await self._pass(due)
            except NoAnswer:
                if not self._has_answered:
                    raise
                self._has_answered = False

    async def _pass(self, due: Collection[TagGroup]) -> Batch:
        answers: list[tuple[_Reader, Reply]] = []
        self._slowest_s = 0.0
        for group in due:
            await self._ask_group(self._groups[group.name], answers)
        self._refuse_if_all_did(answers)
        changed: dict[str, Value] = {}
        bad: dict[str, str] = {}
        for group in due:
            bad.update(self._groups[group.name].illegal)
        for reader, reply in answers:
            if isinstance(reply.answer, int):
                reader.decoder.forget()
                bad.update(dict.fromkeys(reader.keys, _cause(reply.answer)))
            elif news := reader.decoder.take(reply.answer):
                changed.update(news.changed)
                bad.update(news.bad)
        return self._batch(due, changed, bad)

    async def _ask_group(self, group: _Group, answers: list[tuple[_Reader, Reply]]) -> None:
        plan = group.plan
        for reader in group.readers:
            reply = await self._ask(reader)
            if reply.answer in _HALVED:
                await self._halve(group, reader, reply, answers)
            else:
                answers.append((reader, reply))
        if plan.quarantine:
            await self._retry(group, answers)
        if group.plan is not plan:
            group.adopt(reader for reader, _ in answers)

    async def _ask(self, reader: _Reader) -> Reply:
        reply = await self._bus.ask(reader.request)
        self._has_answered = True
        self._arrived_s = reply.mono_s
        self._slowest_s = max(self._slowest_s, reply.rtt_s)
        return reply

    async def _halve(
        self,
        group: _Group,
        reader: _Reader,
        reply: Reply,
        answers: list[tuple[_Reader, Reply]],
    ) -> None:
        """Ask smaller and smaller parts of a refused block until each is good or one tag."""
        refused = [(reader, reply)]
        budget = MAX_EXTRA_REQUESTS
        while refused and budget > 0:
            whole, _ = refused.pop()
            group.refused(whole.block, self._clock.mono_s())
            for block in whole.block.halves():
                part = group.reader(block)
                answer = await self._ask(part)
                budget -= 1
                (refused if answer.answer in _HALVED else answers).append((part, answer))
        answers.extend(refused)

    async def _retry(self, group: _Group, answers: list[tuple[_Reader, Reply]]) -> None:
        blocks = group.plan.retries(self._clock.mono_s(), MAX_RETRIES)
        if not group.readers and not blocks:
            blocks = group.plan.retries(math.inf, 1)  # else nobody would notice a dead link
        for block in blocks:
            reader = group.reader(block)
            reply = await self._ask(reader)
            if isinstance(reply.answer, bytes):
                group.plan = group.plan.recovered(block)
                answers.append((reader, reply))
            else:
                group.refused(block, self._clock.mono_s())

    def _refuse_if_all_did(self, answers: list[tuple[_Reader, Reply]]) -> None:
        codes = [reply.answer for _, reply in answers if isinstance(reply.answer, int)]
        if not codes or len(codes) < len(answers) or not _HALVED.isdisjoint(codes):
            return
        for reader, _ in answers:
            reader.decoder.forget()
        reason = _REASONS.get(codes[0], f"the device refuses with code {codes[0]}")
        raise (Unreachable if codes[0] in _ABSENT else Rejected)(self._endpoint, reason)

    def _batch(
        self, due: Collection[TagGroup], changed: dict[str, Value], bad: dict[str, str]
    ) -> Batch:
        ago_s = self._clock.mono_s() - self._arrived_s
        return Batch(
            read_at=self._clock.now() - timedelta(seconds=ago_s),
            mono_s=self._arrived_s,
            covers=self._covering(due),
            changed=changed,
            bad=bad,
            rtt_s=self._slowest_s,
        )

    def _covering(self, due: Collection[TagGroup]) -> frozenset[str]:
        names = frozenset(group.name for group in due)
        if names not in self._covers:
            self._covers[names] = frozenset[str]().union(*(group.keys for group in due))
        return self._covers[names]


def _cause(code: int) -> str:
    return _CAUSES.get(code, "device_refused")
