import json

import pytest

from gateway.settings import words
from gateway.settings.model import GatewayFile, SqlStoreFile
from gateway.settings.problems import Report
from gateway.settings.validation import validate
from gateway.settings.words import Strict
from gateway.settings.yaml_source import parse
from gateway.wire import topics

GATEWAY = "site: suzhou\ngateway: gw-01\ntimezone: Asia/Shanghai\n"


def codes(model: type[Strict], text: str) -> list[str]:
    report = Report()
    node = parse(text.encode(), "a.yaml", report)
    assert node is not None
    validate(model, node, report)
    return [f"{p.key} {p.code}" for p in report.problems]


def gateway(text: str = "") -> GatewayFile:
    report = Report()
    node = parse((GATEWAY + text).encode(), "a.yaml", report)
    assert node is not None
    file = validate(GatewayFile, node, report)
    assert file is not None, report.problems
    return file


def test_three_lines_are_a_gateway() -> None:
    file = gateway()
    assert (file.mqtt.host, file.mqtt.port, file.mqtt.root) == ("127.0.0.1", 1883, "mg/v1")
    assert (file.mqtt.protocol, file.mqtt.window, file.mqtt.max_rate_per_s) == ("5", 50, 5000)
    assert file.journal.path == "data/journal.db"
    assert (file.journal.max_bytes, file.journal.readings_max_bytes) == (2**32, 2**31)
    assert file.historian.stores == (SqlStoreFile(kind="sql"),)
    assert (file.web.host, file.web.port) == ("127.0.0.1", 8080)


@pytest.mark.parametrize(("written", "meant"), [("5", "5"), ('"5"', "5"), ("3.1.1", "3.1.1")])
def test_the_protocol_may_be_written_with_and_without_quotes(written: str, meant: str) -> None:
    assert gateway(f"mqtt: {{protocol: {written}}}\n").mqtt.protocol == meant


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mqtt: {protocol: 4}", "mqtt.protocol not_one_of"),
        ("mqtt: {port: '1883'}", "mqtt.port not_integer"),
        ("mqtt: {port: true}", "mqtt.port not_integer"),
        ("mqtt: {port: 1.5}", "mqtt.port not_integer"),
        ("mqtt: {root: /mg}", "mqtt.root bad_pattern"),
        ("mqtt: {root: 'mg/#'}", "mqtt.root bad_pattern"),
        ("mqtt: {password_file: a}", "mqtt password_without_user"),
        ("mqtt: {password: a}", "mqtt.password unknown_key_guess"),
        ("mqtt: {tls: {cert_file: a}}", "mqtt.tls key_without_certificate"),
        ("journal: {max_bytes: 20000000}", "journal readings_exceed_journal"),
        ("journal: {heartbeat_s: .nan}", "journal.heartbeat_s not_finite"),
        ("historian: {stores: []}", "historian.stores too_short"),
        ("historian: {stores: [{kind: x}]}", "historian.stores[0].kind not_one_of"),
        ("historian: {stores: [{url: x}]}", "historian.stores[0].kind missing"),
        ("historian: {stores: [{kind: influxdb}]}", "historian.stores[0].url missing"),
        ("historian: {stores: [{kind: sql, url: x}]}", "historian.stores[0].url bad_url"),
        (
            "historian: {stores: [{kind: sql, url: 'pg://a:b@c/d'}]}",
            "historian.stores[0].url secret_in_url",
        ),
        (
            "historian: {stores: [{kind: sql, url: 'pg://c/d?password=x'}]}",
            "historian.stores[0].url secret_in_url",
        ),
        ("historian: {stores: [{kind: sql, url: 'pg://[/'}]}", "historian.stores[0].url bad_url"),
        (
            "historian: {stores: [{kind: sql, url: 'pg:c/d'}]}",
            "historian.stores[0].url bad_url",
        ),
        ("mqtt: {port: 1884, brokers: [{host: a}]}", "mqtt broker_beside_brokers"),
        ("mqtt: {brokers: [{host: a, root: x}]}", "mqtt.brokers[0].root unknown_key"),
        ("mqtt: {brokers: [{password_file: a}]}", "mqtt.brokers[0] password_without_user"),
        ("historian: {topics: [stamping/#]}", "historian topics_without_name"),
        ("historian: {name: a, topics: ['#']}", "historian.topics[0] bad_place_filter"),
        ("historian: {name: a, topics: [a/b/c/d]}", "historian.topics[0] bad_place_filter"),
        ("historian: {enabled: no}", "historian.enabled not_boolean"),
        ("web: {host: board.example}", "web.host not_an_address"),
        ("web: {cert_file: board.pem}", "web key_without_certificate"),
        ("web: 8080", "web not_mapping"),
    ],
)
def test_gateway_problem(text: str, problem: str) -> None:
    assert codes(GatewayFile, GATEWAY + text) == [problem]


@pytest.mark.parametrize(
    ("host", "is_open"),
    [
        ("127.0.0.1", False),
        ("127.0.0.5", False),
        ("localhost", False),
        ('"::1"', False),
        ("0.0.0.0", True),  # noqa: S104
        ("192.168.1.9", True),
    ],
)
def test_the_screens_may_listen_on_an_address(host: str, *, is_open: bool) -> None:
    web = gateway(f"web: {{host: {host}}}\n").web
    assert (web.host, web.is_open) == (host.strip('"'), is_open)


def test_what_must_be_there() -> None:
    assert codes(GatewayFile, "mqtt: {}") == [
        "gateway missing",
        "site missing",
        "timezone missing",
    ]


def test_one_broker_may_stand_alone_and_several_in_order() -> None:
    assert [one.port for one in gateway("mqtt: {port: 1884}\n").mqtt.in_order] == [1884]
    several = gateway("mqtt: {root: x/y, brokers: [{host: a}, {host: b, port: 8883, tls: {}}]}\n")
    assert [(one.host, one.port) for one in several.mqtt.in_order] == [("a", 1883), ("b", 8883)]


def test_a_filter_of_places_is_what_topics_understand() -> None:
    assert words.PLACE_FILTER == topics.PLACE_FILTER
    file = gateway("historian: {name: hall-a, topics: [stamping/#, +/+/oven-1, _/_/x]}\n")
    assert file.historian.topics == ("stamping/#", "+/+/oven-1", "_/_/x")


PUSH = {"name": "mes", "url": "https://mes.example/facts", "secret_file": "secrets/mes"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "Mes"}, "push[0].name bad_name"),
        ({"url": "ftp://mes"}, "push[0].url bad_push_url"),
        ({"url": "http://"}, "push[0].url bad_push_url"),
        ({"url": "https://a:b@mes"}, "push[0].url secret_in_url"),
        ({"types": ["states"]}, "push[0].types[0] not_one_of"),
        ({"flat": {"qty": "delta"}}, "push[0].flat.qty bad_event_path"),
        ({"flat": {"all": "data"}}, "push[0].flat.all bad_event_path"),
        ({"flat": {"id": "id.x"}}, "push[0].flat.id bad_event_path"),
        ({"max_events": 0}, "push[0].max_events too_small"),
        ({"backlog": "all"}, "push[0].backlog not_one_of"),
        ({"secret_file": None}, "push[0].secret_file not_string"),
    ],
)
def test_push_problem(changes: dict[str, object], problem: str) -> None:
    text = f"push: {json.dumps([PUSH | changes])}\n"
    assert codes(GatewayFile, GATEWAY + text) == [problem]


def test_two_push_targets_have_two_names() -> None:
    assert codes(GatewayFile, f"{GATEWAY}push: {json.dumps([PUSH, PUSH])}\n") == ["push push_twice"]
    flat = {"qty": "data.delta", "order_no": "data.order.order_no", "machine": "equipment"}
    both = json.dumps([PUSH | {"flat": flat}, PUSH | {"name": "second", "types": ["count"]}])
    first, second = gateway(f"push: {both}\n").push
    assert (dict(first.flat), second.types) == (flat, ("count",))
