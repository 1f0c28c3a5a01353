"""The operator: a rerun as a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Literal

from airflow.configuration import conf
from airflow.sdk import BaseOperator

from airflow_rerun_downstream.client import ClientError, RerunDownstreamClient
from airflow_rerun_downstream.operators.ended_trigger import RerunEndedTrigger
from airflow_rerun_downstream.operators.following import PATIENCE, POLL_INTERVAL, Result, judged, result, wait
from airflow_rerun_downstream.operators.hook import RerunDownstreamHook
from airflow_rerun_downstream.operators.keys import key_of
from airflow_rerun_downstream.operators.link import RerunLink
from airflow_rerun_downstream.operators.submitting import Submission, title
from airflow_rerun_downstream.operators.task_errors import AirflowException, AirflowFailException, as_task_errors
from airflow_rerun_downstream.operators.what import What
from airflow_rerun_downstream.rest.record_payloads import Rerun

RERUN_ID = "rerun_id"


class RerunDownstreamOperator(BaseOperator):
    """Reruns a Dag run and what is downstream of it, and waits for the end.

    A retry of the task goes on with the rerun of the try before; clearing the task after it has ended starts another
    one. The rerun's id is pushed as the XCom ``rerun_id`` at once; the task returns ``rerun_id``, ``state``,
    ``state_reason``, ``counts``, ``not_made_anew`` and ``url``.

    :param source_dag_id: the source's Dag (templated, as all that says what is rerun)
    :param source_run_id: the source; or
    :param source_logical_date: its logical date
    :param task_ids: the source's tasks, ``"task_id"`` or ``{"task_id": …, "map_index": …}``. Default: the failed
        ones, or all if none has failed
    :param rerun_source: False: the source is already right, and only what is downstream is rerun
    :param members: exactly these downstream runs, ``{"dag_id": …, "run_id": …, "task_ids": …}``; ``[]``: none. Default:
        what the plan selects
    :param dag_id_pattern: of what the plan selects, only Dags whose id has this in it; ``%``, ``_`` and ``|`` as in the
        REST API's filters
    :param dag_tags: of what the plan selects, only Dags with one of these tags
    :param link_kinds: follow only links of these kinds
    :param max_runs: refuse a plan with more runs than that
    :param max_depth: follow links to this depth only
    :param include_manual: take manual and backfill runs, too
    :param freeze_mode: accept members that are queued or running: they are stopped, and rerun in their turn
    :param frozen: runs to hold until the rerun has succeeded
    :param settings: the rerun's settings, as in the REST API
    :param notifications: whom to tell of what, as in the REST API
    :param name: a name for the record
    :param reason: why, for the record
    :param rerun_downstream_conn_id: the connection
    :param wait_for_completion: wait for the end, and fail unless the rerun succeeds
    :param deferrable: wait in the triggerer
    :param poll_interval: seconds between two looks
    :param patience: seconds for which the server may be away while the rerun is waited for
    :param when_killed: what becomes of the rerun when the task is killed, or runs into its time-out on a worker
    """

    template_fields: Sequence[str] = (
        *("source_dag_id", "source_run_id", "source_logical_date", "task_ids", "members", "dag_id_pattern", "dag_tags"),
        *("link_kinds", "frozen", "settings", "notifications", "name", "reason", "rerun_downstream_conn_id"),
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"settings": "json", "notifications": "json"}
    operator_extra_links = (RerunLink(),)
    ui_color = "#e3f2e8"

    def __init__(
        self,
        *,
        source_dag_id: str,
        source_run_id: str | None = None,
        source_logical_date: str | datetime | None = None,
        task_ids: Sequence[str | Mapping[str, Any]] | None = None,
        rerun_source: bool = True,
        members: Sequence[Mapping[str, Any]] | None = None,
        dag_id_pattern: str | None = None,
        dag_tags: Sequence[str] | None = None,
        link_kinds: Sequence[str] | None = None,
        max_runs: int | None = None,
        max_depth: int | None = None,
        include_manual: bool = False,
        freeze_mode: bool = False,
        frozen: Sequence[Mapping[str, Any]] | None = None,
        settings: Mapping[str, Any] | None = None,
        notifications: Sequence[Mapping[str, Any]] | None = None,
        name: str | None = None,
        reason: str | None = None,
        rerun_downstream_conn_id: str = RerunDownstreamHook.default_conn_name,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = POLL_INTERVAL,
        patience: float = PATIENCE,
        when_killed: Literal["leave", "terminate"] = "leave",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_dag_id = source_dag_id
        self.source_run_id = source_run_id
        self.source_logical_date = source_logical_date
        self.task_ids = task_ids
        self.rerun_source = rerun_source
        self.members = members
        self.dag_id_pattern = dag_id_pattern
        self.dag_tags = dag_tags
        self.link_kinds = link_kinds
        self.max_runs = max_runs
        self.max_depth = max_depth
        self.include_manual = include_manual
        self.freeze_mode = freeze_mode
        self.frozen = frozen
        self.settings = settings
        self.notifications = notifications
        self.name = name
        self.reason = reason
        self.rerun_downstream_conn_id = rerun_downstream_conn_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.patience = patience
        self.when_killed = when_killed
        self.record_url: str | None = None
        self._submission: Submission | None = None
        self._killed = False

    @cached_property
    def hook(self) -> RerunDownstreamHook:
        """The way to the server."""
        return RerunDownstreamHook(self.rerun_downstream_conn_id)

    def execute(self, context: Any) -> Result:
        """Submit, or go on with what an earlier try has submitted; wait."""
        with as_task_errors():
            server = self.hook.server
            what = self._what()
            self._submission = Submission(server, what, key_of(context, "rerun"), self.log)
            with self.hook.get_conn() as client:
                rerun = self._submission.made(client, lambda one: self._waited(client, one.id))
                self._tell(context, rerun)
                if not self.wait_for_completion:
                    return result(rerun, server)
                if not self.deferrable:
                    return judged(client, self._waited(client, rerun.id), server)
        return self._deferred(rerun.id)

    def execute_complete(self, context: Any, event: Mapping[str, Any]) -> Result:
        """Look at how the rerun has ended."""
        if error := event.get("error"):
            raise AirflowException(str(error))
        with as_task_errors(), self.hook.get_conn() as client:
            rerun = client.rerun(int(event["rerun_id"]))
            self.record_url = self.hook.server.record(rerun.id)
            # It may have gone on since the trigger fired: somebody has resumed it.
            return judged(client, self._waited(client, rerun.id), self.hook.server)

    def on_kill(self) -> None:
        """Terminate the rerun, if that is wanted, and stop waiting.

        It interrupts whatever the task does at that moment, so it shares nothing with that.
        """
        self._killed = True
        submission = self._submission
        if self.when_killed != "terminate" or submission is None:
            return
        try:
            with submission.server.client() as client:
                rerun = submission.found(client)
                if rerun is not None and "terminate" in rerun.allowed_actions:
                    client.terminate(rerun.id)
        except ClientError as error:
            self.log.error("The rerun could not be terminated: %s", error)

    def _what(self) -> What:
        try:
            return What.of(self)
        except ValueError as error:
            raise AirflowFailException(str(error)) from error

    def _tell(self, context: Any, rerun: Rerun) -> None:
        """Say which rerun it is, so that others find it while it runs."""
        self.record_url = self.hook.server.record(rerun.id)
        self.log.info("%s is %s: %s", title(rerun), rerun.state.value, self.record_url)
        context["ti"].xcom_push(key=RERUN_ID, value=rerun.id)
        context["ti"].xcom_push(key=RerunLink().xcom_key, value=self.record_url)

    def _waited(self, client: RerunDownstreamClient, rerun_id: int) -> Rerun:
        patience, interval = self.patience, self.poll_interval
        return wait(client, rerun_id, interval=interval, patience=patience, stop=lambda: self._killed, log=self.log)

    def _deferred(self, rerun_id: int) -> Result:
        trigger = RerunEndedTrigger(
            rerun_id=rerun_id,
            rerun_downstream_conn_id=self.rerun_downstream_conn_id,
            poll_interval=self.poll_interval,
            patience=self.patience,
            terminate=self.when_killed == "terminate",
        )
        limit: timedelta | None = self.execution_timeout
        self.defer(trigger=trigger, method_name="execute_complete", timeout=limit)
        raise AssertionError("a deferred task ends there")
