"""Which files make up a configuration, when it moves to another box.

Tables and YAML below the configuration directory travel; everything else stays and is
named: secrets, certificates, data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from gateway.settings.site import Site

SUFFIXES = frozenset({".yaml", ".csv", ".xlsx"})
SECRET_KEY = "_file"  # noqa: S105 - how the keys end that name a file with a secret
SECRETS = "secrets"
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Portable:
    """What travels, and what does not, by names relative to the configuration directory."""

    files: Mapping[str, Path]
    left_out: list[str]
    secrets: list[str]
    """Of those left out, what the configuration names: to be put in place by a person."""


def portable(site: Site) -> Portable:
    """Sort the files of a site. Raises OSError, ValueError for more than MAX_FILES."""
    data = site.path(site.gateway.journal.path).resolve().parent
    has_data_folder = site.directory.resolve() in data.parents
    secrets = sorted(set(_secrets(site)))
    files: dict[str, Path] = {}
    left_out = set(secrets)
    for path in plain_files(site.directory):
        name = path.relative_to(site.directory).as_posix()
        if has_data_folder and path.resolve().is_relative_to(data):
            continue
        travels = path.suffix in SUFFIXES and SECRETS not in path.parts and name not in secrets
        if travels and not path.is_symlink():
            files[name] = path
        else:
            left_out.add(name)
        if len(files) + len(left_out) > MAX_FILES:
            raise ValueError(f"{site.directory}: more than {MAX_FILES} files")
    return Portable(files, sorted(left_out), secrets)


def plain_files(directory: Path) -> Iterator[Path]:
    """Return the files below a directory that are not hidden, links among them."""
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from plain_files(path)
        elif path.is_file():
            yield path


def _secrets(site: Site) -> Iterator[str]:
    yield from _named_in(site.gateway)
    for link in site.links.values():
        yield from _named_in(link.settings)


def _named_in(value: Any) -> Iterator[str]:
    """Every text under a key that names a file with a secret, however deep."""
    for key, inner in _items(value):
        if isinstance(inner, str | Path) and key.endswith(SECRET_KEY):
            yield str(inner)
        else:
            yield from _named_in(inner)


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        return [(name, getattr(value, name)) for name in type(value).model_fields]
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return [(str(key), inner) for key, inner in value.items()]
    if isinstance(value, list | tuple):
        return [("", inner) for inner in value]
    return []
