"""The files of a configuration: the site's own directory first, then the shipped data."""

import os
from dataclasses import dataclass
from pathlib import Path

from gateway.settings.problems import Place, Report

SUFFIX = ".yaml"
EXAMPLE_SUFFIX = ".example.yaml"
"""Such files are for copying and never read."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file and how problems call it."""

    path: Path
    label: str

    @property
    def stem(self) -> str:
        """The file's name without ``.yaml``."""
        return printable(self.path.name.removesuffix(SUFFIX))


@dataclass(frozen=True, slots=True)
class Sources:
    """Finds files by their path relative to the configuration directory."""

    directory: Path
    shipped: Path

    def find(self, relative: str) -> Source | None:
        """Return the site's file, else the shipped one, else None."""
        own = self.directory / relative
        if own.is_file():
            return Source(own, relative)
        shipped = self.shipped / relative
        return Source(shipped, str(shipped)) if shipped.is_file() else None

    def places(self, relative: str) -> str:
        """Say where `find` looks."""
        return f"{relative}, {self.shipped / relative}"

    def own(self, folder: str, report: Report) -> list[Source]:
        """Return the site's YAML files in ``folder`` by name; none if it does not exist."""
        found = []
        for name in self._names(folder, report):
            label = f"{folder}/{printable(name)}"
            if name.endswith((".yml", ".YAML", ".YML")):
                report.add("wrong_suffix", Place(label), name=printable(name), suffix=SUFFIX)
            elif name.endswith(SUFFIX) and not name.endswith(EXAMPLE_SUFFIX):
                found.append(Source(self.directory / folder / name, label))
        return found

    def names(self, folder: str) -> list[str]:
        """Return the stems of what `find` could find in ``folder``."""
        found = {
            path.name.removesuffix(SUFFIX)
            for root in (self.directory, self.shipped)
            for path in (root / folder).glob(f"*{SUFFIX}")
        }
        return sorted(name for name in found if not name.endswith(".example"))

    def _names(self, folder: str, report: Report) -> list[str]:
        try:
            names = os.listdir(self.directory / folder)  # noqa: PTH208  # names, not paths
        except FileNotFoundError:
            return []
        except OSError as err:
            report.add("unreadable", Place(folder), reason=err.strerror or str(err))
            return []
        return sorted(name for name in names if not name.startswith("."))


def printable(name: str) -> str:
    """Return a file name as it can be shown, whatever its bytes are."""
    return name.encode("utf-8", "replace").decode("utf-8")
