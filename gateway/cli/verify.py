"""``millgate verify``: watch a broker and say what there breaks the contract.

- The exit code is 0 if nothing does, 1 if something does, 2 if the broker cannot be watched.
"""

import asyncio
import random
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.ops.clock import SYSTEM_CLOCK
from gateway.ops.mqtt_terms import BrokerSettings, MqttError, TlsSettings
from gateway.verify.findings import TEXTS
from gateway.verify.verifier import Report, Verifier
from gateway.verify.watch import WatchSettings, watch

__all__ = ["BrokerSettings", "TlsSettings", "run"]

LANGUAGES: Mapping[str, Sequence[str]] = {"zh": ("zh",), "en": ("en",), "both": ("zh", "en")}
PIPED_WIDTH = 160
_HEADINGS = {
    "what": {"zh": "问题", "en": "what"},
    "count": {"zh": "次数", "en": "count"},
    "topic": {"zh": "主题", "en": "topic"},
    "detail": {"zh": "首例", "en": "the first one"},
}


def run(
    broker: BrokerSettings,
    *,
    root: str = "mg/v1",
    seconds: float | None = None,
    lang: str = "both",
    json: bool = False,
    out: TextIO | None = None,
) -> int:
    """Watch for ``seconds``, or until Ctrl-C; print what was found, return the exit code."""
    settings = WatchSettings(
        broker=broker,
        client_id=f"millgate-verify-{secrets.token_hex(4)}",
        root=root,
        seconds=seconds,
    )
    try:
        report = asyncio.run(_watch(settings))
    except MqttError as err:
        sys.stderr.write(f"MQTT 服务器无法观察 / the broker cannot be watched: {err}\n")
        return 2
    stream = out or sys.stdout
    if json:
        stream.write(orjson.dumps(report.data()).decode() + "\n")
    else:
        _print(report, LANGUAGES[lang], stream)
    return 1 if report.findings else 0


async def _watch(settings: WatchSettings) -> Report:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        return await watch(
            settings, Verifier(settings.root), stop, clock=SYSTEM_CLOCK, uniform=random.uniform
        )
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _print(report: Report, languages: Sequence[str], stream: TextIO) -> None:
    width = None if stream.isatty() else PIPED_WIDTH
    console = Console(file=stream, highlight=False, soft_wrap=True, width=width)
    if report.findings:
        table = Table(box=SIMPLE)
        for heading in _HEADINGS.values():
            table.add_column(_in(languages, heading), overflow="fold")
        for one in report.findings:
            cells = (_in(languages, TEXTS[one.code]), str(one.count), one.topic, one.detail)
            table.add_row(*(escape(cell) for cell in cells))
        console.print(table)
    colour = "bold red" if report.findings else "bold green"
    for language in languages:
        console.print(_sum(report, language), style=colour)


def _in(languages: Sequence[str], text: Mapping[str, str]) -> str:
    return " / ".join(text[language] for language in languages)


def _sum(report: Report, language: str) -> str:
    heard = (len(report.gateways), len(report.equipment), report.messages, report.events)
    if language == "zh":
        verdict = f"{report.violations} 处不合约定" if report.findings else "全部符合约定"
        return "{} 个网关，{} 台设备，{} 条报文，其中 {} 个事件：".format(*heard) + verdict
    verdict = f"{report.violations} violations" if report.findings else "all as agreed"
    return "gateways: {}, equipment: {}, messages: {}, events: {}; ".format(*heard) + verdict
