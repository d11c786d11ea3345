from pathlib import Path

from gateway.ops.boot import boot_id

ID = "0f0e4be1-1d0c-4d6e-9a8e-0a35b6c0b8f1"


def test_a_boot_has_one_id_whoever_tells_it(tmp_path: Path) -> None:
    kernel = tmp_path / "boot_id"
    kernel.write_text(f"{ID}\n", encoding="ascii")
    asked = boot_id({}, kernel=kernel)
    told = boot_id({"MILLGATE_BOOT_ID": ID.replace("-", "")}, kernel=tmp_path / "none")
    assert asked == told == ID


def test_where_nobody_tells_each_run_is_a_boot_of_its_own(tmp_path: Path) -> None:
    assert boot_id({}, kernel=tmp_path / "none") != boot_id({}, kernel=tmp_path / "none")
