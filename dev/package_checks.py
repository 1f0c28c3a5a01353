"""What is looked at in a built distribution before it is released; `make release` runs these."""

from __future__ import annotations

import json
import re
import urllib.request
import zipfile
from collections.abc import Iterator
from email import message_from_string
from html.parser import HTMLParser
from pathlib import Path

from hatch_metadata import Published

TITLE = re.compile(r"^={80}\n(\S+) (\S+) \(", re.MULTILINE)
RELATIVE = re.compile(r'(?:\]\(|\b(?:src|srcset|href)=")(?!https?://|mailto:)([^)"\s]+)')


class Links(HTMLParser):
    """Collects what an HTML document refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the addresses of a tag; an index makes those of the headings itself."""
        self.found |= {value for name, value in attrs if name in ("href", "src") and value and value[0] != "#"}


def metadata_file(wheel: Path, name: str) -> str:
    """A file of the wheel's `.dist-info`. Raises ValueError if it isn't there."""
    with zipfile.ZipFile(wheel) as archive:
        (found,) = [each for each in archive.namelist() if each.partition(".dist-info/")[2] == name]
        return archive.read(found).decode()


def licence_problems(wheel: Path) -> Iterator[str]:
    """Compare the libraries that the wheel lists with those whose licences it has, and with the licence it names."""
    text = metadata_file(wheel, "licenses/airflow_rerun_downstream/static/third-party-notices.txt")
    components = json.loads(metadata_file(wheel, "sboms/pages.cdx.json"))["components"]
    listed = {("/".join(filter(None, (each.get("group"), each["name"]))), each["version"]) for each in components}
    if not listed:
        yield "the pages are said to have no libraries in them"
    for name, version in sorted(listed.symmetric_difference(TITLE.findall(text))):
        yield f"{name} {version} stands in one of the list and the notices alone"
    named = set(message_from_string(metadata_file(wheel, "METADATA"))["License-Expression"].split(" AND "))
    for each in components:
        for licence in each["licenses"]:
            if licence["license"].get("id") not in named:
                yield f"{each['name']} is under {licence['license']}, which the metadata doesn't name"


def differences(wheel: Path, again: Path) -> Iterator[str]:
    """What differs between two wheels that should be the same, byte for byte."""
    if wheel.read_bytes() == again.read_bytes():
        return
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        contents = [{name: archive.read(name) for name in archive.namelist()} for archive in (one, other)]
    first, second = contents
    names = sorted(name for name in {*first, *second} if first.get(name) != second.get(name))
    yield f"{wheel.name} is another when it is built again: {', '.join(names) or 'in its times, modes or order'}"


def readme(wheel: Path) -> str:
    """The readme of the project, as its metadata has it."""
    return metadata_file(wheel, "METADATA").partition("\n\n")[2]


def links_of_readme(wheel: Path) -> set[str]:
    """The addresses in the readme, as an index shows it."""
    from readme_renderer.markdown import render  # the environment of a release alone has it

    html = render(readme(wheel))
    if html is None:
        raise ValueError(f"the readme of {wheel.name} can't be rendered")
    links = Links()
    links.feed(html)
    return links.found


def link_problems(wheel: Path, where: Published, version: str, tree: Path) -> Iterator[str]:
    """Look for links of the readme that stayed relative, and for those below the project's address without a file."""
    text = re.sub(r"^```.*?^```$", "", readme(wheel), flags=re.MULTILINE | re.DOTALL)
    for target in RELATIVE.findall(text):
        yield f"{wheel.name}: the link {target} stayed relative"
    ours = [link.partition("#")[0] for link in links_of_readme(wheel) if link.startswith(f"{where.repository}/")]
    if not ours:
        yield f"{wheel.name}: nothing in the readme leads to {where.repository}"
    tops = {where.readable("", version), where.raw("", version)}
    for link in sorted(set(ours)):
        if not any((tree / link.removeprefix(f"{top}/")).is_file() for top in tops if link.startswith(f"{top}/")):
            yield f"{wheel.name}: there is no file for {link}"


def unanswered(links: set[str], below: str) -> Iterator[str]:
    """Ask for each of the addresses below that one; those that don't answer with status 200."""
    for link in sorted(links):
        if link.startswith(f"{below}/"):
            try:
                with urllib.request.urlopen(link, timeout=30) as answer:
                    status = str(answer.status)
            except OSError as error:
                status = str(error)
            if status != "200":
                yield f"{link}: {status}"
