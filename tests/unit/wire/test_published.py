"""What lies under docs/schemas is what the code says today."""

from pathlib import Path

from gateway.cli.schema import published, write

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "docs/schemas"
AGAIN = "the contract changed; write it again: python -m gateway schema --write docs/schemas"


def test_the_published_contract_is_that_of_the_code() -> None:
    found = {
        path.relative_to(SCHEMAS).as_posix(): path.read_text("utf-8")
        for path in SCHEMAS.glob("**/*.json")
    }
    assert found == published(), AGAIN


def test_writing_leaves_nothing_of_an_older_contract(tmp_path: Path) -> None:
    (tmp_path / "evt").mkdir()
    (tmp_path / "evt/gone.json").write_text("{}")
    assert write(tmp_path) == 0
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("**/*.json")}
    assert found == set(published())
