"""``millgate journal``: look at the journal, move it to a spare box, begin one from totals.

- An export can be taken beside a running gateway and holds no secrets.
- An import never overwrites a file that differs, nor a journal.
- A journal is written outside of the directory only where the person names the place.
"""

import asyncio
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from gateway import __version__
from gateway.app import translate
from gateway.cli.say import refuse, say
from gateway.domain import durable
from gateway.domain.seed import seeded
from gateway.domain.vocabulary import stamp
from gateway.journal import transfer
from gateway.journal.archive import JOURNAL, SITE, ArchiveRefused, Manifest, is_safe
from gateway.journal.errors import JournalError
from gateway.journal.journal import Journal
from gateway.journal.reader import JournalReader
from gateway.journal.row import Entry
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.publish.pump import CURSOR
from gateway.settings.load import load
from gateway.settings.portable import portable
from gateway.settings.problems import ConfigProblems
from gateway.settings.site import Site

Totals = dict[str, dict[str, Annotated[int, Field(ge=0)]]]
_TOTALS = TypeAdapter(Totals)
_MAX_SEED_BYTES = 4 << 20


class _Refused(Exception):
    """Why something is not done, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


def status(directory: Path, *, json: bool = False) -> int:
    """Print where the journal stands; return the exit code."""

    def show() -> None:
        path = _journal_of(load(directory))
        found = _standing(path)
        if json:
            sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")
        else:
            for key, value in found.items():
                sys.stdout.write(f"{key:12} {_plain(value)}\n")

    return _answered(show)


def check(directory: Path) -> int:
    """Read the whole journal; return the exit code."""

    def read() -> None:
        path = _journal_of(load(directory))
        transfer.check(path)
        say(f"{path} 完好", f"{path} is sound")

    return _answered(read)


def export(directory: Path, target: Path) -> int:
    """Write the archive; return the exit code."""

    def pack() -> None:
        site = load(directory)
        found = portable(site)
        files = {name: path for name, path in found.files.items() if is_safe(SITE + name)}
        left_out = [*found.left_out, *sorted(found.files.keys() - files.keys())]
        manifest = transfer.export(
            _journal_of(site),
            target,
            site=site.gateway.site,
            gateway=site.gateway.gateway,
            files=files,
            left_out=left_out,
            program=__version__,
            at=SYSTEM_CLOCK.now(),
        )
        say(
            f"{target}:{len(files)} 个配置文件,日志到序号 {manifest.head}",
            f"{target}: {len(files)} files of the configuration, the journal up to seq "
            f"{manifest.head}",
        )
        _name_left_out(left_out)

    return _answered(pack)


def take_over(directory: Path, source: Path, *, journal: Path | None = None) -> int:
    """Unpack an archive on a spare box; return the exit code."""

    def unpack() -> None:
        room = directory if directory.is_dir() else directory.parent
        with transfer.opened(source, room) as (manifest, place):
            incoming = load(place / SITE)
            _check_identity(manifest, incoming)
            target = _target(directory, incoming, journal)
            _copy_files(place / SITE, directory, manifest)
            _adopt(place, target, "import")
            _name_left_out(manifest.left_out)

    return _answered(unpack)


def restore(directory: Path, source: Path) -> int:
    """Put back the journal of a site that has its configuration; return the exit code."""

    def unpack() -> None:
        site = load(directory)
        target = site.path(site.gateway.journal.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with transfer.opened(source, target.parent) as (manifest, place):
            _check_identity(manifest, site)
            _adopt(place, target, "restore")

    return _answered(unpack)


def seed(directory: Path, source: Path) -> int:
    """Begin a new journal with the totals in a file; return the exit code."""

    def begin() -> None:
        site = load(directory)
        with source.open("rb") as file:
            totals = _TOTALS.validate_json(file.read(_MAX_SEED_BYTES))
        entries = [_seeded(site, name, of_one) for name, of_one in totals.items()]
        path = site.path(site.gateway.journal.path)
        with JournalReader(path) as reader:
            if reader.head() or reader.states():
                raise _Refused(
                    f"{path} 已有内容,只有新日志才能接续累计数",
                    f"{path} holds facts already; only a new journal can go on from totals",
                )
        asyncio.run(_append(site, path, entries))
        say(
            f"{len(entries)} 台设备的累计数已接续",
            f"totals taken over for {len(entries)} equipment",
        )

    return _answered(begin)


def _answered(act: Callable[[], None]) -> int:
    try:
        act()
    except _Refused as err:
        return refuse(err.zh, err.en)
    except ConfigProblems as err:
        return refuse(f"配置有误:{err}", f"the configuration is refused: {err}")
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return refuse(f"文件有误:{where}", f"the file is refused: {where}: {first['msg']}")
    except (ArchiveRefused, JournalError, OSError, ValueError) as err:
        return refuse(f"未执行:{err}", f"not done: {err}")
    return 0


def _journal_of(site: Site) -> Path:
    path = site.path(site.gateway.journal.path)
    if not path.exists():
        raise _Refused(f"{path} 不存在", f"{path}: there is no journal")
    return path


def _standing(path: Path) -> dict[str, object]:
    with JournalReader(path) as journal:
        head, alive = journal.head(), journal.last_alive()
        return {
            "journal": str(path),
            "bytes": path.stat().st_size,
            "epochs": [
                {"epoch": one.epoch, "reason": one.reason, "began": stamp(one.began_at)}
                for one in journal.epochs()
            ],
            "head_seq": head,
            "first_seq": journal.first_seq(),
            "sent_seq": journal.cursor(CURSOR),
            "backlog": max(0, head - journal.cursor(CURSOR)),
            "last_alive": None if alive is None else stamp(alive),
            "equipment": sorted(journal.states()),
            "places": journal.places(),
        }


def _plain(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _check_identity(manifest: Manifest, site: Site) -> None:
    ours = (site.gateway.site, site.gateway.gateway)
    if ours != (manifest.site, manifest.gateway):
        raise _Refused(
            f"归档属于 {manifest.site}/{manifest.gateway},配置是 {'/'.join(ours)}",
            f"the archive is of {manifest.site}/{manifest.gateway}, the configuration of "
            f"{'/'.join(ours)}",
        )


def _target(directory: Path, site: Site, said: Path | None) -> Path:
    """Return where the journal goes: what an archive says counts inside of its directory only."""
    wanted = directory / site.gateway.journal.path
    inside = wanted.resolve().is_relative_to(directory.resolve())
    target = wanted if inside else said
    if target is None or target.resolve() != wanted.resolve():
        raise _Refused(
            f"配置把日志放在 {wanted};确认后加上 --journal {wanted}",
            f"the configuration keeps the journal at {wanted}; if that is right, add "
            f"--journal {wanted}",
        )
    if target.exists():
        raise _Refused(f"{target} 已存在", f"{target}: there is a journal already")
    return target


def _copy_files(source: Path, directory: Path, manifest: Manifest) -> None:
    names = [name.removeprefix(SITE) for name in manifest.files if name.startswith(SITE)]
    differing = [name for name in names if _differs(source / name, directory / name)]
    if differing:
        listed = ", ".join(differing)
        raise _Refused(
            f"{directory} 中已有不同的文件:{listed}",
            f"{directory} has other files of these names: {listed}",
        )
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, directory / name)


def _differs(incoming: Path, present: Path) -> bool:
    return present.exists() and incoming.read_bytes() != present.read_bytes()


def _adopt(place: Path, target: Path, reason: transfer.Reason) -> None:
    unpacked = place / JOURNAL
    epoch = transfer.adopt(unpacked, target, reason=reason, at=SYSTEM_CLOCK.now())
    say(
        f"{target}:已接替,新纪元 {epoch};原机器不得再启动",
        f"{target}: taken over in the new epoch {epoch}; the old box must not start again",
    )


def _name_left_out(names: list[str]) -> None:
    if names:
        listed = "\n  ".join(names)
        say(f"未包含,请自行放置:\n  {listed}", "not in the archive, put them in place yourself")


def _seeded(site: Site, name: str, totals: Mapping[str, int]) -> Entry:
    if name not in site.equipment:
        raise _Refused(f"没有设备 {name}", f"there is no equipment {name}")
    state = seeded(site.equipment[name].rules, totals, SYSTEM_CLOCK.now())
    return Entry(name, (), durable.dump(state))


async def _append(site: Site, path: Path, entries: list[Entry]) -> None:
    journal = await asyncio.to_thread(
        Journal.open, path, now=SYSTEM_CLOCK.now, limits=translate.limits(site)
    )
    try:
        await journal.append(entries)
    finally:
        await journal.close()
