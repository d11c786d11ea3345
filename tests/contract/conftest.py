from collections.abc import Iterator

import pytest

from tests.support.foreign_process import SHELF


@pytest.fixture(scope="session", autouse=True)
def _servers_of_other_hands_end() -> Iterator[None]:
    yield
    SHELF.clear()
