"""Modbus/TCP Security: MBAP inside TLS, the device's certificate always verified."""

import asyncio
import ssl

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
    context.load_verify_locations(link.find(link.ca_file))
    if link.cert_file is not None and link.key_file is not None:
        # Without a password given OpenSSL would ask for one at the terminal.
        own, key = link.find(link.cert_file), link.find(link.key_file)
        context.load_cert_chain(own, key, password="")
    return context
