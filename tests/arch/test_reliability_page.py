"""The reliability page says what the tests say, and no fault of the catalogue is forgotten."""

from pathlib import Path

import pytest

from tests.faults.absent import ABSENT
from tests.faults.catalogue import CASES, CHAPTERS, EACH_TIME, WANTED
from tests.faults.markers import Proof, proofs
from tests.faults.page import CHINESE, ENGLISH, Words, page, pages
from tests.faults.record import Result, load

PROOFS = proofs()
PLANTED = """
import pytest

pytestmark = [pytest.mark.soak]

@pytest.mark.fault(1, injection="kill -9", expectation="nothing lost")
@pytest.mark.fault(2, injection="kill -9 | twice", expectation="nothing doubled")
async def test_kill(): ...

def test_other(): ...
"""


def test_each_marker_names_a_case_and_says_something() -> None:
    wrong = [
        proof
        for proof in PROOFS
        if proof.number not in CASES or not (proof.injection.strip() and proof.expectation.strip())
    ]
    assert wrong == []


def test_the_catalogue_is_whole() -> None:
    assert sorted(CASES) == list(range(1, 67))
    assert {chapter.first for chapter in CHAPTERS} <= set(CASES)


def test_what_is_absent_is_a_case_of_the_catalogue() -> None:
    assert set(ABSENT) <= set(CASES)
    assert set(CASES) >= WANTED


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_the_page_is_what_markers_and_results_give(path: Path) -> None:
    same = path.read_text(encoding="utf-8") == pages()[path]
    assert same, "write it anew: python -m tests.faults.page"


def test_no_fault_is_forgotten() -> None:
    """Each is proved by a test, or stands among the absent with the reason."""
    assert sorted(WANTED - {proof.number for proof in PROOFS} - set(ABSENT)) == []


def test_what_is_to_be_run_each_time_is_not_left_to_the_long_tests() -> None:
    assert sorted(EACH_TIME - {proof.number for proof in PROOFS if not proof.soak}) == []


def test_results_are_of_tests_that_exist() -> None:
    assert set(load()) <= {proof.test for proof in PROOFS}


def test_markers_are_found_where_tests_carry_them(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text(PLANTED, encoding="utf-8")
    assert proofs(tmp_path) == [
        Proof(1, "tests/test_a.py::test_kill", "kill -9", "nothing lost", soak=True),
        Proof(2, "tests/test_a.py::test_kill", "kill -9 | twice", "nothing doubled", soak=True),
    ]


def test_a_marker_that_cannot_be_read_names_its_test(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    planted = "import pytest\n@pytest.mark.fault(1, injection=WORD)\ndef test_kill(): ...\n"
    (tmp_path / "tests/test_a.py").write_text(planted, encoding="utf-8")
    with pytest.raises(ValueError, match=r"test_a.py::test_kill: write @pytest.mark.fault"):
        proofs(tmp_path)


@pytest.mark.parametrize(
    ("words", "result"),
    [(ENGLISH, "passed 2026-03-20: lost 0"), (CHINESE, "通过 2026-03-20: lost 0")],
)
def test_a_row_shows_what_the_last_run_gave(words: Words, result: str) -> None:
    proof = Proof(2, "tests/test_a.py::test_kill", "kill | -9", "nothing lost", soak=True)
    results = {proof.test: Result("passed", 1, 3.0, "2026-03-20", {"lost": 0})}
    text = page(words, [proof], results)
    assert rf"| kill \| -9 | nothing lost | `test_a.py::test_kill` (soak) | {result} |" in text


def test_a_test_that_never_ran_is_not_called_passed() -> None:
    proof = Proof(2, "tests/test_a.py::test_kill", "kill -9", "nothing lost", soak=False)
    assert "`test_a.py::test_kill` (test) | not run yet |" in page(ENGLISH, [proof], {})
