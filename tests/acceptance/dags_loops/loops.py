"""A Dag that makes an asset, and three that its event starts: with a loop, with a mapped task in one, without any.

Loops are of Airflow 3.4; elsewhere there is nothing here.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, dag, task, task_group

try:
    from airflow.sdk import LoopDecision
except ImportError:
    LoopDecision = None

ROUNDS = Path(__file__).parent / "rounds.txt"
"""How many rounds the loop makes; a test writes it."""

numbers = Asset(name="numbers", uri="test://numbers")

if LoopDecision is not None:

    @dag(schedule="@daily", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), catchup=False)
    def source() -> None:
        @task(outlets=[numbers])
        def make() -> None: ...

        make()

    @dag(schedule=[numbers], catchup=False)
    def looping() -> None:
        @task
        def before() -> None: ...

        @task_group
        def refine() -> None:
            @task
            def improve(*, loop: Any) -> int:
                return int(loop.index)

            @task
            def evaluate(number: int) -> int:
                return number

            evaluate(improve())

        def enough(*, loop: Any) -> Any:
            return LoopDecision(stop=loop.result + 1 >= int(ROUNDS.read_text()))

        @task
        def after() -> None: ...

        loop = refine.loop(max_iterations=10, until=enough)
        before() >> loop >> after()

    @dag(schedule=[numbers], catchup=False)
    def mapped_in_loop() -> None:
        @task_group
        def batch() -> None:
            @task
            def choose(*, loop: Any) -> list[int]:
                return [1, 2]

            @task
            def work(value: int) -> int:
                return value

            work.expand(value=choose())

        batch.loop(max_iterations=2)

    source()
    looping()
    mapped_in_loop()
