"""What plans, reviews and records warn of."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Plural, Template

BEFORE_IT_STARTS = "{reads}, unless the rerun finishes before it starts; {way_out}."
DRAINING = (
    "{dag} is draining: as soon as none of its runs is queued or running, Airflow pauses it, and runs that the rerun "
    "has yet to start wait until it is unpaused."
)
UNREADABLE = (
    "can't be read completely. Its sensors, triggers and assets aren't known, so runs of it may be missing here: see "
    "the api-server log."
)

WARNINGS: Mapping[str, Template] = {
    "stays_polluted": "{what} stays polluted: {why}.",
    "rebuilt_on_polluted": "{what} is made anew from {other}, which stays polluted: it won't be right.",
    "rebuilt_on_polluted_before_it": (
        "{what} is made anew from tasks before it, which stay polluted: it won't be right."
    ),
    "task_gone_in_latest": (
        "{task} of {runs} isn't in the latest version of the Dag, which the rerun uses: its output stays as it is, "
        "unless a task of that version replaces it."
    ),
    "makes_a_new_run": (
        "{task} of {run} makes another run of {dag} in place of {old}: it joins the rerun, and all of its tasks run."
    ),
    "makes_one_more_run": (
        "{task} of {run} makes another run of {dag} in addition to {old}, which isn't selected: its consumers start "
        "again, too."
    ),
    "extra_run": (
        "{task} of {run} will emit {asset} as if for the first time, because Airflow no longer has the event it "
        "repeats: this may start an extra run of {dag}."
    ),
    "extra_run_by_catchup": (
        "{dag} catches up, so Airflow gives it every asset event that none of its runs has consumed: also the one that "
        "{task} of {run} repeats, with its next run or in an extra one."
    ),
    "paused_dag": "{dag} is paused: its runs wait until it is unpaused.",
    "draining_dag": DRAINING,
    "draining_dag_with_held_runs": f"{DRAINING} A held run keeps it from that until it is released.",
    "will_not_run": "{task} of {run} won't run as things are: {why}.",
    "will_not_run_in_more": Plural(
        "{task} of {run} won't run as things are: {why}, and likewise in {count} more run.",
        "{task} of {run} won't run as things are: {why}, and likewise in {count} more runs.",
    ),
    "upcoming_run": f"The run of {{dag}} of {{logical_date}}, which is due at {{due_at}}, {BEFORE_IT_STARTS}",
    "upcoming_run_with_assets": (
        "The run of {dag} of {logical_date}, which is due at {due_at} or, if that is later, when its assets have come, "
        f"{BEFORE_IT_STARTS}"
    ),
    "upcoming_run_of_assets": f"The next run of {{dag}}, which is started by assets, {BEFORE_IT_STARTS}",
    "upcoming_run_of_partition": (
        f"The next run of {{dag}} of the partition {{key}}, which is started by assets, {BEFORE_IT_STARTS}"
    ),
    "upcoming_run_not_ready": (
        "{run} isn't ready yet and {reads}, unless the rerun finishes before it starts; {way_out}."
    ),
    "at_max_active_runs": Plural(
        "{dag} has {count} active run, and its limit is {limit}: its runs wait until one ends.",
        "{dag} has {count} active runs, and its limit is {limit}: its runs wait until one ends.",
    ),
    "at_max_active_runs_with_frozen": Plural(
        "{dag} may have {count} active run, and frozen ones count: with {frozen} frozen it gets no later runs until "
        "they are released, and without catchup it never gets them.",
        "{dag} may have {count} active runs, and frozen ones count: with {frozen} frozen it gets no later runs until "
        "they are released, and without catchup it never gets them.",
    ),
    "deadline": "{dag} has a deadline alert, which keeps counting while a run of the Dag is frozen.",
    "starts_too": Plural(
        "{tasks} of {run} hasn't run yet. Airflow will start it when the run continues, although not selected.",
        "{tasks} of {run} haven't run yet. Airflow will start them when the run continues, although not selected.",
    ),
    "order_lost_by_maker": (
        "{reader} runs before {read}, which it reads from, is made anew: Airflow starts it as soon as its run is "
        "created."
    ),
    "order_lost_in_a_circle": (
        "{reader} runs before {read}, which it reads from, is made anew: they depend on each other."
    ),
    "order_lost_over_a_gap": (
        "{task} of {run} won't wait for {after}: {between} between them isn't selected, so that Airflow starts {task} "
        "at once."
    ),
    "order_lost_at_first": (
        "{task} of {run} hasn't run yet: Airflow starts it when the run's first stage is dispatched, before {other} is "
        "made anew, and again in its own stage."
    ),
    "order_lost_before_other_stages": (
        "{task} of {run} hasn't run yet: Airflow starts it when the run's first stage is dispatched, before the stages "
        "before theirs have ended, and again in its own stage."
    ),
    "in_stages": "{run} is rerun in {count} stages, each after what it reads from: {stages}.",
    "failed_upstream": "{task} of {run} failed and isn't selected: the tasks after it will fail again.",
    "forbidden_dag": "You may not rerun {dag}.",
    "hidden_downstream": Plural(
        "{count} downstream Dag that you may not read has polluted runs, which stay as they are, or will have some.",
        "{count} downstream Dags that you may not read have polluted runs, which stay as they are, or will have some.",
    ),
    "hidden_warnings": Plural(
        "{count} more warning is about Dags that you may not read.",
        "{count} more warnings are about Dags that you may not read.",
    ),
    "unresolved_link": ("{downstream} reads what {upstream} makes, but which run read it is unknown: {why}. {advice}"),
    "behind_unresolved": (
        "{dag} depends on {first}, and which run of that read the data of {upstream} is unknown: a run of {dag} may be "
        "wrong, too."
    ),
    "older_runs_not_asked": (
        "{dag} is at or behind an unresolved link and has many runs. Only the newest {count} were checked for runs "
        "that their tasks triggered; more may depend on it."
    ),
    "unknown_task": (
        "The tasks after {tasks} in {run} are unknown, because its Dag doesn't have that task. The whole run counts as "
        "polluted."
    ),
    "unreadable_dag": f"Airflow's record of {{dag}} {UNREADABLE}",
    "unreadable_earlier_version": f"Airflow's record of an earlier version of {{dag}} {UNREADABLE}",
    "maker_untold": (
        "A task created {runs}, and Airflow no longer records which. It counts as scheduled, although a user may have "
        "started the run that created it."
    ),
    "declared_links_invalid": (
        "Not all declared links could be read, and none of those is in this plan: see {places}. GET /health tells "
        "administrators what is wrong there."
    ),
}
