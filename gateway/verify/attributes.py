"""The rules of CloudEvents 1.0 for the attributes of an event, beyond what our schema says."""

import re
from collections.abc import Iterator

from gateway.domain.vocabulary import Json
from gateway.verify.findings import Flaw

_NAME = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
_MIN, _MAX = -(2**31), 2**31 - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
OFFICIAL = frozenset(
    ["sequence", "sequencetype", "partitionkey", "sampledrate", "traceparent", "tracestate",
     "dataref", "authtype", "authid", "severitytext", "severitynumber", "expirytime"]
)  # fmt: skip
"""Extensions that others have given a meaning; ours do not borrow the names."""


def attribute_flaws(event: Json) -> list[Flaw]:
    """Return how the attributes break CloudEvents 1.0 (§3.1): names, types, text."""
    return [
        Flaw("attributes", f"{name}: {what}")
        for name, value in event.items()
        if name not in {"data", "data_base64"}
        for what in _flaws(name, value)
    ]


def _flaws(name: str, value: object) -> Iterator[str]:
    if _NAME.fullmatch(name) is None:
        yield "not a name of 1 to 20 lower-case letters and digits"
    if name in OFFICIAL:
        yield "the name of an official extension"
    if isinstance(value, (dict, list, float)):
        yield "neither text, whole number nor boolean"
    if isinstance(value, int) and not _MIN <= value <= _MAX:
        yield "does not fit 32 bits"
    if isinstance(value, str) and _CONTROL.search(value):
        yield "control characters"
