"""One sentence of `check` in both languages."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence in both languages and, where there is one, what to do about it."""

    zh: str
    en: str
    hint_zh: str = ""
    hint_en: str = ""
    severity: Severity = "error"
