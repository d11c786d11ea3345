from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.events import STREAMS
from gateway.domain.vocabulary import Json, stamp
from gateway.journal.row import Row
from gateway.wire import cloudevent
from gateway.wire.cloudevent import Envelope, Form, decode, encode, encode_snapshot, stamp_ms
from gateway.wire.error import WireError
from gateway.wire.topics import Place
from tests.support.clock import MORNING
from tests.unit.wire.test_topics import places

PRESS = Place("mg/v1", "suzhou", "stamping", "line-2", "press-03")
SOURCE = "/suzhou/gateways/gw-01"
EPOCH = "t5k2m0-9f3a"
LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

moments_ms = st.integers(0, LAST_MS)
data_objects = st.dictionaries(
    st.text(),
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
)
rows = st.builds(
    Row,
    seq=st.integers(1, 2**63 - 1),
    equipment=st.just("press-03"),
    type=st.sampled_from(STREAMS),
    part=st.just(""),
    streamseq=st.integers(1, 2**31 - 1),
    time_ms=moments_ms,
    recorded_ms=moments_ms,
    local=st.just(value=False),
    data=data_objects.map(orjson.dumps),
    epoch=st.from_regex(r"[0-9a-z]{6,8}-[0-9a-z]{4}", fullmatch=True),
)


def at(unix_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=unix_ms)


@given(rows, places, st.booleans())
def test_what_is_encoded_comes_back(row: Row, place: Place, replay: bool) -> None:
    payload = encode(row, source=SOURCE, place=place, epoch=row.epoch, replay=replay)
    assert decode(payload) == Envelope(
        id=f"{row.epoch}-{row.seq}",
        source=SOURCE,
        epoch=row.epoch,
        seq=row.seq,
        type=row.type,
        subject=place.subject,
        time=at(row.time_ms),
        recordedtime=at(row.recorded_ms),
        streamseq=row.streamseq,
        replay=replay,
        data=orjson.loads(row.data),
    )


@given(rows, places, st.text(min_size=1), st.text(min_size=1), st.booleans())
def test_what_is_filled_into_a_form_is_what_json_makes_of_all_of_it(
    row: Row, place: Place, source: str, epoch: str, replay: bool
) -> None:
    form = Form.of(row.type, source=source, place=place, epoch=epoch)
    assert form.fill(row, replay=replay) == orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"{epoch}-{row.seq}",
            "source": source,
            "type": f"millgate.{row.type}.v1",
            "subject": place.subject,
            "time": stamp(at(row.time_ms)),
            "recordedtime": stamp(at(row.recorded_ms)),
            "datacontenttype": "application/json",
            "dataschema": f"urn:millgate:{row.type}:1",
            "epoch": epoch,
            "streamseq": row.streamseq,
            "replay": replay,
            "data": orjson.Fragment(row.data),
        }
    )


@given(data_objects, st.integers(0, 2**63 - 1))
def test_a_snapshot_comes_back(data: Json, head_seq: int) -> None:
    until = MORNING + timedelta(minutes=10)
    payload = encode_snapshot(
        "status",
        data,
        head_seq=head_seq,
        source=SOURCE,
        place=PRESS,
        epoch=EPOCH,
        at=MORNING,
        valid_until=until,
    )
    envelope = decode(payload)
    assert envelope.id == f"{EPOCH}-{head_seq}.state"
    assert (envelope.type, envelope.seq, envelope.streamseq) == ("state.status", head_seq, 0)
    assert envelope.data == data | {"valid_until": stamp(until)}
    assert (envelope.time, envelope.replay) == (MORNING, False)


def test_data_leaves_as_the_journal_holds_it() -> None:
    data = b'{"b":1.50,"a":[1,2],"b":2}'
    row = Row(7, "press-03", "count", "", 3, 0, 0, local=False, data=data, epoch=EPOCH)
    assert data in encode(row, source=SOURCE, place=PRESS, epoch=EPOCH, replay=False)


@given(moments_ms)
def test_milliseconds_are_written_as_the_domain_writes_them(unix_ms: int) -> None:
    assert stamp_ms(unix_ms) == stamp(at(unix_ms))


@given(st.binary())
def test_noise_is_a_wire_error(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode(payload)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def good() -> Json:
    return {
        "specversion": "1.0",
        "id": f"{EPOCH}-5",
        "source": SOURCE,
        "type": "millgate.count.v1",
        "subject": PRESS.subject,
        "time": "2026-03-20T01:01:29.123Z",
        "recordedtime": "2026-03-20T09:01:29.123+08:00",
        "epoch": EPOCH,
        "streamseq": 1,
        "replay": False,
        "data": {},
    }


@given(st.sampled_from(sorted(good())), json_values)
def test_a_wrong_field_is_a_wire_error_or_still_well_formed(key: str, value: Any) -> None:
    try:
        assert isinstance(decode(orjson.dumps(good() | {key: value})), Envelope)
    except WireError:
        return


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("specversion", "0.3"),
        ("id", f"{EPOCH}-x"),
        ("id", f"{EPOCH}-5.state"),
        ("id", "other-epoch-5"),
        ("source", ""),
        ("type", "millgate.count.v2"),
        ("type", "other.count.v1"),
        ("time", "2026-03-20"),
        ("time", "2026-13-20T01:01:29Z"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("recordedtime", 5),
        ("streamseq", 0),
        ("streamseq", True),
        ("replay", 0),
        ("data", []),
    ],
)
def test_each_field_is_checked(key: str, value: object) -> None:
    with pytest.raises(WireError):
        decode(orjson.dumps(good() | {key: value}))


@pytest.mark.parametrize("key", sorted(set(good())))
def test_each_field_is_required(key: str) -> None:
    message = good()
    del message[key]
    with pytest.raises(WireError):
        decode(orjson.dumps(message))


def test_unknown_fields_are_ignored_and_times_are_utc() -> None:
    envelope = decode(orjson.dumps(good() | {"later": {"extension": True}}))
    assert envelope.recordedtime == envelope.time
    assert envelope.recordedtime.tzinfo is UTC


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"1", b'"x"', b"{}", b"[" * 100_000])
def test_no_object_no_event(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode(payload)


@dataclass(frozen=True)
class Bare:
    seq: int = 1
    type: str = "note"
    streamseq: int = 1
    time_ms: int = 0
    recorded_ms: int = 0
    data: bytes = b"{}"


def test_anything_with_the_fields_of_a_row_can_be_encoded() -> None:
    payload = encode(Bare(), source=SOURCE, place=PRESS, epoch=EPOCH, replay=True)
    assert decode(payload).type == "note"
    assert cloudevent.CONTENT_TYPE == "application/cloudevents+json"
