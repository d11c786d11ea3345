from pathlib import Path

import pytest

from tests.support.profile_site import BODY, EQUIPMENT, problems_of, site_of

PROFILE = BODY.replace(
    "  run: {address: M1}\n",
    "  run: {address: M1}\n"
    "  power: {address: D1, scale: 0.1, times: [pt, ct]}\n"
    "  energy: {address: D2, times: [ct]}\n",
)
PROFILE += "parameters:\n  ct: {name: {zh: 变比, en: ratio}}\n  pt: {name: {en: x}, default: 1}\n"


def scales(directory: Path, profile: str, more: str) -> dict[str, float]:
    (link,) = site_of(directory, profile, EQUIPMENT + more).links.values()
    return {tag.key.partition("/")[2]: tag.settings.scale for tag in link.tags}


@pytest.mark.parametrize(
    ("given", "power", "energy"),
    [
        ("{ct: 40}", 4.0, 40.0),
        ("{ct: 3}", 0.3, 3.0),
        ("{ct: 0.5, pt: 100}", 5.0, 0.5),
    ],
)
def test_the_numbers_multiply_the_scales(
    tmp_path: Path, given: str, power: float, energy: float
) -> None:
    found = scales(tmp_path, PROFILE, f"parameters: {given}\n")
    assert found == {"run": 1, "power": power, "energy": energy}


def test_a_scale_of_the_equipment_is_the_last_word(tmp_path: Path) -> None:
    more = "parameters: {ct: 40}\ntags: {power: {scale: 7}}\n"
    assert scales(tmp_path, PROFILE, more)["power"] == 7


def test_a_number_that_is_not_said_is_one_problem_that_names_it(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, PROFILE)
    assert (problem.code, problem.key) == ("missing_parameter", "parameters.ct")
    assert "变比 / ratio" in problem.text["zh"]
    assert problem.hint is not None
    assert problem.hint["en"] == "write parameters: {ct: NUMBER}"


def test_a_number_nobody_asks_for_is_a_problem(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, PROFILE, EQUIPMENT + "parameters: {ct: 1, cr: 2}\n")
    assert (problem.code, problem.key) == ("unknown_parameter", "parameters.cr")
    assert problem.hint == {"zh": "可用：ct, pt", "en": "known: ct, pt"}


@pytest.mark.parametrize(
    ("given", "code"),
    [("{ct: forty}", "not_number"), ("{ct: 0}", "not_above"), ("{ct: -4}", "not_above")],
)
def test_a_number_that_cannot_be_is_refused(tmp_path: Path, given: str, code: str) -> None:
    (problem,) = problems_of(tmp_path, PROFILE, EQUIPMENT + f"parameters: {given}\n")
    assert (problem.code, problem.key) == (code, "parameters.ct")


@pytest.mark.parametrize("times", ["[cr]", "[]", "ct", "[ct, cr]"])
def test_times_must_name_parameters(tmp_path: Path, times: str) -> None:
    profile = PROFILE.replace("[pt, ct]", times)
    (problem,) = problems_of(tmp_path, profile, EQUIPMENT + "parameters: {ct: 1}\n")
    assert (problem.code, problem.file, problem.key) == (
        "bad_times",
        "profiles/press.yaml",
        "tags.power.times",
    )


@pytest.mark.parametrize("key", ["parameters: {ct: 1}", "variant: x", "compared: true"])
def test_without_a_profile_there_is_nothing_to_say(tmp_path: Path, key: str) -> None:
    alone = EQUIPMENT.replace("profile: press\n", "") + "tags: {run: {address: M1}}\n"
    alone += "status: [{state: running, when: run}]\n"
    (problem,) = problems_of(tmp_path, BODY, f"{alone}{key}\n")
    assert (problem.code, problem.key) == ("only_with_profile", key.partition(":")[0])
