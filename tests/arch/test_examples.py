"""Everything shipped in config/ is loaded, the way a person would put it to use."""

import re
import shutil
from pathlib import Path

import pytest
from pydantic import BaseModel

from gateway.settings import faults, shipped
from gateway.settings.calendar_model import CalendarFile, OverrideFile, PatternFile
from gateway.settings.diff import SiteDiff, compare
from gateway.settings.equipment_model import CounterFile, EquipmentFile, FaultFile, TagFile
from gateway.settings.load import load
from gateway.settings.model import GatewayFile
from gateway.settings.problems import Report
from gateway.settings.site import Site
from gateway.settings.sources import Source
from gateway.settings.usage import UsageFile
from tests.support.config_site import write_site

CONFIG = shipped.directory()
EXAMPLES = sorted(CONFIG.glob("**/*.example.yaml"))
DICTIONARIES = sorted(CONFIG.glob("faults/*.csv"))
MODELS = (
    GatewayFile,
    EquipmentFile,
    TagFile,
    CounterFile,
    FaultFile,
    UsageFile,
    CalendarFile,
    PatternFile,
    OverrideFile,
)


def put_to_use(directory: Path) -> Path:
    """Copy every example under the name it is meant to have."""
    for example in EXAMPLES:
        target = directory / str(example.relative_to(CONFIG)).replace(".example.yaml", ".yaml")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(example, target)
    return directory


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return load(put_to_use(tmp_path))


def test_all_examples_together_are_one_good_site(site: Site) -> None:
    assert len(site.equipment) == len(list(CONFIG.glob("equipment/*.example.yaml")))
    assert {link.protocol for link in site.links.values()} == {"modbus-tcp", "opcua"}
    assert {problem.code for problem in site.warnings} <= {"unverified_profile"}


def test_examples_read_twice_differ_in_nothing(site: Site) -> None:
    """Else a reload would open links anew that nobody touched."""
    assert compare(site, load(site.directory)) == SiteDiff()


def test_examples_speak_both_languages(site: Site) -> None:
    for equipment in site.equipment.values():
        texts = [equipment.name, *(tag.text for tag in equipment.rules.tags.values())]
        texts += [t.text for fault in equipment.rules.faults for t in fault.texts.values()]
        assert all(set(text) == {"zh", "en"} for text in texts)


@pytest.mark.parametrize("path", DICTIONARIES, ids=lambda path: path.name)
def test_every_fault_dictionary_is_complete(path: Path) -> None:
    report = Report()
    kind: faults.Kind = "bits" if path.read_text("utf-8").startswith("bit,") else "codes"
    texts = faults.load(Source(path, path.name), kind, report)
    assert report.problems == []
    assert texts
    assert all(set(text.text) == {"zh", "en"} for text in texts.values())


def test_no_example_holds_a_secret() -> None:
    for path in CONFIG.glob("**/*.yaml"):
        for line in path.read_text("utf-8").splitlines():
            assert "password:" not in line
            assert "token:" not in line


def blocks(document: str) -> list[str]:
    text = (CONFIG.parent / "docs" / document).read_text("utf-8")
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", ["configuration.md", "configuration.zh-CN.md"])
def test_the_documentation_is_a_good_site(document: str, tmp_path: Path) -> None:
    for block in blocks(document):
        name = block.splitlines()[0].removeprefix("# ")
        if not name.startswith("part:"):
            write_site(tmp_path, {name: block})
    found = load(tmp_path)
    assert set(found.equipment) == {"press-07", "packer-01"}
    assert {problem.code for problem in found.warnings} == {"unverified_profile"}


def test_the_documentation_says_the_same_in_both_languages() -> None:
    def keys(document: str) -> set[str]:
        text = (CONFIG.parent / "docs" / document).read_text("utf-8")
        return set(re.findall(r"`([a-z_.]+)`", text))

    assert blocks("configuration.md") == blocks("configuration.zh-CN.md")
    assert keys("configuration.md") == keys("configuration.zh-CN.md")


@pytest.mark.parametrize("model", MODELS)
def test_every_key_is_documented(model: type[BaseModel]) -> None:
    text = (CONFIG.parent / "docs/configuration.md").read_text("utf-8")
    for key in model.model_fields:
        assert re.search(rf"[`.{{ ]{key}[`.:,}}]", text), key
