"""A sentence in both languages of the factory, or in the one that is asked for."""

import sys
from enum import StrEnum
from typing import TextIO


class Lang(StrEnum):
    """Which language something is told in."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


def say(zh: str, en: str, *, out: TextIO | None = None) -> None:
    """Print a sentence, Chinese first."""
    stream = out or sys.stdout
    stream.write(f"{zh}\n{en}\n")


def refuse(zh: str, en: str) -> int:
    """Say why something is not done; return the exit code for that."""
    say(zh, en, out=sys.stderr)
    return 1
