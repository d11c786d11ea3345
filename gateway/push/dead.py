"""What a target does not take is kept where a person finds it."""

import os
from datetime import datetime
from pathlib import Path

import orjson

from gateway.domain.vocabulary import stamp
from gateway.push.answer import Answer

MAX_BYTES = 8 << 20
"""Then the file becomes ``.1`` and a new one is begun."""


class DeadLetters:
    """One file of JSON lines for each target."""

    def __init__(self, path: Path) -> None:
        """Nothing is written before there is something to write."""
        self.path = path

    def add(self, event: bytes, answer: Answer, at: datetime) -> None:
        """Write down one event and why it was refused; on the disk when it returns."""
        line = orjson.dumps(
            {
                "at": stamp(at),
                "status": answer.status,
                "answer": answer.text,
                "event": orjson.Fragment(event),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        with self.path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
