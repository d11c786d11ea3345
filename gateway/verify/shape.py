"""Whether a message has the shape that its JSON Schema demands.

- Exactly the keywords that `gateway.wire.schema` uses are understood; any other is KeyError,
  so that a schema never says more than is checked.
- What it says is what an independent implementation of JSON Schema 2020-12 says.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime

from gateway.domain.vocabulary import Json

_SAYS_NOTHING = frozenset({"$schema", "$id", "title", "description", "examples", "default"})
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

Flaws = Iterator[str]


def flaws(schema: Json, value: object, path: str = "$") -> Flaws:
    """Yield what is wrong with ``value``, each with its place; nothing if it fits."""
    for keyword, demand in schema.items():
        if keyword not in _SAYS_NOTHING:
            yield from _KEYWORDS[keyword](demand, value, path)


def _type(demand: str | list[str], value: object, path: str) -> Flaws:
    names = [demand] if isinstance(demand, str) else demand
    if not any(_TYPES[name](value) for name in names):
        yield f"{path} is not {' or '.join(names)}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    whole = isinstance(value, float) and value.is_integer()
    return whole or (isinstance(value, int) and not isinstance(value, bool))


_TYPES: dict[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": _is_integer,
}


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _enum(demand: list[object], value: object, path: str) -> Flaws:
    if not any(_same(one, value) for one in demand):
        yield f"{path} is none of {demand}"


def _const(demand: object, value: object, path: str) -> Flaws:
    if not _same(demand, value):
        yield f"{path} is not {demand!r}"


def _pattern(demand: str, value: object, path: str) -> Flaws:
    if isinstance(value, str) and re.search(demand, value) is None:
        yield f"{path} does not match {demand}"


def _min_length(demand: int, value: object, path: str) -> Flaws:
    if isinstance(value, str) and len(value) < demand:
        yield f"{path} is shorter than {demand}"


def _minimum(demand: float, value: object, path: str) -> Flaws:
    if isinstance(value, (int, float)) and _is_number(value) and value < demand:
        yield f"{path} is less than {demand}"


def _maximum(demand: float, value: object, path: str) -> Flaws:
    if isinstance(value, (int, float)) and _is_number(value) and value > demand:
        yield f"{path} is more than {demand}"


def _format(demand: str, value: object, path: str) -> Flaws:
    if isinstance(value, str) and not _FORMATS[demand](value):
        yield f"{path} is no {demand}"


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None and _parses(datetime.fromisoformat, text.upper())


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _parses(date.fromisoformat, text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


_FORMATS: dict[str, Callable[[str], bool]] = {"date-time": _is_time, "date": _is_date}


def _required(demand: list[str], value: object, path: str) -> Flaws:
    if isinstance(value, dict):
        yield from (f"{path}.{name} is missing" for name in demand if name not in value)


def _properties(demand: Json, value: object, path: str) -> Flaws:
    if isinstance(value, dict):
        for name in demand.keys() & value.keys():
            yield from flaws(demand[name], value[name], f"{path}.{name}")


def _map(demand: Json, value: object, path: str) -> Flaws:
    """Check every value of an object that names no properties."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from flaws(demand, one, f"{path}.{name}")


def _items(demand: Json, value: object, path: str) -> Flaws:
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from flaws(demand, one, f"{path}[{number}]")


def _all_of(demand: list[Json], value: object, path: str) -> Flaws:
    for schema in demand:
        yield from flaws(schema, value, path)


def _any_of(demand: list[Json], value: object, path: str) -> Flaws:
    first = [next(flaws(schema, value, path), None) for schema in demand]
    if None not in first:
        yield f"{first[0]}"


def _one_of(demand: list[Json], value: object, path: str) -> Flaws:
    fitting = sum(next(flaws(schema, value, path), None) is None for schema in demand)
    if fitting != 1:
        yield f"{path} fits {fitting} of the {len(demand)} alternatives, not one"


_KEYWORDS: dict[str, Callable[..., Flaws]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minLength": _min_length,
    "minimum": _minimum,
    "maximum": _maximum,
    "format": _format,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _map,
    "items": _items,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
}

UNDERSTOOD = frozenset(_KEYWORDS) | _SAYS_NOTHING
"""The keywords of JSON Schema that are checked, or that demand nothing."""
