"""How an edge is known, and why a link isn't."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Template

RECORDED = "The listener recorded the dates that the sensor waited for."

LINKS: Mapping[str, Template] = {
    # edges of Dags: whole sentences
    "by_event": (
        "Airflow records which asset event started which run. Where it has cleaned events away, the link is unresolved."
    ),
    "by_time": (
        "Of each Dag that makes the asset, the task read the last run before it started, unless events of the asset "
        "started its own run: then these tell. Where Airflow has cleaned events away, the link is unresolved."
    ),
    "no_event_yet": "{how} No event has come through the alias so far.",
    "by_xcom": (
        "The task records the run that it makes, in the XCom trigger_run_id. Where Airflow has cleaned that away, the "
        "link is unresolved."
    ),
    "by_run": "Each run decides which Dag it names: the name is a template, or mapped.",
    "by_order": "The task waits for the Dag's previous run.",
    "by_file": "An administrator declared it.",
    "by_marker": "The logical date that the marker names is rendered for each run.",
    "marker_not_rendered": "Its logical date can't be rendered without a running task: {problem}.",
    "by_offset": "The sensor's offset tells the date it waits for; recorded dates take precedence.",
    "by_same_date": (
        "It was parsed without this package's policy, so its offset isn't known; it is assumed to wait for the same "
        "logical date, and every plan says so."
    ),
    "by_mapped_class": (
        "A mapped sensor of a class of its own may set its offset itself; it is assumed to wait for the same logical "
        "date, and every plan says so."
    ),
    "by_function": "A function in the Dag decides which dates the sensor waits for, and no run has recorded them.",
    "by_sensors_run": "Each run decides which Dag it waits for: its external_dag_id is a template, or mapped.",
    "by_class": "Code of its own class {name} decides what it waits for.",
    "by_record_unresolved": f"{RECORDED} Runs without a record can't be resolved: code in the Dag decides.",
    "by_record_assumed": f"{RECORDED} Runs without a record are assumed to wait for the same logical date.",
    "by_record_derived": f"{RECORDED} Runs without a record use the sensor's offset.",
    "no_such_dag": "There is no Dag {dags}, or none that you may read.",
    "no_such_dags": "There is no Dag {first} and no Dag {second}, or none that you may read.",
    # links of runs: clauses, after a colon
    "depends_on_unresolved": "it depends on a link that is itself unresolved",
    "maker_forgotten": "Airflow no longer records which run the task created",
    "parent_lost": (
        "a task created the run, and Airflow no longer records which; this one waits for the runs that it creates"
    ),
    "event_cleaned": "Airflow no longer has the asset event, nor the record of the runs it started",
    "event_cleaned_unread": "Airflow no longer has the asset event, which would tell who read it",
    "rendered_gone": "the fields of the sensor are templates, and Airflow no longer has the rendered values",
    "class_decides": "code of its own class {name} decides what it waits for",
    "function_decides": "execution_date_fn decides the dates",
    "mapped_decides": "it is mapped, and of a class that may set an offset of its own",
    "parsed_without_policy": "it was parsed without this package's policy, so its offset isn't known",
    "nothing_recorded": "{why}, and nothing was recorded in {count} of its runs that may have waited",
    "and_in_doubt": "{why}, and {doubt}",
    "wait_unreadable": "the record of what it waited for in {run} {problem}",
    "no_run_recorded": "what it recorded names no run",
    "dag_forgotten": "Airflow no longer records which Dag the recorded run belongs to",
    "recorded_run_gone": "it recorded the run {run}, which isn't there",
    "recorded_run_of_another_dag": "it recorded the run {run}, which isn't of the Dag that it triggers",
    "recorded_run_not_made": "it recorded the run {run}, which no task has made",
    "cannot_render": "what tells the run can't be rendered: {problem}",
    "cannot_render_marker": "what the marker names can't be rendered: {problem}",
    "none_ready": "no such run was ready from {since_at} to {until_at}",
    "no_logical_date": "{run} has no logical date from which the offset could be counted",
    "undated_runs": "runs of {dag} have no logical date to be told by",
}
