"""The ports of one transaction, and what opens it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from airflow_rerun_downstream.harmless import log_error
from airflow_rerun_downstream.ports.durations import Durations
from airflow_rerun_downstream.ports.freezer import Freezer
from airflow_rerun_downstream.ports.gateway import Gateway
from airflow_rerun_downstream.ports.installation import Permissions
from airflow_rerun_downstream.ports.lease import Lease
from airflow_rerun_downstream.ports.lineage import LineageFacts
from airflow_rerun_downstream.ports.outbox import Outbox
from airflow_rerun_downstream.ports.retention import Retention
from airflow_rerun_downstream.ports.store import RerunStore


@dataclass(frozen=True)
class Work:
    """The ports, bound to one transaction.

    ``afterwards``: what is told once the transaction has been committed, and never of one that wasn't.
    """

    facts: LineageFacts
    gateway: Gateway
    store: RerunStore
    lease: Lease
    freezer: Freezer
    permissions: Permissions
    outbox: Outbox
    durations: Durations
    retention: Retention
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def tell(self) -> None:
        """Do what was left for afterwards. What goes wrong in it changes nothing any more."""
        for each in self.afterwards:
            try:
                each()
            except Exception as error:
                log_error("telemetry", error)


class UnitOfWork(Protocol):
    """Opens transactions, of which a thread has one at a time: each holds one of the process's few connections.

    Leaving the block commits, and then does what `Work.afterwards` holds; an exception rolls everything back.
    """

    def __call__(self) -> AbstractContextManager[Work]:
        """A new transaction. Raises `SchemaMismatch` when our tables aren't the code's."""
        ...
