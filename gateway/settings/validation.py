"""From a tree to a model: what pydantic says becomes a problem with file, line and key.

This is the one table of pydantic's error types. A model may also raise
``PydanticCustomError`` with a code of `messages`, a driver's model ``BadSetting``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from drivers.contract import BadSetting
from gateway.settings.messages import MESSAGES
from gateway.settings.node import Node, find, locate, plain
from gateway.settings.problems import Path, Prose, Report
from gateway.settings.words import NAME_PATTERN

Model = TypeVar("Model", bound=BaseModel)

_CODES: Mapping[str, str] = {
    "missing": "missing",
    "int_type": "not_integer",
    "int_parsing": "not_integer",
    "int_from_float": "not_integer",
    "int_parsing_size": "not_integer",
    "float_type": "not_number",
    "float_parsing": "not_number",
    "bool_type": "not_boolean",
    "bool_parsing": "not_boolean",
    "string_type": "not_string",
    "dict_type": "not_mapping",
    "model_type": "not_mapping",
    "mapping_type": "not_mapping",
    "model_attributes_type": "not_mapping",
    "list_type": "not_list",
    "tuple_type": "not_list",
    "literal_error": "not_one_of",
    "enum": "not_one_of",
    "union_tag_invalid": "not_one_of",
    "union_tag_not_found": "missing",
    "string_pattern_mismatch": "bad_pattern",
    "greater_than": "not_above",
    "greater_than_equal": "too_small",
    "less_than": "not_below",
    "less_than_equal": "too_large",
    "finite_number": "not_finite",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "too_short": "too_short",
    "too_long": "too_long",
}
_CREDENTIALS = re.compile(r"//[^/\s]*@")
_LIMITS = ("gt", "ge", "lt", "le", "min_length", "max_length", "actual_length")


def validate(
    model: type[Model],
    node: Node,
    report: Report,
    *,
    at: Path = (),
    known: Iterable[str] = (),
    context: object = None,
) -> Model | None:
    """Return the node as ``model``, or None and a problem for each thing wrong.

    ``at`` is where the node stands in its file; ``known`` are keys somebody else reads;
    ``context`` is what the model's own validators may look at.
    """
    try:
        return model.model_validate(plain(node), context=context)
    except ValidationError as err:
        details = err.errors(include_url=False)
    for detail in details:
        if not _follows(detail, details):
            _add(detail, model, node, report, at, known)
    return None


def salvage(model: type[Model], node: Node, report: Report, *, at: Path = ()) -> Model | None:
    """Do as `validate`, but leave out what is wrong, so that the rest can be checked too.

    None if something is missing without which there is no model.
    """
    found = validate(model, node, report, at=at)
    while found is None:
        pruned = _pruned(model, node)
        if pruned == node:
            return None
        node = pruned
        found = validate(model, node, Report())  # what is missing now was left out by us
    return found


def _pruned(model: type[BaseModel], node: Node) -> Node:
    """Return the node less the entries pydantic refuses; of a list less all of it."""
    try:
        model.model_validate(plain(node))
    except ValidationError as err:
        for detail in err.errors(include_url=False):
            path = _path(detail["loc"], node)
            holder = find(node, path[:1])
            if len(path) > 1 and holder is not None and isinstance(path[1], str):
                entries = {**node.entries, str(path[0]): holder.without(path[1])}
                node = Node(node.place, entries)
            elif path:
                node = node.without(str(path[0]))
    return node


def _follows(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Say whether a list is too short only because its items are wrong."""
    loc = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(loc)] == loc and other is not detail for other in details
    )


def _add(
    detail: ErrorDetails,
    model: type[BaseModel],
    node: Node,
    report: Report,
    at: Path,
    known: Iterable[str],
) -> None:
    path = _path(detail["loc"], node)
    if detail["type"] == "extra_forbidden":
        name = str(path[-1]) if path else ""
        keys = _keys_at(model, path)
        if len(path) == 1:
            keys = [*keys, *known]
        report.add_unknown("unknown_key", locate(node, path), (*at, *path), name, keys)
        return
    if "discriminator" in detail.get("ctx", {}):
        path = (*path, detail["ctx"]["discriminator"].strip("'"))
    refusal = detail.get("ctx", {}).get("error")
    if isinstance(refusal, BadSetting):
        report.add_refusal(refusal, locate(node, path), (*at, *path))
        return
    code, fields = _sentence(detail, path)
    report.add(code, locate(node, path), (*at, *path), **fields)


def _sentence(detail: ErrorDetails, path: Path) -> tuple[str, dict[str, object]]:
    kind, context = detail["type"], detail.get("ctx", {})
    fields: dict[str, object] = {"value": _shown(context.get("tag", detail["input"])), **context}
    if kind in MESSAGES and kind not in _CODES:
        return kind, fields
    code = _CODES.get(kind, "invalid")
    if code == "bad_pattern" and context.get("pattern") == NAME_PATTERN:
        code = "bad_name"
    fields["name"] = path[-1] if path else ""
    fields["choices"] = _choices(context)
    fields["limit"] = next((context[name] for name in _LIMITS if name in context), "")
    reason = str(context["error"]) if "error" in context else detail["msg"]
    fields["reason"] = Prose(reason)
    return code, fields


def _choices(context: Mapping[str, Any]) -> Prose:
    written = str(context.get("expected", context.get("expected_tags", "")))
    return Prose(written.replace(" or ", ", ").replace("'", ""))


def _shown(value: object) -> str:
    """Return a value as it may be shown: no credentials of a URL, no nested values."""
    if isinstance(value, dict | list):
        return "{...}" if isinstance(value, dict) else "[...]"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else _CREDENTIALS.sub("//...@", str(value))


def _path(loc: tuple[str | int, ...], node: Node) -> Path:
    """Drop the parts of a location that name a branch of a union instead of a key."""
    path: Path = ()
    for number, part in enumerate(loc):
        longer = (*path, part)
        last = number == len(loc) - 1
        if part == "[key]":
            continue
        if find(node, longer) is not None or (last and _is_absent_key(part, path, node)):
            path = longer
    return path


def _is_absent_key(part: str | int, path: Path, node: Node) -> bool:
    parent = find(node, path)
    return isinstance(part, str) and parent is not None and isinstance(parent.value, Mapping)


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    models = [model]
    for part in path[:-1]:
        fields = [m.model_fields[part] for m in models if part in m.model_fields]
        if isinstance(part, str) and fields:
            models = [found for field in fields for found in _models_in(field.annotation)]
    return [name for found in models for name in found.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
