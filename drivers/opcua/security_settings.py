"""What an operator may set about security: how a link is encrypted, and who logs in.

Promises:

- A link without the key ``security`` is unencrypted, as it always was.
- A login without encryption is refused: the password could be read on the way, and who
  asks for it would be anybody.
- A password stands in a file, never here.
"""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    model_validator,
)

from drivers.contract import BadSetting, Home

PolicyName = Literal["basic256sha256", "aes128-sha256-rsaoaep", "aes256-sha256-rsapss"]
ModeName = Literal["sign", "sign_and_encrypt"]
_File = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Secured(_Strict):
    """A signed or encrypted link with a server whose certificate is trusted."""

    policy: PolicyName = "basic256sha256"
    mode: ModeName = "sign_and_encrypt"
    accept_expired: bool = False
    """Go on with a trusted certificate of the server that has expired."""


class User(_Strict):
    """A user name; its password is the first line of a file."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    password_file: _File
    """A credential of the service, else a file beside the configuration."""


class UserCertificate(_Strict):
    """A certificate that stands for a person or a role; PEM or DER."""

    cert_file: _File
    key_file: _File


def _branch(value: object) -> str:
    return "none" if isinstance(value, str) else "secured"


Security = Annotated[
    Annotated[Literal["none"], Tag("none")] | Annotated[Secured, Tag("secured")],
    Discriminator(_branch),
]


class SecureLink(_Strict):
    """The keys of a link about security."""

    security: Security = "none"
    user: User | None = None
    user_certificate: UserCertificate | None = None
    _home: Home | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _login(self) -> Self:
        if self.user is not None and self.user_certificate is not None:
            raise BadSetting(
                "opcua_two_logins", "user and user_certificate are two logins", "leave one out"
            )
        if (self.user or self.user_certificate) and self.secured is None:
            raise BadSetting(
                "opcua_open_login",
                "without encryption anybody on the way could read this login",
                "encrypt the link with security, or leave the login out",
            )
        return self

    @model_validator(mode="after")
    def _remember_home(self, info: ValidationInfo) -> Self:
        if isinstance(info.context, Home):
            self._home = info.context
        return self

    @property
    def home(self) -> Home | None:
        """Where these settings come from; None where they were made by hand."""
        return self._home

    @property
    def secured(self) -> Secured | None:
        """How the link is secured; None for an open one."""
        return self.security if isinstance(self.security, Secured) else None
