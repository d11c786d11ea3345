"""Tags with what stood on the wire, against a scripted device."""

from drivers.contract import TagRequest
from drivers.modbus import SPEC
from drivers.modbus.raw import read_raw
from drivers.probed import RawReading
from tests.support.modbus_device import COIL, HR, device
from tests.support.modbus_words import words
from tests.support.ports import HOST


async def read(port: int, **addresses: dict[str, object]) -> dict[str, RawReading]:
    link = SPEC.link_settings(host=HOST, port=port, timeout_ms=200)
    tags = [
        TagRequest(key, "g", 1.0, SPEC.tag_settings(**settings))
        for key, settings in addresses.items()
    ]
    async with read_raw(link, tags, {}) as once:
        return {one.key: one for one in await once()}


async def test_raw_and_decoded_side_by_side() -> None:
    async with device() as plc:
        plc.put(HR, 2, *words(20, "uint32", "CDAB"))
        plc.put(HR, 5, 259)
        plc.put(COIL, 3, 1)
        found = await read(
            plc.port,
            parts={"address": "hr:2", "type": "uint32", "order": "CDAB"},
            heat={"address": "hr:5", "type": "int16", "scale": 0.1},
            run={"address": "coil:3"},
            bit={"address": "hr:5", "bit": 8},
        )
    assert (found["parts"].raw, found["parts"].value) == ("0014 0000", 20)
    assert (found["heat"].raw, found["heat"].value) == ("0103", 25.9)
    assert (found["run"].raw, found["run"].value) == ("01", True)
    assert (found["bit"].place, found["bit"].value) == ("40006 (hr:5)", True)
    assert all(one.cause is None and one.rtt_s > 0 for one in found.values())


async def test_a_refused_tag_keeps_no_other_from_being_read() -> None:
    async with device() as plc:
        plc.put(HR, 5, 259)
        plc.put(HR, 7, *words(float("nan"), "float32"))
        found = await read(
            plc.port,
            gone={"address": "hr:900"},
            heat={"address": "hr:5"},
            none={"address": "hr:7", "type": "float32"},
        )
    gone, none = found["gone"], found["none"]
    assert (gone.raw, gone.value, gone.cause) == ("exception 2", None, "illegal_address")
    assert found["heat"].value == 259
    assert (none.raw, none.value, none.cause) == ("7FC0 0000", None, "invalid_value")
