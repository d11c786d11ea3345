"""The one door for commands: who may ask, asked before, and then the same step as a sample."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from gateway.collect.deriver import Deriver
from gateway.control.configuring import Configuring, Wish
from gateway.domain.commands import Command, OrderCommand, Reply
from gateway.journal.identity import IdentityChange
from gateway.journal.journal import Journal
from gateway.settings.outcome import Outcome

ReadNow = Callable[[str], Awaitable[None]]
"""Reads every polled tag of an equipment and returns after the commit."""
STILL_CONFIGURED = "still configured in the running collector: let it reload first"
NOT_HERE = "this process cannot change its configuration"


class Control:
    """Takes commands from wherever they come in and answers them after their commit."""

    def __init__(
        self,
        deriver: Deriver,
        journal: Journal,
        equipment: Collection[str],
        read_now: ReadNow,
        configuring: Configuring | None = None,
    ) -> None:
        """``equipment`` are the codes that may be commanded now: it may change."""
        self._read_now = read_now
        self._configuring = configuring
        self._deriver = deriver
        self._journal = journal
        self._equipment = equipment
        self._one_at_a_time = asyncio.Lock()

    async def submit(self, equipment: str, command: Command) -> Reply:
        """Obey once: the same ``command_id`` again gets the first answer again."""
        if equipment not in self._equipment:
            return Reply(accepted=False, error=f"unknown equipment {equipment}")
        async with self._one_at_a_time:
            earlier = await self._journal.reply_to(command.command_id)
            if earlier is not None:
                return _reply(earlier)
            if isinstance(command, OrderCommand):
                # What was made so far belongs to the order before: book it before the change.
                await self._read_now(equipment)
            return await self._deriver.command(equipment, command)

    async def change(self, wish: Wish) -> Outcome:
        """Change the configuration, where this process can."""
        if self._configuring is None:
            return Outcome("failed", 0, {"zh": "此进程不能更改配置", "en": NOT_HERE})
        return await self._configuring.change(wish)

    async def retire(self, equipment: str) -> Reply:
        """Let an equipment go for good that is not configured any more."""
        if equipment in self._equipment:
            return Reply(accepted=False, error=STILL_CONFIGURED)
        await self._journal.identify(IdentityChange(retired=equipment))
        if self._configuring is not None:
            await self._configuring.forget(equipment)
        return Reply(accepted=True)


def _reply(stored: Mapping[str, Any]) -> Reply:
    return Reply(
        accepted=bool(stored.get("accepted")),
        seq=stored.get("seq"),
        error=stored.get("error"),
    )
