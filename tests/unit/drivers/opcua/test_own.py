import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.opcua.own import (
    OwnFiles,
    Unusable,
    application_uri,
    command,
    read_identity,
    read_password,
)
from tests.support.opcua_secure import certificate, der, home, key_pem

NOW = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)


def files_in(site: Path) -> OwnFiles:
    return OwnFiles(site / "pki", home(site))


def test_u14_it_is_made_once_and_stays(tmp_path: Path) -> None:
    first = files_in(tmp_path).identity(NOW)
    assert first.certificate.uris == ("urn:suzhou:millgate:gw-01",)
    later = NOW.replace(year=2040)
    assert files_in(tmp_path).identity(later).certificate == first.certificate
    assert files_in(tmp_path).shown() == first.certificate


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    files_in(tmp_path).identity(NOW)
    assert stat.S_IMODE((tmp_path / "pki/own/key.pem").stat().st_mode) == 0o600


def test_many_links_that_start_together_are_one_gateway(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: files_in(tmp_path).identity(NOW), range(4)))
    assert len({identity.certificate for identity in made}) == 1
    assert [path.name for path in (tmp_path / "pki").iterdir()] == ["own"]


@pytest.mark.fault(
    48,
    injection="our certificate is renewed: the next one prepared, trusted by the server, activated",
    expectation="the old one serves until then, the next session has the new one; no restart",
)
def test_the_next_one_is_prepared_beside_the_old_one_and_then_used(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    old = files.identity(NOW).certificate
    prepared = files.prepare(NOW)
    assert files.prepare(NOW) == prepared
    assert files.identity(NOW).certificate == old
    assert files.activate() == prepared
    assert files.identity(NOW).certificate == prepared
    assert files.shown_next() is None
    assert (tmp_path / "pki/before/cert.der").read_bytes() == old.der


def test_between_two_certificates_no_third_is_made(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.identity(NOW)
    prepared = files.prepare(NOW)
    (tmp_path / "pki/own").rename(tmp_path / "pki/before")
    with pytest.raises(Unusable):
        files.identity(NOW)
    assert files.activate() == prepared


def test_nothing_prepared_is_not_activated(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.identity(NOW)
    with pytest.raises(Unusable):
        files.activate()
    assert files.shown() is not None


@pytest.mark.parametrize(
    ("cert", "key", "reason"),
    [
        (None, b"", "No such file"),
        (b"hello", b"", "not a certificate"),
        (der(certificate()), b"hello", "key.pem"),
        (der(certificate()), None, "No such file"),
        (der(certificate(bits=1024)), key_pem(), "not the key of"),
    ],
)
def test_what_cannot_be_used_is_named(
    cert: bytes | None, key: bytes | None, reason: str, tmp_path: Path
) -> None:
    for name, content in (("cert.der", cert), ("key.pem", key)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(Unusable, match=reason) as caught:
        read_identity(tmp_path / "cert.der", tmp_path / "key.pem")
    assert str(tmp_path) in caught.value.refusal.problem


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "pki").write_text("a file", "utf-8")
    with pytest.raises(Unusable, match=str(tmp_path)):
        files_in(tmp_path).identity(NOW)


def test_a_password_is_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "plc"
    path.write_bytes("\ufeffpass wörd \r\nsecond\n".encode())
    assert read_password(path) == "pass wörd "


@pytest.mark.parametrize("content", [b"", b"\n", b"  \n", b"\xff\xfe\xff"])
def test_a_file_without_a_password_is_refused_without_showing_it(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "plc"
    path.write_bytes(content)
    with pytest.raises(Unusable, match=r"plc: (empty|not UTF-8)"):
        read_password(path)


def test_every_gateway_has_a_name_of_its_own_and_commands_are_quoted(tmp_path: Path) -> None:
    assert application_uri(None) == "urn:millgate:gateway"
    assert application_uri(home(tmp_path)) == "urn:suzhou:millgate:gw-01"
    assert command("trust", None, "x") == "millgate opcua trust DIR x"
    assert "'a b" not in command("trust", home(Path("ab")), "x")
    assert "'a b'" in command("trust", home(Path("a b")), "x")
