"""The pages for people name what there is."""

import re
from pathlib import Path
from typing import get_args

import pytest
from ruamel.yaml import YAML

from drivers.modbus.address import parse
from drivers.modbus.families import FAMILIES, Family
from drivers.modbus.settings import LinkSettings, TcpSettings
from drivers.modbus.tag import TYPES, Order, TagSettings

DOCS = Path(__file__).parents[4] / "docs"
PAGES = [DOCS / "modbus-values.md", DOCS / "modbus-values.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_family_with_every_name_and_every_type_and_order(page: Path) -> None:
    text = page.read_text("utf-8")
    for family in get_args(Family):
        (row,) = [
            line for line in text.splitlines() if line.startswith("|") and f"`{family}`" in line
        ]
        cells = row.split("|")[2:4]
        written = set(re.findall(r"[A-Z]+", " ".join(re.findall(r"`([^`]+)`", " ".join(cells)))))
        if family != "mitsubishi-q":
            assert set(FAMILIES[family].names) <= written, family
    words = set(re.findall(r"[A-Za-z0-9]+", text))
    assert {*TYPES, *get_args(Order)} <= words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_option_of_planning_and_its_default(page: Path) -> None:
    text = page.read_text("utf-8")
    for name in (
        "max_registers_per_read",
        "max_bits_per_read",
        "max_gap_registers",
        "forbidden",
        "one_tag_per_request",
        "pause_ms",
        "close_after_read",
        "devices",
        "illegal_retry_ms",
    ):
        assert name in LinkSettings.model_fields
        assert f"`{name}`" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_the_examples_mean_something(page: Path) -> None:
    link, tag = re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)[:2]
    settings = TcpSettings(**YAML(typ="safe").load(link)["plc"])
    found = parse("W1F", settings.family, assigned=settings.devices)
    assert (found.table, found.offset) == ("hr", 8031)
    (temperature,) = YAML(typ="rt").load(tag.replace("0x8000", '"0x8000"')).values()
    assert TagSettings(**temperature).invalid == ("0x8000", 32767)
