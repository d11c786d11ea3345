"""The pages about topics show messages that are true, in both languages."""

import re
from pathlib import Path

import orjson
import pytest

from tests.unit.wire.test_schema import check

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("topics.md", "topics.zh-CN.md")
BLOCK = re.compile(r"^```json (?P<name>\S+)\n(?P<json>.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_message_shown_validates(page: str) -> None:
    assert len(blocks(page)) >= 9
    for name, text in blocks(page):
        check(name, orjson.loads(text))


def test_both_languages_show_the_same() -> None:
    assert blocks(PAGES[0]) == blocks(PAGES[1])
