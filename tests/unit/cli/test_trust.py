"""`millgate opcua`, against a real server in a thread of its own."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.opcua.certificates import read_certificate
from gateway.cli.main import app
from gateway.cli.trust import certificate, trust
from gateway.settings.load import load
from gateway.settings.portable import portable
from gateway.settings.problems import ConfigProblems
from tests.support.config_site import GATEWAY, write_site
from tests.support.opcua_secure import SecureServer, der
from tests.support.opcua_secure import certificate as server_certificate

FREE_PORT = 9  # nobody listens there


class Served:
    """A server that runs while the commands run, each with a loop of its own."""

    def __init__(self) -> None:
        self.server = SecureServer({"count": 7})
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._do(self.server.start())

    def renew(self, name: str) -> None:
        self._do(self.server.stop())
        self.server.certificate = server_certificate(name)
        self._do(self.server.start())

    def close(self) -> None:
        self._do(self.server.stop())
        self._do(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def fingerprint(self) -> str:
        assert self.server.certificate is not None
        return read_certificate(der(self.server.certificate)).fingerprint

    def _do(self, what: object) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(20)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


def site(directory: Path, endpoint: str, *, security: object = "none") -> Path:
    link = {"protocol": "opcua", "endpoint": endpoint, "security": security}
    equipment = {
        "equipment": "press-07",
        "links": {"plc": link},
        "tags": {"run": {"node": "ns=2;s=count"}},
        "status": [{"state": "running", "when": "run"}],
    }
    files = {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": json.dumps(equipment)}
    return write_site(directory, files)


def trusted_in(directory: Path) -> list[Path]:
    return list((directory / "pki/trusted").glob("*.der"))


def never(_: str) -> str:
    raise AssertionError("nobody is to be asked")


def test_a_person_sees_the_certificate_and_says_yes(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = site(tmp_path, served.server.endpoint, security={})
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "y"

    assert trust(directory, "press-07.plc", ask=ask) == 0
    shown = capsys.readouterr().out
    for part in (served.fingerprint, "CN=plc", "127.0.0.1", "aes128-sha256-rsaoaep sign"):
        assert part in shown
    assert len(asked) == 1
    assert len(trusted_in(directory)) == 1
    assert trust(directory, served.server.endpoint, ask=never) == 0
    assert "trusted already" in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["n", "", "maybe"])
def test_anything_but_yes_trusts_nobody(answer: str, served: Served, tmp_path: Path) -> None:
    directory = site(tmp_path, served.server.endpoint, security={})
    assert trust(directory, "press-07.plc", ask=lambda _: answer) == 1
    assert trusted_in(directory) == []


def test_where_nobody_can_be_asked_nobody_is_trusted(served: Served, tmp_path: Path) -> None:
    directory = site(tmp_path, served.server.endpoint)

    def closed(_: str) -> str:
        raise EOFError

    assert trust(directory, "press-07.plc", ask=closed) == 1
    assert trusted_in(directory) == []


def test_a_script_gives_the_fingerprint(served: Served, tmp_path: Path) -> None:
    directory = site(tmp_path, served.server.endpoint)
    assert trust(directory, "press-07.plc", yes=True, ask=never) == 1
    assert trust(directory, "press-07.plc", yes=True, fingerprint="00" * 32, ask=never) == 1
    assert trusted_in(directory) == []
    pairs = ":".join(served.fingerprint[n : n + 2].lower() for n in range(0, 64, 2))
    assert trust(directory, "press-07.plc", yes=True, fingerprint=pairs, ask=never) == 0
    assert len(trusted_in(directory)) == 1


def test_a_renewed_certificate_is_said_to_have_changed(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = site(tmp_path, served.server.endpoint, security={})
    assert trust(directory, "press-07.plc", ask=lambda _: "y") == 0
    before = served.fingerprint
    served.renew("plc")
    capsys.readouterr()
    assert trust(directory, "press-07.plc", ask=lambda _: "是") == 0
    shown = capsys.readouterr().out
    assert "another certificate than the one trusted" in shown
    assert f"no longer trusted: CN=plc, SHA-256 {before}" in shown
    assert len(trusted_in(directory)) == 1


def test_who_is_unknown_or_away_is_said(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = site(tmp_path, served.server.endpoint)
    assert trust(directory, "press-08.plc", ask=never) == 1
    assert "press-07.plc" in capsys.readouterr().err
    assert trust(directory, f"opc.tcp://127.0.0.1:{FREE_PORT}", ask=never) == 1
    assert "refused" in capsys.readouterr().err
    assert trust(tmp_path / "none", "press-07.plc", ask=never) == 1


def test_what_is_not_offered_is_said_in_both_languages(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served.server.policies = served.server.policies[:2]
    served.renew("plc")
    directory = site(tmp_path, served.server.endpoint, security={"mode": "sign_and_encrypt"})
    assert trust(directory, "press-07.plc", ask=never) == 1
    said = capsys.readouterr().err
    assert "服务器不提供 basic256sha256 sign_and_encrypt" in said
    assert "it offers: none, basic256sha256 sign" in said


def test_our_certificate_is_made_shown_and_renewed_in_two_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = site(tmp_path, "opc.tcp://127.0.0.1:4840")
    assert certificate(directory) == 0
    shown = capsys.readouterr().out
    own = tmp_path / "pki/own/cert.der"
    assert str(own) in shown
    assert "urn:suzhou:millgate:gw-01" in shown
    assert "days left: 1824" in shown
    first = own.read_bytes()
    assert certificate(directory, activate=True) == 1
    assert certificate(directory, renew=True) == 0
    assert own.read_bytes() == first
    assert str(tmp_path / "pki/next/cert.der") in capsys.readouterr().out
    assert certificate(directory, activate=True) == 0
    assert own.read_bytes() != first
    write_site(directory, {"gateway.yaml": GATEWAY.replace("gw-01", "gw-02")})
    capsys.readouterr()
    assert certificate(directory) == 0
    assert "the configuration says urn:suzhou:millgate:gw-02" in capsys.readouterr().out


def test_the_command_line_leads_here(tmp_path: Path) -> None:
    directory = str(site(tmp_path, "opc.tcp://127.0.0.1:4840"))
    run = CliRunner().invoke
    assert "pki/own/cert.der" in run(app, ["opcua", "certificate", directory]).output
    assert run(app, ["opcua", "certificate", directory, "--activate"]).exit_code == 1
    refused = run(app, ["opcua", "trust", directory, "press-07.plc", "--yes"])
    assert refused.exit_code == 1
    assert "--fingerprint" in refused.output


def test_files_of_ours_that_cannot_be_used_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = site(tmp_path, "opc.tcp://127.0.0.1:4840")
    (tmp_path / "pki/own").mkdir(parents=True)
    assert certificate(directory) == 1
    assert "cert.der" in capsys.readouterr().err
    assert certificate(tmp_path / "none") == 1


def test_keys_and_passwords_stay_behind_when_a_site_travels(tmp_path: Path) -> None:
    equipment = site(tmp_path, "opc.tcp://127.0.0.1:4840", security={}) / "equipment/press-07.yaml"
    written = json.loads(equipment.read_text("utf-8"))
    written["links"]["plc"]["user"] = {"name": "joe", "password_file": "secrets/plc"}
    equipment.write_text(json.dumps(written), "utf-8")
    assert certificate(tmp_path) == 0
    found = portable(load(tmp_path))
    assert set(found.files) == {"gateway.yaml", "equipment/press-07.yaml"}
    assert found.left_out == ["pki/own/cert.der", "pki/own/key.pem", "secrets/plc"]
    assert found.secrets == ["secrets/plc"]


def test_a_link_knows_where_it_was_configured(tmp_path: Path) -> None:
    directory = site(tmp_path, "opc.tcp://127.0.0.1:4840", security={})
    write_site(directory, {"gateway.yaml": GATEWAY + "pki: /var/lib/millgate/pki\n"})
    found = load(directory)
    assert found.links["press-07.plc"].settings.home == found.home
    assert found.home.keys == Path("/var/lib/millgate/pki")
    assert (found.home.site, found.home.gateway) == ("suzhou", "gw-01")


def test_check_warns_of_what_needs_a_hand_and_makes_nothing(tmp_path: Path) -> None:
    directory = site(tmp_path, "opc.tcp://127.0.0.1:4840", security={})
    (warning,) = load(directory).warnings
    assert (warning.code, warning.severity) == ("opcua_none_trusted", "warning")
    assert warning.key == "links.plc"
    assert not (tmp_path / "pki").exists()
    with pytest.raises(ConfigProblems, match="unknown key 'trust'"):
        load(site(tmp_path, "opc.tcp://127.0.0.1:4840", security={"trust": "all"}))
