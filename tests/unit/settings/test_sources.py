import os
from pathlib import Path

from gateway.settings.problems import Report
from gateway.settings.sources import Sources, printable


def sources(directory: Path) -> Sources:
    for name in ("own/profiles/a.yaml", "shipped/profiles/a.yaml", "shipped/profiles/b.yaml"):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (directory / "shipped/profiles/c.example.yaml").write_text("")
    return Sources(directory / "own", directory / "shipped")


def test_the_site_s_file_comes_before_the_shipped_one(tmp_path: Path) -> None:
    found = sources(tmp_path)
    own, shipped = found.find("profiles/a.yaml"), found.find("profiles/b.yaml")
    assert own is not None
    assert own.label == "profiles/a.yaml"
    assert shipped is not None
    assert shipped.label == str(tmp_path / "shipped/profiles/b.yaml")
    assert found.find("profiles/c.yaml") is None
    assert found.names("profiles") == ["a", "b"]


def test_own_files_come_by_name_and_others_are_named(tmp_path: Path) -> None:
    found = sources(tmp_path)
    folder = tmp_path / "own/equipment"
    folder.mkdir()
    for name in ("b.yaml", "a.yaml", "c.example.yaml", ".d.yaml", "notes.txt", "e.yml"):
        (folder / name).write_text("")
    report = Report()
    assert [source.stem for source in found.own("equipment", report)] == ["a", "b"]
    assert [(p.file, p.code) for p in report.problems] == [("equipment/e.yml", "wrong_suffix")]
    assert found.own("links", report) == []


def test_names_that_are_no_text_can_be_shown(tmp_path: Path) -> None:
    found = sources(tmp_path)
    folder = tmp_path / "own/equipment"
    folder.mkdir()
    (folder / os.fsdecode(b"\xff.yaml")).write_text("")
    (source,) = found.own("equipment", Report())
    assert source.label == "equipment/?.yaml"
    assert printable("7号") == "7号"
