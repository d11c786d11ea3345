"""One sentence in both languages of the factory."""

import sys
from typing import TextIO


def say(zh: str, en: str, *, out: TextIO | None = None) -> None:
    """Print a sentence, Chinese first."""
    stream = out or sys.stdout
    stream.write(f"{zh}\n{en}\n")


def refuse(zh: str, en: str) -> int:
    """Say why something is not done; return the exit code for that."""
    say(zh, en, out=sys.stderr)
    return 1
