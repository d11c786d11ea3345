"""The promises of `drivers.modbus.wires.tls`: who the device is, and who we are."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from drivers.contract import DriverError, Home, Unreachable
from drivers.modbus.settings import TlsSettings
from drivers.modbus.wire import Reply, Request
from drivers.modbus.wires.tls import TlsWire
from tests.support.modbus_device import HR, Device, device
from tests.support.until import until


@dataclass
class Plc:
    """A device that shows a certificate for ``press.plant``, and the files that belong to it."""

    device: Device
    folder: Path
    context: ssl.SSLContext
    authority: trustme.CA

    def wire(self, **settings: Any) -> TlsWire:
        ours = {"host": "127.0.0.1", "ca_file": str(self.folder / "ca.pem")}
        link = TlsSettings(**ours | {"port": self.device.port} | settings)
        return TlsWire(link, mono_s=lambda: 0.0)

    async def read(self, **settings: Any) -> Reply:
        wire = self.wire(**settings)
        try:
            await wire.open(5.0)
            return await wire.ask(Request(unit=1, table="hr", start=0, count=1, timeout_s=5))
        finally:
            wire.close()


@pytest.fixture
async def plc(tmp_path: Path) -> AsyncIterator[Plc]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    shown = authority.issue_cert("press.plant")
    shown.cert_chain_pems[0].write_to_path(tmp_path / "device.pem")
    ours = authority.issue_cert("gateway.plant")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "own.pem")
    ours.private_key_pem.write_to_path(tmp_path / "own.key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.configure_cert(context)
    async with device(tls=context) as running:
        running.put(HR, 0, 7)
        yield Plc(running, tmp_path, context, authority)
        await until(lambda: running.connections == 0)


NAMED = {"server_name": "press.plant"}


async def test_a_device_that_proves_who_it_is_is_read(plc: Plc) -> None:
    assert (await plc.read(**NAMED)).answer == b"\x00\x07"


async def test_another_name_is_refused(plc: Plc) -> None:
    with pytest.raises(Unreachable) as caught:
        await plc.read()
    assert "another name" in caught.value.hint
    assert plc.device.asked == []


async def test_a_certificate_nobody_signed_is_refused(plc: Plc) -> None:
    trustme.CA().cert_pem.write_to_path(plc.folder / "other.pem")
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        await plc.read(**NAMED, ca_file=str(plc.folder / "other.pem"))
    assert plc.device.asked == []


async def test_the_devices_own_certificate_is_enough(plc: Plc) -> None:
    own = str(plc.folder / "device.pem")
    assert (await plc.read(**NAMED, ca_file=own)).answer == b"\x00\x07"


async def test_a_device_that_asks_who_we_are_is_told(plc: Plc) -> None:
    plc.context.verify_mode = ssl.CERT_REQUIRED
    plc.authority.configure_trust(plc.context)
    own = {"cert_file": str(plc.folder / "own.pem"), "key_file": str(plc.folder / "own.key")}
    assert (await plc.read(**NAMED, **own)).answer == b"\x00\x07"
    with pytest.raises(DriverError):
        await plc.read(**NAMED)


async def test_a_file_that_is_not_there_is_named(plc: Plc) -> None:
    with pytest.raises(Unreachable) as caught:
        await plc.read(ca_file=str(plc.folder / "none.pem"))
    assert "ca_file" in caught.value.hint


def test_files_are_found_where_the_configuration_says(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "keys", "suzhou", "gw-01", lambda name: tmp_path / name)
    written = {"host": "plc", "ca_file": "pki/ca.pem"}
    link = TlsSettings.model_validate(written, context=home)
    assert link.find(link.ca_file) == tmp_path / "pki/ca.pem"
    assert TlsSettings.model_validate(written).find("ca.pem") == Path("ca.pem")
