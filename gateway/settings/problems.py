"""What is wrong with a configuration, said to the person who will repair it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from drivers.contract import BadSetting
from gateway.domain.vocabulary import Text
from gateway.settings.message import Severity
from gateway.settings.messages import MESSAGES
from gateway.settings.messages_drivers import DRIVERS

MAX_SHOWN = 60
"""Characters of a wrong value that are repeated in a sentence."""

Path = tuple[str | int, ...]
"""Where in a file: mapping keys and list positions."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; ``line`` counts from 1, 0 is the file as a whole.

    ``file`` is relative to the configuration directory, absolute for shipped data.
    """

    file: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence about one place. A warning does not refuse the configuration."""

    file: str
    line: int
    key: str
    """Dotted, as in ``tags.run.address`` or ``status[0].when``."""
    code: str
    text: Text
    hint: Text | None = None
    severity: Severity = "error"

    def data(self) -> dict[str, Any]:
        """As JSON-ready values, for programs."""
        return {
            "file": self.file,
            "line": self.line,
            "key": self.key,
            "code": self.code,
            "severity": self.severity,
            "text": dict(self.text),
            "hint": None if self.hint is None else dict(self.hint),
        }


class ConfigProblems(Exception):
    """The configuration is refused; ``problems`` holds everything found, warnings too."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep all problems; the message repeats the errors, one a line."""
        errors = [problem for problem in problems if problem.severity == "error"]
        lines = (f"{p.file}:{p.line}: {p.key}: {p.text['en']}" for p in errors)
        super().__init__("\n".join(lines))
        self.problems = list(problems)


class Report:
    """Collects problems while a configuration is read."""

    def __init__(self) -> None:
        """Begin without any."""
        self._problems: dict[tuple[str, int, str, str, str], Problem] = {}

    @property
    def problems(self) -> list[Problem]:
        """Everything noted, by file and line."""
        found = self._problems
        return [found[key] for key in sorted(found)]

    @property
    def refused(self) -> bool:
        """Say whether an error is among them."""
        return any(problem.severity == "error" for problem in self._problems.values())

    def __len__(self) -> int:
        return len(self._problems)

    def add(self, code: str, place: Place, path: Path = (), /, **fields: object) -> None:
        """Note a problem; ``fields`` fill the sentence of ``code``."""
        message = MESSAGES[code]
        shown = {name: show(value) for name, value in fields.items()}
        text = {"zh": message.zh.format(**shown), "en": message.en.format(**shown)}
        hint = {"zh": message.hint_zh.format(**shown), "en": message.hint_en.format(**shown)}
        key = dotted(path)
        spoken = hint if hint["en"] else None
        problem = Problem(place.file, place.line, key, code, text, spoken, message.severity)
        self._problems.setdefault((place.file, place.line, key, code, text["en"]), problem)

    def forget(self, file: str, codes: Collection[str]) -> None:
        """Drop what was noted of ``file`` under these codes: its cause stands there already."""
        self._problems = {
            key: problem
            for key, problem in self._problems.items()
            if problem.file != file or problem.code not in codes
        }

    def add_refusal(self, refusal: BadSetting, place: Place, path: Path = ()) -> None:
        """Note what a driver refuses; of a code nobody translated only the frame is in Chinese."""
        code = refusal.code if refusal.code in DRIVERS else "misconfigured"
        said = {"reason": Prose(refusal.problem), "hint": Prose(refusal.hint)}
        self.add(code, place, path, **{**refusal.fields, **said})

    def add_unknown(
        self, code: str, place: Place, path: Path, name: str, known: Iterable[str], **more: object
    ) -> None:
        """Note a name nobody knows: with the nearest known one, or with all of them."""
        names = sorted(set(known))
        guesses = get_close_matches(name, names, n=1)
        if guesses and f"{code}_guess" in MESSAGES:
            self.add(f"{code}_guess", place, path, name=name, guess=guesses[0], **more)
        else:
            self.add(code, place, path, name=name, known=Prose(", ".join(names) or "-"), **more)


def show(value: object) -> str:
    """A value as it goes into a sentence: one line, of bounded length."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))
    limit = MAX_SHOWN * 10 if isinstance(value, Prose) else MAX_SHOWN
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


class Prose(str):
    """Text of the program's own that may be longer than a value is shown."""

    __slots__ = ()


def dotted(path: Path) -> str:
    """``("status", 0, "when")`` as ``status[0].when``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{show(part)}" for part in path]
    return "".join(parts).removeprefix(".")
