"""A case is a directory: files laid over `_good`, and the problems they must give."""

import shutil
from pathlib import Path

import pytest

from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems, Problem

CASES = Path(__file__).parents[2] / "cases_config"
NAMES = sorted(path.name for path in CASES.iterdir() if not path.name.startswith("_"))


def problems_of(directory: Path) -> list[Problem]:
    try:
        return list(load(directory).warnings)
    except ConfigProblems as err:
        return err.problems


def written(problem: Problem) -> str:
    key = problem.key or "-"
    return f"{problem.severity} {problem.file}:{problem.line} {key} {problem.code}"


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, tmp_path: Path) -> None:
    for source in (CASES / "_good", CASES / name):
        shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    problems = problems_of(tmp_path)
    expected = (CASES / name / "expected.txt").read_text("utf-8").splitlines()
    assert [written(problem) for problem in problems] == expected
    for problem in problems:
        assert problem.text["zh"]
        assert problem.text["en"]
