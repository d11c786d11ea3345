import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drivers.opcua.certificates import VALID_FOR, read_certificate
from drivers.opcua.expiry import Watch, notices
from drivers.opcua.own import own_files
from drivers.opcua.settings import LinkSettings
from drivers.opcua.trust import TrustList
from tests.support.opcua_secure import certificate, der, home

START = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)
END = START + VALID_FOR


def link(site: Path, **settings: object) -> LinkSettings:
    written = {"endpoint": "opc.tcp://127.0.0.1:4840", "security": {}} | settings
    return LinkSettings.model_validate(written, context=home(site))


def trusted(site: Path, *, ends: timedelta) -> LinkSettings:
    """A link with our certificate made at `START`, and a server that is trusted."""
    made = link(site)
    own_files(made).identity(START)
    TrustList(site / "pki").trust(read_certificate(der(certificate(ends=ends))), made.endpoint)
    return made


def codes(made: LinkSettings, now: datetime) -> list[str]:
    return [notice.code for notice in notices(made, now)]


def test_an_open_link_needs_no_hand(tmp_path: Path) -> None:
    assert codes(link(tmp_path, security="none"), START) == []


def test_a_secured_link_without_a_trusted_server_is_told_before_it_runs(tmp_path: Path) -> None:
    (notice,) = notices(link(tmp_path), START)
    assert notice.code == "opcua_none_trusted"
    assert f"millgate opcua trust {tmp_path} opc.tcp://127.0.0.1:4840" in notice.hint
    assert not (tmp_path / "pki").exists()


def test_our_certificate_is_told_of_in_time_and_after(tmp_path: Path) -> None:
    made = trusted(tmp_path, ends=2 * VALID_FOR)
    assert codes(made, END - timedelta(days=61)) == []
    assert codes(made, END - timedelta(days=60)) == ["opcua_own_expires"]
    assert codes(made, END + timedelta(days=1)) == ["opcua_own_expired"]


def test_the_servers_certificate_is_told_of_too(tmp_path: Path) -> None:
    made = trusted(tmp_path, ends=timedelta(days=40))
    assert codes(made, datetime.now(UTC)) == ["opcua_server_expires"]


def test_a_missing_password_is_told_before_it_runs(tmp_path: Path) -> None:
    made = link(tmp_path, user={"name": "millgate", "password_file": "secrets/plc"})
    (notice,) = notices(made, START)
    assert notice.code == "opcua_unusable_file"
    assert str(tmp_path / "secrets/plc") in notice.problem


def test_a_trust_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    made = link(tmp_path)
    (tmp_path / "pki/trusted/a.der").mkdir(parents=True)
    (notice,) = notices(made, START)
    assert notice.code == "opcua_unusable_file"
    assert str(tmp_path / "pki") in notice.problem


async def test_a_session_that_lasts_logs_each_stage_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = await asyncio.to_thread(trusted, tmp_path, ends=2 * VALID_FOR)
    now = END - timedelta(days=90)
    watch = Watch(made, lambda: now)
    caplog.set_level(logging.WARNING, "drivers")
    said: list[tuple[int, int]] = []
    for days in (90, 60, 59, 31, 30, 12, 7, 1, -1, -2):
        now = END - timedelta(days=days)
        before = len(caplog.records)
        await watch.look()
        if len(caplog.records) > before:
            said.append((days, len(caplog.records) - before))
    assert said == [(60, 1), (30, 1), (7, 1), (-1, 1)]
    assert "millgate opcua certificate" in caplog.records[0].getMessage()
