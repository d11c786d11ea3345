from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.domain.vocabulary import Json
from gateway.verify.shape import UNDERSTOOD, flaws
from gateway.wire.cloudevent import encode
from gateway.wire.schema import schemas
from tests.support.examples import EXAMPLES
from tests.support.fake_journal import FakeJournal
from tests.unit.wire.test_cloudevent import EPOCH, PRESS, SOURCE

SCHEMAS = schemas()
CHECKER = Draft202012Validator.FORMAT_CHECKER
OTHERS = {name: Draft202012Validator(s, format_checker=CHECKER) for name, s in SCHEMAS.items()}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["running", "1.0", "2026-03-20T01:01:29.123Z", "2026-13-20T01:01:29Z"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


def genuine() -> list[tuple[str, Json]]:
    journal = FakeJournal()
    journal.commit("press-03", *EXAMPLES)
    return [
        (
            f"evt/{row.type}",
            orjson.loads(encode(row, source=SOURCE, place=PRESS, epoch=EPOCH, replay=False)),
        )
        for row in journal.kept
    ]


GENUINE = genuine()


def paths(message: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a message."""
    items: Any = ()
    if isinstance(message, dict):
        items = message.items()
    elif isinstance(message, list):
        items = enumerate(message)
    return [path, *(found for key, one in items for found in paths(one, (*path, key)))]


def changed(message: Any, path: tuple[Any, ...], value: object) -> Any:
    """The message with another value in one place."""
    copy = orjson.loads(orjson.dumps(message))
    if not path:
        return value
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy


@pytest.mark.parametrize(("name", "message"), GENUINE)
def test_what_the_gateway_says_fits(name: str, message: Json) -> None:
    assert list(flaws(SCHEMAS[name], message)) == []


@given(st.data())
def test_it_judges_as_an_independent_implementation_does(data: st.DataObject) -> None:
    name, message = data.draw(st.sampled_from(GENUINE))
    path = data.draw(st.sampled_from(paths(message)))
    spoiled = changed(message, path, data.draw(values))
    fits = not list(flaws(SCHEMAS[name], spoiled))
    assert fits == OTHERS[name].is_valid(spoiled), (path, spoiled)


@given(st.sampled_from(sorted(SCHEMAS)), values)
def test_any_value_against_any_schema(name: str, value: object) -> None:
    assert (not list(flaws(SCHEMAS[name], value))) == OTHERS[name].is_valid(value)


def test_a_flaw_says_where_and_what() -> None:
    name, message = GENUINE[0]
    spoiled = changed(message, ("data", "state"), "dancing")
    assert [text.partition(" [")[0] for text in flaws(SCHEMAS[name], spoiled)] == [
        "$.data.state is none of"
    ]
    del message["epoch"]
    assert list(flaws(SCHEMAS[name], message)) == ["$.epoch is missing"]


def keywords(schema: Any) -> set[str]:
    """Every keyword in a schema; the names below ``properties`` are none."""
    found = set(schema)
    for keyword, demand in schema.items():
        inner: list[Any] = []
        if keyword in {"properties", "$defs"}:
            inner = list(demand.values())
        elif keyword in {"additionalProperties", "items"}:
            inner = [demand]
        elif keyword in {"allOf", "anyOf", "oneOf"}:
            inner = demand
        for one in inner:
            found |= keywords(one)
    return found


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_no_schema_demands_more_than_is_checked(name: str) -> None:
    assert keywords(SCHEMAS[name]) <= UNDERSTOOD


def test_an_unknown_keyword_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        list(flaws({"patternProperties": {}}, {}))


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"pattern": "^a$"}, "a", "b"),
        ({"minLength": 1}, "a", ""),
        ({"minimum": 1}, 1, 0),
        ({"maximum": 1}, 1, 2),
        ({"format": "date"}, "2026-03-20", "2026-02-30"),
        ({"format": "date-time"}, "2026-03-20t01:01:29z", "2026-03-20T25:01:29Z"),
        ({"type": ["integer", "null"]}, 2.0, True),
        ({"enum": [0]}, 0, False),
        ({"const": True}, True, 1),
        ({"required": ["a"]}, {"a": 1}, {}),
        ({"properties": {"a": {"type": "null"}}}, {"a": None, "b": 1}, {"a": 1}),
        ({"additionalProperties": {"type": "null"}}, {"a": None}, {"a": 1}),
        ({"items": {"type": "null"}}, [None], [None, 1]),
        ({"allOf": [{"type": "string"}, {"minLength": 2}]}, "ab", "a"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None, 1),
        ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, 7, 3),
    ],
)
def test_each_keyword(schema: Json, good: object, bad: object) -> None:
    assert list(flaws(schema, good)) == []
    assert len(list(flaws(schema, bad))) == 1
    assert Draft202012Validator(schema, format_checker=CHECKER).is_valid(good)
    assert not Draft202012Validator(schema, format_checker=CHECKER).is_valid(bad)


@pytest.mark.parametrize("keyword", sorted(set(UNDERSTOOD) - {"type", "enum", "const"}))
def test_a_keyword_about_another_type_says_nothing(keyword: str) -> None:
    demand: Any = {"allOf": [], "anyOf": [{}], "oneOf": [{}], "required": ["a"]}.get(keyword, {})
    assert list(flaws({keyword: demand}, None)) == []
