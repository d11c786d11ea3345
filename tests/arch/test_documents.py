"""The documents lead where they say, and what they tell people to type is accepted."""

import re
from pathlib import Path

import pytest

from gateway.settings.load import load

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh-CN.md")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
COMMAND = re.compile(r"^    (\S+(?: \S+)*)", re.MULTILINE)
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md"]


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("readme", READMES)
def test_the_first_machine_of_the_readme_is_a_good_configuration(
    readme: str, tmp_path: Path
) -> None:
    blocks = BLOCK.findall((ROOT / readme).read_text(encoding="utf-8"))
    yaml = [text for kind, text in blocks if kind == "yaml"]
    (table,) = [text for kind, text in blocks if kind == "csv"]
    for name, text in (
        ("gateway.yaml", yaml[0]),
        ("equipment/press-07.yaml", yaml[1]),
        ("faults/press.csv", table),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    site = load(tmp_path)
    assert list(site.equipment) == ["press-07"]
    assert site.warnings == ()


def test_both_readmes_show_the_same_examples_and_commands() -> None:
    readmes = [(ROOT / name).read_text(encoding="utf-8") for name in READMES]
    tables = [[text for kind, text in BLOCK.findall(readme) if kind == "csv"] for readme in readmes]
    commands = [re.findall(COMMAND, readme) for readme in readmes]
    assert tables[0] == tables[1]
    assert commands[0] == commands[1]
    assert len(commands[0]) > 5


def test_every_make_target_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^    make ([a-z]+)", text, re.MULTILINE)) <= targets
