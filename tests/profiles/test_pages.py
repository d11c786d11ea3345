"""The pages about profiles say what is there, and their examples work."""

import re
from pathlib import Path

import pytest

from gateway.settings import shipped
from gateway.settings.load import load
from gateway.settings.profile_model import ParameterFile, ProfileFile, SceneFile
from simulators.profile_device import ProfileDevice
from tests.profiles.models import MODBUS, OPCUA
from tests.support.config_site import GATEWAY, write_site
from tests.support.profile_play import Play, expected, scenes_of, show_registers, told, variants_of

FOLDER = shipped.directory() / "profiles"
DOCS = FOLDER.parents[1] / "docs"
PAGES = ("profiles.md", "profiles.zh-CN.md")
DOTTED = re.MULTILINE | re.DOTALL
PROFILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text_of(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def blocks(page: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```$", text_of(page), DOTTED)


def files(page: str) -> dict[str, str]:
    return {block.splitlines()[0].removeprefix("# "): block for block in blocks(page)}


def rows(page: str) -> dict[str, list[str]]:
    found = re.findall(r"^\| (`[^|]+) \| (.*)\|$", text_of(page), re.MULTILINE)
    cells = {name: [cell.strip() for cell in rest.split("|")] for name, rest in found}
    return {key: row for name, row in cells.items() for key in re.findall(r"`([a-z0-9_-]+)`", name)}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_listed_as_it_is(name: str, page: str) -> None:
    models = [model.file() for model in (*MODBUS, *OPCUA) if model.profile == name]
    _, verified, variants, needed = rows(page)[name]
    assert verified == ", ".join(sorted({f"`{file.verified}`" for file in models}))
    assert variants == (", ".join(f"`{one}`" for one in variants_of(name)) or "-")
    asked = {key for file in models for key in file.link_needs}
    asked |= {key for file in models for key, one in file.parameters.items() if one.default is None}
    assert {key for key in re.findall(r"`(\w+)`", needed) if key != "variant"} == asked


@pytest.mark.parametrize("page", PAGES)
def test_every_key_of_a_profile_is_explained(page: str) -> None:
    text = text_of(page)
    own = set(ProfileFile.model_fields) | set(ParameterFile.model_fields) | {"times"}
    about_machines = {"links", "balance", "min_hold_ms", "repeat_s", "snapshot_s", "max_shelf_s"}
    about_machines |= {"alive", "usage", "ideal_cycle_ms"}
    for key in (own | set(SceneFile.model_fields)) - about_machines:
        assert re.search(rf"[`{{ ]{key}[`:,}}]", text), key


def test_both_pages_show_the_same() -> None:
    assert blocks(PAGES[0]) == blocks(PAGES[1])
    data_blocks = [
        re.findall(r"^DATA_BLOCK.*?^END_DATA_BLOCK", text_of(page), DOTTED) for page in PAGES
    ]
    assert data_blocks[0] == data_blocks[1] != []
    assert set(rows(PAGES[0])) == set(rows(PAGES[1]))


def test_the_examples_are_a_good_site(tmp_path: Path) -> None:
    site = load(write_site(tmp_path, {"gateway.yaml": GATEWAY, **files(PAGES[0])}))
    assert set(site.equipment) == {"press-01", "press-02", "meter-01"}
    assert {problem.code for problem in site.warnings} == {"profile_layout", "float_counter"}
    meter = site.links["meter-01.rs485"]
    assert (meter.protocol, meter.settings.poll_interval_ms) == ("modbus-rtu-tcp", 2000)
    energy = next(tag for tag in meter.tags if tag.key == "meter-01/energy_import")
    assert (energy.settings.address, energy.settings.scale) == ("0x401E", 40)


async def test_a_profile_of_one_s_own_plays_its_device_too(tmp_path: Path) -> None:
    written = files(PAGES[0])["profiles/dryer.yaml"]
    device = ProfileDevice()
    async with device.serving():
        at = f"{{host: 127.0.0.1, port: {device.port}}}"
        machine = f"equipment: machine-1\nprofile: dryer\nlinks: {{plc: {at}}}\n"
        own = {"profiles/dryer.yaml": written, "equipment/machine-1.yaml": machine}
        site = load(write_site(tmp_path, {"gateway.yaml": GATEWAY, **own}))
        assert site.warnings == ()
        (link,) = site.links.values()
        driver = link.driver({})
        play = Play(site.equipment["machine-1"].rules, link.name)
        async with driver.open() as session:
            for scene in scenes_of(tmp_path / "profiles/dryer.yaml"):
                show_registers(device, scene)
                batches = [await session.read([group]) for group in driver.groups]
                assert told(scene, play, play.sees(*batches)) == expected(scene), scene.scene


BYTES = {"Word": 2, "UInt": 2, "UDInt": 4, "Real": 4}
LETTER = {2: "DBW", 4: "DBD"}


def members(page: str) -> list[tuple[str, str, str]]:
    """Return name, type and address of each member of the data block on the page."""
    (block,) = re.findall(r"^  STRUCT\n(.*?)^  END_STRUCT", text_of(page), DOTTED)
    return re.findall(r"^ +(\w+) : ([\w.\[\] ]+); +// (\w+(?:\.\d)?)", block, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_the_data_block_to_paste_lies_as_its_comments_say(page: str) -> None:
    byte, bit = 0, 0
    for name, kind, address in members(page):
        if kind == "Bool":
            assert address == f"DBX{byte}.{bit}", name
            bit += 1
            continue
        if bit:
            byte, bit = byte + 2, 0
        size = 2 * 7 if kind.startswith("Array") else BYTES[kind]
        assert address == f"{LETTER.get(size, 'DBW')}{byte}", name
        byte += size
    assert byte == 20 * 2


def test_the_data_block_has_every_value_the_profile_reads(tmp_path: Path) -> None:
    (model,) = [model for model in MODBUS if model.profile == "siemens-s7-modbus-server"]
    (link,) = model.site(tmp_path).links.values()
    read = {tag.settings.address for tag in link.tags}
    offered = {address for name, _, address in members(PAGES[0]) if name != "Spare"}
    assert read == offered
