"""What a profile may say about itself, beside what it says of its machines."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from gateway.settings.equipment_model import MAX_RULES, Described, StateName
from gateway.settings.words import Line, Name, Strict, Texts

MAX_QUIRKS = 20
MAX_COMPARED = 8
MAX_SCENES = 50
MAX_ADDRESSES = 500

Verified = Literal["manual", "code", "none"]
Layout = Literal["device", "program"]


def _of_hex(value: object) -> object:
    """``0x4510`` is text for YAML and a word for us."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9A-Fa-f]{1,4}", value, re.ASCII):
        return int(value, 16)
    return value


_WORD_AS_JSON = WithJsonSchema(
    {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 0xFFFF},
            {"type": "string", "pattern": "^0x[0-9A-Fa-f]{1,4}$"},
        ]
    }
)
Word = Annotated[int, Field(ge=0, le=0xFFFF), BeforeValidator(_of_hex), _WORD_AS_JSON]
Words = Word | Annotated[list[Word], Field(min_length=1, max_length=125)]
Bits = dict[Line, Annotated[int, Field(ge=0, le=1)]]
Registers = dict[Line, Words]
Severity = Annotated[int, Field(ge=1, le=1000)]
NodeName = Annotated[str, Field(min_length=1, max_length=1000)]
Shown = bool | int | float | str


class ParameterFile(Strict):
    """A number that differs from device to device, such as the ratio of a transformer."""

    name: Texts
    default: float | None = Field(None, gt=0, le=1e6)
    """Without it every equipment must say the number."""


class SceneFile(Strict):
    """What a simulated device shows, and what the gateway must make of it.

    Scenes are played in order, and each changes only what it names.
    """

    scene: Name
    coil: Bits = Field(default_factory=dict, max_length=MAX_ADDRESSES)
    di: Bits = Field(default_factory=dict, max_length=MAX_ADDRESSES)
    ir: Registers = Field(default_factory=dict, max_length=MAX_ADDRESSES)
    hr: Registers = Field(default_factory=dict, max_length=MAX_ADDRESSES)
    """0-based addresses, decimal or as ``0x2000``, with the words as they are transmitted."""
    nodes: dict[NodeName, Shown] = Field(default_factory=dict, max_length=MAX_ADDRESSES)
    """By NodeId or browse path."""
    alarms: dict[Line, Severity] | None = Field(None, max_length=64)
    """The server's own alarms that are active: name -> severity. None: as before."""
    state: StateName
    faults: Annotated[tuple[Line, ...], Field(strict=False, max_length=64)] = ()
    """Codes of the faults that are active then."""
    counts: dict[Name, int] = Field(default_factory=dict, max_length=MAX_RULES)
    """Counter -> what is booked since the scene before, in steps of its resolution."""
    values: dict[Name, Shown] = Field(default_factory=dict, max_length=MAX_RULES)
    """Tag -> its value then."""


class ProfileFile(Described):
    """``profiles/<profile>.yaml``: what the machines of one model have in common."""

    profile: Name
    vendor: Line | None = None
    verified: Verified = "none"
    """What its addresses were checked against: a manual, others' code, nothing yet."""
    source: Annotated[tuple[Line, ...], Field(strict=False, max_length=MAX_QUIRKS)] = ()
    """Which manual or code that is."""
    unverified: Annotated[tuple[Name, ...], Field(strict=False, max_length=MAX_RULES)] = ()
    """Tags that were not found where the others were."""
    layout: Layout = "device"
    """``program``: the values are where the machine's program puts them."""
    compare: Annotated[tuple[Name, ...], Field(strict=False, max_length=MAX_COMPARED)] = ()
    """Tags to compare with the machine's own display before the figures are trusted."""
    quirks: Annotated[tuple[Texts, ...], Field(strict=False, max_length=MAX_QUIRKS)] = ()
    """What surprises people about such devices."""
    link: dict[str, Any] = Field(default_factory=dict, max_length=MAX_RULES)
    """Settings of the link that its own ones are laid upon."""
    link_needs: Annotated[tuple[Name, ...], Field(strict=False, max_length=MAX_COMPARED)] = ()
    """Settings the link must say itself, because they differ from site to site."""
    parameters: dict[Name, ParameterFile] = Field(default_factory=dict, max_length=MAX_RULES)
    """A tag takes them with ``times: [name, ...]``: they multiply its scale."""
    variants: dict[Name, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_RULES)
    """Models that differ; each is laid upon the rest of the profile."""
    simulate: Annotated[tuple[SceneFile, ...], Field(strict=False, max_length=MAX_SCENES)] = ()
    """How a fake device of this kind behaves; the gateway does not look at it."""


ABOUT_ITSELF = frozenset(ProfileFile.model_fields) - frozenset(Described.model_fields) | {"name"}
"""Keys of a profile that are about itself and not about the equipment."""
