"""Who asks: a person with a session, a program with a token, a television that was paired."""

from dataclasses import dataclass

from gateway.web.access.roles import Role

COOKIE = "mg_session"
DISPLAY_COOKIE = "mg_display"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody the gate let in.

    ``csrf`` is None for a token, which needs none, and for a display, which changes nothing.
    """

    name: str
    role: Role
    address: str
    csrf: str | None = None
    session: bytes = b""
    """The hash of the session; empty for all others."""
    language: str | None = None
    theme: str | None = None
    must_change: bool = False

    token: bytes = b""
    """The hash of the token; empty for all others."""

    display: bytes = b""
    """The hash of a display's secret; empty for all others."""

    key: str | None = None
    """What the caller names this request by, to make it again without doing it twice."""

    @property
    def is_person(self) -> bool:
        """Whether it is a person at a screen, not a program."""
        return bool(self.session)

    @property
    def is_display(self) -> bool:
        """Whether it is a television on the wall."""
        return bool(self.display)

    @property
    def comes_by_cookie(self) -> bool:
        """Whether a browser sends along what lets him in, whoever makes it ask."""
        return not self.token
