"""Every sentence exists in both languages, and none exists that nobody says."""

import re
from pathlib import Path
from string import Formatter

import pytest

from drivers.contract import CAUSES, BadSetting
from drivers.modbus.probe import _CAUSES, _OPENING_HINTS
from drivers.opcua.probe import _CAUSES as OPCUA_CAUSES
from drivers.probed import Said, Step
from gateway.commission.network import _CAUSES as NETWORK_CAUSES
from gateway.commission.probe import cause_of
from gateway.commission.texts import SENTENCES, STEPS, next_of, sentence

ROOT = Path(__file__).parents[3]
SPOKEN = re.compile(r"""(?:Said|NoTarget)\(\s*f?"([a-z_]+)["{]""")
CHINESE = re.compile("[\u3400-\u9fff]")


def sources() -> str:
    folders = ("drivers", "gateway/commission", "gateway/cli")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in files if "texts" not in path.name)


def spoken() -> set[str]:
    """Every code that may be said, the ends of those that are put together included."""
    written = {code for code in SPOKEN.findall(sources()) if not code.endswith("_")}
    chosen = {"address_beside", "namespace_absent", "only_modbus"}
    pairs = {code for pair in OPCUA_CAUSES.values() for code in pair}
    ports = {f"try_{code}" for code in _CAUSES.values() if code.startswith("port_")}
    causes = {f"cause_{word}" for word in CAUSES}
    listed = {*_CAUSES.values(), *_OPENING_HINTS.values(), *NETWORK_CAUSES.values()}
    either = {"try_line", "try_unit", "on_the_cable", "not_on_the_cable"}
    return written | chosen | pairs | ports | causes | listed | either | {"try_connection"}


def test_every_code_that_is_said_has_a_sentence() -> None:
    assert spoken() - set(SENTENCES) == set()


def test_no_sentence_is_never_said() -> None:
    text = sources()
    silent = {code for code in set(SENTENCES) - spoken() if f'"{code}"' not in text}
    assert silent == set()


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_both_languages_say_the_same(code: str) -> None:
    message = SENTENCES[code]
    assert message.zh
    assert message.en
    if code != "driver_error":
        assert CHINESE.search(message.zh)
    assert not CHINESE.search(message.en)
    assert _fields(message.zh) - {"reason_zh"} <= _fields(message.en)
    assert _fields(message.en) - {"reason"} <= _fields(message.zh)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_step_has_a_name_in_both_languages() -> None:
    named = set(re.findall(r'(?:Step|_step|_told)\(\s*"([a-z_]+)"', sources()))
    assert named | {"port", "tls", "dial_in"} == set(STEPS)
    assert all(CHINESE.search(one["zh"]) and one["en"] for one in STEPS.values())


def test_a_refusal_of_settings_is_said_as_check_says_it() -> None:
    err = BadSetting("opcua_no_endpoint", "an endpoint looks like {x}", "a port", x="opc.tcp://")
    said = Said(err.code, {**err.fields, "reason": err.problem, "hint": err.hint})
    assert sentence(said)["en"] == "an endpoint looks like opc.tcp://"
    assert CHINESE.search(sentence(said)["zh"])
    (hint,) = next_of(Step("security", "none", 0.1, cause=said))
    assert hint["en"] == "a port"
    assert CHINESE.search(hint["zh"])


def test_a_code_nobody_knows_is_said_by_its_reason() -> None:
    said = Said("acme_wrong_colour", {"reason": "the lamp is blue"})
    assert sentence(said) == {"zh": "the lamp is blue", "en": "the lamp is blue"}


def test_what_a_server_says_cannot_break_a_line() -> None:
    said = Said("driver_error", {"reason": "bad\nnews\x1b[31m {x}"})
    assert (
        sentence(said)["en"] == "bad\N{REPLACEMENT CHARACTER}news\N{REPLACEMENT CHARACTER}[31m {x}"
    )


def test_a_bad_status_keeps_its_number() -> None:
    assert "0x80310000" in sentence(cause_of("bad_status:0x80310000"))["zh"]
