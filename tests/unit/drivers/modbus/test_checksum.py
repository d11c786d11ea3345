from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerAscii, FramerRTU

from drivers.modbus.checksum import crc16, lrc
from tests.support.modbus_frames import crc


def test_a_frame_everybody_knows() -> None:
    assert crc16(bytes.fromhex("01 03 00 00 00 0A")) == bytes.fromhex("C5 CD")
    assert lrc(bytes.fromhex("01 03 00 00 00 0A")) == 0xF2


@given(st.binary(max_size=300))
def test_three_ways_to_count_agree(data: bytes) -> None:
    assert crc16(data) == crc(data)
    assert int.from_bytes(crc16(data), "big") == FramerRTU.compute_CRC(data)
    assert lrc(data) == FramerAscii.compute_LRC(data)
