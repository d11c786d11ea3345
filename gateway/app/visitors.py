"""Who may look at a demo."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitors:
    """Who may look at a demo: a link that logs in, and a user of each role.

    For throw-away data on this machine only.
    """

    code: str
    password: str
