"""What an operator may set to play a recording as a device."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from drivers.contract import BadSetting, Home


class LinkSettings(BaseModel):
    """A recording in the place of a device."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    protocol: str = Field("replay", pattern="^replay$")
    file: str = Field(min_length=1, max_length=500)
    """Relative to the configuration directory; ``.gz`` if it is packed."""
    speed: float = Field(1.0, gt=0, le=1000)
    """How many recorded seconds pass in one."""
    loop: bool = False
    """Begin again after the end; else the device is gone then."""
    keepalive_s: float = Field(5.0, ge=0.05, le=60)
    """The longest silence while the recorded session was well."""
    groups: dict[str, Any] = Field(default_factory=dict, max_length=32)
    """Allowed, so that the link of the device can be replaced by this one alone."""

    @field_validator("file")
    @classmethod
    def _where_it_lies(cls, value: str, info: ValidationInfo) -> str:
        return str(info.context.find(value)) if isinstance(info.context, Home) else value

    @model_validator(mode="after")
    def _a_recording(self) -> Self:
        if not self.file.endswith((".jsonl", ".jsonl.gz")):
            raise BadSetting(
                "replay_suffix",
                "file: a recording ends in .jsonl or .jsonl.gz",
                "make one with: millgate record DIR --out FILE.jsonl",
            )
        return self


class TagSettings(BaseModel):
    """One recorded tag.

    The settings the tag has on its device may stay; they mean nothing here. An editor is
    told of its own key only: with ``extra="allow"`` alone it would take any for right.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        allow_inf_nan=False,
        json_schema_extra={"additionalProperties": False},
    )

    recorded: str | None = Field(None, min_length=1, max_length=200)
    """Its key in the recording, ``<equipment>/<tag>``; the same as now if not given."""


def endpoint_of(link: LinkSettings) -> str:
    """Return the file: links that play the same one share a session."""
    return link.file
