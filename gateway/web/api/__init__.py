"""The routes of ``/api/v1``, one file for each subject."""

from gateway.web.api import (
    audit,
    commands,
    details,
    document,
    events,
    fault_history,
    faults,
    figures,
    health,
    live,
    readings,
    session,
    timeline,
    tokens,
    users,
    words,
)

ROUTERS = (
    document.router,
    session.router,
    live.router,
    details.router,
    faults.router,
    fault_history.router,
    figures.router,
    timeline.router,
    readings.router,
    commands.router,
    events.router,
    health.router,
    users.router,
    tokens.router,
    audit.router,
    words.router,
)
