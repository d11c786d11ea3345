"""The routes of ``/api/v1``, one file for each subject."""

from gateway.web.api import document, events, health, live, session, timeline

ROUTERS = (
    document.router,
    session.router,
    live.router,
    timeline.router,
    events.router,
    health.router,
)
