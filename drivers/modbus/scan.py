"""What a session asks in one pass, and what it remembers between passes. No I/O."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from drivers.contract import TagGroup
from drivers.modbus.decode import BitBlock, Reading, RegisterBlock, decoder
from drivers.modbus.plan import Block, GroupPlan
from drivers.modbus.settings import LinkSettings
from drivers.modbus.wire import Request, shared_request

ILLEGAL = "illegal_address"


class Reader:
    """A block with its request and its memory of the last scan."""

    __slots__ = ("block", "decoder", "keys", "request")

    def __init__(
        self, block: Block, settings: LinkSettings, readings: Mapping[str, Reading]
    ) -> None:
        self.block = block
        self.keys = tuple(place.key for place in block.places)
        self.decoder = decoder(block, dict(readings))
        self.request = shared_request(
            unit=settings.unit_id,
            table=block.table,
            start=block.start,
            count=block.count,
            timeout_s=settings.timeout_ms / 1000,
            accept_transaction_zero=settings.transaction_zero,
            pause_s=settings.pause_ms / 1000,
        )


Answer = tuple[Reader, bytes | int]


class Group:
    """The plan of one tag group as it stands, and the readers that carry it out."""

    def __init__(
        self, plan: GroupPlan, settings: LinkSettings, readings: Mapping[str, Reading]
    ) -> None:
        self._settings = settings
        self._readings = readings
        self.plan = plan
        self.readers = [self.reader(block) for block in plan.blocks]
        self.illegal: dict[str, str] = {}

    def reader(self, block: Block) -> Reader:
        """Return a reader that remembers nothing yet."""
        return Reader(block, self._settings, self._readings)

    def refused(self, block: Block, now_s: float) -> None:
        """Take in that the device refused a block."""
        retry_s = self._settings.illegal_retry_ms / 1000
        self.plan = self.plan.refused(block, now_s=now_s, retry_s=retry_s)

    def adopt(self, tried: Iterable[Reader]) -> None:
        """Bring the readers in line with a plan that changed during a pass."""
        quarantined = {q.place.key for q in self.plan.quarantine}
        if quarantined != set(self.illegal):
            self.plan = self.plan.settled()
            self.illegal = dict.fromkeys(sorted(quarantined), ILLEGAL)
        known = {reader.block: reader for reader in (*self.readers, *tried)}
        self.readers = [known.get(block) or self.reader(block) for block in self.plan.blocks]


@dataclass(frozen=True, slots=True)
class Scan:
    """What is asked when certain groups are due, for as long as their plans stand."""

    groups: tuple[Group, ...]
    readers: tuple[Reader, ...]
    decoders: tuple[RegisterBlock | BitBlock, ...]
    requests: tuple[Request, ...]
    covers: frozenset[str]
    has_quarantine: bool

    def by_group(self, answers: Iterable[Answer]) -> Iterator[tuple[Group, list[Answer]]]:
        """Return the answers to `readers` by the group they were asked for."""
        left = iter(answers)
        for group in self.groups:
            yield group, [*islice(left, len(group.readers))]


class Scans:
    """One Scan for each set of due groups that has come up; equal coverings are one object."""

    def __init__(self, groups: Mapping[str, Group]) -> None:
        self._groups = groups
        self._scans: dict[tuple[str, ...], Scan] = {}
        self._of_all: Scan | None = None
        self._covers: dict[frozenset[str], frozenset[str]] = {}

    def of(self, due: Collection[TagGroup]) -> Scan:
        """Return what is asked when these are due."""
        if self._of_all is not None and len(due) == len(self._groups):
            return self._of_all
        names = tuple([group.name for group in due])
        scan = self._scans.get(names) or self._made(names, due)
        if len(due) == len(self._groups):
            self._of_all = scan
        return scan

    def forget(self) -> None:
        """Take in that a plan has changed."""
        self._scans.clear()
        self._of_all = None

    def _made(self, names: tuple[str, ...], due: Collection[TagGroup]) -> Scan:
        groups = tuple(self._groups[name] for name in names)
        readers = tuple(reader for group in groups for reader in group.readers)
        keys = [group.keys for group in due]
        covers = keys[0] if len(keys) == 1 else frozenset[str]().union(*keys)
        self._scans[names] = Scan(
            groups,
            readers,
            tuple(reader.decoder for reader in readers),
            tuple(reader.request for reader in readers),
            self._covers.setdefault(frozenset(names), covers),
            any(group.plan.quarantine for group in groups),
        )
        return self._scans[names]
