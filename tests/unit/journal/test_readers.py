from contextlib import closing
from pathlib import Path
from sqlite3 import connect

from gateway.journal.journal import Journal
from tests.support.journal import entry, open_journal


async def test_readers_come_and_go_while_the_journal_is_open(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_journal(path) as journal:
        await journal.append([entry(counts=5)])
        await journal.advance("mqtt", 3)
        await journal.advance("push.gone", 2)
        await journal.append([entry()])
        await journal.keep_readers({"mqtt": "oldest", "push.all": "oldest", "push.new": "newest"})
        assert kept(path) == {"mqtt": 3, "push.all": 0, "push.new": 6}
        assert standing(journal, "mqtt", "push.all", "push.new", "push.gone") == [3, 0, 6, 0]
        await journal.append([entry()])
        await journal.advance("push.new", 7)
        await journal.append([entry()])
        assert kept(path) == {"mqtt": 3, "push.all": 0, "push.new": 7}
    async with open_journal(path) as journal:
        assert standing(journal, "mqtt", "push.all", "push.new", "push.gone") == [3, 0, 7, 0]


def standing(journal: Journal, *names: str) -> list[int]:
    return [journal.cursor(name) for name in names]


def kept(path: Path) -> dict[str, int]:
    with closing(connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT name, seq FROM cursor").fetchall())
