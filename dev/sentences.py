"""Write the sentences of the server as the pages' English catalogue: the same words, codes and parameters.

`python -m dev.sentences ui/src/i18n/locales/en/sentences.json` writes it; with `--check` it only says whether the file
is up to date. The other languages are held to its keys and parameters by `ui/src/i18n/catalogue.test.ts`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from airflow_rerun_downstream.domain.sentences import GROUPS, Plural, Template


def catalogue() -> str:
    """The file as it is written."""
    texts = {group: texts_of(some) for group, some in GROUPS.items()}
    return json.dumps(texts, indent=2, ensure_ascii=False) + "\n"


def texts_of(templates: Mapping[str, Template]) -> dict[str, str]:
    """A group in the form of i18next: a key for each plural, parameters in two braces."""
    found: dict[str, str] = {}
    for name, template in templates.items():
        if isinstance(template, Plural):
            found |= {f"{name}_one": braced(template.one), f"{name}_other": braced(template.other)}
        else:
            found[name] = braced(template)
    return found


def braced(template: str) -> str:
    """A template with the parameters as i18next writes them."""
    return re.sub(r"\{(\w+)\}", r"{{\1}}", template)


def main() -> None:
    """Write the catalogue, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("path", type=Path, help="the file, ui/src/i18n/locales/en/sentences.json")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is stale")
    arguments = parser.parse_args()
    path: Path = arguments.path
    if not arguments.check:
        path.write_text(catalogue(), encoding="utf-8")
    elif path.read_text(encoding="utf-8") != catalogue():
        sys.exit(f"{path} is stale: write it anew with `python -m dev.sentences {path}`")


if __name__ == "__main__":
    main()
