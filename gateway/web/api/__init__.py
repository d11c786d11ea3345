"""The routes of ``/api/v1``, one file for each subject."""

from gateway.web.api import (
    audit,
    commands,
    document,
    events,
    faults,
    health,
    live,
    session,
    timeline,
    tokens,
    users,
)

ROUTERS = (
    document.router,
    session.router,
    live.router,
    faults.router,
    timeline.router,
    commands.router,
    events.router,
    health.router,
    users.router,
    tokens.router,
    audit.router,
)
