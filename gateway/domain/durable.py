"""The durable part of a state as JSON, and back."""

import orjson
from pydantic import TypeAdapter

from gateway.domain.state import Durable, EquipmentState

_DURABLE = TypeAdapter(Durable)


def dump(state: EquipmentState) -> bytes:
    """Encode the durable part of ``state``."""
    return orjson.dumps(state.durable)


def load(data: bytes) -> EquipmentState:
    """Decode what `dump` gave; raises ValueError for anything else."""
    return EquipmentState(_DURABLE.validate_json(data))
