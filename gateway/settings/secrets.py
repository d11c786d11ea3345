"""Passwords and tokens: read from files, never written down again.

A name is looked for in ``$CREDENTIALS_DIRECTORY`` (systemd credentials, by its last
part), then in the configuration directory; an absolute path is taken as it is.
Secrets are SecretStr, so that no log and no traceback shows them.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

from gateway.settings.model import SqlStoreFile

MAX_BYTES = 64 * 1024
SQLITE = "sqlite:///"


class SecretUnreadable(Exception):
    """A file with a secret cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        """Keep the name as configured and what is wrong; never what is inside."""
        super().__init__(f"secret file '{name}': {reason}")
        self.name = name
        self.reason = reason


def find_secret(directory: Path, name: str, *, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the file of a secret (or a certificate) lies, whether it exists or not."""
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    if credentials:
        path = Path(credentials) / Path(name).name
        if path.is_file():
            return path
    return directory / name


def read_secret(
    directory: Path, name: str, *, environment: Mapping[str, str] = os.environ
) -> SecretStr:
    """Return the first line of a secret's file; raises SecretUnreadable."""
    path = find_secret(directory, name, environment=environment)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES)
        text = content.decode("utf-8-sig")
    except OSError as err:
        raise SecretUnreadable(name, err.strerror or type(err).__name__) from err
    except UnicodeDecodeError as err:
        raise SecretUnreadable(name, "not UTF-8") from err
    line = text.splitlines()[0] if text else ""
    if not line.strip():
        raise SecretUnreadable(name, "empty")
    return SecretStr(line.rstrip("\r\n"))


def store_url(
    directory: Path, store: SqlStoreFile, *, environment: Mapping[str, str] = os.environ
) -> SecretStr:
    """Return the URL for SQLAlchemy; raises SecretUnreadable.

    A relative SQLite file lies in the configuration directory; the password comes from
    its file.
    """
    if store.url.startswith(SQLITE):
        path = store.url.removeprefix(SQLITE)
        if path and path != ":memory:":
            return SecretStr(SQLITE + str((directory / path).resolve()))
        return SecretStr(store.url)
    if store.password_file is None:
        return SecretStr(store.url)
    password = read_secret(directory, store.password_file, environment=environment)
    parts = urlsplit(store.url)
    user, _, host = parts.netloc.rpartition("@")
    netloc = f"{user}:{quote(password.get_secret_value(), safe='')}@{host}"
    return SecretStr(urlunsplit(parts._replace(netloc=netloc)))
