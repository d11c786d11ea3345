"""A driver of another package that holds up the loop or breaks when a file asks for it."""

import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from drivers.contract import Batch, Driver, ProtocolSpec, Shared, TagGroup, TagRequest

BLOCK, BREAK = "block", "break"
"""Names of files in the link's directory; who finds one takes it away and obeys."""
BLOCK_S = 5.0


class LinkSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: str
    directory: Path
    poll_interval_ms: int = 100


class TagSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TroubledSession:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known = False

    async def read(self, due: Collection[TagGroup]) -> Batch:
        if self._asked(BLOCK):
            time.sleep(BLOCK_S)  # noqa: ASYNC251 - the defect this driver is for
        if self._asked(BREAK):
            raise ZeroDivisionError("as asked for")
        keys = frozenset[str]().union(*(group.keys for group in due))
        changed = {} if self._known else dict.fromkeys(keys, True)
        self._known = True
        return Batch(
            read_at=datetime.now(UTC), mono_s=time.monotonic(), covers=keys, changed=changed
        )

    def _asked(self, name: str) -> bool:
        try:
            (self._directory / name).unlink()
        except FileNotFoundError:
            return False
        return True


class TroubledDriver:
    def __init__(self, settings: LinkSettings, tags: Sequence[TagRequest]) -> None:
        self.endpoint = str(settings.directory)
        self.groups = (
            TagGroup("all", settings.poll_interval_ms / 1000, frozenset(tag.key for tag in tags)),
        )
        self._directory = settings.directory

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TroubledSession]:
        yield TroubledSession(self._directory)


def create(settings: LinkSettings, tags: Sequence[TagRequest], shared: Shared) -> Driver:
    del shared
    return TroubledDriver(settings, tags)


SPEC = ProtocolSpec("troubled", LinkSettings, TagSettings, create, lambda link: str(link.directory))


def install(directory: Path) -> str:
    """Write what pip would for a package with this driver; return the PYTHONPATH it needs."""
    info = directory / "troubled-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: troubled\nVersion: 1.0\n", "utf-8")
    points = f"[millgate.drivers]\ntroubled = {__name__}\n"
    (info / "entry_points.txt").write_text(points, "utf-8")
    return f"{directory}:{Path(__file__).parents[2]}"
