"""Browse paths as people write them: names from the Objects folder down to a node.

For servers that number their nodes anew: ``DeviceSet/{http://vendor/UA/}Press/State``.
A name without a namespace is of OPC UA's own, ``2:Name`` has a namespace by index,
``{URI}Name`` by URI. ``&`` takes what follows it for the name: ``a&/b`` (Part 4, A.2).
``*`` stands for the only node there is below, whatever its name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.contract import BadSetting

ANY = "*"
_MAX_STEPS = 32
_MAX_INDEX = 0xFFFF
_EXAMPLE = "write it like 2:Press/2:State, or with the URI of a namespace in curly brackets"
_STEP = re.compile(
    r"(?:\{(?P<uri>[^{}]+)\}|(?P<index>[0-9]{1,5}):)?(?P<name>(?:[^/&{}]|&.)+)(?:/|\Z)", re.DOTALL
)
_RESERVED = re.compile(r"[/&{}:*]")


@dataclass(frozen=True, slots=True)
class Step:
    """One name, and the index of its namespace in one session."""

    namespace: int
    name: str
    any: bool = False


@dataclass(frozen=True, slots=True)
class PathStep:
    """One name; ``namespace`` is a URI, or an index where only that was given."""

    namespace: str | int
    name: str
    any: bool = False

    def __str__(self) -> str:
        if self.any:
            return ANY
        name = _RESERVED.sub(lambda found: f"&{found[0]}", self.name)
        if isinstance(self.namespace, str):
            return f"{{{self.namespace}}}{name}"
        return f"{self.namespace}:{name}" if self.namespace else name


@dataclass(frozen=True, slots=True)
class PathRef:
    """A node by the names that lead to it from the Objects folder."""

    steps: tuple[PathStep, ...]

    def __str__(self) -> str:
        return "/".join(map(str, self.steps))

    def in_session(self, namespaces: Sequence[str]) -> tuple[Step, ...] | None:
        """Return the path with namespaces by index; None if one of them is not there."""
        found: list[Step] = []
        for step in self.steps:
            namespace = step.namespace
            if isinstance(namespace, str):
                if namespace not in namespaces:
                    return None
                namespace = namespaces.index(namespace)
            found.append(Step(namespace, step.name, step.any))
        return tuple(found)


def parse_path(text: str) -> PathRef:
    """Return the path ``text`` stands for. Raises BadSetting saying what is wrong."""
    written = text.strip().removeprefix("/").removeprefix("0:").removeprefix("Objects/")
    steps: list[PathStep] = []
    at = 0
    while at < len(written):
        form = _STEP.match(written, at)
        if form is None or form.end("name") < form.end() == len(written):  # ends with a slash
            raise _refusal(text)
        steps.append(_step(form, text))
        at = form.end()
    if not 0 < len(steps) <= _MAX_STEPS or steps[-1].any:
        raise _refusal(text)
    return PathRef(tuple(steps))


def _step(form: re.Match[str], text: str) -> PathStep:
    if form["name"] == ANY and form["uri"] is None and form["index"] is None:
        return PathStep(0, ANY, any=True)
    if form["index"] is not None and int(form["index"]) > _MAX_INDEX:
        raise _refusal(text)
    name = re.sub(r"&(.)", r"\1", form["name"], flags=re.DOTALL)
    return PathStep(form["uri"] or int(form["index"] or 0), name)


def _refusal(text: str) -> BadSetting:
    return BadSetting("opcua_no_path", "{text!r} is no browse path", _EXAMPLE, text=text)
