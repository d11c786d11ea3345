"""The journal's way to a spare box and back, as a person types it."""

import asyncio
import zipfile
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.domain import durable
from gateway.journal.reader import JournalReader
from gateway.journal.row import Entry
from tests.support.journal import count, open_journal
from tests.support.lone_site import lone_site


def millgate(*arguments: object) -> tuple[int, str]:
    """Type a command; return its exit code and all that it said."""
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, result.output


def site(directory: Path, counts: Sequence[int] = (1, 2, 3)) -> Path:
    """A site whose gateway has run."""
    lone_site(directory)

    async def fill() -> None:
        async with open_journal(directory / "data/journal.db") as journal:
            await journal.append([Entry("press-07", [count(total) for total in counts], b"{}")])

    (directory / "data").mkdir()
    asyncio.run(fill())
    return directory


def epochs(directory: Path) -> list[str]:
    with JournalReader(directory / "data/journal.db") as journal:
        return [one.reason for one in journal.epochs()]


def test_a_spare_box_takes_over_in_one_file(tmp_path: Path) -> None:
    old, file, spare = site(tmp_path / "old"), tmp_path / "a.mgj", tmp_path / "spare"
    (old / "ca.crt").write_text("pem")
    code, said = millgate("journal", "export", old, file)
    assert (code, "ca.crt" in said) == (0, True), said
    code, said = millgate("journal", "import", spare, file)
    assert (code, "ca.crt" in said) == (0, True), said
    names = {path.relative_to(spare).as_posix() for path in spare.glob("**/*") if path.is_file()}
    assert names == {
        "gateway.yaml",
        "equipment/press-07.yaml",
        "data/journal.db",
        "data/journal.db.lock",
    }
    assert epochs(spare) == ["created", "import"]
    code, said = millgate("journal", "status", spare, "--json")
    standing = orjson.loads(said)
    assert (standing["head_seq"], standing["backlog"]) == (3, 3)
    assert standing["equipment"] == ["press-07"]
    assert millgate("journal", "check", spare)[0] == 0


def test_a_second_import_overwrites_nothing(tmp_path: Path) -> None:
    old, file = site(tmp_path / "old"), tmp_path / "a.mgj"
    assert millgate("journal", "export", old, file)[0] == 0
    before = (old / "data/journal.db").read_bytes()
    code, said = millgate("journal", "import", old, file)
    assert (code, "already" in said) == (1, True), said
    assert (old / "data/journal.db").read_bytes() == before


def test_a_file_of_the_same_name_that_differs_is_named(tmp_path: Path) -> None:
    old, file, spare = site(tmp_path / "old"), tmp_path / "a.mgj", tmp_path / "spare"
    assert millgate("journal", "export", old, file)[0] == 0
    lone_site(spare, area="welding")
    code, said = millgate("journal", "import", spare, file)
    assert (code, "equipment/press-07.yaml" in said) == (1, True), said
    assert not (spare / "data").exists()


def test_the_journal_alone_is_put_back(tmp_path: Path) -> None:
    box, file = site(tmp_path / "box"), tmp_path / "a.mgj"
    assert millgate("journal", "export", box, file)[0] == 0
    (box / "data/journal.db").unlink()
    assert millgate("journal", "import", box, file, "--journal-only")[0] == 0
    assert epochs(box) == ["created", "restore"]


def test_a_journal_of_another_gateway_is_refused(tmp_path: Path) -> None:
    box, other, file = site(tmp_path / "box"), lone_site(tmp_path / "other"), tmp_path / "a.mgj"
    assert millgate("journal", "export", box, file)[0] == 0
    text = (other / "gateway.yaml").read_text().replace("gw-01", "gw-02")
    (other / "gateway.yaml").write_text(text)
    code, said = millgate("journal", "import", other, file, "--journal-only")
    assert (code, "suzhou/gw-01" in said) == (1, True), said


@pytest.mark.parametrize("where", ["../elsewhere.db", "{}/elsewhere.db"])
def test_a_journal_outside_needs_a_persons_word(tmp_path: Path, where: str) -> None:
    old, file, spare = site(tmp_path / "old"), tmp_path / "a.mgj", tmp_path / "spare"
    outside = where.format(tmp_path)
    target = spare / outside
    (old / "gateway.yaml").write_text(
        (old / "gateway.yaml").read_text() + f"journal: {{path: {outside}}}\n"
    )
    (old / "data/journal.db").replace(old / outside)
    assert millgate("journal", "export", old, file)[0] == 0
    (old / outside).unlink()
    code, said = millgate("journal", "import", spare, file)
    assert (code, f"--journal {target}" in said) == (1, True), said
    assert not spare.exists()
    assert not target.exists()
    assert millgate("journal", "import", spare, file, "--journal", tmp_path / "x.db")[0] == 1
    assert millgate("journal", "import", spare, file, "--journal", target)[0] == 0
    assert target.exists()


def test_an_archive_of_something_else_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mgj", "w") as other:
        other.writestr("../../x.yaml", "x")
    code, said = millgate("journal", "import", tmp_path / "spare", tmp_path / "a.mgj")
    assert (code, "manifest.json" in said) == (1, True), said
    code, said = millgate("journal", "import", tmp_path / "spare", tmp_path / "none.mgj")
    assert (code, "none.mgj" in said) == (1, True), said


def test_totals_that_survived_elsewhere_are_taken_up(tmp_path: Path) -> None:
    box, file = lone_site(tmp_path / "box"), tmp_path / "totals.json"
    file.write_text('{"press-07": {"good": 5120}}')
    assert millgate("journal", "seed", box, file)[0] == 0
    with JournalReader(box / "data/journal.db") as journal:
        state = durable.load(journal.states()["press-07"])
    assert state.durable.counters["good"].total == 5120
    code, said = millgate("journal", "seed", box, file)
    assert (code, "new journal" in said) == (1, True), said


@pytest.mark.parametrize(
    ("totals", "reason"),
    [
        ('{"press-99": {"good": 1}}', "press-99"),
        ('{"press-07": {"bad": 1}}', "no counter bad"),
        ('{"press-07": {"good": -1}}', "press-07.good"),
        ('{"press-07": {"good": 1.5}}', "press-07.good"),
        ("[]", "refused"),
        ("{", "refused"),
    ],
)
def test_totals_that_fit_nothing_are_refused(tmp_path: Path, totals: str, reason: str) -> None:
    box, file = lone_site(tmp_path / "box"), tmp_path / "totals.json"
    file.write_text(totals)
    code, said = millgate("journal", "seed", box, file)
    assert (code, reason in said) == (1, True), said
    assert not (box / "data").exists()


@pytest.mark.parametrize("command", ["status", "check"])
def test_there_may_be_no_journal_yet(tmp_path: Path, command: str) -> None:
    code, said = millgate("journal", command, lone_site(tmp_path))
    assert (code, "there is no journal" in said) == (1, True), said


def test_status_is_readable(tmp_path: Path) -> None:
    code, said = millgate("journal", "status", site(tmp_path))
    assert code == 0
    assert "head_seq     3" in said


def test_a_broken_configuration_is_said(tmp_path: Path) -> None:
    (lone_site(tmp_path) / "gateway.yaml").write_text("site: 7\n")
    assert millgate("journal", "status", tmp_path)[0] == 1
