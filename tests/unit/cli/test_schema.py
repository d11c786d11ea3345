import orjson
import pytest

from gateway.cli.schema import run


def test_the_schema_of_the_configuration_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config") == 0
    document = orjson.loads(capsys.readouterr().out)
    assert {"gateway", "equipment", "link", "profile"} <= set(document["$defs"])


def test_the_schema_of_the_messages_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("events") == 0
    assert {"evt/status", "birth"} <= set(orjson.loads(capsys.readouterr().out))


def test_an_unknown_schema_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("weather") == 2
    assert "config" in capsys.readouterr().out
