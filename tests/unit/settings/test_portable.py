from pathlib import Path

import pytest

from gateway.settings import portable as portable_module
from gateway.settings.load import load
from gateway.settings.portable import portable
from tests.support.config_site import GATEWAY, GOOD, write_site
from tests.support.fake_protocol import spec_of

NAMES_SECRETS = "mqtt: {username: gw-01, password_file: keys/mqtt.yaml, tls: {ca_file: ca.crt}}\n"


def test_the_configuration_travels_and_secrets_stay(tmp_path: Path) -> None:
    others = {
        "gateway.yaml": GATEWAY + NAMES_SECRETS,
        "keys/mqtt.yaml": "hunter2",
        "secrets/token.csv": "hunter3",
        "ca.crt": "pem",
        "data/journal.db": "db",
        "data/notes.yaml": "{}",
        ".git/config.yaml": "{}",
        "notes.txt": "x",
    }
    directory = write_site(tmp_path / "site", {**GOOD, **others})
    (directory / "equipment/link.example.yaml").symlink_to("/etc/passwd")
    found = portable(load(directory, spec_of=spec_of))
    assert set(found.files) == set(GOOD)
    assert found.secrets == ["ca.crt", "keys/mqtt.yaml"]
    assert found.left_out == [
        "ca.crt",
        "equipment/link.example.yaml",
        "keys/mqtt.yaml",
        "notes.txt",
        "secrets/token.csv",
    ]


def test_a_secret_that_is_not_there_is_named_all_the_same(tmp_path: Path) -> None:
    write_site(tmp_path, {**GOOD, "gateway.yaml": GATEWAY + NAMES_SECRETS})
    assert "keys/mqtt.yaml" in portable(load(tmp_path, spec_of=spec_of)).left_out


def test_a_directory_of_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portable_module, "MAX_FILES", 2)
    with pytest.raises(ValueError, match="more than 2 files"):
        portable(load(write_site(tmp_path), spec_of=spec_of))
