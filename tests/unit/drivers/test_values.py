import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import is_sound


@given(
    st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.text()
    | st.binary(max_size=9).map(lambda data: data.decode(errors="surrogateescape"))
)
def test_what_is_sound_is_what_json_holds(value: float | str) -> None:
    try:
        holds = orjson.loads(orjson.dumps(value)) == value
    except TypeError:
        holds = False
    assert is_sound(value) is holds


@pytest.mark.parametrize("value", [True, -(2**63), 2**64 - 1, 0.5, "", "急停", "\0"])
def test_sound(value: float | str) -> None:
    assert is_sound(value)


@pytest.mark.parametrize("value", [-(2**63) - 1, 2**64, float("inf"), float("nan"), "\udcbc"])
def test_not_sound(value: float | str) -> None:
    assert not is_sound(value)
