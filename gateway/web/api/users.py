"""The people who may log in; for administrators."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from gateway.domain.vocabulary import stamp, stamp_or_none
from gateway.web.access import login, secret
from gateway.web.access.roles import Role
from gateway.web.api.bodies import Strict
from gateway.web.api.guard import Me, Web, needs
from gateway.web.api.session import Language, UserName
from gateway.web.problems import Problem
from gateway.web.store import users
from gateway.web.store.audit import Deed
from gateway.web.store.database import Connection

router = APIRouter(prefix="/api/v1/users", tags=["users"])
Name = Annotated[str, Path(max_length=40)]


class UserView(BaseModel):
    """One person."""

    name: str
    role: Role
    disabled: bool
    must_change_password: bool
    language: Language | None
    created_at: str
    last_login_at: str | None


class NewUser(UserView):
    """With the password for the first login, which has to be changed there. Shown once."""

    one_time_password: str


class UserBody(Strict):
    """A new person."""

    name: UserName
    role: Role


class UserChange(Strict):
    """What is left out stays as it is."""

    role: Role | None = None
    disabled: bool | None = None
    language: Language | None = None


@router.get("", **needs(Role.ADMIN))
async def everyone(web: Web) -> list[UserView]:
    """All users, disabled ones too."""
    return [UserView.model_validate(_told(one)) for one in await web.store.run(users.everyone)]


@router.post("", status_code=201, **needs(Role.ADMIN, 409))
async def add(body: UserBody, me: Me, web: Web) -> NewUser:
    """Create a user with a one-time password."""
    password = secret.new_password()
    stored, at = await login.hashed(web, password), web.now()

    def create(connection: Connection) -> users.User:
        users.add(connection, body.name, body.role, stored, at, must_change=True)
        return _must_be(users.find(connection, body.name))

    deed = Deed(me.name, me.address, "user_add", body.name, detail={"role": body.role.value})
    try:
        user = await web.change(deed, create)
    except users.UserExists:
        raise Problem("exists") from None
    return NewUser.model_validate(_told(user) | {"one_time_password": password})


@router.patch("/{name}", **needs(Role.ADMIN, 404, 409))
async def change(name: Name, body: UserChange, me: Me, web: Web) -> UserView:
    """Change the role, disable or enable; the user's sessions end."""
    told = body.model_dump(exclude_none=True, mode="json")

    def work(connection: Connection) -> users.User:
        user = _must_be(users.find(connection, name))
        if body.role is not None or body.disabled is not None:
            users.change(connection, user.name, role=body.role, disabled=body.disabled)
        if body.language is not None:
            users.prefer(connection, user.name, language=body.language, theme=user.theme)
        return _must_be(users.find(connection, name))

    try:
        user = await web.change(Deed(me.name, me.address, "user_change", name, detail=told), work)
    except users.LastAdmin:
        raise Problem("last_admin") from None
    return UserView.model_validate(_told(user))


@router.post("/{name}/reset", **needs(Role.ADMIN, 404))
async def reset(name: Name, me: Me, web: Web) -> NewUser:
    """Give a user a new one-time password; the user's sessions end."""
    password = secret.new_password()
    stored = await login.hashed(web, password)

    def work(connection: Connection) -> users.User:
        user = _must_be(users.find(connection, name))
        users.set_password(connection, user.name, stored, must_change=True)
        return _must_be(users.find(connection, name))

    user = await web.change(Deed(me.name, me.address, "user_reset", name), work)
    return NewUser.model_validate(_told(user) | {"one_time_password": password})


def _must_be(user: users.User | None) -> users.User:
    if user is None:
        raise Problem("not_found")
    return user


def _told(user: users.User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role,
        "disabled": user.disabled,
        "must_change_password": user.must_change,
        "language": user.language,
        "created_at": stamp(user.created_at),
        "last_login_at": stamp_or_none(user.login_at),
    }
