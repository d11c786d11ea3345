import os
from pathlib import Path

from gateway.journal.ballast import Ballast
from tests.support.small_disk import fill, small_disk

SIZE = 1 << 20


def on_disk(file: Path) -> int:
    return file.stat().st_blocks * 512


def test_it_takes_real_space_until_given_up_by_halves(tmp_path: Path) -> None:
    file = tmp_path / "j.db.ballast"
    ballast = Ballast(tmp_path / "j.db", SIZE)
    assert not file.exists()
    ballast.begin()
    assert ballast.restore()
    assert on_disk(file) >= SIZE
    assert ballast.give_to_rows()
    assert not ballast.whole
    assert SIZE // 2 <= on_disk(file) < SIZE
    assert not ballast.give_to_rows()
    assert ballast.release()
    assert not ballast.release()
    assert on_disk(file) == 0
    ballast.reserve()
    assert SIZE // 2 <= on_disk(file) < SIZE
    assert ballast.restore()
    assert on_disk(file) >= SIZE


def test_it_is_taken_back_only_where_plenty_is_left(tmp_path: Path) -> None:
    with small_disk(tmp_path, 4 * SIZE) as place:
        ballast = Ballast(place / "j.db", SIZE)
        ballast.begin()
        theirs = fill(place)
        ballast.release()
        Ballast(place / "j.db", SIZE).begin()  # the next start
        assert on_disk(place / "j.db.ballast") == 0
        assert not ballast.restore()  # room for it, and for nothing else
        assert on_disk(place / "j.db.ballast") == SIZE // 2
        ballast.give_to_rows()
        os.truncate(theirs, theirs.stat().st_size - SIZE)
        assert ballast.restore()


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    ballast = Ballast(tmp_path / "j.db", disk.f_bavail * disk.f_frsize + (1 << 30))
    ballast.begin()
    assert not ballast.whole
    assert not ballast.restore()
    assert on_disk(tmp_path / "j.db.ballast") == 0


def test_none_may_be_wanted(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "j.db", 0)
    ballast.begin()
    assert ballast.restore()
    assert not ballast.give_to_rows()
    assert list(tmp_path.iterdir()) == []
