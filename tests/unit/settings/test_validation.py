from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from gateway.settings.node import Node
from gateway.settings.problems import Report
from gateway.settings.validation import salvage, validate
from gateway.settings.yaml_source import parse


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = Field(1, lt=10)
    address: int | str = 0
    colour: Literal["red", "green"] = "red"

    @field_validator("address")
    @classmethod
    def _address(cls, value: int | str) -> int | str:
        if value == "bad":
            raise ValueError("nothing stands there")
        if value == "own":
            raise PydanticCustomError("my_driver_s_own", "in plain words")
        return value


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    must: int
    one: Inner = Inner()
    many: list[Inner] = []
    named: dict[Annotated[str, Field(pattern="^[a-z]+$")], Inner] = {}
    short: Annotated[list[int], Field(min_length=2, max_length=3)] = [1, 2]


def tree(text: str) -> Node:
    node = parse(text.encode(), "a.yaml", Report())
    assert node is not None
    return node


def found(text: str, *, known: tuple[str, ...] = ()) -> list[tuple[int, str, str, str]]:
    report = Report()
    validate(Outer, tree(text), report, at=("top",), known=known)
    return [(p.line, p.key, p.code, p.text["en"]) for p in report.problems]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("one: {}", (1, "top.must", "missing", "'must' is missing")),
        (
            "must: 1\none:\n  syze: 1",
            (3, "top.one.syze", "unknown_key_guess", "unknown key 'syze'"),
        ),
        (
            "must: 1\nnamed:\n  a:\n    x: 1",
            (4, "top.named.a.x", "unknown_key", "unknown key 'x'"),
        ),
        (
            "must: 1\nmany:\n- {}\n- size: big",
            (4, "top.many[1].size", "not_integer", "must be a whole number, not 'big'"),
        ),
        (
            "must: 1\none: {size: 10}",
            (2, "top.one.size", "not_below", "must be below 10, not 10"),
        ),
        (
            "must: 1\none: {colour: blue}",
            (2, "top.one.colour", "not_one_of", "'blue' is not allowed here"),
        ),
        (
            "must: 1\none: {address: [1]}",
            (2, "top.one.address", "not_integer", "must be a whole number, not '[...]'"),
        ),
        (
            "must: 1\none: {address: bad}",
            (2, "top.one.address", "invalid", "'bad' is not valid: nothing stands there"),
        ),
        (
            "must: 1\none: {address: own}",
            (2, "top.one.address", "invalid", "'own' is not valid: in plain words"),
        ),
        (
            "must: 1\nnamed: {A: {}}",
            (2, "top.named.A", "bad_pattern", "'A' must look like ^[a-z]+$"),
        ),
        ("must: 1\nshort: [1]", (2, "top.short", "too_short", "too short or too few, at least 2")),
        (
            "must: 1\nshort: [1, 2, 3, 4]",
            (2, "top.short", "too_long", "too long or too many, at most 3"),
        ),
    ],
)
def test_what_pydantic_says_in_our_words(text: str, problem: tuple[int, str, str, str]) -> None:
    assert found(text)[0] == problem


def test_every_error_is_reported() -> None:
    assert len(found("one: {size: x, colour: y, z: 1}\nmany: 5\n")) == 5


def test_keys_read_by_others_are_suggested_too() -> None:
    report = Report()
    validate(Outer, tree("must: 1\nunti: x"), report, known=["unit"])
    assert [p.hint["en"] for p in report.problems if p.hint] == ["did you mean 'unit'?"]


def test_a_list_is_not_too_short_because_its_items_are_wrong() -> None:
    assert [code for _, _, code, _ in found("must: 1\nshort: [x, y]")] == ["not_integer"] * 2


def test_credentials_in_a_url_are_not_repeated() -> None:
    ((_, _, _, text),) = found("must: 1\none: {colour: 'opc.tcp://user:geheim@host/'}")
    assert text == "'opc.tcp://...@host/' is not allowed here"


def test_salvage_keeps_what_is_right_and_reports_the_rest() -> None:
    report = Report()
    node = tree("must: 1\none: {size: x}\nmany: [{size: y}]\nnamed: {a: {size: z}, b: {size: 2}}")
    model = salvage(Outer, node, report)
    assert model == Outer(must=1, named={"b": Inner(size=2)})
    assert [p.key for p in report.problems] == ["one.size", "many[0].size", "named.a.size"]


def test_salvage_gives_up_without_what_must_be_there() -> None:
    report = Report()
    assert salvage(Outer, tree("must: x\none: {size: 2}"), report) is None
    assert [(p.key, p.code) for p in report.problems] == [("must", "not_integer")]


def test_the_table_knows_pydantic_s_own_errors_of_these_shapes() -> None:
    """A renamed error type would fall back to English without anybody noticing."""
    shapes: list[tuple[Any, object]] = [
        (int, "x"), (int, 1.5), (int, None), (float, "x"), (bool, "x"), (bool, None), (str, 1),
        (dict[str, int], 1), (list[int], 1), (tuple[int, ...], 1), (Literal["a"], 1), (Inner, 1),
    ]  # fmt: skip
    from gateway.settings.validation import _CODES  # noqa: PLC0415

    for kind, value in shapes:
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(kind).validate_python(value)
        assert caught.value.errors()[0]["type"] in _CODES
