"""Which broker the demo takes, and what it says when there is none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.demo import broker as brokers
from gateway.demo.broker import Broker, Choice, broker
from gateway.demo.errors import DemoError
from gateway.ops.mqtt_link import connect
from gateway.ops.mqtt_terms import BrokerSettings, Session
from tests.support.ports import free_port


@pytest.fixture
def without_mosquitto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "_mosquitto", lambda: None)


@pytest.fixture
def without_amqtt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "find_spec", lambda _name: None)


async def taken(choice: Choice, directory: Path) -> Broker:
    """Return the broker that runs; it must let a client in with the protocol it names."""
    async with broker(directory, choice) as running:
        settings = BrokerSettings(port=running.port, protocol=running.protocol)
        async with connect(settings, Session(client_id="guest")):
            return running


@pytest.mark.parametrize("choice", ["auto", "mosquitto"])
async def test_mosquitto_where_it_is_installed(choice: Choice, tmp_path: Path) -> None:
    running = await taken(choice, tmp_path)
    assert (running.kind, running.protocol) == ("mosquitto", "5")


async def test_amqtt_where_it_was_chosen(tmp_path: Path) -> None:
    running = await taken("amqtt", tmp_path)
    assert (running.kind, running.protocol) == ("amqtt", "3.1.1")


@pytest.mark.usefixtures("without_mosquitto")
async def test_amqtt_where_mosquitto_is_missing(tmp_path: Path) -> None:
    assert (await taken("auto", tmp_path)).kind == "amqtt"


@pytest.mark.usefixtures("without_mosquitto", "without_amqtt")
@pytest.mark.parametrize(
    ("choice", "advice"),
    [
        ("auto", "install mosquitto, or pip install millgate[demo]"),
        ("mosquitto", "--broker amqtt"),
        ("amqtt", "--broker mosquitto"),
    ],
)
async def test_a_missing_one_is_named(choice: Choice, advice: str, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=advice.replace("[", r"\[")) as caught:
        await taken(choice, tmp_path)
    assert "请" in str(caught.value) or "或" in str(caught.value)


@pytest.mark.parametrize("choice", ["mosquitto", "amqtt"])
async def test_it_listens_where_it_was_told_to(choice: Choice, tmp_path: Path) -> None:
    port = free_port()
    async with broker(tmp_path, choice, port=port) as running:
        assert running.port == port
        async with connect(
            BrokerSettings(port=port, protocol=running.protocol), Session(client_id="guest")
        ):
            pass


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async with broker(tmp_path) as running:
        with pytest.raises(DemoError, match=f"port {running.port} cannot be used"):
            async with broker(tmp_path, port=running.port):
                pass


@pytest.mark.parametrize("choice", ["mosquitto", "amqtt"])
async def test_a_port_somebody_else_took_meanwhile_is_left_to_him(
    choice: Choice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    async with broker(tmp_path / "other") as other:
        monkeypatch.setattr(brokers, "_free_port", _next_of([other.port, free_port()]))
        running = await taken(choice, tmp_path)
    assert running.port != other.port


def _next_of(ports: list[int]) -> Callable[[int], int]:
    return lambda _wanted: ports.pop(0)
