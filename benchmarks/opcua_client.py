"""One side of the comparison in `opcua.py`: a client that watches every item of the farm.

python opcua_client.py floor|driver PORT ITEMS PUBLISHING_MS

``floor`` is asyncua with a handler that counts, ``driver`` is millgate's driver up to the
batch. A line on standard input asks for the number of values so far.
"""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop
from asyncua import Client, Node, ua

from drivers.contract import TagRequest
from drivers.opcua import SPEC

NAMESPACE = "bench"
_ITEMS_PER_CALL = 500
_QUEUE = 100  # as the driver asks for: a late message brings every value


class Counter:
    """Counts values, and says how many when asked."""

    def __init__(self) -> None:
        self.values = 0

    def datachange_notification(self, node: Node, value: object, data: object) -> None:
        """Called by asyncua for each value."""
        del node, value, data
        self.values += 1

    def answer(self) -> None:
        """Take the question, print the number."""
        if not sys.stdin.readline():
            sys.exit()
        print(json.dumps({"values": self.values}), flush=True)


async def floor(counter: Counter, port: int, items: int, publishing_ms: int) -> None:
    """Watch all items with asyncua alone, for ever."""
    async with Client(f"opc.tcp://127.0.0.1:{port}/", timeout=60) as client:
        index = await client.get_namespace_index(NAMESPACE)
        subscription = await client.create_subscription(publishing_ms, counter)
        nodes = [client.get_node(ua.NodeId(f"v{i}", index)) for i in range(items)]
        for i in range(0, items, _ITEMS_PER_CALL):
            await subscription.subscribe_data_change(
                nodes[i : i + _ITEMS_PER_CALL], queuesize=_QUEUE
            )
        await asyncio.Event().wait()


async def driver(counter: Counter, port: int, items: int, publishing_ms: int) -> None:
    """Watch all items with millgate's driver, for ever."""
    link = SPEC.link_settings(
        endpoint=f"opc.tcp://127.0.0.1:{port}", publishing_interval_ms=publishing_ms
    )
    tags = [
        TagRequest(f"eq/v{i}", "server", None, SPEC.tag_settings(node=f"nsu={NAMESPACE};s=v{i}"))
        for i in range(items)
    ]
    watching = SPEC.create(link, tags, {})
    async with watching.open() as session:
        while True:
            batch = await session.read(watching.groups)
            counter.values += len(batch.changed)
            batch.committed()


SIDES: Mapping[str, Any] = {"floor": floor, "driver": driver}


async def main() -> None:
    """Watch until SIGTERM, and log out: a server goes on working for who does not."""
    side, port, items, publishing_ms = sys.argv[1:]
    counter, loop = Counter(), asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), counter.answer)
    watching = asyncio.ensure_future(
        SIDES[side](counter, int(port), int(items), int(publishing_ms))
    )
    loop.add_signal_handler(signal.SIGTERM, watching.cancel)
    with suppress(asyncio.CancelledError):
        await watching


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    uvloop.run(main())
