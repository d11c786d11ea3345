"""A site with one machine and the screens, and its first administrator."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import httpx

from tests.support.gateway_process import ServiceProcess
from tests.support.lone_site import lone_site

BOSS = {"name": "boss", "password": "a password for tests"}


def site_with_screens(directory: Path, machine_port: int, port: int) -> None:
    """Write the configuration; the screens listen at ``port``."""
    lone_site(directory, machine_port=machine_port)
    gateway = directory / "gateway.yaml"
    text = gateway.read_text(encoding="utf-8")
    gateway.write_text(text.replace("web: {enabled: false}", f"web: {{port: {port}}}"), "utf-8")


async def answering(url: str) -> None:
    """Wait until the screens answer."""
    async with httpx.AsyncClient(timeout=20) as client, asyncio.timeout(60):
        while True:
            with suppress(httpx.HTTPError):
                if (await client.get(f"{url}/api/v1/setup")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def set_up(client: httpx.AsyncClient, web: ServiceProcess) -> None:
    """Create the administrator with the code that the service printed."""
    code = re.search(r"(?:[A-Z2-9]{4}-){3}[A-Z2-9]{4}", web.log.read_text(encoding="utf-8"))
    assert code is not None
    answer = await client.post("/api/v1/setup", json=BOSS | {"code": code[0]})
    assert answer.status_code == 200, answer.text
