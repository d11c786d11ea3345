import asyncio
from pathlib import Path

import pytest

from gateway.cli.retire import run
from gateway.journal.identity import IdentityChange
from gateway.journal.reader import JournalReader
from gateway.journal.row import Entry
from tests.support.journal import count, open_journal
from tests.support.lone_site import lone_site

PLACE = "mg/v1/suzhou/stamping/line-1/press-07"


def ran(directory: Path) -> Path:
    """A site whose gateway has published press-07, which then was taken out."""

    async def fill() -> None:
        async with open_journal(directory / "data/journal.db") as journal:
            await journal.append([Entry("press-07", [count(1)], b"{}")])
            await journal.identify(IdentityChange(occupied={PLACE: "press-07"}))

    lone_site(directory, equipment=["press-08"])
    (directory / "data").mkdir()
    asyncio.run(fill())
    return directory


def test_its_state_goes_and_its_events_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ran(tmp_path), "press-07") == 0
    assert "next connect" in capsys.readouterr().out
    with JournalReader(tmp_path / "data/journal.db") as journal:
        assert journal.states() == {}
        assert journal.places() == {PLACE: None}
        assert len(journal.rows(0, 10)) == 1


def test_it_is_refused_while_it_is_configured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(tmp_path)
    lone_site(tmp_path, equipment=["press-07"])
    assert run(tmp_path, "press-07") == 1
    assert "equipment/press-07.yaml" in capsys.readouterr().err
    with JournalReader(tmp_path / "data/journal.db") as journal:
        assert journal.places() == {PLACE: "press-07"}


def test_what_nobody_knows_is_not_retired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lone_site(tmp_path), "press-99") == 1
    assert "press-99" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_broken_configuration_is_said(tmp_path: Path) -> None:
    assert run(tmp_path, "press-07") == 1
