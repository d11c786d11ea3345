"""What an administrator may be talked into uploading as a backup: refused, nothing written."""

import io
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.support.gateway_process import ServiceProcess
from tests.support.ports import free_port
from tests.support.screens_site import answering, set_up, site_with_screens

LINK = 0o120777 << 16
"""What a zip file says of a symbolic link."""
MAX_MORE_BYTES = 50 << 20
EQUIPMENT = "equipment/press-07.yaml"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{of}'] * 9)}]\n"
    for of, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def packed(files: Mapping[str, bytes | str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def linked(name: str, to: str) -> bytes:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = LINK
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(entry, to)
    return target.getvalue()


def understated(content: bytes) -> bytes:
    """Return a zip file that says of its one file that it is small."""
    whole = bytearray(packed({EQUIPMENT: content}))
    size = len(content).to_bytes(4, "little")
    return bytes(whole.replace(size, (1000).to_bytes(4, "little")))


def hostile(site: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return uploads by what is wrong with them; each has the site's other files."""

    def with_equipment(text: bytes | str) -> bytes:
        return packed({**site, EQUIPMENT: text})

    good = site[EQUIPMENT].decode()
    return {
        "no zip file": b"\x00" * 1000,
        "a cut zip file": packed(site)[:-30],
        "3000 brackets": with_equipment("tags: " + "[" * 3000),
        "a YAML bomb": with_equipment(LAUGHS),
        "a zip bomb": packed({**site, "more.csv": b"0" * (300 << 20)}),
        "a zip bomb that lies": understated(b"0" * (64 << 20)),
        "many files": packed({f"equipment/e{n}.yaml": b"" for n in range(5000)}),
        "a way out": packed({**site, "../outside.yaml": b"x: 1"}),
        "a way from the root": packed({**site, "/tmp/outside.yaml": b"x: 1"}),  # noqa: S108
        "a backslash way out": packed({**site, "..\\outside.yaml": b"x: 1"}),
        "a hidden file": packed({**site, ".ssh.yaml": b"x: 1"}),
        "a secret": packed({**site, "secrets/key.yaml": b"x: 1"}),
        "a link": linked(EQUIPMENT, "/etc/passwd"),
        "a number that is none": with_equipment(f"{good}scan_s: .nan\n"),
        "an endless number": with_equipment(f"{good}scan_s: 1e999\n"),
        "a command": with_equipment(good.replace("press-07", "=cmd|' /C calc'!A0")),
        "not UTF-8": with_equipment(b"\xff\xfe\x00" * 100),
        "an empty backup": packed({}),
        "50 MB": b"P" * (50 << 20),
    }


class Uploading:
    """The screens' process, with its administrator logged in."""

    def __init__(self, run: ServiceProcess, client: httpx.AsyncClient) -> None:
        self._run, self._client = run, client
        self.slowest_s = 0.0

    async def begin(self) -> None:
        await set_up(self._client, self._run)
        session = (await self._client.get("/api/v1/session")).json()
        self._client.headers["X-CSRF"] = session["csrf"]

    async def upload(self, content: bytes) -> httpx.Response | None:
        """Return the answer; None if the connection was cut, which also refuses."""
        began_s = time.monotonic()
        try:
            return await self._client.post("/api/v1/restore", content=content)
        except (httpx.ReadError, httpx.WriteError):
            return None
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)

    def peak_bytes(self) -> int:
        """Return the most memory it ever had."""
        for line in Path(f"/proc/{self._run.pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
        raise AssertionError("no VmHWM")


@pytest.fixture
async def uploading(tmp_path: Path) -> AsyncIterator[Uploading]:
    port, directory = free_port(), tmp_path / "site"
    site_with_screens(directory, machine_port=9, port=port)
    run = ServiceProcess("run", directory, logs=tmp_path)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(run.abandon)
        await run.start()
        await run.ready()
        url = f"http://127.0.0.1:{port}"
        await answering(url)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
        uploading = Uploading(run, client)
        await uploading.begin()
        yield uploading
        await run.stop()


def configuration(directory: Path) -> dict[str, bytes]:
    paths = [*directory.glob("*.yaml"), *directory.glob("equipment/*"), *directory.glob("*.csv")]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in sorted(paths)}


def beside(directory: Path) -> set[str]:
    """Return what lies beside the site's directory."""
    return {path.name for path in directory.iterdir()}


def is_refused(answer: httpx.Response | None) -> bool:
    if answer is None or answer.status_code in range(400, 500):
        return True
    return answer.status_code == 200 and answer.json()["accepted"] is False


@pytest.mark.timeout(150)
@pytest.mark.fault(
    63,
    injection="an administrator uploads as a backup: bombs of zip and YAML, 3,000 brackets, ways"
    " out of the directory, links, 5,000 files, NaN, a formula as a name, bytes that are no text,"
    " 50 MB",
    expectation="each is refused, never with 5xx; less than 50 MB more memory; no file is written"
    " or changed; a good backup with a byte order mark is taken after that",
)
async def test_hostile_uploads_change_nothing(
    uploading: Uploading, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    site = configuration(tmp_path / "site")
    around = beside(tmp_path)
    before_bytes = uploading.peak_bytes()
    for what, content in hostile(site).items():
        answer = await uploading.upload(content)
        assert is_refused(answer), f"{what}: {answer and answer.text}"
        assert configuration(tmp_path / "site") == site, what
        assert beside(tmp_path) == around, what
    more_bytes = uploading.peak_bytes() - before_bytes
    assert more_bytes < MAX_MORE_BYTES
    record_property("more MB", more_bytes >> 20)
    record_property("slowest s", round(uploading.slowest_s, 2))
    marked = {name: b"\xef\xbb\xbf" + content for name, content in site.items()}
    answer = await uploading.upload(packed(marked))
    assert answer is not None
    assert answer.json()["accepted"] is True, answer.text
