"""What makes a link known that can't be told, or keeps it known: the words that programs read, a sentence for each."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Advice(str, Enum):
    """Something that people can do."""

    KEEP_ASSET_EVENTS = "keep_asset_events"
    KEEP_XCOMS = "keep_xcoms"
    PARSE_AGAIN = "parse_again"
    RECORD = "record"
    DECLARE = "declare"
    TELL_RUNS_APART = "tell_runs_apart"
    SIMPLER_TEMPLATE = "simpler_template"
    ASK_A_PLAN = "ask_a_plan"
    CORRECT_NAME = "correct_name"
    LOOK_BY_HAND = "look_by_hand"
    FIRST_LINK = "first_link"


SENTENCES = {
    Advice.KEEP_ASSET_EVENTS: (
        "Let `airflow db clean` keep asset_event for as long as you may want to repair "
        "(--clean-before-timestamp, --tables); where an event is gone, check the consumers by their time."
    ),
    Advice.KEEP_XCOMS: (
        "Let `airflow db clean` keep xcom for as long as you may want to repair (--clean-before-timestamp, "
        "--tables); where a record is gone, check that Dag's runs by their time."
    ),
    Advice.PARSE_AGAIN: "Install the package on the Dag processors, then run `airflow dags reserialize`.",
    Advice.RECORD: "Install the package on the workers: its listener records the dates of the next runs. "
    "For earlier runs, declare the link in declared_links_file.",
    Advice.DECLARE: "Nothing records what such a sensor sees: declare the link in declared_links_file.",
    Advice.TELL_RUNS_APART: "Say in declared_links_file how to identify the run: by within, run_id or conf.",
    Advice.SIMPLER_TEMPLATE: "Let the template use only what a run knows by itself, or declare the link in "
    "declared_links_file.",
    Advice.ASK_A_PLAN: "Make a plan from an upstream run: it uses what each run recorded or Airflow rendered.",
    Advice.CORRECT_NAME: "Correct the name, deploy that Dag, or ask someone who may read it.",
    Advice.LOOK_BY_HAND: "Check the Dag's runs of that time by hand: the record can't be used.",
    Advice.FIRST_LINK: "Resolve the link that it depends on.",
}
"""A sentence for each."""


def sentences(to_do: Iterable[Advice]) -> str:
    """The sentences of some, one after the other."""
    return " ".join(SENTENCES[each] for each in to_do)
