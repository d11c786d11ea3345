import pytest

from tests.support.clock import FakeClock
from tests.unit.drivers.opcua.fake_connection import FakeConnection


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> FakeConnection:
    return FakeConnection(clock)
