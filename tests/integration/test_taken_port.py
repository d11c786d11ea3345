"""A port that stands in the configuration and is another program's: a sentence, no traceback."""

import asyncio
import socket
import sys
from pathlib import Path

from tests.support.lone_site import lone_site

END_S = 120.0


async def test_a_taken_port_is_said_with_its_file_and_key(tmp_path: Path) -> None:
    lone_site(tmp_path)
    settings = tmp_path / "gateway.yaml"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        written = settings.read_text().replace("web: {enabled: false}", f"web: {{port: {port}}}")
        settings.write_text(written)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "web", str(tmp_path)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(END_S):
            _, said = await process.communicate()
    assert process.returncode == 1
    (sentence,) = said.decode().splitlines()
    assert sentence == (
        f"millgate: {settings}: web.port: 127.0.0.1:{port}"
        " 已被另一个程序占用:请结束那个程序,或在此改用其他端口"
        " / another program has it: end that program, or write another port here"
    )
