import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import revisions as module
from gateway.settings.files import (
    changed,
    changes_between,
    is_config_name,
    mirror,
    read_files,
    replace_file,
    write_changes,
)
from gateway.settings.revision import (
    Head,
    Revision,
    RevisionUnreadable,
    decode,
    decode_head,
    encode,
)
from gateway.settings.revisions import NoRevision, Revisions
from tests.support.config_site import GOOD, write_site

AT = datetime(2026, 3, 20, 1, 2, 3, 456000, tzinfo=UTC)
FILES = {name: text.encode() for name, text in GOOD.items()}
contents = st.dictionaries(
    st.sampled_from(["gateway.yaml", "equipment/a.yaml", "equipment/b.yaml", "faults/x.csv"]),
    st.binary(max_size=40),
)


def head(number: int, **changes: object) -> Head:
    one = Head(number, AT, "li", "faster", "apply", number - 1, {"files": {"added": 1}}, ("+ x",))
    return replace(one, **changes)  # type: ignore[arg-type]


@pytest.fixture
def kept(tmp_path: Path) -> Revisions:
    write_site(tmp_path)
    return Revisions(tmp_path, tmp_path / "data/journal.db")


@given(contents)
def test_a_revision_comes_back_as_it_was_kept(files: dict[str, bytes]) -> None:
    one = Revision(head(7), files)
    assert decode(encode(one)) == one
    assert decode_head(encode(one)) == one.head


@given(contents, contents)
def test_changes_lead_from_one_state_to_the_other(
    before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    assert changed(before, changes_between(before, after)) == after


@pytest.mark.parametrize(
    "content",
    [b"", b"x", gzip.compress(b"{}\n"), gzip.compress(b"[]\n1")],
    ids=["empty", "no gzip", "no head", "no object"],
)
def test_what_is_no_revision_is_refused(content: bytes) -> None:
    for read in (decode, decode_head):
        with pytest.raises(RevisionUnreadable):
            read(content)


def test_the_newest_in_force_is_the_current_one(kept: Revisions) -> None:
    assert (kept.current(), kept.numbers(), kept.next_number()) == (None, [], 1)
    kept.add(Revision(head(1), FILES))
    kept.add(Revision(head(2), FILES))
    kept.add(Revision(head(3, in_force=False), FILES))
    assert kept.current() == head(2)
    assert kept.before(2) == head(1)
    assert kept.next_number() == 4
    assert [one.number for one in kept.heads()] == [3, 2, 1]
    with pytest.raises(NoRevision):
        kept.get(9)


def test_a_damaged_revision_hides_no_other(kept: Revisions) -> None:
    kept.add(Revision(head(1), FILES))
    kept.add(Revision(head(2), FILES))
    (kept.folder / "000002.json.gz").write_bytes(b"rubbish")
    assert [one.number for one in kept.heads()] == [1]
    with pytest.raises(RevisionUnreadable):
        kept.get(2)


def test_old_ones_are_forgotten_but_never_the_current_one(
    kept: Revisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    kept.add(Revision(head(1), FILES))
    for number in range(2, 7):
        kept.add(Revision(head(number, in_force=False), FILES))
    assert kept.numbers() == [1, 4, 5, 6]


def test_an_apply_writes_the_files_and_is_a_revision_once_confirmed(kept: Revisions) -> None:
    kept.add(Revision(head(1), kept.on_disk()))
    after = FILES | {"equipment/oven-1.yaml": b"equipment: oven-1\n"}
    after.pop("faults/press.csv")
    new = Revision(head(2), after)
    kept.begin(new, kept.on_disk())
    assert kept.on_disk() == after
    assert kept.current() == head(1)
    kept.confirm(new)
    assert kept.current() == head(2)
    assert kept.get(2) == new
    assert kept.recover() is None
    assert kept.on_disk() == after


def test_an_apply_without_an_end_is_taken_back(kept: Revisions) -> None:
    kept.add(Revision(head(1), FILES))
    after = FILES | {"gateway.yaml": b"site: other\n", "equipment/new.yaml": b"x: 1\n"}
    kept.begin(Revision(head(2), after), FILES)
    theirs = {"equipment/press-07.yaml": b"# somebody\n", "equipment/new.yaml": b"x: 2\n"}
    for name, text in theirs.items():
        (kept.directory / name).write_bytes(text)
    assert kept.recover() == head(2)
    assert kept.on_disk() == FILES | theirs
    assert kept.recover() is None
    assert kept.numbers() == [1]


def test_a_file_keeps_its_rights_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["a.yaml"]
    path.unlink()
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(path, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["a.yaml"]


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("gateway.yaml", True),
        ("equipment/press-07.yaml", True),
        ("faults/press.xlsx", True),
        ("secrets/mqtt.yaml", False),
        ("../gateway.yaml", False),
        ("/etc/passwd.yaml", False),
        ("equipment/../../x.yaml", False),
        ("equipment//x.yaml", False),
        ("./x.yaml", False),
        (".hidden.yaml", False),
        ("a/.git/x.yaml", False),
        ("x.py", False),
        ("a\nb.yaml", False),
        ("", False),
    ],
)
def test_only_files_of_a_configuration_are_named(name: str, ours: bool) -> None:
    assert is_config_name(name) is ours


def test_a_mirror_has_the_new_files_and_finds_the_old_secrets(tmp_path: Path) -> None:
    root, target = tmp_path / "site", tmp_path / "mirror"
    write_site(root, dict(GOOD) | {"secrets/mqtt": "s3cret\n", "equipment/notes.txt": "n"})
    data = root / "data"
    data.mkdir()
    (data / "copy.yaml").write_text("not: ours\n")
    target.mkdir()
    mirror(root, data, {"gateway.yaml": b"site: x\n", "equipment/new.yaml": b"n: 1\n"}, target)
    assert read_files(target, target / "data") == {
        "gateway.yaml": b"site: x\n",
        "equipment/new.yaml": b"n: 1\n",
    }
    assert (target / "secrets/mqtt").read_text() == "s3cret\n"
    assert (target / "equipment/notes.txt").read_text() == "n"
    assert not (target / "data").exists()


def test_data_beside_the_files_is_no_part_of_them(tmp_path: Path) -> None:
    write_site(tmp_path, dict(GOOD) | {"data/old/gateway.yaml": "site: x\n"})
    (tmp_path / "linked.yaml").symlink_to(tmp_path / "gateway.yaml")
    assert set(read_files(tmp_path, tmp_path / "data")) == set(GOOD)
    write_changes(tmp_path, {"gateway.yaml": None, "equipment/deep/a.yaml": b"a: 1\n"})
    assert "equipment/deep/a.yaml" in read_files(tmp_path, tmp_path / "data")
    assert not (tmp_path / "gateway.yaml").exists()
