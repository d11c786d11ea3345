"""The configuration as a whole: a copy to keep, one to put back, and what was in force before.

Secrets are no part of it: they stand in files of their own, which never leave the gateway.
"""

import asyncio
import io
import lzma
import struct
import zipfile
import zlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from gateway.control.client import NoCollector
from gateway.control.configuring import Reload, Restore, Wish
from gateway.settings.difference import unified
from gateway.settings.files import is_config_name
from gateway.settings.portable import MAX_FILES
from gateway.settings.revision import Draft, Head
from gateway.settings.revisions import NoRevision, Revisions, revisions_of
from gateway.web.access.caller import Caller
from gateway.web.access.roles import Role
from gateway.web.api.bodies import Line, Strict
from gateway.web.api.guard import Me, Web, needs
from gateway.web.context import Context
from gateway.web.problems import Problem
from gateway.web.store.audit import Deed

router = APIRouter(prefix="/api/v1", tags=["configuration"])
MAX_UNPACKED = 4 * 1024**2
MAX_LINES = 4000
"""Of a difference that is shown."""
NAME = "configuration.zip"
_ZIP = "application/zip"
_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(NotImplementedError, RuntimeError, OSError, EOFError, ValueError, OverflowError),
)
"""What the library raises for a damaged or foreign file."""
_BACKUP = needs(Role.ADMIN)
_BACKUP["responses"][200] = {"content": {_ZIP: {}}, "description": "All files of it"}
_RESTORE = needs(Role.ADMIN, 413, 503)
_RESTORE["openapi_extra"]["requestBody"] = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    "description": "A zip file as `backup` gives it",
}
Number = Annotated[int, Path(ge=1, lt=2**31)]


class OutcomeView(BaseModel):
    """What became of it. Whatever `code` is, one revision is in force as a whole."""

    accepted: bool
    code: str
    revision: int
    text: dict[str, str]
    problems: list[dict[str, Any]]
    notes: list[str]
    keys: list[str]
    counts: dict[str, dict[str, int]]


class RevisionView(BaseModel):
    """One state of the configuration: who, when, why, and what it changed."""

    number: int
    at: str
    by: str
    why: str
    origin: str
    base: int
    counts: dict[str, dict[str, int]]
    notes: list[str]
    in_force: bool


class DiffView(BaseModel):
    """What differs in the files, as `diff -u` says it; `against` 0 is nothing at all."""

    number: int
    against: int
    lines: list[str]
    more: int
    """So many lines were left out."""


class WhyBody(Strict):
    """Why; it stands beside the revision."""

    why: Line


@router.get("/backup", response_class=Response, **_BACKUP)
async def backup(me: Me, web: Web) -> Response:
    """The configuration as it lies on the disk, as a zip file; without secrets and data."""
    try:
        packed = await asyncio.to_thread(_packed, web)
    except (OSError, ValueError) as err:
        raise Problem("internal", str(err)) from err
    await web.record(Deed(me.name, me.address, "backup"))
    head = {"Content-Disposition": f'attachment; filename="{NAME}"'}
    return Response(packed, media_type=_ZIP, headers=head)


@router.post("/restore", **_RESTORE)
async def restore(
    request: Request,
    me: Me,
    web: Web,
    why: Annotated[str, Query(max_length=120)] = "",
) -> OutcomeView:
    """Put a backup in force, as a whole or not at all; what is not in it is taken away."""
    files = await asyncio.to_thread(_unpacked, await request.body())
    kept = _revisions(web)
    base = await asyncio.to_thread(kept.current)
    gone = dict.fromkeys(await asyncio.to_thread(kept.on_disk))
    draft = Draft(0 if base is None else base.number, gone | files, me.name, why or NAME)
    return await _change(web, me, draft, "restore")


@router.get("/revisions", **needs(Role.MAINTENANCE))
async def revisions(web: Web) -> list[RevisionView]:
    """What was in force, newest first."""
    heads = await asyncio.to_thread(lambda: list(_revisions(web).heads()))
    return [_view(head) for head in heads]


@router.get("/revisions/{number}", **needs(Role.MAINTENANCE, 404))
async def revision(number: Number, web: Web) -> RevisionView:
    """One of them, with a line for each thing it changed."""
    try:
        found = await asyncio.to_thread(_revisions(web).get, number)
    except NoRevision:
        raise Problem("not_found") from None
    return _view(found.head)


@router.get("/revisions/{number}/diff", **needs(Role.MAINTENANCE, 404))
async def difference(
    number: Number,
    web: Web,
    against: Annotated[
        int | None, Query(ge=0, lt=2**31, description="By default the one in force before it")
    ] = None,
) -> DiffView:
    """What differs between two of them, line by line."""
    kept = _revisions(web)

    def compared() -> tuple[int, list[str]]:
        before = kept.before(number) if against is None else None
        older = (0 if before is None else before.number) if against is None else against
        old = kept.get(older).files if older else {}
        return older, list(unified(old, kept.get(number).files))

    try:
        older, lines = await asyncio.to_thread(compared)
    except NoRevision:
        raise Problem("not_found") from None
    shown = lines[:MAX_LINES]
    return DiffView(number=number, against=older, lines=shown, more=len(lines) - len(shown))


@router.post("/revisions/{number}/restore", **needs(Role.ENGINEER, 503))
async def put_back(number: Number, body: WhyBody, me: Me, web: Web) -> OutcomeView:
    """Put an earlier revision back in force, as a new one."""
    return await _change(web, me, Restore(number, me.name, body.why), "rollback")


@router.post("/reload", **needs(Role.ENGINEER, 503))
async def reload(body: WhyBody, me: Me, web: Web) -> OutcomeView:
    """Take up the files as they lie on the disk."""
    return await _change(web, me, Reload(me.name, body.why), "reload")


async def _change(web: Context, me: Caller, wish: Wish, action: str) -> OutcomeView:
    try:
        outcome = await web.configure(wish)
    except NoCollector as err:
        raise Problem("no_collector", str(err)) from err
    detail = {"code": outcome.code, "why": wish.why, "notes": list(outcome.notes)[:50]}
    await web.record(
        Deed(me.name, me.address, action, str(outcome.revision), outcome.accepted, detail)
    )
    return OutcomeView.model_validate(outcome.data())


def _revisions(web: Context) -> Revisions:
    return revisions_of(web.site.directory)


def _view(head: Head) -> RevisionView:
    return RevisionView.model_validate(head.data())


def _packed(web: Context) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_revisions(web).on_disk().items()):
            archive.writestr(name, content)
    return target.getvalue()


def _unpacked(packed: bytes) -> dict[str, bytes | None]:
    """Return the files of a backup. Raises Problem for what is none, or too much of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            size = sum(entry.file_size for entry in entries)
            if len(entries) > MAX_FILES or size > MAX_UNPACKED:
                raise Problem("too_large")
            return {entry.filename: _content(archive, entry) for entry in entries}
    except _DAMAGED as err:
        raise _no_backup() from err


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return one file, no more of it than it says it is."""
    if not is_config_name(entry.filename):
        raise _no_backup()
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise _no_backup()
    return content


def _no_backup() -> Problem:
    return Problem("invalid", {"zh": "不是配置备份", "en": "this is no backup of a configuration"})
