"""How many requests may be under way to one device at once.

- One, until the device has shown that it takes more (``auto``) or somebody said so.
- A device that showed the contrary gets one at a time for as long as the process lives.
"""

from drivers.modbus.settings import MAX_PIPELINE, Pipeline

CLEAN_SCANS = 3
"""Scans without a fault after which ``auto`` tries twice as many at once. Waiting longer would save
nothing: a device that takes fewer costs one scan of this process, whenever that is found out."""


class Depth:
    """What is known of one device; ``now`` requests may be under way."""

    __slots__ = ("_clean", "_most", "now")

    def __init__(self, pipeline: Pipeline) -> None:
        """Begin with one for ``auto``, with a number where one is given."""
        self.now = pipeline if isinstance(pipeline, int) else 1
        self._most = MAX_PIPELINE if pipeline == "auto" else self.now
        self._clean = 0

    def proven(self, requests: int) -> None:
        """Take in a scan of so many requests, each answered as it should be."""
        if self.now >= self._most or requests <= self.now:
            return
        self._clean += 1
        if self._clean >= CLEAN_SCANS:
            self._clean = 0
            self.now = min(2 * self.now, self._most)

    def disproven(self) -> None:
        """Take in that the device went wrong with several under way."""
        self.now = self._most = 1
