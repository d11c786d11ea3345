"""``millgate retire DIR EQUIPMENT``: let an equipment go for good.

- Its retained topics are cleared and its state is forgotten; its events stay.
- While it is configured nothing is done.
- With or without a running collector; where the broker cannot be reached, the collector
  clears the topics at its next connect.
"""

import asyncio
from pathlib import Path

from gateway.app import translate
from gateway.app.collector import SOCKET
from gateway.cli.say import refuse, say
from gateway.control import client
from gateway.control.client import NoCollector
from gateway.journal.errors import JournalError
from gateway.journal.identity import IdentityChange
from gateway.journal.journal import Journal
from gateway.journal.reader import JournalReader
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.ops.mqtt_terms import BrokerSettings, MqttError
from gateway.publish.moves import clear
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.site import Site
from gateway.wire.topics import GatewayTopics

RETAINED_WAIT_S = 1.0


def run(directory: Path, equipment: str) -> int:
    """Retire an equipment; return the exit code."""
    try:
        site = load(directory)
        return asyncio.run(_retire(site, equipment))
    except ConfigProblems as err:
        return refuse(f"配置有误:{err}", f"the configuration is refused: {err}")
    except JournalError as err:
        return refuse(f"本地日志不可用:{err}", f"the journal cannot be used: {err}")


async def _retire(site: Site, equipment: str) -> int:
    if equipment in site.equipment:
        file = site.equipment[equipment].file
        return refuse(
            f"{equipment} 仍在 {file} 中配置;请先移走该文件并重新加载(millgate reload)",
            f"{equipment} is still configured in {file}; take that file away and let the "
            "collector reload (millgate reload) first, then do this again",
        )
    path = site.path(site.gateway.journal.path)
    with JournalReader(path) as journal:
        places = [topic for topic, name in journal.places().items() if name == equipment]
        if not (places or equipment in journal.states() or journal.heads(equipment)):
            return refuse(
                f"本地日志中没有 {equipment}", f"the journal knows nothing of {equipment}"
            )
    refusal = await _forget(site, path, equipment)
    if refusal is not None:
        return refuse(f"{equipment} 未退役:{refusal}", f"{equipment} is not retired: {refusal}")
    say(f"{equipment} 已退役,其事件仍保留", f"{equipment} is retired; its events are kept")
    await _clear(site, places)
    return 0


async def _forget(site: Site, path: Path, equipment: str) -> str | None:
    """Do it through the running collector, else in its place; return why not, if so."""
    try:
        reply = await client.retire(path.parent / SOCKET, equipment)
    except NoCollector:
        journal = await asyncio.to_thread(
            Journal.open, path, now=SYSTEM_CLOCK.now, limits=translate.limits(site)
        )
        try:
            await journal.identify(IdentityChange(retired=equipment))
        finally:
            await journal.close()
        return None
    return reply.error


async def _clear(site: Site, places: list[str]) -> None:
    gateway = site.gateway
    topics = GatewayTopics(gateway.mqtt.root, gateway.site, gateway.gateway)
    for broker in translate.brokers(site):
        await _clear_at(broker, topics, places)


async def _clear_at(broker: BrokerSettings, topics: GatewayTopics, places: list[str]) -> None:
    try:
        cleared = await clear(broker, topics, places, wait_s=RETAINED_WAIT_S)
    except MqttError as err:
        say(
            f"MQTT 服务器不可用({err.reason}),保留主题将在下次连接时清除",
            f"no broker ({err.reason}): the retained topics are cleared at the next connect",
        )
        return
    for place in sorted(cleared):
        say(f"已清除保留主题 {place}", f"retained topics cleared: {place}")
