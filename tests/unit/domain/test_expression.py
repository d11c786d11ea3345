import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Value
from gateway.domain.expression import ExpressionError, compile_expression, every, one_of

KNOWN: dict[str, Value] = {"yes": True, "no": False, "seven": 7, "half": 0.5, "word": "auto"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("not yes", False),
        ("seven", True),
        ("dark", None),
        ("not dark", None),
        ("yes or dark", True),
        ("dark or yes", True),
        ("no or dark", None),
        ("no and dark", False),
        ("dark and no", False),
        ("yes and dark", None),
        ("yes and seven", True),
        ("seven == 7", True),
        ("seven != 7", False),
        ("1 < seven <= 7", True),
        ("1 < dark", None),
        ("seven in (3, 7)", True),
        ("seven not in [3, -7]", True),
        ("word == 'auto'", True),
        ("word < 3", None),  # says nothing about texts
        ("word + 1 == 2", None),
        ("seven & 4 == 4", True),  # & binds tighter than ==
        ("(seven & 4) == 4", True),
        ("seven + 1 == 8 and seven - 1 == 6 and seven * 2 == 14", True),
        ("half & 1", None),
        ("-seven < 0", True),
        ("-dark < 0", None),
        ("-word < 0", None),
        ("true and not false", True),
        (" yes ", True),
    ],
)
def test_three_values(text: str, expected: bool | None) -> None:
    assert compile_expression(text).evaluate(KNOWN.get) is expected


def test_names() -> None:
    assert compile_expression("a and not b or c in (1, 2) and true").names == {"a", "b", "c"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "run and",
        "run; stop",
        "__import__('os')",
        "run.real",
        "run[0]",
        "lambda: 1",
        "[x for x in run]",
        "f'{run}'",
        "run is True",
        "1 << 40",
        "2 ** 2 ** 20",
        "~run",
        "None",
        "b'x'",
        "x in (y, 2)",
        "a" * 501,
        " and ".join(["a"] * 99),
        "+".join(["a"] * 60),
        "(" * 300 + "a" + ")" * 300,
        "a\x00b",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.column >= 1
    assert caught.value.problem


def test_a_refusal_names_the_column() -> None:
    with pytest.raises(ExpressionError, match="at column 9"):
        compile_expression("run and stop()")


@given(st.text(max_size=60))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        compiled = compile_expression(text)
    except ExpressionError:
        return
    assert compiled.evaluate(KNOWN.get) in (True, False, None)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [(6, True), (6.0, True), (7, False), ("execute", True), ("EXECUTE", True), ("6", False)],
)
def test_one_of(shown: Value, expected: bool) -> None:
    condition = one_of("unit-state", (6, "Execute"))
    values: dict[str, Value] = {"unit-state": shown}
    assert condition.evaluate(values.get) is expected
    assert condition.names == {"unit-state"}
    assert condition.evaluate(KNOWN.get) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": 1, "b": 2}, True),
        ({"a": 1, "b": 0}, False),
        ({"b": 0}, False),  # what is unknown decides nothing any more
        ({"b": 2}, None),
    ],
)
def test_every(values: dict[str, Value], expected: bool | None) -> None:
    both = every([one_of("a", (1,)), one_of("b", (2,))])
    assert both.evaluate(values.get) is expected
    assert both.names == {"a", "b"}
    assert both.text == "a in (1,) and b in (2,)"


NAMES = ("a", "b", "c", "d")
CONDITIONS = st.recursive(
    st.sampled_from([*NAMES, "true", "false", "a == b", "c in (1, 2)", "d > 1", "a & 1 == 1"]),
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=6,
)
SHOWN = st.one_of(st.booleans(), st.integers(-3, 3))


@given(
    CONDITIONS, st.fixed_dictionaries(dict.fromkeys(NAMES, SHOWN)), st.sets(st.sampled_from(NAMES))
)
def test_what_is_decided_stays_so_when_more_becomes_known(
    text: str, values: dict[str, Value], unknown: set[str]
) -> None:
    condition = compile_expression(text)
    known = {name: value for name, value in values.items() if name not in unknown}
    decided = condition.evaluate(known.get)
    assert condition.evaluate(values.get) is not None
    assert decided is None or decided is condition.evaluate(values.get)


@given(
    CONDITIONS, st.dictionaries(st.sampled_from(NAMES), st.one_of(SHOWN, st.floats(), st.text()))
)
def test_no_value_makes_a_condition_fail(text: str, values: dict[str, Value]) -> None:
    assert compile_expression(text).evaluate(values.get) in (True, False, None)


@pytest.mark.parametrize(
    "text", ["(1, 2) * 1000000000000 == 3", "a in [-((1, 2) * 1000000000000)]", "'x' * a == 1"]
)
def test_nothing_grows_without_bound(text: str) -> None:
    condition = compile_expression(text)
    assert condition.evaluate({"a": 10**12}.get) in (None, False)
