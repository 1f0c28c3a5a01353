"""What the deployment has configured: the settings, and the links that it declares. Read once in a process."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from airflow_rerun_downstream.lineage.declarations import Declarations, parse
from airflow_rerun_downstream.settings import SECTION, InvalidSetting, Settings

log = logging.getLogger(__name__)


@cache
def settings() -> Settings:
    """The deployment's settings, read once in a process. Raises `InvalidSetting`."""
    from airflow.configuration import conf
    from airflow.settings import TIMEZONE

    found = Settings.read(lambda name: conf.get(SECTION, name, fallback=None), timezone=TIMEZONE)
    if found.conductor == "scheduler":
        raise InvalidSetting(
            f"[{SECTION}] conductor: 'scheduler' is for Airflow 2.11; here it is api_server or external"
        )
    return found


@cache
def declarations() -> Declarations:
    """The deployment's declared links, read once in a process; what is wrong with them is in its log."""
    file = settings().declared_links_file
    found = read_declarations(file) if file else Declarations()
    for problem in found.problems:
        log.error("Ignoring a declared link: %s", problem)
    return found


def read_declarations(file: str) -> Declarations:
    """The declared links of a file. That it can't be read is a problem like any other."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Declarations(problems=(f"{file}:1: The file can't be read: {error}.",))
    return parse(text, file)
