"""The sensor: waits for the end of a rerun that somebody else has submitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from airflow.configuration import conf
from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_rerun_downstream.client import ConnectionProblem, RefusedError
from airflow_rerun_downstream.client.retries import unavailable
from airflow_rerun_downstream.client.waiting import ENDS
from airflow_rerun_downstream.operators.ended_trigger import RerunEndedTrigger
from airflow_rerun_downstream.operators.following import PATIENCE, Result, judged, progress
from airflow_rerun_downstream.operators.hook import RerunDownstreamHook
from airflow_rerun_downstream.operators.link import RerunLink
from airflow_rerun_downstream.operators.task_errors import AirflowException, as_task_errors


class RerunDownstreamSensor(BaseSensorOperator):
    """Waits until a rerun has succeeded; fails when it fails or is terminated. Returns what the operator returns.

    :param rerun_id: the rerun's id, or an XCom that is one (templated)
    :param rerun_downstream_conn_id: the connection
    :param deferrable: wait in the triggerer
    """

    template_fields: Sequence[str] = ("rerun_id", "rerun_downstream_conn_id")
    operator_extra_links = (RerunLink(),)
    ui_color = "#e3f2e8"

    def __init__(
        self,
        *,
        rerun_id: int | str,
        rerun_downstream_conn_id: str = RerunDownstreamHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rerun_id = rerun_id
        self.rerun_downstream_conn_id = rerun_downstream_conn_id
        self.deferrable = deferrable
        self.record_url: str | None = None

    @cached_property
    def hook(self) -> RerunDownstreamHook:
        """The way to the server."""
        return RerunDownstreamHook(self.rerun_downstream_conn_id)

    def execute(self, context: Any) -> Any:
        """Wait on the worker, or in the triggerer."""
        if not self.deferrable:
            return super().execute(context)
        trigger = RerunEndedTrigger(
            rerun_id=int(self.rerun_id),
            rerun_downstream_conn_id=self.rerun_downstream_conn_id,
            poll_interval=self.poke_interval,
            patience=PATIENCE,
        )
        return self.defer(
            trigger=trigger, method_name="execute_complete", timeout=timedelta(seconds=float(self.timeout))
        )

    def poke(self, context: Any) -> PokeReturnValue:
        """Look once. A server that is away is asked again at the next look."""
        with as_task_errors(), self.hook.get_conn() as client:
            self.record_url = self.hook.server.record(int(self.rerun_id))
            try:
                rerun = client.rerun(int(self.rerun_id))
            except (ConnectionProblem, RefusedError) as error:
                if not isinstance(error, ConnectionProblem) and not unavailable(error):
                    raise
                self.log.warning("%s The rerun is asked for again.", error)
                return PokeReturnValue(is_done=False)
            self.log.info(progress(rerun))
            if rerun.state not in ENDS:
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=judged(client, rerun, self.hook.server))

    def execute_complete(self, context: Any, event: Mapping[str, Any]) -> Result:
        """Look at how the rerun has ended."""
        if error := event.get("error"):
            raise AirflowException(str(error))
        with as_task_errors(), self.hook.get_conn() as client:
            self.record_url = self.hook.server.record(int(event["rerun_id"]))
            return judged(client, client.rerun(int(event["rerun_id"])), self.hook.server)
