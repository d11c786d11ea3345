"""Changing the configuration of a running collector: what is asked, and in which words.

The seam between whoever wants a change (command line, screens) and the collector that
carries it out:

- `gateway.control.client`: ``apply``, ``reload``, ``restore``; each returns an
  `gateway.settings.outcome.Outcome` and never raises for a refusal.
- `gateway.settings.revisions.Revisions`: what is kept, read from beside the collector.
- Here: the questions as they go over the local socket, and what has to answer them.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from gateway.domain.vocabulary import Json
from gateway.settings.files import Changes, is_config_name
from gateway.settings.outcome import Outcome
from gateway.settings.revision import Draft, content_of, shown
from gateway.wire import fields
from gateway.wire.error import WireError

ASK = "configure"
"""The key that marks a question as one of these."""
MAX_BYTES = 8 << 20
"""A question with all its files, and its answer."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Take up the files as they lie on the disk."""

    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Restore:
    """Put the files of an earlier revision back and take them up."""

    number: int
    by: str
    why: str = ""


Wish = Draft | Reload | Restore


class Configuring(Protocol):
    """Who carries it out: `gateway.app.reconfigure` in a running collector."""

    async def change(self, wish: Wish) -> Outcome:
        """Do it as a whole or not at all; one at a time."""
        ...

    async def forget(self, equipment: str) -> None:
        """Let go of what is kept for an equipment that was retired."""
        ...


def asked(wish: Wish) -> Json:
    """Return the question as it goes over the socket."""
    said: dict[str, Any] = {"by": wish.by, "why": wish.why}
    match wish:
        case Draft():
            files = {name: None if c is None else shown(c) for name, c in wish.files.items()}
            said |= {"action": "apply", "base": wish.base, "files": files}
        case Restore():
            said |= {"action": "restore", "number": wish.number}
        case Reload():
            said |= {"action": "reload"}
    return {ASK: said}


def wish_of(said: Json) -> Wish:
    """Return what `asked` was given, without the key. Raises WireError."""
    by, why = fields.text(said, "by"), fields.typed(said, "why", str)
    action = fields.text(said, "action")
    if action == "reload":
        return Reload(by, why)
    if action == "restore":
        return Restore(fields.typed(said, "number", int), by, why)
    if action == "apply":
        files = {name: _content(name, c) for name, c in fields.typed(said, "files", dict).items()}
        return Draft(fields.typed(said, "base", int), _safe(files), by, why)
    raise WireError(f"action {action!r}: name one of apply, reload, restore")


def _safe(files: Changes) -> Changes:
    for name in files:
        if not is_config_name(name):
            raise WireError(f"{name!r} is no file of a configuration")
    return files


def _content(name: str, said: Any) -> bytes | None:
    try:
        return None if said is None else content_of(said)
    except (KeyError, TypeError, ValueError) as err:
        raise WireError(f"{name!r}: neither text nor base64") from err
