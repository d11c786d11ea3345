"""Backup, restore and revisions by the API."""

import io
import random
import zipfile
from typing import Any

import httpx
import pytest

from gateway.control.configuring import Reload, Restore
from gateway.settings.outcome import Outcome
from gateway.settings.revision import Draft, Head, Revision
from gateway.settings.revisions import revisions_of
from gateway.web.access.roles import Role
from tests.support.board import NOW
from tests.support.web import Rig

WHY = {"why": "because"}
ZIP = {"Content-Type": "application/zip"}


@pytest.fixture
async def admin(rig: Rig) -> httpx.AsyncClient:
    return await rig.client(Role.ADMIN)


def packed(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


async def test_a_backup_holds_the_files_and_no_secret(rig: Rig, admin: httpx.AsyncClient) -> None:
    directory = rig.context.site.directory
    (directory / "secrets").mkdir()
    (directory / "secrets/mqtt.csv").write_text("geheim", encoding="ascii")
    (directory / "mqtt.password").write_text("geheim", encoding="ascii")
    answer = await admin.get("/api/v1/backup")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
        assert archive.read("faults/press.csv") == (directory / "faults/press.csv").read_bytes()
    assert "gateway.yaml" in names
    assert not any("secret" in name or "password" in name for name in names)
    assert ("admin", "backup", "", True) in await rig.audit()


async def test_a_restore_puts_in_force_what_the_backup_holds_and_nothing_else(
    rig: Rig, admin: httpx.AsyncClient
) -> None:
    kept = (await admin.get("/api/v1/backup")).content
    (rig.context.site.directory / "equipment/extra.yaml").write_text("equipment: extra\n")
    answer = await admin.post("/api/v1/restore?why=spare", content=kept, headers=ZIP)
    assert answer.status_code == 200, answer.text
    assert answer.json()["code"] == "applied"
    (draft,) = rig.door.wishes
    assert isinstance(draft, Draft)
    assert (draft.by, draft.why, draft.base) == ("admin", "spare", 0)
    assert draft.files["equipment/extra.yaml"] is None
    assert draft.files["gateway.yaml"] is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip at all",
        packed(**{"../outside.yaml": b"x"}),
        packed(**{"/etc/passwd": b"x"}),
        packed(**{"secrets/x.yaml": b"x"}),
        packed(**{"run.sh": b"x"}),
        packed(**{f"equipment/{n}.yaml": b"0" * 300_000 for n in range(20)}),
    ],
)
async def test_what_is_no_backup_changes_nothing(
    rig: Rig, admin: httpx.AsyncClient, content: bytes
) -> None:
    answer = await admin.post("/api/v1/restore", content=content, headers=ZIP)
    assert answer.status_code in {413, 422}
    assert rig.door.wishes == []


async def test_whatever_is_damaged_in_a_backup_is_refused_as_no_backup(
    admin: httpx.AsyncClient,
) -> None:
    whole = (await admin.get("/api/v1/backup")).content
    rnd = random.Random(409)
    codes = set()
    for _ in range(400):
        at = rnd.randrange(len(whole))
        damaged = whole[:at] + rnd.randbytes(6) + whole[at + 6 :]
        answer = await admin.post("/api/v1/restore", content=damaged, headers=ZIP)
        assert answer.status_code in {200, 413, 422}, damaged.hex()
        codes.add(answer.status_code)
    assert codes >= {200, 422}


async def test_an_earlier_revision_is_put_back_in_the_name_of_the_user(rig: Rig) -> None:
    engineer = await rig.client(Role.ENGINEER)
    rig.door.outcome = Outcome("stale", 41, {"zh": "旧", "en": "old"})
    answer = (await engineer.post("/api/v1/revisions/38/restore", json=WHY)).json()
    assert (answer["accepted"], answer["code"], answer["revision"]) == (False, "stale", 41)
    await engineer.post("/api/v1/reload", json=WHY)
    assert rig.door.wishes == [Restore(38, "engineer", "because"), Reload("engineer", "because")]
    assert ("engineer", "rollback", "41", False) in await rig.audit()


async def test_revisions_are_listed(rig: Rig) -> None:
    person = await rig.client(Role.MAINTENANCE)
    assert (await person.get("/api/v1/revisions")).json() == []
    assert (await person.get("/api/v1/revisions/7")).status_code == 404


async def test_without_a_collector_nothing_is_changed(rig: Rig, admin: httpx.AsyncClient) -> None:
    rig.door.is_open = False
    answer = await admin.post("/api/v1/reload", json=WHY)
    assert answer.json()["code"] == "no_collector"


def keep(rig: Rig, number: int, line: str, **more: Any) -> None:
    """Keep a revision whose gateway.yaml says ``line``."""
    head = Head(number, NOW, "li", f"why {number}", "apply", number - 1, **more)
    files = {"gateway.yaml": f"site: suzhou\n{line}\n".encode()}
    revisions_of(rig.context.site.directory).add(Revision(head, files))


async def test_any_two_revisions_are_compared_line_by_line(rig: Rig) -> None:
    for number, line in ((1, "clock: kernel"), (2, "clock: trusted"), (3, "clock: kernel")):
        keep(rig, number, line, in_force=number != 2)
    person = await rig.client(Role.MAINTENANCE)
    shown = (await person.get("/api/v1/revisions")).json()
    assert [(one["number"], one["why"]) for one in shown] == [
        (3, "why 3"),
        (2, "why 2"),
        (1, "why 1"),
    ]
    told = (await person.get("/api/v1/revisions/3/diff")).json()
    assert (told["against"], told["lines"], told["more"]) == (1, [], 0)  # 2 was never in force
    told = (await person.get("/api/v1/revisions/3/diff?against=2")).json()
    assert told["lines"][-2:] == ["-clock: trusted", "+clock: kernel"]
    told = (await person.get("/api/v1/revisions/1/diff")).json()
    assert (told["against"], told["lines"][-1]) == (0, "+clock: kernel")
    assert (await person.get("/api/v1/revisions/3/diff?against=9")).status_code == 404
    assert (
        await (await rig.client(Role.VIEWER)).get("/api/v1/revisions/3/diff")
    ).status_code == 403


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MAINTENANCE, Role.ENGINEER])
async def test_only_an_administrator_takes_or_restores_a_backup(rig: Rig, role: Role) -> None:
    person = await rig.client(role)
    assert (await person.get("/api/v1/backup")).status_code == 403
    answer = await person.post("/api/v1/restore", params={"why": "x"}, content=b"PK")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert rig.door.wishes == []
