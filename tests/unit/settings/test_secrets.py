from pathlib import Path

import pytest

from gateway.settings.model import SqlStoreFile
from gateway.settings.secrets import SecretUnreadable, find_secret, read_secret, store_url

SECRET = "g e h@i/m\u4e2d"  # noqa: S105


def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/mqtt").write_text(f"{SECRET}\nnot this\n", "utf-8")
    secret = read_secret(tmp_path, "secrets/mqtt", environment={})
    assert secret.get_secret_value() == SECRET
    assert SECRET not in f"{secret!r} {secret}"


def test_systemd_s_credentials_come_first(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "mqtt").write_text("from systemd")
    (tmp_path / "mqtt").write_text("from the directory")
    environment = {"CREDENTIALS_DIRECTORY": str(credentials)}
    found = read_secret(tmp_path, "secrets/mqtt", environment=environment)
    assert found.get_secret_value() == "from systemd"
    assert find_secret(tmp_path, "other", environment=environment) == tmp_path / "other"
    assert read_secret(tmp_path, "mqtt", environment={}).get_secret_value() == "from the directory"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), (b"", "empty"), (b"\n", "empty"), (b"\xff", "not UTF-8")],
)
def test_a_secret_that_cannot_be_read(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "s").write_bytes(content)
    with pytest.raises(SecretUnreadable) as caught:
        read_secret(tmp_path, "s", environment={})
    assert (caught.value.name, caught.value.reason) == ("s", reason)


def test_a_relative_sqlite_file_lies_in_the_configuration_directory(tmp_path: Path) -> None:
    url = store_url(tmp_path, SqlStoreFile(kind="sql"), environment={})
    assert url.get_secret_value() == f"sqlite:///{tmp_path}/data/history.db"
    absolute = SqlStoreFile(kind="sql", url="sqlite:////srv/history.db")
    assert store_url(tmp_path, absolute).get_secret_value() == "sqlite:////srv/history.db"
    memory = SqlStoreFile(kind="sql", url="sqlite:///:memory:")
    assert store_url(tmp_path, memory).get_secret_value() == "sqlite:///:memory:"


def test_the_password_is_put_into_the_url_at_the_last_moment(tmp_path: Path) -> None:
    (tmp_path / "db").write_text(SECRET, "utf-8")
    store = SqlStoreFile(
        kind="sql",
        url="postgresql+psycopg://millgate@[::1]:5432/history",
        password_file="db",  # noqa: S106
    )
    url = store_url(tmp_path, store, environment={})
    assert url.get_secret_value() == (
        "postgresql+psycopg://millgate:g%20e%20h%40i%2Fm%E4%B8%AD@[::1]:5432/history"
    )
    assert "%40" not in repr(url)
    plain = SqlStoreFile(kind="sql", url="postgresql://db/history")
    assert store_url(tmp_path, plain).get_secret_value() == "postgresql://db/history"
