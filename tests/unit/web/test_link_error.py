import pytest

from drivers.contract import BadSetting, DriverError, Hint, Misconfigured
from drivers.modbus import errors as modbus
from drivers.opcua import errors as opcua
from gateway.collect.deriver import error_of
from gateway.settings.messages_drivers import DRIVERS
from gateway.settings.messages_hints import LINK_HINTS
from gateway.web.link_error import with_advice

TABLES = (
    modbus.TCP_HINTS,
    modbus.GATEWAY_HINTS,
    modbus.TLS_HINTS,
    modbus.UDP_HINTS,
    modbus.SERIAL_HINTS,
    modbus.LISTEN_HINTS,
    opcua.HINTS,
)
HINTS = [hint for table in TABLES for hint in table.values()]


def test_every_hint_of_a_driver_is_said_in_chinese_and_nothing_else_is() -> None:
    assert {hint.code for hint in HINTS} | {"modbus_registrations_alike"} == set(LINK_HINTS)
    texts = {(hint.code, hint.text) for hint in HINTS}
    assert len(texts) == len({code for code, _ in texts})


@pytest.mark.parametrize("err", [ConnectionRefusedError(), modbus.Silence("nothing in 1 s")])
def test_what_to_try_comes_in_both_languages(err: Exception) -> None:
    told = with_advice(error_of(modbus.translate("10.0.0.7:502", err)))
    assert told is not None
    assert told["advice"] == {"zh": LINK_HINTS[told["code"]], "en": told["hint"]}


def test_what_a_setting_makes_impossible_is_said_with_its_values() -> None:
    said = BadSetting(
        "modbus_bare_number", "{text} is bare", "write hr:{number}", text="7", number=7, reference=8
    )
    told = with_advice(error_of(Misconfigured.of("10.0.0.7:502", "press/good", said)))
    assert told is not None
    wanted = DRIVERS["modbus_bare_number"].hint_zh.format(number=7, reference=8)
    assert told["advice"] == {"zh": wanted, "en": "write hr:7"}


@pytest.mark.parametrize(
    "err",
    [
        DriverError("x", "no"),
        DriverError("x", "no", "a hint without a code"),
        DriverError("x", "no", Hint("newer_code", "of a newer driver")),
        ValueError("a defect"),
    ],
)
def test_without_a_translation_nothing_is_added(err: Exception) -> None:
    told = error_of(err)
    assert with_advice(told) == told
    assert with_advice(None) is None
