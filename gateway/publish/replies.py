"""Answering commands.

- A command is answered wherever its sender can be reached: on its MQTT 5 response topic, or
  on ``reply/<command_id>``.
- Never on a topic of ours that consumers trust: a response topic under our own root that is
  no reply is ignored.
- Retained commands and those written too long ago are refused: an old wish is no wish.
"""

import logging
from datetime import datetime

import orjson

from gateway.domain.vocabulary import Json
from gateway.ops.mqtt_terms import Message, Refused
from gateway.publish.counts import Counts
from gateway.publish.mqtt import Sender
from gateway.wire import command, fields
from gateway.wire.command import ReplyError
from gateway.wire.error import WireError
from gateway.wire.topics import GatewayTopics

MAX_AGE_S = 300.0

_log = logging.getLogger(__name__)


class NotObeyed(Exception):
    """A command that is refused before anybody looks at what it asks."""

    def __init__(self, error: ReplyError, reason: str) -> None:
        super().__init__(f"{error}: {reason}")
        self.error = error
        self.reason = reason


def check(message: Message, now: datetime) -> Json:
    """Return the command in ``message``; raises NotObeyed for one that may not be obeyed."""
    if message.retain:
        raise NotObeyed("RETAINED", "commands must not be retained")
    try:
        content = fields.json_object(message.payload)
        command.command_id(content)
        at = command.sent_at(content)
    except WireError as err:
        raise NotObeyed("MALFORMED", str(err)) from err
    if at is not None and (now - at).total_seconds() > MAX_AGE_S:
        raise NotObeyed("TOO_OLD", f"written more than {MAX_AGE_S:g} s ago")
    return content


class Replies:
    """Sends the answers of one session."""

    def __init__(self, sender: Sender, topics: GatewayTopics, counts: Counts) -> None:
        self._sender = sender
        self._topics = topics
        self._counts = counts

    async def refuse(self, message: Message, error: ReplyError, reason: str) -> None:
        """Answer no. Raises ConnectionLost."""
        _log.warning("command on %s refused: %s: %s", message.topic, error, reason)
        await self.send(message, {"accepted": False, "error": error, "reason": reason})

    async def send(self, message: Message, answer: Json) -> None:
        """Answer ``message`` where its sender waits. Raises ConnectionLost."""
        id_ = _command_id_of(message)
        topic = self._topic(message.response_topic, id_)
        if topic is None:
            return
        payload = orjson.dumps({"command_id": id_} | answer)
        try:
            confirmed = await self._sender.send(
                topic, payload, content_type="application/json", correlation=message.correlation
            )
            await confirmed
        except Refused as err:
            self._counts.refused += 1
            _log.warning("the broker refuses the answer on %s: %s", topic, err.reason)

    def _topic(self, response_topic: str | None, id_: str | None) -> str | None:
        if response_topic is not None and self._may_answer_on(response_topic):
            return response_topic
        return None if id_ is None else self._topics.reply(id_)

    def _may_answer_on(self, topic: str) -> bool:
        if not topic or "+" in topic or "#" in topic or topic.startswith("$"):
            return False
        ours = topic.startswith(f"{self._topics.root}/")
        return not ours or topic.startswith(self._topics.reply(""))


def _command_id_of(message: Message) -> str | None:
    try:
        return command.command_id(fields.json_object(message.payload))
    except WireError:
        return None
