"""A full disk takes from the screens what they would keep, not what they show."""

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.web.access import login
from gateway.web.access.gate import PAIR
from gateway.web.access.in_force import still_in_force
from gateway.web.access.roles import Role
from tests.support.small_disk import fill, small_disk
from tests.support.web import PASSWORD, web_rig

ROOM_BYTES = 4_000_000


@pytest.mark.fault(
    12,
    injection="the disk of web.db is full for ten hours while people and a television look",
    expectation="they go on; what has to be kept is refused with 503 no_room, and goes again after",
)
async def test_on_a_full_disk_who_looks_is_answered(tmp_path: Path) -> None:
    with small_disk(tmp_path, ROOM_BYTES) as place:
        async with web_rig(place) as rig:
            viewer, admin = await rig.client(Role.VIEWER), await rig.client(Role.ADMIN)
            television, stranger = await rig.client(), await rig.client()
            code = (await television.post(PAIR)).json()["code"]
            hall = {"name": "hall 1", "code": code}
            assert (await admin.post("/api/v1/displays", json=hall)).status_code == 201
            assert (await television.post(PAIR)).json()["display"] is not None
            opened = await login.begin(rig.context, "viewer", "10.0.0.7")
            theirs = fill(place)
            for _ in range(10):
                rig.clock.pass_by(timedelta(hours=1))
                assert (await viewer.get("/api/v1/equipment")).status_code == 200
                assert (await television.post(PAIR)).json()["display"]["name"] == "hall 1"
                looking = await still_in_force(rig.context.store, {opened.caller}, rig.clock.now())
                assert looking == {opened.caller}  # what an open stream is asked
            log_in = {"name": "viewer", "password": PASSWORD}
            refused = await stranger.post("/api/v1/login", json=log_in)
            assert (refused.status_code, refused.json()["code"]) == (503, "no_room")
            body = {"name": "zhang.wei", "role": "viewer"}
            refused = await admin.post("/api/v1/users", json=body)
            assert (refused.status_code, refused.json()["title"]) == (503, "磁盘已满，无法保存")
            theirs.unlink()
            assert (await admin.post("/api/v1/users", json=body)).status_code == 201
            assert (await stranger.post("/api/v1/login", json=log_in)).status_code == 200
