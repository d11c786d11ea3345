"""Orders from the MES: read, hand in, answer with what became of them.

- Each is answered after it was committed, with the seq it caused, or with the refusal.
- The same ``command_id`` twice is handed in twice; who takes it in knows that it is one.
- They are handed in one after the other, in the order of the broker.
"""

from collections.abc import Awaitable, Callable, Collection

from gateway.domain.commands import OrderCommand, Reply
from gateway.ops.mqtt_terms import Message
from gateway.publish.places import Places
from gateway.publish.replies import NotObeyed, Replies, check
from gateway.publish.timing import Timing
from gateway.wire import command
from gateway.wire.error import WireError
from gateway.wire.topics import command_topic

Submit = Callable[[str, OrderCommand], Awaitable[Reply]]
"""equipment, command -> the answer, after its commit."""


class Orders:
    """Takes ``cmd/order`` of every live equipment."""

    def __init__(self, places: Places, submit: Submit, timing: Timing) -> None:
        self._equipment = {command_topic(place): name for name, place in places.live.items()}
        self._submit = submit
        self._timing = timing

    @property
    def topics(self) -> Collection[str]:
        """Where orders come in."""
        return self._equipment.keys()

    async def handle(self, message: Message, replies: Replies) -> None:
        """Obey or refuse one message on one of `topics`. Raises ConnectionLost."""
        try:
            order = command.order(check(message, self._timing.clock.now()))
        except NotObeyed as err:
            await replies.refuse(message, err.error, err.reason)
        except WireError as err:
            await replies.refuse(message, "MALFORMED", str(err))
        else:
            reply = await self._submit(self._equipment[message.topic], order)
            answer = {"accepted": reply.accepted, "seq": reply.seq, "error": reply.error}
            await replies.send(message, answer)
