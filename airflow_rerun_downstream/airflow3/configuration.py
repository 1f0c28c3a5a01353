"""What the deployment has configured: the settings, and the links that it declares. Read once in a process."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.declarations import Declarations, Problem, parse
from airflow_rerun_downstream.notify.target import Credentials
from airflow_rerun_downstream.settings import SECTION, InvalidSetting, Settings, unknown_options

log = logging.getLogger(__name__)

VARIABLES = f"AIRFLOW__{SECTION.upper()}__"

RECORDS = "/rerun-downstream/ui/records"
"""Where the pages show records, below Airflow's address."""


@cache
def settings() -> Settings:
    """The deployment's settings, read once in a process. Raises `InvalidSetting`, and then reads them again each time:
    a secrets backend may answer later.
    """
    from airflow.configuration import conf
    from airflow.settings import TIMEZONE
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    read = providers_configuration_loaded(Settings.read)  # else Airflow 3.1 knows no sensitive option
    return read(lambda name: conf.get(SECTION, name, fallback=None), timezone=TIMEZONE)


def wrong_options() -> Sequence[Sentence]:
    """A sentence about each option that can't be used: its value, and what would be right."""
    try:
        settings()
    except InvalidSetting as error:
        return [each.detail for each in error.wrong]
    return []


def options_without_effect() -> Sequence[Sentence]:
    """A sentence about each name that is written down for us, and that nothing reads."""
    from airflow.configuration import conf

    in_file = set(conf.options(SECTION)) - set(conf.defaults()) if conf.has_section(SECTION) else set()
    # Airflow looks for capitals alone; swapped, a name that isn't all capitals is none of our options.
    variables = {name[len(VARIABLES) :].swapcase() for name in os.environ if name.upper().startswith(VARIABLES)}
    return [*unknown_options(in_file | variables), *map(misspelled, filter(is_like_ours, conf.sections()))]


def is_like_ours(section: str) -> bool:
    """Whether a section's name is ours but for capitals, dashes and the like."""
    return section != SECTION and re.sub(r"[\W_]", "", section.lower()) == SECTION.replace("_", "")


def misspelled(section: str) -> Sentence:
    """That nobody reads such a section."""
    return Sentence("option.misspelled_section", section=section, near=SECTION)


def log_what_is_wrong() -> None:
    """Tell the log, once at a start, all that is wrong with the options. Never raises."""
    try:
        for wrong in wrong_options():
            log.error("%s Rerun Downstream doesn't work until this is corrected.", wrong)
        for without_effect in options_without_effect():
            log.warning("%s", without_effect)
    except Exception:
        log.exception("The options of Rerun Downstream can't be checked")


def in_default_timezone(moment: datetime) -> datetime:
    """A time that names no zone as one in Airflow's default time zone."""
    from airflow.settings import TIMEZONE

    return moment if moment.tzinfo is not None else moment.replace(tzinfo=TIMEZONE)


@cache
def declarations() -> Declarations:
    """The deployment's declared links, read once in a process; what is wrong with them is in its log."""
    file = settings().declared_links_file
    found = read_declarations(file) if file else Declarations()
    for problem in found.problems:
        log.error("Ignoring a declared link: %s", problem.sentence())
    return found


def read_declarations(file: str) -> Declarations:
    """The declared links of a file. That it can't be read is a problem like any other."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        unread = Sentence("declaration.unreadable", said=f"{error}")
        return Declarations(problems=(Problem(file, 1, unread),))
    return parse(text, file)


def record_address(rerun_id: int) -> str | None:
    """Where people find a record; None: nobody has told Airflow its own address."""
    from airflow.configuration import conf

    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    return f"{base}{RECORDS}/{rerun_id}" if base.startswith(("http://", "https://")) else None


def connection(conn_id: str) -> Credentials:
    """An Airflow connection, from its database or a secret back end. Raises whatever Airflow does where there is none.

    It reads in transactions of its own: ask it outside of any other. Airflow masks in its logs what is secret in it.
    """
    from airflow.models.connection import Connection

    found = Connection.get_connection_from_secrets(conn_id)
    return Credentials(
        host=found.host or "",
        port=found.port,
        login=found.login or "",
        password=found.password or "",
        schema=found.schema or "",
        extra=found.extra_dejson,
    )
