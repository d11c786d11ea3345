"""Modbus/TCP Security: MBAP inside TLS, the device's certificate always verified."""

import asyncio
import os
import ssl
from pathlib import Path

from pymodbus.client import AsyncModbusTlsClient
from pymodbus.client.base import ModbusBaseClient

from drivers.modbus.client import Changed, ClientWire, MonoS
from drivers.modbus.errors import TLS_HINTS
from drivers.modbus.framing import MBAP
from drivers.modbus.settings import TlsSettings


class TlsWire(ClientWire):
    """A socket to a device that proves who it is. The files are read at each opening."""

    def __init__(self, link: TlsSettings, *, mono_s: MonoS) -> None:
        super().__init__(link.bus, MBAP, mono_s=mono_s, hints=TLS_HINTS)
        self._link = link
        self._context: ssl.SSLContext

    async def _new_client(self, timeout_s: float, changed: Changed) -> ModbusBaseClient:
        self._context = await asyncio.to_thread(_context, self._link)
        return AsyncModbusTlsClient(
            self._link.host,
            port=self._link.port,
            sslctx=self._context,
            timeout=timeout_s,
            reconnect_delay=0,
            retries=0,
            trace_connect=changed,
        )

    async def _connect(self, client: ModbusBaseClient) -> None:
        await asyncio.get_running_loop().create_connection(
            client.ctx.handle_new_connection,
            self._link.host,
            self._link.port,
            ssl=self._context,
            server_hostname=self._link.server_name or self._link.host,
        )


def _context(link: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # MB-TCP-Security v36, R-01
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the device's own certificate is enough
    context.load_verify_locations(_path(link.ca_file))
    if link.cert_file is not None and link.key_file is not None:
        # Without a password given OpenSSL would ask for one at the terminal.
        context.load_cert_chain(_path(link.cert_file), _path(link.key_file), password="")
    return context


def _path(name: str) -> str:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and not Path(name).is_absolute():
        return str(Path(credentials) / Path(name).name)
    return name
