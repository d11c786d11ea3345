"""Archives that lie, and one that does not."""

import hashlib
import stat
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal import archive
from gateway.journal.archive import ArchiveRefused, Content, Manifest, is_safe, unpacked

FILES = {"journal.db": b"SQLite", "site/gateway.yaml": b"site: suzhou\n"}


def manifest_of(files: Mapping[str, bytes]) -> Manifest:
    return Manifest(
        program="0.1.0",
        journal_version=2,
        site="suzhou",
        gateway="gw-01",
        epoch="t5k2m0-9f3a",
        head=7,
        exported_at="2026-03-20T01:01:29.123Z",
        left_out=["secrets/mqtt"],
        files={
            name: Content(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
            for name, data in files.items()
        },
    )


def pack(
    path: Path, files: Mapping[str, bytes], manifest: bytes | None = None, *, mode: int = 0
) -> Path:
    said = manifest_of(files).model_dump_json().encode() if manifest is None else manifest
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zip_file:
        zip_file.writestr("manifest.json", said)
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            zip_file.writestr(info, data)
    return path


def refusal(path: Path) -> str:
    room = path.parent / "room"
    room.mkdir()
    with pytest.raises(ArchiveRefused) as refused, unpacked(path, room):
        pass
    assert list(room.iterdir()) == [], "something was left behind"
    assert [one.name for one in path.parent.iterdir() if one != path] == ["room"]
    return refused.value.reason


def test_what_is_written_comes_back_and_leaves_nothing(tmp_path: Path) -> None:
    sources = {}
    for number, (name, data) in enumerate(FILES.items()):
        sources[name] = tmp_path / str(number)
        sources[name].write_bytes(data)
    target = tmp_path / "a.mgj"
    archive.write(target, manifest_of(FILES), sources)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with unpacked(target, tmp_path) as (manifest, place):
        assert manifest == manifest_of(FILES)
        assert {name: (place / name).read_bytes() for name in FILES} == FILES
    assert not place.exists()


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "a.mgj"
    target.write_bytes(b"older")
    with pytest.raises(FileNotFoundError):
        archive.write(target, manifest_of(FILES), {"journal.db": tmp_path / "none"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.mgj"]
    assert target.read_bytes() == b"older"


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd.yaml",
        "../gateway.yaml",
        "site/../../gateway.yaml",
        "site//gateway.yaml",
        "site/./gateway.yaml",
        "site\\gateway.yaml",
        "site/c:/gateway.yaml",
        "site/.hidden.yaml",
        "site/run.sh",
        "site/gateway.yaml/",
        "site/a/b/c/d/e.yaml",
        "site/a\x01b.yaml",
        "site/" + "a" * 300 + ".yaml",
        "elsewhere.yaml",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    assert not is_safe(name)
    assert "name" in refusal(pack(tmp_path / "a.mgj", {**FILES, name: b"x"})) or name.endswith("/")


@pytest.mark.parametrize("name", ["journal.db", "site/equipment/3号冲床.yaml", "site/f/press.csv"])
def test_plain_names_are_not(name: str) -> None:
    assert is_safe(name)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_a_link_or_a_device_is_refused(tmp_path: Path, kind: int) -> None:
    assert "plain file" in refusal(pack(tmp_path / "a.mgj", FILES, mode=kind | 0o777))


def test_an_entry_that_unpacks_to_far_more_than_it_takes_is_refused(tmp_path: Path) -> None:
    files = {**FILES, "journal.db": bytes(64 << 20)}
    assert "far more" in refusal(pack(tmp_path / "a.mgj", files))


def test_a_file_of_the_site_has_a_bound(tmp_path: Path) -> None:
    data = hashlib.sha256(b"").digest() * ((5 << 20) // 32)
    files = {**FILES, "site/gateway.yaml": data}
    assert "too large" in refusal(pack(tmp_path / "a.mgj", files))


@pytest.mark.parametrize("told", [{"journal.db": b"other!"}, {"journal.db": b"longer than it is"}])
def test_content_that_is_not_the_manifests_is_refused(
    tmp_path: Path, told: Mapping[str, bytes]
) -> None:
    manifest = manifest_of({**FILES, **told}).model_dump_json().encode()
    assert "manifest" in refusal(pack(tmp_path / "a.mgj", FILES, manifest))


def test_entries_and_manifest_name_the_same_files(tmp_path: Path) -> None:
    manifest = manifest_of({"journal.db": FILES["journal.db"]}).model_dump_json().encode()
    assert "entries" in refusal(pack(tmp_path / "a.mgj", FILES, manifest))


def test_names_that_differ_in_case_only_are_refused(tmp_path: Path) -> None:
    files = {**FILES, "site/Gateway.yaml": b"x"}
    assert "entries" in refusal(pack(tmp_path / "a.mgj", files))


def test_an_archive_without_a_journal_is_refused(tmp_path: Path) -> None:
    assert "no journal.db" in refusal(pack(tmp_path / "a.mgj", {"site/gateway.yaml": b"x"}))


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b'{"format": 2}', b'{"format": 1}', b" " * ((1 << 20) + 1)]
)
def test_a_manifest_of_another_kind_is_refused(tmp_path: Path, manifest: bytes) -> None:
    assert "manifest" in refusal(pack(tmp_path / "a.mgj", FILES, manifest))


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mgj").write_bytes(b"PK\x03\x04 and then nothing")
    assert "not a sound archive" in refusal(tmp_path / "a.mgj")


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mgj", "w") as other:
        other.writestr("photo.jpg", b"x")
    assert "manifest.json" in refusal(tmp_path / "a.mgj")


def test_a_torn_archive_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.mgj", {**FILES, "journal.db": hashlib.sha256(b"").digest() * 999})
    content = bytearray(path.read_bytes())
    content[600:640] = bytes(40)
    path.write_bytes(content)
    assert refusal(path)


@given(st.lists(st.tuples(st.integers(0, 10**4), st.binary(max_size=8)), min_size=1, max_size=4))
def test_whatever_the_bytes_are_it_is_taken_or_refused(cuts: list[tuple[int, bytes]]) -> None:
    with TemporaryDirectory() as name:
        path = pack(Path(name) / "a.mgj", {**FILES, "site/equipment/3号.yaml": b"x" * 500})
        content = bytearray(path.read_bytes())
        for where, what in cuts:
            start = where % len(content)
            content[start : start + len(what)] = what
        path.write_bytes(content)
        room = Path(name) / "room"
        room.mkdir()
        with suppress(ArchiveRefused), unpacked(path, room) as (manifest, place):
            assert all(archive.measure(place / n) == c for n, c in manifest.files.items())
        assert list(room.iterdir()) == []


def test_what_the_caller_raises_is_his_own(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.mgj", FILES)
    with pytest.raises(EOFError), unpacked(path, tmp_path):
        raise EOFError
    assert list(tmp_path.iterdir()) == [path]


def test_another_way_of_packing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mgj"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as other:
        other.writestr("manifest.json", manifest_of(FILES).model_dump_json())
        for name, data in FILES.items():
            other.writestr(name, data)
    assert "deflate" in refusal(path)


def test_more_than_the_disk_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "SPARE_BYTES", 1 << 60)
    assert "MiB" in refusal(pack(tmp_path / "a.mgj", FILES))
