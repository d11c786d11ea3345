"""How long requests take on a link, as far as that can be known without asking the device.

- On a serial line the characters are counted: both frames, the silences around them, and a
  turnaround of the device that is assumed.
- Over a network the round trip is assumed, or given by who has measured it.
"""

from dataclasses import dataclass
from types import MappingProxyType

from drivers.modbus.plan import Block, Limits
from drivers.modbus.settings import LinkSettings

TURNAROUND_S = 0.005
REGISTER_S = 0.00001
"""What a controller adds for each register more, over a network."""
_RTT_S = MappingProxyType({"modbus-listen": 0.1})
_LAN_RTT_S = 0.002
_LINE_BEHIND = frozenset({"modbus-rtu-tcp", "modbus-ascii-tcp", "modbus-listen"})
_LINE_CHARACTER_S = 10 / 9600
_RTU_FRAMES = 8 + 5  # MODBUS over Serial Line V1.02, 2.5.1: address, PDU, CRC
_ASCII_FRAMES = 17 + 11  # the same, 2.5.2: colon, two digits a byte, LRC, CR LF
_MAX_WORTH = 1000.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The time a request takes: ``request_s`` and ``register_s`` for each register in it."""

    request_s: float
    register_s: float
    basis: str
    """What that rests on, for people, in no language's words."""

    def duration_s(self, block: Block) -> float:
        """Return the time from the question to the end of the answer, pause included."""
        return self.request_s + self.register_s * block.registers

    @property
    def request_worth(self) -> float:
        """How many registers take as long as a request."""
        return min(_MAX_WORTH, self.request_s / self.register_s)


def pace_of(link: LinkSettings, rtt_s: float | None = None) -> Pace:
    """Return the pace of a link; ``rtt_s`` is its round trip where it was measured."""
    character_s = getattr(link, "character_s", None)
    behind = link.protocol in _LINE_BEHIND
    if character_s is None and not behind:
        wait_s = _LAN_RTT_S if rtt_s is None else rtt_s
        return Pace(wait_s + link.pause_ms / 1000, REGISTER_S, _rtt(wait_s, rtt_s))
    ascii_frames = "ascii" in link.protocol
    on_line_s = _LINE_CHARACTER_S if character_s is None else character_s
    frames = _ASCII_FRAMES if ascii_frames else _RTU_FRAMES
    silence_s = 0.0 if ascii_frames else 2 * getattr(link, "gap_s", 3.5 * on_line_s)
    request_s = frames * on_line_s + silence_s + TURNAROUND_S + link.pause_ms / 1000
    basis = f"{getattr(link, 'baudrate', 10 / on_line_s):.0f} Bd"
    if behind:
        wait_s = _RTT_S.get(link.protocol, _LAN_RTT_S) if rtt_s is None else rtt_s
        request_s += wait_s
        basis = f"{_rtt(wait_s, rtt_s)}, {basis}?"
    return Pace(request_s, on_line_s * (4 if ascii_frames else 2), basis)


def limits_of(link: LinkSettings) -> Limits:
    """Return what requests of a link may ask for and what they cost."""
    return Limits(
        max_registers=link.max_registers_per_read,
        max_bits=link.max_bits_per_read,
        max_gap_registers=link.max_gap_registers,
        request_worth=pace_of(link).request_worth,
        forbidden=link.areas,
        one_tag=link.one_tag_per_request,
    )


def _rtt(wait_s: float, measured_s: float | None) -> str:
    return f"RTT {wait_s * 1000:g} ms" + ("?" if measured_s is None else "")
