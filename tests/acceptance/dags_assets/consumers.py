"""Producers whose cycles begin when a test says so (by an event of a "tick" asset), and consumers of each kind.

            ┌─ single ── second            one asset, and what follows from it
make ───────┼─ both (with other)           two assets
            └─ aliased                     an alias
moody ─── first_time                       fails at its first try: what it makes comes late
patient ── patient_reader                  from its second try on it goes on until the test lets it end
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone
from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, AssetAlias, task

COMMON = {"start_date": datetime(2026, 1, 1, tzinfo=timezone.utc), "default_args": {"retries": 0}}

TICK = Asset("acceptance://tick")
TICK_OTHER = Asset("acceptance://tick-other")
TICK_MOODY = Asset("acceptance://tick-moody")
TICK_PATIENT = Asset("acceptance://tick-patient")
TICK_SENTINEL = Asset("acceptance://tick-sentinel")
MADE = Asset("acceptance://made")
OTHER = Asset("acceptance://other")
SINGLE = Asset("acceptance://single")
MOODY = Asset("acceptance://moody")
PATIENT = Asset("acceptance://patient")
THROUGH_ALIAS = Asset("acceptance://through-alias")
ALIAS = AssetAlias("acceptance-alias")


@task
def emit() -> None:
    """Succeed; the outlets make the events."""


@task(outlets=[ALIAS])
def emit_through_alias(*, outlet_events: object = None) -> None:
    """Name the asset only now."""
    outlet_events[ALIAS].add(THROUGH_ALIAS)  # type: ignore[index]


@task(outlets=[MOODY])
def fail_first(ti: object = None) -> None:
    """Fail at the first try, and at no other."""
    if ti.try_number == 1:  # type: ignore[attr-defined]
        raise ValueError("as arranged")


@task(outlets=[PATIENT])
def wait_later(ti: object = None) -> None:
    """Succeed at once at the first try, and later only when the test lets it."""
    gate = Path(os.environ["GATE"])
    while ti.try_number > 1 and not gate.exists():  # type: ignore[attr-defined]
        time.sleep(0.1)


with DAG("make", schedule=[TICK], **COMMON):
    emit.override(outlets=[MADE])()
    emit_through_alias()

with DAG("other", schedule=[TICK_OTHER], **COMMON):
    emit.override(outlets=[OTHER])()

with DAG("single", schedule=[MADE], **COMMON):
    emit.override(outlets=[SINGLE])()

with DAG("second", schedule=[SINGLE], **COMMON):
    emit()

with DAG("both", schedule=[MADE, OTHER], **COMMON):
    emit()

with DAG("aliased", schedule=[ALIAS], **COMMON):
    emit()

with DAG("moody", schedule=[TICK_MOODY], **COMMON):
    fail_first()

with DAG("first_time", schedule=[MOODY], **COMMON):
    emit()

with DAG("patient", schedule=[TICK_PATIENT], **COMMON):
    wait_later()

with DAG("patient_reader", schedule=[PATIENT], **COMMON):
    emit()

with DAG("sentinel", schedule=[TICK_SENTINEL], **COMMON):
    EmptyOperator(task_id="seen")
