"""What the proof of a rerun with ten thousand members costs."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

from airflow.models.taskinstance import TaskInstance
from airflow.models.taskinstancehistory import TaskInstanceHistory
from sqlalchemy import text

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.conductor.proof_reader import proof_of
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest, RerunSettings
from tests.bench.history import LargeHistory

ADA = Actor("1", "ada")
MAX_STATEMENTS = 60
MAX_CPU_SECONDS = 60.0
"""This process's own; the database's are beside it."""


def ran_again(history: LargeHistory, rerun: int) -> None:
    """What the conductor, the scheduler and the workers do with all members, one level a minute."""
    shape = history.shape
    # Each task instance has one earlier try: what the rerun cleared.
    columns = ", ".join(sorted(set(TaskInstance.__table__.c.keys()) & set(TaskInstanceHistory.__table__.c.keys())))
    with history.database.engine.begin() as connection:
        for statement in (
            f"""insert into task_instance_history ({columns}, task_instance_id)
                select {columns}, gen_random_uuid() from task_instance where dag_id like '{shape.name}\\_%'""",
            f"""update task_instance set hostname = 'w', pid = 1, try_number = try_number + 1,
                start_date = now() + (level * 60 + place) * interval '1 second',
                end_date = now() + (level * 60 + place + 1) * interval '1 second'
                from (select id as ti, substring(task_id from 2)::int as place,
                             (substring(dag_id from '_([0-9]+)$')::int + {shape.width} - 1) / {shape.width} as level
                      from task_instance where dag_id like '{shape.name}\\_%') as found where ti = id""",
            "update rerun_downstream_member set state = 'succeeded', attempt = 1, ended_at = now()",
        ):
            connection.execute(text(statement))


def test_the_proof_of_ten_thousand_members(benchmark: Any, large: LargeHistory) -> None:
    request = RerunRequest(PlanRequest(large.source), settings=RerunSettings(accept_duplicate_runs=True))
    rerun = wiring.service(wiring.everything_allowed).submit(ADA, request).rerun.id
    ran_again(large, rerun)
    unit_of_work = wiring.unit_of_work()

    def prove() -> Any:
        with unit_of_work() as work:
            found = work.store.get(rerun)
            assert found is not None
            return proof_of(work, found, found.created_at)

    tracemalloc.start()
    with large.database.counted() as statements:
        prove()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    began, cpu = time.perf_counter(), time.process_time()
    proof = prove()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"\nproof: {proof.counts}, {len(statements)} statements, {seconds:.1f} s ({cpu:.1f} s CPU), {peak:.0f} MiB")
    benchmark.extra_info.update(statements=len(statements), seconds=seconds, cpu=cpu, peak_mib=peak)
    assert len(statements) <= MAX_STATEMENTS, statements.texts
    assert cpu <= MAX_CPU_SECONDS
    assert proof.counts.links >= large.runs
    assert proof.violations == ()
    benchmark.pedantic(lambda: None, rounds=1)
