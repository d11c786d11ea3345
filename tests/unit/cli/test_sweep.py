"""`millgate scan --network`: nothing before a person agreed."""

import io

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.sweep import run


@pytest.mark.parametrize("answer", ["n", "", None])
def test_anything_but_yes_searches_nothing(
    answer: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(_: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    assert run("127.0.0.1", rate=100, ask=ask) == 1
    captured = capsys.readouterr()
    assert "nothing was looked for" in captured.err
    assert captured.out == ""


def test_who_agrees_gets_an_answer() -> None:
    out = io.StringIO()
    run("127.0.0.0/30", rate=100, ask=lambda _: "y", as_json=True, out=out)
    assert isinstance(orjson.loads(out.getvalue())["hosts"], list)


def test_a_network_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plant", rate=10, yes=True) == 1
    assert "192.168.1.0/24" in capsys.readouterr().err


def test_something_must_be_named() -> None:
    assert CliRunner().invoke(app, ["scan"]).exit_code == 2
