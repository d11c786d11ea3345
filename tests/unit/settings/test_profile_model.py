import pytest
from pydantic import ValidationError

from gateway.settings.equipment_model import Described, EquipmentFile
from gateway.settings.profile_model import ABOUT_ITSELF, ProfileFile, SceneFile


def test_what_a_profile_says_of_itself_does_not_reach_the_equipment() -> None:
    assert "name" in ABOUT_ITSELF
    assert set(ProfileFile.model_fields) - ABOUT_ITSELF == set(Described.model_fields) - {"name"}
    assert set(ProfileFile.model_fields) - ABOUT_ITSELF <= set(EquipmentFile.model_fields)


def test_words_may_be_written_in_hex() -> None:
    scene = SceneFile.model_validate(
        {"scene": "run", "state": "running", "hr": {"0x2000": ["0x4510", 7], "5": "0xFFFF"}}
    )
    assert scene.hr == {"0x2000": [0x4510, 7], "5": 0xFFFF}


@pytest.mark.parametrize("word", ["0x10000", "10", 65536, -1, 1.5, True, []])
def test_what_is_no_word_is_refused(word: object) -> None:
    with pytest.raises(ValidationError):
        SceneFile.model_validate({"scene": "run", "state": "running", "hr": {"1": word}})
