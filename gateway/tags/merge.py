"""What a list changes in an equipment: pure.

Promises:

- Rows that say what is there already change nothing, however they write it.
- What a profile brings is not copied into the equipment; only what differs is written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.tags.entries import Entry, Path, shown


@dataclass(frozen=True, slots=True)
class Changes:
    """What would be written: each changed tag as the equipment's own file is to hold it."""

    tags: Mapping[str, Mapping[str, Any]]
    added: tuple[str, ...]
    changed: Mapping[str, tuple[str, ...]]
    """Tag -> the settings that differ, as ``unit: mm -> cm``."""
    unchanged: int


def changes_of(
    entries: Iterable[Entry], own: Mapping[str, Any], whole: Mapping[str, Any]
) -> Changes:
    """Compare a list with the tags an equipment has.

    ``own`` are the tags of its file, ``whole`` the same upon the profile.
    """
    tags: dict[str, Mapping[str, Any]] = {}
    added: list[str] = []
    changed: dict[str, tuple[str, ...]] = {}
    unchanged = 0
    for entry in entries:
        present = whole.get(entry.name)
        differing = _differing(entry, present)
        if present is None:
            added.append(entry.name)
        elif differing:
            changed[entry.name] = tuple(
                f"{'.'.join(path)}: {shown(_at(present, path)) or '-'} -> {shown(value) or '-'}"
                for path, value in differing.items()
            )
        else:
            unchanged += 1
            continue
        tags[entry.name] = _written(differing, own.get(entry.name) or {}, present or {})
    return Changes(tags, tuple(added), changed, unchanged)


def _differing(entry: Entry, present: Any) -> Mapping[Path, Any]:
    if present is None:
        return {path: value for path, value in entry.says.items() if value is not None}
    same = {path for path, raw in entry.raw.items() if shown(_at(present, path)) == raw}
    return {
        path: value
        for path, value in entry.says.items()
        if path not in same and not _equal(_at(present, path), value)
    }


def _written(
    differing: Mapping[Path, Any], own: Mapping[str, Any], present: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a tag as its file is to hold it; null takes away what the profile says."""
    found = dict(own)
    for path, value in differing.items():
        if len(path) == 1:
            _put(found, path[0], value, inherited=path[0] in present and path[0] not in own)
            continue
        outer, inner = path
        texts = dict(found.get(outer) or {})
        before = present.get(outer) or {}
        _put(texts, inner, value, inherited=inner in before and inner not in texts)
        _put(found, outer, texts or None, inherited=False)
    return found


def _put(found: dict[str, Any], key: str, value: Any, *, inherited: bool) -> None:
    if value is not None or inherited:
        found[key] = value
    else:
        found.pop(key, None)


def _equal(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _at(tag: Any, path: Path) -> Any:
    for key in path:
        tag = tag.get(key) if isinstance(tag, Mapping) else None
    return tag
