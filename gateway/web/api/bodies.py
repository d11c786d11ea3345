"""What request bodies are made of: unknown fields are an error, texts are bounded."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_LINE = 120
MAX_TEXT = 500


class Strict(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid")


def printable(value: str) -> str:
    """Return a text without what cannot be seen: control characters, halves of characters."""
    if any(unicodedata.category(character)[0] == "C" for character in value.replace("\n", " ")):
        msg = "only characters that can be seen"
        raise ValueError(msg)
    return value


def _line(value: str) -> str:
    if "\n" in value or not value.strip():
        msg = "one line that is not empty"
        raise ValueError(msg)
    return printable(value).strip()


Line = Annotated[str, Field(min_length=1, max_length=MAX_LINE), AfterValidator(_line)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(printable)]
