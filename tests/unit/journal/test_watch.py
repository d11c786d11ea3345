import asyncio
from pathlib import Path

from gateway.journal.watch import Watch
from tests.support.journal import entry, open_journal


async def test_nothing_is_missed_between_calls() -> None:
    watch = Watch()
    watch.tell({"a"})
    watch.tell({"b"})
    assert await watch.changed() == {"a", "b"}
    watch.tell({"a"})
    assert await watch.changed() == {"a"}


async def test_changed_waits_for_a_commit() -> None:
    watch = Watch()
    waiting = asyncio.create_task(watch.changed())
    await asyncio.sleep(0)
    assert not waiting.done()
    watch.tell({"a"})
    assert await waiting == {"a"}


async def test_a_cancelled_wait_loses_nothing() -> None:
    watch = Watch()
    waiting = asyncio.create_task(watch.changed())
    await asyncio.sleep(0)
    watch.tell({"a"})
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await watch.changed() == {"a"}


async def test_every_watcher_sees_every_commit(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "j.db") as journal:
        first, second = journal.watch(), journal.watch()
        await journal.append([entry("a")])
        late = journal.watch()
        await journal.append([entry("b")])
        assert await first.changed() == await second.changed() == {"a", "b"}
        assert await late.changed() == {"b"}
