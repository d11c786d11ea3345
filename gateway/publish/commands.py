"""Commands from the MES: read, hand in, answer with what became of them.

- Each is answered after it was committed, with the seq it caused, or with the refusal.
- The same ``command_id`` twice is handed in twice; who takes it in knows that it is one.
- They are handed in one after the other, in the order of the broker.
"""

from collections.abc import Awaitable, Callable, Collection

from gateway.domain.commands import Command, Reply
from gateway.domain.vocabulary import Json
from gateway.ops.mqtt_terms import Message
from gateway.publish.places import Places
from gateway.publish.replies import NotObeyed, Replies, check
from gateway.publish.timing import Timing
from gateway.wire import command
from gateway.wire.error import WireError
from gateway.wire.topics import command_topic

Submit = Callable[[str, Command], Awaitable[Reply]]
"""equipment, command -> the answer, after its commit."""
Read = Callable[[Json], Command]


class Commands:
    """Takes ``cmd/order``, ``cmd/note`` and their like of every live equipment."""

    def __init__(self, places: Places, submit: Submit, timing: Timing) -> None:
        self._places = places
        self._known = _topics(places)
        self._submit = submit
        self._timing = timing

    def follow(self) -> Collection[str]:
        """Go by what the places say now; return the topics that are new."""
        before, self._known = self._known, _topics(self._places)
        return self._known.keys() - before.keys()

    @property
    def topics(self) -> Collection[str]:
        """Where commands come in."""
        return self._known.keys()

    async def handle(self, message: Message, replies: Replies) -> None:
        """Obey or refuse one message on one of `topics`. Raises ConnectionLost."""
        equipment, read = self._known[message.topic]
        try:
            asked = read(check(message, self._timing.clock.now()))
        except NotObeyed as err:
            await replies.refuse(message, err.error, err.reason)
        except WireError as err:
            await replies.refuse(message, "MALFORMED", str(err))
        else:
            reply = await self._submit(equipment, asked)
            answer = {"accepted": reply.accepted, "seq": reply.seq, "error": reply.error}
            await replies.send(message, answer)


def _topics(places: Places) -> dict[str, tuple[str, Read]]:
    return {
        command_topic(place, name): (equipment, read)
        for equipment, place in places.live.items()
        for name, read in command.COMMANDS.items()
    }
