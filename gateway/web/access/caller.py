"""Who asks: a person with a session, or a program with a token."""

from dataclasses import dataclass

from gateway.web.access.roles import Role

COOKIE = "mg_session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody the gate let in. ``csrf`` is None for a token, which needs none."""

    name: str
    role: Role
    address: str
    csrf: str | None = None
    session: bytes = b""
    """The hash of the session; empty for a token."""
    language: str | None = None
    theme: str | None = None
    must_change: bool = False

    token: bytes = b""
    """The hash of the token; empty for a session."""

    key: str | None = None
    """What the caller names this request by, to make it again without doing it twice."""

    @property
    def is_person(self) -> bool:
        """Whether it is a person at a screen, not a program."""
        return bool(self.session)
