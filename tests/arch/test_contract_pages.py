"""The pages about the contract: the same in both languages, and every command exists."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("contract.md", "contract.zh-CN.md")
COMMAND = re.compile(r"(?:`|^    )millgate ([^`\n]+)", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def test_both_languages_name_the_same_things() -> None:
    english, chinese = (set(CODE.findall(text(page))) for page in PAGES)
    assert english == chinese
    assert re.findall(COMMAND, text(PAGES[0])) == re.findall(COMMAND, text(PAGES[1]))


@pytest.mark.parametrize("command", sorted(set(COMMAND.findall(text(PAGES[0])))))
def test_every_command_on_the_page_is_understood(command: str, tmp_path: Path) -> None:
    words = command.replace("DIR", str(tmp_path / "none")).split()
    if words[0] == "run":
        words.append("--help")
    result = CliRunner().invoke(app, words)
    assert result.exit_code != 2, result.output  # 2: the arguments themselves are wrong
