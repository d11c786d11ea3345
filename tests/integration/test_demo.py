"""The demo, as a person starts it, and what a consumer beside it sees on the broker."""

import asyncio
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from paho.mqtt.client import MQTTMessage

from gateway.wire.schema import schemas
from gateway.wire.topics import EquipmentTopic, parse_topic
from simulators.audit import audit
from tests.support import cloudevents_rules
from tests.support.demo_process import Demo, demo
from tests.support.mqtt_consumer import consuming
from tests.support.until import until

# The limit: on a busy machine the demo's start alone takes a while.
pytestmark = [pytest.mark.timeout(900), pytest.mark.alone]

SECONDS = 8.0
HEARTBEAT_S = 0.25  # the demo's poll interval is its heartbeat
AT_ONCE_S = 20.0
LATE_S = 2.0  # a busy machine, as the demo itself allows for it
KEYS = [
    *("equipment", "links_online", "events_journaled", "events_published", "events_stored"),
    *("missing", "duplicated", "wrong", "parts_observable", "parts_stored"),
    *("states_observable", "states_stored", "uncovered", "broker"),
]
CHECKER = Draft202012Validator.FORMAT_CHECKER
VALIDATORS = {
    name: Draft202012Validator(schema, format_checker=CHECKER) for name, schema in schemas().items()
}


@dataclass
class Shown:
    """A demo that is over, what was heard all the while, and what a late consumer got."""

    demo: Demo
    heard: Sequence[MQTTMessage]
    late: dict[str, bytes]

    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(one.payload) for one in self.heard if "/evt/" in one.topic]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return asyncio.run(_watched(tmp_path_factory.mktemp("demo")))


async def _watched(directory: Path) -> Shown:
    async with demo(directory, "--broker=mosquitto", seconds=SECONDS) as running:
        port = await running.broker_port()
        with consuming(port, "mg/v1/#", client_id="early") as early:
            everyone = len(running.site.equipment)
            states = "SELECT 1 FROM event WHERE type = 'status' GROUP BY equipment"
            await until(lambda: len(running.query(states)) == everyone, timeout_s=90)
            with consuming(port, "mg/v1/#", client_id="late") as late:
                wanted = _expected_at_once(running)
                await until(lambda: wanted <= late.retained().keys(), timeout_s=AT_ONCE_S)
            await running.end(SECONDS)
            await until(early.cut_off.is_set)
    return Shown(running, tuple(early.messages), late.retained())


def _expected_at_once(running: Demo) -> set[str]:
    """Every machine's state and dictionary, and what its gateway says of itself."""
    expected = {f"mg/v1/demo/_gateways/gw-01/{kind}" for kind in ("online", "birth", "health")}
    for name, config in running.site.equipment.items():
        place = f"mg/v1/demo/{config.area}/{config.line}/{name}"
        expected |= {f"{place}/state/status", f"{place}/birth"}
    return expected


def _judge(ended: Demo, broker: str) -> None:
    """It ended well, and its last line says what the files it left say."""
    assert (ended.code, ended.complaints) == (0, "")
    line = ended.last_line
    assert list(line) == KEYS
    assert line["broker"] == broker
    assert line["equipment"] == len(ended.site.equipment) == len(ended.truth["machines"])
    assert line["links_online"] == len(ended.site.links) > 1
    assert [line[key] for key in ("missing", "duplicated", "wrong", "uncovered")] == [0, 0, 0, 0]
    journaled = ended.query("SELECT COUNT(*) FROM event", "journal")
    stored = ended.query("SELECT COUNT(*), COUNT(DISTINCT source || id) FROM event")
    assert journaled == [(line["events_journaled"],)]
    assert stored == [(line["events_stored"],) * 2]
    assert line["events_journaled"] == line["events_published"] == line["events_stored"] > 0
    assert line["parts_observable"] == line["parts_stored"] > 0
    assert line["states_observable"] == line["states_stored"] >= line["equipment"]


def test_it_ends_well_and_says_what_there_was(shown: Shown) -> None:
    _judge(shown.demo, "mosquitto")


async def test_without_mosquitto_too(tmp_path: Path) -> None:
    async with demo(tmp_path, "--broker=amqtt", seconds=SECONDS) as running:
        await running.end(SECONDS)
    assert running.site.gateway.mqtt.protocol == "3.1.1"
    _judge(running, "amqtt")


def test_every_message_is_one_of_the_contract(shown: Shown) -> None:
    seen = {_checked(message) for message in shown.heard}
    gateway = {"gateway/online", "gateway/birth", "gateway/health", "birth"}
    states = {f"state/{kind}" for kind in ("status", "counters", "faults", "health", "order")}
    events = {f"evt/{kind}" for kind in ("status", "count", "reading", "health")}
    assert gateway | states | events <= seen


def _checked(message: MQTTMessage) -> str:
    """Return the name of the schema the message has been held against."""
    topic = parse_topic("mg/v1", message.topic)
    content = orjson.loads(message.payload)
    assert message.qos == 1
    if not isinstance(topic, EquipmentTopic):
        name = topic.kind if topic.kind == "reply" else f"gateway/{topic.kind}"
    elif topic.kind in {"evt", "state"}:
        name = f"{topic.kind}/{topic.name}"
        assert content["subject"] == topic.place.subject
        content_type = getattr(message.properties, "ContentType", None)
        assert content_type == "application/cloudevents+json"
        assert topic.part == content["data"].get("group", "")
    else:
        name = topic.kind
    VALIDATORS[name].validate(content)
    return name


def test_a_late_consumer_gets_everything_at_once(shown: Shown) -> None:
    assert {topic for topic in shown.late if "/evt/" in topic} == set()
    states = {topic: orjson.loads(text) for topic, text in shown.late.items() if "/state/" in topic}
    status = [one["data"]["state"] for topic, one in states.items() if topic.endswith("/status")]
    assert len(status) == len(shown.demo.site.equipment)
    assert orjson.loads(shown.late["mg/v1/demo/_gateways/gw-01/online"])["online"] is True


def test_it_says_goodbye_last(shown: Shown) -> None:
    last = shown.heard[-1]
    assert last.topic == "mg/v1/demo/_gateways/gw-01/online"
    assert orjson.loads(last.payload)["online"] is False


def test_each_event_has_an_identity_of_its_own(shown: Shown) -> None:
    """One that was sent again, because the historian asked, is the same and says so."""
    facts: dict[tuple[str, str], dict[str, Any]] = {}
    for event in shown.events():
        replay = event.pop("replay")
        identity = (event["source"], event["id"])
        assert replay or identity not in facts
        assert facts.setdefault(identity, event) == event
    first = min(int(id_.rpartition("-")[2]) for _, id_ in facts)  # it may have begun before us
    stored = shown.demo.query(f"SELECT source, id FROM event WHERE seq >= {first}")  # noqa: S608
    assert facts.keys() == set(stored)


def test_the_events_of_each_stream_are_numbered_without_a_hole(shown: Shown) -> None:
    streams: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for event in shown.events():
        numbers = streams[event["epoch"], event["subject"], event["type"]]
        if event["streamseq"] not in numbers:  # else it was sent again
            numbers.append(event["streamseq"])
    assert len(streams) > len(shown.demo.site.equipment)
    for numbers in streams.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_the_files_it_leaves_can_be_audited_again(shown: Shown) -> None:
    assert (
        audit(shown.demo.truth, shown.demo.store, heartbeat_s=HEARTBEAT_S, late_s=LATE_S).problems
        == []
    )


@pytest.mark.parametrize("table", ["count_event", "event"])
def test_the_audit_misses_one_row(shown: Shown, table: str, tmp_path: Path) -> None:
    store = tmp_path / "history.db"
    shutil.copy(shown.demo.store, store)
    assert audit(shown.demo.truth, store, heartbeat_s=HEARTBEAT_S, late_s=LATE_S).ok
    _delete_one_count(store, table)
    report = audit(shown.demo.truth, store, heartbeat_s=HEARTBEAT_S, late_s=LATE_S)
    assert report.missing
    assert not report.ok


async def test_it_ends_with_no_when_a_row_is_gone(tmp_path: Path) -> None:
    async with demo(tmp_path, seconds=5) as running:
        counted = "SELECT 1 FROM count_event WHERE delta > 0 AND unit = '1' GROUP BY equipment"
        await until(lambda: running.query(f"{counted} HAVING COUNT(*) > 1"), timeout_s=90)
        await asyncio.to_thread(_delete_one_count, running.store, "count_event")
        await running.end(5)
    assert running.code == 1
    assert running.last_line["missing"] >= 1
    assert running.last_line["parts_stored"] < running.last_line["parts_observable"]
    assert "audit: " in running.complaints


def _delete_one_count(store: Path, table: str) -> None:
    """Take one row away that booked parts and is not the newest of its stream."""
    with closing(sqlite3.connect(store, timeout=10)) as connection, connection:
        (id_,) = connection.execute(
            "SELECT id FROM count_event AS one WHERE delta > 0 AND unit = '1' AND EXISTS"
            " (SELECT 1 FROM count_event WHERE equipment = one.equipment AND seq > one.seq)"
            " ORDER BY seq LIMIT 1"
        ).fetchone()
        connection.execute(f"DELETE FROM {table} WHERE id = ?", (id_,))  # noqa: S608 - ours


def test_every_message_keeps_the_rules_of_cloudevents(shown: Shown) -> None:
    checked = set()
    for one in shown.heard:
        if one.payload and "/selftest" not in one.topic:
            name = cloudevents_rules.schema_name("mg/v1", one.topic)
            cloudevents_rules.check(name, bytes(one.payload))
            checked.add(name)
    assert {"evt/status", "evt/count", "evt/reading", "state/status", "birth"} <= checked
