"""Why a run or task is, or isn't, selected: the words that programs read, and a sentence for each."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    # a run that can't be selected, or can't be a source
    "manual_run": "the run was triggered manually or by a program, not by the scheduler",
    "backfill_run": "the run belongs to a backfill",
    "run_is_running": "the run is running",
    "run_is_queued": "the run is queued and will read the wrong data when it starts",
    "run_not_ready": "the run is not ready yet",
    "in_active_rerun": "the run is part of another rerun that isn't finished",
    "before_ready_window": "the run was ready before the window of source runs began",
    "after_now": "the run's ready time is in the future",
    "source_not_success": "only a run that succeeded can be a source that isn't rerun",
    "not_created": "Airflow hasn't created the run yet",
    "not_in_plan": "the run is not downstream of the source",
    # a task that is preselected
    "failed": "the task failed",
    "upstream_failed": "the task did not run because an upstream task failed",
    "terminated": "the task was stopped",
    "revoked": "the task was skipped by force, or never ran, because its run was stopped, timed out or failed fast",
    "whole_run": "the run counts as a success, so all of its tasks are rerun",
    "follows_selected": "the task follows one that is rerun",
    "polluted": "the task read wrong data, or follows one that did",
    "failed_upstream": "a selected task would fail again without this one",
    "in_loop_with_selected": "the task is in a loop with a selected one, and a loop is rerun as a whole",
    "setup_or_teardown": "the task prepares or cleans up for a selected one",
    # a task that isn't preselected
    "makes_a_new_run": "the task triggered a run that is in the plan; rerunning the task would create another one",
    "makes_one_run": (
        "the task triggered a run and can't create a second one; that run is rerun instead, and the tasks "
        "after this one wait for it"
    ),
    "not_polluted": "the task read no wrong data",
    "succeeded": "the task succeeded",
    "removed": "the task is no longer part of its Dag",
    # where a member stands
    "only_triggers": "only tasks that triggered other runs are wrong in it, and those runs are rerun instead",
    "already_right": "the source's data is already right, so it isn't rerun",
    "run_gone": "the run was deleted in Airflow",
    "task_gone": "the run no longer has any of the selected tasks",
    "run_not_finished": "running now; will be rerun when it finishes",
    "ran_too_early": (
        "a task of the rerun started the run before its upstream runs were right; it will be rerun in order"
    ),
    "upstream_runs_again": "an upstream run was cleared again; it waits until that run is right",
    "cleared_again": "the run was cleared after it was right; it is judged again when it finishes",
    "dag_gone": "Airflow no longer finds the Dag",
    "loop_in_part": "only some tasks of a loop would be rerun now, although its rounds read each other",
    "mapped_in_loop": (
        "a loop of the Dag has mapped tasks or another loop in it, or is in a mapped group, and nobody could tell "
        "whether all of it was made anew"
    ),
    "dag_paused": "the Dag is paused in Airflow, so its runs don't start",
    "waits_for_approval": "a task waits for a user's answer",
    "up_for_retry": "a task failed and will be retried",
    "pool_gone": "the pool of its next task doesn't exist",
    "no_pool_slots": "the pool of its next task has no free slot",
    "at_max_active_tasks": "the run has reached its Dag's limit of running tasks",
    "executor_full": "Airflow's executor has no free slot for its next task",
    "in_executor_queue": "Airflow's executor hasn't started its next task yet",
    "depends_on_past": "a task depends on its past, and the previous run isn't right",
    "at_max_active_runs": "the Dag has reached its limit of running runs",
    "run_terminated": "a user stopped the run",
    "tasks_failed": "a selected task failed",
    "run_timed_out": "the run took longer than its Dag's dagrun_timeout, and Airflow skipped what was left of it",
    "cut_off": "a selected task was skipped by Airflow or a user, not by its Dag",
    "nothing_made_anew": "tasks that had succeeded before were skipped this time, and a run downstream reads nothing "
    "that was made anew",
    "not_proven": "the proof at the end found that it wasn't made anew in order, or reads from a run that wasn't",
    "never_started": "the run ended before a selected task could start",
    "tasks_skipped": "its Dag skipped the task this time, although it had succeeded before",
    "marked_success": "a user marked the task as success; it did not run",
    "task_gone_in_latest": "the version of the Dag on which the run ran doesn't have the task; its old data stands, "
    "unless another task replaces it",
    "tolerated": "the task failed, and nothing depends on it",
    "repaired_by_hand": "a user repaired the run in Airflow",
    "member_failed": "a member failed",
    "skipped_by_user": "skipped by a user",
    "left_running": "the rerun was terminated; the run continues",
    "stop_error": "the rerun was terminated, but its run couldn't be stopped; the error is in the conductor's log",
    "release_error": "it couldn't be released; the conductor will try again, and its log has the error",
    "step_error": "its next step failed; the conductor will try again, and its log has the error",
    "dispatch_error": "Airflow couldn't clear the run; the conductor's log has the error",
    # how a proposal ended
    "proposal_rejected": "the proposal was rejected, or its proposer withdrew it",
    "proposal_expired": "nobody approved the proposal in time",
    # why nobody can tell when a member ends
    "no_past_runs": "none of its Dag's last runs tells how long its tasks take",
    "much_longer_than_before": "it has been running for more than twice as long as ever before",
    # where a member of a rerun in freeze mode stands
    "tasks_are_ending": "the run was stopped; it waits until the processes of its tasks have ended",
    "held": "Airflow has created the run, and it is held",
    "dag_draining": (
        "the Dag is draining in Airflow, which pauses it only when the held run has been released and has ended"
    ),
    "release_asked": "a user asked for its release; the conductor will release it",
    "released_by_user": "a user released it",
    "rerun_succeeded": "the rerun has succeeded",
    "rerun_terminated": "the rerun was terminated",
    "frozen_too_long": "it was frozen for the maximum time that the deployment allows",
    "marked_by_hand": "a user marked the held run as success or failed",
    "superseded": "another run has taken its logical date",
    "passed_over": "Airflow skipped its logical date and created one run for it and for a later frozen run",
    "hold_gone": "nothing was holding it any more",
    # a run that can't be frozen (besides manual_run, backfill_run, run_gone and dag_gone)
    "already_started": "the run is no longer waiting: it has started, or a user created it",
    "timetable_uses_run_after": (
        "the Dag's timetable computes, or may compute, the next run from the time of the last one"
    ),
    "asset_watcher": "an asset of the Dag is watched by a trigger, whose events can't be held back",
}


def sentence(reason: str | None) -> str:
    """The sentence for a reason, or the reason itself where there is none."""
    return REASONS.get(reason or "", reason or "")
