"""What `millgate verify` prints, and how it ends."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.cli.verify import run
from gateway.ops.mqtt_terms import BrokerSettings
from gateway.verify.verifier import Heard
from tests.support.broker import Broker, broker
from tests.support.ports import free_port
from tests.unit.verify.test_verifier import online, spoiled

__all__ = ["broker"]


@contextmanager
def retained(broker: Broker, heard: Heard) -> Iterator[None]:
    """Leave one message at the broker."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="gw-01", protocol=MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish(heard.topic, heard.payload, 1, retain=True).wait_for_publish(5)
    try:
        yield
    finally:
        client.disconnect()
        client.loop_stop()


def verified(
    broker: Broker, heard: Heard, *, lang: str = "both", json: bool = False
) -> tuple[int, str]:
    out = io.StringIO()
    with retained(broker, heard):
        code = run(BrokerSettings(port=broker.port), seconds=0.3, lang=lang, json=json, out=out)
    return code, out.getvalue()


def test_all_as_agreed(broker: Broker) -> None:
    code, text = verified(broker, online())
    assert code == 0
    assert text.splitlines() == [
        "1 个网关，0 台设备，1 条报文，其中 0 个事件：全部符合约定",
        "gateways: 1, equipment: 0, messages: 1, events: 0; all as agreed",
    ]


def test_a_violation_is_shown_in_both_languages(broker: Broker) -> None:
    code, text = verified(broker, spoiled(online(), session=0))
    assert code == 1
    assert "报文不符合格式 / the message does not fit its schema" in text
    assert "mg/v1/suzhou/_gateways/gw-01/online" in text
    assert "$.session is less than 1" in text
    assert "2 处不合约定" in text
    assert text.splitlines()[-1].endswith("2 violations")


def test_one_language(broker: Broker) -> None:
    _, text = verified(broker, spoiled(online(), session=0), lang="en")
    assert not any("\u4e00" <= c <= "\u9fff" for c in text)


def test_json_for_programs(broker: Broker) -> None:
    code, text = verified(broker, spoiled(online(), session=0), json=True)
    document = orjson.loads(text)
    assert (code, document["ok"], document["messages"]) == (1, False, 1)
    assert [one["code"] for one in document["findings"]] == ["schema", "silent"]


def test_a_broker_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(BrokerSettings(port=free_port()), seconds=1) == 2
    assert "the broker cannot be watched" in capsys.readouterr().err
