"""The words all configuration files are made of.

Strict and frozen: a key nobody reads is an error, text is not a number, and every list
and text has a bound.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.domain.vocabulary import Text

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,39}$"
"""A name of ours is a topic segment: contract, Topics."""

_LEVEL = r"(\+|_|[a-z0-9][a-z0-9_-]{0,39})"
PLACE_FILTER = rf"^({_LEVEL}/#|{_LEVEL}/{_LEVEL}/#|{_LEVEL}/{_LEVEL}/{_LEVEL})$"
"""As `gateway.wire.topics` has it."""


def _relative(value: str) -> str:
    parts = value.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        raise PydanticCustomError("unsafe_path", "not inside the configuration directory")
    return value


def _place_filter(value: str) -> str:
    if re.fullmatch(PLACE_FILTER, value, re.ASCII) is None:
        raise PydanticCustomError("bad_place_filter", "no filter")
    return value


Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Texts = Annotated[dict[Literal["zh", "en"], Line], Field(min_length=1)]
FilePath = Annotated[Line, AfterValidator(_relative)]
PlaceFilter = Annotated[
    str,
    AfterValidator(_place_filter),
    WithJsonSchema({"type": "string", "pattern": PLACE_FILTER}),
]
Unit = Annotated[str, Field(min_length=1, max_length=20)]


class Strict(BaseModel):
    """Frozen, and a key nobody reads is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def texts(written: Texts) -> Text:
    """Return the texts of a file as the domain keeps them."""
    return {str(language): text for language, text in written.items()}
