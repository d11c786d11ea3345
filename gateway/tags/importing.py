"""A tag list into a site: good rows go in, bad ones are named, the site stays valid.

Promises:

- Nothing is written before the whole site was checked with the change in place.
- What the check says about a row's tag is that row's error; the other rows go in.
- Problems nobody's row caused refuse the whole import.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway.settings.problems import Problem
from gateway.settings.site import Site
from gateway.settings.yaml_edit import Uneditable, document, with_tags
from gateway.tags import roles
from gateway.tags.columns import Sheet, sheet_of
from gateway.tags.entries import Assumed, Entry, Target, entries_of
from gateway.tags.files import Encoding, Grid, form_of, read
from gateway.tags.link_text import link_of
from gateway.tags.merge import Changes, changes_of
from gateway.tags.messages import RowError, SheetError
from gateway.tags.site_files import all_fields, equipment_of, fields_of, shared_links
from gateway.tags.trial import put_in_place, try_out

NEW_LINK = "plc"
"""What the only link of a new device is called."""
Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for."""

    assumed: Assumed = field(default_factory=Assumed)
    new: str | None = None
    """The code of a device that does not exist yet; its link is ``assumed.link``."""
    encoding: Encoding = "auto"
    all_or_nothing: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a list."""

    grid: Grid
    sheet: Sheet
    changes: Mapping[str, Changes]
    """Equipment -> what its rows change."""
    errors: tuple[RowError, ...] = ()
    refused: tuple[Problem, ...] = ()
    """Why nothing was done, where no row is to blame."""
    meaning: roles.Meaning | None = None
    """What roles brought to a new device."""
    counts_from_0: bool = False
    """Bare addresses were taken to count from 0, because one of them is 0."""
    ignored_roles: int = 0
    """Rows with a role for an equipment that exists; its rules are its owner's."""
    files: tuple[str, ...] = ()
    """What was written, or would be."""
    written: bool = False

    @property
    def complete(self) -> bool:
        """Say whether every row went in."""
        return not self.errors and not self.refused


def import_tags(directory: Path, name: str, content: bytes, wanted: Wanted) -> Outcome:
    """Take a list into the site in ``directory``.

    Raises SheetError for a file that is no list, OSError if something cannot be written.
    """
    grid = read(content, form_of(name), wanted.encoding)
    sheet = sheet_of(grid.rows, all_fields())
    plan = _new(directory, sheet, wanted) if wanted.new else _Existing(directory, sheet, wanted)
    try:
        outcome = plan.outcome(grid)
    except Uneditable as err:
        raise SheetError("uneditable", file=", ".join(plan.labels())) from err
    blocked = wanted.all_or_nothing and not outcome.complete
    if wanted.dry_run or blocked or outcome.refused or not outcome.files:
        return outcome
    put_in_place(directory, plan.files)
    return replace(outcome, written=True)


@dataclass
class _Plan:
    """Entries on trial until the site is valid without the bad ones."""

    directory: Path
    sheet: Sheet
    entries: list[Entry]
    errors: list[RowError]
    counts_from_0: bool
    files: Files = field(default_factory=dict)

    def build(self) -> Files:
        """Return the files as the entries make them. Raises Uneditable."""
        raise NotImplementedError

    def label(self, equipment: str) -> str:
        """Return the file of an equipment."""
        raise NotImplementedError

    def labels(self) -> list[str]:
        """Return the files the rows go to."""
        return sorted({self.label(entry.equipment) for entry in self.entries})

    def rows(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        """Return which rows a tag of a file comes from."""
        return {(self.label(e.equipment), e.name): (e.row,) for e in self.entries}

    def settle(self) -> Sequence[Problem]:
        """Drop rows until the site is valid; return what no row is to blame for."""
        while True:
            self.files = self.build()
            if not self.files:
                return ()
            tried = try_out(self.directory, self.files)
            if isinstance(tried, Site):
                return ()
            problems = [problem for problem in tried if problem.severity == "error"]
            blamed = self._blamed(problems)
            if not blamed:
                self.files = {}
                return problems
            self.errors += blamed
            rows = {error.row for error in blamed}
            self.entries = [entry for entry in self.entries if entry.row not in rows]

    def _blamed(self, problems: Sequence[Problem]) -> list[RowError]:
        rows = self.rows()
        blamed: list[RowError] = []
        for problem in problems:
            section, _, rest = problem.key.partition(".")
            if section == "tags":
                found = rows.get((problem.file, rest.partition(".")[0]), ())
                blamed += [RowError(row, _with_hint(problem)) for row in found]
        return blamed


class _Existing(_Plan):
    """Rows for equipment that is there."""

    def __init__(self, directory: Path, sheet: Sheet, wanted: Wanted) -> None:
        self._known = equipment_of(directory)
        if wanted.assumed.equipment not in {None, *self._known}:
            raise SheetError("unknown_equipment", name=wanted.assumed.equipment)
        targets = {code: one.target for code, one in self._known.items()}
        found = entries_of(sheet, targets, wanted.assumed)
        good, errors = list(found.good), list(found.errors)
        super().__init__(directory, sheet, good, errors, found.counts_from_0)

    def label(self, equipment: str) -> str:
        return self._known[equipment].label

    def changes(self) -> dict[str, Changes]:
        """Return what the rows change, by equipment."""
        found = {}
        for code, one in self._known.items():
            mine = [entry for entry in self.entries if entry.equipment == code]
            if mine:
                found[code] = changes_of(mine, one.own.get("tags") or {}, one.tags())
        return found

    def build(self) -> Files:
        files = {}
        for code, changes in self.changes().items():
            one = self._known[code]
            if changes.tags:
                text = one.path.read_bytes().decode("utf-8-sig")
                files[one.label] = with_tags(text, changes.tags).encode()
        return files

    def outcome(self, grid: Grid) -> Outcome:
        """Return what would become of the list."""
        refused = self.settle()
        return Outcome(
            grid=grid,
            sheet=self.sheet,
            changes=self.changes(),
            errors=_sorted(self.errors),
            refused=tuple(refused),
            counts_from_0=self.counts_from_0,
            ignored_roles=sum(entry.role is not None for entry in self.entries),
            files=tuple(self.files),
        )


class _New(_Plan):
    """Rows that make a device of their own."""

    def __init__(
        self,
        directory: Path,
        sheet: Sheet,
        wanted: Wanted,
        code: str,
        base: Mapping[str, Any],
        protocol: str,
    ) -> None:
        self._code = code
        self._base = base
        target = Target({NEW_LINK: fields_of(protocol)}, NEW_LINK)
        assumed = replace(wanted.assumed, equipment=code, link=None)
        found = entries_of(sheet, {code: target}, assumed)
        good, errors = list(found.good), list(found.errors)
        super().__init__(directory, sheet, good, errors, found.counts_from_0)

    def label(self, equipment: str) -> str:
        return f"equipment/{equipment}.yaml"

    def rows(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        label = self.label(self._code)
        return {(label, tag): rows for tag, rows in roles.rows_of(self.entries).items()}

    def build(self) -> Files:
        if not self.entries:
            return {}
        meaning = roles.meaning_of(self._code, self.entries)
        content = {**self._base, "tags": meaning.tags, **meaning.sections}
        dictionaries = {
            name: text.encode()
            for name, text in meaning.dictionaries.items()
            if not (self.directory / name).exists()  # somebody's texts are not overwritten
        }
        return {**dictionaries, self.label(self._code): document(content).encode()}

    def outcome(self, grid: Grid) -> Outcome:
        """Return what would become of the list."""
        refused = self.settle()
        return Outcome(
            grid=grid,
            sheet=self.sheet,
            changes={self._code: changes_of(self.entries, {}, {})},
            errors=_sorted(self.errors),
            refused=tuple(refused),
            counts_from_0=self.counts_from_0,
            meaning=roles.meaning_of(self._code, self.entries),
            files=tuple(self.files),
        )


def _new(directory: Path, sheet: Sheet, wanted: Wanted) -> _New:
    code, link = str(wanted.new), wanted.assumed.link or ""
    if code in equipment_of(directory) or (directory / f"equipment/{code}.yaml").exists():
        raise SheetError("exists", name=code)
    protocol = shared_links(directory).get(link)
    base: dict[str, Any] = {"equipment": code, "link": link}
    if protocol is None:
        settings = link_of(link)
        protocol = str(settings["protocol"])
        base = {"equipment": code, "links": {NEW_LINK: settings}}
    columns = {c: at for c, at in sheet.columns.items() if c not in {"equipment", "link"}}
    return _New(directory, replace(sheet, columns=columns), wanted, code, base, protocol)


def _with_hint(problem: Problem) -> Mapping[str, str]:
    if problem.hint is None:
        return problem.text
    return {
        "zh": f"{problem.text['zh']}；{problem.hint['zh']}",
        "en": f"{problem.text['en']}; {problem.hint['en']}",
    }


def _sorted(errors: Sequence[RowError]) -> tuple[RowError, ...]:
    return tuple(sorted(errors, key=lambda error: error.row))
