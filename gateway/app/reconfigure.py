"""Changing the configuration of a running collector, as a whole or not at all.

- Checked completely first; what is refused changes nothing.
- What was applied becomes a revision once the changed links that answered before have
  answered again. If one does not, everything goes back as it was.
- Files are written for a draft or an earlier revision only, and taken back with it. Files
  edited by hand are never touched.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.app import answers
from gateway.app.live import LiveSite
from gateway.app.quiet import quietly
from gateway.control.configuring import Reload, Restore, Wish
from gateway.settings.diff import SiteDiff, compare
from gateway.settings.difference import file_counts, file_notes, notes
from gateway.settings.files import Files, changed, changes_between, mirror
from gateway.settings.load import load
from gateway.settings.outcome import Outcome
from gateway.settings.problems import ConfigProblems
from gateway.settings.revision import Draft, Head, Revision, RevisionUnreadable
from gateway.settings.revisions import NoRevision, Revisions
from gateway.settings.site import Site

FIRST_READ_S = 15.0
"""So long a changed link may take to be opened and to bring something good."""
_log = logging.getLogger(__name__)


class Reconfiguration:
    """Carries out one wish after the other."""

    def __init__(
        self,
        live: LiveSite | None,
        revisions: Revisions,
        *,
        fixed: Collection[str],
        now: Callable[[], datetime],
        first_read_s: float = FIRST_READ_S,
    ) -> None:
        """``fixed`` are the keys of ``gateway.yaml`` that this process has built upon.

        Without ``live`` nothing runs: the files are checked, written and kept.
        """
        self._live = live
        self._revisions = revisions
        self._fixed = fixed
        self._now = now
        self._first_read_s = first_read_s
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Keep what runs as a revision if it is none yet: edited while nothing ran.

        Collecting does not wait for it: a full disk costs the revision only.
        """
        try:
            await self._keep_what_runs()
        except (OSError, ValueError, RevisionUnreadable) as err:
            _log.error("the configuration is not kept as a revision: %s", err)

    async def _keep_what_runs(self) -> None:
        files = await asyncio.to_thread(self._revisions.on_disk)
        current = await asyncio.to_thread(self._current)
        if current is None:
            await self._keep(Draft(0, files, "", origin="start"), {})
        elif current.files != files:
            await self._keep(Draft(current.head.number, files, "", origin="disk"), current.files)

    async def change(self, wish: Wish) -> Outcome:
        """Do it as a whole or not at all; one at a time."""
        async with self._one_at_a_time:
            try:
                outcome = await self._change(wish)
            except (OSError, ValueError, NoRevision, RevisionUnreadable) as err:
                outcome = answers.failed(await self._number(), err)
        level = logging.INFO if outcome.accepted else logging.WARNING
        _log.log(level, "configuration, asked by %s: %s", wish.by, outcome.text["en"])
        return outcome

    async def forget(self, equipment: str) -> None:
        """Let go of what is kept for an equipment that was retired."""
        if self._live is not None:
            await self._live.forget(equipment)

    async def _change(self, wish: Wish) -> Outcome:
        match wish:
            case Draft():
                return await self._apply(wish)
            case Reload():
                return await self._reload(wish)
            case Restore():
                return await self._restore(wish)

    async def _apply(self, draft: Draft) -> Outcome:
        current = await asyncio.to_thread(self._current)
        files = await asyncio.to_thread(self._revisions.on_disk)
        if current is None or draft.base != current.head.number:
            return answers.stale(draft.base, None if current is None else current.head)
        if current.files != files:
            return answers.edited(current.head.number, file_notes(current.files, files))
        return await self._write(draft, files, changed(files, draft.files))

    async def _restore(self, wish: Restore) -> Outcome:
        wanted = await asyncio.to_thread(self._revisions.get, wish.number)
        current = await asyncio.to_thread(self._current)
        files = await asyncio.to_thread(self._revisions.on_disk)
        base = 0 if current is None else current.head.number
        if current is not None and current.files != files:  # somebody's work, about to go
            edits = Draft(base, files, "", origin="disk")
            await self._keep(edits, current.files, in_force=False)
        why = wish.why or f"revision {wish.number}"
        draft = Draft(base, changes_between(files, wanted.files), wish.by, why, "restore")
        return await self._write(draft, files, dict(wanted.files))

    async def _write(self, draft: Draft, before: Files, after: Files) -> Outcome:
        """Write the files and take them up; take them back where that fails."""
        number = await self._number()
        if before == after:
            return answers.unchanged(number)
        try:
            site = await quietly(self._checked, after)
        except ConfigProblems as err:
            return answers.invalid(number, err.problems)
        diff = await quietly(self._compared, site)
        keys = diff.needs_restart(self._fixed)
        if keys:
            return answers.needs_restart(number, keys)
        revision = await asyncio.to_thread(self._revision, draft, before, after)
        try:
            await asyncio.to_thread(self._revisions.begin, revision, before)
        except OSError as err:
            await asyncio.to_thread(self._revisions.recover)
            return answers.failed(number, err)
        silent = await self._take_up(site, diff)
        if silent:
            await asyncio.to_thread(self._revisions.recover)
            return answers.rolled_back(number, silent, by_hand=False)
        revision = replace(revision, head=_described(revision.head, diff))
        await asyncio.to_thread(self._revisions.confirm, revision)
        return answers.applied(revision.head, site.warnings, diff)

    async def _reload(self, wish: Reload) -> Outcome:
        number = await self._number()
        files = await asyncio.to_thread(self._revisions.on_disk)
        current = await asyncio.to_thread(self._current)
        try:
            site = await quietly(load, self._revisions.directory)
        except ConfigProblems as err:
            return answers.invalid(number, err.problems)
        diff = await quietly(self._compared, site)
        keys = diff.needs_restart(self._fixed)
        if keys:
            return answers.needs_restart(number, keys)
        if not diff and current is not None and current.files == files:
            return answers.unchanged(number)
        silent = await self._take_up(site, diff)
        if silent:
            return answers.rolled_back(number, silent, by_hand=True)
        edits = Draft(number, files, wish.by, wish.why, "disk")
        head = await self._keep(edits, {} if current is None else current.files, diff)
        return answers.applied(head, site.warnings, diff)

    async def _take_up(self, site: Site, diff: SiteDiff) -> dict[str, str]:
        """Run with ``site``, or go on with the present one; return the links to blame."""
        if self._live is None:
            return {}
        before = self._live.site
        first_reads = await self._live.become(site, diff)
        silent = await first_reads.silent(self._first_read_s)
        if silent:
            back = await quietly(compare, site, before)
            await self._live.become(before, back)
        return silent

    def _compared(self, site: Site) -> SiteDiff:
        return SiteDiff() if self._live is None else compare(self._live.site, site)

    def _checked(self, files: Files) -> Site:
        """Load the files as if they were in place. Raises ConfigProblems, OSError."""
        kept = self._revisions
        kept.folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".candidate-", dir=kept.folder) as name:
            mirror(kept.directory, kept.data, files, Path(name))
            return load(Path(name), meant_for=kept.directory)

    def _current(self) -> Revision | None:
        head = self._revisions.current()
        return None if head is None else self._revisions.get(head.number)

    async def _number(self) -> int:
        head = await asyncio.to_thread(self._revisions.current)
        return 0 if head is None else head.number

    def _revision(self, draft: Draft, before: Files, after: Files) -> Revision:
        head = Head(
            self._revisions.next_number(),
            self._now(),
            draft.by,
            draft.why,
            draft.origin,
            draft.base,
            {"files": file_counts(before, after)},
            tuple(file_notes(before, after)),
        )
        return Revision(head, after)

    async def _keep(
        self, edits: Draft, before: Files, diff: SiteDiff | None = None, *, in_force: bool = True
    ) -> Head:
        """Keep files that are on the disk already, ``edits.files``, as a revision."""
        files = changed({}, edits.files)
        revision = await asyncio.to_thread(self._revision, edits, before, files)
        head = replace(_described(revision.head, diff or SiteDiff()), in_force=in_force)
        await asyncio.to_thread(self._revisions.add, Revision(head, files))
        return head


def _described(head: Head, diff: SiteDiff) -> Head:
    """Say what the difference means, beside the files it is in."""
    counts = {**diff.counts(), **head.counts} if diff else head.counts
    return replace(head, counts=counts, notes=(*head.notes, *notes(diff)))
