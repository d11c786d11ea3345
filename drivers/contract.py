"""What a driver is. Everything a protocol has to offer fits on this page.

A driver reads tags over one link. It knows no equipment, no MQTT and no gateway: it
gets tags with opaque keys and gives batches keyed alike.

Errors, sorted by what the caller does next::

    DriverError
    + Unreachable     no session: close, back off, reopen
    + BadReply        malformed, short or foreign reply: close, back off, reopen
    + Rejected        the device answered "no": keep the session, report, read again
    + Misconfigured   retrying cannot help: report, retry at the longest delay

A single tag the device refuses is not an error of the read: it stands in ``Batch.bad``
and its neighbours live on.
"""

import json
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    MutableMapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from drivers.planned import LinkPlan
from drivers.probed import ReadRaw, Said, Tell

Value = bool | int | float | str
"""What a tag can be. Never NaN, never infinite, no integer of more than 64 bits, no text that
UTF-8 cannot hold: those are bad samples."""

TimeQuality = Literal["gateway", "device"]


@dataclass(frozen=True, slots=True)
class TagGroup:
    """Tags of one link that are read together.

    ``poll_interval_s`` is None where the device pushes (OPC UA subscriptions).
    """

    name: str
    poll_interval_s: float | None
    keys: frozenset[str]


@dataclass(slots=True)
class Batch:
    """What one read of a link brought.

    Nobody changes one. It is not frozen because that takes three times as long to make.

    ``covers`` are the tags this batch vouches for: covered and neither in ``changed``
    nor in ``bad`` means unchanged and still good. An empty covering batch is a sign of
    life. Equal coverings are the same frozenset object, so they can be cached by it.
    """

    read_at: datetime
    """UTC, taken when the reply arrived, not when it was decoded."""
    mono_s: float
    """The monotonic clock at ``read_at``."""
    covers: frozenset[str]
    changed: Mapping[str, Value] = field(default_factory=dict)
    bad: Mapping[str, str] = field(default_factory=dict)
    """key -> cause, in words of `CAUSES` where one fits."""
    source_times: Mapping[str, datetime] = field(default_factory=dict)
    """The device's own stamps, UTC, where it gives any."""
    uncertain: frozenset[str] = frozenset()
    """Keys in ``changed`` whose value the device itself calls uncertain."""
    overflowed: Mapping[str, int] = field(default_factory=dict)
    """key -> values the device says it dropped (at least)."""
    time_quality: TimeQuality = "gateway"
    rtt_s: float | None = None

    def committed(self) -> None:
        """Called once, after the transaction that holds this batch's events.

        A driver that must acknowledge to its device overrides it in a subclass.
        """


CAUSES = frozenset(
    {
        "never_read",
        "no_link",
        "illegal_address",
        "device_refused",
        "device_busy",
        "not_connected",
        "invalid_value",
        "type_mismatch",
        "missing_node",
        "bad_status",
    }
)


@dataclass(frozen=True, slots=True)
class Condition:
    """An alarm that the device itself keeps, as long as it is active."""

    id: str
    """The device's own; no two active ones share it."""
    code: str
    text: str = ""
    language: Literal["zh", "en"] = "en"
    severity: int = 500
    """1..1000."""


def conditions_text(active: Iterable[Condition]) -> str:
    """Return the value of a tag that lists all active conditions; equal lists, equal texts."""
    rows = sorted((c.id, c.code, c.text, c.language, c.severity) for c in active)
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def conditions_of(value: Value) -> tuple[Condition, ...] | None:
    """Return the conditions in what `conditions_text` gave; None for any other value."""
    try:
        rows = json.loads(value) if isinstance(value, str) else None
        return None if rows is None else tuple(_condition(*row) for row in rows)
    except (TypeError, ValueError, RecursionError):
        return None


def _condition(id_: str, code: str, text: str, language: str, severity: int) -> Condition:
    texts = all(isinstance(word, str) for word in (id_, code, text))
    if not texts or language not in {"zh", "en"} or type(severity) is not int:
        raise ValueError(language)
    return Condition(id_, code, text, "zh" if language == "zh" else "en", severity)


class Hint(NamedTuple):
    """What to try next, in English; ``code`` names the sentence, to say it in another language.

    Begin the code with your protocol.
    """

    code: str
    text: str


class DriverError(Exception):
    """Root of all a driver may raise, cancellation apart."""

    def __init__(self, endpoint: str, reason: str, hint: Hint | str = "") -> None:
        """Say where (``host:port#unit``), what happened and what to try next."""
        named = hint if isinstance(hint, Hint) else Hint("", hint)
        super().__init__(f"{endpoint}: {reason}" + (f" ({named.text})" if named.text else ""))
        self.endpoint = endpoint
        self.reason = reason
        self.hint = named.text
        self.hint_code = named.code


class Unreachable(DriverError):
    """There is no session: close, back off, reopen."""


class BadReply(DriverError):
    """The reply is malformed, short or somebody else's: close, back off, reopen."""


class Rejected(DriverError):
    """The device answered "no": keep the session, report, read again."""


class Misconfigured(DriverError):
    """Retrying cannot help until somebody changes a setting."""

    refusal: "BadSetting | None" = None
    """The same in parts, where a driver says it of settings."""

    @classmethod
    def of(cls, endpoint: str, key: str, refusal: "BadSetting") -> "Misconfigured":
        """Return the error for the tag ``key`` whose settings cannot be."""
        err = cls(endpoint, f"{key}: {refusal.problem}", refusal.hint)
        err.refusal = refusal
        return err


class BadSetting(ValueError):
    """A setting that cannot be, said so that it can be said in another language too.

    ``code`` names the sentence (begin it with your protocol), ``fields`` are the values
    in it. ``problem`` and ``hint`` are the sentence in English.
    """

    def __init__(self, code: str, problem: str, hint: str = "", /, **fields: object) -> None:
        """``problem`` and ``hint`` are format strings over ``fields``."""
        self.code = code
        self.problem = problem.format(**fields)
        self.hint = hint.format(**fields)
        self.fields = fields
        super().__init__(f"{self.problem}; {self.hint}" if hint else self.problem)


class Session(Protocol):
    """An open connection. There is no unopened Session to misuse."""

    async def read(self, due: Collection[TagGroup]) -> Batch:
        """Return the next batch: the due groups if polled, the next change if pushed.

        A pushed session returns an empty covering batch at least every keepalive_s.
        The first batch that covers a tag lists its value in ``changed`` or ``bad``.
        Raises DriverError; after Unreachable or BadReply the session is of no use.
        """
        ...


class Driver(Protocol):
    """One link. Holds settings, opens sessions, keeps no other state."""

    @property
    def endpoint(self) -> str:
        """For people: where this link leads, without credentials."""
        ...

    @property
    def groups(self) -> Collection[TagGroup]:
        """The tag groups of this link; together they hold every tag, each once."""
        ...

    def open(self) -> AbstractAsyncContextManager[Session]:
        """Connect on enter, release on exit, also when cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class TagRequest:
    """One tag as configured: its key, its group and the protocol's own settings."""

    key: str
    group: str
    poll_interval_s: float | None
    settings: Any
    """An instance of the protocol's tag settings class."""


Shared = MutableMapping[str, Any]
"""What the links of one protocol have in common in this process, by name: a bus that
several units share. The caller owns the mapping, the driver its contents. What has a
``close()``, such as a listening socket, is closed by the caller when no link is open any more;
see `close_shared`."""


@runtime_checkable
class Closing(Protocol):
    """Something in `Shared` that outlives the sessions."""

    def close(self) -> None:
        """Release it at once."""
        ...


def close_shared(shared: Shared) -> None:
    """Close what the links of a protocol had in common."""
    for thing in shared.values():
        if isinstance(thing, Closing):
            thing.close()


@dataclass(frozen=True, slots=True)
class Home:
    """Where link settings come from: the pydantic context in which they are validated.

    A link settings class may keep it; without a configuration there is none.
    """

    directory: Path
    """Of the configuration, as a person would name it in a command."""
    keys: Path
    """Where a driver keeps keys and certificates; it may not exist yet."""
    site: str
    gateway: str
    """Together with ``site`` unique in the plant."""
    find: Callable[[str], Path] = field(repr=False, compare=False)
    """A file named in a setting -> where it lies, whether it exists or not."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two tags of one link that read parts of each other, or the same place twice."""

    first: int
    second: int
    """Positions in the tags asked about, ``first`` the lower."""
    spans: tuple[str, str]
    """Where each lies, in the protocol's own notation and no language's words."""
    same: bool = False
    """True: both lie at the same place, which they write in two ways."""


@dataclass(frozen=True, slots=True)
class ProtocolSpec:
    """What the registry knows of a protocol; each driver package exports ``SPEC``.

    ``link_settings`` and ``tag_settings`` are strict, frozen pydantic models that raise
    BadSetting for what pydantic cannot say. ``create`` gets an instance of the first and
    the tags, never touches the network, and raises Misconfigured naming the tag's key
    for what only shows when they come together.
    """

    protocol: str
    link_settings: type[Any]
    tag_settings: type[Any]
    create: Callable[[Any, Sequence[TagRequest], Shared], Driver] = field(repr=False)
    endpoint_of: Callable[[Any], str] = field(repr=False)
    """link settings -> the identity of the session: links with an equal one share it."""
    pushed: bool = False
    """True where the device pushes changes and groups have no poll interval."""
    problems: Callable[[Any, Sequence[TagRequest]], Sequence[tuple[str, Misconfigured]]] | None = (
        field(default=None, repr=False)
    )
    """(link settings, tags) -> (tag key, error) for every tag `create` would refuse; it
    stops at the first."""
    notices: Callable[[Any, datetime], Sequence[BadSetting]] | None = field(
        default=None, repr=False
    )
    """(link settings, now) -> what works still and needs a hand soon: a certificate about to
    expire. It reads files and never the network."""
    overlaps: Callable[[Any, Sequence[TagRequest]], Sequence[Overlap]] | None = field(
        default=None, repr=False
    )
    """(link settings, tags) -> the pairs that half overlap; tags of `problems` left out."""
    plan: Callable[[Any, Sequence[TagRequest], float | None], LinkPlan] | None = field(
        default=None, repr=False
    )
    """(link settings, tags, round trip in seconds if measured) -> what will be asked."""
    reach: Callable[[Any], tuple[str, int] | None] | None = field(default=None, repr=False)
    """link settings -> host and port that must take a TCP connection; None: no such way."""
    probe: Callable[[Any, Sequence[TagRequest], Tell], Awaitable[bool]] | None = field(
        default=None, repr=False
    )
    """Take the steps from there until a session is open, telling each; whether all went well."""
    doubts: (
        Callable[
            [Any, Sequence[TagRequest], Mapping[str, Value], Mapping[str, str]],
            Awaitable[Mapping[str, tuple[Said, ...]]],
        ]
        | None
    ) = field(default=None, repr=False)
    """(link settings, tags, values, causes) -> what may be wrong with a tag, by its key."""
    read_raw: (
        Callable[[Any, Sequence[TagRequest], Shared], AbstractAsyncContextManager[ReadRaw]] | None
    ) = field(default=None, repr=False)
    """A session for a person who looks: see `drivers.probed.RawReading`."""
