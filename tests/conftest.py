"""Every test: nothing may be left running, and nothing may hold up the loop."""

import asyncio
import inspect
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, settings

from tests.support.patient_loop import PatientLoop

# A busy machine is no defect: examples may be slow to draw and to run.
settings.register_profile("millgate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("millgate")

# A shell lets what it starts in the background ignore an interrupt; a service of a test must not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

GRACE_S = 20.0
"""A task or a thread that is just ending may take so long."""
NEVER_BLOCKING = ("drivers", "gateway.collect", "gateway.publish")
"""What runs on the loop beside every device; the others open files there as they start."""


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let the clock of every test's loop be patient with a busy machine."""
    return {"patient": PatientLoop}


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline_s = time.monotonic() + GRACE_S
    while left := {thread for thread in threading.enumerate() if thread not in before}:
        if time.monotonic() > deadline_s:
            pytest.fail(f"threads left behind: {sorted(thread.name for thread in left)}")
        for thread in left:
            thread.join(0.05)


@pytest.fixture(autouse=True)
def _nothing_left_on_the_loop(request: pytest.FixtureRequest, _no_thread_left_behind: None) -> None:
    """Look at the loop only where a test has one, and before it is closed."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_no_task_left_behind")


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop() -> Iterator[None]:
    guard = BlockBuster(scanned_modules=[*NEVER_BLOCKING])
    guard.activate()
    yield
    guard.deactivate()


@pytest.fixture
async def _no_task_left_behind() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    deadline_s = time.monotonic() + GRACE_S
    while left := asyncio.all_tasks() - before - {asyncio.current_task()}:
        if time.monotonic() > deadline_s:
            pytest.fail(f"tasks left behind: {sorted(str(task) for task in left)}")
        await asyncio.sleep(0.01)
