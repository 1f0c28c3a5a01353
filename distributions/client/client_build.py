"""Puts the client, and what it imports, into a distribution of its own, out of the same tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PACKAGE = "airflow_rerun_downstream"
METADATA = "hatch_metadata.py"
ROOTS = (f"{PACKAGE}.client", f"{PACKAGE}.client.contract", f"{PACKAGE}.agents.serve")


class ClientHook(BuildHookInterface):  # type: ignore[misc]
    """Runs before the wheel or the source distribution is made; what the latter has is all at its top."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files."""
        tree = tree_of(self.root)
        names = files(tree)
        if self.target_name == "sdist":
            names.append(METADATA)
        build_data["force_include"] |= {str(tree / name): name for name in names}


class AddressesHook(MetadataHookInterface):  # type: ignore[misc]
    """Fills in what depends on where the project is published."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the readme, the addresses and the contact."""
        tree = tree_of(self.root)
        sys.path.insert(0, str(tree))
        import hatch_metadata

        hatch_metadata.add(metadata, tree, str((Path(self.root) / "README.md").relative_to(tree)))


def tree_of(root: str) -> Path:
    """Folder with the package: the top of a checkout, or that of a source distribution of the client."""
    here = Path(root).resolve()
    return here if (here / "PKG-INFO").is_file() else here.parents[1]


def files(tree: Path) -> list[str]:
    """What the client is made of, by the names in the package: its modules, theirs, and the mark of a typed package."""
    found: set[Path] = set()
    wanted = list(ROOTS)
    while wanted:
        path = source(tree, wanted.pop())
        if path is not None and path not in found:
            found.add(path)
            wanted += imported(tree, path)
    return sorted(str(path.relative_to(tree)) for path in {*found, tree / PACKAGE / "py.typed"})


def source(tree: Path, module: str) -> Path | None:
    """A module's file; None: it is a name inside a module."""
    path = tree.joinpath(*module.split("."))
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)


def imported(tree: Path, path: Path) -> Iterator[str]:
    """The modules of the package that a file imports, also for a type checker alone, and those on the way to it."""
    names: list[Sequence[str]] = [path.relative_to(tree).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [each.name.split(".") for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [[*node.module.split("."), each.name] for each in node.names]
    for parts in names:
        if parts[0] == PACKAGE:
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
