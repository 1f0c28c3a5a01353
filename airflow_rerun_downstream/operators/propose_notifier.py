"""The notifier: proposes a rerun when something has failed, and says where to approve it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import fields
from datetime import datetime
from typing import Any

from airflow.sdk import BaseNotifier

from airflow_rerun_downstream.client import ClientError
from airflow_rerun_downstream.operators.hook import RerunDownstreamHook
from airflow_rerun_downstream.operators.keys import key_of_failure, own_run
from airflow_rerun_downstream.operators.proposing import Proposed, Unsure, propose
from airflow_rerun_downstream.operators.server import Server
from airflow_rerun_downstream.operators.task_errors import AirflowException
from airflow_rerun_downstream.operators.what import What, is_template

EXPECTED = (ClientError, AirflowException, ValueError)
"""What a sentence says enough of."""

WORDING = frozenset({"name", "reason"})
"""What says by which name and why. That may be worded otherwise by another try."""

SOURCE = ("source_dag_id", "source_run_id", "source_logical_date")


class ProposeRerunNotifier(BaseNotifier):
    """Proposes a rerun, which nobody carries out before it is approved; for failure callbacks and deadlines.

    A failure makes one proposal, whoever tells of it and however often; so do all tries of a task, until somebody
    clears it. What keeps it from proposing is logged in a sentence and fails no task.

    :param source_dag_id: the source's Dag (templated, as all that says what is rerun). Default: the Dag that failed
    :param source_run_id: the source. Default: the run that failed, which has to have ended by then
    :param source_logical_date: the source's logical date, in place of its id
    :param then: what is called with the context after a new proposal, such as other notifiers: ``proposal`` in it
        has ``rerun_id``, ``url`` and ``message``

    The others are those of `RerunDownstreamOperator`.
    """

    template_fields: Sequence[str] = (
        *(*SOURCE, "task_ids", "members", "dag_id_pattern", "dag_tags"),
        *("link_kinds", "frozen", "settings", "notifications", "name", "reason", "rerun_downstream_conn_id"),
    )

    def __init__(
        self,
        *,
        source_dag_id: str | None = None,
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
        then: Sequence[Callable[[Any], object]] = (),
        context: Any = None,
    ) -> None:
        super().__init__(context)
        if source_dag_id is not None and source_run_id is None and source_logical_date is None:
            raise ValueError("source_dag_id needs source_run_id or source_logical_date")
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
        self.then = then
        # As it was written: what a template comes to may be something else in another try.
        self._asked = repr([(each.name, getattr(self, each.name)) for each in fields(What) if each.name not in WORDING])

    def __call__(self, context: Any) -> None:
        """Render a copy, and propose: a Dag processor calls one notifier for several runs."""
        with self._sentences(context):
            self._rendered(context).notify(context)

    def __await__(self) -> Generator[Any, Any, None]:
        """The same in an event loop, with the context that the notifier was made with."""
        return self._awaited().__await__()

    def notify(self, context: Any) -> None:
        """Propose. Raises what keeps it from that."""
        hook = RerunDownstreamHook(self.rerun_downstream_conn_id)
        self._propose(context, hook.server)

    async def async_notify(self, context: Any) -> None:
        """Propose without blocking the event loop. Raises what keeps it from that."""
        server = await RerunDownstreamHook(self.rerun_downstream_conn_id).async_server()
        await asyncio.to_thread(self._propose, context, server)

    async def _awaited(self) -> None:
        with self._sentences(self.context):
            await self._rendered(self.context).async_notify(self.context)

    def _rendered(self, context: Any) -> ProposeRerunNotifier:
        """A copy with its templates rendered, and the source named. Raises `ValueError` where they come to nothing."""
        found = copy(self)
        own_context: Any = dict(context)
        found.render_template_fields(own_context)
        for field in SOURCE:
            template, value = getattr(self, field), getattr(found, field)
            # Before 3.3, Airflow leaves a template as it is that comes to nothing.
            unrendered = value == template and is_template(value)
            if template is not None and (not value or unrendered):
                raise ValueError(f"{field} has come to nothing: {template}")
        dag_id, run_id = own_run(context)
        if self.source_run_id is None and self.source_logical_date is None:
            found.source_run_id = run_id
        if self.source_dag_id is None:
            found.source_dag_id = dag_id
        return found

    def _propose(self, context: Any, server: Server) -> None:
        proposed = propose(server, What.of(self), key_of_failure(context, self._asked))
        self.log.info(proposed.message)
        if proposed.new:
            self._pass_on(context, proposed)

    def _pass_on(self, context: Any, proposed: Proposed) -> None:
        for each in self.then:
            try:
                # Airflow renders a notifier in place: what was called once would tell of its first proposal for ever.
                called = copy(each) if isinstance(each, BaseNotifier) else each
                called({**context, "proposal": proposed.told()})
            except Exception:
                self.log.exception("The proposal stands, but %r could not be told of it.", each)

    @contextmanager
    def _sentences(self, context: Any) -> Iterator[None]:
        """Say in a sentence what went wrong. It is raised where that fails no task: of a deadline, Airflow keeps how
        its callback has ended."""
        try:
            yield
        except Exception as error:
            begin = "Whether a rerun is proposed isn't known" if isinstance(error, Unsure) else "No rerun is proposed"
            sentence = f"{begin}: {str(error) or type(error).__name__}"
            self.log.error(sentence, exc_info=not isinstance(error, EXPECTED))
            if "deadline" in context:
                raise AirflowException(sentence) from error
