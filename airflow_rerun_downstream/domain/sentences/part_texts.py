"""Clauses and names that stand in other sentences."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Plural, Template

PARTS: Mapping[str, Template] = {
    # names
    "task_of_run": "{task} of {run}",
    "runs_and_more": Plural("{run} and {count} more run", "{run} and {count} more runs"),
    "runs_of_it_and_more": Plural("{run} and {count} more run of it", "{run} and {count} more runs of it"),
    "and_more": "{names} and {count} more",
    "request": "request",
    "error_at": "{place}: {error}.",
    "and_more_errors": "And {count} more.",
    "line": "{actor}: {action}",
    "with_more": "{what}: {more}",
    "stage": "{tasks}",
    "then": "then {tasks}",
    "run_to_come": "The run of {dag} to come ({logical_date})",
    "run_to_come_of_partition": "The run of {dag} to come ({key})",
    "next_run_to_come": "The next run of {dag} to come",
    "hidden_dags": Plural("{count} Dag that you may not read", "{count} Dags that you may not read"),
    "the_source": "the source {run}",
    "the_run": "the run {run}",
    "tables_ready": "The tables are up to date.",
    # what keeps the tables from being dropped
    "end_reruns": "Wait for these reruns to end, or terminate them: {reruns} (`terminate ID`).",
    "release_frozen": "Release what is frozen: {frozen} (`release --all --wait`).",
    "held_run": "{run} (rerun {rerun})",
    "held_run_to_come": "{dag} / to come (rerun {rerun})",
    "asset_events": "the asset events of {dag}",
    # why something stays polluted
    "not_in_the_list": "{why}, and isn't in the list",
    "not_selected": "it isn't selected",
    "some_indexes": "only some of its indexes are selected",
    "read_again": Plural(
        "{why}; {count} selected run downstream will read it again",
        "{why}; {count} selected runs downstream will read it again",
    ),
    # why a task won't run
    "pool_gone": "its pool {pool} doesn't exist",
    "pool_too_small": Plural(
        "it takes {count} slot of the pool {pool}, which has {slots}",
        "it takes {count} slots of the pool {pool}, which has {slots}",
    ),
    "past_not_met": "it depends on its past, and {tasks} of {run} hasn't succeeded",
    # what can be done with a run to come
    "will_read": "will read wrong data",
    "may_read": "may read wrong data",
    "freeze_it": "freeze it",
    "cannot_be_frozen": "it can't be frozen: {why}",
    # what is wrong with a record
    "no_object": "isn't an object of at most {limit} characters",
    "no_external_dag_id": "has no external_dag_id",
    "no_group_id": "has a group_id that is none",
    "no_task_ids": "has task_ids that aren't a list of at most {limit} ids",
    "no_dates": "has dates that aren't a list of at most {limit} dates",
    "no_date": "has a date that is none",
    # why something can't be done
    "run_cannot_be_selected": "{run} can't be selected: {why}",
    "too_early_a_source": "{why}, at {window_at} (see [rerun_downstream] source_ready_since)",
    "not_to_be_seen": "you may not see what it depends on",
}
