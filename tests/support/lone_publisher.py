"""A publisher in a process of its own, to be killed: ``python -m ... PORT``."""

import asyncio
import sys

from gateway.ops.mqtt_terms import BrokerSettings
from tests.support.fake_journal import FakeJournal
from tests.support.publishing import publishing


async def _main(port: int) -> None:
    async with publishing(BrokerSettings(port=port), FakeJournal()):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
