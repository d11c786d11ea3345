"""Reload, revisions and going live, without a collector; with one: tests/faults/test_reload.py."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.journal.lock import FileLock
from gateway.settings.revision import Revision
from gateway.settings.revisions import Revisions, revisions_of
from tests.support.lone_site import lone_site
from tests.unit.settings.test_revisions import head


@pytest.fixture
def kept(tmp_path: Path) -> Revisions:
    """A site that ran once; then somebody changed the line."""
    found = revisions_of(lone_site(tmp_path))
    found.add(Revision(head(1, by="li", why="first"), found.on_disk()))
    edit(tmp_path, "line-1", "line-2")
    found.add(Revision(head(2, by="wang", why="moved"), found.on_disk()))
    return found


def edit(directory: Path, old: str, new: str) -> None:
    path = directory / "equipment/press-07.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def ran(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def test_the_newest_stands_first_and_the_one_in_force_is_marked(kept: Revisions) -> None:
    lines = ran("revisions", kept.directory).output.splitlines()
    assert [line.split()[:2] for line in lines] == [["*", "2"], ["1", "2026-03-20"]]
    assert "wang" in lines[0]
    assert "moved" in lines[0]
    listed = orjson.loads(ran("revisions", kept.directory, "--json").output)
    assert [one["number"] for one in listed] == [2, 1]


def test_one_is_shown_with_its_files(kept: Revisions) -> None:
    said = ran("revisions", kept.directory, "show", 1).output
    assert "equipment/press-07.yaml" in said
    shown = orjson.loads(ran("revisions", kept.directory, "show", 1, "--json").output)
    assert shown["files"] == ["equipment/press-07.yaml", "gateway.yaml"]


def test_two_are_compared_line_by_line(kept: Revisions) -> None:
    said = ran("revisions", kept.directory, "diff", 1, 2).output.splitlines()
    assert {"-line: line-1", "+line: line-2"} <= set(said)


def test_one_step_back_needs_no_collector_and_no_usable_files(kept: Revisions) -> None:
    (kept.directory / "equipment/press-07.yaml").write_text("{ rubbish\n")
    said = ran("revisions", kept.directory, "restore", 1, "--by", "li", "--why", "oops").output
    assert "revision 4 is in force" in said
    assert "版本 4 已生效" in said
    current = kept.current()
    assert current is not None
    assert (current.by, current.why, current.origin) == ("li", "oops", "restore")
    assert kept.on_disk() == kept.get(1).files
    assert kept.get(3).files["equipment/press-07.yaml"] == b"{ rubbish\n"
    assert "never in force" in ran("revisions", kept.directory).output


def test_an_earlier_one_that_is_no_good_any_more_is_refused(kept: Revisions) -> None:
    bad = kept.on_disk() | {"gateway.yaml": b"site: suzhou\n"}
    kept.add(Revision(head(3, in_force=False), bad))
    result = ran("revisions", kept.directory, "restore", 3, "--lang", "en", code=1)
    assert "gateway.yaml" in result.stderr
    assert "timezone" in result.stderr
    assert kept.on_disk() == kept.get(2).files


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["show", 9], "there is no revision 9"),
        (["restore", 9], "there is no revision 9"),
        (["diff", 1], "takes 2 numbers"),
        (["list", 1], "takes 0 numbers"),
    ],
)
def test_what_cannot_be_is_said(kept: Revisions, args: list[object], said: str) -> None:
    assert said in ran("revisions", kept.directory, *args, code=1).stderr


def test_nothing_is_written_under_a_gateway_that_does_not_answer(kept: Revisions) -> None:
    lock = FileLock(kept.journal)
    result = ran("revisions", kept.directory, "restore", 1, code=1)
    lock.release()
    assert "cannot be done" in result.stderr
    assert kept.numbers() == [1, 2]


def test_a_reload_without_a_collector_says_what_a_start_will_do(kept: Revisions) -> None:
    assert "the next start takes up these files" in ran("reload", kept.directory, code=1).stderr


def test_going_live_is_a_revision_with_a_name_to_it(kept: Revisions) -> None:
    edit(kept.directory, "line: line-2", 'line: line-2\nstage: "commissioning"  # until Friday')
    assert "reload them first" in ran("live", kept.directory, "press-07", code=1).stderr
    kept.add(Revision(head(3), kept.on_disk()))
    said = ran("live", kept.directory, "press-07", "--by", "li", "--json").output
    assert orjson.loads(said)["revision"] == 4
    current = kept.current()
    assert current is not None
    assert (current.by, current.why) == ("li", "press-07: commissioning -> live")
    text = (kept.directory / "equipment/press-07.yaml").read_text()
    assert 'stage: "live"  # until Friday\n' in text
    assert "is live already" in ran("live", kept.directory, "press-07", code=1).stderr
    assert "there is no press-9" in ran("live", kept.directory, "press-9", code=1).stderr


def test_a_stage_written_in_another_way_is_left_to_a_person(tmp_path: Path) -> None:
    lone_site(tmp_path)
    path = tmp_path / "equipment/press-07.yaml"
    path.write_text(path.read_text() + "stage:\n  commissioning\n")
    assert "write live by hand" in ran("live", tmp_path, "press-07", code=1).stderr
    (tmp_path / "gateway.yaml").write_text("x: 1\n")
    assert "refused" in ran("live", tmp_path, "press-07", code=1).stderr


def test_before_the_first_start_there_is_nothing(tmp_path: Path) -> None:
    lone_site(tmp_path)
    assert ran("revisions", tmp_path).output == ""
    path = tmp_path / "equipment/press-07.yaml"
    path.write_text(path.read_text() + "stage: commissioning\n")
    assert "no revision yet" in ran("live", tmp_path, "press-07", code=1).stderr
