"""The pages about the history name what is there, and their queries run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.historian.sql import SqlStore
from gateway.historian.sql_schema import metadata
from gateway.historian.sql_views import views
from tests.support.postgres import Database

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("history.md", "history.zh-CN.md")


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return (DOCS / name).read_text("utf-8")


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    opened = SqlStore.open(database.url)
    yield opened
    opened.close()


def rows(page: str) -> dict[str, str]:
    """What stands behind each name in the tables of the page."""
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE))


def test_every_table_and_view_is_there(page: str) -> None:
    ours = {name for name in metadata.tables if name != "schema_version"} | set(views("sqlite"))
    assert set(rows(page)) == ours


def test_every_column_of_a_fact_is_named(page: str) -> None:
    told = {
        name: set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", line))))
        for name, line in rows(page).items()
    }
    own = {"mark", "position", "loss", "dead_letter", "feed", "schema_version"}
    for name, table in metadata.tables.items():
        if name not in own:
            assert {column.name for column in table.c} <= told[name], name


@pytest.mark.usefixtures("store")
def test_every_query_runs(page: str, database: Database) -> None:
    blocks = re.findall(r"```sql\n(.+?)```", page, re.DOTALL)
    queries = [query for block in blocks for query in block.split(";") if query.strip()]
    assert len(queries) >= 10
    for query in queries:
        assert database.query(query) == []


def test_both_pages_name_the_same() -> None:
    first, second = (set(rows((DOCS / name).read_text("utf-8"))) for name in PAGES)
    assert first == second
