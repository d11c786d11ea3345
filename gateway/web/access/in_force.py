"""Whether what people came in with is worth now what it was worth then."""

from collections.abc import Collection
from datetime import datetime

from gateway.web.access.caller import Caller
from gateway.web.access.roles import Role
from gateway.web.store import sessions, tokens
from gateway.web.store.database import Connection, Store


async def still_in_force(
    store: Store, callers: Collection[Caller], at: datetime
) -> frozenset[Caller]:
    """Return those whose session or token is in force, asked of the store in one go.

    To look is the use that a viewer makes of a session: a board on the wall stays logged in. Who
    may do more has to do something now and then.
    """

    def asked(connection: Connection) -> frozenset[Caller]:
        return frozenset(one for one in callers if _role(connection, one, at) is one.role)

    return await store.look(asked)


def _role(connection: Connection, caller: Caller, at: datetime) -> Role | None:
    if caller.is_person:
        looks = caller.role is Role.VIEWER
        session = sessions.find(connection, caller.session, at, used=looks)
        return None if session is None else session.role
    token = tokens.find(connection, caller.token, caller.address, at)
    return None if token is None else token.role
