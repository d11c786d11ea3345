"""What a list says its tags are for becomes status rules, counters and faults. Pure."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.tags.entries import MAX_NAME, Entry
from gateway.tags.words import bit_of_word

STATES: Mapping[str, str] = {
    "maintenance": "maintenance",
    "setup": "setup",
    "run": "running",
    "ready": "idle",
}
"""Role -> state, in the order the rules are asked."""
COUNTERS = ("good", "reject", "total")
ALIVE_WITHIN_S = 60
_WORD_BITS = 16
_HEADER = ("bit", "code", "text_zh", "text_en", "severity", "stops_machine")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the roles of a list add to a new equipment."""

    tags: Mapping[str, Mapping[str, Any]]
    sections: Mapping[str, Any]
    """``status``, ``counters``, ``faults``, ``alive``: those there is something to say of."""
    dictionaries: Mapping[str, str] = field(default_factory=dict)
    """File, relative to the configuration directory -> its content."""
    texts_missing: tuple[str, ...] = ()
    """Dictionaries whose texts somebody has to write."""


@dataclass(frozen=True, slots=True)
class _Alarm:
    """One source of faults: a tag and what its bits are called."""

    tag: str
    settings: Mapping[str, Any]
    bits: Mapping[int, Mapping[str, str]]
    kind: str = "bits"
    invented: bool = False


def meaning_of(code: str, entries: Sequence[Entry]) -> Meaning:
    """Return the tags of an equipment and what their roles bring along."""
    alarms = list(_alarms(entries))
    in_words = {e.name for e in entries if e.role == "alarm" and _bit(e) is not None}
    tags: dict[str, Mapping[str, Any]] = {
        **{e.name: _settings(e) for e in entries if e.name not in in_words},
        **{alarm.tag: alarm.settings for alarm in alarms},
    }
    files = {alarm.tag: f"faults/{code}-{alarm.tag}.csv" for alarm in alarms}
    sections: dict[str, Any] = {}
    status = list(_status(entries, has_faults=bool(alarms)))
    if status:
        sections["status"] = status
    if counters := _counters(entries):
        sections["counters"] = counters
    if alarms:
        sections["faults"] = [{"tag": a.tag, a.kind: files[a.tag]} for a in alarms]
    if alive := [e.name for e in entries if e.role == "alive"]:
        sections["alive"] = {"tag": alive[0], "changes_within_s": ALIVE_WITHIN_S}
    return Meaning(
        tags,
        sections,
        {files[alarm.tag]: _dictionary(alarm) for alarm in alarms},
        tuple(files[alarm.tag] for alarm in alarms if alarm.invented),
    )


def rows_of(entries: Sequence[Entry]) -> Mapping[str, tuple[int, ...]]:
    """Return which rows of the list a tag comes from; an alarm word from several."""
    found: dict[str, tuple[int, ...]] = {}
    for entry in entries:
        bit = _bit(entry) if entry.role == "alarm" else None
        name = entry.name if bit is None else _word_name(bit[0])
        found[name] = (*found.get(name, ()), entry.row)
    return found


def _status(entries: Sequence[Entry], *, has_faults: bool) -> Iterator[Mapping[str, Any]]:
    if has_faults:
        yield {"state": "fault", "when": "stopping_fault"}
    for role, state in STATES.items():
        for entry in entries:
            if entry.role == role:
                yield {"state": state, "when": entry.name}


def _counters(entries: Sequence[Entry]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries:
        if entry.role in COUNTERS:
            name = entry.role if entry.role not in found else entry.name
            found[name] = {"tag": entry.name, "kind": entry.role}
    return found


def _alarms(entries: Sequence[Entry]) -> Iterator[_Alarm]:
    """Yield each source; alarm bits of one word are one source."""
    words: dict[str, list[Entry]] = {}
    for entry in entries:
        bit = _bit(entry)
        if entry.role == "alarm_code":
            yield _Alarm(entry.name, _settings(entry), {}, "codes", invented=True)
        elif entry.role == "alarm" and bit is not None:
            words.setdefault(bit[0], []).append(entry)
        elif entry.role == "alarm":
            yield _single(entry)
    for address, bits in words.items():
        yield _word(address, bits)


def _bit(entry: Entry) -> tuple[str, int] | None:
    """Return the word and the bit of it a tag is; None if it is something else."""
    given = _given(entry)
    return bit_of_word(str(given.get(("address",), "")), given.get(("bit",)))


def _single(entry: Entry) -> _Alarm:
    """Return a whole alarm word, whose texts nobody gave, or one alarm of its own."""
    kind = str(_given(entry).get(("type",), ""))
    if not re.match(r"u?int", kind):
        return _Alarm(entry.name, _settings(entry), {0: _title(entry)})
    bits = int(re.sub(r"\D", "", kind) or _WORD_BITS)
    texts = {
        n: {"zh": f"{entry.name} 第 {n} 位", "en": f"{entry.name} bit {n}"} for n in range(bits)
    }
    return _Alarm(entry.name, _settings(entry), texts, invented=True)


def _word(address: str, bits: Sequence[Entry]) -> _Alarm:
    first = _settings(bits[0])
    kept = {key: value for key, value in first.items() if key in {"link", "group", "order"}}
    texts = {found[1]: _title(entry) for entry in bits if (found := _bit(entry))}
    number = int(address) if address.isdecimal() else address
    return _Alarm(_word_name(address), {"address": number, "type": "uint16", **kept}, texts)


def _word_name(address: str) -> str:
    return ("alarm_" + re.sub(r"[^a-z0-9]+", "_", address.lower()).strip("_"))[:MAX_NAME]


def _dictionary(alarm: _Alarm) -> str:
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\n")
    header = _HEADER if alarm.kind == "bits" else _HEADER[1:]
    rows.writerow(header)
    for bit, text in sorted(alarm.bits.items()):
        stops = "no" if alarm.invented else "yes"
        row = (bit, f"{alarm.tag}.{bit}", text.get("zh", ""), text.get("en", ""), 500, stops)
        rows.writerow(row)
    return out.getvalue()


def _title(entry: Entry) -> Mapping[str, str]:
    titles = {path[1]: str(text) for path, text in entry.says.items() if path[0] == "name" and text}
    return titles or {"en": entry.name}


def _given(entry: Entry) -> Mapping[tuple[str, ...], Any]:
    return {path: value for path, value in entry.says.items() if value is not None}


def _settings(entry: Entry) -> dict[str, Any]:
    """Return a new tag's settings as the file holds them."""
    found: dict[str, Any] = {}
    for path, value in _given(entry).items():
        if len(path) == 1:
            found[path[0]] = value
        else:
            found.setdefault(path[0], {})[path[1]] = value
    return found
