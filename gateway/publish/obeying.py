"""What comes in during one session: commands and requests for replays, or a flood of them."""

from typing import NoReturn

from gateway.ops.mqtt_terms import Message
from gateway.publish.commands import Commands
from gateway.publish.counts import Counts
from gateway.publish.flood import FloodGate, Verdict
from gateway.publish.mqtt import Connection
from gateway.publish.places import Places
from gateway.publish.replay import Replays
from gateway.publish.replies import Replies
from gateway.publish.sending import Oversize
from gateway.publish.source import Source
from gateway.publish.timing import Timing


class Obeying:
    """Obeys or refuses; of one session, but ``commands`` and ``gate``, which outlive it."""

    def __init__(
        self,
        connection: Connection,
        journal: Source,
        places: Places,
        counts: Counts,
        *,
        commands: Commands,
        gate: FloodGate,
        max_rate_per_s: float,
        timing: Timing,
        oversize: Oversize,
    ) -> None:
        self._connection = connection
        self._places = places
        self._counts = counts
        self._commands = commands
        self._gate = gate
        self._replies = Replies(connection, places.topics, counts)
        self._replays = Replays(
            journal,
            places,
            counts,
            max_rate_per_s=max_rate_per_s,
            timing=timing,
            oversize=oversize,
        )

    async def obey(self, message: Message) -> None:
        """Do what one message asks, or say why not. Raises ConnectionLost."""
        verdict = self._gate.judge(message.topic)
        self._counts.kept_out = self._gate.kept_out
        if verdict is Verdict.REFUSE:
            reason = "too many commands; repeat it later"
            await self._replies.refuse(message, "BUSY", reason)
        elif verdict is Verdict.OBEY:
            await self._do(message)

    async def replay(self) -> NoReturn:
        """Send again what was asked for, for ever. Raises ConnectionLost."""
        await self._replays.run(self._connection, self._replies)

    async def _do(self, message: Message) -> None:
        if message.topic == self._places.topics.cmd_replay:
            await self._replays.handle(message, self._replies)
        elif message.topic in self._commands.topics:
            await self._commands.handle(message, self._replies)
