"""The pages about states show the state maps as they are, and examples that load."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from gateway.domain.map_tables import MAPS
from gateway.domain.maps import Row
from gateway.settings.equipment_model import StatusMapFile, StatusRuleFile

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("states.md", "states.zh-CN.md")
SECTION = re.compile(r"^### (?P<name>\w+)\n(?P<body>.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"```yaml\n# part: (\w+)\n(.*?)```", re.DOTALL)
Shown = tuple[dict[str, list[str]], str, str]


def text(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def tables(page: str) -> Mapping[str, list[Shown]]:
    return {name: rows(body) for name, body in SECTION.findall(text(page))}


def rows(table: str) -> list[Shown]:
    """Each line as (role -> what it shows, state, reason)."""
    lines = [line.strip("| ").split(" |") for line in table.splitlines() if line.startswith("| `")]
    return [
        (
            dict(zip(_words(roles), _values(shown), strict=True)),
            state.strip(" `"),
            (reason[0] if reason else "").strip(" `"),
        )
        for roles, shown, state, *reason in lines
    ]


def _words(cell: str) -> list[str]:
    return [role.strip(" `") for role in cell.split("+")]


def _values(cell: str) -> list[list[str]]:
    """ "5 Suspended, 13 Suspending + true" as the words of each role's values."""
    return [re.split(r",? ", part.strip()) for part in cell.split("+")]


def known(row: Row) -> Shown:
    """Tell a row as the page does; further names of a value need not stand there."""
    when = {
        role: [str(value).lower() if value is True else str(value) for value in values]
        for role, values in row.when.items()
    }
    return when, row.state.value, "" if row.reason is None else row.reason.code


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_show_every_map(page: str) -> None:
    assert set(tables(page)) == set(MAPS)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", MAPS)
def test_the_pages_show_each_row_in_its_order(name: str, page: str) -> None:
    shown, true = tables(page)[name], [known(row) for row in MAPS[name].rows]
    assert [row[1:] for row in shown] == [row[1:] for row in true]
    for (said, _, _), (means, _, _) in zip(shown, true, strict=True):
        assert said.keys() == means.keys()
        for role, values in said.items():
            assert set(values) <= set(means[role])
            numbers = {value for value in means[role] if value.isdigit()}
            assert numbers <= set(values)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_are_what_a_file_may_say(page: str) -> None:
    models: Mapping[str, type[BaseModel]] = {"status": StatusRuleFile, "status_map": StatusMapFile}
    found = EXAMPLE.findall(text(page))
    assert {part for part, _ in found} == set(models)
    for part, yaml in found:
        content = YAML(typ="safe").load(yaml)
        for item in content if isinstance(content, list) else [content]:
            if "reasons" in item:
                item["reasons"] = {str(key): value for key, value in item["reasons"].items()}
            models[part].model_validate(item)


def test_both_languages_show_the_same() -> None:
    assert EXAMPLE.findall(text(PAGES[0])) == EXAMPLE.findall(text(PAGES[1]))
