"""The durable part of a state as JSON, and back."""

from pydantic import TypeAdapter

from gateway.domain.state import Durable, EquipmentState
from gateway.domain.vocabulary import packed

_DURABLE = TypeAdapter(Durable)


def dump(state: EquipmentState) -> bytes:
    """Encode the durable part of ``state``."""
    return packed(state.durable)


def load(data: bytes) -> EquipmentState:
    """Decode what `dump` gave; raises ValueError for anything else."""
    return EquipmentState(_DURABLE.validate_json(data))
