from typing import Any

from gateway.settings.equipment_model import EquipmentFile
from gateway.settings.model import GatewayFile
from gateway.settings.words import NAME_PATTERN, Strict


def test_names_are_topic_segments() -> None:
    assert NAME_PATTERN == r"^[a-z0-9][a-z0-9_-]{0,39}$"


def test_models_are_frozen_and_strict() -> None:
    def below(model: type[Strict]) -> list[type[Strict]]:
        subclasses: list[type[Strict]] = model.__subclasses__()
        return subclasses + [deeper for found in subclasses for deeper in below(found)]

    wanted: dict[str, Any] = {
        "frozen": True, "extra": "forbid", "strict": True, "allow_inf_nan": False,
    }  # fmt: skip
    models = below(Strict)
    assert {GatewayFile, EquipmentFile} <= set(models)
    for model in models:
        assert {key: model.model_config.get(key) for key in wanted} == wanted
