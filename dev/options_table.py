"""Write the table of options into the documentation, as the provider information describes them to Airflow.

`python -m dev.options_table docs/installing.md` writes it between its two marks; with `--check` it only says whether
the table is up to date.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from airflow_rerun_downstream.provider_info import OPTIONS

BEGIN, END = "<!-- options: python -m dev.options_table docs/installing.md -->", "<!-- end of options -->"
HEAD = "| option | type | default | meaning |\n| --- | --- | --- | --- |"


def markdown(text: str) -> str:
    """A description as a table's cell: single backticks, and no bar that would end the cell."""
    return text.replace("``", "`").replace("|", "\\|")


def row(name: str, option: dict[str, Any]) -> str:
    """A line of the table."""
    default = "none" if option["default"] is None else f"`{option['default']}`"
    told = option["description"]
    if option["example"] is not None:
        told = f"{told} Example: ``{option['example']}``."
    if option["sensitive"]:
        told = f"{told} *Sensitive*."
    return f"| `{name}` | {option['type']} | {default} | {markdown(told)} |"


def table() -> str:
    """The table, with its marks."""
    return "\n".join([BEGIN, HEAD, *(row(*each) for each in OPTIONS.items()), END])


def parts(page: str) -> tuple[str, str, str]:
    """What a page has before the table, the table with its marks, and what follows. Raises ValueError without marks."""
    found = re.fullmatch(f"(.*)({re.escape(BEGIN)}.*{re.escape(END)})(.*)", page, re.DOTALL)
    if found is None:
        raise ValueError(f"The page hasn't got {BEGIN} and {END}")
    before, there, after = found.groups()
    return before, there, after


def main() -> None:
    """Write the table, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("path", type=Path, help="the page, docs/installing.md")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the table is stale")
    arguments = parser.parse_args()
    path: Path = arguments.path
    before, there, after = parts(path.read_text(encoding="utf-8"))
    if not arguments.check:
        path.write_text(f"{before}{table()}{after}", encoding="utf-8")
    elif there != table():
        sys.exit(f"{path} is stale: write it anew with `python -m dev.options_table {path}`")


if __name__ == "__main__":
    main()
