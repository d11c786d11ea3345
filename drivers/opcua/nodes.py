"""Node ids as people write them (OPC UA Part 6, 5.3.1.10), namespaces by URI.

A namespace index may mean something else after the server restarted, a URI may not.
So a URI is kept as it was written and looked up again in each session.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.contract import BadSetting

Identifier = int | str | uuid.UUID | bytes
"""Numeric, string, GUID or opaque: the type tells which."""

_FORM = re.compile(
    r"(?:(?P<by>nsu|ns)=(?P<namespace>[^;]+);)?(?P<kind>[isgb])=(?P<id>.+)", re.DOTALL
)
_EXAMPLE = "write it like nsu=urn:vendor:plc;s=Line1.Count or ns=2;i=1001"
_MAX_INDEX = 0xFFFF
_MAX_NUMERIC = 0xFFFF_FFFF
_MAX_LENGTH = 4096  # Part 3, 8.2.4


@dataclass(frozen=True, slots=True)
class NodeRef:
    """A node id; ``namespace`` is a URI, or an index where only that was given."""

    namespace: str | int
    identifier: Identifier

    def __str__(self) -> str:
        return _namespace_text(self.namespace) + _identifier_text(self.identifier)

    def index(self, namespaces: Sequence[str]) -> int | None:
        """Return the namespace's index in a server's array, None if it is not there."""
        if isinstance(self.namespace, int):
            return self.namespace
        return namespaces.index(self.namespace) if self.namespace in namespaces else None


def parse(text: str) -> NodeRef:
    """Return the node id ``text`` stands for. Raises BadSetting saying what is wrong."""
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise BadSetting("opcua_no_node", "{text!r} is no node id", _EXAMPLE, text=text)
    try:
        identifier = _IDENTIFIERS[form["kind"]](form["id"])
    except (ValueError, binascii.Error):
        code, problem, limit = _REFUSALS[form["kind"]]
        raise BadSetting(code, problem, _EXAMPLE, text=form["id"], limit=limit) from None
    return NodeRef(_namespace(form["by"], form["namespace"]), identifier)


def _namespace(by: str | None, text: str | None) -> str | int:
    if by is None or text is None:
        return 0
    if by == "nsu":
        return text.replace("%3B", ";").replace("%3b", ";").replace("%25", "%")
    if not (text.isascii() and text.isdecimal()) or int(text) > _MAX_INDEX:
        raise BadSetting(
            "opcua_no_namespace",
            "ns={text} is no namespace index from 0 to {limit}",
            _EXAMPLE,
            text=text,
            limit=_MAX_INDEX,
        )
    return int(text)


def _numeric(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > _MAX_NUMERIC:
        raise ValueError(text)
    return int(text)


def _string(text: str) -> str:
    if len(text) > _MAX_LENGTH:
        raise ValueError(text)
    return text


def _opaque(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_IDENTIFIERS: dict[str, Callable[[str], Identifier]] = {
    "i": _numeric,
    "s": _string,
    "g": uuid.UUID,
    "b": _opaque,
}
_REFUSALS: dict[str, tuple[str, str, int]] = {
    "i": ("opcua_no_number", "{text!r} is no number from 0 to {limit}", _MAX_NUMERIC),
    "s": ("opcua_long_name", "{text!r} is no name of at most {limit} characters", _MAX_LENGTH),
    "g": ("opcua_no_guid", "{text!r} is no GUID", 0),
    "b": ("opcua_no_base64", "{text!r} is no base64 text", 0),
}
"""Kind -> code, sentence and limit of what is said where the identifier is none."""


def _namespace_text(namespace: str | int) -> str:
    if isinstance(namespace, str):
        return f"nsu={namespace.replace('%', '%25').replace(';', '%3B')};"
    return f"ns={namespace};" if namespace else ""


def _identifier_text(identifier: Identifier) -> str:
    if isinstance(identifier, bytes):
        return f"b={base64.b64encode(identifier).decode()}"
    if isinstance(identifier, uuid.UUID):
        return f"g={identifier}"
    return f"{'i' if isinstance(identifier, int) else 's'}={identifier}"
