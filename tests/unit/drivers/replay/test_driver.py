import asyncio
import gzip
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drivers.clock import Clock
from drivers.contract import (
    BadReply,
    BadSetting,
    Batch,
    DriverError,
    Home,
    Misconfigured,
    TagRequest,
    Unreachable,
)
from drivers.replay import SPEC
from drivers.replay.driver import ReplayDriver, load
from drivers.replay.recording import Event, Failed, Opened, Unreadable
from tests.support.replay_rig import BEGAN, said, write_recording

RUN, PARTS = "press/run", "press/parts"
BOTH = frozenset({RUN, PARTS})


class Time:
    """Sleeping makes it pass."""

    def __init__(self) -> None:
        self.s = 1000.0

    def clock(self) -> Clock:
        return Clock(
            now=lambda: BEGAN + timedelta(days=30, seconds=self.s),
            mono_s=lambda: self.s,
            sleep=self.sleep,
        )

    async def sleep(self, s: float) -> None:
        self.s += s
        await asyncio.sleep(0)


@pytest.fixture
def now() -> Time:
    return Time()


def playing(
    path: Path,
    events: Sequence[Event],
    now: Time,
    *,
    end_s: float = 100.0,
    keys: Sequence[str] = (RUN, PARTS),
    **link: Any,
) -> ReplayDriver:
    file = path / "x.jsonl"
    write_recording(file, list(events), end_s)
    settings = SPEC.link_settings(file=str(file), **{"keepalive_s": 60.0, **link})
    tags = [TagRequest(key, "plc", None, SPEC.tag_settings()) for key in keys]
    return ReplayDriver(settings, tags, {}, now.clock())


async def batches(driver: ReplayDriver, count: int) -> list[Batch]:
    async with driver.open() as session:
        return [await session.read(driver.groups) for _ in range(count)]


FIRST = said(1.0, BOTH, changed={RUN: True, PARTS: 7}, rtt_s=0.25)
SECOND = said(5.0, BOTH, changed={PARTS: 8})


async def test_batches_come_when_they_came(tmp_path: Path, now: Time) -> None:
    driver = playing(tmp_path, [Opened(0), FIRST, SECOND], now)
    async with driver.open() as session:
        one = await session.read(driver.groups)
        assert now.s == 1001.0
        other = await session.read(driver.groups)
        assert now.s == 1005.0
    assert (one.changed, one.rtt_s) == ({RUN: True, PARTS: 7}, 0.25)
    assert (other.changed, other.covers) == ({PARTS: 8}, BOTH)
    assert one.covers is other.covers
    assert other.read_at == BEGAN + timedelta(days=30, seconds=1005)


async def test_speed_divides_the_waiting(tmp_path: Path, now: Time) -> None:
    await batches(playing(tmp_path, [FIRST, SECOND], now, speed=10), 2)
    assert now.s == pytest.approx(1000.5)


async def test_the_devices_stamps_keep_their_distance(tmp_path: Path, now: Time) -> None:
    stamped = said(
        1.0,
        BOTH,
        changed={RUN: True},
        source_times={RUN: BEGAN + timedelta(seconds=0.75)},
        time_quality="device",
    )
    (batch,) = await batches(playing(tmp_path, [stamped], now), 1)
    assert batch.source_times == {RUN: batch.read_at - timedelta(seconds=0.25)}
    assert batch.time_quality == "device"


async def test_silence_of_a_session_that_was_well_is_a_sign_of_life(
    tmp_path: Path, now: Time
) -> None:
    bad = said(0.0, BOTH, changed={RUN: True}, bad={PARTS: "illegal_address"})
    found = await batches(playing(tmp_path, [bad], now, keepalive_s=10), 3)
    assert now.s == 1020.0
    assert [batch.changed for batch in found[1:]] == [{}, {}]
    assert all(batch.bad == {PARTS: "illegal_address"} for batch in found)
    assert found[1].covers is found[2].covers


async def test_a_recorded_outage_is_one(tmp_path: Path, now: Time) -> None:
    lost = Failed(2.0, "BadReply", "short", "look at the cable")
    again = Failed(4.0, "Unreachable", "refused")
    back = said(9.0, BOTH, changed={RUN: False, PARTS: 9})
    driver = playing(tmp_path, [Opened(0), FIRST, lost, again, Opened(8.0), back], now)
    with pytest.raises(BadReply) as caught:
        await batches(driver, 2)
    assert (caught.value.reason, caught.value.hint) == ("short", "look at the cable")
    assert now.s == 1002.0
    now.s = 1005.0
    with pytest.raises(Unreachable, match="refused"):
        await batches(driver, 1)
    now.s = 1010.0
    (batch,) = await batches(driver, 1)
    assert batch.changed == {RUN: False, PARTS: 9}


async def test_a_session_in_the_middle_lists_what_was_known(tmp_path: Path, now: Time) -> None:
    driver = playing(tmp_path, [FIRST, SECOND, said(9.0, BOTH, changed={RUN: False})], now)
    await batches(driver, 1)
    now.s = 1006.0
    first, second = await batches(driver, 2)
    assert first.changed == {RUN: True, PARTS: 8}
    assert second.changed == {RUN: False}


async def test_no_covering_vouches_for_what_was_not_listed(tmp_path: Path, now: Time) -> None:
    silent = said(1.0, BOTH, changed={RUN: True})
    (batch,) = await batches(playing(tmp_path, [silent], now), 1)
    assert batch.covers == {RUN}


async def test_a_tag_that_was_not_recorded_is_bad(tmp_path: Path, now: Time) -> None:
    driver = playing(tmp_path, [FIRST], now, keys=[RUN, "press/new"])
    first, second = await batches(driver, 2)
    assert first.bad == {"press/new": "illegal_address"}
    assert second.changed == {RUN: True}


async def test_a_refused_read_leaves_the_session(tmp_path: Path, now: Time) -> None:
    driver = playing(tmp_path, [FIRST, Failed(2.0, "Rejected", "busy"), SECOND], now)
    _, refused, after = await batches(driver, 3)
    assert refused.bad == {RUN: "device_refused", PARTS: "device_refused"}
    assert after.changed == {PARTS: 8}


async def test_at_the_end_the_device_is_gone(tmp_path: Path, now: Time) -> None:
    driver = playing(tmp_path, [FIRST], now, end_s=3.0)
    for _ in range(2):
        with pytest.raises(Unreachable, match="ended"):
            await batches(driver, 2)
    assert now.s == 1003.0


async def test_a_loop_begins_again(tmp_path: Path, now: Time) -> None:
    driver = playing(tmp_path, [FIRST, SECOND], now, end_s=6.0, loop=True)
    found = await batches(driver, 5)
    assert [batch.changed.get(PARTS) for batch in found] == [7, 8, 7, 8, 7]
    assert now.s == 1013.0
    (again,) = await batches(driver, 1)
    assert again.changed == {RUN: True, PARTS: 7}


async def test_one_recorded_tag_may_play_several(tmp_path: Path, now: Time) -> None:
    driver = playing(tmp_path, [FIRST], now)
    tags = [TagRequest(k, "plc", None, SPEC.tag_settings(recorded=PARTS)) for k in ("a/x", "b/x")]
    driver = ReplayDriver(driver.settings, tags, {}, now.clock())
    (batch,) = await batches(driver, 1)
    assert batch.changed == {"a/x": 7, "b/x": 7}


@pytest.mark.parametrize("content", [b"HTTP/1.0 400\r\n", b"\xff\xfe\x00", b""])
async def test_what_is_no_recording_needs_somebody(
    tmp_path: Path, now: Time, content: bytes
) -> None:
    driver = playing(tmp_path, [], now)
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(Misconfigured, match="recording"):
        await batches(driver, 1)
    (tmp_path / "x.jsonl").unlink()
    with pytest.raises(DriverError, match="No such file"):
        await batches(driver, 1)


def test_a_packed_recording_without_its_end_is_read(tmp_path: Path) -> None:
    plain, packed = tmp_path / "x.jsonl", tmp_path / "x.jsonl.gz"
    write_recording(plain, [FIRST, SECOND], 6.0)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert load(packed) == load(plain)
    parts = plain.read_bytes().splitlines(keepends=True)
    whole = b"".join(gzip.compress(part) for part in parts[:3])
    packed.write_bytes(whole + gzip.compress(parts[3])[:-6])
    assert load(packed).events[0] == load(plain).events[0]


def test_a_recording_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recording(tmp_path / "x.jsonl", [FIRST, SECOND], 6.0)
    monkeypatch.setattr("drivers.replay.driver.MAX_CHARACTERS", 100)
    with pytest.raises(Unreadable, match="more than"):
        load(tmp_path / "x.jsonl")


def test_the_file_lies_where_the_configuration_says(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path, "suzhou", "gw-01", lambda name: tmp_path / name)
    settings = SPEC.link_settings.model_validate({"file": "case.jsonl"}, context=home)
    assert SPEC.endpoint_of(settings) == str(tmp_path / "case.jsonl")
    with pytest.raises(ValueError, match="jsonl") as caught:
        SPEC.link_settings(file="case.csv")
    assert isinstance(caught.value.errors()[0]["ctx"]["error"], BadSetting)  # type: ignore[attr-defined]


def test_the_settings_of_the_device_may_stay() -> None:
    assert SPEC.tag_settings(address="D200", type="uint32").recorded is None
    assert SPEC.tag_settings.model_json_schema()["additionalProperties"] is False
