import gc
import weakref
from collections.abc import Iterator

import pytest

from gateway.ops import memory


class Cycle:
    def __init__(self) -> None:
        self.me = self


class Later:
    """A loop that keeps what it is asked to call."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, object]] = []

    def call_later(self, delay_s: float, call: object) -> None:
        self.calls.append((delay_s, call))


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_there_at_the_start_is_set_apart() -> None:
    memory.begin()
    assert not gc.isenabled()
    loop = Later()
    memory.settle(loop)  # type: ignore[arg-type]
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000
    assert loop.calls == [(memory.SETTLED_S, gc.freeze)]


def test_cycles_made_later_are_found() -> None:
    memory.begin()
    memory.settle(Later())  # type: ignore[arg-type]
    gone = weakref.ref(Cycle())
    gc.collect()
    assert gone() is None
