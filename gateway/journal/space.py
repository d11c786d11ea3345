"""Keeps the journal within its quota and alive on a full disk; says when it cannot."""

import logging
import math
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from gateway.journal.ballast import Ballast
from gateway.journal.beside import users_of
from gateway.journal.errors import FileFull, as_journal_errors
from gateway.journal.ledger import Ledger
from gateway.journal.merger import Merger
from gateway.journal.retention import Cut, Limits, Merge, Step, cuts, cuts_for, find_victims
from gateway.journal.undelivered import FILLING, FILLING_NO_MORE, undelivered_share

log = logging.getLogger(__name__)
T = TypeVar("T")

WAL_MAX_BYTES = 32 << 20
"""The log is put into the file long before; beyond this somebody keeps us from it."""
LOOK_S = 1.0
HOLD_S = 60.0
"""So long the alarm of a full disk stands at least: a health message and a scrape must see it."""
_ROOM_ATTEMPTS = 8
_ROOM_SHARE = 16  # a full disk takes 1/16 of what is kept
_ROOM_TAKEN = 4  # by a row, at most, of its own size: indexes, half empty pages
_VACUUM_STEP_PAGES = 256
_ALL_PAGES = 0
_VACUUM_ABOVE_PAGES = 2048  # free pages kept for the next rows: no use giving them back


Alarm = Literal["disk_full", "log_held", "quota"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How much room there is, as of a moment ago."""

    free_bytes: int = 0
    """On the disk."""
    log_bytes: int = 0
    lost: int = 0
    """Rows deleted before every consumer had them, since the start; gap events name them."""
    merged: int = 0
    """Counts whose parts went into a later one, since the start; gap events name them."""
    alarm: Alarm | None = None
    """``disk_full`` until the ballast is back; ``log_held`` while somebody keeps the log open;
    ``quota`` while what was not delivered takes much of it."""


class Space:
    """Deletes by the order of `gateway.journal.retention`."""

    def __init__(
        self,
        path: Path,
        ledger: Ledger,
        limits: Limits,
        ballast: Ballast,
        *,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Touch nothing yet."""
        self.standing = Standing()
        """Replaced as a whole by the writer's thread; anybody may read it."""
        self._path = path
        self._mono_s = mono_s
        self._looked_s = -math.inf
        self._full_s = -math.inf
        """When the disk was last full."""
        self._is_filling = False
        self._is_deleting = False
        """Said once until the alarm ends."""
        self._ledger = ledger
        self._limits = limits
        self._ballast = ballast
        self._reading_floor = ledger.reading_floor
        self._merger = Merger(ledger)
        self._measured: int | None = None
        """Bytes in use when that was last asked: asking after each commit costs as much as one."""
        self._measured_at = 0

    def prepare(self) -> None:
        """Put the ballast by and bound the write-ahead log."""
        with as_journal_errors():
            self._pragma(f"journal_size_limit = {WAL_MAX_BYTES}")
        self._ballast.begin()
        self.look()
        if self.standing.alarm == "disk_full":
            log.warning("no room for the whole ballast file: the disk is nearly full")

    def with_room(self, write: Callable[[], T], at: datetime) -> T:
        """Return what ``write`` returns; on a full disk make room and try again.

        Raises FileFull if there is nothing left to give up.
        """
        for _ in range(_ROOM_ATTEMPTS):
            try:
                return write()
            except FileFull:
                self._make_room(at)
        return write()

    def trim(self, at: datetime) -> bool:
        """Delete one transaction's worth if a quota is exceeded; return whether it did."""
        ledger = self._ledger
        grown = _ROOM_TAKEN * (ledger.appended_bytes - self._measured_at)
        if self._measured is None or self._measured + grown > self._limits.max_bytes:
            self._measured, self._measured_at = self._live_bytes(), ledger.appended_bytes
            grown = 0
        steps = cuts(
            live_bytes=self._measured + grown,
            reading_bytes=ledger.reading_bytes,
            limits=self._limits,
            delivered=ledger.delivered,
            head=ledger.head,
        )
        if not steps:
            return False
        self._measured = None
        return self.with_room(lambda: self._carry_out_first(steps, at), at)

    def tidy(self) -> bool:
        """Give some free pages back to the file system; return whether more are to give."""
        with as_journal_errors():
            if self._pragma("freelist_count") < _VACUUM_ABOVE_PAGES:
                return False
            self._vacuum(_VACUUM_STEP_PAGES)
        return True

    def look(self) -> None:
        """See how much room there is, once a second at most, and say what is wrong once.

        Here the ballast is taken back, and nowhere else: a commit must not wait for it.
        """
        now_s = self._mono_s()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        before = self.standing.alarm
        with as_journal_errors():
            self.standing = self._stand()
        if self.standing.alarm == before:
            return
        if self.standing.alarm == "log_held":
            log.error(
                "the journal's log grows: another program reads the journal and does not finish",
                extra={"log_bytes": self.standing.log_bytes, "users": users_of(self._path)},
            )
        elif self.standing.alarm == "quota":
            log.warning(
                "much of the journal's quota is taken by what was not delivered yet; when all is,"
                " the oldest goes",
                extra={"quota_bytes": self._limits.max_bytes},
            )
        elif self.standing.alarm is None:
            self._is_deleting = False
            log.info("the journal has room again", extra={"after": before})

    def _stand(self) -> Standing:
        log_file = self._path.with_name(self._path.name + "-wal")
        log_bytes = log_file.stat().st_size if log_file.exists() else 0
        alarm: Alarm | None = None
        if not self._ballast.restore() or self._mono_s() - self._full_s < HOLD_S:
            alarm = "disk_full"
        elif log_bytes > WAL_MAX_BYTES:
            alarm = "log_held"
        elif self._look_at_quota():
            alarm = "quota"
        return Standing(
            free_bytes=shutil.disk_usage(self._path.parent).free,
            log_bytes=log_bytes,
            lost=self._ledger.lost,
            merged=self._ledger.merged,
            alarm=alarm,
        )

    def _look_at_quota(self) -> bool:
        """Return whether what was not delivered takes much of the quota."""
        ledger = self._ledger
        limit = self._limits.max_bytes * (FILLING_NO_MORE if self._is_filling else FILLING)
        live_bytes = self._live_bytes()
        self._is_filling = live_bytes >= limit and limit <= live_bytes * undelivered_share(
            ledger.connection,
            first_seq=ledger.first_seq,
            delivered=ledger.delivered,
            head=ledger.head,
        )
        return self._is_filling

    def _make_room(self, at: datetime) -> None:
        """Give up the least that may do: the caller tries again before more is given up."""
        self._full_s, self._looked_s = self._mono_s(), -math.inf  # the alarm must not wait
        if self._ballast.give_to_rows():
            log.error("disk full: the next rows take half of the ballast, then the oldest must go")
            self._fold_log()
            return
        if not self._is_deleting:
            self._is_deleting = True
            log.error("disk full: deleting the oldest rows of the journal")
        had_reserve = self._ballast.release()
        self._fold_log()  # while there is room: deleting overwrites what is in the file
        steps = cuts_for(
            self._live_bytes() // _ROOM_SHARE,
            delivered=self._ledger.delivered,
            head=self._ledger.head,
        )
        if self._carry_out_first(steps, at):
            self._fold_log()
            with as_journal_errors():
                self._vacuum(_ALL_PAGES)
            self._fold_log()
            self._ballast.reserve()
        elif not had_reserve:
            raise FileFull("the disk is full and the journal has nothing left to delete")

    def _fold_log(self) -> None:
        """Put the log into the file, which gives its room back; as far as there is room."""
        with suppress(FileFull), as_journal_errors():
            self._pragma("wal_checkpoint(TRUNCATE)")

    def _carry_out_first(self, steps: Sequence[Step], at: datetime) -> bool:
        """Carry out the first step that finds anything."""
        return any(
            self._merge(step.slot_ms, at) if isinstance(step, Merge) else self._delete(step, at)
            for step in steps
        )

    def _merge(self, slot_ms: int | None, at: datetime) -> bool:
        found = self._merger.find(slot_ms, at)
        if found is None:
            return False
        merged, upto = found
        if not self._ledger.merged:
            log.warning(
                "no room for more: counts that were not sent yet become fewer, none is lost"
            )
        try:
            self._ledger.merge(merged, at)
        except FileFull:  # a merge writes more than a deletion
            return False
        self._merger.done(slot_ms, upto)
        return True

    def _delete(self, cut: Cut, at: datetime) -> bool:
        with as_journal_errors():
            victims = find_victims(self._ledger.connection, cut, reading_floor=self._reading_floor)
        if cut.readings:
            gone_to = victims[-1].seq if victims else cut.upto
            oldest_held = self._ledger.held.oldest_seq
            if oldest_held is not None:  # it comes to the disk later, under its old number
                gone_to = min(gone_to, oldest_held - 1)
            self._reading_floor = max(self._reading_floor, gone_to)
        if victims:
            self._ledger.remove(victims, at, reading_floor=self._reading_floor)
        return bool(victims)

    def _live_bytes(self) -> int:
        with as_journal_errors():
            pages = self._pragma("page_count") - self._pragma("freelist_count")
            return pages * self._pragma("page_size")

    def _vacuum(self, pages: int) -> None:
        # It steps once a page and has no columns: execute() would stop after the first one.
        self._ledger.connection.executescript(f"PRAGMA incremental_vacuum({pages})")

    def _pragma(self, pragma: str) -> int:
        rows = self._ledger.connection.execute(f"PRAGMA {pragma}").fetchall()
        return int(rows[0][0]) if rows else 0
