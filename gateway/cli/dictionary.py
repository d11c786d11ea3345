"""``millgate dictionary DIR``: what every name, code and topic of a site means."""

import sys
from pathlib import Path

from gateway.cli.say import refuse
from gateway.domain.events import STREAMS
from gateway.domain.snapshot import KINDS
from gateway.settings.dictionary_files import WRITERS
from gateway.settings.dictionary_rows import rows
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems
from gateway.settings.site import EquipmentConfig, Site
from gateway.wire.topics import Place, birth_topic, event_topic, state_topic


def run(directory: Path, form: str, out: Path | None) -> int:
    """Write the dictionary to ``out`` or print it; return the exit code."""
    if out is None and form == "xlsx":
        return refuse("xlsx 需要 --out FILE", "xlsx needs --out FILE")
    try:
        site = load(directory)
        content = WRITERS[form](rows(site, _topics(site)))
        if out is None:
            sys.stdout.write(content.decode("utf-8-sig"))
        else:
            out.write_bytes(content)
    except ConfigProblems as err:
        return refuse(f"配置有误:{err}", f"the configuration is refused: {err}")
    except OSError as err:
        return refuse(f"无法写入:{err}", f"cannot be written: {err}")
    return 0


def _topics(site: Site) -> dict[str, dict[str, str]]:
    root, name = site.gateway.mqtt.root, site.gateway.site
    return {
        one.equipment: _topics_of(one, Place(root, name, one.area, one.line, one.equipment))
        for one in site.equipment.values()
        if one.stage == "live"
    }


def _topics_of(one: EquipmentConfig, place: Place) -> dict[str, str]:
    groups = sorted({tag.group for tag in one.rules.tags.values() if tag.publish})
    events = {f"evt/{kind}": event_topic(place, kind) for kind in STREAMS if kind != "reading"}
    readings = {f"evt/reading/{group}": event_topic(place, "reading", group) for group in groups}
    states = {f"state/{kind}": state_topic(place, kind) for kind in KINDS}
    return {**events, **readings, **states, "birth": birth_topic(place)}
