"""What the tree says: of the product only, and under names that say something."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIP = frozenset({".git", ".venv", "build", "dist", "data", "node_modules"})
TEXT = frozenset(
    [
        ".py",
        ".md",
        ".toml",
        ".yaml",
        ".yml",
        ".csv",
        ".json",
        ".jsonl",
        ".html",
        ".css",
        ".js",
        ".c",
        ".sh",
        ".service",
        ".conf",
        ".txt",
    ]
)
SAYS_NOTHING = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|base|stuff)(_|$)")
LOAD = "benchmarks/load"
"""The measuring load, kept as it is."""

FOREIGN = {
    "a path of one machine": re.compile(r"(?<![\w.}])/(?:work|root|home/\w+|Users/\w+)/"),
    "a file outside the project": re.compile(r"\.\./shar" + "ed"),
    "the number of a task": re.compile(r"\bissues? #?\d"),
    "the host of a package index": re.compile(r"(pypi|npmjs)\.(org|com)|index-" + "url"),
    "a private key": re.compile("BEGIN [A-Z ]*PRIVATE" + " KEY"),
    "work left open": re.compile(r"\b(TO" + "DO|FIX" + "ME|HA" + r"CK)\b"),
}


def files(root: Path) -> Iterator[Path]:
    """Every text file of the project, relative to ``root``."""
    for path in sorted(root.iterdir()):
        if path.name in SKIP or path.name.endswith(("_cache", ".egg-info")):
            continue
        if path.is_dir():
            yield from (path.relative_to(root) / inner for inner in files(path))
        elif path.suffix in TEXT or path.name == "Makefile":
            yield path.relative_to(root)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")  # some tables are GB18030


def foreign_words(root: Path) -> list[str]:
    return [
        f"{path}:{number}: {what}"
        for path in files(root)
        for number, line in enumerate(_text(root / path).splitlines(), 1)
        for what, pattern in FOREIGN.items()
        if pattern.search(line)
    ]


def empty_names(root: Path) -> list[str]:
    return [
        str(path)
        for path in files(root)
        if path.suffix == ".py" and LOAD not in path.as_posix()
        if any(SAYS_NOTHING.search(part) for part in path.with_suffix("").parts)
    ]


def test_the_tree_speaks_of_the_product_only() -> None:
    assert foreign_words(ROOT) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert empty_names(ROOT) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("see /ro" + "ot/notes.txt", "a path of one machine"),
        ('path = "/ho' + 'me/li/gateway"', "a path of one machine"),
        ("as issue" + " 12 asks", "the number of a task"),
        ("https://pypi." + "org/simple", "the host of a package index"),
        ("# TO" + "DO later", "work left open"),
    ],
)
def test_a_planted_word_is_caught(tmp_path: Path, line: str, what: str) -> None:
    (tmp_path / "notes.md").write_text(f"fine\n{line}\n", encoding="utf-8")
    assert foreign_words(tmp_path) == [f"notes.md:2: {what}"]


def test_a_planted_name_is_caught(tmp_path: Path) -> None:
    for name in ("string_utils.py", "baseline.py", "helpers/text.py"):
        path = tmp_path / "gateway" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert empty_names(tmp_path) == ["gateway/helpers/text.py", "gateway/string_utils.py"]
