"""What depends on where the project is published: addresses in the metadata of both distributions.

The address and the contact are set once, in `[tool.rerun-downstream]` of the pyproject.toml at the top. As long as the
address is empty, links stay relative, and nothing that is built names an address or a person.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from posixpath import join, normpath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # hatchling needs it there, too

FORGES = {
    "github.com": ("blob/v{version}", "raw/v{version}"),
    "gitlab.com": ("-/blob/v{version}", "-/raw/v{version}"),
    "codeberg.org": ("src/tag/v{version}", "raw/tag/v{version}"),
}
"""Where these keep the files of a tag: to be read, and as they are. Elsewhere they stand below the address itself."""

FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?P<before>!\[[^\[\]]*\]\(|\]\()(?P<target>[^)\s]+)")
ATTRIBUTE = re.compile(r'(?P<before>\b(?:src|srcset|href)=")(?P<target>[^"]+)')


class Published(NamedTuple):
    """Where the project is published, and who is behind it. Either may be empty."""

    repository: str
    contact: str

    def readable(self, path: str, version: str) -> str:
        """Address at which a file of this version is read."""
        return self._below(0, path, version)

    def raw(self, path: str, version: str) -> str:
        """Address of a file of this version, as pages take in a picture."""
        return self._below(1, path, version)

    def _below(self, kind: int, path: str, version: str) -> str:
        folder = FORGES.get(urlsplit(self.repository).hostname or "", ("", ""))[kind].format(version=version)
        return "/".join(part for part in (self.repository, folder, path) if part)


def published(tree: Path) -> Published:
    """Read the two settings of the project whose top folder this is."""
    with (tree / "pyproject.toml").open("rb") as file:
        found = tomllib.load(file).get("tool", {}).get("rerun-downstream", {})
    return Published(found.get("repository", "").rstrip("/"), found.get("contact", ""))


def add(metadata: dict[str, Any], tree: Path, readme: str) -> None:
    """Fill in the fields that aren't there yet; the readme is named from the top. A source distribution has its own."""
    where, version = published(tree), metadata["version"]
    text = (tree / readme).read_text(encoding="utf-8") if "readme" not in metadata else ""
    if where.repository:
        text = with_absolute_links(text, str(Path(readme).parent), where, version)
    metadata.setdefault("readme", {"content-type": "text/markdown", "text": text})
    if urls := addresses(where, version):
        metadata.setdefault("urls", urls)
    if where.contact and not is_page(where.contact):
        metadata.setdefault("maintainers", [{"email": where.contact}])


def addresses(where: Published, version: str) -> dict[str, str]:
    """What an index shows beside the text."""
    found = {}
    if where.repository:
        found = {
            "Source": where.repository,
            "Documentation": where.readable("docs/guide.md", version),
            "Changelog": where.readable("CHANGELOG.md", version),
            "Security": where.readable("SECURITY.md", version),
        }
    return {**found, "Contact": where.contact} if is_page(where.contact) else found


def is_page(contact: str) -> bool:
    """Whether the contact is the address of a page, rather than of a mailbox."""
    return contact.startswith(("https://", "http://"))


def with_absolute_links(text: str, folder: str, where: Published, version: str) -> str:
    """Give each relative link and picture of a Markdown file in that folder its address. Examples of code stay."""

    def absolute(found: re.Match[str]) -> str:
        before, target = found["before"], found["target"]
        if urlsplit(target).scheme:
            return found[0]
        picture = before.startswith(("src", "!"))
        path, hash_sign, anchor = target.partition("#")
        there = normpath(join(folder, path)) if path else normpath(join(folder, "README.md"))
        return before + (where.raw if picture else where.readable)(there, version) + hash_sign + anchor

    parts = FENCE.split(text)
    for index in range(0, len(parts), 2):
        for pattern in (LINK, ATTRIBUTE):
            parts[index] = pattern.sub(absolute, parts[index])
    return "".join(parts)
