"""What a gateway process may take, by what it tells a Prometheus server: I7 of the fault suite."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.until import until_told

RSS_BYTES = 250e6
DESCRIPTORS = 256
LOG_BYTES = 64e6
LOOP_LATE_S = 0.1
P99 = 0.99


@dataclass(frozen=True, slots=True)
class Taken:
    """What one process took, at one moment."""

    rss_bytes: float
    descriptors: float
    log_bytes: float
    loop_late: Mapping[float, float]
    """How many beats of its loop in its life so far came no later than this: the last is all."""

    def judge(self) -> None:
        """Hold it against the bounds that no load of the machine changes."""
        assert 0 < self.rss_bytes < RSS_BYTES, self
        assert 0 < self.descriptors < DESCRIPTORS, self
        assert self.log_bytes < LOG_BYTES, self

    def judge_loop(self, before: "Taken", machine_late_s: float) -> None:
        """Hold the lag of its loop since then to its bound, on a machine that is itself so late."""
        bound_s = min(one for one in self.loop_late if one >= LOOP_LATE_S + machine_late_s)
        in_time = self.loop_late[bound_s] - before.loop_late[bound_s]
        assert in_time >= P99 * (self.beats - before.beats) > 0, (before, self, machine_late_s)

    @property
    def beats(self) -> float:
        """How often its loop came to what was due."""
        return self.loop_late[inf]


async def taken(port: int) -> Taken:
    """Ask the process that serves its metrics on this port of the loopback, as soon as it does."""

    async def asked() -> str | None:
        try:
            async with httpx.AsyncClient(timeout=30) as client:
                answer = await client.get(f"http://127.0.0.1:{port}/metrics")
        except httpx.ConnectError:  # it has just been started
            return None
        return answer.raise_for_status().text

    text = await until_told(asked, bool)
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text or "")
        for sample in family.samples
    }
    return Taken(
        rss_bytes=samples["millgate_process_resident_memory_bytes",],
        descriptors=samples["millgate_process_open_fds",],
        log_bytes=samples["millgate_journal_bytes", "wal"],
        loop_late={
            float(key[1]): number
            for key, number in samples.items()
            if key[0] == "millgate_loop_lag_seconds_bucket"
        },
    )
