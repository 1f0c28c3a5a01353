"""What the proof of a rerun with ten thousand members costs: twelve times what one of a thousand does, at most."""

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
from airflow_rerun_downstream.domain.proof import Proof
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunRequest, RerunSettings
from tests.airflow3 import database as databases
from tests.bench.conftest import written
from tests.bench.history import LargeHistory, Shape

ADA = Actor("1", "ada")
MAX_STATEMENTS = 60
MAX_RATIO = 12.0
MAX_CPU_SECONDS = 60.0
"""This process's own; the database's are beside it."""
ROUNDS = 3
FEW = Shape("proven", dags=201, runs=5, tasks=10, width=20)
"""A tenth of the large history, in all else like it."""


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
            f"""update rerun_downstream_member set state = 'succeeded', attempt = 1, ended_at = now()
                where rerun_id = {rerun}""",
        ):
            connection.execute(text(statement))


def test_the_proof_of_ten_thousand_members(benchmark: Any, database: databases.Database, large: LargeHistory) -> None:
    reruns = {history.runs: proven(history) for history in (written(database, FEW), large)}
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    counts, peaks = {}, {}
    for size, rerun in reruns.items():
        tracemalloc.start()
        with database.counted() as statements:
            prove(rerun)
        peaks[size] = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        counts[size] = len(statements), statements.rows
        assert len(statements) <= MAX_STATEMENTS, statements.texts
    cpu: dict[int, list[float]] = {size: [] for size in reruns}
    for _ in range(ROUNDS):
        for size, rerun in reruns.items():
            began = time.process_time()
            proof = prove(rerun)
            cpu[size].append(time.process_time() - began)
            assert proof.counts.links >= size
            assert proof.violations == ()
    few, many = map(min, cpu.values())
    print(
        f"\nproof: {counts} statements and rows by members, {few:.2f} s, {many:.2f} s of this process: "
        f"{many / few:.1f} x, {peaks[large.runs]:.0f} MiB"
    )
    benchmark.extra_info.update(counts=counts, seconds=[few, many], ratio=many / few, peak_mib=peaks[large.runs])
    assert many <= MAX_RATIO * few
    assert many <= MAX_CPU_SECONDS
    benchmark.pedantic(lambda: None, rounds=1)


def proven(history: LargeHistory) -> int:
    """A rerun of everything that has run."""
    request = RerunRequest(PlanRequest(history.source), settings=RerunSettings(accept_duplicate_runs=True))
    rerun = wiring.service(wiring.everything_allowed).submit(ADA, request).rerun.id
    ran_again(history, rerun)
    return rerun


def prove(rerun: int) -> Proof:
    with wiring.unit_of_work()() as work:
        found = work.store.get(rerun)
        assert found is not None
        return proof_of(work, found, found.created_at)
