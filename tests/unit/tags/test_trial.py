from pathlib import Path

import pytest

from gateway.settings.site import Site
from gateway.tags.trial import put_in_place, replace, try_out
from tests.support.config_site import GATEWAY, write_site
from tests.unit.tags.test_importing import PRESS


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path, {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": PRESS})


def test_a_trial_changes_nothing(site: Path) -> None:
    new = PRESS.replace("press-07", "press-08").replace(".17", ".18").encode()
    tried = try_out(site, {"equipment/press-08.yaml": new})
    assert isinstance(tried, Site)
    assert sorted(tried.equipment) == ["press-07", "press-08"]
    assert [path.name for path in (site / "equipment").iterdir()] == ["press-07.yaml"]


def test_a_trial_of_a_changed_file_leaves_the_file(site: Path) -> None:
    problems = try_out(site, {"equipment/press-07.yaml": b"equipment: press-07\nwhat: 1\n"})
    assert not isinstance(problems, Site)
    assert [(p.file, p.key) for p in problems if p.severity == "error"] == [
        ("equipment/press-07.yaml", "what")
    ]
    assert (site / "equipment/press-07.yaml").read_text("utf-8") == PRESS


def test_files_are_put_in_place_with_the_rights_they_had(site: Path) -> None:
    path = site / "equipment/press-07.yaml"
    path.chmod(0o640)
    put_in_place(site, {"equipment/press-07.yaml": b"new", "faults/x.csv": b"bit\n"})
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert (site / "faults/x.csv").read_bytes() == b"bit\n"


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(site: Path) -> None:
    path = site / "equipment"
    with pytest.raises(OSError, match="equipment"):
        replace(path, b"a directory is no file")
    assert path.is_dir()
    assert not list(site.glob(".*.new"))
