"""Differences as people read them: ``+`` came, ``-`` went, ``~`` changed.

In the words of the files and in no other language.
"""

from collections.abc import Iterable, Iterator
from difflib import unified_diff

from gateway.settings.diff import EquipmentChange, LinkChange, Names, SiteDiff
from gateway.settings.files import Files, changes_between

MAX_NOTES = 200
"""More differences than a person reads; the files say the rest."""


def notes(diff: SiteDiff) -> list[str]:
    """Return a line for each thing that differs."""
    found = [f"~ gateway.yaml: {key}" for key in diff.gateway]
    found += _named("equipment", diff.equipment)
    found += [f"~ equipment {n}: {_equipment(c)}" for n, c in diff.equipment_changes.items()]
    found += _named("link", diff.links)
    found += [f"~ link {name}: {_link(change)}" for name, change in diff.link_changes.items()]
    return _bounded(found)


def file_notes(before: Files, after: Files) -> list[str]:
    """Return a line for each file, where nobody knows what it means."""
    return _bounded(
        f"{'-' if name not in after else '~' if name in before else '+'} {name}"
        for name in changes_between(before, after)
    )


def file_counts(before: Files, after: Files) -> dict[str, int]:
    """Return how many files came, went and changed."""
    names = changes_between(before, after)
    return {
        "added": sum(name not in before for name in names),
        "removed": sum(name not in after for name in names),
        "changed": sum(name in before and name in after for name in names),
    }


def unified(before: Files, after: Files) -> Iterator[str]:
    """Return the lines of a unified diff; of what is no text only the name."""
    for name in changes_between(before, after):
        old, new = _lines(before.get(name)), _lines(after.get(name))
        if old is None or new is None:
            yield f"Binary files a/{name} and b/{name} differ"
            continue
        was = f"a/{name}" if name in before else "/dev/null"
        now = f"b/{name}" if name in after else "/dev/null"
        yield from unified_diff(old, new, was, now, lineterm="")


def _named(what: str, names: Names) -> list[str]:
    return [f"+ {what} {name}" for name in names.added] + [
        f"- {what} {name}" for name in names.removed
    ]


def _equipment(change: EquipmentChange) -> str:
    said = ", ".join(change.parts)
    return f"{said} (baseline: {', '.join(change.rebased)})" if change.rebased else said


def _link(change: LinkChange) -> str:
    tags = [f"+{key}" for key in change.tags.added]
    tags += [f"-{key}" for key in change.tags.removed]
    tags += [f"~{key}" for key in change.tags.changed]
    said = [", ".join(change.settings)] if change.settings else []
    return "; ".join(said + ([f"tags {' '.join(tags)}"] if tags else []))


def _bounded(found: Iterable[str]) -> list[str]:
    lines = list(found)
    more = len(lines) - MAX_NOTES
    return lines if more <= 0 else [*lines[:MAX_NOTES], f"... +{more}"]


def _lines(content: bytes | None) -> list[str] | None:
    try:
        return [] if content is None else content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return None
