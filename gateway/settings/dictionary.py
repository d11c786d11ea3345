"""What a subscriber needs to read the facts: the retained ``birth`` messages.

`birth` describes one equipment, `gateway_birth` the gateway. ``dictionary_rev`` changes
exactly when something a reader sees has changed.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson

from gateway.domain.events import STREAMS, FaultText
from gateway.domain.rules import CounterRule, EquipmentRules, FaultRule, TagRule
from gateway.domain.vocabulary import State
from gateway.settings.site import EquipmentConfig, Site

Json = dict[str, Any]

STATE_TEXTS: dict[State, dict[str, str]] = {
    State.OFFLINE: {"zh": "离线", "en": "Offline"},
    State.RUNNING: {"zh": "运行", "en": "Running"},
    State.IDLE: {"zh": "待机", "en": "Idle"},
    State.STOPPED: {"zh": "停机", "en": "Stopped"},
    State.FAULT: {"zh": "故障", "en": "Fault"},
    State.SETUP: {"zh": "调机/换型", "en": "Setup"},
    State.MAINTENANCE: {"zh": "保养/维修", "en": "Maintenance"},
}
SCHEMA_VERSION = 1


def birth(equipment: EquipmentConfig) -> Json:
    """Return the dictionary of one equipment: names, tags, counters, faults, states."""
    rules = equipment.rules
    words: Json = {
        "equipment": equipment.equipment,
        "name": dict(equipment.name),
        "area": equipment.area,
        "line": equipment.line,
        "stage": equipment.stage,
        "tags": {name: _tag(tag) for name, tag in rules.tags.items()},
        "counters": _counters(rules),
        "faults": [_fault(fault) for fault in rules.faults],
        "states": {
            state.value: {"code": state.code, "text": text} for state, text in STATE_TEXTS.items()
        },
    }
    return {**words, "dictionary_rev": _revision(words)}


def gateway_birth(site: Site, epoch: str, previous: Sequence[str] = ()) -> Json:
    """Return what the gateway says of itself; equipment in commissioning is left out."""
    live = [one for one in site.equipment.values() if one.stage == "live"]
    return {
        "site": site.gateway.site,
        "gateway": site.gateway.gateway,
        "timezone": site.gateway.timezone,
        "epoch": epoch,
        "previous_epochs": list(previous),
        "equipment": [
            {
                "equipment": one.equipment,
                "name": dict(one.name),
                "area": one.area,
                "line": one.line,
                "dictionary_rev": birth(one)["dictionary_rev"],
            }
            for one in live
        ],
        "schemas": {f"millgate.{stream}": SCHEMA_VERSION for stream in STREAMS},
    }


def _revision(words: Json) -> str:
    return sha256(orjson.dumps(words, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def _tag(tag: TagRule) -> Json:
    return {
        "name": dict(tag.text),
        "unit": tag.unit,
        "group": tag.group,
        "deadband": tag.deadband,
        "publish": tag.publish,
    }


def _counters(rules: EquipmentRules) -> Json:
    shown = {counter.name: _counter(counter) for counter in rules.counters}
    balance = rules.balance
    if balance is None or balance.derived is None:
        return shown
    names = {"good": balance.good, "reject": balance.reject, "total": balance.total}
    sources = [name for role, name in names.items() if role != balance.derived]
    like = shown[sources[0]]
    derived = {"tag": "", "kind": balance.derived, "derived_from": sources}
    return {**shown, balance.derived: like | derived | {"factor": 1, "modulus": None}}


def _counter(counter: CounterRule) -> Json:
    return {
        "tag": counter.tag,
        "kind": counter.kind,
        "unit": counter.unit,
        "resolution": counter.resolution,
        "factor": counter.factor,
        "modulus": counter.modulus,
    }


def _fault(fault: FaultRule) -> Json:
    return {
        "tag": fault.tag,
        "kind": fault.kind,
        "texts": {str(key): _text(text) for key, text in sorted(fault.texts.items())},
    }


def _text(text: FaultText) -> Json:
    return text.data()
