from collections.abc import AsyncIterator

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.profile_device import HOST, ProfileDevice


@pytest.fixture
async def device() -> AsyncIterator[ProfileDevice]:
    device = ProfileDevice(unit=3)
    async with device.serving():
        yield device


@pytest.fixture
async def client(device: ProfileDevice) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(HOST, port=device.port)
    assert await client.connect()
    yield client
    client.close()


async def test_words_stand_where_they_were_shown(
    device: ProfileDevice, client: AsyncModbusTcpClient
) -> None:
    device.show("hr", {"0x2000": [0x4510, 0x1000], "5": 7})
    device.show("ir", {"5": 8})
    found = await client.read_holding_registers(0x1FFF, count=4, device_id=3)
    assert found.registers == [0, 0x4510, 0x1000, 0]
    assert (await client.read_holding_registers(5, count=1, device_id=3)).registers == [7]
    assert (await client.read_input_registers(5, count=1, device_id=3)).registers == [8]


@pytest.mark.parametrize("first", [0, 1, 15, 16, 17, 100])
async def test_bits_stand_where_they_were_shown(
    device: ProfileDevice, client: AsyncModbusTcpClient, first: int
) -> None:
    on = {0, 3, 15, 16, 31, 47, 115}
    device.show("coil", {str(number): 1 for number in on})
    device.show("di", {"3": 1})
    found = await client.read_coils(first, count=20, device_id=3)
    assert found.bits[:20] == [number in on for number in range(first, first + 20)]
    found = await client.read_discrete_inputs(0, count=8, device_id=3)
    assert found.bits[:8] == [number == 3 for number in range(8)]


async def test_what_is_shown_later_is_read_later(
    device: ProfileDevice, client: AsyncModbusTcpClient
) -> None:
    device.show("hr", {"0": 1})
    assert (await client.read_holding_registers(0, device_id=3)).registers == [1]
    device.show("hr", {"0": 2})
    assert (await client.read_holding_registers(0, device_id=3)).registers == [2]


async def test_it_answers_reads_only(client: AsyncModbusTcpClient) -> None:
    assert (await client.write_register(0, 9, device_id=3)).isError()
    assert (await client.read_holding_registers(0, device_id=3)).registers == [0]
