import json
from pathlib import Path

from simulators.truth import write


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "truth.json"
    write(file, {"name": "1号冲床"})
    write(file, {"name": "2号冲床"})
    assert json.loads(file.read_text("utf-8")) == {"name": "2号冲床"}
    assert [path.name for path in tmp_path.iterdir()] == ["truth.json"]
