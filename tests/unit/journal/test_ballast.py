import os
from pathlib import Path

from gateway.journal.ballast import Ballast


def test_it_takes_real_space_until_released(tmp_path: Path) -> None:
    file = tmp_path / "j.db.ballast"
    ballast = Ballast(tmp_path / "j.db", 1 << 20)
    assert not file.exists()
    assert ballast.restore()
    assert ballast.restore()
    assert file.stat().st_blocks * 512 >= 1 << 20
    ballast.release()
    ballast.release()
    assert not file.exists()


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    ballast = Ballast(tmp_path / "j.db", disk.f_bavail * disk.f_frsize + (1 << 30))
    assert not ballast.restore()
    assert list(tmp_path.iterdir()) == []


def test_none_may_be_wanted(tmp_path: Path) -> None:
    assert Ballast(tmp_path / "j.db", 0).restore()
    assert list(tmp_path.iterdir()) == []
