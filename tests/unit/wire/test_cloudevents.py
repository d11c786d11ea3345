"""Every example event keeps the rules of CloudEvents, and the check of them finds breaches."""

from collections.abc import Callable

import orjson
import pytest
from cloudevents.core.exceptions import BaseCloudEventException

from gateway.domain.events import Event
from gateway.domain.snapshot import snapshots
from gateway.domain.state import EquipmentState
from gateway.domain.vocabulary import Json
from gateway.wire.cloudevent import encode, encode_snapshot
from tests.support.clock import MORNING
from tests.support.cloudevents_rules import check, check_envelope
from tests.support.examples import EXAMPLES
from tests.support.fake_journal import FakeJournal
from tests.unit.wire.test_cloudevent import EPOCH, PRESS, SOURCE


async def message(event: Event) -> bytes:
    journal = FakeJournal()
    journal.commit("press-03", event)
    (row,) = await journal.rows(0, 1)
    return encode(row, source=SOURCE, place=PRESS, epoch=EPOCH, replay=False)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
async def test_every_example_is_a_cloudevent(event: Event) -> None:
    check(f"evt/{event.type}", await message(event))


@pytest.mark.parametrize("kind", sorted(snapshots(EquipmentState.new("press-03"))))
def test_every_snapshot_is_one(kind: str) -> None:
    data = snapshots(EquipmentState.new("press-03"))[kind]
    payload = encode_snapshot(
        kind,
        data,
        head_seq=0,
        source=SOURCE,
        place=PRESS,
        epoch=EPOCH,
        at=MORNING,
        valid_until=MORNING,
    )
    check(f"state/{kind}", payload)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m.update(stream_seq=1),
        lambda m: m.update(averyveryverylongname=1),
        lambda m: m.update(streamseq=2**31),
        lambda m: m.update(sequence="7"),
        lambda m: m.update(ratio=0.5),
        lambda m: m.update(place={"line": "a"}),
        lambda m: m.update(subject=""),
        lambda m: m.update(id=""),
        lambda m: m.update(specversion="0.3"),
        lambda m: m.update(time="2026-03-20T09:01:29.123+08:00"),
        lambda m: m.update(dataschema="status"),
        lambda m: m.pop("type"),
    ],
)
async def test_a_breach_is_found(spoil: Callable[[Json], object]) -> None:
    content = orjson.loads(await message(EXAMPLES[0]))
    spoil(content)
    with pytest.raises((AssertionError, BaseCloudEventException, KeyError)):
        check_envelope(orjson.dumps(content))
